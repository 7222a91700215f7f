"""What each leaf of a forest contributes to each column (Saabas), in one table for all rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from ._columns import some_rows
from ._lightgbm_text import joined, leaf_values_of
from ._masks import LeafMasks, are_faster
from ._protocol import FEWEST_ROWS
from ._upwards import JoinedTrees
from .lightgbm import LightGBMTeacher

CELLS_AT_ONCE = 2**20
"""Leaf indices of a chunk of rows, about 30 bytes each: fits in memory, and chunks are few. Not measured."""
ROWS_CHECKED = 256
"""Rows whose sums are compared with the model, spread over the table. Not measured."""
TOLERANCE = 1e-9
"""What sums may miss, as a share of the largest of their parts."""
DENSE_BELOW = 16
"""Cells a non-zero up to which a product with the dense table is the faster one (measured)."""


class LeafTable:
    """What each leaf of a model contributes to each column.

    On the way from the root to a leaf, the step to a child adds the child's value less its parent's
    to the column that the parent splits on. The value of an inner node is the mean of the leaves
    below, weighted by their training rows: LightGBM's own base value is then the value of the roots.

    Parameters
    ----------
    teacher : LightGBMTeacher
        A model with K outputs and d columns, whose T trees have L leaves together.
    n_rows : int, default=0
        Rows that will be explained in all, if they come in several calls.

    Attributes
    ----------
    base : ndarray of shape (K,)
        Raw score before any split.
    table : sparse matrix or ndarray of shape (L, d)
        Contributions of each leaf, in units of the raw score.

    Raises
    ------
    ValueError
        If the value of a leaf is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from lightgbm import LGBMRegressor
    >>> X = np.repeat([[0.0], [1.0]], 50, axis=0)
    >>> model = LGBMRegressor(n_estimators=1, learning_rate=1.0, verbose=-1).fit(X, X[:, 0])
    >>> table = LeafTable(LightGBMTeacher(model))
    >>> table.base, table.table.round(9)
    (array([0.5]), array([[-0.5], [ 0.5]]))
    """

    def __init__(self, teacher: LightGBMTeacher, n_rows: int = 0) -> None:
        self.teacher, self._n_rows = teacher, n_rows
        trees = teacher.trees()
        forest = JoinedTrees.of(trees)
        columns = joined(trees, "split_feature", np.intp)
        counts, leaf_values = joined(trees, "leaf_count"), leaf_values_of(trees, teacher.scale)
        values = _node_values(forest, counts, leaf_values)
        roots, n_leaves = values[forest.roots], forest.n_leaves
        self.base = np.bincount(np.arange(len(trees)) % teacher.n_outputs, roots, minlength=teacher.n_outputs)
        self._trees, self._forest, self._n_columns = trees, forest, len(np.unique(columns))
        self.table = _walk(forest, columns, values, teacher.n_features)
        if teacher.order is not None:
            self.table = self.table[:, np.argsort(teacher.order)]
        total = np.repeat(roots, n_leaves) + np.asarray(self.table.sum(axis=1)).ravel()
        _check_sums(total, leaf_values, [values], "a leaf's value")
        if self.table.nnz * DENSE_BELOW >= np.prod(self.table.shape):
            self.table = self.table.toarray()

    def contributions(
        self, X: Any, *, batch_size: int | None = None, n_jobs: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Contributions of each column to the raw scores of rows.

        Parameters
        ----------
        X : DataFrame or ndarray of shape (n, d)
            What the model's ``predict`` takes.
        batch_size : int, default=None
            Rows computed at once; None: so many that about 30 MB are used.
        n_jobs : int, default=None
            Threads of LightGBM; None: as the model says.

        Returns
        -------
        values : ndarray of shape (n, K, d), float64
            Contributions.
        base : ndarray of shape (K,)
            ``base + values.sum(axis=-1)`` is the raw score.

        Raises
        ------
        RuntimeError
            If that is not so. All leaves were compared with their paths already, so 256 rows spread
            over the table tell whether leaves add up to what the model says.
        """
        step = batch_size or max(1, CELLS_AT_ONCE // len(self._trees))
        n, k = len(X), self.teacher.n_outputs
        values = np.zeros((n, k, self.teacher.n_features))
        leaves_of = self._finder(X, n_jobs)
        for start in range(0, n, step):
            leaves = leaves_of(some_rows(X, slice(start, start + step)))
            for output in range(k):
                values[start : start + step, output] = self._sums(leaves[:, output::k])
        checked = np.unique(np.linspace(0, n - 1, ROWS_CHECKED).astype(np.intp))
        raw = self.teacher.raw_scores(some_rows(X, checked), n_jobs=n_jobs)
        added = values[checked]
        _check_sums(self.base + added.sum(axis=-1), raw, [self.base, added], "the raw score")
        return values, self.base.copy()

    def _finder(self, X: Any, n_jobs: int | None) -> Callable[[Any], np.ndarray]:
        """Give what finds, of rows like those of X, the leaf (n, T) in each tree, among all L."""
        forest = self._forest
        # LightGBM turns numbers of other types into float32
        if isinstance(X, np.ndarray) and X.dtype == np.float64 and X.shape[1] == self.teacher.n_features:
            n, threads = max(len(X), self._n_rows), self.teacher.threads_for(n_jobs)
            size = len(self._trees), forest.n_inner, self._n_columns
            if are_faster(n, *size, threads) and self._masks is not None:
                return self._masks.leaves
        return lambda rows: self.teacher.leaves(rows, n_jobs=n_jobs) + forest.first_leaf

    @cached_property
    def _masks(self) -> LeafMasks | None:
        """Bits of the leaves that rows can reach, made when they are worth it."""
        return LeafMasks.of(self._trees, self._forest, self.teacher.n_features)

    def _sums(self, rows: np.ndarray) -> np.ndarray:
        """Sum, for each of n lists (n, t), the table's rows in it: (n, d)."""
        n, t = rows.shape
        picks = sparse.csr_matrix(
            (np.ones(rows.size), rows.ravel(), np.arange(0, rows.size + 1, t)), (n, self.table.shape[0])
        )
        sums = picks @ self.table
        return sums.toarray() if sparse.issparse(sums) else sums


def _node_values(forest: JoinedTrees, counts: np.ndarray, leaf_values: np.ndarray) -> np.ndarray:
    """Value (N + L,) of each node: the mean of the leaves (L,) below, weighted by their rows."""
    n_inner, weights = forest.n_inner, np.maximum(counts, FEWEST_ROWS)
    weight, total = np.zeros(n_inner), np.zeros(n_inner)
    for leaf, _, above in forest.upwards():
        weight += np.bincount(above, weights[leaf], minlength=n_inner)
        total += np.bincount(above, weights[leaf] * leaf_values[leaf], minlength=n_inner)
    return np.concatenate([total / weight, leaf_values])


def _walk(forest: JoinedTrees, columns: np.ndarray, values: np.ndarray, n_features: int) -> sparse.csr_matrix:
    """Add up the steps between root and leaf by column: (L, d), from all leaves upwards at once."""
    shape = (len(values) - forest.n_inner, n_features)
    table = sparse.csr_matrix(shape)
    for leaf, node, above in forest.upwards():
        table += sparse.csr_matrix((values[node] - values[above], (leaf, columns[above])), shape)
    return table


def _check_sums(sums: np.ndarray, expected: np.ndarray, parts: Sequence[np.ndarray], name: str) -> None:
    """Raise unless sums are as expected, to 1e-9 of the largest of the parts that they are made of."""
    error = np.abs(sums - expected).max()
    if not error <= TOLERANCE * max(np.abs(part).max(initial=0.0) for part in (expected, *parts)):
        raise RuntimeError(
            f"Path contributions do not add up to {name}: they differ by {error:.3g}. The model may have "
            "been changed since it was read."
        )
