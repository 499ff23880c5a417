"""Beside: the model in hand next to another one: the preset, the model that it grew out of, any system, a run, or one of one's
own that was kept. Both pictures at equal scale, and only what differs in settings, counts and results."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from rankzoo import link
from rankzoo.baselines import Baseline, with_tasks
from rankzoo.blueprint import SLOTS
from rankzoo.data import uploads
from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.export import picture
from rankzoo.export.apart import Drawn, apart
from rankzoo.export.picture import HEADS, NOTHING, Learned
from rankzoo.figures import diagram
from rankzoo.figures.words import MISSING, fixed, flops, memory, whole
from rankzoo.inspection import beside
from rankzoo.inspection.beside import Model, Row
from rankzoo.runs.tables import Run
from rankzoo.ui import beside_menu as menu
from rankzoo.ui import claims, page, rung, service, state
from rankzoo.ui.component import scene
from rankzoo.ui.words import say, translate, translator

COUNTS = {"parameters": "Parameters", "embedding": "In tables", "dense": "Dense", "flops": "FLOPs per example",
          "elementwise": "Element-wise operations", "activations": "Activations per example",
          "serving": "Memory in serving", "training": "Memory in training"}
UNITS = {"flops": flops, "serving": memory, "training": memory}


@dataclass(frozen=True)
class Side:
    """One of the two: what it is called, its document, its run where it was trained, the baseline that it is, if any, and what it
    is called over a column, where that is shorter."""

    name: str
    document: Document
    run: Run | None
    baseline: Baseline | None = None
    head: str = ""

    def model(self) -> Model:
        """What is compared of it."""
        settings = self.document.settings.model_dump(mode="json", exclude={"threads"})
        data = uploads.upload(self.document.data).name if uploads.exists(self.document.data) else self.document.data
        tested = self.run.outcome.get("metrics", {}).get("test", {}) if self.run else {}
        return Model(self.head or self.name, self.document.blueprint, self.document.schema(), data, settings, tested)

    def learned(self) -> Learned:
        """What its run adds to its picture."""
        return picture.learned(self.document.schema(), state.points(self.run.id), self.run.outcome) if self.run else NOTHING


def show(document: Document) -> None:
    """The menu, and below it both models where one is chosen."""
    wanted, name = menu.show(document)
    if wanted == menu.NOBODY:
        return
    baseline = menu.beneath(document).get(wanted)
    with st.container(border=True, key="rz_two"):
        rule = baseline and baseline.rule
        if rule:
            st.markdown(f"**{page.escaped(baseline.name)}** :gray[{page.escaped(say(baseline.told))} · "
                        f"{say('not trained: no picture, no settings')}]")
        if baseline:
            claims.apart(document.system)
        if not rule:
            _two(document, wanted, name)


def _two(document: Document, wanted: str, name: str) -> None:
    """Both pictures, and below them what differs."""
    try:
        sides = _sides(document, wanted, name)
    except ZooError as problem:
        st.info(page.escaped(problem.text(translate)))
        return
    _pictures(sides)
    _tables([each.model() for each in sides], document.settings.batch_size)


def _sides(document: Document, wanted: str, name: str) -> tuple[Side, Side]:
    """The model in hand, and the other on the same data where it can stand on them."""
    mine = Side(say("in hand"), document, state.trained())
    if wanted.startswith(menu.RUN):
        run = service.store().run(wanted.removeprefix(menu.RUN))
        return mine, Side(name, Document.parse(run.config), run, head=menu.head(wanted, name))
    if baseline := menu.beneath(document).get(wanted):
        other = _beside(document, baseline)
        return mine, Side(baseline.name, other, _run_of(other), baseline)
    if wanted == menu.PRESET:
        other = document.unchanged()
    elif wanted.startswith(menu.OWN):
        other = link.decode(wanted.removeprefix(menu.OWN))
    else:
        other = _placed(document, wanted)
    return mine, Side(name, other, _run_of(other), head=menu.head(wanted, name))


def _beside(document: Document, baseline: Baseline) -> Document:
    """What the model in hand's system grew out of, on the same data with the same budget; on its own where it cannot."""
    try:
        return baseline.beside(document)
    except ZooError:
        return Document.preset(baseline.system).but(baseline.changes.items())


