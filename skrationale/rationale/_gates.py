"""How open a column is while training: between hidden and shown, or one of both at random."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor


def temperature_at(progress: float, temperature: tuple[float, float]) -> float:
    """Anneal exponentially from the first temperature to the second [1]_.

    Parameters
    ----------
    progress : float
        Part of the training that is done.
    temperature : (float, float)
        At its beginning and at its end.

    Returns
    -------
    float

    References
    ----------
    .. [1] Dai, Goebel, "Learn from A Rationalist", 2026, arXiv:2601.22531.

    Examples
    --------
    >>> temperature_at(0.0, (5.0, 0.1)), round(temperature_at(0.5, (5.0, 0.1)), 3)
    (5.0, 0.707)
    """
    start, end = temperature
    return start * math.exp(progress * math.log(end / start))


def gumbel_gates(logits: Tensor, tau: float, generator: Generator | None = None) -> Tensor:
    """Draw gates of 0 and 1 whose gradient is that of a softened draw (straight-through Gumbel-softmax).

    The difference of two Gumbel variables is logistic, so one logit a column is enough.
    """
    uniform = torch.rand(logits.shape, generator=generator, device=logits.device, dtype=logits.dtype)
    uniform = uniform.clamp(1e-6, 1 - 1e-6)
    soft = torch.sigmoid((logits + torch.log(uniform) - torch.log1p(-uniform)) / tau)
    return (soft > 0.5).to(soft) - soft.detach() + soft
