"""Which library a model comes from, told without an import of that library."""

from __future__ import annotations

import sys
from typing import Any

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

BOOSTING = {"lightgbm": "LightGBM", "xgboost": "XGBoost", "catboost": "CatBoost"}
"""Modules of the libraries of boosted trees, and what these are called."""


def library_of(model: Any) -> str | None:
    """Say which library of boosted trees a model comes from.

    Parameters
    ----------
    model : object
        Any; subclasses of a library's own classes come from it too, and so do objects whose attribute
        `_library` says so.

    Returns
    -------
    {"lightgbm", "xgboost", "catboost"} or None
    """
    if isinstance(declared := getattr(model, "_library", None), str) and declared in BOOSTING:
        return declared
    modules = (kind.__module__.partition(".")[0] for kind in type(model).__mro__)
    return next((module for module in modules if module in BOOSTING), None)


def unfrozen(model: Any) -> Any:
    """Give what is inside a FrozenEstimator, or the model itself."""
    while isinstance(model, FrozenEstimator):
        model = model.estimator
    return model


def is_pipeline(model: Any) -> bool:
    """Whether a model is a Pipeline of scikit-learn, which imports much of it."""
    module = sys.modules.get("sklearn.pipeline")  # without it there is no Pipeline
    return module is not None and isinstance(model, module.Pipeline)


def cloned(model: Any) -> Any:
    """Give an unfitted copy of an estimator, as scikit-learn's `clone` does.

    CatBoost 1.2.10 gives its parameters as copies, which `clone` refuses where one of them is a list.
    """
    return type(model)(**model.get_params()) if library_of(model) == "catboost" else clone(model)
