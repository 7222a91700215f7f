"""Numbers of any scale: exact powers of two to compute in, and shares that sum to one."""

from __future__ import annotations

import numpy as np

LARGEST_TARGET, LEAST_SPREAD = 2.0**450, 2.0**-450
"""Beyond these, about 1e135 and 1e-135, squared errors of a target would leave the range of a float64."""


def exponents(values: np.ndarray) -> np.ndarray:
    """Give, for each column, the power of two that its numbers lie below in size.

    Parameters
    ----------
    values : ndarray of shape (n, d) or (n,)
        Numbers; NaN is left out.

    Returns
    -------
    ndarray of int of shape (d,) or ()
        ``np.ldexp(values, -exponents)`` has a largest size from 0.5 to below 1, and is exact unless a number
        is too small to matter. 0 where all numbers are 0 or missing.

    Examples
    --------
    >>> exponents(np.array([[3.0, 0.0], [-5.0, 0.0]]))
    array([3, 0], dtype=int32)
    """
    return np.asarray(np.frexp(np.fmax.reduce(np.abs(values), axis=0, initial=0.0))[1])


def moments(numbers: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Give the weighted mean and standard deviation of numbers (n,) of any scale.

    Examples
    --------
    >>> moments(np.array([1e200, 3e200]), np.ones(2))
    (2e+200, 1e+200)
    """
    exponent = int(exponents(numbers))
    scaled = np.ldexp(numbers, -exponent)  # squares stay in range
    mean = np.average(scaled, weights=weights)
    deviation = np.sqrt(np.average((scaled - mean) ** 2, weights=weights))
    return float(np.ldexp(mean, exponent)), float(np.ldexp(deviation, exponent))


def to_shares(sizes: np.ndarray) -> np.ndarray:
    """Divide numbers (d,) of at least 0 by their sum, however small or large; all 0 stay 0.

    Examples
    --------
    >>> to_shares(np.array([1e-300, 3e-300])), to_shares(np.zeros(1))
    (array([0.25, 0.75]), array([0.]))
    """
    sizes = np.ldexp(sizes, -exponents(sizes))
    total = sizes.sum()
    return sizes / total if total > 0 else sizes


def check_target_scale(y: np.ndarray) -> None:
    """Refuse a target (n,) of numbers whose squared errors would be 0 or infinite.

    Raises
    ------
    ValueError
        When it holds a number above 1e135 in size, or varies by less than 1e-135.
    """
    if y.dtype.kind != "f" or not y.size:
        return
    y = y.astype(np.float64)
    largest = float(np.abs(y).max())
    spread = float(y.max() - y.min()) if largest <= LARGEST_TARGET else np.inf
    if largest > LARGEST_TARGET or 0 < spread < LEAST_SPREAD:
        found = f"numbers up to {largest:.3g}" if np.isinf(spread) else f"numbers that differ by {spread:.3g}"
        raise ValueError(
            f"y holds {found}, whose squares a float64 cannot hold; expected numbers up to 1e135 that differ "
            "by more than 1e-135. Divide y by a constant first."
        )
