"""Small trees for all attributes at once, which say how well short rules describe them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._random import own_random_state

MOST_CODES = 255
"""Intervals of a column that trees tell apart. Not measured."""
CHUNK = 2**16
"""Rows computed at once. Not measured."""


class RuleTrees:
    """Replaces each attribute by the leaf means of a tree of its own, without words and without R2.

    LightGBM grows all trees at once, on columns that are cut into intervals a single time: ten times as fast
    as a tree of scikit-learn for each attribute, with as high an R2. It is given the positions of the
    intervals, so that neither unit nor origin of a column matters.

    Parameters
    ----------
    tree_inputs : ndarray of shape (n, q), float32
        What :meth:`RuleColumns.transform` gave.
    max_depth, min_samples_leaf : int
        Of each tree.
    random_state : int, RandomState or None
        Draws the rows for the fits.
    max_rows : int, optional
        Of more rows the trees are fitted on so many; means are given for all.
    """

    def __init__(
        self,
        tree_inputs: np.ndarray,
        max_depth: int,
        min_samples_leaf: int,
        random_state: Any,
        *,
        max_rows: int | None = None,
    ) -> None:
        from lightgbm import Dataset

        rng, n = own_random_state(random_state), len(tree_inputs)
        few = max_rows is None or n <= max_rows
        self._rows: Any = slice(None) if few else rng.choice(n, max_rows, replace=False)
        self._codes = np.empty((n, tree_inputs.shape[1]), dtype=np.float32)
        for q, column in enumerate(tree_inputs.T):
            self._codes[:, q] = _codes(column, column[self._rows])
        self._parameters: dict[str, Any] = {
            "objective": "none",
            "max_depth": max_depth,
            "num_leaves": 2**max_depth,
            "min_data_in_leaf": min_samples_leaf,
            "min_sum_hessian_in_leaf": 0.0,
            "learning_rate": 1.0,
            "max_bin": MOST_CODES,
            "min_data_in_bin": 1,
            "feature_pre_filter": False,
            "force_col_wise": True,
            "deterministic": True,
            "num_threads": 1,
            "verbose": -1,
        }
        sample = self._codes[self._rows]
        self._data: Any = None  # where no column varies there is nothing to split on
        if np.ptp(np.nan_to_num(sample, nan=-1.0), axis=0).any():
            self._data = Dataset(sample, params=self._parameters).construct()

    def fit_values(self, values: np.ndarray) -> np.ndarray:
        """Fit the trees to attributes.

        Parameters
        ----------
        values : ndarray of shape (n, J)
            The attributes.

        Returns
        -------
        ndarray of shape (n, J), float64
            The fitted values.
        """
        if values.ndim != 2 or len(values) != len(self._codes):
            raise ValueError(f"values has shape {values.shape}; expected ({len(self._codes)}, J).")
        sample, leaves = values[self._rows], self._leaves(values[self._rows])
        fitted = np.empty(values.shape, dtype=np.float64)
        for j in range(values.shape[1]):
            inside = leaves[self._rows, j]
            means = np.bincount(inside, sample[:, j]) / np.maximum(np.bincount(inside), 1)
            fitted[:, j] = means[leaves[:, j]]
        return fitted

    def _leaves(self, sample: np.ndarray) -> np.ndarray:
        """Positions (n, J) of the leaves that rows are in, of trees fitted to values (m, J) of a sample."""
        from lightgbm import Booster

        if self._data is None:
            return np.zeros((len(self._codes), sample.shape[1]), dtype=np.intp)
        spread = sample.std(axis=0)
        apart = ((sample - sample.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).astype(np.float32)
        booster = Booster(self._parameters | {"num_class": sample.shape[1]}, self._data)
        booster.update(fobj=lambda *_: (-apart, np.ones_like(apart)))
        parts = np.array_split(self._codes, range(CHUNK, len(self._codes), CHUNK))
        found = [np.asarray(booster.predict(part, pred_leaf=True), dtype=np.intp) for part in parts]
        return np.concatenate(found).reshape(len(self._codes), -1)


def _codes(column: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """Positions (n,) of the intervals that cells are in, between values of a sample; NaN where missing."""
    known = np.sort(sample[~np.isnan(sample)]).astype(np.float64)
    values = np.unique(known)
    if len(values) > MOST_CODES:
        values = np.unique(known[np.linspace(0, len(known) - 1, MOST_CODES).astype(int)])
    codes = np.searchsorted((values[:-1] + values[1:]) / 2, column).astype(np.float32)
    codes[np.isnan(column)] = np.nan
    return codes
