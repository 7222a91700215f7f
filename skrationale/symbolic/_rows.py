"""Rows and variables for a search: which are useful, and how to make more rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._scales import exponents, to_shares
from ..tabular import TableReader
from ..training import FEWEST_VALIDATION_ROWS, hold_out

N_NEIGHBORS = 10
"""Nearest rows, one of which a made row lies next to. Not measured."""


def most_useful(V: np.ndarray, scores: np.ndarray, weights: np.ndarray, limit: int) -> np.ndarray:
    """Choose the variables by which a LightGBM of few trees explains scores best.

    Parameters
    ----------
    V : ndarray of shape (n, p)
        Variables.
    scores : ndarray of shape (n, K)
        What is to be explained.
    weights : ndarray of shape (n,)
        Weights of the rows.
    limit : int
        Most variables to choose.

    Returns
    -------
    ndarray of int of shape (min(p, limit),)
        Positions, in rising order.
    """
    if V.shape[1] <= limit:
        return np.arange(V.shape[1])
    from lightgbm import LGBMRegressor

    V, standard = (np.ldexp(numbers, -exponents(numbers)) for numbers in (V, scores))
    gain = np.zeros(V.shape[1])
    for k in range(scores.shape[1]):
        trees = LGBMRegressor(
            n_estimators=50, num_leaves=15, importance_type="gain", n_jobs=1, verbose=-1, random_state=0
        ).fit(V, standard[:, k], sample_weight=weights)
        gain += to_shares(trees.feature_importances_)
    return np.sort(np.argsort(-gain, kind="stable")[:limit])


def split_distinct(
    V: np.ndarray, y: np.ndarray, fraction: float, classes: bool, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into those to fit on and those to judge on; too few distinct ones are used for both.

    Parameters
    ----------
    V : ndarray of shape (n, p)
        Variables.
    y : ndarray of shape (n,)
        Targets, as the task encodes them.
    fraction : float
        Share of rows to judge on.
    classes : bool
        Whether the targets are classes.
    rng : RandomState
        Source of chance.

    Returns
    -------
    fit, valid : ndarray of int
        Positions, in rising order.
    """
    if len(np.unique(V, axis=0)) * fraction < FEWEST_VALIDATION_ROWS:
        return np.arange(len(y)), np.arange(len(y))
    return hold_out(y, fraction, classes, rng)


def rows_between(table: Any, reader: TableReader, n_rows: int, rng: np.random.RandomState) -> Any:
    """Make rows between training rows and their neighbours.

    Parameters
    ----------
    table : DataFrame or ndarray of shape (n, d)
        Training rows.
    reader : TableReader
        Fitted on them.
    n_rows : int
        Number of rows to make.
    rng : RandomState
        Source of chance.

    Returns
    -------
    DataFrame or ndarray of shape (n_rows, d)
        Numbers lie between those of a row and of one of its 10 nearest neighbours; all other cells,
        and numbers that the neighbour lacks, are the row's.
    """
    from sklearn.neighbors import NearestNeighbors

    matrix = reader.transform(table)
    numbers = [j for j, levels in enumerate(reader.levels) if levels is None and not _is_bool(table, j)]
    start = rng.randint(len(matrix), size=n_rows)
    if not numbers or len(matrix) < 2:
        return table[start] if isinstance(table, np.ndarray) else table.iloc[start]
    units = exponents(matrix[:, numbers])
    values = np.ldexp(matrix[:, numbers], -units)
    spread = np.nanstd(values, axis=0, keepdims=True)
    near = np.nan_to_num((values - np.nanmean(values, axis=0)) / np.where(spread > 0, spread, 1.0))
    index = NearestNeighbors(n_neighbors=min(N_NEIGHBORS + 1, len(matrix))).fit(near)
    neighbors = index.kneighbors(near[start], return_distance=False)
    end = neighbors[np.arange(n_rows), rng.randint(1, neighbors.shape[1], size=n_rows)]
    between = values[start] + rng.uniform(size=(n_rows, 1)) * (values[end] - values[start])
    between = np.ldexp(np.where(np.isnan(between), values[start], between), units)
    if isinstance(table, np.ndarray):
        made = matrix[start]
        made[:, numbers] = between
        return made
    made = table.iloc[start].reset_index(drop=True)
    for i, j in enumerate(numbers):
        made.isetitem(j, between[:, i])
    return made


def _is_bool(table: Any, j: int) -> bool:
    dtype = table.dtype if isinstance(table, np.ndarray) else table.dtypes.iloc[j]
    return str(dtype) in ("bool", "boolean")
