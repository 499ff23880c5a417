"""One re-rank on the phone: nine candidates, four beams, on one thread: bar 50 ms in 95 of 100 requests.

    python -m benchmarks.rerank
"""
from __future__ import annotations

import time

import numpy as np
import torch

from rankzoo.data.load import load
from rankzoo.document import Document
from rankzoo.serving.arrange import Arrange
from rankzoo.training.fit import Fit
from rankzoo.zoo.industry.kuaishou import SYSTEM


def timed(document: Document, spec: Arrange) -> tuple[np.ndarray, np.ndarray]:
    """(milliseconds of the clock and of the processor, request), and steps, of every waiting request but the first few."""
    data = load("lists")
    fit, size = Fit(document.model(data.schema), data, document.settings, watching=False), data.truth.repeats.size
    for _ in fit:
        pass
    took, steps = [], []
    for first in range(0, len(data.candidates), size):
        request = data.candidates.rows(first, first + size)
        begun, worked = time.perf_counter(), time.thread_time()
        steps.append(spec.next_videos(fit.model, request)[1])
        took.append((1000 * (time.perf_counter() - begun), 1000 * (time.thread_time() - worked)))
    return np.array(took[10:]).T, np.array(steps[10:])


def main() -> None:
    """A line for each size, adaptive and to the end of the list."""
    torch.set_num_threads(1)
    preset = Document.preset(SYSTEM.id).but([("settings.steps", 150)])  # untrained beams are all alike
    for name, blueprint in (("preset", preset.blueprint), ("paper", Document.preset(SYSTEM.id).industry().blueprint)):
        document = preset.but([(slot, getattr(blueprint, slot).model_dump()) for slot in ("concatenation", "sharing", "towers")]
                              + [("sequence", [spec.model_dump() for spec in blueprint.sequence])])
        for how, spec in (("adaptive", SYSTEM.serving), ("all four slots", Arrange(threshold=float("inf")))):
            (clock, worked), steps = timed(document, spec)
            print(f"{name}, {how}: median {np.median(clock):.1f} ms, p95 {np.quantile(clock, 0.95):.1f} ms "
                  f"(processor {np.median(worked):.1f}, {np.quantile(worked, 0.95):.1f}), "
                  f"{steps.mean():.1f} steps, {blueprint.count(load('lists').schema).parameters:,} parameters")


if __name__ == "__main__":
    main()
