"""The template that all estimators share: read, fit or leave untouched, predict, explain."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from ._absent import AbsentTeacher, LeavesTeacherOut
from ._carded import HasModelCard
from ._explaining import explanation_of
from ._hooks import Hooks
from ._kinds import tags_of_kind
from ._random import seed_unseeded
from ._scales import check_target_scale
from ._settled import forget_fit, unchanged_on_error
from ._task import Task
from ._versions import VersionedEstimator
from ._weights import check_weights, class_factors
from .explanation import Explanation
from .explanation.ruler import log_odds
from .graphs import OnnxExport
from .metrics import explanation_fidelity
from .metrics.answers import agreement, judged, probabilities_of, score_of
from .tabular import (
    UNKNOWN_REPORTED,
    FewRows,
    TableReader,
    as_frame_or_array,
    as_numbers,
    holds_categories,
    looks_like_classes,
    read_target,
)
from .teachers import (
    Teacher,
    TeacherTable,
    check_teacher,
    classifies,
    cloned,
    fitted_to,
    form_for,
    refuse_other_order,
    teacher_for,
    text_refused,
    unfrozen,
    warn_of_constraints,
    warn_of_refit,
    warn_of_weights,
)


class BaseReasoner(HasModelCard, OnnxExport, Hooks, VersionedEstimator, metaclass=ABCMeta):
    """An estimator over tables whose predictions come with reasons.

    A subclass says how to fit (`_fit_rows`), how to score rows (`_scores`) and how to explain them
    (`explain`); this class reads tables, keeps a failed fit from leaving traces, and turns scores
    into predictions through the fitted `_task`.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {}
    class_weight: Any = None
    _task: Task
    _reader: TableReader
    _kept: np.ndarray
    """Which rows of the table have a weight; only while fitting."""
    _categories: bool
    """Whether the type of the target says that it holds labels; only while fitting."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to a table and its target.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Numbers, booleans, text, categories; NaN is allowed, infinity is not.
        y : array-like of shape (n,)
            Labels or numbers.
        sample_weight : array-like of shape (n,), default=None
            Non-negative weights; rows of weight 0 are left out. An integer weight counts as that many copies
            of the row.

        Returns
        -------
        self
            The fitted estimator. If fit fails, the estimator does not change.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not as described.
        """
        with unchanged_on_error(self):
            self._begin_fit()
            X = self._as_table(X)
            validate_data(self, X, y, skip_check_array=True)
            target, self._categories = read_target(y), holds_categories(y)
            check_target_scale(target)
            weight = check_weights(sample_weight, len(target))
            self._reader, matrix = self._read_first(X)
            check_consistent_length(matrix, target)
            kept = self._kept = weight > 0
            if sample_weight is not None:
                X, matrix, target, weight = X[kept], matrix[kept], target[kept], weight[kept]
            factors = class_factors(self.class_weight, target, weight, self._predicts_labels(target))
            weight = weight if factors is None else weight * factors
            given = sample_weight is not None or factors is not None
            self._fit_rows(X, matrix, target, weight / weight.mean() if given else None)
            del self._kept, self._categories
        return self

    def _as_table(self, X: Any) -> Any:
        """Bring a table that is fitted to into a form that `_read_first` takes."""
        return as_frame_or_array(X)

    def _read_first(self, X: Any) -> tuple[TableReader, np.ndarray]:
        """Give what has read a table that is fitted to, and its numbers and codes (n, d)."""
        reader = TableReader().fit(X)
        return reader, reader.transform(X)

    def _begin_fit(self) -> None:
        """Check parameters, and forget an earlier fit."""
        self._validate_params()
        self._check_parameters()
        forget_fit(self)

    def _check_parameters(self) -> None:
        """Refuse, before any work, parameters that `_parameter_constraints` cannot express."""

    @abstractmethod
    def _fit_rows(self, X: Any, matrix: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None) -> None:
        """Fit on rows, as given and as a matrix of numbers and codes (n, d); set all fitted attributes."""

    @abstractmethod
    def _scores(self, matrix: np.ndarray) -> np.ndarray:
        """Raw scores (n, K), float64, of a matrix of numbers and codes (n, d)."""

    @abstractmethod
    def explain(self, X: Any, *, batch_size: int | None = None, n_jobs: int | None = None) -> Explanation:
        """Explain the scores of rows."""

    def _explanation_of(self, X: Any, matrix: np.ndarray, values: Any, base: Any, **rest: Any) -> Explanation:
        return explanation_of(self._reader, self._task, X, matrix, values, base, **rest)

    def _read(self, X: Any) -> np.ndarray:
        return self._read_rows(X)[0]

    def _read_rows(self, X: Any, keep: bool = False) -> tuple[np.ndarray, FewRows | None]:
        """Read numbers and codes (n, d), which with `keep` may be `X` itself, and give few rows as read."""
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)
        X = as_frame_or_array(X)
        if not self._reader.has_columns_of(X):  # else there is nothing to say, and one row is soon read
            validate_data(self, X, reset=False, skip_check_array=True)
            refuse_other_order(self._reader.names, X)
        return self._reader.read(X, keep)

    def predict(self, X: Any) -> np.ndarray:
        """Predict labels, or numbers in the units of the target.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of shape (n,)
            Predictions.
        """
        scores = self._scores(self._read(X))  # first, as it says what is not fitted
        return self._task.predict(scores)

    @available_if(lambda self: is_classifier(self))
    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of shape (n, C)
            Probabilities in the order of `classes_`; rows sum to one.
        """
        scores = self._scores(self._read(X))
        return self._task.probabilities(scores)

    @available_if(lambda self: is_classifier(self))
    def decision_function(self, X: Any) -> np.ndarray:
        """Return the raw scores that `explain` splits into contributions.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of shape (n,) or (n, C)
            Log-odds of the positive class for two classes, otherwise one score per class. If contributions
            add up to probabilities: their log-odds or, for more classes, logarithms minus their mean.
        """
        matrix = self._read(X)
        scores = self._scores(matrix)
        if self._task.link == "probability":
            scores = log_odds(self._task.probabilities(scores))
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Score predictions: accuracy of labels, R2 of numbers.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.
        y : array-like of shape (n,)
            True labels or numbers.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        float
            Accuracy or R2.
        """
        return score_of(self._task if hasattr(self, "_task") else None, y, self.predict(X), sample_weight)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_task")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags_of_kind(tags, self._is_classifier())

    @abstractmethod
    def _is_classifier(self) -> bool:
        """Whether labels are predicted; asked before fit too."""

    def _predicts_labels(self, y: np.ndarray) -> bool:
        """Whether it learns to predict labels from this target."""
        return self._is_classifier()


