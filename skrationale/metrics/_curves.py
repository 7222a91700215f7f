"""Deletion and insertion: the answer as columns go, or come, in the order of their importance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..explanation import Explanation
from ._checks import explanation_of, positive_integer
from ._faithfulness import column_ranks, mean_fall
from ._perturbing import Perturber


@dataclass(frozen=True, eq=False)
class FaithfulnessCurve:
    """How the predictions of a model change while columns are deleted or inserted.

    Parameters
    ----------
    shares : ndarray of shape (s,)
        Shares of columns deleted or inserted, from 0 to 1.
    answers : ndarray of shape (s,)
        Mean of the quantity `measure` over rows.
    area : float
        Area under the curve, by the trapezoid rule. It is the mean height, because shares go from 0 to 1.
    measure : {"answer", "difference"}
        ``"answer"``: the prediction for the class that is predicted for the whole row. With a faithful order
        it falls early in deletion and rises early in insertion. ``"difference"``, if a model predicts one
        number: its absolute difference from the prediction for the whole row. With a faithful order it rises
        early in deletion and falls early in insertion.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> from skrationale.metrics import insertion_curve
    >>> X = [[1.0, 0.0], [-1.0, 0.0]]
    >>> right = Explanation([[3.0, 0.0], [-3.0, 0.0]], 0.0)
    >>> curve = insertion_curve(right, lambda table: 3 * table[:, 0], X, fill="mean")
    >>> curve.measure, curve.area
    ('difference', 0.75)
    """

    shares: np.ndarray
    answers: np.ndarray
    area: float
    measure: str


def _curve(
    explanation: Explanation, perturber: Perturber, n_steps: int, *, insert: bool
) -> FaithfulnessCurve:
    n_steps = positive_integer("n_steps", n_steps)
    explanation = explanation_of(explanation, perturber.table)
    whole, d = perturber.whole, perturber.d
    ranks = column_ranks(explanation, whole)
    counts = np.unique(np.round(np.linspace(0, d, n_steps + 1)).astype(int))
    # nothing is hidden at one end, where the answer is known
    asked = counts[:-1] if insert else counts[1:]

    def hide(rows: np.ndarray) -> np.ndarray:
        first = ranks[rows] < asked[:, None, None]
        return ~first if insert else first

    total = np.zeros(len(asked))
    for rows, _, answers in perturber.answers(len(asked), hide):
        total += mean_fall(whole[rows], answers).sum(axis=1)
    falls = np.append(total, 0.0) if insert else np.append(0.0, total)
    measure = "difference" if whole.ndim == 1 else "answer"
    heights = falls / perturber.n
    if measure == "answer":
        heights = whole.max(axis=1).mean() - heights
    shares = counts / d
    area = float(((heights[1:] + heights[:-1]) / 2 * np.diff(shares)).sum())
    return FaithfulnessCurve(shares, heights, area, measure)


def deletion_curve(
    explanation: Explanation,
    predict: Callable[[Any], Any],
    X: Any,
    *,
    background: Any = None,
    fill: str = "marginal",
    n_steps: int = 10,
    n_fills: int = 5,
    random_state: Any = 0,
) -> FaithfulnessCurve:
    """Measure predictions while more and more columns are hidden, the most important first.

    Parameters
    ----------
    explanation : Explanation of n rows and d columns
        Columns are ordered by their absolute value, with NaN last. With one output per class, the values of
        the predicted class are used.
    predict : callable
        Takes a table and returns (n,) numbers, or (n, C) class probabilities or scores.
    X : DataFrame or array-like of shape (n, d)
        The rows explained. `predict` gets tables of this type, with the same dtypes.
    background : DataFrame or array-like of shape (m, d), default=None
        Rows whose values replace hidden ones; None: `X` itself.
    fill : {"marginal", "mean", "missing"}, default="marginal"
        What replaces a hidden value, as in :func:`comprehensiveness`.
    n_steps : int, default=10
        Steps from no column to all of them; no more than there are columns.
    n_fills : int, default=5
        Draws of a marginal fill, over which predictions, or differences, are averaged.
    random_state : int, RandomState, Generator or None, default=0
        Seed. With the same seed, all explanations of `X` are measured with the same random draws.

    Returns
    -------
    FaithfulnessCurve
        For a faithful explanation its area is low if `predict` returns (n, C) predictions, and high if it
        returns (n,).

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or shapes differ.

    References
    ----------
    Petsiuk et al., RISE: Randomized Input Sampling for Explanation of Black-box Models, BMVC 2018.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> from skrationale.metrics import deletion_curve
    >>> X = [[1.0, 0.0], [-1.0, 0.0]]
    >>> right = Explanation([[3.0, 0.0], [-3.0, 0.0]], 0.0)
    >>> curve = deletion_curve(right, lambda table: 3 * table[:, 0], X, fill="mean")
    >>> curve.shares, curve.answers, curve.area
    (array([0. , 0.5, 1. ]), array([0., 3., 3.]), 2.25)
    """
    perturber = Perturber(predict, X, background, fill, n_fills, random_state)
    return _curve(explanation, perturber, n_steps, insert=False)


def insertion_curve(
    explanation: Explanation,
    predict: Callable[[Any], Any],
    X: Any,
    *,
    background: Any = None,
    fill: str = "marginal",
    n_steps: int = 10,
    n_fills: int = 5,
    random_state: Any = 0,
) -> FaithfulnessCurve:
    """Measure predictions while more and more hidden columns are shown, the most important first.

    Parameters
    ----------
    explanation : Explanation of n rows and d columns
        Columns are ordered by their absolute value, with NaN last. With one output per class, the values of
        the predicted class are used.
    predict : callable
        Takes a table and returns (n,) numbers, or (n, C) class probabilities or scores.
    X : DataFrame or array-like of shape (n, d)
        The rows explained. `predict` gets tables of this type, with the same dtypes.
    background : DataFrame or array-like of shape (m, d), default=None
        Rows whose values replace hidden ones; None: `X` itself.
    fill : {"marginal", "mean", "missing"}, default="marginal"
        What replaces a hidden value, as in :func:`comprehensiveness`.
    n_steps : int, default=10
        Steps from no column to all of them; no more than there are columns.
    n_fills : int, default=5
        Draws of a marginal fill, over which predictions, or differences, are averaged.
    random_state : int, RandomState, Generator or None, default=0
        Seed. With the same seed, all explanations of `X` are measured with the same random draws.

    Returns
    -------
    FaithfulnessCurve
        For a faithful explanation its area is high if `predict` returns (n, C) predictions, and low if it
        returns (n,).

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or shapes differ.

    References
    ----------
    Petsiuk et al., RISE: Randomized Input Sampling for Explanation of Black-box Models, BMVC 2018.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> from skrationale.metrics import insertion_curve
    >>> X = [[1.0, 0.0], [-1.0, 0.0]]
    >>> right = Explanation([[3.0, 0.0], [-3.0, 0.0]], 0.0)
    >>> curve = insertion_curve(right, lambda table: 3 * table[:, 0], X, fill="mean")
    >>> curve.answers, curve.area
    (array([3., 0., 0.]), 0.75)
    """
    perturber = Perturber(predict, X, background, fill, n_fills, random_state)
    return _curve(explanation, perturber, n_steps, insert=True)
