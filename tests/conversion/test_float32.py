"""Thresholds of models that compare 32-bit numbers."""

import numpy as np
import pytest
from seeds import SEED

from skrationale.conversion._float32 import BEYOND, largest_below

LARGEST = np.finfo(np.float32).max
SPECIAL = [0.0, -0.0, 1e-45, -1e-45, 1.0, LARGEST, -LARGEST, np.inf, -np.inf]


@pytest.mark.parametrize("strict", [False, True])
@np.errstate(over="ignore")
def test_bounds_are_the_largest_numbers_below(strict):
    drawn = np.random.default_rng(SEED).integers(0, 2**32, 5000, dtype=np.uint32).view(np.float32)
    thresholds = np.concatenate([np.array(SPECIAL, dtype=np.float32), drawn[~np.isnan(drawn)]])
    bounds = largest_below(thresholds, strict=strict)
    below = np.less if strict else np.less_equal
    none = np.isneginf(bounds)
    assert below(bounds[~none].astype(np.float32), thresholds[~none]).all()
    every = np.isposinf(bounds)
    above = np.nextafter(bounds[~every], np.inf)
    assert not below(above.astype(np.float32), thresholds[~every]).any()
    assert none.sum() == (strict and 1 + np.isneginf(drawn).sum())


def test_numbers_beyond_float32_are_above_its_largest():
    bound = largest_below(np.array([LARGEST], dtype=np.float32), strict=False)[0]
    assert LARGEST < bound < BEYOND < 1e39
