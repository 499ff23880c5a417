"""Kuaishou's re-ranker: the sheet's invariants (section 10) of the model and of the lists that it builds, by their numbers, and
its counts (section 5)."""
from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from rankzoo.blueprint import Blueprint
from rankzoo.components.sharing.mmoe import MMoE
from rankzoo.components.towers.mlp import MlpTower
from rankzoo.data.clips import AGO_EDGES, LENGTHS
from rankzoo.data.load import from_world, schema_of
from rankzoo.data.worlds.lists import WORLD
from rankzoo.inspection.lists import arranges, scored
from rankzoo.model import RankingModel
from rankzoo.registry import systems
from rankzoo.schema import Feature, History, Schema, Task
from rankzoo.serving.arrange import Arrange, Modelled, list_reward, search, stops
from rankzoo.signals import Batch
from rankzoo.trace import Trace
from rankzoo.training.combine.base import weighted_sum
from tests.searches import REQUESTS, SIZE, SLOTS, SPEC, brute_force, drawn, figure_4, score
from tests.support import OFF, logits, numel, random_batch, randomised, small, trained_loss

SYSTEM = systems()["kuaishou"]
SCHEMA = schema_of("lists")
TASKS = SYSTEM.blueprint.tasks
BATCH = random_batch(SCHEMA, 32)
WATCHED, PLACED = 0, 1
EDGES = {"watched": {"view_gap": np.arange(-2.5, 3), "time_gap": (1, 2, 4, 7, 11), "place_gap": (2.5, 4.5, 7.5, 11.5, 16.5)},
         "placed": {"view_gap": np.arange(-2.5, 3), "time_gap": (0.3, 0.75, 1.5, 3), "place_gap": (1.5, 2.5)}}


@pytest.fixture
def model() -> RankingModel:
    return randomised(RankingModel(SYSTEM.blueprint, SCHEMA))


def with_items(batch: Batch, history: str, change) -> Batch:
    """The same rows with other past items or mask: change((row, position, field), mask) → the same."""
    items, mask = change(batch.histories[history].clone(), batch.masks[history].clone())
    return replace(batch, histories={**batch.histories, history: items}, masks={**batch.masks, history: mask})


def same(one: dict, other: dict) -> bool:
    return all(torch.allclose(one[task], other[task], atol=1e-5) for task in TASKS)


@pytest.mark.parametrize("history, place", [("watched", WATCHED), ("placed", PLACED)])
def test_kuaishou_1_attention_over_what_is_there(model, history, place):
    """Rows of every head add to 1 over the valid items, padding gets exactly 0, and the order of the items does not matter."""
    trace = Trace()
    model.eval()(BATCH, trace)
    heads, mask = trace[f"sequence.{place}.weight.head"].values, BATCH.masks[history]
    torch.testing.assert_close(heads.sum(dim=2), mask.any(dim=1, keepdim=True).float().expand(-1, 2))
    assert (heads.transpose(1, 2)[~mask] == 0).all()
    mixed = with_items(BATCH, history, lambda items, mask: (items.flip(1), mask.flip(1)))
    assert same(logits(model, BATCH), logits(model, mixed))


def test_kuaishou_2_nothing_watched_and_nothing_placed(model):
    """A session's start: both vectors are zeros, the logits finite, forward and backward."""
    empty = BATCH
    for history in ("watched", "placed"):
        empty = with_items(empty, history, lambda items, mask: (items, torch.zeros_like(mask)))
    with torch.no_grad():
        signal = model.representation(empty, Trace(on=False))
        for layer in model.sequence:
            signal = layer(signal, Trace(on=False))
    assert not signal.fields["watched"].any() and not signal.fields["placed"].any()
    assert all(torch.isfinite(value).all() for value in logits(model, empty).values())
    trained_loss(model, empty).backward()
    assert all(torch.isfinite(p.grad.to_dense()).all() for p in model.parameters() if p.grad is not None)


