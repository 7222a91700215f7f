"""Losses of the GBDT2NN student, as pure functions of tensors."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def score_loss(scores: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    """Weighted squared error of scores.

    Parameters
    ----------
    scores, targets : Tensor of shape (b, K) or (b, c, K)
        Scores of the student and of the teacher for b rows (with c variants each), in units of `s`.
    weight : Tensor of shape (b,)
        Weights of the rows, of mean 1 over the training rows.

    Returns
    -------
    Tensor of shape ()
        Sum over outputs, mean over rows and variants.
    """
    error = ((scores - targets) ** 2).sum(-1)
    return (error.flatten(1).mean(1) if error.ndim > 1 else error).mul(weight).sum() / weight.sum()


def explanation_loss(reasons: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    """Weighted squared error of reasons; zero when no row of the batch carries any.

    Parameters
    ----------
    reasons, targets : Tensor of shape (b, K, d') or (b, c, K, d')
        Contributions of the student and of the teacher for b rows (with c variants each), in units of `s`.
    weight : Tensor of shape (b,)
        Weights of the rows; 0 where the teacher's contributions are not known.

    Returns
    -------
    Tensor of shape ()
        Sum over outputs and columns, mean over variants and the rows that carry reasons.
    """
    error = ((reasons - targets) ** 2).sum((-2, -1))
    error = error.mean(1) if error.ndim > 1 else error
    total = weight.sum()
    # a tiny denominator would do for the value, but not for the gradient
    return (error * weight).sum() / torch.where(total > 0, total, 1.0)


def label_loss(scores: Tensor, y: Tensor, weight: Tensor, link: str) -> Tensor:
    """Weighted loss of raw scores against the labels themselves.

    Parameters
    ----------
    scores : Tensor of shape (b, K)
        Raw scores in the teacher's units; for ``link="identity"`` scores and y in units of `s`.
    y : Tensor of shape (b,)
        Encoded target.
    weight : Tensor of shape (b,)
        Weights of the rows.
    link : {"identity", "log", "logit", "softmax", "probability"}
        Squared error, Poisson deviance, (one-vs-all) log-loss, softmax log-loss, or the Brier score.

    Returns
    -------
    Tensor of shape ()
        Weighted mean over rows.
    """
    if link == "identity":
        loss = (scores[:, 0] - y) ** 2
    elif link == "log":
        loss = nn.functional.poisson_nll_loss(scores[:, 0], y, reduction="none")
    elif link == "softmax":
        loss = nn.functional.cross_entropy(scores, y.long(), reduction="none")
    else:
        wanted = y[:, None] if scores.shape[1] == 1 else nn.functional.one_hot(y.long(), scores.shape[1])
        if link == "probability":  # sums of reasons may leave [0, 1]
            of_output = (scores - wanted.to(scores)) ** 2
        else:
            of_output = nn.functional.binary_cross_entropy_with_logits(
                scores, wanted.to(scores), reduction="none"
            )
        loss = of_output.sum(1)
    return (loss * weight).sum() / weight.sum()
