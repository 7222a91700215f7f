"""Trees that read their columns in one way: looked up in tables, or computed for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from tqdm.auto import tqdm

from ..teachers import Bins
from ..training import limit_threads
from ._parts import Part, ValuesOf, packed, part_of
from ._plan import WIDE, TabledTree
from ._states import path_dependent


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
    parts : sequence of Part
        Tables of some of them.
    computed : sequence of ComputedTree
        The others.
    dtype : {"float32", "float64"}
        Precision of tables and sums.
    """

    def __init__(
        self, bins: Sequence[Bins], parts: Sequence[Part], computed: Sequence[ComputedTree], dtype: str
    ) -> None:
        self.bins, self.parts, self.computed, self.dtype = bins, parts, computed, dtype
        self.columns = [column.column for column in bins]
        self._starts = starts_of(bins)[:-1].astype(np.int32)

    @property
    def nbytes(self) -> int:
        """Memory of the tables."""
        return sum(part.nbytes for part in self.parts)

    def add_to(self, values: np.ndarray, codes: np.ndarray, *, few: bool = False) -> None:
        """Add contributions of rows.

        Parameters
        ----------
        values : ndarray of shape (n, K, d)
            What they are added to.
        codes : ndarray of shape (n, d)
            Numbers, and codes of categories.
        few : bool, default=False
            Leave out the trees that are computed.
        """
        import torch

        computed = [] if few else self.computed
        if not self.parts and not computed:
            return
        own = encoded(codes, self.bins)
        found = np.zeros((*values.shape[:2], len(self.bins)))
        sums = torch.from_numpy(found)
        with torch.inference_mode(), limit_threads():
            numbered = torch.from_numpy(own + self._starts)
            for part in self.parts:
                part.add_to(sums, numbered)
            for tree in computed:
                tree.add_to(sums, own, self.dtype)
        values[..., self.columns] += found


def starts_of(bins: Sequence[Bins]) -> np.ndarray:
    """First number (d' + 1,) of the bins of each column, and how many there are in all."""
    return np.cumsum([0, *(column.n_bins for column in bins)])


def encoded(codes: np.ndarray, bins: Sequence[Bins]) -> np.ndarray:
    """Bins (n, d'), int32, of rows of codes (n, d)."""
    found = np.empty((len(codes), len(bins)), dtype=np.int32)
    for i, column in enumerate(bins):
        found[:, i] = column.encode(np.ascontiguousarray(codes[:, column.column]))
    return found


def built(
    trees: Sequence[TabledTree],
    bins: Sequence[Bins],
    dtype: str,
    verbose: int = 0,
    values_of: ValuesOf = path_dependent,
) -> list[Part]:
    """Compute the tables of trees by output; `verbose` 1 shows a progress bar."""
    wide, starts = len(bins) > WIDE, starts_of(bins)
    parts = []
    with tqdm(total=len(trees), unit="tree", disable=not verbose) as bar:
        for some in packed(trees, len(bins), np.dtype(dtype).itemsize, wide=wide):
            parts.append(part_of(some, starts, dtype, wide=wide, values_of=values_of))
            bar.update(len(some))
    return parts