def test_kuaishou_3_feedback_moves_and_padding_does_not(model):
    """Another feedback of one watched video changes every prediction; whatever stands in a padded place changes none."""
    place = [f.name for f in SCHEMA.history("watched").fields].index("feedback")

    def liked(items, mask):
        items[:, 0, place] = 3 - items[:, 0, place].clamp(min=1)
        return items, mask

    before, rows = logits(model, BATCH), BATCH.masks["watched"][:, 0]
    after = logits(model, with_items(BATCH, "watched", liked))
    assert all(((after[task] - before[task]).abs()[rows] > 1e-6).all() for task in TASKS)
    filled = with_items(BATCH, "watched", lambda items, mask: (torch.where(mask.unsqueeze(2), items, 1), mask))
    assert same(before, logits(model, filled))


def test_kuaishou_4_placed_videos_have_no_feedback_and_weights_of_their_own(model):
    """The fields of placed videos hold none, and none of their differences is crossed with any; the two attentions share no
    parameter, each has its say, and exchanging what they say changes every prediction."""
    placed, watched = ({f.name: f.gap for f in SCHEMA.history(name).fields} for name in ("placed", "watched"))
    assert not {"feedback", "seen"} & set(placed) and {"feedback", "seen"} <= set(watched)
    assert {gap.by for gap in placed.values() if gap} == {("category",)}
    assert {gap.by for gap in watched.values() if gap} == {("category", "feedback")}
    ids = [{id(p) for p in model.sequence[i].parameters()} for i in (WATCHED, PLACED)]
    assert len(ids[0]) == len(ids[1]) == 6 and not ids[0] & ids[1]
    before = logits(model, BATCH)
    model.read, read = lambda batch, trace: swapped(*read(batch, trace)), model.read

    def swapped(signal, joined):
        fields = {**signal.fields, "watched": signal.fields["placed"], "placed": signal.fields["watched"]}
        return signal, model.concatenation(signal.but(fields=fields), OFF)

    after = logits(model, BATCH)
    something = BATCH.masks["watched"].any(dim=1) | BATCH.masks["placed"].any(dim=1)
    assert all(((after[task] - before[task]).abs() > 1e-4)[something].all() for task in TASKS)
    model.read = read
    for place in (WATCHED, PLACED):
        with torch.no_grad():
            model.sequence[place].attention.value.weight.mul_(-1)
        assert not same(before, before := logits(model, BATCH))


def test_kuaishou_5_gates(model):
    """Three gates whose rows add to 1; without the parameters of one only its task changes."""
    trace = Trace()
    model.eval()(BATCH, trace)
    assert {entry.address for entry in trace.of("gate")} == {f"sharing.gate.{task}" for task in TASKS} and len(TASKS) == 3
    before = logits(model, BATCH)
    with torch.no_grad():
        model.sharing.gate["like"].weight.zero_()
    after = logits(model, BATCH)
    assert [task for task in TASKS if not torch.equal(before[task], after[task])] == ["like"]


def test_kuaishou_6_count_does_not_depend_on_lengths():
    """Longer histories cost no parameter, candidates are rows; each expert adds (D + 1)·32 + K·D with D = 176."""
    longer = tuple(History(h.name, 3 * h.length, h.fields) for h in SCHEMA.histories)
    count = SYSTEM.blueprint.count(SCHEMA).parameters
    schema = replace(SCHEMA, histories=longer)
    assert SYSTEM.blueprint.count(schema).parameters == count == numel(RankingModel(SYSTEM.blueprint, schema))
    more = SYSTEM.blueprint.model_copy(update={"sharing": SYSTEM.blueprint.sharing.model_copy(update={"experts": 5})})
    assert more.count(SCHEMA).parameters - count == (176 + 1) * 32 + 3 * 176


def test_kuaishou_6_paper_s_sizes():
    """12 experts of 64 over D: slope (D + 1)·64 + 3·D; three towers 64-128-64-32-1 have 56,067 parameters."""
    schema = Schema(tuple(Feature(f"n{i}", "numeric") for i in range(300)), tuple(Task(f"t{i}") for i in range(3)))
    at = {n: Blueprint(sharing=MMoE(experts=n, widths=(64,)), towers=MlpTower(widths=(128, 64, 32)), tasks=("t0", "t1", "t2"))
          for n in (11, 12)}
    counts = {n: blueprint.count(schema) for n, blueprint in at.items()}
    assert counts[12].parameters - counts[11].parameters == 301 * 64 + 3 * 300
    assert counts[12].within("towers").parameters == 3 * 18_689 == 56_067
    assert counts[12].parameters == numel(RankingModel(at[12], schema))


