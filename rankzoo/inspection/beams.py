"""Beams: the steps of a beam search for one request: every beginning that was weighed, what was kept of them, where it stopped.

A step extends each beam by each candidate that does not stand in it yet, and keeps the k with the highest reward (Gong et al.,
CIKM 2022, algorithm 1). An adaptive search stops where min / max of their rewards reaches a threshold; steps behind that are
taken for whole lists alone.
"""
from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from rankzoo.serving.arrange import Beams


def weighed(found: Sequence[Beams], request: int, stop: int, names: Sequence[str]) -> pd.DataFrame:
    """Columns step, rank (1 is the best), beam (its number where it was kept, else 0), parent (the beam of the step before that
    it goes on from, 0 at the start), candidate (its name), list (all names so far), gain, reward, survival (of what was kept: how
    likely the next slot is reached), kept, leads (whether the best beam of the last step that is taken goes on from it),
    stability (of the step), stops (whether the search ends with it; `stop` is 0 where none is stable)."""
    last, rows = stop or len(found), []
    leading = _leading(found[:last], request)
    for step, beams in enumerate(found, 1):
        before = found[step - 2] if step > 1 else None
        offered = beams.weighed[request]
        places = [(parent, video) for parent in range(offered.shape[0]) for video in range(offered.shape[1])
                  if offered[parent, video].isfinite()]
        kept = {(int(parent), videos[-1]): beam for beam, (parent, videos) in enumerate(zip(
            beams.parent[request], beams.videos[request].tolist(), strict=True))}
        order = sorted(places, key=lambda at: (at not in kept, kept.get(at, 0), -float(offered[at])))
        for rank, (parent, video) in enumerate(order, 1):
            beam = kept.get((parent, video))
            path = [] if before is None else before.videos[request, parent].tolist()
            base = 0.0 if before is None else float(before.reward[request, parent])
            rows.append({"step": step, "rank": rank, "beam": 0 if beam is None else beam + 1,
                         "parent": 0 if before is None else parent + 1, "candidate": names[video],
                         "list": " → ".join(names[each] for each in [*path, video]), "gain": float(offered[parent, video]) - base,
                         "reward": float(offered[parent, video]),
                         "survival": float("nan") if beam is None else float(beams.survival[request, beam]),
                         "kept": beam is not None, "leads": step <= last and beam == leading[step - 1],
                         "stability": float(beams.stability[request]), "stops": step == last})
    return pd.DataFrame(rows)


def _leading(found: Sequence[Beams], request: int) -> list[int]:
    """The number of the beam at each step from which the best one of the last step comes."""
    beam, way = 0, []
    for beams in reversed(found):
        way.append(beam)
        beam = int(beams.parent[request, beam])
    return way[::-1]


def steps(frame: pd.DataFrame) -> pd.DataFrame:
    """Of that a row per step: weighed, kept, dropped, best and least (rewards of what was kept), next (the best that was
    dropped), stability, stops."""
    rows = []
    for step, each in frame.groupby("step"):
        kept, dropped = each.loc[each["kept"], "reward"], each.loc[~each["kept"], "reward"]
        rows.append({"step": step, "weighed": len(each), "kept": len(kept), "dropped": len(dropped), "best": kept.max(),
                     "least": kept.min(), "next": dropped.max(), "stability": each["stability"].iloc[0],
                     "stops": bool(each["stops"].iloc[0])})
    return pd.DataFrame(rows)
