"""One ruler for the raw scores of all models: log-odds in one range, whatever a model itself can say."""

from __future__ import annotations

import numpy as np

LEAST_PROBABILITY = 1e-4
LARGEST_LOG_ODDS = float(np.log(1 / LEAST_PROBABILITY - 1))
"""Log-odds of a probability of 0.9999, the ends of the ruler: how much surer a model is, is not compared."""


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
    link : {"identity", "log", "logit", "softmax", "probability"}
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
    if link == "probability":
        shares = np.clip(scores, 0.0, 1.0)
        return log_odds(np.hstack([1 - shares, shares]) if scores.shape[1] == 1 else shares)
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
