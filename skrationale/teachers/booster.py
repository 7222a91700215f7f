"""Boosters and model files as fitted estimators, which say what they predict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from .._library import library_of
from .._task import Link, Task
from ..conversion import levels_in, rewritten
from ..tabular import TableReader, are_counted, as_frame_or_array
from ._lightgbm_text import negated
from .lightgbm import LightGBMTeacher

LIGHTGBM_TEXT = b"tree\n"
"""First bytes of a file that LightGBM saved."""


def as_teacher(model: Any, classes: Sequence[Any] | None = None, *, X: Any = None) -> Any:
    """Make a fitted estimator from a booster, or from the file of a model.

    Parameters
    ----------
    model : lightgbm.Booster, xgboost.Booster, str or path
        A booster, or the file in which LightGBM (text) or XGBoost (JSON or UBJSON) saved one.
    classes : sequence of C labels, default=None
        Labels of a classifier, in the order of its scores; for two classes the positive one is last. None: 0
        to C - 1.
    X : DataFrame of shape (n, d), default=None
        Rows that hold all levels of categories, if the model does not store them: see :func:`to_lightgbm`.

    Returns
    -------
    BoosterClassifier or BoosterRegressor
        A classifier or regressor, as the objective of the model says. Give it to a distiller in a
        FrozenEstimator. Its `classes_` are sorted, as everywhere in scikit-learn. If `classes` is not sorted,
        its scores are put into the sorted order.

    Raises
    ------
    TypeError
        If `model` is neither a booster nor a path.
    ValueError
        If the file is not a model of these libraries, if `classes` does not have one label for each class, or
        if the model cannot be explained, see :func:`to_lightgbm`.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> import numpy as np
    >>> import lightgbm
    >>> from sklearn.frozen import FrozenEstimator
    >>> from skrationale import GBDT2NNStudent, as_teacher
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> data = lightgbm.Dataset(X, X[:, 0] > 0)
    >>> booster = lightgbm.train({"objective": "binary", "verbose": -1}, data, 10)
    >>> teacher = as_teacher(booster, classes=["no", "yes"])
    >>> teacher.predict(X[:2])
    array(['yes', 'yes'], dtype='<U3')
    >>> student = GBDT2NNStudent(FrozenEstimator(teacher), max_epochs=2).fit(X, teacher.predict(X))
    >>> student.explain(X).output_names
    ('yes',)
    """
    booster, link = _lightgbm_of(_loaded(model), X)
    teacher = LightGBMTeacher(booster, role="model")
    is_classifier = teacher.link in ("logit", "softmax")
    if not is_classifier:
        if classes is not None:
            raise ValueError(f"`classes` is for classifiers, but the model predicts numbers (link {link!r}).")
        return BoosterRegressor(booster)
    n_classes = max(2, teacher.n_outputs)
    labels = np.arange(n_classes) if classes is None else np.asarray(classes)
    if labels.shape != (n_classes,) or len(np.unique(labels)) != n_classes:
        raise ValueError(
            f"`classes` must hold {n_classes} different labels, one for each class of the model, "
            f"got {classes!r}."
        )
    order = np.argsort(labels)
    if (np.diff(order) < 0).any():
        booster = _of_sorted_classes(teacher, order)
    return BoosterClassifier(booster, labels[order])


def _of_sorted_classes(teacher: LightGBMTeacher, order: np.ndarray) -> Any:
    """Give the booster whose scores are those of a model with K outputs, of its classes in an order (C,)."""
    from lightgbm import Booster

    if teacher.n_outputs == 1:
        return Booster(model_str=negated(teacher.booster.model_to_string()))
    rounds = range(0, teacher.n_trees, teacher.n_outputs)
    return teacher.some_trees(first + int(k) for first in rounds for k in order)


def _loaded(model: Any) -> Any:
    """Load a model from a file, or give a booster back."""
    if not isinstance(model, str | Path):
        if library_of(model) not in ("lightgbm", "xgboost") or hasattr(model, "fit"):
            raise TypeError(
                f"`model` must be a Booster of LightGBM or XGBoost, or the path of a file that one of them "
                f"saved, got {type(model).__name__}."
            )
        return model
    path = Path(model)
    with path.open("rb") as file:
        start = file.read(len(LIGHTGBM_TEXT))
    if start == LIGHTGBM_TEXT:
        from lightgbm import Booster

        return Booster(model_file=path)
    import xgboost

    try:
        return xgboost.Booster(model_file=path)
    except xgboost.core.XGBoostError as error:
        raise ValueError(
            f"The file {str(path)!r} is neither a model that LightGBM saved as text nor one that XGBoost "
            "saved as JSON or UBJSON."
        ) from error


def _lightgbm_of(booster: Any, X: Any) -> tuple[Any, Link]:
    """Give the booster of LightGBM that says the same, and what its raw scores are."""
    if library_of(booster) == "lightgbm":
        return booster, LightGBMTeacher(booster, role="model").link
    found = rewritten(booster, levels_in(X))
    return found.booster, found.link


class _FittedBooster(BaseEstimator):
    """A booster of LightGBM as a fitted estimator; it is not fitted anew."""

    _library: ClassVar[str] = "lightgbm"

    def __init__(self, booster: Any, classes: Any = None) -> None:
        self.booster = booster
        self.classes = classes

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> Any:
        """Refuse to be fitted, as there are no parameters to fit with."""
        raise ValueError(f"A {type(self).__name__} is fitted already: give it in a FrozenEstimator.")

    @property
    def booster_(self) -> Any:
        """The trees."""
        return self.booster

    @property
    def n_features_in_(self) -> int:
        """Number d of columns."""
        return self.booster.num_feature()

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns, where the booster knows some."""
        names = self.booster.feature_name()
        if are_counted(names):
            raise AttributeError("the booster has no column names")
        return np.array(names, dtype=object)

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels, or numbers in units of the target, (n,) of rows (n, d)."""
        scores, task = self._raw_scores(X)
        return task.predict(scores)

    def _raw_scores(self, X: Any) -> tuple[np.ndarray, Task]:
        teacher = LightGBMTeacher(self.booster, role="model")
        table = as_frame_or_array(X)
        reader = TableReader().fit(table)
        if len(reader.levels) != teacher.n_features:
            raise ValueError(
                f"X has {len(reader.levels)} features, but the model was fitted on {teacher.n_features}."
            )
        teacher.read_as_at_fit(reader, reader.feature_names)
        scores = teacher.raw_scores(reader.transform(table))
        return scores, Task(teacher.link, teacher.n_outputs, getattr(self, "classes_", None))


class BoosterRegressor(RegressorMixin, _FittedBooster):
    """A booster that predicts numbers, as a fitted estimator; made by :func:`as_teacher`.

    Parameters
    ----------
    booster : lightgbm.Booster
        Fitted.

    Examples
    --------
    >>> import numpy as np
    >>> import lightgbm
    >>> from skrationale import as_teacher
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> booster = lightgbm.train({"verbose": -1}, lightgbm.Dataset(X, X[:, 0]), 10)
    >>> model = as_teacher(booster)
    >>> bool(np.allclose(model.predict(X), booster.predict(X)))
    True
    """

    def __init__(self, booster: Any) -> None:
        super().__init__(booster)


class BoosterClassifier(ClassifierMixin, _FittedBooster):
    """A booster that classifies, as a fitted estimator; made by :func:`as_teacher`.

    Parameters
    ----------
    booster : lightgbm.Booster
        Fitted, with K scores.
    classes : ndarray of shape (C,)
        Labels; the second of two belongs to the one score.

    Examples
    --------
    >>> import numpy as np
    >>> import lightgbm
    >>> from skrationale import as_teacher
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> data = lightgbm.Dataset(X, X[:, 0] > 0)
    >>> booster = lightgbm.train({"objective": "binary", "verbose": -1}, data, 10)
    >>> model = as_teacher(booster, classes=["no", "yes"])
    >>> bool(np.allclose(model.predict_proba(X)[:, 1], booster.predict(X)))
    True
    """

    @property
    def classes_(self) -> np.ndarray:
        """Labels (C,) in the order of the probabilities."""
        return np.asarray(self.classes)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict probabilities (n, C) of rows (n, d), in the order of `classes_`."""
        scores, task = self._raw_scores(X)
        return task.probabilities(scores)
