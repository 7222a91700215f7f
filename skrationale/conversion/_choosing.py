"""Which file reads a model, and the rewritten forest of any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._library import library_of
from .._task import Link
from ._checking import check_rewritten
from ._forest import Source
from ._text import text_of


@dataclass(frozen=True, eq=False)
class Rewritten:
    """A forest as LightGBM holds it.

    Parameters
    ----------
    booster : lightgbm.Booster
        Its raw scores are those of the model.
    link : {"identity", "log", "logit", "softmax", "probability"}
        What they are.
    classes : ndarray of shape (C,) or None
        Class labels, where the model knows them.
    missing_codes : dict of int to int
        Code of missing cells, for columns of the model in which these are a level like others.
    """

    booster: Any
    link: Link
    classes: np.ndarray | None
    missing_codes: dict[int, int]


def can_be_rewritten(model: Any) -> bool:
    """Say whether models of this kind, fitted or not, are forests that can be written as LightGBM's."""
    return library_of(model) in ("xgboost", "catboost") or _of_scikit(model) is not None


def takes_categories(model: Any) -> bool:
    """Say whether models of this kind, fitted or not, take category columns of a DataFrame."""
    if library_of(model) == "xgboost":
        return True
    reader = _of_scikit(model)
    return reader is not None and reader.__name__ == "Histograms"


def rewritten(model: Any, levels: Sequence[Any] | None = None, *, check: bool = True) -> Rewritten:
    """Write the forest of a fitted model as LightGBM's.

    Parameters
    ----------
    model : estimator or Booster
        Fitted, not frozen; see `can_be_rewritten`.
    levels : sequence of d (sequence or None), optional
        Levels of each of the model's columns in the table at hand, None for numbers. Without it they are
        those that the model knows.
    check : bool, default=True
        Whether it is compared with the model on rows that try its splits.

    Returns
    -------
    Rewritten

    Raises
    ------
    TypeError
        If the model is of another kind.
    ValueError
        If it is no sum of trees of constants, or if what was read from it does not say what the model says.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    """
    from lightgbm import Booster

    source = source_of(model, levels)
    forest = source.forest()
    booster = Booster(model_str=text_of(forest))
    if check:
        check_rewritten(source, forest, booster)
    return Rewritten(booster, forest.link, source.classes, forest.missing_codes)


def known_levels(model: Any) -> tuple[list[Any] | None, ...] | None:
    """Give the levels that a fitted model keeps of each of its columns, None for numbers; None without any.

    Parameters
    ----------
    model : estimator or Booster
        See `can_be_rewritten`.

    Returns
    -------
    tuple of d (list or None), or None
        Some libraries do not keep them, and models that cannot be rewritten are not asked.
    """
    try:
        return source_of(model).levels
    except ValueError:
        return None


def source_of(model: Any, levels: Sequence[Any] | None = None) -> Source:
    """Give what reads a fitted model; parameters and errors as `rewritten`."""
    library = library_of(model)
    if library == "xgboost":
        from ._xgboost import XGBoost

        return XGBoost(model, levels)
    if library == "catboost":
        from ._catboost import CatBoost

        return CatBoost(model, levels)
    reader = _of_scikit(model)
    if reader is None:
        raise TypeError(
            f"The model must be a tree ensemble of LightGBM, XGBoost, CatBoost or scikit-learn, got "
            f"{type(model).__name__}."
        )
    check_is_fitted(model)
    return reader(model, levels)


def _of_scikit(model: Any) -> Any:
    """Give the class that reads a model of scikit-learn's trees; None for other models."""
    if not type(model).__module__.startswith("sklearn."):
        return None
    from ._histograms import HISTOGRAMS, Histograms
    from ._scikit_trees import BOOSTING, FORESTS, SINGLE, ScikitBoosting, ScikitTrees

    for kinds, reader in (
        (HISTOGRAMS, Histograms),
        (BOOSTING, ScikitBoosting),
        ((*FORESTS, *SINGLE), ScikitTrees),
    ):
        if isinstance(model, kinds):
            return reader
    return None