def test_kuaishou_7_outputs_and_loss():
    """Probabilities in (0, 1); the loss is the weighted sum of three binary cross entropies, never negative, whatever sign
    the print has."""
    labels = {task: torch.where(BATCH.observed[task], BATCH.labels[task], 0.0) for task in TASKS}
    batch = replace(BATCH, labels=labels)
    model = RankingModel(SYSTEM.blueprint, SCHEMA)
    found, output = logits(model, batch), model.eval()(batch)
    for task in TASKS:
        assert ((torch.sigmoid(found[task]) > 0) & (torch.sigmoid(found[task]) < 1)).all()
        seen = batch.observed[task]
        expected = F.binary_cross_entropy(torch.sigmoid(found[task][seen].double()), labels[task][seen].double())
        assert float(output.losses[task].detach()) == pytest.approx(float(expected), rel=1e-4) and expected >= 0
    weights = {"has_next": 1.0, "effective_view": 0.5, "like": 3.0}
    summed = weighted_sum(output.losses, weights)
    torch.testing.assert_close(summed, sum(weight * output.losses[task] for task, weight in weights.items()))
    assert SYSTEM.blueprint.losses.weights == {} and SYSTEM.settings.combine == "sum"


def test_kuaishou_8_reward_by_hand():
    """0.8 + 0.9·0.9 + 0.72·1.0 = 2.33; one video is worth p_ev + 2·p_like, whoever goes on."""
    view, like, going_on = torch.tensor([0.6, 0.5, 0.4]), torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.9, 0.8, 0.123])
    worth, again = SPEC.worth({"effective_view": view.logit(), "like": like.logit(), "has_next": going_on.logit()})
    torch.testing.assert_close(worth, view + 2 * like)
    assert float(list_reward(worth, again)) == pytest.approx(2.33)
    assert float(list_reward(worth[:1], again[:1])) == pytest.approx(0.8)


def test_kuaishou_9_the_last_one_may_end_the_session():
    """Whether anyone goes on after the last video never counts."""
    worth, going_on = torch.rand(4, 3), torch.rand(4, 3)
    other = going_on.clone()
    other[:, -1] = 0.0
    assert torch.equal(list_reward(worth, going_on), list_reward(worth, other))
    other[:, 0] = 0.0
    torch.testing.assert_close(list_reward(worth, other), worth[:, 0])


def test_kuaishou_10_one_beam_is_greedy():
    """k = 1: stability 1, so that it stops at step n; a whole list takes what is worth most in every slot."""
    given = score()
    assert len(search(given, REQUESTS, SIZE, SLOTS, beams=1, shown=2, threshold=0.95)) == 2
    found = SPEC.greedy().lists(given, REQUESTS, SIZE, SLOTS).videos[:, 0]
    videos = torch.zeros(REQUESTS, 1, 0, dtype=torch.long)
    for _ in range(SLOTS):
        worth = given(videos)[0].scatter(2, videos, -1.0)
        videos = torch.cat([videos, worth.argmax(dim=2, keepdim=True)], dim=2)
    assert torch.equal(found, videos[:, 0])


def test_kuaishou_10_who_never_goes_on_sees_the_best_first():
    """has_next ≡ 0: the best list begins with the video that is worth most."""
    given = score()
    ends = lambda videos: (given(videos)[0], torch.zeros(*videos.shape[:2], SIZE))  # noqa: E731
    first = SPEC.lists(ends, REQUESTS, SIZE, SLOTS).videos[:, 0, 0]
    assert torch.equal(first, given(torch.zeros(REQUESTS, 1, 0, dtype=torch.long))[0][:, 0].argmax(dim=1))


