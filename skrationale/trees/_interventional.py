"""Interventional Shapley values of a forest, by tables wherever these fit into memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._batches import in_batches, one_or_several
from ..teachers import Bins, ColumnSplits, TreeNodes, bins_of
from ..teachers.lightgbm import LightGBMTeacher
from ._background import Background
from ._binned import FEW_ROWS, BinnedTrees, built
from ._groups import split_tree
from ._pairs_tree import PairsTree
from ._plan import plan
from ._quadrature import QuadratureTree
from .reading import model_rows, naming_background
from .tables import MAX_TABLE_BYTES, ROWS_AT_ONCE

MOST_PAIRS = 2**31
"""Pairs of a background row and a leaf without a table, beyond which a background is refused. Measured: 0.8e9
take 20 seconds a call."""


def background_rows(teacher: LightGBMTeacher, background: Any) -> np.ndarray:
    """Read background rows (B, d) for a model; raise where it cannot read them, or where there are none."""
    with naming_background():
        return model_rows(teacher, background).codes


class InterventionalTables:
    """Tables of a forest against background rows, and what is computed beside them.

    Parameters
    ----------
    teacher : LightGBMTeacher
        The forest, with K outputs and d columns in its own order. Later changes of its model are not seen.
    background : ndarray of shape (B, d)
        Numbers and codes of the rows that cells outside of a coalition come from.
    max_table_bytes : int, default=2**29
        Most memory for tables.
    dtype : {"float32", "float64"}, default="float32"
        Precision of tables and sums.
    verbose : int or "auto", default="auto"
        0: silent, 1: a progress bar. ``"auto"``: a bar in notebooks and terminals, after 3 seconds.

    Attributes
    ----------
    by_tables, by_pairs : int
        How many trees go which way.
    base_values : ndarray of shape (K,)
        Mean raw score of the background rows.
    """

    by_quadrature = by_lightgbm = 0

    def __init__(
        self,
        teacher: LightGBMTeacher,
        background: np.ndarray,
        max_table_bytes: int = MAX_TABLE_BYTES,
        dtype: str = "float32",
        verbose: int | str = "auto",
    ) -> None:
        nodes, k = teacher.nodes(), teacher.n_outputs
        self._shape = (k, teacher.n_features)
        self.base_values = teacher.raw_scores(background).mean(axis=0)
        bins = bins_of(teacher.splits())
        ways = plan(nodes, bins, k, max_table_bytes, np.dtype(dtype).itemsize)
        rows = Background.of(background, bins)
        pairs = [PairsTree(tree, rows) for tree in ways.computed]
        others = set(ways.iterations_left)
        left = [t for t, tree in enumerate(nodes) if t // k in others and len(tree.columns)]
        alone = [_alone(nodes[t], t % k, background) for t in left]
        _check([*pairs, *(tree for _, tree in alone)])
        shelves = built(ways.tabled, bins, dtype, verbose, rows.contributions)
        self._trees = [BinnedTrees(bins, shelves, pairs, dtype)]
        self._trees += [BinnedTrees(own, [], [tree], dtype) for own, tree in alone]
        self.by_pairs = k * (len(ways.iterations_computed) + len(ways.iterations_left))
        self.by_tables = len(nodes) - self.by_pairs

    @property
    def nbytes(self) -> int:
        """Memory of the tables."""
        return self._trees[0].nbytes

    def contributions(
        self, codes: np.ndarray, batch_size: int | None = None, n_jobs: int | None = None
    ) -> tuple[np.ndarray, dict[str, int]]:
        """Give the contribution of each column to each output, see `ForestTables.contributions`."""
        size = batch_size or ROWS_AT_ONCE
        if self.by_pairs:
            size = max(size, ROWS_AT_ONCE)

        def part(chosen: slice) -> list[np.ndarray]:
            some = codes[chosen]
            values = np.zeros((len(some), *self._shape))
            for trees in self._trees:
                trees.add_to(values, some, one_by_one=len(codes) <= FEW_ROWS)
            return [one_or_several(values.transpose(0, 2, 1))]

        values = in_batches(part, len(codes), size, n_jobs)[0]
        return values, {"tables": self.by_tables, "pairs": self.by_pairs}


def _check(trees: Sequence[PairsTree]) -> None:
    """Refuse a background with which each call would take minutes."""
    leaves = sum(len(tree.layout.values) for tree in trees)
    rows = max((len(tree.background.bins) for tree in trees), default=0)
    if leaves * rows > MOST_PAIRS:
        raise ValueError(
            f"`background` must have at most {MOST_PAIRS // leaves} distinct rows for {leaves} leaves in "
            f"trees without tables, got {rows}. Take a sample, or allow more tables by `max_table_bytes`."
        )


def _alone(tree: TreeNodes, output: int, background: np.ndarray) -> tuple[list[Bins], PairsTree]:
    """Read a tree by bins of its own."""
    bins = _bins(tree)
    split = split_tree(tree, bins)
    assert split is not None
    return bins, PairsTree(QuadratureTree.of(output, split), Background.of(background, bins))


def _bins(tree: TreeNodes) -> list[Bins]:
    """Bins of the columns that one tree splits on."""
    splits = []
    for column in range(tree.columns.max() + 1):
        nodes = np.flatnonzero(tree.columns == column).tolist()
        sets = tuple({tree.category_sets[node]: None for node in nodes if node in tree.category_sets})
        thresholds = np.unique([tree.thresholds[node] for node in nodes if node not in tree.category_sets])
        kind = tree.missing_types[nodes[0]] if nodes else None
        splits.append(ColumnSplits(thresholds, np.zeros(len(thresholds)), sets, np.zeros(len(sets)), kind))
    return bins_of(splits)