class ReadableNetwork(BaseReasoner):
    """A network whose hidden layers can be read."""

    @abstractmethod
    def _hidden_states(self, matrix: np.ndarray) -> list[np.ndarray]:
        """Give the states (n, h) of each hidden layer; none where a constant is predicted."""


class BaseDistiller(LeavesTeacherOut, BaseReasoner):
    """A meta-estimator whose task is its teacher's task.

    A subclass names a default teacher, accepts or refuses a fitted one, and learns from it (`_distil`).

    Parameters
    ----------
    teacher : estimator, default=None
        An unfitted teacher is cloned and fitted, a fitted one goes in through
        :class:`sklearn.frozen.FrozenEstimator`.
    """

    teacher: Any
    teacher_: Any
    _has_fidelity = True
    _of_teacher: ClassVar[frozenset[str]] = BaseReasoner._of_teacher | {"_adapter"}
    _adapter: Teacher
    """What `teacher_` can be asked, and the form of table that it takes."""
    _labels_may_be_numbers: ClassVar[bool] = True
    """Whether a target of two values, or of few integers, is taken for labels where there is no teacher."""

    def _validate_params(self) -> None:
        if isinstance(self.teacher, AbsentTeacher):
            self.teacher.fit(None)
        check_teacher(self.teacher, type(self).__name__)
        super()._validate_params()

    def _is_classifier(self) -> bool:
        if getattr(self, "teacher", None) is not None:
            return classifies(self.teacher, type(self).__name__)
        task = getattr(self, "_task", None)
        return task is None or task.is_classification

    def _fit_rows(self, X: Any, matrix: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None) -> None:
        self._meet_teacher(*self._fit_teacher(X, matrix, y, sample_weight))
        self._distil(X, matrix, self._task.encode(y), sample_weight)

    def _meet_teacher(self, teacher: Any, form: TeacherTable) -> None:
        """Take over what a fitted teacher knows."""
        self.teacher_, self._adapter = teacher, self._adapt(teacher, form)
        self._task = self._adapter.task
        self._accept_teacher()
        self._warn_of_constraints()
        if self._task.is_classification:
            self.classes_ = self._task.classes

    def _warn_of_constraints(self) -> None:
        """Say that what a teacher was made to keep a student does not."""
        warn_of_constraints(self.teacher_, self._reader.feature_names, self._adapter.form.order)

    def _teacher_rows(self, X: Any) -> Any:
        """Read rows as the user gives them into the table that `teacher_` takes."""
        self._read(X)
        return self._adapter.model_form.rows(as_frame_or_array(X))

    def _fit_teacher(
        self, X: Any, matrix: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None
    ) -> tuple[Any, TeacherTable]:
        """Give the fitted teacher and the form of table that it takes."""
        teacher = self.teacher
        if teacher is None:
            teacher = self._default_teacher(self._are_classes(y), matrix)
        elif not (is_classifier(teacher) or is_regressor(teacher)):
            raise TypeError(
                f"The 'teacher' parameter of {type(self).__name__} must be a scikit-learn classifier or "
                f"regressor, or None. Got {teacher!r} instead."
            )
        if is_classifier(teacher):
            try:
                check_classification_targets(y)
            except ValueError as error:
                raise ValueError(
                    f"{error} The teacher is a classifier; for numbers give a regressor as teacher=..."
                ) from None
        elif y.dtype.kind in "OU":
            y = as_numbers(y, ", but the teacher is a regressor; give a classifier as teacher=...")
        inner = unfrozen(teacher)
        self._check_teacher(inner)
        self._check_rows(matrix, None if is_classifier(teacher) else y)
        if isinstance(teacher, FrozenEstimator):
            check_is_fitted(inner)
            warn_of_weights(sample_weight, "teacher")
            return inner, form_for(inner, self._reader, fitted=True)
        text_refused(teacher, self._reader)
        warn_of_refit(teacher, "teacher")
        form = form_for(teacher, self._reader, fitted=False)
        rows = self._rows_to_fit(teacher, form.rows(X))
        return fitted_to(self._unfitted(teacher), rows, y, sample_weight, "teacher"), form

    def _rows_to_fit(self, teacher: Any, rows: Any) -> Any:
        """Give rows in the shape in which a teacher is fitted to them."""
        return rows

    def _unfitted(self, teacher: Any) -> Any:
        """Give a copy of a teacher, to be fitted; where it has no seed the distiller's serves it too."""
        return seed_unseeded(self._configure(cloned(teacher)), getattr(self, "random_state", None))

    def _configure(self, teacher: Any) -> Any:
        """Set parameters of the teacher that the distiller rules."""
        return teacher

    def _predicts_labels(self, y: np.ndarray) -> bool:
        return self._are_classes(y) if self.teacher is None else is_classifier(self.teacher)

    def _are_classes(self, y: np.ndarray) -> bool:
        """Whether a distiller without a teacher takes a target for labels."""
        return self._categories or looks_like_classes(y, numbers=self._labels_may_be_numbers)

    @abstractmethod
    def _default_teacher(self, classifier: bool, matrix: np.ndarray) -> Any:
        """Build the teacher used when `teacher` is None."""

    @abstractmethod
    def _check_teacher(self, teacher: Any) -> None:
        """Refuse, before any work, a teacher that cannot be honoured."""

    def _check_rows(self, matrix: np.ndarray, numbers: np.ndarray | None) -> None:
        """Refuse, before any work, rows (n, d) or a target of numbers (n,) that cannot be learnt from."""

    def _adapt(self, teacher: Any, form: TeacherTable) -> Teacher:
        """Say how a fitted teacher is asked: on the ruler, unless a family needs its own raw scores."""
        return teacher_for(teacher, form)

    def _accept_teacher(self) -> None:
        """Refuse a fitted `teacher_` that does not suit the rows, and take over what it knows."""

    @abstractmethod
    def _distil(self, X: Any, matrix: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None) -> None:
        """Train the student on rows (n, d), encoded targets (n,) and weights of mean 1."""

    def _teacher_reasons(self, X: Any) -> Explanation | None:
        """Reasons of the teacher by the columns of X, or None when it has none to compare with."""
        own = isinstance(self.teacher_, BaseReasoner)
        return self._adapter.reasons(self._adapter.form.rows(X)) if own else None

    def _both_reasons(self, X: Any) -> tuple[np.ndarray, np.ndarray] | None:
        """Reasons of student and teacher to compare, of all rows or some; None where there are none."""
        reasons = self._teacher_reasons(X)
        return None if reasons is None else (self.explain(X).values, reasons.values)

    def fidelity(self, X: Any, y: Any = None) -> dict[str, float]:
        """Measure how well the student agrees with its teacher on given rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows, preferably ones that were not in ``fit``.
        y : array-like of shape (n,), default=None
            True labels or numbers; if given, the scores of both are added.

        Returns
        -------
        dict of str to float
            The results of :func:`skrationale.metrics.prediction_fidelity` and
            :func:`skrationale.metrics.explanation_fidelity`. With `y` also ``score`` and ``teacher_score``
            (accuracy or R2), and for classifiers ``auroc``, ``teacher_auroc``, ``log_loss`` and
            ``teacher_log_loss``.

        Notes
        -----
        ``prediction_r2`` is measured on one scale in every family. For two classes: log-odds, clipped to
        those of the probabilities 0.0001 and 0.9999. For more: logarithms of the probabilities minus their
        mean over the classes, with odds against the most probable class clipped in the same way. For numbers:
        predictions in the units of `y`. If contributions add up to probabilities: these.

        If one class is rare, do not rely on accuracy: use AUROC (for more than two classes the mean over the
        classes in `y`, each against all others) and log-loss (in nats). Both are NaN if `y` holds a label
        that is not among the teacher's classes. AUROC is also NaN if `y` holds only one label, and
        ``teacher_log_loss`` if the teacher has no ``predict_proba``.
        """
        task, scores = self._task, self._scores(self._read(X))
        with UNKNOWN_REPORTED.on():
            adapter = self._adapter.knowing(X)
            teacher_scores, chances = adapter.answers(adapter.form.rows(as_frame_or_array(X)))
            result = agreement(scores, teacher_scores, task, teacher_probabilities=chances)
            reasons = self._both_reasons(X)
            if reasons is not None:
                result |= explanation_fidelity(*reasons)
        if y is not None:
            result |= judged(task, y, scores, probabilities_of(task, scores))
            found = judged(task, y, teacher_scores, chances)
            if "log_loss" in found and self._adapter.confidence != "probability":
                found["log_loss"] = float("nan")  # its scores are read as log-odds, but are none
            result |= {f"teacher_{name}": value for name, value in found.items()}
        return result
