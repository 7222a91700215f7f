"""Bins of a column: what a tree ensemble can tell apart in it.

A tree ensemble reads a number only by comparing it with the thresholds of its splits, and a category
only by asking whether it is in a set. Each column therefore has finitely many bins between which
the ensemble cannot tell values apart; a row is a tuple of bins, and nothing the trees know is lost.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from ._protocol import ColumnSplits

MISSING_BIN = 0
"""Bin of a missing value in numeric columns; the values below all thresholds are bin 1."""
ZERO_BOUND = float(np.float32(1e-35))
"""LightGBM takes numbers this close to zero for zero, in columns and in leaves: its kZeroThreshold."""


class _WithoutCaches:
    """What is pickled, and hashed, are the fields alone, and not what single rows have left behind."""

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True)
class NumericBins(_WithoutCaches):
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
        missing, zero = np.isnan(values), np.abs(values) <= ZERO_BOUND
        if self.missing_type == "None":
            zero |= missing
        bins = np.searchsorted(self.thresholds, np.where(zero, 0.0, values)) + 1
        if self.missing_type != "None":
            bins[missing | zero if self.missing_type == "Zero" else missing] = MISSING_BIN
        return bins

    def bin_of(self, value: float) -> int:
        """Bin of one value, as `encode` gives it."""
        if value > ZERO_BOUND or value < -ZERO_BOUND:
            return bisect_left(self._thresholds, value) + 1
        if self.missing_type == "Zero" or (value != value and self.missing_type != "None"):
            return MISSING_BIN
        return bisect_left(self._thresholds, 0.0) + 1

    @cached_property
    def _thresholds(self) -> list[float]:
        return self.thresholds.tolist()

    def left_of(self, threshold: float, missing_left: bool) -> np.ndarray:
        """Say which bins (n_bins,) a split at one of the thresholds sends to the left."""
        left = np.arange(self.n_bins) <= np.searchsorted(self.thresholds, threshold) + 1
        # where nothing is read as missing the bin stays empty, and is not to be told from the next one
        left[MISSING_BIN] = missing_left if self.missing_type != "None" else left[MISSING_BIN + 1]
        return left


@dataclass(frozen=True)
class CategoryBins(_WithoutCaches):
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

    def bin_of(self, value: float) -> int:
        """Bin of one code, as `encode` gives it."""
        unknown = len(self._bins) - 1
        return self._bins[int(value) if -1 < value < unknown else unknown]

    @cached_property
    def _bins(self) -> list[int]:
        return self.bin_of_level.tolist()

    def left_of(self, levels: Collection[int]) -> np.ndarray:
        """Say which bins (n_bins,) a split sends to the left whose set holds these levels."""
        left = np.zeros(self.n_bins, dtype=bool)
        left[self.bin_of_level[list(levels)]] = True
        return left


Bins = NumericBins | CategoryBins


def _largest(gains: np.ndarray, count: int | None) -> np.ndarray:
    """Positions of the `count` largest gains, in their original order; ties to the first."""
    return np.sort(np.argsort(-gains, kind="stable")[:count])


def _category_bins(column: int, splits: ColumnSplits, limit: int | None) -> CategoryBins:
    kept = _largest(splits.set_gains, limit)
    sets = [splits.category_sets[k] for k in kept]
    # codes may be large, as those of places are: only those in a set are told apart, and the rest is last
    named = np.unique(np.array([level for levels in sets for level in levels], dtype=np.intp))
    inside = np.zeros((len(named) + 1, len(sets)), dtype=bool)
    for k, levels in enumerate(sets):
        inside[np.searchsorted(named, list(levels)), k] = True
    members, bin_of_named = np.unique(inside, axis=0, return_inverse=True)
    bin_of_level = np.full(2 + max(named, default=-1), bin_of_named.ravel()[-1])
    bin_of_level[named] = bin_of_named.ravel()[:-1]
    return CategoryBins(column, bin_of_level, members, splits.set_gains[kept])


def bins_of(splits: Sequence[ColumnSplits], max_thresholds: int | None = None) -> list[Bins]:
    """Make the bins of every column that is split on: the numeric ones first, then the categorical.

    Parameters
    ----------
    splits : sequence of ColumnSplits
        Splits of each of the d columns.
    max_thresholds : int, default=None
        Most splits kept of a column; those with the largest gain. None: all.

    Returns
    -------
    list of NumericBins and CategoryBins
        In the order of columns within each kind.
    """
    numeric: list[Bins] = []
    categorical: list[Bins] = []
    for j, column in enumerate(splits):
        if len(column.category_sets):
            categorical.append(_category_bins(j, column, max_thresholds))
        elif len(column.thresholds):
            kept = _largest(column.gains, max_thresholds)
            missing_type = str(column.missing_type)
            numeric.append(NumericBins(j, column.thresholds[kept], column.gains[kept], missing_type))
    return [*numeric, *categorical]


def starts_of(bins: Sequence[Bins]) -> np.ndarray:
    """First number (d' + 1,) of the bins of each column, and how many there are in all."""
    return np.cumsum([0, *(column.n_bins for column in bins)])


def in_bins(codes: np.ndarray, bins: Sequence[Bins]) -> np.ndarray:
    """Bins (n, d'), int32, of rows of codes (n, d)."""
    found = np.empty((len(codes), len(bins)), dtype=np.int32)
    for i, column in enumerate(bins):
        found[:, i] = column.encode(np.ascontiguousarray(codes[:, column.column]))
    return found
