"""How a model that the user gives unfitted is fitted: weights, labels, and the errors of its library."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier
from sklearn.utils.validation import has_fit_parameter

from .._callers import outside
from .._library import library_of
from .._switch import Switch


class LabelledClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of XGBoost, which takes whole numbers from 0 alone, for labels of any kind.

    What it is not asked here, its `estimator` answers, such as ``get_booster()``.

    Parameters
    ----------
    estimator : XGBClassifier
        Unfitted; it is fitted as it is.

    Attributes
    ----------
    classes_ : ndarray of shape (C,)
        Labels, rising; the estimator knows each by its position.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> model = LabelledClassifier(DecisionTreeClassifier()).fit(X, ["no", "no", "yes"])
    >>> model.predict(X).tolist(), model.estimator.classes_.tolist(), model.get_depth()
    (['no', 'no', 'yes'], [0, 1], 1)
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "estimator" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.estimator, name)

    @property
    def _library(self) -> str | None:
        return library_of(self.estimator)

    def __sklearn_is_fitted__(self) -> bool:
        return "classes_" in self.__dict__

    def fit(self, X: Any, y: Any, **options: Any) -> LabelledClassifier:
        """Fit the estimator to rows (n, d) and the positions of labels (n,) among the classes."""
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        self.estimator.fit(X, codes, **options)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels (n,) of rows (n, d)."""
        return self.classes_[np.asarray(self.estimator.predict(X)).astype(int)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict probabilities (n, C) of rows (n, d), in the order of `classes_`."""
        return self.estimator.predict_proba(X)


def fitted_to(model: Any, X: Any, y: np.ndarray, sample_weight: np.ndarray | None, role: str) -> Any:
    """Fit a model to rows.

    Parameters
    ----------
    model : estimator
        Unfitted, and a copy of the user's.
    X : DataFrame or ndarray of shape (n, d)
        Rows in the form that it takes.
    y : ndarray of shape (n,)
        Labels or numbers.
    sample_weight : ndarray of shape (n,) or None
        Weights of the rows.
    role : str
        What messages call it.

    Returns
    -------
    estimator
        The model, fitted; a LabelledClassifier around it where XGBoost does not take the labels.

    Raises
    ------
    ValueError
        If weights are given to a model that takes none, or if its library cannot fit it to these rows.
    """
    name = type(model).__name__
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    if weights and not has_fit_parameter(model, "sample_weight"):
        raise ValueError(
            f"sample_weight was given, but the {role} {name} takes no weights; expected "
            "sample_weight=None, or a "
            f"{role} that is weighted and fitted already, in a FrozenEstimator."
        )
    library = library_of(model)
    classes = np.unique(y) if is_classifier(model) else None
    if library == "xgboost" and classes is not None and not _are_positions(classes):
        model = LabelledClassifier(model)
    try:
        return model.fit(X, y, **weights)
    except Exception as error:
        import pandas as pd

        # CatBoost's and LightGBM's own errors are of no kind that callers expect
        own = library is not None and type(error).__module__.strip("_").partition(".")[0] == library
        cells = pd.DataFrame() if issparse(X) else pd.DataFrame(X)
        empty = [str(name) for name, is_empty in cells.isna().all().items() if is_empty]
        if not (own or (empty and isinstance(error, ValueError))):
            raise
        what = "" if classes is None else f", {len(classes)} class{'es' * (len(classes) > 1)}"
        where = f", in which columns hold no value: {', '.join(empty[:3])}" if empty else ""
        raise ValueError(
            f"The {role} {name} could not be fitted to X (n_samples={X.shape[0]}, "
            f"n_features={X.shape[1]}{what}){where}: {error}"
        ) from error


WEIGHTS_REACHED = Switch("WEIGHTS_REACHED")
"""On inside a block that freezes a teacher which was fitted with the weights."""


def warn_of_weights(sample_weight: np.ndarray | None, role: str) -> None:
    """Warn where rows (n,) differ in weight, and the model in this role was fitted before."""
    if sample_weight is None or WEIGHTS_REACHED or not np.ptp(sample_weight):
        return
    warnings.warn(
        f"The {role} is frozen, so sample_weight and class_weight do not change its predictions. They only "
        "weight the rows from which this estimator learns to imitate these predictions. To change the "
        f"predictions, fit the {role} with the weights first, or give it unfitted.",
        UserWarning,
        stacklevel=outside(),
    )


def _are_positions(classes: np.ndarray) -> bool:
    # of booleans XGBoost would make 0 and 1
    return classes.dtype.kind in "iuf" and np.array_equal(classes, np.arange(len(classes)))
