"""Losses that families share, tensors in and tensor out."""

import torch
from torch.nn import functional


def row_losses(scores: torch.Tensor, y: torch.Tensor, link: str) -> torch.Tensor:
    """Squared error of numbers, or log-loss of one logit or of one a class, for each row.

    Parameters
    ----------
    scores : Tensor of shape (B, K)
        Numbers or logits.
    y : Tensor of shape (B,)
        Numbers, positions of classes, or with "logit" the probability of the second class.
    link : {"identity", "logit", "softmax"}
        What the scores are.

    Returns
    -------
    Tensor of shape (B,)
    """
    if link == "identity":
        return (scores[:, 0] - y) ** 2
    if link == "logit":
        return functional.binary_cross_entropy_with_logits(scores[:, 0], y.to(scores), reduction="none")
    return functional.cross_entropy(scores, y, reduction="none")


def task_loss(scores: torch.Tensor, y: torch.Tensor, weight: torch.Tensor, link: str) -> torch.Tensor:
    """Mean over a batch of the `row_losses` of scores (B, K), each times the weight (B,) of its row."""
    return (row_losses(scores, y, link) * weight).mean()


def row_slopes(scores: torch.Tensor, y: torch.Tensor, link: str) -> torch.Tensor:
    """Give derivatives (B, K) of `row_losses` of scores (B, K); y may be probabilities of classes (B, K)."""
    if link == "identity":
        return 2 * (scores - y[:, None])
    if link == "logit":
        return torch.sigmoid(scores) - y.to(scores)[:, None]
    if y.ndim == 1:
        y = functional.one_hot(y, scores.shape[1])
    return torch.softmax(scores, 1) - y


def soft_targets(teacher: torch.Tensor, link: str) -> torch.Tensor:
    """Say as `y` what a teacher's scores (B, K) mean: (B,), or of classes their probabilities (B, K)."""
    if link == "softmax":
        return torch.softmax(teacher, 1)
    return teacher[:, 0] if link == "identity" else torch.sigmoid(teacher[:, 0])


def soft_losses(scores: torch.Tensor, teacher: torch.Tensor, link: str) -> torch.Tensor:
    """Losses (B,) of scores (B, K) against a teacher's scores (B, K), which are not moved."""
    return row_losses(scores, soft_targets(teacher.detach(), link), link)
