"""Under the past items: which of them reads which, for models in which they read each other."""
from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from rankzoo.figures import attention as figure
from rankzoo.inspection.attention import UNMARKED
from rankzoo.inspection.maps import CANDIDATE, maps
from rankzoo.inspection.view import Table
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, choice, title
from rankzoo.ui.views.history import candidate, described
from rankzoo.ui.words import say, translate

WIDE, LARGER = 760, 1.5


def show(sight: Sight, frame: Table, dropped: frozenset[int], marked: Mapping[int, int] = UNMARKED,
         key: str = "attention map") -> None:
    """The map of one head over the items of `frame` that are not dropped, its table under `key`; nothing where the model keeps no
    maps."""
    table = maps(sight.subject, sight.row, dropped, marked)
    if not len(table):
        return
    layers = list(dict.fromkeys(table["map"]))
    heads = {f"{i}.{head}": _said(i, head, len(layers)) for i, layer in enumerate(layers)
             for head in sorted(set(table["head"][table["map"] == layer]))}
    title(say("Which item reads which"), say("example {row}, oldest on top", row=sight.row + 1))
    chosen = choice("head", say("Head"), heads, next(iter(heads)), hidden=True)
    layer, head = (int(number) for number in chosen.split("."))
    shown = table[(table["map"] == layers[layer]) & (table["head"] == head)]
    names = dict(zip(frame["position"], described(sight.subject, frame), strict=True))
    names = {place: names[place] for place in sorted(names, reverse=True) if place not in dropped}  # place 0 is the newest
    if CANDIDATE in set(shown["query"]):
        names[CANDIDATE] = say("Candidate: {name}", name=candidate(sight.subject, sight.row).name)
    tree = figure.reading(shown, names, translate)
    width = min(WIDE, round(LARGER * float(tree[1]["viewBox"].split()[2])))  # a few items would be drawn as large as many
    scene(tree, key="attention:map", alt=say("Which item reads which"), width=width)
    st.caption(say("Rows read, columns are read, and each row adds to 1. It shows where the model reads from, not why it "
                   "decides."))
    page.twin(shown.drop(columns="map"), key)


def _said(layer: int, head: int, layers: int) -> str:
    if layers == 1:
        return say("Head {number}", number=head + 1)
    return say("Layer {layer}, head {number}", layer=layer + 1, number=head + 1)
