"""Path contributions (Saabas) of a LightGBM model, at about the cost of its predictions."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._batches import check_batching, in_batches, one_or_several, rows_at_once
from .._explaining import explanation_of
from .._task import Task
from ..explanation import Explanation
from ..tabular import TableReader, as_frame_or_array
from ..teachers import column_order, some_rows
from ..teachers.lightgbm import LightGBMTeacher
from ..teachers.paths import LeafTable


def path_contributions(
    model: Any, X: Any, *, batch_size: int | None = None, n_jobs: int | None = None
) -> Explanation:
    """Explain a LightGBM model by its decision paths (Saabas).

    Each step from the root to a leaf moves the tree's expected score, and the move is credited to
    the column of the split. Much faster than TreeSHAP and usually close to it, but columns that are
    split on near the leaves are favoured. LightGBM itself routes the rows, so missing values and
    categories are read as in ``predict``.

    Parameters
    ----------
    model : LGBMClassifier, LGBMRegressor or lightgbm.Booster
        Fitted.
    X : DataFrame or array-like of shape (n, d)
        Rows, with the columns at fit.
    batch_size : int, default=None
        Rows computed at once, which bounds the memory used; None: so many that about 30 MB are used.
    n_jobs : int, default=None
        Threads of LightGBM; None: as the model says.

    Returns
    -------
    Explanation
        Of kind ``"additive"``, `values` of shape (n, d) or, for more outputs than one, (n, d, K).
        Base and values add up to the raw score, in log-odds for classifiers of two classes.

    Raises
    ------
    TypeError
        If the model is not LightGBM.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If the model's raw score cannot be explained, or columns are not those at fit.
    RuntimeError
        If contributions do not add up to the raw score, to 1e-9 of its scale.

    Examples
    --------
    >>> import numpy as np
    >>> from lightgbm import LGBMRegressor
    >>> from skrationale.gbdt2nn import path_contributions
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> model = LGBMRegressor(n_estimators=20, verbose=-1).fit(X, X[:, 0] + 2 * X[:, 1])
    >>> explanation = path_contributions(model, X)
    >>> explanation.top(2)
    ['x1', 'x0']
    >>> explanation.additivity_error(model.predict(X)) < 1e-9
    True
    """
    check_batching(batch_size, n_jobs)
    teacher = LightGBMTeacher(model)
    table = as_frame_or_array(X)
    reader = TableReader().fit(table)
    names = _feature_names(teacher, reader, named=not isinstance(table, np.ndarray))
    teacher.read_as_at_fit(reader, names)
    data = reader.transform(table)
    leaves = LeafTable(teacher)

    def part(rows: slice) -> list[np.ndarray]:
        found = leaves.contributions(some_rows(table, rows), batch_size=batch_size, n_jobs=n_jobs)[0]
        return [one_or_several(found.transpose(0, 2, 1))]

    size = max(batch_size or 0, rows_at_once(data.shape[1], teacher.n_outputs))
    values = in_batches(part, len(data), size)[0]
    classes = getattr(model, "classes_", None)
    if classes is None and teacher.objective in ("binary", "multiclass", "multiclassova"):
        classes = np.arange(max(2, teacher.n_outputs))
    task, meta = Task(teacher.link, teacher.n_outputs, classes), {"explanation": "path", "model": "teacher"}
    return explanation_of(
        reader, task, table, data, values, one_or_several(leaves.base), feature_names=names, meta=meta
    )


def _feature_names(teacher: LightGBMTeacher, reader: TableReader, *, named: bool) -> tuple[str, ...]:
    """Names of the d columns; raise unless the table has those at fit, in their order."""
    own, at_fit = reader.feature_names, teacher.booster.feature_name()
    if len(own) != teacher.n_features:
        raise ValueError(f"X has {len(own)} features, but the model was fitted on {teacher.n_features}.")
    nameless = at_fit == [f"Column_{j}" for j in range(len(own))]
    if not named:
        return own if nameless else tuple(at_fit)
    order = column_order(teacher.booster, own, role="model")
    if order is not None:
        j = int(np.argmax(order != np.arange(len(order))))
        raise ValueError(f"X has column {own[j]!r} where the model was fitted on {at_fit[j]!r}.")
    return own
