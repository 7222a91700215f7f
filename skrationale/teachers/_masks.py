"""Which leaf of each tree a row reaches: bits that are looked up, instead of a walk through each tree."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ._bins import MISSING_BIN, Bins, CategoryBins, NumericBins, bins_of, in_bins, starts_of
from ._lightgbm_text import MISSING_TYPES, category_sets_of, joined, splits_of
from ._upwards import JoinedTrees

MOST_LEAVES, MOST_LEVELS, MOST_BYTES = 64, 128, 2**26
"""Leaves of a tree, one bit each, levels that the sets of splits name, and memory for the masks, at most. Not
measured."""
CELLS_AT_ONCE = 2**15
"""Masks of a chunk of rows: few enough for a processor's own memory. Measured: on 10,000 rows of 300 trees
and 14 columns chunks of 32, 64, 128 and 256 rows take 11, 8, 7 and 7 ms."""
OF_TREE, OF_COLUMN, OF_BIN, OF_NODE, OF_WALK = 4.0, 0.2, 3.0, 2000.0, 25.0
"""Nanoseconds of a row in a tree by masks, and for each column more; to make the mask of a bin in a tree, and
to read a node; and for LightGBM to send a row through a tree of 31 leaves, on one thread. Measured: on six
data sets masks are faster from 2,000 to 4,000 rows on, and are taken from 2,500 to 6,000."""
BINS_OF_COLUMN = 255
"""Most bins of a column that are reckoned with before they are made: LightGBM's default. Not measured."""


def are_faster(n_rows: int, n_trees: int, n_nodes: int, n_columns: int, n_threads: int) -> bool:
    """Say whether masks, which are yet to be made, would find leaves earlier than LightGBM does."""
    n_bins = min(n_nodes, BINS_OF_COLUMN * n_columns)
    by_masks = n_trees * (n_rows * (OF_TREE + OF_COLUMN * n_columns) + n_bins * OF_BIN) + n_nodes * OF_NODE
    return by_masks < n_trees * n_rows * OF_WALK / n_threads


