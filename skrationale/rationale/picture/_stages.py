"""The selector's stage: it learns what masks do to a predictor that no longer changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ...training import Batch, Settings, TrainResult, train
from .._refit import random_masks
from ._constants import MASKS
from ._model import log_chances
from ._nets import MaskedPictures


def train_on_values(
    selector: nn.Module,
    judge: MaskedPictures,
    rows: Mapping[str, Any],
    link: str,
    settings: Settings,
    *,
    own_share: float | str = 1.0,
    teacher_weight: float = 0.0,
    **options: Any,
) -> TrainResult:
    """Train a selector to add up to what masks do to a judge (a regression as in FastSHAP [1]_).

    Each picture is shown to the judge with random masks and their complements. The sum of the values of the
    shown patches, up to a constant of each picture, is to be the log-probability of the class that the judge
    predicts from the whole picture; of numbers the negative squared distance from its whole answer.

    Parameters
    ----------
    selector : Module
        Pictures (B, C, H, W) to values of patches (B, L); trained in place.
    judge : MaskedPictures
        Trained on random masks; it does not change.
    rows : mapping of str to array
        ``x`` (n, C, H, W), ``target`` (n,), what the judge says of whole pictures (see `explained`),
        ``weight`` (n,), and with a teacher its ``teacher_values`` (n, L), of mean 0 and standard deviation 1
        in each picture.
    link : {"identity", "logit", "softmax"}
        What the scores are.
    settings : Settings
        Epochs, learning rate and so on.
    own_share : float or "anneal", default=1.0
        Weight of this loss, the rest being that of the teacher's values; ``"anneal"``: the progress.
    teacher_weight : float, default=0.0
        What the teacher's term is multiplied by besides: the mean squared difference of standardised values.
    **options : object
        Of :func:`skrationale.training.train`.

    Returns
    -------
    TrainResult

    References
    ----------
    .. [1] Jethani et al., "FastSHAP: Real-Time Shapley Value Estimation", ICLR 2022, arXiv:2107.07436.
    """
    judge.eval().requires_grad_(False)
    n_units = int(judge.groups.max()) + 1

    def loss(module: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        x, weight = batch["x"], batch["weight"]
        n = len(x)
        with torch.no_grad():
            masks = random_masks(n * MASKS // 2, n_units, x, batch.generator).view(n, -1, n_units)
            masks = torch.cat([masks, 1 - masks], 1)
            seen = judge(x.repeat_interleave(MASKS, 0), masks.flatten(0, 1))
            found = log_chances(seen, batch["target"].repeat_interleave(MASKS), link).view(n, MASKS)
        values = module(x)
        left = found - (masks * values[:, None]).sum(2)
        left = left - left.mean(1, keepdim=True)
        own = ((left**2).mean(1) * weight).mean()
        if "teacher_values" not in batch or not teacher_weight:
            return own, {"task": own}
        apart = ((standardised(values) - batch["teacher_values"]) ** 2).mean(1)
        taught = (apart * weight).mean()
        share = batch.progress if own_share == "anneal" else float(own_share)
        return share * own + (1 - share) * teacher_weight * taught, {"task": own, "rationale": taught}

    return train(selector, loss, rows, settings, **options)


def standardised(values: Tensor) -> Tensor:
    """Give values (B, L) the mean 0 and the standard deviation 1 in each picture."""
    apart = values - values.mean(1, keepdim=True)
    return apart / (apart.pow(2).mean(1, keepdim=True) + 1e-8).sqrt()
