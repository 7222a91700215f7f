"""What attributes say of rows: contributions, relevance, conciseness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

TAUS = (1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
"""Attributes count with more than 1/tau of the largest relevance; the paper's range."""
ROUNDING = 1e-9
"""Contributions below this share of the largest weight are none. Not measured."""


def contributions(phi: np.ndarray, weights: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Give the contribution of each attribute to the score that decides.

    Parameters
    ----------
    phi : ndarray of shape (n, J)
        Attributes.
    weights : ndarray of shape (K, J)
        Of the scores.
    scores : ndarray of shape (n, K)
        The interpreter's scores.

    Returns
    -------
    ndarray of shape (n, J)
        To the highest of several scores; to the only one else.
    """
    return phi * weights[scores.argmax(axis=1)]


def relevance(alpha: np.ndarray, unit: float = 1.0) -> np.ndarray:
    """Give contributions as a share of the largest in size of their row.

    Parameters
    ----------
    alpha : ndarray of shape (n, J)
        Contributions.
    unit : float, default=1.0
        What an attribute of 1 contributes at most: the largest weight.

    Returns
    -------
    ndarray of shape (n, J)
        From -1 to 1; 0 where a row has no contribution but rounding.

    Examples
    --------
    >>> relevance(np.array([[1e-12, -4e-12], [0.0, 0.0]]), unit=2e-12)
    array([[ 0.25, -1.  ],
           [ 0.  ,  0.  ]])
    """
    largest = np.abs(alpha).max(axis=1, keepdims=True)
    some = largest > ROUNDING * unit
    return np.where(some, alpha / np.where(some, largest, 1.0), 0.0)


def relevant(r: np.ndarray, tau: float, n_outputs: int) -> np.ndarray:
    """Say which attributes are relevant (n, J): more than 1/tau of the largest.

    With several scores only what speaks for the highest one counts; with one score also what lowers it.
    """
    return (r if n_outputs > 1 else np.abs(r)) > 1 / tau


def conciseness(r: np.ndarray, taus: Sequence[float], n_outputs: int) -> dict[float, float]:
    """Mean number of relevant attributes of a row, for each tau."""
    return {float(tau): float(relevant(r, tau, n_outputs).sum(axis=1).mean()) for tau in taus}


def mean_relevance(
    r: np.ndarray, predicted: np.ndarray, n_classes: int, weight: np.ndarray | None = None
) -> np.ndarray:
    """Mean relevance (C, J) over the rows predicted as each class; NaN for a class that never is.

    Parameters
    ----------
    r : ndarray of shape (n, J)
        Relevance, positive for what speaks for the predicted class.
    predicted : ndarray of int of shape (n,)
        Classes.
    n_classes : int
        Their number C.
    weight : ndarray of shape (n,), default=None
        Weights of the rows.
    """
    result = np.full((n_classes, r.shape[1]), np.nan)
    for c in np.unique(predicted):
        rows = predicted == c
        result[c] = np.average(r[rows], axis=0, weights=None if weight is None else weight[rows])
    return result
