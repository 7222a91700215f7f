"""Losses of selection and prediction: tensors in, tensor out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def count_cost(keep: Tensor, weight: Tensor) -> Tensor:
    """Mean number of columns kept, from keep-probabilities (B, d) and weights (B,)."""
    return (keep.sum(1) * weight).mean()


def penalty_of_count(count: Tensor, penalty: str, target: float) -> tuple[Tensor, Tensor | float]:
    """Penalty of a mean number of columns, and its derivative.

    ``"count"``: the number; ``"excess"``: by how much it exceeds a target; ``"squared"``: its squared
    deviation from the target, as REKD's code has it.
    """
    if penalty == "count":
        return count, 1.0
    above = count - target
    return (F.relu(above), (above > 0).to(count)) if penalty == "excess" else (above**2, 2 * above)


def excess_cost(keep: Tensor, weight: Tensor, target: float) -> Tensor:
    """Measure by how much the mean number of columns kept exceeds a target."""
    return penalty_of_count(count_cost(keep, weight), "excess", target)[0]


def selection_divergence(teacher: Tensor, student: Tensor, tau: float) -> Tensor:
    """Sum over columns (B,) of KL(teacher || student) between keep-probabilities at a temperature.

    REKD's selection term without noise; logits of shape (B, d).
    """
    p = torch.sigmoid(teacher / tau)
    soft_targets = F.binary_cross_entropy_with_logits(student / tau, p, reduction="none")
    entropy = F.binary_cross_entropy(p, p, reduction="none")
    return (soft_targets - entropy).sum(1)


def prediction_divergence(teacher: Tensor, student: Tensor, link: str, tau: float) -> Tensor:
    """KL(teacher || student) (B,) between predictions at a temperature, times its square.

    REKD's prediction term; scores of shape (B, K). Of numbers the squared error.
    """
    if link == "identity":
        return (teacher[:, 0] - student[:, 0]) ** 2
    if link == "logit":
        return tau**2 * selection_divergence(teacher, student, tau)
    log_p, log_q = F.log_softmax(teacher / tau, 1), F.log_softmax(student / tau, 1)
    return tau**2 * (log_p.exp() * (log_p - log_q)).sum(1)
