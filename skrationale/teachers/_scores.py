"""A model without trees as the teacher of a student that reads bins: it is known by its scores alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ._protocol import ColumnSplits
from ._scikit import AnyTeacher


class ScoreTeacher(AnyTeacher):
    """A fitted model that is known by its scores alone, beside what else a student with bins asks for.

    Attributes
    ----------
    n_features, n_outputs : int
        Columns of its table, and scores of a row.
    """

    @property
    def n_features(self) -> int:
        """Number of columns at its fit, or else of its student's table."""
        reader = self.form.reader
        assert reader is not None
        return getattr(self.model, "n_features_in_", len(reader.levels))

    @property
    def n_outputs(self) -> int:
        """Number of scores of a row."""
        return self.task.n_outputs

    def level_codes(self, own: Sequence[np.ndarray | None]) -> list[np.ndarray | None]:
        """Give the code of each level, the student's own, and NaN for missing cells; None for numbers."""
        return [None if levels is None else np.append(np.arange(len(levels)), np.nan) for levels in own]

    def splits(self, matrix: np.ndarray, weight: np.ndarray | None, most: int) -> list[ColumnSplits]:
        """Part what rows show of each column, as such a model has no splits of its own.

        Parameters
        ----------
        matrix : ndarray of shape (n, d)
            Training rows, by the form's reader.
        weight : ndarray of shape (n,) or None
            Weights of rows.
        most : int
            Most thresholds, or sets of levels, of a column.

        Returns
        -------
        list of d ColumnSplits
            Numbers: between distinct values, and at quantiles where these are too many. Levels: one set for
            each, the most frequent ones where there are too many; all others share a bin with missing cells.
        """
        reader = self.form.reader
        assert reader is not None
        weight = np.ones(len(matrix)) if weight is None else weight
        return [
            _of_numbers(column, weight, most) if levels is None else _of_levels(column, weight, most)
            for column, levels in zip(matrix.T, reader.levels, strict=True)
        ]


def _counted(column: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values of a column (n,), sorted and without missing ones, and the weight of each."""
    there = ~np.isnan(column)
    values, places = np.unique(column[there], return_inverse=True)
    return values, np.bincount(places.ravel(), weight[there], len(values))


def _of_numbers(column: np.ndarray, weight: np.ndarray, most: int) -> ColumnSplits:
    values, weights = _counted(column, weight)
    below, above = values[:-1], values[1:]
    between = below / 2 + above / 2
    thresholds = np.where((between >= below) & (between < above), between, below)
    if len(thresholds) > most:
        shares = weights.cumsum() / weights.sum()
        wanted = np.arange(1, most + 1) / (most + 1)
        thresholds = thresholds[np.unique(np.searchsorted(shares[:-2], wanted))]
    elif len(values) == 1 and np.isnan(column).any():
        thresholds = values  # there or missing is all that is to be told apart
    return ColumnSplits(thresholds, np.ones(len(thresholds)), (), np.array([]), "NaN")


def _of_levels(column: np.ndarray, weight: np.ndarray, most: int) -> ColumnSplits:
    codes, weights = _counted(column, weight)
    kept = np.sort(codes[np.argsort(-weights, kind="stable")[:most]])
    sets = tuple(frozenset([int(code)]) for code in kept)
    return ColumnSplits(np.array([]), np.array([]), sets, np.ones(len(sets)), "NaN")