def test_kuaishou_11_all_beams_are_brute_force():
    """k ≥ the number of beginnings and no stop: the best of all 60 lists. Fewer beams never find a better one, more
    beams are not worse on average, and both are worth what they say."""
    given = score()
    best = torch.tensor([brute_force(given, request) for request in range(REQUESTS)])
    mean = []
    for beams in (1, 2, 4, 10_000):
        found = search(given, REQUESTS, SIZE, SLOTS, beams)[-1]
        torch.testing.assert_close(SPEC.true_reward(drawn(), found.videos[:, 0]), found.reward[:, 0])
        assert (found.reward[:, 0] <= best + 1e-6).all()
        mean.append(float(found.reward[:, 0].mean()))
    torch.testing.assert_close(found.reward[:, 0], best)
    assert mean == sorted(mean) and mean[-1] > mean[0]


def test_kuaishou_12_figure_4():
    """Beams CBA 1.8 and ADB 1.75; stability .875, .929, .972; at .95 it stops at step 3 and shows C."""
    steps = search(figure_4, 1, 4, 4, beams=2, shown=1, threshold=0.95)
    assert [round(float(beams.stability), 3) for beams in steps] == [0.875, 0.929, 0.972]
    assert ["".join("ABCD"[v] for v in beam) for beam in steps[-1].videos[0].tolist()] == ["CBA", "ADB"]
    torch.testing.assert_close(steps[-1].reward[0], torch.tensor([1.8, 1.75]))
    assert stops(steps, 1, 0.95).tolist() == [3]


@pytest.mark.parametrize("beams", [1, 3, 7])
def test_kuaishou_13_beams_are_distinct_lists_without_duplicates(beams):
    """No video twice in a beam, no beam twice, the best first, lists as long as asked; at most as many as there can be."""
    for step, found in enumerate(search(score(), REQUESTS, SIZE, SLOTS, beams), 1):
        assert found.videos.shape == (REQUESTS, min(beams, [5, 20, 60][step - 1]), step)
        assert (found.reward[:, :-1] >= found.reward[:, 1:]).all()
        for request in found.videos.tolist():
            assert all(len(set(beam)) == step for beam in request) and len(set(map(tuple, request))) == len(request)
    for shown in (1, 2, 3):
        assert search(score(), REQUESTS, SIZE, SLOTS, beams, shown, threshold=0.0)[-1].videos.shape[2] == shown


def test_kuaishou_14_stability():
    """Equation 6, min / max over all beams, the worst of which is not the second; in (0, 1], and a higher threshold never stops
    earlier."""
    steps = search(score(), REQUESTS, SIZE, SIZE, beams=3)
    for beams in steps:
        torch.testing.assert_close(beams.stability, beams.reward.amin(dim=1) / beams.reward.amax(dim=1), rtol=0, atol=0)
        assert beams.reward.shape[1] == 3 and (beams.reward[:, 1] > beams.reward[:, 2]).any()
    assert all(((beams.stability > 0) & (beams.stability <= 1)).all() for beams in steps)
    at = [stops(steps, 1, threshold) for threshold in (0.1, 0.6, 0.8, 0.9, 0.95)]
    late = [torch.where(step > 0, step, SIZE + 1) for step in at]
    assert all((a <= b).all() for a, b in zip(late, late[1:], strict=False)) and (late[0] < late[-1]).any()
    assert (stops(steps, 1, inf) == 0).all() and (stops(steps, 3, 0.0) == 3).all()


