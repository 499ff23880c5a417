"""Gates: which experts each task listens to, whether related tasks listen alike, and whether that differs between rows."""
from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from rankzoo.figures import gates as figure
from rankzoo.figures.words import fixed, hundredths, portions
from rankzoo.inspection.gates import RELATED, SAME, SHARED, gates, levels, segments, splits
from rankzoo.inspection.naming import name
from rankzoo.inspection.view import Table, View
from rankzoo.ui import experts, page
from rankzoo.ui.component import scene, selected
from rankzoo.ui.inside import Sight, choice, kept, title, truth_line
from rankzoo.ui.words import say, translate

MATRIX = "gates:matrix"
SHOWN = {"mean": "mean", "sd": "spread"}
WIDE = 0.8
ONE_GATE = "All tasks mix the experts alike, so the gates cannot tell which tasks are related."
NO_PAIRS = "The tasks of this model are either all related or all unrelated, so there is nothing to compare."


def show(sight: Sight) -> None:
    """The matrix of tasks and experts, how many experts each task uses, how tasks differ, and segments of the rows."""
    count = len(kept(sight.key, "levels", "", lambda: levels(sight.subject)))
    with st.sidebar:
        level = _level(count)
        value = choice("show", say("Show"), {name: say(words) for name, words in SHOWN.items()}, "mean")
    view: View = kept(sight.key, "gates", str(level), lambda: gates(sight.subject, level))
    table = _named(view.table)
    left, right = st.columns([67, 33], gap="medium")
    with left:
        title(say("Mean gate weight in %: one row per task, one column per expert") if value == "mean" else
              say("How much the gate weight differs from row to row, in %"),
              say("level {n} of {count}", n=level, count=count) if count > 1 else "")
        scene(figure.matrix(table, sight.places, selected(MATRIX), value, translate, SHARED), key=MATRIX,
              alt=say("Gate weights, tasks by experts"))
        if view.table["mean"].isna().any():
            st.caption(say("An expert that bears a task's name is its own. A dash means that no path leads there."))
    with right:
        scene(figure.effective(view.tables["effective"], sight.places, translate), key="gates:effective",
              alt=say("How many experts does each task use?"))
        st.markdown(reading(view))
    page.twin(table, "gates")
    _divergence(sight, view)
    _segments(sight, level)


def _level(count: int) -> int:
    """Which level of gates is looked at, from 1; the last one, which the towers read, unless another was chosen."""
    names = {str(i): str(i) for i in range(1, count + 1)}
    return int(choice("level", say("Level"), names, str(count))) if count > 1 else count


def _named(table: Table) -> Table:
    """Experts as the diagram names them: from 1, or after the task whose own they are."""
    names = experts.called(list(dict.fromkeys(table["expert"])))
    return table.assign(expert=[names[expert] for expert in table["expert"]])


def reading(view: View) -> str:
    """What the numbers say, in two or three sentences."""
    used = view.tables["effective"].set_index("task")
    if int(used["experts"].iloc[0]) == 1:
        return say("**Read it:** one expert, so every gate takes all of it.")
    spread = [task for task, row in used.iterrows() if row["effective"] >= WIDE * row["experts"]]
    said = [say("**Read it:**")]
    if spread:
        said.append(say("Spread over all {count} experts: {tasks}.", tasks=_listed(spread),
                        count=int(used["experts"].iloc[0])))
    leaning = [_leaning(_named(view.table), task) for task in used.index if task not in spread]
    said += [say("Most of all to one expert: {tasks}.", tasks=", ".join(leaning))] if leaning else []
    if used["own"].any():
        own = ", ".join(f"{page.escaped(task)} {hundredths(share)} %" for task, share in used["own"].items())
        said.append(say("From experts of their own: {tasks}.", tasks=own))
    pairs = view.tables["divergence"]
    if len(pairs) > 1 and pairs["js"].max() > SAME:
        near, far = pairs.loc[pairs["js"].idxmin()], pairs.loc[pairs["js"].idxmax()]
        said.append(say("Row by row, {near} mix the experts most alike ({js} bits), {far} least ({other} bits).",
                        near=_listed([near["a"], near["b"]]), js=fixed(near["js"]), far=_listed([far["a"], far["b"]]),
                        other=fixed(far["js"])))
    return " ".join(said)


def _leaning(table: Table, task: str) -> str:
    """The expert that a task takes most of."""
    mine = table[table["task"] == task]
    at = int(mine["mean"].argmax())
    best, share = mine["expert"].iloc[at], portions(list(mine["mean"]))[at]
    if best.isdecimal():
        return say("{task} → expert {expert} ({share} %)", task=page.escaped(task), expert=best, share=share)
    return f"{page.escaped(task)} → {page.escaped(best)} ({share} %)"


def _listed(names: Sequence[str]) -> str:
    """«click, like and dismiss»."""
    escaped = [page.escaped(each) for each in names]
    return say("{first} and {last}", first=", ".join(escaped[:-1]), last=escaped[-1]) if len(escaped) > 1 else escaped[0]


def _divergence(sight: Sight, view: View) -> None:
    """Task by task: how differently they mix the experts, beside how related they were made."""
    pairs = view.tables["divergence"]
    if not len(pairs):
        st.caption(say("One task, so there are no two gates to compare."))
        return
    if view.table["expert"].nunique() == 1:
        return
    planted = sight.truth and pairs["related"].notna().any()
    shown = pairs if planted else pairs.drop(columns="related")
    related = pairs[["a", "b", "related"]].rename(columns={"related": "value"}) if planted else None
    with st.container(horizontal=True, gap="medium", key="gates:tasks"):
        scene(figure.divergence(shown, sight.places, related, translate), key="gates:divergence", width=810 if planted else 390,
              alt=say("How differently two tasks mix the experts"))
    if planted:
        together = [_listed([row.a, row.b]) for row in pairs.itertuples() if row.related >= RELATED]
        st.caption(say("Planted truth, outlined: {pairs} share one hidden cause.", pairs="; ".join(together))
                   if together else say("Planted truth: no two of these tasks share a hidden cause."))
    nothing = "" if not pairs["related"].notna().any() else NO_PAIRS if pairs["js"].max() > SAME else ONE_GATE
    truth_line(sight, view.truth, "Gates of unrelated tasks differ {value} times as much as those of related tasks", "gates",
               nothing)
    page.twin(shown, "gates tasks")


def _segments(sight: Sight, level: int) -> None:
    """The same gates for parts of the rows."""
    options = splits(sight.subject)
    if not options:
        st.caption(say("These data have no feature to split the rows by."))
        return
    with st.sidebar:
        chosen = st.selectbox(say("Split rows by"), options, key="split", bind="query-params")
    feature = chosen if chosen in options else options[0]
    table = kept(sight.key, f"segments:{level}", feature, lambda: segments(sight.subject, feature, level))
    numeric = sight.subject.dataset.schema.feature(feature).kind == "numeric"
    frames, rows = {}, {}
    for segment, part in table.groupby("segment", sort=False):
        label = say("{third} third", third=say(segment)) if numeric else (
            name(sight.subject.dataset, feature, int(segment)) or say("unknown"))
        frames[label], rows[label] = _named(part), int(part["rows"].iloc[0])
    title(say("The same gates, by {feature}", feature=feature), say("per cent; the most frequent values") if not numeric else
          say("per cent; thirds of the rows"))
    scene(figure.segments(frames, sight.places, rows, translate), key="gates:segments",
          alt=say("Gate weights by segment of the rows"))
    page.twin(_named(table), "gates segments")
