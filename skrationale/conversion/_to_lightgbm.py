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
    """Convert a tree ensemble of another library to a LightGBM model with exactly the same predictions.

    Everything that works with LightGBM then works with the model: TreeSHAP of every library, and every tool
    that reads LightGBM's files. Trees, thresholds, missing values, categories and the number of training rows
    in each leaf are kept. The result is compared with the model on rows around its splits.

    Parameters
    ----------
    model : estimator or Booster
        A fitted model, also in a FrozenEstimator: of XGBoost 2.1 to 3.2 or CatBoost 1.2, or a
        HistGradientBoosting, GradientBoosting, RandomForest, ExtraTrees or DecisionTree model of
        scikit-learn, each as classifier or regressor. A LightGBM model is returned unchanged.
    X : DataFrame of shape (n, d), default=None
        Rows that hold all levels of columns with text or categories, preferably the training rows. They are
        needed for such columns with CatBoost, with XGBoost before 3.1, and with XGBoost if levels have
        non-ASCII letters, because these models do not store their levels. For XGBoost the levels must be in
        the same order as at its fit.

    Returns
    -------
    lightgbm.Booster
        ``predict(..., raw_score=True)`` returns the raw scores of the model: log-odds, the target or its
        logarithm, and for RandomForest, ExtraTrees and DecisionTree classifiers probabilities. Its
        ``pandas_categorical`` holds the levels of categories, so it reads the same DataFrame.

    Raises
    ------
    TypeError
        If the model is of another kind.
    ValueError
        If columns of `X` are not those at fit, if the model is not a sum of trees with constants in their
        leaves, or if the converted model has other predictions than the model.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.

    Notes
    -----
    CatBoost treats a missing category as a level of its own. In the booster this is the last level,
    ``"(missing)"``. Cells that are missing or new for the booster are treated as CatBoost treats unknown
    levels.

    XGBoost adds 32-bit numbers, so its own scores differ by about 1e-7 of the largest score. Scores of other
    libraries are the same, except for rounding of 64-bit numbers. LightGBM reads numbers within 1e-35 of 0 as
    0.

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