class LeafMasks:
    """The leaves of T trees that each bin of a column can reach, as bits.

    Leaves of a tree are numbered from left to right. A split that sends a bin to the right takes the leaves
    to its left away from it, and the leaf of a row is the first that is left in all masks of its bins
    (QuickScorer, Lucchese et al., SIGIR 2015).

    Parameters
    ----------
    bins : sequence of NumericBins and CategoryBins
        Of the d' columns that are split on.
    masks : ndarray of shape (R, T), uint32 or uint64
        Of the bins of all columns.
    leaf_at : ndarray of shape (L,), int32
        Number of the leaf in each place, tree after tree.
    first_leaf : ndarray of shape (T,)
        First place of each tree.

    Notes
    -----
    Rows are read as tables of exact contributions read them, by the same bins.
    """

    def __init__(
        self, bins: Sequence[Bins], masks: np.ndarray, leaf_at: np.ndarray, first_leaf: np.ndarray
    ) -> None:
        self._bins, self._masks = bins, masks
        self._leaf_at, self._first_leaf = leaf_at, first_leaf.astype(np.int32)
        self._starts = starts_of(bins)[:-1].astype(np.int32)

    @classmethod
    def of(cls, trees: list[dict[str, str]], forest: JoinedTrees, n_features: int) -> LeafMasks | None:
        """Make the masks of trees; None where these are too large, or one reads a column in a way of its own.

        Parameters
        ----------
        trees : list of dict of str
            As fields of text.
        forest : JoinedTrees
            The same trees.
        n_features : int
            Number of columns that rows have.

        Returns
        -------
        LeafMasks or None
        """
        most = forest.n_leaves.max()
        if not 1 < most <= MOST_LEAVES or max(map(_n_levels, trees)) > MOST_LEVELS:
            return None
        splits, dtype = splits_of(trees, n_features), np.uint32 if most <= 32 else np.uint64
        bins = bins_of(splits)
        starts = starts_of(bins)
        shape = (int(starts[-1]), len(trees))
        if shape[0] * shape[1] * np.dtype(dtype).itemsize > MOST_BYTES:
            return None
        places, kept = _places(forest)
        masks = np.full(shape, np.iinfo(dtype).max, dtype=dtype)
        columns, thresholds = joined(trees, "split_feature", np.intp), joined(trees, "threshold")
        decisions, kept = joined(trees, "decision_type", np.intp), kept.astype(dtype)
        tree = np.repeat(np.arange(len(trees)), forest.n_leaves - 1)
        by_category = decisions & 1 == 1
        sets = dict(zip(np.flatnonzero(by_category).tolist(), category_sets_of(trees), strict=True))
        for own, column in zip(np.split(masks, starts[1:-1]), bins, strict=True):
            nodes = np.flatnonzero(columns == column.column)
            if isinstance(column, CategoryBins):
                if not by_category[nodes].all():
                    return None
                known = {levels: k for k, levels in enumerate(splits[column.column].category_sets)}
                chosen = [known[sets[node]] for node in nodes.tolist()]
                _by_sets(own, column, chosen, tree[nodes], kept[nodes])
            else:
                if (decisions[nodes] >> 2 & 3 != MISSING_TYPES.index(column.missing_type)).any():
                    return None
                missing_left = decisions[nodes] >> 1 & 1 == 1
                _by_thresholds(own, column, thresholds[nodes], missing_left, tree[nodes], kept[nodes])
        leaf_at = np.empty(len(places), dtype=np.int32)
        leaf_at[places + np.repeat(forest.first_leaf, forest.n_leaves)] = np.arange(len(places))
        return cls(bins, masks, leaf_at, forest.first_leaf)

    def leaves(self, X: np.ndarray) -> np.ndarray:
        """Leaf (n, T), int32, of each row of numbers and codes (n, d) in each tree, among all L."""
        rows = in_bins(X, self._bins) + self._starts
        n, n_trees = len(rows), self._masks.shape[1]
        found = np.empty((n, n_trees), dtype=np.int32)
        step = max(1, CELLS_AT_ONCE // n_trees)
        reached, other = np.empty((2, min(step, n), n_trees), dtype=self._masks.dtype)
        for start in range(0, n, step):
            chunk = rows[start : start + step].T  # indices are right: "clip" spares a buffer for `out`
            left, more = reached[: chunk.shape[1]], other[: chunk.shape[1]]
            self._masks.take(chunk[0], axis=0, out=left, mode="clip")
            for column in chunk[1:]:
                self._masks.take(column, axis=0, out=more, mode="clip")
                left &= more
            # the zeros below the lowest bit that is set
            np.subtract(left, 1, out=more)
            np.bitwise_and(~left, more, out=more)
            places = np.bitwise_count(more) + self._first_leaf
            self._leaf_at.take(places, out=found[start : start + step], mode="clip")
        return found


def _n_levels(tree: dict[str, str]) -> int:
    """Levels up to the last one that a set of a tree names, rounded up to 32."""
    if tree["num_cat"] == "0":
        return 0
    return 32 * max(end - start for start, end in pairwise(map(int, tree["cat_boundaries"].split())))


def _places(forest: JoinedTrees) -> tuple[np.ndarray, np.ndarray]:
    """Place (L,) of each leaf in its tree, from left to right, and what the right side of each node keeps.

    Returns
    -------
    places : ndarray of shape (L,)
    kept : ndarray of shape (N,), uint64
        All bits but those of the leaves to the left.
    """
    steps = list(forest.upwards())
    n_left = np.zeros(forest.n_inner, dtype=np.intp)
    for _, node, above in steps:
        n_left += np.bincount(above[~forest.is_right[node]], minlength=forest.n_inner)
    places = np.zeros(len(forest.parent) - forest.n_inner, dtype=np.intp)
    for leaf, node, above in steps:
        places[leaf] += np.where(forest.is_right[node], n_left[above], 0)
    first = np.full(forest.n_inner, MOST_LEAVES, dtype=np.intp)
    for leaf, _, above in steps:
        np.minimum.at(first, above, places[leaf])
    ones = (np.uint64(1) << n_left.astype(np.uint64)) - np.uint64(1)
    return places, ~(ones << first.astype(np.uint64))


def _by_thresholds(
    masks: np.ndarray,
    column: NumericBins,
    thresholds: np.ndarray,
    missing_left: np.ndarray,
    tree: np.ndarray,
    kept: np.ndarray,
) -> None:
    """Take away from bins (n_bins, T) what m splits at thresholds forbid, in place."""
    above = np.searchsorted(column.thresholds, thresholds) + MISSING_BIN + 2
    np.bitwise_and.at(masks, (above, tree), kept)
    numbers = masks[MISSING_BIN + 1 :]
    np.bitwise_and.accumulate(numbers, axis=0, out=numbers)
    np.bitwise_and.at(masks, (MISSING_BIN, tree[~missing_left]), kept[~missing_left])


def _by_sets(
    masks: np.ndarray, column: CategoryBins, sets: Sequence[int], tree: np.ndarray, kept: np.ndarray
) -> None:
    """Take away from bins (n_bins, T) what m splits by sets of levels, given by number, forbid, in place."""
    allowed = np.where(column.members[:, sets], ~masks.dtype.type(0), kept)
    np.bitwise_and.at(masks, (np.arange(len(masks))[:, None], tree), allowed)
