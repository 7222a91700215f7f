"""How many targets a fitted model predicts: students and interpreters learn one."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

from .._hooks import best_of_search
from .._library import is_pipeline, unfrozen
from ._columns import some_rows

BINARIZERS = ("_label_binarizer", "label_binarizer_")
"""Where models of scikit-learn keep what they know of the labels."""
ROUNDING = 1e-5
"""By how much probabilities may leave [0, 1], and their sum may differ from 1; some are computed in float32.
Not measured."""
FEW = 2
"""Rows whose labels are asked for, to see how many a row has. Not measured."""


def refuse_several_targets(model: Any, parameter: str) -> None:
    """Refuse a fitted model that says that it predicts several numbers or labels of each row.

    Parameters
    ----------
    model : estimator
        Any; one that is not fitted says nothing.
    parameter : str
        How it is called.

    Raises
    ------
    ValueError
        Naming the parameter, the model, and its number of targets.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> refuse_several_targets(DecisionTreeClassifier().fit([[0], [1]], [[0, 0], [1, 1]]), "teacher")
    Traceback (most recent call last):
    ...
    ValueError: The 'teacher' parameter must predict 1 target for each row. Got DecisionTreeClassifier ...
    """
    n_targets = _n_targets(model)
    if n_targets != 1:
        raise _refused(model, parameter, n_targets)


def check_one_column(found: Any, model: Any, parameter: str) -> None:
    """Refuse a model whose predictions are a row (n, T) of several targets; errors as above.

    Parameters
    ----------
    found : array-like or sparse matrix of shape (n,) or (n, T)
        What its `predict` gives.
    model : estimator
        Fitted.
    parameter : str
        How it is called.
    """
    shape = getattr(found, "shape", None) or np.shape(found)
    if len(shape) > 1 and shape[1] > 1:
        raise _refused(model, parameter, int(shape[1]))


def check_shares(shares: np.ndarray, model: Any, table: Any, parameter: str) -> None:
    """Refuse a classifier whose probabilities are those of several labels; errors as above.

    Those of one label may miss the sum of 1 too, as LightGBM's do that trains each class against the others.

    Parameters
    ----------
    shares : ndarray of shape (n, C)
        What its `predict_proba` gives.
    model : estimator
        Fitted.
    table : table of shape (n, d), or list of n texts
        Rows that it was asked about.
    parameter : str
        How it is called.
    """
    if np.ndim(shares) == 2 and not np.allclose(shares.sum(axis=1), 1.0, rtol=0.0, atol=ROUNDING):
        few = table[:FEW] if isinstance(table, list) else some_rows(table, np.arange(min(FEW, len(shares))))
        check_one_column(model.predict(few), model, parameter)


def _refused(model: Any, parameter: str, n_targets: int) -> ValueError:
    return ValueError(
        f"The '{parameter}' parameter must predict 1 target for each row. Got "
        f"{type(unfrozen(model)).__name__} with {n_targets} targets instead; fit one model for each target."
    )


def _n_targets(model: Any) -> int:
    model = unfrozen(model)
    inner = model.steps[-1][1] if is_pipeline(model) else best_of_search(model)
    if inner is not None:
        return _n_targets(inner)
    classes = getattr(model, "classes_", None)
    if isinstance(classes, list | tuple) and any(map(np.ndim, classes)):
        return len(classes)
    for name in BINARIZERS:
        binarizer: Any = getattr(model, name, None)
        if str(getattr(binarizer, "y_type_", "")).startswith("multilabel"):
            return len(binarizer.classes_)
    n_outputs = getattr(model, "n_outputs_", 1)
    # of classifiers it may count the classes
    return int(n_outputs) if classes is None and isinstance(n_outputs, Integral) else 1
