"""The seven components as lessons: what each does in a pointwise ranking model, what is missing without it, what to try."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Component:
    """A component of the frame. does: what it does · without: what a model without it cannot do, or how it is replaced ·
    try_it: something to do with the model in hand."""

    does: str
    without: str
    try_it: str
    required: bool = False


COMPONENTS: Mapping[str, Component] = {
    "representation": Component(
        "Features become numbers that a network can read: ids look up a learned vector, numbers come as they are or as buckets, "
        "text through an encoder.",
        "No model is without it. The simplest gives every value one switch and one weight.",
        "Double the embedding size and watch which of the two counts moves, tables or network.", required=True),
    "sequence": Component(
        "What a user did before is read as a list, and attention decides how much each past item matters, for this candidate or "
        "for the user as a whole.",
        "Without it the past is at best an average, in which every item has the same say.",
        "Train DIN, open Inside, and drop the past item with the largest weight: does the score follow?"),
    "interaction": Component(
        "Two features can mean together what neither means alone. Explicit layers multiply them, up to a known degree.",
        "Without it the deep network must find all crosses by itself; sparse ones it hardly finds.",
        "Train a plain DNN and a DCN-V2 on the same data and compare their maps of crosses with the planted ones."),
    "concatenation": Component(
        "All vectors are put side by side: one long vector that everything behind reads. It owns no parameters.",
        "Where a model has none, pooling or a dot product stands in its place, and the picture says so.",
        "Work out its width before you look: the fields times their widths, plus the numbers.", required=True),
    "sharing": Component(
        "With several objectives the network branches. Experts and gates decide what tasks have in common and what is their own.",
        "Without it a model has one task, or its towers share nothing but the tables.",
        "Double the experts: how much of the new parameters is in the gates?"),
    "towers": Component(
        "A few dense layers turn the vector into one logit for each task: typically two or three, with a few dozen to a "
        "thousand units.",
        "No model is without an end: a single linear map or a dot product may stand here.",
        "Find the layer with the most weights: it is nearly always the first.", required=True),
    "losses": Component(
        "It says what counts as good: usually cross entropy on each row, but a softmax over a list, a pair's order or "
        "an amount are losses too. With several tasks it says how they are added up.",
        "No model learns without it.",
        "Exchange pointwise for pairwise: what becomes of the calibration, and what of the AUC?", required=True),
}
"""By slot, in the order of the forward pass."""
