"""Decide which trees are looked up in tables, within a limit of memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..teachers import TreeNodes
from ._groups import AnyBins, Group, SplitTree, groups_of, split_tree

STATES = 1024
"""Most states of a group. Measured: 256 takes 1.3 times as long on 14 columns."""
WIDE = 32
"""Most columns of one table for all trees; with more, each tree has a table of its own columns, which takes
less memory but 1.5 times as long. Measured on 28 columns."""
MOST_ROWS = 2**24
"""Rows of a table that float32 still counts exactly."""


@dataclass(frozen=True, eq=False)
class TabledTree:
    """A tree whose contributions are to be looked up.

    Parameters
    ----------
    output : int
        Output that it belongs to.
    tree : SplitTree
        The tree.
    groups : list of Group
        Its groups.
    """

    output: int
    tree: SplitTree
    groups: list[Group]

    @property
    def n_rows(self) -> int:
        """Rows of its table: states of all groups together."""
        return sum(group.n_states for group in self.groups)


def plan(
    nodes: Sequence[TreeNodes], bins: Sequence[AnyBins], n_outputs: int, max_bytes: int, itemsize: int
) -> tuple[list[TabledTree], list[int]]:
    """Say which trees get tables; those with the smallest come first.

    Parameters
    ----------
    nodes : sequence of TreeNodes
        The trees; tree t belongs to output ``t % K``.
    bins : sequence of NumericBins and CategoryBins
        Of the d' columns that they split on.
    n_outputs : int
        K.
    max_bytes : int
        Most memory for tables.
    itemsize : int
        Bytes of a number.

    Returns
    -------
    trees : list of TabledTree
        By output. Trees of one leaf are in neither list: they contribute nothing.
    left : list of int
        Iterations, of K trees each, that are left to LightGBM.
    """
    costs: list[tuple[int, int]] = []
    found: dict[int, list[TabledTree]] = {}
    for start in range(0, len(nodes), n_outputs):
        iteration = start // n_outputs
        trees: list[TabledTree] | None = []
        for output, tree in enumerate(nodes[start : start + n_outputs]):
            if trees is None or not len(tree.columns):
                continue
            split = split_tree(tree, bins) if max_bytes else None
            if split is None:
                trees = None
            else:
                trees.append(TabledTree(output, split, groups_of(split, STATES)))
        if trees is None or any(tree.n_rows >= MOST_ROWS for tree in trees):
            costs.append((max_bytes + 1, iteration))
        elif trees:
            found[iteration] = trees
            costs.append((sum(_n_bytes(tree, len(bins), itemsize) for tree in trees), iteration))
    chosen: list[TabledTree] = []
    left, used = [], 0
    for cost, iteration in sorted(costs):
        if used + cost <= max_bytes:
            used += cost
            chosen += found[iteration]
        else:
            left.append(iteration)
    return sorted(chosen, key=lambda tree: tree.output), sorted(left)


def _n_bytes(tree: TabledTree, n_columns: int, itemsize: int) -> int:
    """Memory of a tree's table."""
    return tree.n_rows * itemsize * (len(tree.tree.columns) if n_columns > WIDE else n_columns)
