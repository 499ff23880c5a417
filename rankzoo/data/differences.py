"""The differences of the world of lists: by how much a video's prediction, time and position exceed those of past ones.

Each is cut into buckets and crossed with the past video's category, and with its feedback where it was watched (Gong et al., CIKM
2022, section 4). Times are minutes and places are counted from the beginning of a list on: what was watched stood before it.
"""
from __future__ import annotations

from dataclasses import replace

from rankzoo.data.clips import AGO_EDGES, FARTHEST_BACK, LENGTHS, LEVEL_EDGES
from rankzoo.schema import Amount, Gap, History

SLOTS = 4
FARTHEST = 3  # levels between a candidate and a past video that are told apart
LEVELS = Amount("view_level", tuple(map(float, range(len(LEVEL_EDGES) + 1))))
APART = tuple(level - 0.5 for level in range(1 - FARTHEST, FARTHEST + 1))
BACK = Amount("back", tuple(-1.0 - back for back in range(FARTHEST_BACK)))
SLOT = Amount("slot", tuple(map(float, range(SLOTS))))
AGO = Amount("ago", tuple(-(low + high) / 2 for low, high in zip((0.0, *AGO_EDGES), (*AGO_EDGES, 21.0), strict=True)))
BEHIND = Amount("duration", tuple(-lasts / 60 for lasts in LENGTHS), running=True)
GONE = Amount("placed.duration", tuple(lasts / 60 for lasts in LENGTHS))
"""How long what is placed takes, each video watched to its end: how long it will be watched is not known in a search."""
WATCHED = {"view_gap": Gap(LEVELS, APART, LEVELS), "time_gap": Gap(AGO, (1.0, 2.0, 4.0, 7.0, 11.0), GONE),
           "place_gap": Gap(BACK, (2.5, 4.5, 7.5, 11.5, 16.5), SLOT)}
PLACED = {"view_gap": Gap(LEVELS, APART, LEVELS), "time_gap": Gap(BEHIND, (0.3, 0.75, 1.5, 3.0)),
          "place_gap": Gap(BACK, (1.5, 2.5))}


def crossed(history: History) -> History:
    """What was watched, or what is placed, with the differences; those with what was watched share their tables with the features
    of the same names, which have them for the newest video."""
    watched = "feedback" in (f.name for f in history.fields)
    for name, gap in (WATCHED if watched else PLACED).items():
        by = ("category", "feedback") if watched else ("category",)
        history = history.crossed(name, replace(gap, by=by), table=name if watched else "")
    return history
