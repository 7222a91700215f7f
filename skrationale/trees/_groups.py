"""Cut a tree into groups of leaves, each of which asks few enough columns for a table of all their states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..teachers import FEWEST_ROWS, Bins, NumericBins, TreeNodes

Conditions = dict[int, tuple[int, float]]
"""By column: the classes of bins that a path lets through, as bits of a number, and its share of the rows."""


@dataclass(frozen=True, eq=False)
class SplitTree:
    """A tree over classes of bins: what its splits do not tell apart is one class.

    Parameters
    ----------
    columns : list of int
        Positions, among the bins of the forest, of the c columns that are split on.
    of_bin : list of c ndarrays of int
        Class of each bin of a column.
    everything : list of c int
        All classes of a column, as bits.
    column_of : list of m int
        Which of the c columns each node splits on.
    lefts : list of m int
        Classes of that column that go left, as bits.
    children : list of m pairs of int
        Child to the left and to the right; ``~leaf`` for leaves.
    below : list of m int
        Nodes in the subtree of each node.
    preorder : list of m int
        Nodes, each before its subtree; `place` says where each one stands.
    place : list of m int
        See `preorder`.
    covers : list of m floats, leaf_covers : list of m + 1 floats
        Training rows in each node and leaf.
    leaf_values : list of m + 1 floats
        Values of the leaves.
    """

    columns: list[int]
    of_bin: list[np.ndarray]
    everything: list[int]
    column_of: list[int]
    lefts: list[int]
    children: list[tuple[int, int]]
    below: list[int]
    preorder: list[int]
    place: list[int]
    covers: list[float]
    leaf_covers: list[float]
    leaf_values: list[float]

    @property
    def n_classes(self) -> list[int]:
        """Number of classes of each of the c columns."""
        return [classes.bit_length() for classes in self.everything]

    def share(self, node: int, child: int) -> float:
        """Share of a node's rows that go to a child."""
        return (self.covers[child] if child >= 0 else self.leaf_covers[~child]) / self.covers[node]


def split_tree(nodes: TreeNodes, bins: Sequence[Bins]) -> SplitTree | None:
    """Bring a tree into terms of bins.

    Parameters
    ----------
    nodes : TreeNodes
        The tree.
    bins : sequence of NumericBins and CategoryBins
        Of all columns that the forest splits on.

    Returns
    -------
    SplitTree or None
        None where a split reads its column in another way than the bins do, as it may happen in trees that
        were trained on other data than the rest.
    """
    position = {column.column: k for k, column in enumerate(bins)}
    found = [position[column] for column in nodes.columns.tolist()]
    sides = []
    for node, k in enumerate(found):
        column = bins[k]
        levels = nodes.category_sets.get(node)
        if isinstance(column, NumericBins):
            if levels is not None or nodes.missing_types[node] != column.missing_type:
                return None
            sides.append(column.left_of(nodes.thresholds[node], bool(nodes.missing_left[node])))
        elif levels is None:
            return None
        else:
            sides.append(column.left_of(levels))
    columns = sorted(set(found))
    of_bin, everything, lefts = [], [], [0] * len(found)
    for k in columns:
        own = [node for node, other in enumerate(found) if other == k]
        patterns, classes = distinct_rows(np.stack([sides[node] for node in own], axis=1))
        of_bin.append(classes)
        everything.append(2 ** len(patterns) - 1)
        for node, side in zip(own, patterns.T, strict=True):
            lefts[node] = int.from_bytes(np.packbits(side, bitorder="little").tobytes(), "little")
    children = list(zip(nodes.left.tolist(), nodes.right.tolist(), strict=True))
    leaf_covers = np.maximum(nodes.leaf_counts, FEWEST_ROWS).tolist()
    preorder = _preorder(children)
    below, covers = [1] * len(children), [0.0] * len(children)
    for node in reversed(preorder):
        below[node] += sum(below[child] for child in children[node] if child >= 0)
        covers[node] = sum(covers[c] if c >= 0 else leaf_covers[~c] for c in children[node])
    return SplitTree(
        columns=columns,
        of_bin=of_bin,
        everything=everything,
        column_of=[columns.index(k) for k in found],
        lefts=lefts,
        children=children,
        below=below,
        preorder=preorder,
        place=np.argsort(preorder).tolist(),
        covers=covers,
        leaf_covers=leaf_covers,
        leaf_values=nodes.leaf_values.tolist(),
    )