def test_kuaishou_15_differences_with_past_videos():
    """Prediction, time and position of the target less those of every past video, by hand from the table, each one id with the
    past video's category and, where it was watched, its feedback; 0 with itself; no time is negative, and it grows with the age.
    The row itself has the differences with the newest watched video."""
    data, rows = from_world(WORLD, 6_000), WORLD.make(6_000, 0).table.slice(0, 1_000).to_pandas().to_dict("records")
    ids = {h.name: {f.name: data.batch.histories[h.name][:, :, i].numpy() for i, f in enumerate(h.fields)}
           for h in SCHEMA.histories}
    alike = 0
    for i, row in enumerate(rows):
        lasts = [LENGTHS[each] / 60 for each in row["placed.duration"]]
        middles = np.array([*(np.array([0.0, *AGO_EDGES[:-1]]) + AGO_EDGES) / 2, 18.0])
        apart = {"watched": {"view_gap": row["view_level"] - row["watched.view_level"],
                             "time_gap": middles[row["watched.ago"]] + sum(lasts),
                             "place_gap": row["slot"] + 1 + row["watched.back"]},
                 "placed": {"view_gap": row["view_level"] - row["placed.view_level"], "time_gap": np.cumsum(lasts),
                            "place_gap": 1 + row["placed.back"]}}
        for history, differences in apart.items():
            n = len(row[f"{history}.category"])
            for name, values in differences.items():
                assert name == "view_gap" or (values >= 0).all() and (np.diff(values) >= 0).all()
                crossed = np.digitize(values, EDGES[history][name]) * 8 + row[f"{history}.category"]
                crossed = crossed * 2 + row["watched.feedback"] if history == "watched" else crossed
                assert (ids[history][name][i, :n] == 1 + crossed).all() and not ids[history][name][i, n:].any()
                assert history == "placed" or data.batch.features[name][i] == 1 + crossed[0]
        itself = row["watched.view_level"] == row["view_level"]
        alike += itself.sum()
        told = [WORLD.label("watched.view_gap", int(gap) - 1) for gap in ids["watched"]["view_gap"][i, :len(itself)]]
        assert [said.startswith("+0 levels") for said in told] == itself.tolist()
    assert alike > 100 and WORLD.label("watched.view_gap", 1) == "-3 levels, kids, liked"
    assert WORLD.label("place_gap", 2 * 16 + 3) == "up to 7 places later, comedy, liked"
    assert WORLD.label("placed.time_gap", 9) == "0.3–0.75 minutes later, comedy" and WORLD.label("view_gap", 0)[-4:] == "none"


def test_kuaishou_16_no_ids(model):
    """Neither a user's nor a video's id is an input or has a table, and no table is large."""
    gaps = {"view_gap", "time_gap", "place_gap"}
    assert set(model.representation.places) == {"category", "duration", "view_level", "stay_level", "slot", "network",
                                                *(f"watched.{name}" for name in ("feedback", "ago", "seen", "back")),
                                                "placed.back", *gaps, *(f"placed.{name}" for name in gaps)}
    sizes = {name: rows for name, (rows, _) in SYSTEM.blueprint.representation.tables(SCHEMA).items()}
    assert {name: rows for name, rows in sizes.items() if rows > 25} == {
        "view_gap": 7 * 16 + 1, "time_gap": 6 * 16 + 1, "place_gap": 6 * 16 + 1, "placed.view_gap": 7 * 8 + 1,
        "placed.time_gap": 5 * 8 + 1}
    names = {f.name for f in SCHEMA.features} | {f.name for h in SCHEMA.histories for f in h.fields}
    assert not any("id" in name.split("_") for name in names)
    assert SYSTEM.blueprint.count(SCHEMA).embedding < 5_000


def test_the_phone_s_own_inputs_are_real_when_serving(model):
    """Table 1 and section 7: network and buffer are ordinary inputs, known when a list is built; the buffer of one waiting video
    changes what is said of it, wherever it stands, and of no other, the network of a request what is said of all its videos."""
    assert not any(SCHEMA.feature(name).bias for name in ("slot", "network", "buffer"))
    waiting = small("lists", 600).candidates.rows(0, 18)
    ids, numbers = waiting.ids.clone(), waiting.numbers.clone()
    numbers[4, [f.name for f in SCHEMA.numeric].index("buffer")] += 1.0
    network = [f.name for f in SCHEMA.categorical].index("network")
    ids[9:, network] = 1 + ids[9:, network] % 4
    other = replace(waiting, ids=ids, numbers=numbers)
    for standing in ([], [2], [7, 2]):
        videos = torch.tensor([[standing]] * 2, dtype=torch.long)
        before, after = (torch.stack(Modelled(SPEC, model, batch, 9)(videos)) for batch in (waiting, other))
        moved = (before != after).any(dim=0)[:, 0]  # (request, candidate)
        assert moved[0].nonzero().flatten().tolist() == [4]
        assert moved[1].nonzero().flatten().tolist() == [video for video in range(9) if video not in standing]


