"""Infidelity: how far values are from the change of the score when their columns are hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..explanation import Explanation
from ._checks import explanation_of, generator, positive_integer
from ._perturbing import Perturber


def infidelity(
    explanation: Explanation,
    predict: Callable[[Any], Any],
    X: Any,
    *,
    background: Any = None,
    fill: str = "marginal",
    n_perturbations: int = 10,
    n_fills: int = 5,
    random_state: Any = 0,
    normalize: bool = False,
) -> float:
    """Compare the sum of contributions of hidden columns with the change of the score; low is good.

    Each perturbation of a row hides a random number of columns, from one to all, which are drawn at random.

    Parameters
    ----------
    explanation : Explanation of n rows, d columns and k outputs
        Of a kind whose values add up to a score; NaN counts as 0.
    predict : callable
        Takes a table and returns the score that the explanation adds up to, of shape (n,) or (n, k).
    X : DataFrame or array-like of shape (n, d)
        The rows explained.
    background : DataFrame or array-like of shape (m, d), default=None
        Rows whose values replace hidden ones; None: `X` itself.
    fill : {"marginal", "mean", "missing"}, default="marginal"
        What replaces a hidden value, as in :func:`comprehensiveness`.
    n_perturbations : int, default=10
        Perturbations of each row.
    n_fills : int, default=5
        Draws of a marginal fill, over which predictions are averaged before they are compared.
    random_state : int, RandomState, Generator or None, default=0
        Seed. With the same seed, all explanations of `X` are measured with the same perturbations.
    normalize : bool, default=False
        Whether to divide by the variance of the change: 0 is perfect, and 1 is the result of a constant.

    Returns
    -------
    float
        Mean squared difference over rows, perturbations and outputs.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, shapes differ, or values do not add up to a score.

    References
    ----------
    Yeh et al., On the (In)fidelity and Sensitivity of Explanations, NeurIPS 2019.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> from skrationale.metrics import infidelity
    >>> X = [[1.0, 2.0], [-1.0, -2.0]]
    >>> right = Explanation([[3.0, 2.0], [-3.0, -2.0]], 0.0)
    >>> infidelity(right, lambda table: 3 * table[:, 0] + table[:, 1], X, fill="mean")
    0.0
    """
    n_perturbations = positive_integer("n_perturbations", n_perturbations)
    perturber = Perturber(predict, X, background, fill, n_fills, random_state)
    explanation = explanation_of(explanation, perturber.table)
    if explanation.kind == "rationale":
        raise ValueError(
            "explanation is of kind 'rationale', whose values do not add up to a score; expected another "
            "kind. For rationales use comprehensiveness and sufficiency."
        )
    whole, values = perturber.whole, np.nan_to_num(explanation.values)
    if whole.shape != (len(values), *values.shape[2:]):
        raise ValueError(
            f"predict gives predictions of shape {whole.shape}; expected "
            f"{(len(values), *values.shape[2:])}, the "
            "score that explanation adds up to: decision_function of a classifier, predict of a regressor."
        )
    claim, change = _claims_and_changes(perturber, values, n_perturbations, random_state)
    error = float(((claim - change) ** 2).mean())
    return _relative(error, float(change.var(axis=0).mean())) if normalize else error


def _relative(error: float, variance: float) -> float:
    if variance == 0:
        return 0.0 if error == 0 else float("nan")
    return error / variance


def _claims_and_changes(
    perturber: Perturber, values: np.ndarray, n_perturbations: int, random_state: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Give sums (m, k) of the values (n, d[, k]) of hidden columns, and changes (m, k) of the score."""
    # not the generator of the fills: these are the same as elsewhere with this seed
    draws = generator(random_state).spawn(1)[0]

    def hide(rows: np.ndarray) -> np.ndarray:
        shape = (n_perturbations, len(rows), perturber.d)
        sizes = draws.integers(1, perturber.d, size=(*shape[:2], 1), endpoint=True)
        return draws.random(shape).argsort(axis=2).argsort(axis=2) < sizes

    claims, changes = [], []
    for rows, hidden, answers in perturber.answers(n_perturbations, hide):
        n_answers = hidden[..., 0].size
        claims.append(np.einsum("sbd,bd...->sb...", hidden, values[rows]).reshape(n_answers, -1))
        changes.append((perturber.whole[rows] - answers.mean(axis=1)).reshape(n_answers, -1))
    return np.concatenate(claims), np.concatenate(changes)
