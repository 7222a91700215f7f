"""What a model's answer loses without the columns that an explanation names, and keeps with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..explanation import Explanation
from ._checks import explanation_of
from ._perturbing import Perturber

SHARES = (0.1, 0.2, 0.5)


def column_ranks(explanation: Explanation, whole: np.ndarray) -> np.ndarray:
    """Place (n, d) of each column in its row, 0 the most important; NaN last, of equals the first.

    `whole` are the answers (n,) or (n, C): of several outputs that of the class of the largest counts.
    """
    values = explanation.values
    if values.ndim == 3:
        if whole.ndim == 1 or whole.shape[1] != values.shape[2]:
            raise ValueError(
                f"predict gives predictions of shape {whole.shape}, explanation has {values.shape[2]} "
                "outputs; "
                "expected one prediction per output, or explanation.for_output(...)."
            )
        values = np.take_along_axis(values, whole.argmax(axis=1)[:, None, None], axis=2)[:, :, 0]
    size = np.abs(values)
    size = np.where(np.isnan(size), -1.0, size)
    if explanation.mask is not None and explanation.kind == "rationale":
        size += explanation.mask * (size.max() + 2)
    return np.argsort(np.argsort(-size, axis=1, kind="stable"), axis=1)


def mean_fall(whole: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Fall (S, b) from answers (b,) or (b, C) to answers (S, F, b) or (S, F, b, C), averaged over fills.

    Of classes that of the class predicted. Of numbers the absolute change of each fill: that of their mean
    would shrink as fills grow in number.
    """
    if whole.ndim == 1:
        return np.abs(whole - answers).mean(axis=1)
    rows, predicted = np.arange(len(whole)), whole.argmax(axis=1)
    return (whole[rows, predicted] - answers[..., rows, predicted]).mean(axis=1)


def _counts(shares: Any, d: int) -> np.ndarray:
    """Numbers of columns that shares stand for; at least one."""
    given = np.atleast_1d(np.asarray(shares, dtype=object))
    try:
        found = given.astype(np.float64)
    except (TypeError, ValueError):
        found = np.full(1, np.nan)
    if found.ndim != 1 or not found.size or not ((found > 0) & (found <= 1)).all():
        raise ValueError(f"shares must be numbers in (0, 1]. Got {shares!r} instead.")
    # 0.7 * 10 is a little more than 7
    return np.maximum(np.ceil(found * d - 1e-9), 1).astype(int)


def _aopc(
    explanation: Explanation, perturber: Perturber, shares: Any, *, keep: bool, per_row: bool
) -> float | np.ndarray:
    """Mean fall over shares when the most important columns are hidden, or, with `keep`, all others."""
    explanation = explanation_of(explanation, perturber.table)
    mask = explanation.mask if explanation.kind == "rationale" and shares is None else None
    counts = _counts(SHARES if shares is None else shares, perturber.d)
    ranks = column_ranks(explanation, perturber.whole)

    def hide(rows: np.ndarray) -> np.ndarray:
        named = ranks[rows] < counts[:, None, None] if mask is None else mask[None, rows]
        return ~named if keep else named

    found = np.empty(perturber.n)
    for rows, _, answers in perturber.answers(len(counts) if mask is None else 1, hide):
        found[rows] = mean_fall(perturber.whole[rows], answers).mean(axis=0)
    return found if per_row else float(found.mean())


def comprehensiveness(
    explanation: Explanation,
    predict: Callable[[Any], Any],
    X: Any,
    *,
    background: Any = None,
    fill: str = "marginal",
    shares: Iterable[float] | float | None = None,
    n_fills: int = 5,
    random_state: Any = 0,
    per_row: bool = False,
) -> float | np.ndarray:
    """Measure how much predictions fall if the most important columns are hidden; high is good.

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
        What replaces a hidden value. ``"marginal"``: the value of another row, drawn at random for each
        value. ``"mean"``: the mean of the column, or the most frequent value of categories, text and
        booleans. ``"missing"``: NaN, or None for objects. Integers become floats for the last two, booleans
        for the last.
    shares : float or iterable of float in (0, 1], default=None
        Shares of columns to hide, rounded up; the fall is averaged over them. None: 0.1, 0.2 and 0.5, or the
        columns of the mask for an explanation of kind "rationale".
    n_fills : int, default=5
        Draws of a marginal fill, over which the fall is averaged.
    random_state : int, RandomState, Generator or None, default=0
        Seed. With the same seed, all explanations of `X` are measured with the same random draws.
    per_row : bool, default=False
        Whether to return one number per row.

    Returns
    -------
    float or ndarray of shape (n,)
        With (n, C) predictions: how much the value of the class that is predicted for the whole row falls.
        With (n,): the absolute change. Both are means over fills.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or shapes differ.

    See Also
    --------
    sufficiency : The same measure if all other columns are hidden.

    References
    ----------
    DeYoung et al., ERASER: A Benchmark to Evaluate Rationalized NLP Models, ACL 2020; for one number per row,
    the prediction gap of Agarwal et al., OpenXAI, NeurIPS 2022.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> from skrationale.metrics import comprehensiveness
    >>> X = [[1.0, 0.0], [-1.0, 0.0]]
    >>> right = Explanation([[3.0, 0.0], [-3.0, 0.0]], 0.0)
    >>> comprehensiveness(right, lambda table: 3 * table[:, 0], X, fill="mean")
    3.0
    >>> wrong = Explanation([[0.0, 1.0], [0.0, 1.0]], 0.0)
    >>> comprehensiveness(wrong, lambda table: 3 * table[:, 0], X, fill="mean")
    0.0
    """
    perturber = Perturber(predict, X, background, fill, n_fills, random_state)
    return _aopc(explanation, perturber, shares, keep=False, per_row=per_row)


def sufficiency(
    explanation: Explanation,
    predict: Callable[[Any], Any],
    X: Any,
    *,
    background: Any = None,
    fill: str = "marginal",
    shares: Iterable[float] | float | None = None,
    n_fills: int = 5,
    random_state: Any = 0,
    per_row: bool = False,
) -> float | np.ndarray:
    """Measure how much predictions fall if only the most important columns are kept; low is good.

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
    shares : float or iterable of float in (0, 1], default=None
        Shares of columns to keep, rounded up; the fall is averaged over them. None: 0.1, 0.2 and 0.5, or the
        columns of the mask for an explanation of kind "rationale".
    n_fills : int, default=5
        Draws of a marginal fill, over which the fall is averaged.
    random_state : int, RandomState, Generator or None, default=0
        Seed. With the same seed, all explanations of `X` are measured with the same random draws.
    per_row : bool, default=False
        Whether to return one number per row.

    Returns
    -------
    float or ndarray of shape (n,)
        With (n, C) predictions: how much the value of the class that is predicted for the whole row falls.
        With (n,): the absolute change. Both are means over fills.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, or shapes differ.

    See Also
    --------
    comprehensiveness : The same measure if these columns are hidden.

    References
    ----------
    DeYoung et al., ERASER: A Benchmark to Evaluate Rationalized NLP Models, ACL 2020; for one number per row,
    the prediction gap of Agarwal et al., OpenXAI, NeurIPS 2022.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> from skrationale.metrics import sufficiency
    >>> X = [[1.0, 0.0], [-1.0, 0.0]]
    >>> right = Explanation([[3.0, 0.0], [-3.0, 0.0]], 0.0)
    >>> sufficiency(right, lambda table: 3 * table[:, 0], X, fill="mean")
    0.0
    """
    perturber = Perturber(predict, X, background, fill, n_fills, random_state)
    return _aopc(explanation, perturber, shares, keep=True, per_row=per_row)