def test_what_is_left_of_table_1_is_said():
    """What the paper leaves open of its inputs is told of, and a stability below 1 is not rounded up to it. Durations belong to
    every video, seconds watched to past ones alone; both are 16 and 8 wide, as said."""
    facts = {fact.name: fact for fact in SYSTEM.facts}
    fields = {h.name: {f.name for f in h.fields} for h in SCHEMA.histories}
    assert all("duration" in known for known in (*fields.values(), {f.name for f in SCHEMA.features}))
    assert "seen" in fields["watched"] - fields["placed"] - {f.name for f in SCHEMA.features}
    assert SYSTEM.blueprint.representation.dims == {"category": 16, "duration": 16} and SYSTEM.blueprint.representation.dim == 8
    assert facts["differences with past videos"].tag == "ours" and facts["the candidate's own differences"].tag == "unsure"
    assert max(float(step) for step in facts["stability of 4 beams, step by step"].value.split(", ")) < 1


def test_which_inputs_are_worth_most_is_told_as_the_losses_of_auc_rank_them():
    """The places of the watch history by task, read from the facts under the answer: third, second, second."""
    names = ("AUC without the watch history", "AUC without the phone's own features", "AUC without crosses and soft buckets")
    lost = {fact.name: [float(part.split()[0].replace("−", "-")) for part in fact.value.split(", ")]
            for fact in SYSTEM.facts if fact.name in names}
    places = [1 + sum(lost[name][task] < lost[names[0]][task] for name in names[1:]) for task in range(3)]
    (asked,) = (question for question in SYSTEM.lesson.questions if question.ask == "Which inputs are worth most?")
    going_on, rest = asked.answer.split(";")
    assert places == [3, 2, 2] and set(asked.facts) == set(names)
    assert "going on, where the watch history is third" in going_on and "views and likes, where it is second" in rest


def test_common_misreadings_of_the_print_are_mended():
    """The last of the sheet's section 12: the loss's minus between two terms that are added, and the letter l read as a one."""
    (answer,) = (right for wrong, right in SYSTEM.lesson.misreadings.items() if "printed minus" in wrong and "n ≤ 1" in wrong)
    assert "added" in answer and " l," in answer


def test_its_serving():
    """Section 7: four beams, threshold .95, one video shown; the reward weights are ours."""
    assert SYSTEM.serving == Arrange({"effective_view": 1.0, "like": 2.0}, "has_next", 4, 0.95, 1)
    assert arranges(SYSTEM.blueprint, SCHEMA) and not arranges(systems()["mmoe"].blueprint, schema_of("feed"))
    assert not arranges(SYSTEM.blueprint.model_copy(update={"tasks": ("effective_view",)}), SCHEMA)


class TestScore:
    """The picture's statistic on constructed lists."""

    best, chance = torch.rand(200).numpy() + 2.0, torch.rand(200).numpy()

    def way(self, beam):
        return scored({"beam": beam, "greedy": self.chance}, self.chance, self.best)

    def test_best_lists_score_one(self):
        found = self.way(self.best)
        assert found.value == pytest.approx(1.0) and found.ci95[0] == pytest.approx(1.0) and found.found

    def test_lists_in_any_order_score_nothing(self):
        noise = self.chance + torch.randn(200, generator=torch.Generator().manual_seed(0)).numpy() * 0.1
        found = self.way(noise)
        assert abs(found.value) < 0.05 and found.ci95[0] < 0 < found.ci95[1] and not found.found

    def test_the_worst_score_below_chance(self):
        found = self.way(self.chance - 0.5)
        assert found.value < -0.1 and found.ci95[1] < 0 and not found.found
        assert found.more[0].value == pytest.approx(0.0) and found.more[1].value == pytest.approx(-0.5)
