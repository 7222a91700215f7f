"""Which models cannot teach, said before any work and with what to do instead."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .._callers import outside
from .._library import BOOSTING, is_pipeline, library_of, unfrozen
from ..tabular import TableReader
from ._targets import refuse_several_targets

EARLY_STOPPING = ("early_stopping_round", "early_stopping_rounds", "early_stopping", "n_iter_no_change")
"""LightGBM's names of one parameter; the second is XGBoost's."""
TEXT_TAKEN = ("cat_features", "text_features", "embedding_features")
"""CatBoost's parameters that name columns by their name or position."""
ESTIMATORS = {
    "lightgbm": "LGBMClassifier or LGBMRegressor",
    "xgboost": "XGBClassifier or XGBRegressor",
    "catboost": "CatBoostClassifier or CatBoostRegressor",
}


def check_teacher(teacher: Any, owner: str) -> None:
    """Refuse a teacher that is no estimator of scikit-learn's kind, or could not be fitted.

    Parameters
    ----------
    teacher : object
        What the user gave, frozen or not; None is a default teacher.
    owner : str
        Name of the distiller.

    Raises
    ------
    TypeError
        For a class, and for a Booster, which does not say what it predicts.
    ValueError
        For an unfitted teacher that would stop early by rows that nobody gives to it, and for a fitted one of
        several targets.
    """
    inner = unfrozen(teacher)
    if isinstance(inner, type):
        raise TypeError(
            f"The 'teacher' parameter of {owner} must be an estimator, but {inner.__name__} is a class: give "
            f"{inner.__name__}() instead."
        )
    library = library_of(inner)
    if library is not None and not hasattr(inner, "fit"):
        raise TypeError(
            f"The 'teacher' parameter of {owner} must be an estimator, but a {type(inner).__name__} of "
            f"{BOOSTING[library]} does not show whether it predicts labels or numbers: give the fitted "
            f"{ESTIMATORS[library]} in a FrozenEstimator instead, or FrozenEstimator(as_teacher(booster))."
        )
    if isinstance(teacher, FrozenEstimator):
        refuse_several_targets(inner, "teacher")
        return
    while not (library := library_of(inner)) and (below := _below(inner)) is not None:
        inner = below
    if library not in ("lightgbm", "xgboost"):
        return
    parameters = inner.get_params() if hasattr(inner, "get_params") else {}
    for name in EARLY_STOPPING:
        value = parameters.get(name)
        if isinstance(value, int | float) and value > 0:
            raise ValueError(
                f"The teacher {type(inner).__name__} has {name}={value!r}, which needs validation rows, "
                f"but {owner} gives it none: leave {name} out, or fit the teacher yourself with "
                "eval_set=... and give it in a FrozenEstimator."
            )


def _below(model: Any) -> Any:
    """Give the estimator that a Pipeline or a search fits, or None."""
    if isinstance(model, FrozenEstimator):
        return None
    if is_pipeline(model):
        return model.steps[-1][1]
    inner = getattr(model, "estimator", None)
    return inner if hasattr(inner, "fit") else None


def classifies(teacher: Any, owner: str) -> bool:
    """Say whether a teacher is a classifier.

    Parameters
    ----------
    teacher : estimator
        Any, frozen or not.
    owner : str
        Name of the distiller.

    Returns
    -------
    bool

    Raises
    ------
    TypeError
        When it does not say so in the way of the scikit-learn that is installed.
    """
    try:
        return is_classifier(unfrozen(teacher))  # a frozen one copies all tags at each question
    except (AttributeError, TypeError) as error:
        kind = type(unfrozen(teacher))
        library = BOOSTING.get(library_of(unfrozen(teacher)) or "", kind.__module__.partition(".")[0])
        raise TypeError(
            f"The 'teacher' parameter of {owner} must be a scikit-learn classifier or regressor, but "
            f"{kind.__name__} lacks the tags by which scikit-learn recognises these: use a newer "
            f"{library}, or let the class inherit from ClassifierMixin or RegressorMixin, and "
            "BaseEstimator."
        ) from error


def text_refused(teacher: Any, reader: TableReader) -> None:
    """Refuse text for unfitted trees of a library that takes none, and say what to do.

    Parameters
    ----------
    teacher : estimator
        Unfitted.
    reader : TableReader
        Fitted on the table.

    Raises
    ------
    ValueError
        Naming the first such column.
    """
    library = library_of(teacher)
    parameters = teacher.get_params() if hasattr(teacher, "get_params") else {}
    if library not in ("xgboost", "catboost") or parameters.get("enable_categorical"):
        return
    taken = [column for name in TEXT_TAKEN for column in parameters.get(name) or ()]
    for j, levels in enumerate(reader.levels):
        if levels is None or j in taken or reader.feature_names[j] in taken:
            continue
        xgboost = library == "xgboost"
        fix = "set enable_categorical=True" if xgboost else "name such columns in its parameter cat_features"
        raise ValueError(
            f"Column {reader.feature_names[j]!r} of X holds text or categories, which "
            f"{type(teacher).__name__} cannot read without encoding: {fix}, or give a Pipeline that "
            "encodes such columns as the teacher."
        )


def warn_of_refit(model: Any, parameter: str) -> None:
    """Warn of a fitted model that is about to be fitted anew, and so is not the one that is explained.

    Parameters
    ----------
    model : estimator
        What the user gave, not frozen.
    parameter : str
        How the parameter is called.
    """
    if _holds_a_fit(model):
        name = type(model).__name__
        warnings.warn(
            f"The {parameter} {name} is fitted already, but fit does not use it as it is: a copy of it is "
            f"fitted anew to X and y, and the copy is explained. To explain your own model, give "
            f"FrozenEstimator({parameter}). If the new fit is what you want, give clone({parameter}) "
            "to avoid this warning.",
            UserWarning,
            stacklevel=outside(),
        )


def _holds_a_fit(model: Any) -> bool:
    if isinstance(model, FrozenEstimator) or model is None or isinstance(model, str):
        return False
    if is_pipeline(model):
        # its own check looks at the last step alone, which may be frozen
        return any(_holds_a_fit(step) for _, step in model.steps)
    try:
        if not get_tags(model).requires_fit:
            return False
        check_is_fitted(model)
    except (NotFittedError, TypeError, AttributeError):
        return False
    return True
