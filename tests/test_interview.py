"""The walk of an interview as a value: answered before revealed, judged, skipped, summed up."""
from __future__ import annotations

from rankzoo.data.load import schema_of
from rankzoo.lesson import Question
from rankzoo.registry import systems
from rankzoo.teaching.interview import again, points, summary, walk
from rankzoo.teaching.numbers import number
from rankzoo.teaching.questions import questions
from rankzoo.teaching.screen import Screen


def some(n: int, *slots: str) -> list[Question]:
    return [Question(f"{slot} {i}?", "so", slot) for slot in slots for i in range(n)]


def test_a_short_walk_passes_every_component_in_order():
    found = some(3, "representation", "sharing", "losses")
    assert [q.slot for q in walk("a", found, 3, 0.0).questions] == ["representation", "sharing", "losses"]
    assert [q.ask for q in walk("a", found, 5, 0.0).questions] == ["representation 0?", "representation 1?", "sharing 0?",
                                                                   "sharing 1?", "losses 0?"]
    assert len(walk("a", found, 0, 0.0).questions) == 9
    assert {q.slot for q in walk("a", found, 0, 0.0, ["losses"]).questions} == {"losses"}
    assert walk("a", found, 0, 0.0, ["towers"]).over


def test_nothing_is_revealed_before_it_is_answered_and_only_once():
    begun = walk("a", some(2, "towers"), 0, 100.0)
    assert begun.given is None and begun.at == 0
    said = begun.say("because", 112.5)
    assert said.given.said == "because" and said.given.seconds == 12.5 and said.question is begun.question
    assert said.say("something else", 120.0) == said  # a second click changes nothing
    after = said.judge("had it").next(115.0)
    assert after.at == 1 and after.given is None and after.since == 115.0 and after.answers[0].outcome == "had it"
    assert said.next(115.0).answers[0].outcome == "partly"  # nobody judged it
    end = after.skip(120.0)
    assert end.over and end.question is None and end.given is None and end.say("late", 130.0) == end


def test_a_prediction_is_judged_by_the_model():
    youtube = systems()["youtube"]
    screen = Screen(youtube.blueprint, schema_of("video"))
    found = number("gain", "sharing.experts", screen)
    begun = walk("youtube", [q for q in questions(youtube, screen) if q.number == "gain"], 0, 0.0)
    assert begun.predict(5_728, found, 3.0).given.outcome == "right"
    assert begun.predict(5_500, found, 3.0).given.outcome == "close"
    assert begun.predict(4_704, found, 3.0).given.outcome == "off"  # the gates were forgotten


def test_the_summary_counts_by_component_and_names_what_is_weak():
    on = walk("a", some(2, "sequence", "losses"), 0, 0.0)
    on = on.say("x", 10.0).judge("had it").next(10.0).say("y", 30.0).judge("partly").next(30.0).skip(31.0).say("z", 41.0)
    done = on.judge("missed").next(41.0)
    assert [(row.slot, row.asked, row.points, row.seconds) for row in summary(done)] == [("sequence", 2, 1.5, 15.0),
                                                                                         ("losses", 2, 0.0, 5.5)]
    assert [(q.ask, given.outcome) for q, given in again(done)] == [("losses 0?", "skipped"), ("losses 1?", "missed"),
                                                                    ("sequence 1?", "partly")]
    assert sum(map(points, done.answers)) == 1.5


def test_what_seemed_certain_and_was_wrong_comes_first():
    on = walk("a", some(2, "losses"), 0, 0.0)
    done = on.say("x", 1.0, "a guess").judge("missed").next(1.0).say("y", 2.0, "certain").judge("missed").next(2.0)
    assert [q.ask for q, _ in again(done)] == ["losses 1?", "losses 0?"]


def test_an_early_end_counts_what_was_answered():
    on = walk("a", some(3, "losses"), 0, 0.0)
    assert on.stop().over and on.stop().questions == () and summary(on.stop()) == ()
    once = on.say("x", 1.0).stop()
    assert once.over and len(once.questions) == len(once.answers) == 1 and once.answers[0].outcome == "partly"
    assert len(on.say("x", 1.0).next(1.0).stop().answers) == 1
