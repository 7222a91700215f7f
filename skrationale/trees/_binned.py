"""Trees that read their columns in one way: looked up in tables, or computed for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from .._progress import progress_bar
from ..teachers import Bins, in_bins, starts_of
from ..training import limit_threads
from ._parts import ValuesOf, packed
from ._plan import WIDE, TabledTree
from ._shelf import Shelf
from ._states import path_dependent

FEW_ROWS = 8
"""Rows that are looked up one by one, in all tables at once. Measured: many at once are faster from 10
or 12 rows on of 9 and 14 columns, and from 16 of 28."""


class ComputedTree(Protocol):
    """A tree whose contributions are computed for each row."""

    def add_to(self, sums: Any, encoded: np.ndarray, dtype: Any) -> None:
        """Add contributions of rows of bins (n, d') to a tensor (n, K, d')."""


class BinnedTrees:
    """Trees over the same bins of d' columns.

    Parameters
    ----------
    bins : sequence of NumericBins and CategoryBins
        Of the d' columns that they split on.
    shelves : sequence of Shelf
        Tables of some of them.
    computed : sequence of ComputedTree
        The others.
    dtype : {"float32", "float64"}
        Precision of tables and sums.
    """

    def __init__(
        self, bins: Sequence[Bins], shelves: Sequence[Shelf], computed: Sequence[ComputedTree], dtype: str
    ) -> None:
        self.bins, self.shelves, self.computed, self.dtype = bins, shelves, computed, dtype
        self.columns = np.array([column.column for column in bins], dtype=np.intp)
        self._starts = starts_of(bins)[:-1].astype(np.int32)

    @property
    def nbytes(self) -> int:
        """Memory of the tables."""
        return sum(shelf.nbytes for shelf in self.shelves)

    def add_to(
        self, values: np.ndarray, codes: np.ndarray, *, few: bool = False, one_by_one: bool = False
    ) -> None:
        """Add contributions of rows.

        Parameters
        ----------
        values : ndarray of shape (n, K, d)
            What they are added to.
        codes : ndarray of shape (n, d)
            Numbers, and codes of categories.
        few : bool, default=False
            Leave out the trees that are computed.
        one_by_one : bool, default=False
            Look up one row after the other, which is faster for up to 8, and differs by rounding.
        """
        computed, at_once = [] if few else self.computed, [] if one_by_one else self.shelves
        found = np.zeros((*values.shape[:2], len(self.bins)))
        if one_by_one:
            self._add_one_by_one(found, codes)
        if at_once or computed:
            self._add_at_once(found, codes, at_once, computed)
        values[..., self.columns] += found

    def _add_one_by_one(self, found: np.ndarray, codes: np.ndarray) -> None:
        for sums, row in zip(found, codes[:, self.columns].tolist(), strict=True):
            bins = np.array([column.bin_of(code) for column, code in zip(self.bins, row, strict=True)])
            bins += self._starts
            for shelf in self.shelves:
                shelf.add_row(sums, bins)

    def _add_at_once(
        self,
        found: np.ndarray,
        codes: np.ndarray,
        shelves: Sequence[Shelf],
        computed: Sequence[ComputedTree],
    ) -> None:
        import torch

        own, sums = in_bins(codes, self.bins), torch.from_numpy(found)
        with torch.inference_mode(), limit_threads():
            numbered = torch.from_numpy(own + self._starts)
            for shelf in shelves:
                shelf.add_to(sums, numbered)
            for tree in computed:
                tree.add_to(sums, own, self.dtype)


def built(
    trees: Sequence[TabledTree],
    bins: Sequence[Bins],
    dtype: str,
    verbose: int | str = "auto",
    values_of: ValuesOf = path_dependent,
) -> list[Shelf]:
    """Compute the tables of trees by output; `verbose` as in `progress_bar`."""
    wide, starts = len(bins) > WIDE, starts_of(bins)
    by_width: dict[int, list[list[TabledTree]]] = {}
    for part in packed(trees, len(bins), np.dtype(dtype).itemsize, wide=wide):
        by_width.setdefault(len(part[0].tree.columns) if wide else len(bins), []).append(part)
    with progress_bar(verbose, len(trees), "tree") as bar:
        return [
            Shelf.of(parts, starts, dtype, wide=wide, values_of=values_of, done=bar.update)
            for parts in by_width.values()
        ]
