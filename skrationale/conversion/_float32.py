"""Thresholds of models that compare 32-bit numbers, as thresholds of 64-bit ones."""

from __future__ import annotations

import numpy as np

BEYOND = 2.0**128
"""The power of two behind the largest float32."""


def largest_below(thresholds: np.ndarray, *, strict: bool) -> np.ndarray:
    """Give the largest float64 that is below a threshold when it is rounded to float32.

    Parameters
    ----------
    thresholds : ndarray of shape (m,), float32
        Thresholds t.
    strict : bool
        Whether a number x is below t when ``float32(x) < t``, or already when ``float32(x) <= t``.

    Returns
    -------
    ndarray of shape (m,), float64
        Halfway between two neighbours in float32, numbers are rounded to the one whose last bit is 0.

    Examples
    --------
    >>> import numpy as np
    >>> bound = largest_below(np.array([1.0], dtype=np.float32), strict=True)
    >>> bool(np.float32(bound[0]) < 1), bool(np.float32(np.nextafter(bound[0], 2)) < 1)
    (True, False)
    """
    t = np.asarray(thresholds, dtype=np.float32)
    with np.errstate(over="ignore"):
        low = np.nextafter(t, np.float32(-np.inf)) if strict else t
        high = np.nextafter(low, np.float32(np.inf))
    # numbers are rounded to infinity as if the next power of two were a float32
    near = np.clip(np.stack([low, high]).astype(np.float64), -BEYOND, BEYOND)
    middle = near.mean(axis=0)
    is_even = low.view(np.uint32) & 1 == 0
    below = np.where(is_even, middle, np.nextafter(middle, -np.inf))
    all_or_none = np.isinf(t) & ((t < 0) == strict)
    return np.where(all_or_none, t, below)


def rounded_down(thresholds: np.ndarray) -> np.ndarray:
    """Give the largest float32 that is not above each of the float64 thresholds (m,)."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)
