"""Path contributions (Saabas) of a tree ensemble, looked up for each leaf that a row reaches."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._batches import check_batching, in_batches, one_or_several, rows_at_once
from .._explaining import explanation_of
from ..explanation import Explanation
from ..tabular import densely
from ..teachers.paths import LeafTable
from ..trees.reading import forest_of, model_rows, task_of


def path_contributions(
    model: Any, X: Any, *, batch_size: int | None = None, n_jobs: int | None = None
) -> Explanation:
    """Explain a tree ensemble by its decision paths (Saabas).

    Each step from the root to a leaf changes the tree's expected score, and the change is added to the column
    of the split. This is much faster than TreeSHAP and usually close to it, but splits near the leaves get
    more than they should. Missing values and categories are read as in ``predict``. Forests of other
    libraries are converted to LightGBM.

    Parameters
    ----------
    model : estimator or Booster
        Fitted, also in a FrozenEstimator: a LightGBM, or any tree ensemble that :func:`to_lightgbm` takes.
    X : DataFrame or array-like of shape (n, d)
        Rows, with the same columns as in ``fit``.
    batch_size : int, default=None
        Rows computed at once, which bounds the memory used; None: a number that needs about 30 MB.
    n_jobs : int, default=None
        Threads of LightGBM; None: the number that the model sets. On few threads, the leaves of many rows
        are looked up (see Notes).

    Returns
    -------
    Explanation
        Of kind ``"additive"``, `values` of shape (n, d) or, for more outputs than one, (n, d, K).
        Base and values add up to the raw score, in log-odds for classifiers of two classes.

    Raises
    ------
    TypeError
        If the model is not a tree ensemble of a known library.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If the model's raw score cannot be explained, or columns are not those at fit.
    RuntimeError
        If contributions do not add up to the raw score, to 1e-9 of its scale.

    Notes
    -----
    LightGBM sends few rows through the trees. Where that is faster, thousands of rows find their leaves by
    masks of bits instead [1]_, on one thread in less time than ``predict`` takes. The contributions are the
    same to the last bit.

    References
    ----------
    .. [1] Lucchese et al., QuickScorer: a fast algorithm to rank documents with additive ensembles of
       regression trees, SIGIR 2015. https://doi.org/10.1145/2766462.2767733

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
    X = densely(X)
    teacher = forest_of(model, X)
    rows = model_rows(teacher, X)
    table, data = rows.table, rows.codes
    leaves = LeafTable(teacher, len(data))

    def part(chosen: slice) -> list[np.ndarray]:
        found = leaves.contributions(data[chosen], batch_size=batch_size, n_jobs=n_jobs)[0]
        return [one_or_several(found.transpose(0, 2, 1))]

    size = max(batch_size or 0, rows_at_once(data.shape[1], teacher.n_outputs))
    values = in_batches(part, len(data), size)[0]
    meta = {"explanation": "path", "model": "teacher"}
    base, names = one_or_several(leaves.base), rows.names
    return explanation_of(
        rows.reader, task_of(teacher), table, data, values, base, feature_names=names, meta=meta
    )
