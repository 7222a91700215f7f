"""Weights of rows: which are refused, and how very large or small ones are brought to a common size."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

LARGEST_RATIO = 1e15
"""Of two weights further apart than this the smaller one changes no sum of numbers of 64 bits."""
LARGEST_EXPONENT = 300
"""Sums of weights up to two to this power, and their squares, are finite."""


def check_weights(sample_weight: Any, n: int) -> np.ndarray:
    """Bring weights of rows into one form, or say what is wrong with them.

    Parameters
    ----------
    sample_weight : array-like of shape (n,), number or None
        Weights; a number is the weight of every row, None is a weight of 1.
    n : int
        Number of rows.

    Returns
    -------
    ndarray of shape (n,), float64
        Weights of at least 0, some above 0, whose sum is finite. All are multiplied by one power of two
        where the largest is huge or tiny, for only their ratios count.

    Raises
    ------
    ValueError
        When they are not one number of at least 0 a row, are all zero, or are so far apart that small ones
        would be lost without a word.

    Examples
    --------
    >>> check_weights([2, 0, 1], 3)
    array([2., 0., 1.])
    """
    if sample_weight is None:
        return np.ones(n)
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n, sample_weight, dtype=np.float64)
    weight = _as_floats(sample_weight, n)
    for wrong, what in ((np.isnan(weight), "missing"), (np.isinf(weight), "infinite"), (weight < 0, None)):
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(
                f"sample_weight is {what or weight[row]} in row {row}; expected a finite number of 0 or more."
            )
    positive = weight[weight > 0]
    if not positive.size:
        raise ValueError("sample_weight is zero in every row; expected at least one non-zero weight.")
    least, most = positive.min(), positive.max()
    with np.errstate(over="ignore"):
        ratio = most / least
    if ratio > LARGEST_RATIO:
        raise ValueError(
            f"sample_weight has weights from {least:g} to {most:g}, and the small ones would have no "
            f"effect. Expected a ratio of at most {LARGEST_RATIO:g}. Give the weight 0 to rows that should "
            "be left out."
        )
    exponent = int(np.frexp(most)[1])
    return weight if abs(exponent) <= LARGEST_EXPONENT else np.ldexp(weight, -exponent)


def class_factors(
    class_weight: Any, y: np.ndarray, weight: np.ndarray, classifies: bool
) -> np.ndarray | None:
    """Give what the weight of each row is multiplied by for the sake of its class.

    Parameters
    ----------
    class_weight : dict of label to number, "balanced" or None
        Weights; a label that has none weighs 1. "balanced": the sums of all classes become equal.
    y : ndarray of shape (n,)
        Labels.
    weight : ndarray of shape (n,)
        Positive weights.
    classifies : bool
        Whether labels are predicted.

    Returns
    -------
    ndarray of shape (n,) or None
        None where `class_weight` is None.

    Raises
    ------
    ValueError
        When numbers are predicted, a weight is not above 0, or a label is not in `y` while another has no
        weight, as a misspelt one.

    Examples
    --------
    >>> class_factors("balanced", np.array(["a", "a", "a", "b"]), np.ones(4), True)
    array([0.66666667, 0.66666667, 0.66666667, 2.        ])
    """
    if class_weight is None:
        return None
    if not classifies:
        raise ValueError(f"class_weight is {class_weight!r}, but the target is numeric; expected None.")
    classes, codes = np.unique(y, return_inverse=True)
    if isinstance(class_weight, str):  # "balanced"
        total = np.bincount(codes, weights=weight)
        return (total.sum() / (len(classes) * total))[codes]
    for label, number in class_weight.items():
        is_number = isinstance(number, Real) and not isinstance(number, bool)
        if not is_number or not 0.0 < float(number) < np.inf:
            raise ValueError(f"class_weight[{label!r}] is {number!r}; expected a finite number above 0.")
    labels = classes.tolist()
    others = [label for label in class_weight if label not in labels]
    without = [label for label in labels if label not in class_weight]
    if others and without:
        raise ValueError(
            f"class_weight has the label {others[0]!r}, which is not in y, and has no weight for the label "
            f"{without[0]!r}; expected labels among {labels[:10]}."
        )
    return np.array([float(class_weight.get(label, 1.0)) for label in labels])[codes]


def _as_floats(sample_weight: Any, n: int) -> np.ndarray:
    """Give weights as numbers (n,), NaN where one is missing."""
    try:
        given = np.asarray(sample_weight)
    except ValueError:
        raise ValueError(
            f"sample_weight holds rows of several lengths; expected ({n},), one weight per row."
        ) from None
    if given.shape != (n,):
        raise ValueError(f"sample_weight has shape {given.shape}; expected ({n},), one weight per row.")
    if given.dtype.kind in "biuf":
        with np.errstate(over="ignore"):
            return given.astype(np.float64)
    if given.dtype.kind != "O":
        raise ValueError(f"sample_weight holds values of type {given.dtype}; expected numbers.")
    return np.array([_number(value, row) for row, value in enumerate(given)])


def _number(value: Any, row: int) -> float:
    if value is None or type(value).__name__ == "NAType":  # pandas' NA, without an import of pandas
        return np.nan
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        return float(value)
    except OverflowError:
        return np.inf
    except (TypeError, ValueError):
        raise ValueError(f"sample_weight is {value!r} in row {row}; expected a number.") from None
