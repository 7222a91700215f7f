"""The teacher's own view of a row, as the first layer of a student reads it: one bin a column.

A row is a tuple of bins, and nothing the teacher knows is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..teachers import Bins, CategoryBins, ColumnSplits, NumericBins, bins_of


class TeacherBins:
    """Bins of every column that the teacher uses.

    Parameters
    ----------
    splits : sequence of ColumnSplits
        Splits of each of the d columns.
    teacher_codes : sequence of (ndarray or None)
        Per column the teacher's code of each of our level codes (NaN: unknown to it), and at last that of a
        missing cell; None where the teacher reads the table's numbers as they are.
    max_thresholds : int
        Most splits kept of a column; those with the largest gain.
    """

    def __init__(
        self,
        splits: Sequence[ColumnSplits],
        teacher_codes: Sequence[np.ndarray | None],
        max_thresholds: int,
    ) -> None:
        self.teacher_codes = [None if codes is None or _are_ours(codes) else codes for codes in teacher_codes]
        found = bins_of(splits, max_thresholds)
        self.numeric = [bins for bins in found if isinstance(bins, NumericBins)]
        self.categorical = [bins for bins in found if isinstance(bins, CategoryBins)]

    @property
    def all(self) -> list[Bins]:
        """Bins of the used columns: the numeric ones first, then the categorical."""
        return [*self.numeric, *self.categorical]

    @cached_property
    def columns(self) -> np.ndarray:
        """Positions (d',) in the table of the used columns, in the order of `all`, read-only."""
        found = np.array([bins.column for bins in self.all], dtype=np.intp)
        found.setflags(write=False)
        return found

    def encode(self, matrix: np.ndarray) -> np.ndarray:
        """Give the row of the first layer's table that each cell selects.

        Parameters
        ----------
        matrix : ndarray of shape (n, d)
            Numbers and level codes.

        Returns
        -------
        ndarray of shape (n, d'), int32
            Bins, those of a column shifted behind those of the columns before it.
        """
        if len(matrix) == 1:
            row = matrix[0].tolist()
            found = [
                start + bin_of(row[column] if codes is None else _translated(row[column], codes))
                for bin_of, start, column, codes in self._of_one_row
            ]
            return np.array([found], dtype=np.int32)
        encoded = np.empty((len(matrix), len(self.all)), dtype=np.int32)
        start = 0
        for i, bins in enumerate(self.all):
            values = translated(matrix[:, bins.column], self.teacher_codes[bins.column])
            encoded[:, i] = bins.encode(np.ascontiguousarray(values)) + start
            start += bins.n_bins
        return encoded

    @cached_property
    def _of_one_row(self) -> list[tuple[Callable[[float], int], int, int, np.ndarray | None]]:
        """What tells the bin of a cell, its first bin, its place and the teacher's codes, for each column."""
        starts = np.cumsum([0, *(bins.n_bins for bins in self.all)]).tolist()
        return [
            (bins.bin_of, start, bins.column, self.teacher_codes[bins.column])
            for bins, start in zip(self.all, starts, strict=False)
        ]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("columns", "_of_one_row")}


def translated(values: np.ndarray, codes: np.ndarray | None) -> np.ndarray:
    """Give the teacher's codes (n,) of our level codes (n,), NaN where there is none.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Codes; below 0 or NaN where a level is missing or unseen.
    codes : ndarray of shape (L + 1,), or None
        The teacher's code of each level, and of a missing cell; None: the values are the teacher's.

    Returns
    -------
    ndarray of shape (n,)
    """
    if codes is None:
        return values
    at = np.where(values >= 0, values, len(codes) - 1).astype(np.intp)
    return np.where(values < 0, np.nan, codes[at])


def _translated(value: float, codes: np.ndarray) -> float:
    """Translate one code, as `translated` does."""
    if value < 0:
        return np.nan
    return float(codes[int(value) if value >= 0 else -1])


def _are_ours(codes: np.ndarray) -> bool:
    """Whether a teacher's codes (L + 1,) of our levels are the same as ours, also for missing cells."""
    return bool(np.isnan(codes[-1])) and np.array_equal(codes[:-1], np.arange(len(codes) - 1))
