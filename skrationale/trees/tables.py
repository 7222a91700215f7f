"""Contributions of a forest to rows of numbers and codes, by tables wherever these fit into memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._batches import in_batches, one_or_several
from ..teachers import FEWEST_ROWS, TreeNodes, bins_of
from ..teachers.lightgbm import LightGBMTeacher
from ._binned import FEW_ROWS, BinnedTrees, built
from ._left_over import LeftOver
from ._plan import plan

MAX_TABLE_BYTES = 2**29
"""Memory for tables by default: twice what 300 trees of 31 leaves take on 28 columns. Measured: 130 MB."""
ROWS_AT_ONCE = 8192
"""Rows of a batch. Measured: 2048 take 1.1 times as long."""
FEW_FOR_TABLES = 256
"""Rows of a table below which LightGBM itself is faster than to build tables, which takes as long as some
400. Measured on 300 trees of 31 leaves."""
FEW_COMPUTED, FEW_A_LEAF = 64, 0.25
"""Rows below which LightGBM is faster than quadrature, which makes two matrices a tree first, and how many
more for each leaf of a tree. Measured on 10 and 28 columns: 85 to 110 rows at 127 leaves, 115 to 150 at 255,
165 to 190 at 500, 290 to 300 at 1000."""
LEAST_BATCH = 512
"""Rows of a batch at least where matrices are made for each. Measured: these take a third of its time."""


class ForestTables:
    """The tables of a forest, and what is computed beside them.

    Parameters
    ----------
    teacher : LightGBMTeacher
        The forest, with K outputs and d columns. Later changes of its model are not seen.
    max_table_bytes : int, default=2**29
        Most memory for tables.
    dtype : {"float32", "float64"}, default="float32"
        Precision of tables and sums.
    verbose : int or "auto", default="auto"
        0: silent, 1: a progress bar. ``"auto"``: a bar in notebooks and terminals, after 3 seconds.

    Attributes
    ----------
    by_tables, by_quadrature, by_lightgbm : int
        How many trees go which way.
    base_values : ndarray of shape (K,)
        Expected raw score of each output.
    n_features, n_outputs : int
        d and K.
    """

    by_pairs = 0

    def __init__(
        self,
        teacher: LightGBMTeacher,
        max_table_bytes: int = MAX_TABLE_BYTES,
        dtype: str = "float32",
        verbose: int | str = "auto",
    ) -> None:
        nodes, k = teacher.nodes(), teacher.n_outputs
        self.dtype, self.n_outputs, self.n_features = dtype, k, teacher.n_features
        self.base_values = base_values_of(nodes, k)
        bins = bins_of(teacher.splits())
        ways = plan(nodes, bins, k, int(max_table_bytes), np.dtype(dtype).itemsize)
        computed, left = ways.iterations_computed, ways.iterations_left
        self.by_quadrature, self.by_lightgbm = k * len(computed), k * len(left)
        self.by_tables = len(nodes) - self.by_quadrature - self.by_lightgbm
        self._trees = BinnedTrees(bins, built(ways.tabled, bins, dtype, verbose), ways.computed, dtype)
        n_leaves = float(np.mean([len(tree.values) for tree in ways.computed] or 0))
        self._few = FEW_COMPUTED + FEW_A_LEAF * n_leaves
        self._left_over = LeftOver(teacher, left) if left else None
        # for few rows all that is in no table
        self._in_no_table = LeftOver(teacher, [*computed, *left]) if computed else self._left_over

    @property
    def nbytes(self) -> int:
        """Memory of the tables."""
        return self._trees.nbytes

    def contributions(
        self, codes: np.ndarray, batch_size: int | None = None, n_jobs: int | None = None
    ) -> tuple[np.ndarray, dict[str, int]]:
        """Give the contribution of each column to each output.

        Parameters
        ----------
        codes : ndarray of shape (n, d)
            Numbers, and the forest's codes of categories.
        batch_size, n_jobs : int, default=None
            As in :meth:`TreeContributions.explain`.

        Returns
        -------
        values : ndarray of shape (n, d) or, for more outputs than one, (n, d, K), float64
            Read-only.
        trees : dict of str to int
            How many trees went which way.
        """
        size = batch_size or ROWS_AT_ONCE
        few = len(codes) < self._few
        left_over = self._in_no_table if few else self._left_over
        if self._trees.computed and not few:
            size = max(size, LEAST_BATCH)

        threads = n_jobs if n_jobs is None or len(codes) <= size else 1  # of LightGBM in each batch

        def part(chosen: slice) -> list[np.ndarray]:
            some = codes[chosen]
            if left_over is None:
                values = np.zeros((len(some), self.n_outputs, self.n_features))
            else:
                values = left_over.contributions(some, threads)
            self._trees.add_to(values, some, few=few, one_by_one=len(codes) <= FEW_ROWS)
            return [one_or_several(values.transpose(0, 2, 1))]

        values = in_batches(part, len(codes), size, n_jobs)[0]
        by_quadrature, by_lightgbm = self.by_quadrature, self.by_lightgbm
        if few:
            by_quadrature, by_lightgbm = 0, by_quadrature + by_lightgbm
        return values, {"tables": self.by_tables, "quadrature": by_quadrature, "lightgbm": by_lightgbm}


def base_values_of(nodes: Sequence[TreeNodes], n_outputs: int) -> np.ndarray:
    """Give the expected raw score (K,) of each output; tree t belongs to output ``t % K``."""
    means = [mean_of(tree) for tree in nodes]
    return np.bincount(np.arange(len(nodes)) % n_outputs, means, minlength=n_outputs)


def mean_of(tree: TreeNodes) -> float:
    """Give the mean of the leaves of a tree, weighted by their rows."""
    return float(np.average(tree.leaf_values, weights=np.maximum(tree.leaf_counts, FEWEST_ROWS)))
