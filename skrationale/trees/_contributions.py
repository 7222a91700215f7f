"""TreeSHAP of tree ensembles, exact, looked up in tables wherever these fit into memory."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from .._batches import check_batching, one_or_several
from .._explaining import explanation_of
from .._task import Task
from ..explanation import Explanation
from ..tabular import UNKNOWN_REPORTED, UNSEEN, as_frame_or_array, densely
from ..teachers.lightgbm import LightGBMTeacher
from ._interventional import InterventionalTables, background_rows
from .reading import (
    ModelReader,
    ModelRows,
    forest_against,
    forest_of,
    model_rows,
    naming_background,
    task_of,
)
from .tables import FEW_FOR_TABLES, MAX_TABLE_BYTES, ForestTables

FEW_ROWS_BY_PAIRS = 1024
"""Rows of a table below which pairs with background rows take no longer than to build tables. Measured on
300 trees of 31 leaves and on 14 and 28 columns: equal at 1,000 to 4,000, for backgrounds of 1 to 10,000."""
DTYPES = ("float32", "float64")


@dataclass(frozen=True, eq=False)
class _Anew:
    """What is kept to compute anew where rows hold levels that the background lacks, and a model may know.

    Parameters
    ----------
    teacher : LightGBMTeacher
        The forest, with a copy of its model, which does not store its levels.
    background : DataFrame of shape (B, d)
        A copy.
    max_table_bytes, dtype, verbose : int, str, int or str
        Of `TreeContributions`.
    """

    teacher: LightGBMTeacher
    background: Any
    max_table_bytes: int
    dtype: str
    verbose: int | str

    @classmethod
    def of(cls, teacher: LightGBMTeacher, background: Any, *options: Any) -> _Anew:
        """Copy what the user may change later."""
        own = copy.copy(teacher)
        own.model = copy.copy(teacher.model)
        return cls(own, as_frame_or_array(background).copy(), *options)

    def is_for(self, codes: np.ndarray) -> bool:
        """Whether codes (n, d) of rows hold a level that the forest does not know."""
        return any((codes[:, j] == UNSEEN).any() for j in self.teacher.missing_codes)

    def explain(self, X: Any, batch_size: int | None, n_jobs: int | None) -> Explanation:
        """Explain rows (n, d) by the forest with their levels too."""
        return tree_contributions(
            self.teacher.knowing(X),
            X,
            background=self.background,
            batch_size=batch_size,
            n_jobs=n_jobs,
            max_table_bytes=self.max_table_bytes,
            dtype=self.dtype,
            verbose=self.verbose,
        )


class TreeContributions:
    """Exact TreeSHAP values of a tree ensemble, from look-up tables that are built once.

    The values are those of LightGBM's ``pred_contrib=True`` (path-dependent TreeSHAP), computed many times
    faster. Trees are cut into small parts. The contributions of a part depend only on which of its splits a
    row passes, and are stored in a table. Trees whose tables would take too much memory are computed for each
    row by an exact quadrature, which is still faster than LightGBM. LightGBM itself, which is exact too,
    explains few rows of such trees, and trees that are too large even for the quadrature.

    With background rows the values are interventional Shapley values [1]_, which LightGBM does not compute:
    unknown values are replaced by those of a background row, and the results are averaged over these rows.
    The look-up of a row takes the same time for any number of background rows. Trees without tables are
    computed from pairs of a row and a background row.

    Parameters
    ----------
    model : estimator or Booster
        A fitted model, also in a FrozenEstimator. Later changes to it have no effect.
    background : DataFrame or array-like of shape (B, d), default=None
        Rows with the same columns as in ``fit``; 100 to 1,000 rows are common, and a row may be repeated.
        None: path-dependent TreeSHAP.
    max_table_bytes : int, default=2**29
        Largest memory for tables, in bytes. Trees with small tables come first; those that do not fit are
        computed for each row. 0: all trees are.
    dtype : {"float32", "float64"}, default="float32"
        Precision of tables and sums: errors are about 1e-7 or 1e-15 of the largest contribution.
        ``"float64"`` takes twice the memory and several times as long.
    verbose : int or "auto", default="auto"
        0: silent, 1: a progress bar. ``"auto"``: a bar in notebooks and terminals, after 3 seconds.

    Attributes
    ----------
    n_trees_by_tables, n_trees_by_quadrature, n_trees_by_lightgbm, n_trees_by_pairs : int
        How many trees are computed in each way.
    n_background_rows : int
        B; 0 without a background.
    base_values : ndarray of shape (K,)
        Expected raw score of each output: weighted by the training rows in each leaf, or the mean over the
        background rows.

    Raises
    ------
    TypeError
        If the model is not a tree ensemble of a known library.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If the model's raw score cannot be explained, a leaf is not finite, or a parameter is not as
        described. With a background also if each call would take minutes for trees without tables, or if a
        path in one of these splits on more than 53 columns.

    See Also
    --------
    tree_contributions : The same for one table.
    skrationale.gbdt2nn.path_contributions : Saabas' contributions, which are not Shapley values.

    Notes
    -----
    Calls do not change the object: several threads can use it, and it can be sent to other processes.

    CatBoost does not store the levels of its categories, so for CatBoost they are those of the background.
    Rows with other levels are explained correctly too, but for them all is computed anew in each call. To
    avoid this, let the background have category columns of pandas that name all levels.

    References
    ----------
    .. [1] S. M. Lundberg et al., "From local explanations to global understanding with explainable AI for
       trees", Nature Machine Intelligence 2, 2020. https://doi.org/10.1038/s42256-019-0138-9

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
    >>> against = TreeContributions(model, background=X[:100])
    >>> against
    TreeContributions(20 trees by tables, 0 by pairs, with 100 background rows)
    >>> bool(np.allclose(against.base_values, model.predict(X[:100]).mean()))
    True
    """

    _anew: _Anew | None = None

    def __init__(
        self,
        model: Any,
        *,
        background: Any = None,
        max_table_bytes: int = MAX_TABLE_BYTES,
        dtype: str = "float32",
        verbose: int | str = "auto",
    ) -> None:
        _check(max_table_bytes, dtype)
        teacher = forest_against(model, background)
        self.dtype = dtype
        self._task = task_of(teacher)
        options = (int(max_table_bytes), dtype, verbose)
        self.n_background_rows = 0
        self._tables: ForestTables | InterventionalTables
        if background is None:
            self._tables = ForestTables(teacher, *options)
        else:
            others = background_rows(teacher, background)
            if teacher is not model and teacher.missing_codes:
                self._anew = _Anew.of(teacher, background, *options)
            self.n_background_rows = len(others)
            self._tables = InterventionalTables(teacher, others, *options)
        self._reader = ModelReader(teacher.alone())
        self.base_values = self._tables.base_values
        self.n_trees_by_tables = self._tables.by_tables
        self.n_trees_by_quadrature = self._tables.by_quadrature
        self.n_trees_by_lightgbm = self._tables.by_lightgbm
        self.n_trees_by_pairs = self._tables.by_pairs

    @property
    def nbytes(self) -> int:
        """Memory of the tables, in bytes."""
        return self._tables.nbytes

    def __repr__(self) -> str:
        others = f"{self.n_trees_by_quadrature} by quadrature, {self.n_trees_by_lightgbm} by LightGBM"
        if n := self.n_background_rows:
            others = f"{self.n_trees_by_pairs} by pairs, with {n} background row{'s' * (n > 1)}"
        return f"{type(self).__name__}({self.n_trees_by_tables} trees by tables, {others})"

    # --- reasons batch by batch, as estimators of this package are asked for them ---------------------

    def _number_of_columns(self) -> int:
        return self._reader.n_columns

    def _columns_at_fit(self) -> tuple[str, ...] | None:
        return self._reader.names_at_fit

    def _reasons_of_a_row(self) -> Explanation:
        shape = (1, self._number_of_columns(), len(self.base_values))
        base, link = one_or_several(self.base_values), self._task.link
        return Explanation(
            one_or_several(np.zeros(shape)), base, output_names=self._task.output_names, link=link
        )

    def _names_of_scores(self) -> tuple[str, ...]:
        return self._task.output_names

    def _scores_explained(self, explanation: Explanation) -> np.ndarray:
        return explanation.scores().reshape(len(explanation), -1)

    def explain(self, X: Any, *, batch_size: int | None = None, n_jobs: int | None = None) -> Explanation:
        """Return the contribution of each column to the raw score of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows, with the same columns as in ``fit``.
        batch_size : int, default=None
            Rows computed at once; None: 8192. At least 512 if trees are computed by quadrature, and at least
            8192 if by pairs.
        n_jobs : int, default=None
            Number of threads that share the batches, or of threads of LightGBM. None: 1, and for LightGBM the
            number that the model sets.

        Returns
        -------
        Explanation
            Of kind ``"additive"``, `values` of shape (n, d) or, for more outputs than one, (n, d, K). Base
            and values add up to the raw score, in log-odds for classifiers of two classes. ``meta["trees"]``
            holds how many trees were computed in which way. ``meta["explanation"]`` is the kind of the
            values: ``"tree_shap"``, or ``"interventional_tree_shap"`` with ``meta["background_rows"]``.

        Raises
        ------
        ValueError, TypeError
            If columns are not those at fit, or cells cannot be read.
        """
        check_batching(batch_size, n_jobs)
        if self._anew is None:
            rows = self._reader.read(X)
        else:
            with UNKNOWN_REPORTED.on():  # what is unknown to the forest may be known to its model
                rows = self._reader.read(X)
            if self._anew.is_for(rows.codes):
                return self._anew.explain(X, batch_size, n_jobs)
        values, trees = self._tables.contributions(rows.codes, batch_size, n_jobs)
        return _explanation(rows, self._task, values, self.base_values, trees, self.n_background_rows)


def _explanation(
    rows: ModelRows,
    task: Task,
    values: np.ndarray,
    base: np.ndarray,
    trees: dict[str, int],
    n_others: int = 0,
) -> Explanation:
    """Put values (n, d) or (n, d, K) and base (K,) together, and say how many trees went which way."""
    meta: dict[str, Any] = {"explanation": "tree_shap", "model": "teacher", "trees": trees}
    if n_others:
        meta |= {"explanation": "interventional_tree_shap", "background_rows": n_others}
    rest: dict[str, Any] = {"feature_names": rows.names, "meta": meta}
    if rows.few is not None:
        rest["display_data"] = rows.few.display()
    return explanation_of(rows.reader, task, rows.table, rows.codes, values, one_or_several(base), **rest)


def _check(max_table_bytes: Any, dtype: Any) -> None:
    number = isinstance(max_table_bytes, Integral) and not isinstance(max_table_bytes, bool)
    if not number or max_table_bytes < 0:
        raise ValueError(f"`max_table_bytes` must be an integer of at least 0, got {max_table_bytes!r}.")
    check_dtype(dtype)


def check_dtype(dtype: Any) -> None:
    """Refuse what is no precision that is computed in."""
    if dtype not in DTYPES:
        raise ValueError(f"`dtype` must be 'float32' or 'float64', got {dtype!r}.")


def tree_contributions(
    model: Any,
    X: Any,
    *,
    background: Any = None,
    batch_size: int | None = None,
    n_jobs: int | None = None,
    max_table_bytes: int = MAX_TABLE_BYTES,
    dtype: str = "float32",
    verbose: int | str = "auto",
) -> Explanation:
    """Explain a tree ensemble by exact TreeSHAP values, many times faster than LightGBM.

    The values are those of ``pred_contrib=True``, with missing values and categories, for any number of
    classes. To explain several tables, build :class:`TreeContributions` once. LightGBM explains fewer than
    256 rows, because building tables would take longer. With background rows the values are interventional
    Shapley values instead, and no tables are built for fewer than 1,024 rows.

    Parameters
    ----------
    model : estimator or Booster
        Fitted, also in a FrozenEstimator: a LightGBM, or any tree ensemble that :func:`to_lightgbm` takes.
    X : DataFrame or array-like of shape (n, d)
        Rows, with the same columns as in ``fit``.
    background : DataFrame or array-like of shape (B, d), default=None
        Rows whose values replace unknown ones, see :class:`TreeContributions`. None: path-dependent TreeSHAP.
    batch_size : int, default=None
        Rows computed at once; None: 8192.
    n_jobs : int, default=None
        Number of threads that share the batches, or of threads of LightGBM. None: 1, and for LightGBM the
        number that the model sets.
    max_table_bytes : int, default=2**29
        Largest memory for tables, in bytes; trees that do not fit are computed for each row.
    dtype : {"float32", "float64"}, default="float32"
        Precision of tables and sums, see :class:`TreeContributions`.
    verbose : int or "auto", default="auto"
        0: silent, 1: a progress bar. ``"auto"``: a bar in notebooks and terminals, after 3 seconds.

    Returns
    -------
    Explanation
        Of kind ``"additive"``, see :meth:`TreeContributions.explain`.

    Raises
    ------
    TypeError
        If the model is not a tree ensemble of a known library.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If the model's raw score cannot be explained, or columns are not those at fit; see also
        :class:`TreeContributions`.

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
    >>> against = tree_contributions(model, X, background=X[:100])
    >>> bool(against.additivity_error(model.predict(X)) < 1e-6)
    True
    >>> against.meta["trees"], against.meta["background_rows"]
    ({'tables': 0, 'pairs': 20}, 100)
    """
    check_batching(batch_size, n_jobs)
    _check(max_table_bytes, dtype)
    table = as_frame_or_array(densely(X))
    if background is not None and len(table) < FEW_ROWS_BY_PAIRS:
        max_table_bytes = 0
    teacher = forest_of(model, table)
    if background is not None:
        with naming_background():
            teacher = teacher.knowing(background)
    if background is not None or len(table) >= FEW_FOR_TABLES:
        contributions = TreeContributions(
            teacher, background=background, max_table_bytes=max_table_bytes, dtype=dtype, verbose=verbose
        )
        return contributions.explain(table, batch_size=batch_size, n_jobs=n_jobs)
    rows = model_rows(teacher, table)
    values, base = teacher.shap_contributions(rows.codes, n_jobs=n_jobs)
    own = one_or_several(values.transpose(0, 2, 1))
    trees = {"tables": 0, "quadrature": 0, "lightgbm": teacher.n_trees}
    return _explanation(rows, task_of(teacher), own, base, trees)
