"""Fidelity of a student to its teacher, in answers and in reasons."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import rel_entr
from scipy.stats import rankdata

from .._scales import exponents
from .._weights import check_weights
from ..explanation import Explanation
from ..explanation.ruler import centred
from ._checks import alike

ROUNDING = 8 * float(np.finfo(float).eps)
"""How far apart numbers may be that are equal but for rounding, as a share of the largest. Not measured."""


def _r2(truth: np.ndarray, approximation: np.ndarray, weight: np.ndarray) -> float:
    """Share of the truth's variation that is met, pooled over all cells; columns are centred each alone.

    Where the truth does not vary by more than rounding, it is 1 if it is met but for rounding, and else NaN.
    """
    largest = np.abs(truth[weight > 0]).max(axis=0, initial=0.0)
    rounding = float(weight.sum() * ((ROUNDING * largest) ** 2).sum())
    weight = weight.reshape((-1,) + (1,) * (truth.ndim - 1))
    residual = float((weight * (truth - approximation) ** 2).sum())
    total = float((weight * (truth - (weight * truth).sum(0) / weight.sum()) ** 2).sum())
    if total <= rounding:
        return 1.0 if residual <= rounding else float("nan")
    return 1 - residual / total


def prediction_fidelity(
    scores: np.ndarray,
    teacher_scores: np.ndarray,
    *,
    probabilities: np.ndarray | None = None,
    teacher_probabilities: np.ndarray | None = None,
    sample_weight: np.ndarray | None = None,
) -> dict[str, float]:
    """Measure how well a student's predictions agree with its teacher's.

    Parameters
    ----------
    scores, teacher_scores : array-like of shape (n,) or (n, K)
        Raw scores: predictions of a regressor, or log-odds or one score per class of a classifier. With one
        score per class (K > 1) the mean of each row is subtracted, because it changes no probability.
    probabilities, teacher_probabilities : array-like of shape (n, C), default=None
        Class probabilities, for classifiers.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    dict of str to float
        ``prediction_r2`` (R2 of raw scores, pooled over outputs, at most 1); with probabilities also
        ``same_class`` (share of rows with the same most probable class) and ``kl`` (mean Kullback-Leibler
        divergence of the student's probabilities from the teacher's, in nats).

    Notes
    -----
    Scores are compared as they are given. The `fidelity` of distillers and `FidelityDisplay` first clip
    log-odds to those of the probabilities 0.0001 and 0.9999, so differences beyond them do not count.

    Examples
    --------
    >>> prediction_fidelity([0.0, 1.0, 2.0], [0.0, 1.0, 2.0])
    {'prediction_r2': 1.0}
    """
    student, teacher = np.asarray(scores, float), np.asarray(teacher_scores, float)
    if student.shape != teacher.shape:
        raise ValueError(
            f"scores has shape {student.shape}; expected that of teacher_scores, {teacher.shape}."
        )
    if student.ndim == 2 and student.shape[1] > 1:
        student, teacher = centred(student), centred(teacher)
    weight = check_weights(sample_weight, len(student))
    result = {"prediction_r2": _r2(teacher, student, weight)}
    if probabilities is not None and teacher_probabilities is not None:
        p, q = np.asarray(teacher_probabilities, float), np.asarray(probabilities, float)
        result["same_class"] = float(np.average(p.argmax(1) == q.argmax(1), weights=weight))
        result["kl"] = float(np.average(rel_entr(p, np.clip(q, 1e-15, None)).sum(1), weights=weight))
    return result


def _top_sets(magnitude: np.ndarray, k: int) -> np.ndarray:
    """Bool (n, d): the k largest of each row, ties to the first column."""
    order = np.argsort(-magnitude, axis=1, kind="stable")[:, :k]
    chosen = np.zeros(magnitude.shape, dtype=bool)
    np.put_along_axis(chosen, order, True, axis=1)
    return chosen


def explanation_fidelity(
    values: Any,
    teacher_values: Any,
    *,
    sample_weight: np.ndarray | None = None,
) -> dict[str, float]:
    """Measure how well a student's contributions agree with its teacher's.

    Parameters
    ----------
    values, teacher_values : Explanation, or array-like of shape (n, d) or (n, d, K)
        Contributions of d columns to K scores.
    sample_weight : array-like of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    dict of str to float
        ``explanation_r2``: R2 pooled over all cells. ``column_r2``: median R2 over the columns whose mean
        absolute contribution is more than 1 % of the sum over columns. ``cosine``: mean over rows.
        ``top1_agreement``: share of rows with the same largest absolute contribution; ``top3_agreement``:
        mean overlap of the three largest. ``spearman``: mean rank correlation over rows of absolute
        contributions. Rows in which all contributions of the teacher are zero are used for the R2 only.

    Examples
    --------
    >>> fidelity = explanation_fidelity([[1.0, 0.2], [-1.0, 0.1]], [[1.0, 0.2], [-1.0, 0.1]])
    >>> fidelity["explanation_r2"], fidelity["top1_agreement"]
    (1.0, 1.0)
    """
    if isinstance(values, Explanation) or isinstance(teacher_values, Explanation):
        alike("values and teacher_values", values, teacher_values)
        values, teacher_values = values.values, teacher_values.values
    student, teacher = np.asarray(values, float), np.asarray(teacher_values, float)
    if student.shape != teacher.shape or student.ndim not in (2, 3):
        raise ValueError(
            f"values has shape {student.shape}; expected that of teacher_values, {teacher.shape}, "
            "which must be (n, d) or (n, d, K)."
        )
    weight = check_weights(sample_weight, len(student))
    if student.ndim == 3:
        student = student.transpose(0, 2, 1).reshape(-1, student.shape[1])
        weight = np.repeat(weight, teacher.shape[2])
        teacher = teacher.transpose(0, 2, 1).reshape(-1, teacher.shape[1])
    result = {"explanation_r2": _pooled_r2(teacher, student, weight)}
    share = np.average(np.abs(teacher), axis=0, weights=weight)
    large = np.flatnonzero(share > 0.01 * share.sum())
    columns = [_r2(teacher[:, j], student[:, j], weight) for j in large]
    result["column_r2"] = float(np.median(columns)) if columns else float("nan")
    with_reasons = (np.abs(teacher).sum(1) > 0) & (weight > 0)
    if not with_reasons.any():
        return result | dict.fromkeys(
            ("cosine", "top1_agreement", "top3_agreement", "spearman"), float("nan")
        )
    t, s, w = teacher[with_reasons], student[with_reasons], weight[with_reasons]
    result["cosine"] = float(np.average(row_cosine(t, s), weights=w))
    for k in (1, 3):
        k_used = min(k, t.shape[1])
        overlap = (_top_sets(np.abs(t), k_used) & _top_sets(np.abs(s), k_used)).sum(1) / k_used
        result[f"top{k}_agreement"] = float(np.average(overlap, weights=w))
    result["spearman"] = float(np.average(_row_spearman(np.abs(t), np.abs(s)), weights=w))
    return result


def _pooled_r2(teacher: np.ndarray, student: np.ndarray, weight: np.ndarray) -> float:
    cells = np.repeat(weight, teacher.shape[1])
    return _r2(teacher.ravel(), student.ravel(), cells)


def row_cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosine (n,) of lines (n, d) of any unit; 0 where one is zero."""
    a, b = (np.ldexp(lines, -exponents(lines.T)[:, None]) for lines in (a, b))  # squares stay in range
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.divide((a * b).sum(axis=1), norms, out=np.zeros(len(a)), where=norms > 0)


def _row_spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.shape[1] == 1:
        return np.ones(len(a))
    a, b = rankdata(a, axis=1), rankdata(b, axis=1)
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    norms = np.sqrt((a**2).sum(1) * (b**2).sum(1))
    return np.divide((a * b).sum(1), norms, out=np.zeros(len(a)), where=norms > 0)