def distinct_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the distinct rows of a matrix (n, m) of small numbers, and which of them each row is."""
    if rows.shape[1] == 1:
        distinct, which = np.unique(rows[:, 0], return_inverse=True)
        return distinct[:, None], which
    as_bytes = np.ascontiguousarray(rows).view(f"V{rows.itemsize * rows.shape[1]}").ravel()
    _, first, which = np.unique(as_bytes, return_index=True, return_inverse=True)
    return rows[first], which.ravel()


def _preorder(children: list[tuple[int, int]]) -> list[int]:
    order, waiting = [], [0] if children else []
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting += [child for child in reversed(children[node]) if child >= 0]
    return order


@dataclass(frozen=True, eq=False)
class Group:
    """A subtree, and all states of its columns that it can tell apart.

    Parameters
    ----------
    root : int
        Its root, ``~leaf`` for a leaf.
    conditions : dict
        Conditions of the path to the root.
    states : dict of int to list of int
        By column: the classes in each state, as bits. Classes that the path does not let through are one.
    n_states : int
        Number of joint states.
    """

    root: int
    conditions: Conditions
    states: dict[int, list[int]]
    n_states: int


def groups_of(tree: SplitTree, limit: int, most_leaves: int | None = None) -> list[Group]:
    """Cut a tree, from its root down, into the largest subtrees with few states.

    Parameters
    ----------
    tree : SplitTree
        The tree.
    limit : int
        Most joint states of a group; a single leaf may have more.
    most_leaves : int, default=None
        Most leaves of a group; None: as many as it has states.

    Returns
    -------
    list of Group
        Each leaf is in one of them.
    """
    groups: list[Group] = []
    most_nodes = min(limit, most_leaves or limit) - 1
    waiting: list[tuple[int, Conditions]] = [(0, {})] if tree.children else []
    while waiting:
        node, conditions = waiting.pop()
        states = None
        if node < 0 or tree.below[node] <= most_nodes:  # each leaf has a state of its own
            states = _states(tree, node, conditions, limit)
        if states is not None:
            groups.append(Group(node, conditions, *states))
        else:
            waiting += _steps(tree, node, conditions)
    return groups


def _steps(tree: SplitTree, node: int, conditions: Conditions) -> list[tuple[int, Conditions]]:
    """Give both children of a node with the conditions of the paths to them."""
    k = tree.column_of[node]
    through, share = conditions.get(k, (tree.everything[k], 1.0))
    left, right = tree.children[node]
    inside = tree.lefts[node]
    return [
        (left, {**conditions, k: (through & inside, share * tree.share(node, left))}),
        (right, {**conditions, k: (through & ~inside, share * tree.share(node, right))}),
    ]


def _states(
    tree: SplitTree, node: int, conditions: Conditions, limit: int
) -> tuple[dict[int, list[int]], int] | None:
    """Give the states of a subtree's columns and their number; None where there are too many."""
    splits: dict[int, set[int]] = {}
    if node >= 0:
        start = tree.place[node]
        for other in tree.preorder[start : start + tree.below[node]]:
            splits.setdefault(tree.column_of[other], set()).add(tree.lefts[other])
    states: dict[int, list[int]] = {}
    total = 1
    # columns with many splits first, to see soon that there are too many states
    for k in sorted({*conditions, *splits}, key=lambda k: (-len(splits.get(k, ())), k)):
        through = conditions[k][0] if k in conditions else tree.everything[k]
        parts = [through] if through else []
        for inside in splits.get(k, ()):
            parts = [part for whole in parts for part in (whole & inside, whole & ~inside) if part]
            if node >= 0 and total * len(parts) > limit:
                return None
        if outside := tree.everything[k] & ~through:
            parts.append(outside)
        states[k] = parts
        total *= len(parts)
        if node >= 0 and total > limit:
            return None
    return states, total


def leaves_of(tree: SplitTree, group: Group | None = None) -> list[tuple[float, Conditions]]:
    """Give the value of each leaf of a group, or of the tree, with the conditions of the whole path to it."""
    leaves = []
    waiting: list[tuple[int, Conditions]] = [(0, {}) if group is None else (group.root, group.conditions)]
    while waiting:
        node, conditions = waiting.pop()
        if node < 0:
            leaves.append((tree.leaf_values[~node], conditions))
        else:
            waiting += _steps(tree, node, conditions)
    return leaves


def as_bits(numbers: Sequence[int], n: int) -> np.ndarray:
    """Bits (m, n), bool, of m numbers below 2**n; the lowest comes first."""
    width = (n + 7) // 8
    as_bytes = b"".join(number.to_bytes(width, "little") for number in numbers)
    rows = np.frombuffer(as_bytes, dtype=np.uint8).reshape(-1, width)
    return np.unpackbits(rows, axis=1, count=n, bitorder="little").astype(bool)


def bits_of(number: int) -> Iterator[int]:
    """Give the positions of the bits of a number."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
