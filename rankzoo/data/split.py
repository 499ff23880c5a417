"""Split: which rows of a file are for training, validation and test, known before anything is learnt from them."""
from __future__ import annotations

import numpy as np

TEST_SHARE, VALIDATION_SHARE = 0.2, 0.1


def cuts(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row numbers of training, validation and test: shuffled once with seed 0, the last 20 % are the test part and 10 % of the
    rest validation."""
    order = np.random.default_rng(0).permutation(rows)
    test = max(1, round(rows * TEST_SHARE))
    validation = max(1, round((rows - test) * VALIDATION_SHARE))
    return order[:rows - test - validation], order[rows - test - validation:rows - test], order[rows - test:]
