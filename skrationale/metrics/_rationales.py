"""Agreement of rationales of texts with those that people marked, in the definitions of ERASER."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

IOU = 0.5
"""Overlap of two runs, over their union, from which they are one, as ERASER has it. Not measured."""


def rationale_agreement(
    masks: Sequence[Any], truth: Sequence[Any], scores: Sequence[Any] | None = None
) -> dict[str, float]:
    """Compare rationales with those that people marked, token by token and run by run [1]_.

    All measures are means over the texts in which people marked at least one token.

    Parameters
    ----------
    masks : sequence of n array-like of bool of shape (L,)
        Tokens of each text that a model shows.
    truth : sequence of n array-like of bool of shape (L,)
        Tokens that people marked.
    scores : sequence of n array-like of shape (L,), default=None
        How strongly the model selects each token.

    Returns
    -------
    dict of str to float
        ``token_f1``, ``token_precision`` and ``token_recall``. ``iou_f1``, in which a run of tokens is found
        if its overlap with a marked run is at least half of their union. ``auprc``, the average precision of
        the scores, if they are given. ``n_texts``, the number of texts that were compared.

    Raises
    ------
    ValueError, TypeError
        If numbers of texts or of tokens differ, if masks do not hold booleans, or if no token is marked in
        any text.

    References
    ----------
    .. [1] DeYoung et al., "ERASER: A Benchmark to Evaluate Rationalized NLP Models", ACL 2020,
       arXiv:1911.03429.

    Examples
    --------
    >>> from skrationale.metrics import rationale_agreement
    >>> found = rationale_agreement([[True, True, False, True]], [[True, True, True, False]])
    >>> round(found["token_f1"], 3), found["iou_f1"]
    (0.667, 0.6666666666666666)
    """
    for name, given in (("masks", masks), ("scores", truth if scores is None else scores)):
        if len(given) != len(truth):
            raise ValueError(
                f"{name} has {len(given)} texts and truth {len(truth)}; expected the same number of both."
            )
    rows = []
    for i, (mask, marked) in enumerate(zip(masks, truth, strict=True)):
        shown, true = np.asarray(mask), np.asarray(marked)
        for name, part in (("masks", shown), ("truth", true)):
            if part.dtype != bool and part.size:
                raise TypeError(f"{name}[{i}] must hold booleans. Got an array of {part.dtype} instead.")
        if shown.shape != true.shape:
            raise ValueError(f"text {i} has {len(shown)} tokens in masks and {len(true)} in truth.")
        if not true.any():
            continue
        hits = float((shown & true).sum())
        precision, recall = hits / max(shown.sum(), 1), hits / true.sum()
        found = {"token_f1": _f1(precision, recall), "token_precision": precision, "token_recall": recall}
        found["iou_f1"] = _runs_found(_runs(shown), _runs(true))
        if scores is not None:
            strength = np.asarray(scores[i], dtype=float)
            if strength.shape != true.shape or not np.isfinite(strength).all():
                raise ValueError(
                    f"scores[{i}] must hold {len(true)} finite numbers, one for each token. Got an array of "
                    f"shape {strength.shape}{' with others' if strength.shape == true.shape else ''} instead."
                )
            found["auprc"] = float(average_precision_score(true, strength))
        rows.append(found)
    if not rows:
        raise ValueError("truth marks no token in any text; expected at least one marked token.")
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return means | {"n_texts": float(len(rows))}


def rationale_erasure(whole: Any, rationale: Any, rest: Any) -> dict[str, float]:
    """Measure how much predictions depend on rationales, by their changes without them [1]_.

    Parameters
    ----------
    whole : array-like of shape (n, C)
        Class probabilities from the whole text.
    rationale : array-like of shape (n, C)
        Class probabilities from only the rationale.
    rest : array-like of shape (n, C)
        Class probabilities from the text without the rationale.

    Returns
    -------
    dict of str to float
        ``sufficiency``: how much the probability of the class that is predicted from the whole text falls if
        only the rationale is kept; low is good. ``comprehensiveness``: how much it falls if the rationale is
        removed; high is good.

    Raises
    ------
    ValueError
        If shapes differ.

    References
    ----------
    .. [1] DeYoung et al., "ERASER: A Benchmark to Evaluate Rationalized NLP Models", ACL 2020,
       arXiv:1911.03429.

    Examples
    --------
    >>> from skrationale.metrics import rationale_erasure
    >>> rationale_erasure([[0.25, 0.75]], [[0.5, 0.5]], [[0.875, 0.125]])
    {'sufficiency': 0.25, 'comprehensiveness': 0.625}
    """
    full, kept, left = (np.asarray(part, dtype=float) for part in (whole, rationale, rest))
    if full.ndim != 2 or not full.shape == kept.shape == left.shape:
        raise ValueError(
            f"probabilities have shapes {full.shape}, {kept.shape} and {left.shape}; expected (n, C) for all."
        )
    rows, best = np.arange(len(full)), full.argmax(axis=1)
    return {
        "sufficiency": float((full - kept)[rows, best].mean()),
        "comprehensiveness": float((full - left)[rows, best].mean()),
    }


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _runs(mask: np.ndarray) -> np.ndarray:
    """Start and end (k, 2) of the runs of a mask (L,)."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    return np.column_stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)])


def _runs_found(found: np.ndarray, true: np.ndarray) -> float:
    """F1 of runs (k, 2) that overlap with true ones (m, 2) by enough."""
    if not len(found) or not len(true):
        return 0.0
    starts = np.maximum(found[:, None, 0], true[None, :, 0])
    ends = np.minimum(found[:, None, 1], true[None, :, 1])
    both = np.maximum(ends - starts, 0)
    sizes = (found[:, 1] - found[:, 0])[:, None] + (true[:, 1] - true[:, 0])[None]
    same = both / (sizes - both) >= IOU
    return _f1(float(same.any(axis=1).mean()), float(same.any(axis=0).mean()))
