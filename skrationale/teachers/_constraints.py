"""In which columns a fitted model was made to rise or fall."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator

from .._callers import outside
from .._library import is_pipeline
from ._lightgbm_text import read_header

PARAMETERS = ("monotonic_cst", "monotone_constraints")
"""As trees of scikit-learn call it, and XGBoost and CatBoost."""
SHOWN = 10
PREDICT = "If this must not happen, predict with the teacher."


def monotone_columns(model: Any, names: Sequence[str]) -> dict[str, int]:
    """Say in which columns a fitted model is monotone because it was told to be.

    Parameters
    ----------
    model : estimator
        Fitted: LightGBM, trees of scikit-learn, any model with a parameter of the same kind, or a Pipeline
        or a search around one.
    names : sequence of d str
        Names of the columns it was fitted on.

    Returns
    -------
    dict of str to int
        1 where its prediction rises with a column, -1 where it falls. Behind other steps of a Pipeline
        columns are named as the last step knows them. A LightGBM's columns without a split are left out.

    Examples
    --------
    >>> from sklearn.ensemble import HistGradientBoostingRegressor
    >>> model = HistGradientBoostingRegressor(monotonic_cst=[0, -1], max_iter=2)
    >>> monotone_columns(model.fit([[1, 2], [2, 1]], [1, 2]), ["size", "age"])
    {'age': -1}
    """
    while True:
        if is_pipeline(model):
            if len(model) > 1:
                names = list(getattr(model[-1], "feature_names_in_", ()))
            model = model[-1]
        elif isinstance(model, FrozenEstimator):
            model = model.estimator
        elif hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        else:
            break
    signs = _of_lightgbm(model) if hasattr(model, "booster_") else _of_parameters(model)
    if not isinstance(signs, Mapping):
        known = [str(name) for name in names]
        signs = {known[j] if j < len(known) else f"column {j}": sign for j, sign in enumerate(signs)}
    return {str(name): int(np.sign(sign)) for name, sign in signs.items() if sign}


def signs_of(model: Any, names: Sequence[str], order: np.ndarray | None = None) -> np.ndarray | None:
    """Give the signs (d,) of a table's columns, 0 where a fitted model is free; None where it is so in all.

    `order` holds the position among `names` of each of the model's columns, where it differs.
    """
    found = monotone_columns(model, names if order is None else [names[j] for j in order])
    signs = np.array([found.get(str(name), 0) for name in names])
    return signs if signs.any() else None


def _of_lightgbm(model: Any) -> list[int]:
    """Read them from the booster, which knows them under any of their names, where it splits."""
    header = read_header(model.booster_.model_to_string(num_iteration=1))
    signs = map(int, header.get("monotone_constraints", "").split())
    splits = model.booster_.feature_importance("split")
    return [sign * bool(n) for sign, n in zip(signs, splits, strict=False)]


def _of_parameters(model: Any) -> Any:
    for name in PARAMETERS:
        found = getattr(model, name, None)
        if found is None and hasattr(model, "get_params"):
            found = model.get_params(deep=False).get(name)
        if isinstance(found, str):
            pairs = re.findall(r"([^\s,:(){}'\"]+)['\"]?\s*:\s*(-?1|0)", found)
            return {key: int(sign) for key, sign in pairs} or [int(s) for s in re.findall(r"-?\d+", found)]
        if found is not None:
            return found if isinstance(found, Mapping) else np.ravel(found).tolist()
    return []


def warn_of_constraints(
    teacher: Any, names: Sequence[str], order: np.ndarray | None = None, way_out: str = PREDICT
) -> None:
    """Say that what a fitted teacher was made to keep its student does not, and what to do then.

    `order` holds the position among `names` of each of the teacher's columns, where it differs.
    """
    found = monotone_columns(teacher, names if order is None else [names[j] for j in order])
    if not found:
        return
    each = [f"{name!r} ({'rises' if sign > 0 else 'falls'})" for name, sign in found.items()]
    more = f" and {len(each) - SHOWN} other columns" if len(each) > SHOWN else ""
    warnings.warn(
        f"The teacher {type(teacher).__name__} has monotone constraints on {', '.join(each[:SHOWN])}{more}. "
        "The student imitates the teacher but does not keep them: if only such a column changes, the "
        f"student's prediction may change in the wrong direction. {way_out}",
        UserWarning,
        stacklevel=outside(),
    )
