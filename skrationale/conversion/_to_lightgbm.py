"""Any forest as a LightGBM model, for users."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from .._library import library_of, unfrozen
from ..tabular import TableReader, are_counted, as_frame_or_array, safe_names
from ._choosing import rewritten


def to_lightgbm(model: Any, X: Any = None) -> Any:
    """Rewrite a tree ensemble of another library as a LightGBM model that says exactly the same.

    All that works with LightGBM then works with the model: TreeSHAP of every library, and every tool that
    reads LightGBM's files. Trees, thresholds, missing values, categories and the training rows behind each
    leaf are kept; the result is compared with the model on rows that try its splits.

    Parameters
    ----------
    model : estimator or Booster
        Fitted, also in a FrozenEstimator: of XGBoost 2.1 to 3.2, CatBoost 1.2, or of scikit-learn a
        HistGradientBoosting, GradientBoosting, RandomForest, ExtraTrees or DecisionTree model, each as
        classifier or regressor. A LightGBM model is given back as it is.
    X : DataFrame of shape (n, d), default=None
        Rows that hold all levels of columns with text or categories, best the training rows. CatBoost with
        such columns needs it, and XGBoost before 3.1, or with letters beyond ASCII: they do not keep the
        levels themselves. For XGBoost these must then be in the same order as at its fit.

    Returns
    -------
    lightgbm.Booster
        ``predict(..., raw_score=True)`` gives the raw scores of the model: log-odds, the target or its
        logarithm, and for RandomForest, ExtraTrees and DecisionTree classifiers probabilities. Its
        ``pandas_categorical`` holds the levels of categories, so that it takes the same DataFrame.

    Raises
    ------
    TypeError
        If the model is of another kind.
    ValueError
        If columns of `X` are not those at fit, if the model is no sum of trees with constants in their
        leaves, or if what was read from it does not say what the model says.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.

    Notes
    -----
    A missing category is a level of its own to CatBoost: the booster has it as a last level, ``"(missing)"``,
    and what it takes for missing or new is what CatBoost does with levels that it does not know.

    XGBoost adds in 32-bit numbers, so that its own scores differ by about 1e-7 of the largest; those of
    other libraries are the same up to rounding of 64-bit numbers. LightGBM takes numbers within 1e-35 of 0
    for 0.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skrationale import to_lightgbm
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> model = RandomForestRegressor(n_estimators=10, random_state=0).fit(X, X[:, 0] * X[:, 1])
    >>> booster = to_lightgbm(model)
    >>> bool(np.abs(booster.predict(X) - model.predict(X)).max() < 1e-12)
    True
    """
    model = unfrozen(model)
    if library_of(model) == "lightgbm":
        return getattr(model, "booster_", model)
    booster = rewritten(model, levels_in(X)).booster
    _check_names(booster.feature_name(), getattr(X, "columns", ()), model)
    return booster


def _check_names(known: Sequence[str], columns: Sequence[Any], model: Any) -> None:
    """Refuse a table whose columns are in another order than at fit, which would mix up their levels."""
    given = safe_names(list(map(str, columns)))
    if not given or given == known or are_counted(given) or are_counted(known):
        return
    here, there = next((a, b) for a, b in zip_longest(given, known) if a != b)
    raise ValueError(
        f"X has column {here!r} where the {type(model).__name__} was fitted on {there!r}; expected the "
        "same columns in the same order as at its fit."
    )


def levels_in(X: Any) -> list[np.ndarray | None] | None:
    """Give the levels of each column of a table, None for numbers; None without a table."""
    return None if X is None else list(TableReader().fit(as_frame_or_array(X)).levels)
