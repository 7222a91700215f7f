"""The teacher's own view of a row: one bin a column.

A tree ensemble reads a number only by comparing it with the thresholds of its splits, and a category
only by asking whether it is in a set. Each column therefore has finitely many bins between which
the teacher cannot tell values apart; a row is a tuple of bins, and nothing the teacher knows is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..teachers import ColumnSplits

MISSING_BIN = 0
"""Bin of a missing value in numeric columns; the values below all thresholds are bin 1."""
ZERO_BOUND = 1e-35
"""LightGBM takes numbers this close to zero for zero, in columns and in leaves: its kZeroThreshold."""


@dataclass(frozen=True)
class NumericBins:
    """Bins of a numeric column.

    Parameters
    ----------
    column : int
        Position in the table.
    thresholds : ndarray of shape (m,)
        Sorted; LightGBM sends ``x <= threshold`` to the left.
    gains : ndarray of shape (m,)
        Gain of all splits at each threshold.
    missing_type : {"None", "NaN", "Zero"}
        How the teacher reads a missing value: as 0.0, as missing, or zero as missing too.
    """

    column: int
    thresholds: np.ndarray
    gains: np.ndarray
    missing_type: str

    @property
    def n_bins(self) -> int:
        """Number of bins: missing, below all thresholds, and above each."""
        return len(self.thresholds) + 2

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Bins (n,) of the values (n,) of this column."""
        missing = np.isnan(values)
        if self.missing_type == "Zero":
            missing |= np.abs(values) <= ZERO_BOUND
        if self.missing_type == "None":
            values = np.where(missing, 0.0, values)
            return np.searchsorted(self.thresholds, values) + 1
        bins = np.searchsorted(self.thresholds, values) + 1
        bins[missing] = MISSING_BIN
        return bins


@dataclass(frozen=True)
class CategoryBins:
    """Bins of a categorical column: levels that no kept split tells apart share one.

    Parameters
    ----------
    column : int
        Position in the table.
    bin_of_level : ndarray of shape (L + 1,)
        Bin of each code; the last is that of missing and unseen levels.
    members : ndarray of shape (n_bins, s)
        Whether a bin belongs to the left set of each of s splits.
    gains : ndarray of shape (s,)
        Gain of all splits with each set.
    """

    column: int
    bin_of_level: np.ndarray
    members: np.ndarray
    gains: np.ndarray

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return len(self.members)

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Bins (n,) of the codes (n,) of this column."""
        unknown = len(self.bin_of_level) - 1
        # LightGBM cuts off what is behind the point, so that -0.5 is 0, and sends missing, unseen and
        # negative codes the same way
        known = (values > -1) & (values < unknown)
        return self.bin_of_level[np.where(known, values, unknown).astype(np.intp)]


def _largest(gains: np.ndarray, count: int) -> np.ndarray:
    """Positions of the `count` largest gains, in their original order; ties to the first."""
    return np.sort(np.argsort(-gains, kind="stable")[:count])


def _category_bins(column: int, splits: ColumnSplits, limit: int) -> CategoryBins:
    kept = _largest(splits.set_gains, limit)
    sets = [splits.category_sets[k] for k in kept]
    inside = np.zeros((2 + max(max(levels) for levels in sets), len(sets)), dtype=bool)
    for k, levels in enumerate(sets):
        inside[list(levels), k] = True
    members, bin_of_level = np.unique(inside, axis=0, return_inverse=True)
    return CategoryBins(column, bin_of_level.ravel(), members, splits.set_gains[kept])


class TeacherBins:
    """Bins of every column that the teacher uses.

    Parameters
    ----------
    splits : sequence of ColumnSplits
        Splits of each of the d columns.
    teacher_codes : sequence of (ndarray or None)
        Per column LightGBM's code of each of our level codes (NaN: unknown to it); None where
        LightGBM reads the table's numbers as they are.
    max_thresholds : int
        Most splits kept of a column; those with the largest gain.
    """

    def __init__(
        self,
        splits: Sequence[ColumnSplits],
        teacher_codes: Sequence[np.ndarray | None],
        max_thresholds: int,
    ) -> None:
        self.numeric: list[NumericBins] = []
        self.categorical: list[CategoryBins] = []
        self.teacher_codes = [
            None if codes is None or np.array_equal(codes, np.arange(len(codes))) else codes
            for codes in teacher_codes
        ]
        for j, column in enumerate(splits):
            if len(column.category_sets):
                self.categorical.append(_category_bins(j, column, max_thresholds))
            elif len(column.thresholds):
                kept = _largest(column.gains, max_thresholds)
                self.numeric.append(
                    NumericBins(j, column.thresholds[kept], column.gains[kept], str(column.missing_type))
                )

    @property
    def all(self) -> list[NumericBins | CategoryBins]:
        """Bins of the used columns: the numeric ones first, then the categorical."""
        return [*self.numeric, *self.categorical]

    @property
    def columns(self) -> np.ndarray:
        """Positions (d',) in the table of the used columns, in the order of `all`."""
        return np.array([bins.column for bins in self.all], dtype=np.intp)

    @property
    def stride(self) -> int:
        """Rows that each numeric column takes in the first layer's table: those of the widest."""
        return max((bins.n_bins for bins in self.numeric), default=0)

    def encode(self, codes: np.ndarray) -> np.ndarray:
        """Give the row of the first layer's table that each cell selects.

        Parameters
        ----------
        codes : ndarray of shape (n, d)
            Numbers and level codes.

        Returns
        -------
        ndarray of shape (n, d'), int32
            Bins, those of a column shifted behind those of the columns before it.
        """
        encoded = np.empty((len(codes), len(self.all)), dtype=np.int32)
        start = 0
        for i, bins in enumerate(self.all):
            values = codes[:, bins.column]
            translation = self.teacher_codes[bins.column]
            if translation is not None:
                known = values >= 0
                values = np.where(known, translation[np.where(known, values, 0).astype(np.intp)], np.nan)
            encoded[:, i] = bins.encode(np.ascontiguousarray(values)) + start
            start += self.stride if isinstance(bins, NumericBins) else bins.n_bins
        return encoded
