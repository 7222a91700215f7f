"""TreeSHAP of LightGBM models, exact, looked up in tables wherever these fit into memory."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from .._batches import check_batching, in_batches, one_or_several
from .._explaining import explanation_of
from .._task import Task
from ..explanation import Explanation
from ..tabular import as_frame_or_array
from ..teachers import FEWEST_ROWS, TreeNodes, bins_of
from ..training import limit_threads
from ._left_over import LeftOver
from ._parts import Part, packed, part_of
from ._plan import WIDE, TabledTree, plan
from ._quadrature import QuadratureTree
from .reading import ModelRows, forest_of, model_rows, task_of

MAX_TABLE_BYTES = 2**29
"""Memory for tables by default: twice what 300 trees of 31 leaves take on 28 columns. Measured: 130 MB."""
ROWS_AT_ONCE = 8192
"""Rows of a batch. Measured: 2048 take 1.1 times as long."""
FEW_ROWS = 256
"""Rows of a table below which LightGBM itself is faster than to build tables, which takes as long as some
400. Measured on 300 trees of 31 leaves."""
FEW_COMPUTED, FEW_A_LEAF = 64, 0.25
"""Rows below which LightGBM is faster than quadrature, which makes two matrices a tree first, and how many
more for each leaf of a tree. Measured on 10 and 28 columns: 85 to 110 rows at 127 leaves, 115 to 150 at 255,
165 to 190 at 500, 290 to 300 at 1000."""
LEAST_BATCH = 512
"""Rows of a batch at least where matrices are made for each. Measured: these take a third of its time."""
DTYPES = ("float32", "float64")


class TreeContributions:
    """Exact TreeSHAP of a LightGBM model, as tables: built once, for any number of calls.

    The values are those of LightGBM's ``pred_contrib=True`` (path-dependent TreeSHAP), many times
    faster. Trees are cut into small parts; the contributions of a part to a row depend only on which of its
    splits the row meets, and stand in a table. Trees whose tables would take too much memory are computed for
    each row, by a quadrature that is exact, and still faster than LightGBM. What neither can do, few
    rows of such trees and trees beyond all bounds, is left to LightGBM, which is exact too.

    Parameters
    ----------
    model : LGBMClassifier, LGBMRegressor or lightgbm.Booster
        Fitted, also in a FrozenEstimator. Later changes of it are not seen.
    max_table_bytes : int, default=2**29
        Most memory for tables. Trees with small tables come first; those that do not fit are computed for
        each row. 0: all are.
    dtype : {"float32", "float64"}, default="float32"
        Precision of tables and sums: errors are about 1e-7 or 1e-15 of the largest contribution. The second
        takes twice the memory, and several times as long.
    verbose : int, default=0
        1: a progress bar of the build.

    Attributes
    ----------
    n_trees_by_tables, n_trees_by_quadrature, n_trees_by_lightgbm : int
        How many trees go which way.
    base_values : ndarray of shape (K,)
        Expected raw score of each output.

    Raises
    ------
    TypeError
        If the model is not LightGBM.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If the model's raw score cannot be explained, a leaf is not finite, or a parameter is none of those
        above.

    See Also
    --------
    tree_contributions : The same for one table.
    skrationale.gbdt2nn.path_contributions : Saabas' contributions, which are no Shapley values.

    Notes
    -----
    Calls change nothing: one object may serve several threads, and be sent to other processes.

    Examples
    --------
    >>> import numpy as np
    >>> from lightgbm import LGBMRegressor
    >>> from skrationale import TreeContributions
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> model = LGBMRegressor(n_estimators=20, verbose=-1).fit(X, X[:, 0] + X[:, 1] * X[:, 2])
    >>> contributions = TreeContributions(model, dtype="float64")
    >>> contributions
    TreeContributions(20 trees by tables, 0 by quadrature, 0 by LightGBM)
    >>> explanation = contributions.explain(X)
    >>> bool(np.allclose(explanation.values, model.predict(X, pred_contrib=True)[:, :-1]))
    True
    """

    def __init__(
        self, model: Any, *, max_table_bytes: int = MAX_TABLE_BYTES, dtype: str = "float32", verbose: int = 0
    ) -> None:
        _check(max_table_bytes, dtype)
        teacher = forest_of(model)
        nodes, k = teacher.nodes(), teacher.n_outputs
        self.dtype = dtype
        self.base_values = np.bincount(
            np.arange(len(nodes)) % k, [_mean(tree) for tree in nodes], minlength=k
        )
        self._task = task_of(teacher)
        self._bins = bins_of(teacher.splits())
        self._starts = np.cumsum([0, *(column.n_bins for column in self._bins)])
        ways = plan(nodes, self._bins, k, int(max_table_bytes), np.dtype(dtype).itemsize)
        computed, left = ways.iterations_computed, ways.iterations_left
        self.n_trees_by_quadrature, self.n_trees_by_lightgbm = k * len(computed), k * len(left)
        self.n_trees_by_tables = len(nodes) - self.n_trees_by_quadrature - self.n_trees_by_lightgbm
        self._parts, self._computed = self._build(ways.tabled, verbose), ways.computed
        n_leaves = float(np.mean([len(tree.values) for tree in ways.computed] or 0))
        self._few = FEW_COMPUTED + FEW_A_LEAF * n_leaves
        self._left_over = LeftOver(teacher, left) if left else None
        # for few rows all that is in no table
        self._in_no_table = LeftOver(teacher, [*computed, *left]) if computed else self._left_over
        self._teacher = forest_of(teacher.booster)

    def _build(self, trees: Sequence[TabledTree], verbose: int) -> list[Part]:
        """Compute the tables."""
        wide = len(self._bins) > WIDE
        parts = []
        with tqdm(total=len(trees), unit="tree", disable=not verbose) as bar:
            for some in packed(trees, len(self._bins), np.dtype(self.dtype).itemsize, wide=wide):
                parts.append(part_of(some, self._starts, self.dtype, wide=wide))
                bar.update(len(some))
        return parts

    @property
    def nbytes(self) -> int:
        """Memory of the tables."""
        return sum(part.nbytes for part in self._parts)

    def __repr__(self) -> str:
        counts = f"{self.n_trees_by_tables} trees by tables, {self.n_trees_by_quadrature} by quadrature"
        return f"{type(self).__name__}({counts}, {self.n_trees_by_lightgbm} by LightGBM)"

    def explain(self, X: Any, *, batch_size: int | None = None, n_jobs: int | None = None) -> Explanation:
        """Give the contribution of each column to the raw score of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows, with the columns at fit.
        batch_size : int, default=None
            Rows computed at once, at least 512 where trees are computed for each row; None: 8192.
        n_jobs : int, default=None
            Threads that share the batches, or of LightGBM; None: 1, and for LightGBM as the model says.

        Returns
        -------
        Explanation
            Of kind ``"additive"``, `values` of shape (n, d) or, for more outputs than one, (n, d, K). Base
            and values add up to the raw score, in log-odds for classifiers of two classes.
            ``meta["trees"]`` says how many trees went which way.

        Raises
        ------
        ValueError, TypeError
            If columns are not those at fit, or cells cannot be read.
        """
        check_batching(batch_size, n_jobs)
        rows = model_rows(self._teacher, X)
        size = batch_size or ROWS_AT_ONCE
        few = len(rows.codes) < self._few
        computed, left_over = ([], self._in_no_table) if few else (self._computed, self._left_over)
        if computed:
            size = max(size, LEAST_BATCH)

        threads = n_jobs if n_jobs is None or len(rows.codes) <= size else 1  # of LightGBM in each batch

        def part(chosen: slice) -> list[np.ndarray]:
            some = rows.codes[chosen]
            if left_over is None:
                values = np.zeros((len(some), self._teacher.n_outputs, self._teacher.n_features))
            else:
                values = left_over.contributions(some, threads)
            if self._parts or computed:
                values[..., [column.column for column in self._bins]] += self._of_bins(some, computed)
            return [one_or_several(values.transpose(0, 2, 1))]

        values = in_batches(part, len(rows.codes), size, n_jobs)[0]
        by_quadrature, by_lightgbm = self.n_trees_by_quadrature, self.n_trees_by_lightgbm
        if few:
            by_quadrature, by_lightgbm = 0, by_quadrature + by_lightgbm
        trees = {"tables": self.n_trees_by_tables, "quadrature": by_quadrature, "lightgbm": by_lightgbm}
        return _explanation(rows, self._task, values, self.base_values, trees)

    def _of_bins(self, codes: np.ndarray, computed: Sequence[QuadratureTree]) -> np.ndarray:
        """Contributions (n, K, d') of the columns that are split on, by tables and these quadratures."""
        import torch

        bins = np.empty((len(codes), len(self._bins)), dtype=np.int32)
        for i, column in enumerate(self._bins):
            bins[:, i] = column.encode(np.ascontiguousarray(codes[:, column.column]))
        found = np.zeros((len(codes), self._teacher.n_outputs, len(self._bins)))
        sums = torch.from_numpy(found)
        with torch.inference_mode(), limit_threads():
            encoded = torch.from_numpy(bins + self._starts[:-1].astype(np.int32))
            for part in self._parts:
                part.add_to(sums, encoded)
            for tree in computed:
                tree.add_to(sums, bins, self.dtype)
        return found


def _explanation(
    rows: ModelRows, task: Task, values: np.ndarray, base: np.ndarray, trees: dict[str, int]
) -> Explanation:
    """Put values (n, d) or (n, d, K) and base (K,) together, and say how many trees went which way."""
    meta = {"explanation": "tree_shap", "model": "teacher", "trees": trees}
    names, cells = rows.names, (rows.table, rows.codes)
    return explanation_of(
        rows.reader, task, *cells, values, one_or_several(base), feature_names=names, meta=meta
    )


def _check(max_table_bytes: Any, dtype: Any) -> None:
    number = isinstance(max_table_bytes, Integral) and not isinstance(max_table_bytes, bool)
    if not number or max_table_bytes < 0:
        raise ValueError(f"`max_table_bytes` must be an integer of at least 0, got {max_table_bytes!r}.")
    if dtype not in DTYPES:
        raise ValueError(f"`dtype` must be 'float32' or 'float64', got {dtype!r}.")


def _mean(tree: TreeNodes) -> float:
    """Mean of the leaves of a tree, weighted by their rows."""
    return float(np.average(tree.leaf_values, weights=np.maximum(tree.leaf_counts, FEWEST_ROWS)))


def tree_contributions(
    model: Any,
    X: Any,
    *,
    batch_size: int | None = None,
    n_jobs: int | None = None,
    max_table_bytes: int = MAX_TABLE_BYTES,
    dtype: str = "float32",
    verbose: int = 0,
) -> Explanation:
    """Explain a LightGBM model by exact TreeSHAP, many times faster than LightGBM does.

    The values are those of ``pred_contrib=True``, with missing values and categories, for any number of
    classes. To explain several tables, build :class:`TreeContributions` once. Fewer than 256 rows are left to
    LightGBM, which has explained them before tables are built.

    Parameters
    ----------
    model : LGBMClassifier, LGBMRegressor or lightgbm.Booster
        Fitted, also in a FrozenEstimator.
    X : DataFrame or array-like of shape (n, d)
        Rows, with the columns at fit.
    batch_size : int, default=None
        Rows computed at once; None: 8192.
    n_jobs : int, default=None
        Threads that share the batches, or of LightGBM; None: 1, and for LightGBM as the model says.
    max_table_bytes : int, default=2**29
        Most memory for tables; trees that do not fit are computed for each row.
    dtype : {"float32", "float64"}, default="float32"
        Precision of tables and sums, see :class:`TreeContributions`.
    verbose : int, default=0
        1: a progress bar while tables are built.

    Returns
    -------
    Explanation
        Of kind ``"additive"``, see :meth:`TreeContributions.explain`.

    Raises
    ------
    TypeError
        If the model is not LightGBM.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If the model's raw score cannot be explained, or columns are not those at fit.

    Examples
    --------
    >>> import numpy as np
    >>> from lightgbm import LGBMRegressor
    >>> from skrationale import tree_contributions
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> model = LGBMRegressor(n_estimators=20, verbose=-1).fit(X, X[:, 0] + 2 * X[:, 1])
    >>> explanation = tree_contributions(model, X)
    >>> explanation.top(2)
    ['x1', 'x0']
    >>> bool(explanation.additivity_error(model.predict(X)) < 1e-6)
    True
    >>> explanation.meta["trees"]
    {'tables': 20, 'quadrature': 0, 'lightgbm': 0}
    """
    check_batching(batch_size, n_jobs)
    _check(max_table_bytes, dtype)
    table = as_frame_or_array(X)
    if len(table) >= FEW_ROWS:
        contributions = TreeContributions(
            model, max_table_bytes=max_table_bytes, dtype=dtype, verbose=verbose
        )
        return contributions.explain(table, batch_size=batch_size, n_jobs=n_jobs)
    teacher = forest_of(model)
    rows = model_rows(teacher, table)
    values, base = teacher.shap_contributions(rows.codes, n_jobs=n_jobs)
    own = one_or_several(values.transpose(0, 2, 1))
    trees = {"tables": 0, "quadrature": 0, "lightgbm": teacher.n_trees}
    return _explanation(rows, task_of(teacher), own, base, trees)
