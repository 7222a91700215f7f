"""Ask a student and its teacher the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._hooks import hooks_of
from ..explanation.ruler import log_odds, on_ruler

if TYPE_CHECKING:
    from ..explanation import Explanation
    from ..teachers import Teacher


def answers_of(estimator: Any, X: Any, *, reasons: bool) -> dict[str, Any]:
    """Return the parameters of a FidelityDisplay, and its R2 where it is not that of the scores as drawn.

    Parameters
    ----------
    estimator : estimator
        A fitted distiller or FLINT model.
    X : DataFrame or array-like of shape (n, d)
        Rows.
    reasons : bool
        Whether reasons are asked for.

    Raises
    ------
    TypeError
        If there is no teacher to ask.
    """
    own = hooks_of(estimator)
    explainer, both = own._teacher_explainer(), own._interpreter_and_network(X)
    if explainer is not None:
        return _explained(estimator, X, explainer(X), reasons=reasons)
    if both is not None:
        classifies = own._fitted("classes_") is not None
        found = [predicted.astype(str) if classifies else predicted for predicted in both]
        answers = dict(zip(("scores", "teacher_scores"), found, strict=True))
        unit = "class" if classifies else "prediction"
        return {**answers, "names": ("interpreter", "predictor"), "unit": unit}
    from ..teachers import rows_for_teacher, teacher_of  # loads scikit-learn, and that pandas

    teacher = teacher_of(estimator)
    if teacher is None:
        raise TypeError(
            "`estimator` must be fitted and have a `teacher_`, or be a FLINT model, got "
            f"{type(estimator).__name__}; to plot arrays of scores, use `from_predictions(scores, "
            "teacher_scores)`."
        )
    asked = rows_for_teacher(estimator, X)
    answers = _scored(estimator, X, teacher, asked)
    return answers | (_reasons(estimator, X, teacher, asked) if reasons else {})


def _explained(estimator: Any, X: Any, other: Explanation, *, reasons: bool) -> dict[str, Any]:
    """Take the teacher's scores, and reasons of both, from explanations."""
    answers = _compared(estimator, X, other.scores().reshape(len(other), -1), other.link, has_margins=True)
    if reasons:
        answers |= {"values": estimator.explain(X).values, "teacher_values": other.values}
    return answers


def _scored(estimator: Any, X: Any, teacher: Teacher, asked: Any) -> dict[str, Any]:
    """Ask for numbers of regressors and for log-odds of classifiers; for labels where there are no others."""
    if teacher.task.is_classification and teacher.confidence is None:
        both = ((estimator, X), (teacher.model, asked))
        own, found = (np.asarray(one.predict(rows)).astype(str) for one, rows in both)
        return {"scores": own, "teacher_scores": found, "unit": "class"}
    link = "softmax" if teacher.task.is_classification else "identity"
    has_margins = teacher.confidence == "margin"
    return _compared(estimator, X, teacher.scores(asked), link, has_margins=has_margins)


def _compared(estimator: Any, X: Any, found: np.ndarray, link: str, *, has_margins: bool) -> dict[str, Any]:
    """Put what an estimator says beside raw scores (n, K) of its teacher, both on the ruler.

    Margins are drawn as they are, since they are finite, but R2 counts nothing beyond the ends of the ruler.
    """
    classes = hooks_of(estimator)._fitted("classes_")
    if classes is None:
        own, found = np.asarray(estimator.predict(X), float), on_ruler(found, link, None)
        return {"scores": own, "teacher_scores": found[:, 0], "unit": "prediction"}
    names = [str(name) for name in classes]
    own, margins = log_odds(np.asarray(estimator.predict_proba(X), float)), found
    found = on_ruler(found, link, len(names))
    if own.shape[1] > 1:
        unit = "log-probability less its mean"
        return {"scores": own, "teacher_scores": found, "output_names": names, "unit": unit}
    answers = {"scores": own[:, 0], "teacher_scores": found[:, 0], "unit": f"log-odds of {names[-1]}"}
    if has_margins and len(names) == 2:
        drawn = {"scores": np.asarray(estimator.decision_function(X), float), "teacher_scores": margins[:, 0]}
        answers |= drawn | {"r2": pooled_r2(found, own)}
    return answers


def pooled_r2(truth: np.ndarray, found: np.ndarray) -> float:
    """R2 of numbers (n,) or (n, K), pooled each column centred alone; rows with NaN are left out."""
    truth, found = (a[:, None] if a.ndim == 1 else a for a in (truth, found))
    known = np.isfinite(truth + found).all(axis=1)
    truth, found = truth[known], found[known]
    if not len(truth):
        return np.nan
    residual = float(((truth - found) ** 2).sum())
    total = float(((truth - truth.mean(axis=0)) ** 2).sum())
    if total == 0:
        return 1.0 if residual == 0 else np.nan
    return 1 - residual / total


def _reasons(estimator: Any, X: Any, teacher: Teacher, asked: Any) -> dict[str, Any]:
    """Return reasons of both, where the teacher has some that are of the same cells and kind."""
    other = teacher.reasons(asked)
    if other is None or other.kind == "attribute":
        return {}
    own = estimator.explain(X)
    same = own.values.shape == other.values.shape and (own.kind == "rationale") == (other.kind == "rationale")
    return {"values": own.values, "teacher_values": other.values} if same else {}
