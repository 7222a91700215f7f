"""Trees without tables: interventional Shapley values of each row, from its pairs with background rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._tensors import as_tensor
from ._background import Background
from ._pairs import of_leaf, of_sparse_pairs
from ._quadrature import QuadratureTree

MOST_COLUMNS = 53
"""Columns on a path, whose bits a float64 counts exactly."""
FEW_PAIRS = 2**13
"""Pairs of a row and a background row, up to which each one is computed by itself. Measured with a background
of 100 rows, on trees of 31 and of 255 leaves: to put equal rows of a leaf together first takes as long at 64
to 82 rows."""
NUMBERS = 2**21
"""Numbers of a matrix of leaves and pairs, or of leaves and rows: 16 MB. Measured: a quarter and four times
as many take as long."""


@dataclass(frozen=True, eq=False)
class PairsTree:
    """A tree with L leaves, the c columns of which have R classes of bins together.

    A leaf sees of a row only on which columns of its path the row fails: a number of as many bits. This is a
    sum over columns of rows of a matrix, picked by the class of the cell.

    Parameters
    ----------
    layout : QuadratureTree
        The tree.
    background : Background
        By the same bins.

    Raises
    ------
    ValueError
        If a path splits on more than 53 columns.
    """

    layout: QuadratureTree
    background: Background

    def __post_init__(self) -> None:
        longest = int(self.layout.on_path.sum(axis=0).max())
        if longest > MOST_COLUMNS:
            raise ValueError(
                f"The model has a path that splits on {longest} columns. With `background`, at most "
                f"{MOST_COLUMNS} are possible in a tree that is too large for tables of `max_table_bytes`."
            )

    def _codes(self, encoded: np.ndarray, leaves: slice) -> np.ndarray:
        """Columns on which rows of bins (n, d') fail the path to each leaf, as bits (leaves, n)."""
        import torch
        from torch.nn.functional import embedding_bag

        tree = self.layout
        on_path = tree.on_path[:, leaves]
        # each column of a path has a bit of its own; float32 counts 24 of them exactly
        dtype = np.float32 if on_path.sum(axis=0).max() <= 24 else np.float64
        bit = (2.0 ** (np.cumsum(on_path, axis=0) - 1)).astype(dtype)[tree.of_class]
        bits = torch.from_numpy(np.where(tree.met[:, leaves], dtype(0), bit))
        codes = embedding_bag(torch.from_numpy(tree.classes(encoded)), bits, mode="sum")
        return codes.T.to(torch.int64, memory_format=torch.contiguous_format).numpy()

    def add_to(self, sums: Any, encoded: np.ndarray, dtype: Any) -> None:
        """Add contributions of rows, computed in float64; parameters as :meth:`QuadratureTree.add_to`."""
        import torch

        tree, n, b = self.layout, len(encoded), len(self.background.bins)
        few = n * b <= FEW_PAIRS
        found = np.zeros((len(tree.columns), n))
        step = max(NUMBERS // (n * b if few else max(n, b)), 1)
        for start in range(0, len(tree.values), step):
            leaves = slice(start, start + step)
            own, others = self._codes(encoded, leaves), self._codes(self.background.bins, leaves)
            paths, values = tree.on_path[:, leaves], tree.values[leaves]
            if few:
                found += of_sparse_pairs(own, others, self.background.shares, paths, values)
                continue
            for path, value, codes, other in zip(paths.T, values, own, others, strict=True):
                columns = np.flatnonzero(path)
                found[columns] += value * of_leaf(codes, other, self.background.shares, len(columns))
        sums[:, tree.output].index_add_(1, as_tensor(tree.columns), torch.from_numpy(found.T))
