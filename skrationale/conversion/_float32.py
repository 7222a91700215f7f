"""Thresholds of models that compare 32-bit numbers, as thresholds of 64-bit ones."""

from __future__ import annotations

import numpy as np


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
    low = np.nextafter(t, np.float32(-np.inf)) if strict else t
    high = np.nextafter(low, np.float32(np.inf))
    middle = (low.astype(np.float64) + high.astype(np.float64)) / 2
    is_even = low.view(np.uint32) & 1 == 0
    return np.where(is_even, middle, np.nextafter(middle, -np.inf))


def rounded_down(thresholds: np.ndarray) -> np.ndarray:
    """Give the largest float32 that is not above each of the float64 thresholds (m,)."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)