def _placed(document: Document, arch: str) -> Document:
    """A system's preset on the data of the model in hand; on its own where it cannot stand there."""
    preset = Document.preset(arch)
    try:
        return with_tasks(preset.on(document.data)[0], document.blueprint.tasks).check()
    except ZooError:
        return preset


def _run_of(document: Document) -> Run | None:
    """A run of exactly this document that is done."""
    return next((each for each in menu.runs() if state.same(each, document)), None)


def _pictures(sides: tuple[Side, Side]) -> None:
    """Both diagrams one above the other at equal scale; what both have alike stands back."""
    models = [(each.document.blueprint, each.document.schema()) for each in sides]
    tongue = translator()
    layouts = picture.two_layouts(*models, tongue)
    both = apart(*(Drawn(each.document.blueprint, layout) for each, layout in zip(sides, layouts, strict=True)))
    for side, layout, own in zip(sides, layouts, both, strict=True):
        inside = side.learned()
        system = side.document.system
        what = _placed_how(side, sides[0]) if side.name == system.brand or side.baseline else side.name
        named = side.name if side.baseline and side.document.arch == sides[0].document.arch else system.title
        title = f"**{page.escaped(named)}** :gray[{page.escaped(what)}"
        st.markdown(title + (f" · {say('trained, run {n}', n=side.run.number)}]" if side.run else "]"))
        added = own or frozenset({"nothing of it"} if any(both) else ())
        scene(diagram.excerpt(layout, SLOTS, weights=inside.gates, attention=inside.attention, metrics=inside.metrics,
                              added=added, say=tongue),
              key=f"two:{side is sides[0]}", alt=say("Architecture of {title}", title=system.title))


def _placed_how(side: Side, mine: Side) -> str:
    """Whether a system stands as the zoo has it, or as it was put on what the model in hand stands on."""
    if side.document == Document.preset(side.document.arch):
        return say("as the zoo has it")
    if side.baseline and side.document.data == mine.document.data:
        return say("on the same data with the same budget")
    tasks = set(side.document.blueprint.tasks) == set(mine.document.blueprint.tasks)
    return say("on the same data and tasks") if tasks else say("on the same data")


def _tables(models: Sequence[Model], batch_size: int) -> None:
    """Settings on the left, counts and results on the right."""
    changed, counted, reached = beside.settings(models), beside.counts(models, batch_size), beside.results(models)
    if not changed:
        st.caption(say("They do not differ."))
        return
    left, right = st.columns([3, 2])
    with left:
        _table(say("Settings that differ"), changed, models, _setting)
    with right:
        _table(say("Counts that differ"), counted, models, _count)
        _table(say("Results on the test rows"), reached, models, lambda row: (row.what, [fixed(v, 4) for v in row.values]))
        if not reached and all(each.data == models[0].data for each in models):
            st.caption(say("Train both, and their results stand here too."))
    if models[0].data != models[1].data:
        st.caption(say("They stand on different data, {one} and {other}: counts of tables and results say so too.",
                       one=models[0].data, other=models[1].data))


def _table(title: str, rows: Sequence[Row], models: Sequence[Model], said) -> None:
    if rows:
        told = [said(row) for row in rows]
        names = [f"{each.name}" for each in models]
        st.markdown(f"**{title}**")
        st.dataframe(pd.DataFrame([[what, *values] for what, values in told], columns=["", *names]), hide_index=True,
                     width="stretch", alt=title)


def _setting(row: Row) -> tuple[str, list[str]]:
    return row.what, [rung.valued(each, row.whole) for each in row.values]


def _count(row: Row) -> tuple[str, list[str]]:
    name = COUNTS.get(row.what) or say("Dense parameters of {slot}", slot=say(HEADS[row.what]).lower())
    return say(name), [MISSING if each is None else UNITS.get(row.what, whole)(each) for each in row.values]
