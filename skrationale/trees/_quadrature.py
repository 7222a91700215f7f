"""Trees whose tables would be too large: contributions are computed for each row, at quadrature nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._tensors import as_tensor
from ._groups import Group, SplitTree, as_bits, bits_of, leaves_of
from ._states import nodes_and_weights

MOST_NUMBERS = 2**24
"""Numbers of the matrices of a tree, beyond which it is left to LightGBM: 64 MB in float32. Not measured."""
ROWS_AT_ONCE = 512
"""Rows of a product of matrices. Measured: 2048 take 1.1 times as long on trees of 255 leaves."""


@dataclass(frozen=True, eq=False)
class QuadratureTree:
    """A tree, or a group of its leaves: L leaves, the c columns of which have R classes of bins together.

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
    def of(cls, output: int, tree: SplitTree, group: Group | None = None) -> QuadratureTree:
        """Lay out a tree, or a group, whose classes are its states."""
        leaves = leaves_of(tree, group)
        columns = range(len(tree.columns)) if group is None else list(group.states)
        state_of = [_states(tree.n_classes[k], None if group is None else group.states[k]) for k in columns]
        sizes = [states.max() + 1 for states in state_of]
        starts = np.cumsum([0, *sizes]).astype(np.int32)
        shares = np.ones((len(columns), len(leaves)))
        on_path = np.zeros(shares.shape, dtype=bool)
        met = np.ones((starts[-1], len(leaves)), dtype=bool)
        for i, k in enumerate(columns):
            ways = {leaf: own[k] for leaf, (_, own) in enumerate(leaves) if k in own}
            chosen = list(ways)
            on_path[i, chosen] = True
            shares[i, chosen] = [share for _, share in ways.values()]
            by_class = as_bits([through for through, _ in ways.values()], len(state_of[i])).T
            _, one_of_each = np.unique(state_of[i], return_index=True)
            met[starts[i] : starts[i + 1], chosen] = by_class[one_of_each]
        return cls(
            output=output,
            columns=np.array([tree.columns[k] for k in columns]),
            of_class=np.repeat(np.arange(len(sizes)), sizes),
            rows_of_bin=[
                (states + start)[tree.of_bin[k]]
                for k, states, start in zip(columns, state_of, starts, strict=False)
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
        return np.stack(self.by_column(encoded), axis=1)

    def by_column(self, encoded: np.ndarray) -> list[np.ndarray]:
        """Classes of rows of bins (n, d'), c arrays (n,)."""
        pairs = zip(self.columns, self.rows_of_bin, strict=True)
        return [of_bin[encoded[:, k]] for k, of_bin in pairs]

    def matrices(self, dtype: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Make what products are computed of, for e quadrature nodes of all leaves together.

        Logarithms (R, e) of a column's term, what it gets over this term (R, e), and factors (e,) of both.
        """
        n_nodes = self.n_nodes
        nodes, weights = zip(*(nodes_and_weights(n) for n in n_nodes.tolist()), strict=True)
        t, leaves = np.concatenate(nodes), np.repeat(np.arange(len(n_nodes)), n_nodes)
        shares, on_path, met = self.shares[:, leaves], self.on_path[:, leaves], self.met[:, leaves]
        rest = shares * (1 - t)

        def by_class(where_met: np.ndarray, elsewhere: np.ndarray) -> np.ndarray:
            here, there = (np.where(on_path, made, 0.0).astype(dtype) for made in (where_met, elsewhere))
            return np.where(met, here[self.of_class], there[self.of_class])

        terms = by_class(np.log(t + rest), np.log(rest))
        changes = by_class((1 - shares) / (t + rest), -1 / (1 - t))
        return terms, changes, (self.values[leaves] * np.concatenate(weights)).astype(dtype)

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

        terms, changes, scale = (as_tensor(matrix) for matrix in self.matrices(dtype))
        factors = (changes * scale).T
        rows = self.classes(encoded)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = torch.from_numpy(rows[start : start + ROWS_AT_ONCE])
            products = embedding_bag(some, terms, mode="sum").exp_()
            found = (products @ factors).gather(1, some.long()).to(sums.dtype)
            at = sums[start : start + ROWS_AT_ONCE, self.output]
            at.index_add_(1, as_tensor(self.columns), found)


def _states(n_classes: int, states: Sequence[int] | None) -> np.ndarray:
    """State (n_classes,) of each class of a column; None: each is its own."""
    found = np.arange(n_classes, dtype=np.int32)
    for state, classes in enumerate(states or ()):
        found[list(bits_of(classes))] = state
    return found
