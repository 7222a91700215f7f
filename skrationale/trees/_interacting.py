"""Interaction values of groups of leaves, computed once for all rows that a group cannot tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._tensors import as_tensor
from ..teachers import Bins, TreeNodes
from ._groups import groups_of, split_tree
from ._quadrature import QuadratureTree
from .tables import mean_of

STATES = 2**20
"""Most joint states of a group, unless it is one leaf. Measured on 6 to 30 columns: 2**16 takes up to twice
as long for 1000 rows, and 2**24 up to twice as long for all."""
MOST_LEAVES = 64
"""Leaves of a group at most, so that its matrices stay small. Measured on trees of 31 leaves: 16 take 1.3 to
3 times as long."""
CELLS = 2**17
"""Numbers of a factor of a product of matrices, half a megabyte in float32. Measured: 2**15 take up to twice
as long, and 2**18 as long."""


@dataclass(frozen=True, eq=False)
class InteractingGroup:
    r"""A group of leaves, and what its c columns do together.

    A leaf of value :math:`v`, with :math:`o_j` and :math:`r_j` as in `contributions`, gives a pair of columns

    .. math:: v \, (o_i - r_i) (o_j - r_j) \int_0^1 \prod_{k \ne i, j} (o_k t + r_k (1 - t)) \, dt .

    At a quadrature node that is the product over all columns, times what each of the two changes: all pairs
    come from the product of a matrix with itself. It is made once for each joint state that rows have.

    Parameters
    ----------
    leaves : QuadratureTree
        The leaves.
    sizes : tuple of c int
        How many states each column has.
    numbered : bool
        Whether an int64 counts the joint states.
    """

    leaves: QuadratureTree
    sizes: tuple[int, ...]
    numbered: bool

    def states_of(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Find the joint states of rows.

        Parameters
        ----------
        encoded : ndarray of shape (n, d'), int32
            Bins of each column, from 0.

        Returns
        -------
        states : ndarray of shape (u, c), int32
            Different joint states, as rows of the matrices.
        which : ndarray of shape (n,) or None
            The one that each row has; None: its own.
        """
        found = self.leaves.by_column(encoded)
        if not self.numbered:
            return np.stack(found, axis=1), None
        number = np.zeros(len(encoded), dtype=np.int64)
        for size, states in zip(self.sizes, found, strict=True):
            number *= size
            number += states
        _, first, which = np.unique(number, return_index=True, return_inverse=True)
        return np.stack([states[first] for states in found], axis=1), which

    def add_to(
        self,
        sums: Any,
        encoded: np.ndarray,
        chosen: np.ndarray,
        places: np.ndarray,
        pairs: np.ndarray,
        dtype: Any,
    ) -> None:
        """Add values of pairs of columns, those of two columns twice.

        Parameters
        ----------
        sums : tensor of shape (K, n, Q)
            What they are added to.
        encoded : ndarray of shape (n, d'), int32
            Bins of each column, from 0.
        chosen, places : ndarrays of shape (s,) and (w,)
            As in `values`.
        pairs : ndarray of shape (w,)
            Which of the Q pairs these are.
        dtype : numpy dtype
            Of the computation.
        """
        import torch

        if len(chosen) == 0:
            return
        states, which = self.states_of(encoded)
        found = self.values(states, chosen, places, dtype)
        if which is not None:
            found = found.index_select(0, as_tensor(which))
        sums[self.leaves.output].index_add_(1, torch.from_numpy(pairs), found.to(sums.dtype))

    def values(self, states: np.ndarray, chosen: np.ndarray, places: np.ndarray, dtype: Any) -> Any:
        """Give values of pairs in some states.

        Parameters
        ----------
        states : ndarray of shape (u, c), int32
            As `states_of` gives them.
        chosen : ndarray of shape (s,)
            Columns, from 0 to c - 1, that are first in some pairs.
        places : ndarray of shape (w,)
            Positions of the pairs in the s by c + 1 matrix of a state.
        dtype : numpy dtype
            Of the computation.

        Returns
        -------
        tensor of shape (u, w)
            What two columns do together; for a column with itself, what is left of its contribution.
        """
        import torch
        from torch.nn.functional import embedding, embedding_bag

        terms, changes, scale = self.leaves.matrices(dtype)
        # one more column, which all rows meet: with it, a column has the whole of its contribution
        more = np.zeros_like(terms[:1])
        terms, changes = np.concatenate([terms, more]), np.concatenate([changes, more + 1])
        rows = np.full((len(states), states.shape[1] + 1), len(terms) - 1, dtype=np.int32)
        rows[:, :-1] = states
        of_class, of_pair, of_node = map(as_tensor, (terms, changes, scale))
        first, at = torch.from_numpy(chosen), torch.from_numpy(places)
        itself = torch.arange(len(chosen))
        found = []
        for some in torch.from_numpy(rows).split(max(CELLS // (rows.shape[1] * len(scale)), 1)):
            products = embedding_bag(some, of_class, mode="sum").exp_().mul_(of_node)
            factors = embedding(some, of_pair)
            own = factors.index_select(1, first).mul_(products[:, None])
            pairs = own.bmm(factors.transpose(1, 2))
            pairs[:, itself, first] = 0
            pairs[:, itself, first] = pairs[..., -1] - pairs[..., :-1].sum(dim=2) / 2
            found.append(pairs.flatten(1).index_select(1, at))
        return torch.cat(found)


def readings_of(nodes: Sequence[TreeNodes]) -> list[list[int]]:
    """Put trees together that read each column in one way.

    Parameters
    ----------
    nodes : sequence of TreeNodes
        The trees.

    Returns
    -------
    list of list of int
        Numbers of the trees; one list, unless training was continued on data with other missing values.
    """
    found: list[tuple[dict[int, str], list[int]]] = []
    for t, tree in enumerate(nodes):
        ways = [
            "category" if node in tree.category_sets else way for node, way in enumerate(tree.missing_types)
        ]
        own = dict(zip(tree.columns.tolist(), ways, strict=True))
        for known, trees in found:
            if all(known.get(column, way) == way for column, way in own.items()):
                known |= own
                trees.append(t)
                break
        else:
            found.append((own, [t]))
    return [trees for _, trees in found]


def interacting_groups(
    nodes: Sequence[TreeNodes], bins: Sequence[Bins], outputs: Sequence[int]
) -> list[InteractingGroup]:
    """Cut trees over the same bins into groups.

    Parameters
    ----------
    nodes : sequence of TreeNodes
        The trees.
    bins : sequence of NumericBins and CategoryBins
        Of the d' columns that they split on.
    outputs : sequence of int
        Output of each tree.

    Returns
    -------
    list of InteractingGroup

    Raises
    ------
    ValueError
        If a tree itself reads a column in two ways.
    """
    found = []
    for output, tree in zip(outputs, nodes, strict=True):
        # what all leaves have in common contributes nothing, but would cost digits
        split = split_tree(replace(tree, leaf_values=tree.leaf_values - mean_of(tree)), bins)
        if split is None:
            raise ValueError(
                "A tree of the model reads one column in two ways (for example with two rules for "
                "missing values); expected one way per column."
            )
        for group in groups_of(split, STATES, MOST_LEAVES):
            sizes = tuple(len(own) for own in group.states.values())
            leaves = QuadratureTree.of(output, split, group)
            found.append(InteractingGroup(leaves, sizes, group.n_states <= np.iinfo(np.int64).max))
    return found


BinnedGroups = tuple[Sequence[Bins], Sequence[InteractingGroup]]
"""Bins of columns, and groups of trees over them."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs of chosen columns that meet on a path, and each column with itself.

    Parameters
    ----------
    first, second : ndarrays of int of shape (Q,)
        Columns of each pair, ``first <= second``, as positions among the chosen ones.
    by_group : list of (ndarray, ndarray, ndarray)
        What each group needs in `add_to`: chosen columns (s,), places (w,) and pairs (w,).
    """

    first: np.ndarray
    second: np.ndarray
    by_group: list[tuple[np.ndarray, np.ndarray, np.ndarray]]


def pairs_of(forests: Sequence[BinnedGroups], chosen: np.ndarray, d: int) -> Pairs:
    """Find the pairs among some columns.

    Parameters
    ----------
    forests : sequence of BinnedGroups
        All groups.
    chosen : ndarray of int of shape (m,)
        Which of the d columns.
    d : int
        Number of columns.

    Returns
    -------
    Pairs
        Groups in the order of `forests`.
    """
    position, m = np.full(d, -1), len(chosen)
    position[chosen] = np.arange(m)
    own, numbers = [], []
    for bins, groups in forests:
        of_bins = position[[column.column for column in bins]]
        for group in groups:
            at = of_bins[group.leaves.columns]
            some = np.flatnonzero(at >= 0)
            i, j = np.triu_indices(len(some))
            own.append((some, i * (len(at) + 1) + some[j]))
            ends = at[some[i]], at[some[j]]
            numbers.append(np.minimum(*ends) * m + np.maximum(*ends))
    distinct, which = np.unique(np.concatenate([np.zeros(0, np.intp), *numbers]), return_inverse=True)
    by_group = np.split(which, np.cumsum([len(some) for some in numbers])[:-1]) if numbers else []
    return Pairs(
        distinct // m, distinct % m, [(*two, pairs) for two, pairs in zip(own, by_group, strict=True)]
    )
