"""Trees whose tables would be too large: contributions are computed for each row, at quadrature nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._groups import SplitTree, as_bits, leaves_of
from ._states import nodes_and_weights

MOST_NUMBERS = 2**24
"""Numbers of the matrices of a tree, beyond which it is left to LightGBM: 64 MB in float32. Not measured."""
ROWS_AT_ONCE = 512
"""Rows of a product of matrices. Measured: 2048 take 1.1 times as long on trees of 255 leaves."""


@dataclass(frozen=True, eq=False)
class QuadratureTree:
    """A tree with L leaves, the c columns of which have R classes of bins together.

    The product over columns in the integral of `contributions` is the exponential of a sum of logarithms,
    one for each column and picked by its class; what a leaf then gives to a column is linear in it, with
    factors that are picked by the class too. So all leaves come from one sum of rows of a matrix and one
    product with another; these are made for each batch of rows, and hardly any memory is kept.

    Parameters
    ----------
    output : int
        Output that it belongs to.
    columns : ndarray of shape (c,), int64
        Positions among the columns of the forest.
    of_class : ndarray of int of shape (R,)
        Which of the c columns each class belongs to.
    rows_of_bin : list of c ndarrays of int32
        Class of each bin of a column, those of a column behind those of the columns before it.
    values : ndarray of shape (L,)
        Values of the leaves.
    shares : ndarray of shape (c, L)
        Share of training rows that the splits on a column let through on the path to a leaf.
    on_path : ndarray of bool of shape (c, L)
        Whether there are any.
    met : ndarray of bool of shape (R, L)
        Whether a class meets them all.
    """

    output: int
    columns: np.ndarray
    of_class: np.ndarray
    rows_of_bin: list[np.ndarray]
    values: np.ndarray
    shares: np.ndarray
    on_path: np.ndarray
    met: np.ndarray

    @classmethod
    def of(cls, output: int, tree: SplitTree) -> QuadratureTree:
        """Lay out a tree."""
        leaves, n_classes = leaves_of(tree), tree.n_classes
        starts = np.cumsum([0, *n_classes])
        shares = np.ones((len(n_classes), len(leaves)))
        on_path = np.zeros(shares.shape, dtype=bool)
        met = np.ones((starts[-1], len(leaves)), dtype=bool)
        for k, n in enumerate(n_classes):
            ways = {leaf: own[k] for leaf, (_, own) in enumerate(leaves) if k in own}
            chosen = list(ways)
            on_path[k, chosen] = True
            shares[k, chosen] = [share for _, share in ways.values()]
            met[starts[k] : starts[k + 1], chosen] = as_bits([through for through, _ in ways.values()], n).T
        return cls(
            output=output,
            columns=np.array(tree.columns),
            of_class=np.repeat(np.arange(len(n_classes)), n_classes),
            rows_of_bin=[
                (of_bin + start).astype(np.int32) for of_bin, start in zip(tree.of_bin, starts, strict=False)
            ],
            values=np.array([value for value, _ in leaves]),
            shares=shares,
            on_path=on_path,
            met=met,
        )

    @property
    def n_nodes(self) -> np.ndarray:
        """Quadrature nodes (L,) that each leaf needs: half as many as there are columns on its path."""
        return (self.on_path.sum(axis=0) + 1) // 2

    @property
    def n_numbers(self) -> int:
        """Numbers of each of its matrices."""
        return len(self.met) * int(self.n_nodes.sum())

    def classes(self, encoded: np.ndarray) -> np.ndarray:
        """Classes (n, c) of rows of bins (n, d')."""
        pairs = zip(self.columns, self.rows_of_bin, strict=True)
        return np.stack([of_bin[encoded[:, k]] for k, of_bin in pairs], axis=1)

    def matrices(self, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
        """Make logarithms (R, e) of a column's term, and factors (e, R) of what it gets; e nodes in all."""
        n_nodes = self.n_nodes
        parts = [self._matrices(n_nodes == n, int(n), dtype) for n in np.unique(n_nodes)]
        terms, changes = zip(*parts, strict=True)
        return np.concatenate(terms, axis=1), np.concatenate(changes)

    def _matrices(self, leaves: np.ndarray, n_nodes: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
        """Make both for those of the leaves (L,) that need so many nodes."""
        t, weights = nodes_and_weights(n_nodes)
        shares, on_path = self.shares[:, leaves, None], self.on_path[:, leaves, None]
        rest = shares * (1 - t)
        scale = on_path * self.values[leaves, None] * weights
        met = self.met[:, leaves, None]

        def by_class(where_met: np.ndarray, elsewhere: np.ndarray) -> np.ndarray:
            here, there = (made.astype(dtype)[self.of_class] for made in (where_met, elsewhere))
            found = np.where(met, here, there)
            return found.reshape(len(met), -1)

        terms = by_class(np.where(on_path, np.log(t + rest), 0.0), np.where(on_path, np.log(rest), 0.0))
        return terms, by_class(scale * (1 - shares) / (t + rest), -scale / (1 - t)).T

    def add_to(self, sums: Any, encoded: np.ndarray, dtype: Any) -> None:
        """Add contributions of rows.

        Parameters
        ----------
        sums : tensor of shape (n, K, d')
            What they are added to.
        encoded : ndarray of shape (n, d'), int32
            Bins of each column, from 0.
        dtype : numpy dtype
            Of the computation.
        """
        import torch
        from torch.nn.functional import embedding_bag

        terms, changes = (torch.from_numpy(matrix) for matrix in self.matrices(dtype))
        rows = self.classes(encoded)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = torch.from_numpy(rows[start : start + ROWS_AT_ONCE])
            products = embedding_bag(some, terms, mode="sum").exp_()
            found = (products @ changes).gather(1, some.long()).to(sums.dtype)
            at = sums[start : start + ROWS_AT_ONCE, self.output]
            at.index_add_(1, torch.from_numpy(self.columns), found)
