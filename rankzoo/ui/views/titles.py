"""Under the past items: the words of their titles and of the candidate's, for models that read text."""
from __future__ import annotations

import streamlit as st

from rankzoo.figures import titles as figure
from rankzoo.inspection.attention import history_of
from rankzoo.inspection.view import Table
from rankzoo.inspection.words import CANDIDATE, scored, tags, titles
from rankzoo.ui import page
from rankzoo.ui.component import scene
from rankzoo.ui.inside import Sight, kept, title, truth_line
from rankzoo.ui.views.history import candidate, named
from rankzoo.ui.words import say, translate


def show(sight: Sight, frame: Table) -> None:
    """The titles of the items in `frame` and of the candidate, then how much of all titles' weight lies right; nothing where the
    model reads no text."""
    table = titles(sight.subject, history_of(sight.subject), sight.row)
    if not len(table):
        return
    title(say("How much each word of a title counts"), say("example {row}", row=sight.row + 1))
    names = dict(zip(frame["position"], named(sight.subject, frame)["category"], strict=True))
    names[CANDIDATE] = say("Candidate: {name}", name=candidate(sight.subject, sight.row).detail)
    order = [CANDIDATE, *(int(position) for position in frame["position"])]
    shown = table[table["position"].isin(order)]
    shown = shown.assign(title=[f"{position + 1} {names[position]}" if position >= 0 else names[position]
                                for position in shown["position"]])
    shown = shown if sight.truth else shown.drop(columns="carries", errors="ignore")
    scene(figure.titles(shown, translate), key="attention:titles", alt=say("How much each word of a title counts"))
    if shown["word"].str.contains("##").any():
        st.caption(say("Each word in the pieces that the language model reads; ## goes on with the piece before."))
    score = kept(sight.key, "words", "", lambda: scored(sight.subject))
    truth_line(sight, score, "{value} of a title's weight lies on the words that carry its topic", "words")
    page.twin(shown.drop(columns="title"), "titles")
    _tags(sight)


def _tags(sight: Sight) -> None:
    """What the tasks about words say of each word of the candidate's title; nothing where there is none."""
    table = tags(sight.subject, sight.row)
    if not len(table):
        return
    title(say("What each word is taken for"), say("example {row}", row=sight.row + 1))
    said = [f"{word} {tag}" if inside > 0.5 else word
            for word, tag, inside in zip(table["word"], table["tag"], table["inside"], strict=True)]
    shown = table.assign(title=table["task"], word=said, weight=table["inside"], carries=table["true"])
    shown = shown if sight.truth else shown.drop(columns="carries")
    scene(figure.titles(shown, translate), key="attention:tags", alt=say("What each word is taken for"))
    st.caption(say("The darker, the likelier that the word is part of a name; its likeliest tag is beside it. "
                   "Outlined: the names."))
    page.twin(table, "tags")
