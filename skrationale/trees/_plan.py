"""Decide which trees are looked up in tables, within a limit of memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..teachers import Bins, TreeNodes
from ._groups import Group, SplitTree, groups_of, split_tree
from ._quadrature import MOST_NUMBERS, QuadratureTree

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


@dataclass(frozen=True, eq=False)
class Plan:
    """Which way each iteration of K trees goes; trees of one leaf contribute nothing and go none.

    Parameters
    ----------
    tabled : list of TabledTree
        Trees looked up in tables, by output.
    computed : list of QuadratureTree
        Trees computed for each row.
    iterations_computed, iterations_left : list of int
        Iterations that are computed, and those that are left to LightGBM.
    """

    tabled: list[TabledTree]
    computed: list[QuadratureTree]
    iterations_computed: list[int]
    iterations_left: list[int]


def plan(
    nodes: Sequence[TreeNodes], bins: Sequence[Bins], n_outputs: int, max_bytes: int, itemsize: int
) -> Plan:
    """Say which way each tree goes; those with the smallest tables come first.

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
    Plan
    """
    found: dict[int, list[TabledTree]] = {}
    costs: list[tuple[int, int]] = []
    left = []
    for start in range(0, len(nodes), n_outputs):
        iteration, trees = start // n_outputs, []
        for output, tree in enumerate(nodes[start : start + n_outputs]):
            split = split_tree(tree, bins)
            groups = groups_of(split, STATES) if split is not None and max_bytes else []
            trees.append(None if split is None else TabledTree(output, split, groups))
        read = [tree for tree in trees if tree is not None]
        if len(read) < n_outputs:
            left.append(iteration)
        elif any(tree.tree.children for tree in read):
            found[iteration] = [tree for tree in read if tree.tree.children]
            too_large = not max_bytes or any(tree.n_rows >= MOST_ROWS for tree in read)
            cost = sum(_n_bytes(tree, len(bins), itemsize) for tree in read)
            costs.append((max_bytes + 1 if too_large else cost, iteration))
    tabled: list[TabledTree] = []
    computed: list[QuadratureTree] = []
    iterations_computed, used = [], 0
    for cost, iteration in sorted(costs):
        if used + cost <= max_bytes:
            used += cost
            tabled += found[iteration]
            continue
        trees_computed = [QuadratureTree.of(tree.output, tree.tree) for tree in found[iteration]]
        if max(tree.n_numbers for tree in trees_computed) > MOST_NUMBERS:
            left.append(iteration)
        else:
            iterations_computed.append(iteration)
            computed += trees_computed
    tabled.sort(key=lambda tree: tree.output)
    return Plan(tabled, computed, sorted(iterations_computed), sorted(left))


def _n_bytes(tree: TabledTree, n_columns: int, itemsize: int) -> int:
    """Memory of a tree's table."""
    return tree.n_rows * itemsize * (len(tree.tree.columns) if n_columns > WIDE else n_columns)
