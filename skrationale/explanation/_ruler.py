"""One ruler for the raw scores of all models: log-odds in one range, whatever a model itself can say."""

from __future__ import annotations

from typing import Any

import numpy as np

LEAST_PROBABILITY = 1e-4
LARGEST_LOG_ODDS = float(np.log(1 / LEAST_PROBABILITY - 1))
"""Log-odds of a probability of 0.9999, the ends of the ruler: how much surer a model is, is not compared."""
ROUNDING = 1e-5
"""By how much probabilities may leave [0, 1]; some are computed in float32."""
MISREAD = 0.1
"""Share of rows whose largest score may be of another class than the one predicted."""


def centred(scores: np.ndarray) -> np.ndarray:
    """Take the mean of each row of scores (n, K) away: it changes no probability.

    Examples
    --------
    >>> import numpy as np
    >>> centred(np.array([[1.0, 3.0]]))
    array([[-1.,  1.]])
    """
    return np.asarray(scores - scores.mean(axis=1, keepdims=True))


def on_ruler(scores: np.ndarray, link: str, n_classes: int | None) -> np.ndarray:
    """Put raw scores on the ruler on which all families and displays compare them.

    Parameters
    ----------
    scores : ndarray of shape (n, K)
        Raw scores, float64.
    link : {"identity", "log", "logit", "softmax"}
        What they are; "logit" with more than two classes says log-odds of each class against the rest.
    n_classes : int or None
        Number of classes; None for numbers.

    Returns
    -------
    ndarray of shape (n, K)
        For numbers the predictions in the units of the target. For two classes log-odds of the second, kept
        to those of probabilities from 0.0001 to 0.9999. For more, logarithms of the probabilities, which
        sum to one, less their mean over the classes; a class whose odds against the most probable one are
        below those of 0.0001 counts as just these. For one class 0. What was put on the ruler stays as it is.

    Examples
    --------
    >>> import numpy as np
    >>> on_ruler(np.array([[-2.0], [40.0]]), "logit", 2).round(3)
    array([[-2.  ],
           [ 9.21]])
    >>> on_ruler(np.array([[1.0, 1.0, 4.0]]), "softmax", 3)
    array([[-1., -1.,  2.]])
    """
    if n_classes is None:
        return np.exp(scores) if link == "log" else scores
    if n_classes == 1:
        return np.zeros_like(scores)
    if scores.shape[1] == 1:
        return np.clip(scores, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
    # -log(1 + exp(-x)) without overflow; scipy would make the import of an Explanation slow
    logs = -np.logaddexp(0.0, -scores) if link == "logit" else scores
    return centred(np.clip(logs - logs.max(axis=1, keepdims=True), -LARGEST_LOG_ODDS, 0.0))


def log_odds(probabilities: np.ndarray) -> np.ndarray:
    """Turn class probabilities into scores on the ruler.

    Parameters
    ----------
    probabilities : ndarray of shape (n, C)
        Float64; rows need not sum to one.

    Returns
    -------
    ndarray of shape (n, 1) or (n, C)
        As `on_ruler` gives them: one score for up to two classes, else one a class.

    Examples
    --------
    >>> import numpy as np
    >>> log_odds(np.array([[0.5, 0.5], [0.0, 1.0]])).round(3)
    array([[0.  ],
           [9.21]])
    """
    logs = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    n_classes = probabilities.shape[1]
    if n_classes <= 2:
        return on_ruler(logs[:, -1:] - logs[:, :1], "logit", n_classes)
    return on_ruler(logs, "softmax", n_classes)


def ask(model: Any, table: Any, classes: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Ask any fitted model for its scores, through public methods.

    Parameters
    ----------
    model : estimator
        A regressor, or a classifier with predict_proba or decision_function.
    table : table of shape (n, d)
        Rows as the model takes them.
    classes : array-like of shape (C,) or None
        Its classes; None for a regressor.

    Returns
    -------
    scores : ndarray of shape (n, K)
        Predictions, or log-odds: of predict_proba, in the range of the ruler, or else the decision function,
        which is read as log-odds (scores before the softmax for more than two classes) and is finite itself.
    probabilities : ndarray of shape (n, C) or None
        Class probabilities, rows summing to one; None for numbers.

    Raises
    ------
    TypeError
        If a classifier has neither method.
    ValueError
        If its answers have another shape, are not finite, or are no probabilities; or if a decision function
        has one number for each pair of classes.
    """
    if classes is None:
        found = np.asarray(model.predict(table), dtype=np.float64).reshape(len(table), -1)
        return _finite(model, found, 1), None
    from scipy.special import expit, softmax

    c = len(classes)
    if hasattr(model, "predict_proba"):
        shares = _finite(model, np.asarray(model.predict_proba(table), dtype=np.float64), c)
        outside = ((shares < -ROUNDING) | (shares > 1 + ROUNDING)).any(axis=1)
        wrong = np.count_nonzero(outside | (shares.sum(axis=1) <= 0))
        if wrong:
            raise ValueError(
                f"predict_proba of {type(model).__name__} gave no probabilities in {wrong} of {len(shares)} "
                "rows; expected numbers from 0 to 1, not all of them 0."
            )
        shares = np.clip(shares, 0.0, 1.0)
        return log_odds(shares), shares / shares.sum(axis=1, keepdims=True)
    if not hasattr(model, "decision_function"):
        raise TypeError(
            f"The classifier {type(model).__name__} has neither predict_proba nor decision_function; "
            "expected a classifier that has one of them."
        )
    scores = np.asarray(model.decision_function(table), dtype=np.float64).reshape(len(table), -1)
    scores = _finite(model, scores, 1 if c <= 2 else c)
    if c <= 2:
        return scores, expit(np.hstack([-scores, scores])) if c > 1 else np.ones((len(scores), 1))
    _one_a_class(model, table, scores, np.asarray(classes))
    return scores, softmax(scores, axis=1)


def _finite(model: Any, found: np.ndarray, n_columns: int) -> np.ndarray:
    if found.ndim != 2 or found.shape[1] != n_columns or not np.isfinite(found).all():
        raise ValueError(
            f"The teacher {type(model).__name__} gave scores of shape {found.shape}, "
            f"{np.count_nonzero(~np.isfinite(found))} of them not finite; expected {n_columns} "
            "finite number(s) a row."
        )
    return found


def _one_a_class(model: Any, table: Any, scores: np.ndarray, classes: np.ndarray) -> None:
    """Refuse scores that are not one a class: three classes have three pairs too."""
    said = np.asarray(model.predict(table))
    if np.mean(classes[scores.argmax(axis=1)] != said) > MISREAD:
        raise ValueError(
            f"decision_function of {type(model).__name__} is not largest for the class that it predicts; "
            "expected one score a class, as with decision_function_shape='ovr'."
        )
