"""Any fitted model as a teacher, through the public methods that scikit-learn's models have."""

from __future__ import annotations

import copy
from typing import Any, Literal, Self

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import is_classifier

from .._hooks import gives_reasons, has_probabilities
from .._task import Task
from ..explanation import Explanation
from ..explanation.ruler import log_odds
from ._table import AS_IT_IS, TeacherTable
from ._targets import ROUNDING, check_one_column, check_shares, refuse_several_targets

MISREAD = 0.1
"""Share of rows whose largest score may be of another class than the one predicted. Not measured."""


class AnyTeacher:
    """A model with `predict`, and of a classifier `predict_proba` or `decision_function`.

    Its scores are predictions, or log-odds: of `predict_proba`, in the range of the ruler, or else the
    decision function, which is read as log-odds (scores before the softmax for more than two classes) and is
    finite itself.

    Parameters
    ----------
    model : estimator
        Fitted.
    form : TeacherTable, optional
        Of the table that it takes.
    task : Task, optional
        What it predicts; None: as it says itself.
    """

    def __init__(self, model: Any, form: TeacherTable = AS_IT_IS, task: Task | None = None) -> None:
        self.model, self.form = model, form
        self.task = _task_of(model) if task is None else task

    @property
    def model_form(self) -> TeacherTable:
        """The table that the model itself takes, where something else answers for it."""
        return self.form

    @property
    def confidence(self) -> Literal["probability", "margin"] | None:
        """How a classifier says how sure it is; None where it gives labels alone, and for numbers."""
        return confidence_of(self.model) if self.task.is_classification else None

    def answers(self, table: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Ask for scores and, of a classifier, probabilities.

        Parameters
        ----------
        table : table of shape (n, d)
            Rows as the model takes them.

        Returns
        -------
        scores : ndarray of shape (n, K)
            Numbers, or log-odds.
        probabilities : ndarray of shape (n, C) or None
            Class probabilities, rows summing to one; None for numbers.

        Raises
        ------
        TypeError
            If a classifier does not say how sure it is.
        ValueError
            If its answers have another shape, are not finite, are no probabilities, or are those of several
            targets; or if a decision function has one number for each pair of classes.
        """
        if not self.task.is_classification:
            found = self.model.predict(table)
            check_one_column(found, self.model, "teacher")
            return self._numbers(found, len(table), 1), None
        confidence = self.confidence
        if confidence == "probability":
            return self._of_probabilities(table)
        if confidence == "margin":
            return self._of_margins(table)
        raise TypeError(
            f"The classifier {type(self.model).__name__} has neither predict_proba nor decision_function; "
            "expected one of the two."
        )

    def scores(self, table: Any) -> np.ndarray:
        """Scores (n, K) alone; parameters and errors as `answers`."""
        return self.answers(table)[0]

    def knowing(self, X: Any) -> Self:
        """Give a teacher whose form also knows the levels of rows (n, d), or itself if none are new."""
        form = self.form.knowing(X)
        if form is self.form:
            return self
        other = copy.copy(self)
        other.form = form
        return other

    def reasons(self, table: Any) -> Explanation | None:
        """Reasons of the model itself, by the student's columns; None where it has none."""
        return self.form.explanation_back(self.model.explain(table)) if gives_reasons(self.model) else None

    def sizes(self, table: Any) -> np.ndarray | None:
        """Sizes (n, d) of reasons, summed over outputs, by the teacher's columns; None without reasons."""
        if not gives_reasons(self.model):
            return None
        sizes = np.abs(self.model.explain(table).values)
        return sizes.sum(axis=2) if sizes.ndim == 3 else sizes

    def _chances(self, raw: np.ndarray) -> np.ndarray | None:
        return self.task.probabilities(raw) if self.task.is_classification else None

    def _of_probabilities(self, table: Any) -> tuple[np.ndarray, np.ndarray]:
        classes = self.task.classes
        assert classes is not None
        shares = np.asarray(self.model.predict_proba(table), dtype=np.float64)
        if len(classes) == 1:  # some models have a column for a second class, which no row was of
            return np.zeros((len(shares), 1)), np.ones((len(shares), 1))
        shares = self._finite(shares, len(classes))
        check_shares(shares, self.model, table, "teacher")
        outside = ((shares < -ROUNDING) | (shares > 1 + ROUNDING)).any(axis=1)
        wrong = np.count_nonzero(outside | (shares.sum(axis=1) <= 0))
        if wrong:
            raise ValueError(
                f"predict_proba of {type(self.model).__name__} gave no probabilities in {wrong} of "
                f"{len(shares)} rows; expected numbers from 0 to 1, not all of them 0."
            )
        shares = np.clip(shares, 0.0, 1.0)
        return log_odds(shares), shares / shares.sum(axis=1, keepdims=True)

    def _of_margins(self, table: Any) -> tuple[np.ndarray, np.ndarray]:
        classes = self.task.classes
        assert classes is not None
        c = len(classes)
        scores = self._numbers(self.model.decision_function(table), len(table), 1 if c <= 2 else c)
        if c <= 2:
            return scores, expit(np.hstack([-scores, scores])) if c > 1 else np.ones((len(scores), 1))
        predicted = np.asarray(self.model.predict(table))
        if np.mean(classes[scores.argmax(axis=1)] != predicted) > MISREAD:
            raise ValueError(
                f"The largest score from decision_function of {type(self.model).__name__} is not that of "
                "the predicted class; expected one score per class, as with decision_function_shape='ovr'."
            )  # three classes have three pairs too
        return scores, softmax(scores, axis=1)

    def _numbers(self, found: Any, n_rows: int, n_columns: int) -> np.ndarray:
        return self._finite(np.asarray(found, dtype=np.float64).reshape(n_rows, -1), n_columns)

    def _finite(self, found: np.ndarray, n_columns: int) -> np.ndarray:
        if found.ndim != 2 or found.shape[1] != n_columns or not np.isfinite(found).all():
            raise ValueError(
                f"The teacher {type(self.model).__name__} gave scores of shape {found.shape}, "
                f"{np.count_nonzero(~np.isfinite(found))} of them not finite; expected {n_columns} finite "
                "number(s) per row."
            )
        return found


def confidence_of(classifier: Any) -> Literal["probability", "margin"] | None:
    """How a classifier, fitted or not, says how sure it is; None where it gives labels alone."""
    if has_probabilities(classifier):
        return "probability"
    return "margin" if hasattr(classifier, "decision_function") else None


def _task_of(model: Any) -> Task:
    """Say what a fitted model predicts; refuse one of several targets."""
    refuse_several_targets(model, "teacher")
    return Task.of_classes(np.asarray(model.classes_)) if is_classifier(model) else Task("identity", 1)
