"""What LightGBM can read: it has limits that do not depend on the units of the data, and keeps silent."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.sparse import issparse

from .._callers import outside
from ..tabular import TableReader
from ..teachers import ZERO_BOUND
from ..training import mean_and_std

SHARE_OF_ZEROS, SMALL_COLUMN = 0.01, 1e-30
"""Share of a column's numbers that LightGBM takes for zeros, from which the user is warned, and the size of
the largest one below which that is an error. Not measured."""
LARGEST_NUMBER, LARGEST_TARGET, LEAST_SPREAD = 8e307, 1e37, 1e-30
"""Limits of LightGBM, whose splits are means of two float64 and whose targets are float32, with room to
spare."""
ROUNDED = 0.01
"""Targets are float32: what that does to them, as a share of their standard deviation, from which the user is
warned. Not measured."""


def check_lightgbm_limits(reader: TableReader, matrix: Any, y: np.ndarray | None) -> None:
    """Refuse rows that LightGBM would misread without a word.

    Parameters
    ----------
    reader : TableReader
        Has read the rows.
    matrix : ndarray or sparse matrix of shape (n, d)
        Numbers and codes.
    y : ndarray of shape (n,) or None
        Target of numbers; None for classes.

    Raises
    ------
    ValueError
        When a column holds numbers that are too large, or all too small, or when numbers of the target are;
        the message names the column.

    Warns
    -----
    UserWarning
        When some numbers of a column count as 0, or the target is rounded too much.
    """
    by_column = matrix.tocsc() if issparse(matrix) else None
    for j, name in enumerate(reader.feature_names):
        if by_column is not None:
            column = slice(*by_column.indptr[j : j + 2])
            _check_column(name, np.abs(by_column.data[column]))
        elif reader.levels[j] is None:
            _check_column(name, np.abs(matrix[:, j]))
    if y is not None and y.dtype.kind in "fiu":
        _check_numbers(y.astype(np.float64))


def _check_column(name: str, size: np.ndarray) -> None:
    """Look at the sizes (n,) of the numbers of a column."""
    size = size[size > 0]  # neither zero nor missing
    if not size.size:
        return
    if size.max() > LARGEST_NUMBER:
        raise ValueError(
            f"Column {name!r} of X holds numbers up to {size.max():.3g} in size; expected at most "
            f"{LARGEST_NUMBER:g}, which LightGBM can split on. Divide the column by a constant."
        )
    lost = np.mean(size <= ZERO_BOUND)
    if lost > SHARE_OF_ZEROS:
        text = (
            f"Column {name!r} of X holds numbers within {ZERO_BOUND:g} of 0, {lost:.0%} of those that are "
            "not 0; LightGBM reads them as 0. Multiply the column by a large constant."
        )
        if size.max() < SMALL_COLUMN:
            raise ValueError(text)
        warnings.warn(text, UserWarning, stacklevel=outside())


def _check_numbers(y: np.ndarray) -> None:
    """Look at a target of numbers."""
    largest, (_, deviation) = float(np.abs(y).max()), mean_and_std(y, np.ones(len(y)))
    if largest > LARGEST_TARGET or 0 < deviation < LEAST_SPREAD:
        raise ValueError(
            f"y holds numbers up to {largest:.3g} in size with a standard deviation of {deviation:.3g}; "
            f"expected at most {LARGEST_TARGET:g} and at least {LEAST_SPREAD:g}, which LightGBM can learn. "
            "Multiply y by a constant."
        )
    error = float(np.sqrt(np.mean((y.astype(np.float32) - y) ** 2)))
    if error > ROUNDED * deviation > 0:
        warnings.warn(
            f"LightGBM keeps y as 32-bit numbers, which changes it by {error / deviation:.0%} of its "
            "standard deviation. Subtract a constant, such as the mean, from y.",
            UserWarning,
            stacklevel=outside(),
        )


def warn_of_a_constant(scores: np.ndarray, y: np.ndarray) -> None:
    """Say so when scores (n, K) of a teacher are the same for all rows although the target (n,) varies."""
    if (scores == scores[0]).all() and (y != y[0]).any():
        warnings.warn(
            "The teacher predicts the same for all rows although y varies, and so will the student. Its "
            "limits for a leaf (min_child_samples, min_child_weight) may be too high for these data. With "
            "objectives such as 'poisson' the right min_child_weight depends on the unit of y.",
            UserWarning,
            stacklevel=outside(),
        )
