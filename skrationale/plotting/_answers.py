"""Ask a student and its teacher the same."""

from typing import Any

import numpy as np

from ..explanation._format import unit

LEAST = 1e-4
"""Probabilities are kept away from 0 and 1 before their logarithm is taken."""


def answers_of(estimator: Any, X: Any, *, reasons: bool) -> dict[str, Any]:
    """Return the parameters of a FidelityDisplay.

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
    if hasattr(estimator, "teacher_explain"):
        return _explained(estimator.explain(X), estimator.teacher_explain(X), reasons=reasons)
    if hasattr(estimator, "predict_model") and hasattr(estimator, "predict_interpretable"):
        found = estimator.predict_interpretable(X), estimator.predict_model(X)
        if hasattr(estimator, "classes_"):
            found = found[0].astype(str), found[1].astype(str)
        word = "class" if hasattr(estimator, "classes_") else "prediction"
        answers = dict(zip(("scores", "teacher_scores"), found, strict=True))
        return {**answers, "names": ("interpreter", "predictor"), "unit": word}
    if not hasattr(estimator, "teacher_"):
        raise TypeError(
            "`estimator` must be fitted and have a `teacher_`, or be a FLINT model, got "
            f"{type(estimator).__name__}; numbers are drawn by `from_predictions(scores, teacher_scores)`."
        )
    # the teacher may know the columns in another order, or take text in another form
    asked = estimator._teacher_rows(X) if hasattr(estimator, "_teacher_rows") else X
    answers = _scored(estimator, X, asked)
    return answers | (_reasons(estimator, X, asked) if reasons else {})


def _explained(own: Any, other: Any, *, reasons: bool) -> dict[str, Any]:
    """Take scores and reasons from two explanations that add up to their scores."""
    answers: dict[str, Any] = {
        "scores": own.scores(),
        "teacher_scores": other.scores(),
        "output_names": own.output_names,
        "unit": unit(own),
    }
    return answers | ({"values": own.values, "teacher_values": other.values} if reasons else {})


def _scored(estimator: Any, X: Any, asked: Any) -> dict[str, Any]:
    """Ask for numbers of regressors and for log-odds of classifiers; for labels where there are no others."""
    teacher = estimator.teacher_
    if not hasattr(estimator, "classes_"):
        return {
            "scores": estimator.predict(X),
            "teacher_scores": teacher.predict(asked),
            "unit": "prediction",
        }
    classes = [str(name) for name in estimator.classes_]
    word, both_ask = f"log-odds of {classes[-1]}", ((estimator, X), (teacher, asked))
    if hasattr(teacher, "predict_proba"):
        # Kept in the same range, two models that are sure of the same are no further apart.
        own, found = (_log_odds(np.asarray(one.predict_proba(rows), float)) for one, rows in both_ask)
    elif hasattr(teacher, "decision_function"):
        own, found = (np.asarray(one.decision_function(rows), float) for one, rows in both_ask)
    else:
        own, found = (np.asarray(one.predict(rows)).astype(str) for one, rows in both_ask)
        word = "class"
    if own.ndim == 1:
        return {"scores": own, "teacher_scores": found, "unit": word}
    both = {"scores": _centred(own), "teacher_scores": _centred(found)}
    return {**both, "output_names": classes, "unit": "log-probability less its mean"}


def _log_odds(share: np.ndarray) -> np.ndarray:
    """Log-odds (n,) of the second class, or logarithms (n, C) for more of them."""
    share = np.clip(share, LEAST, 1 - LEAST)
    if share.shape[1] > 2:
        return np.log(share)
    return np.log(share[:, -1]) - np.log1p(-share[:, -1])


def _centred(scores: np.ndarray) -> np.ndarray:
    """Take the mean of each row away: one number more for all classes changes no probability."""
    return scores - scores.mean(axis=1, keepdims=True)


def _reasons(estimator: Any, X: Any, asked: Any) -> dict[str, Any]:
    """Return reasons of both, where the teacher has some that are of the same cells and kind."""
    if not hasattr(estimator.teacher_, "explain"):
        return {}
    other = estimator.teacher_.explain(asked)
    if hasattr(estimator, "_asking"):
        other = estimator._asking.explanation_back(other)
    if other.kind == "attribute":
        return {}
    own = estimator.explain(X)
    same = own.values.shape == other.values.shape and (own.kind == "rationale") == (other.kind == "rationale")
    return {"values": own.values, "teacher_values": other.values} if same else {}
