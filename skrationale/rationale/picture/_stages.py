"""The selector's stage: it learns what masks do, or gates, to a predictor that no longer changes."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ...training import Batch, Settings, TrainResult, row_losses, train
from .._refit import random_masks
from ._constants import MASKS, OPEN
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
    begun: float = 0.0,
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
    begun : float, default=0.0
        Share of the selector's training that came before.
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
        progress = begun + (1 - begun) * batch.progress
        return with_teacher(own, values, batch, own_share, teacher_weight, progress)

    return train(selector, loss, rows, settings, **options)


def train_on_known(
    selector: nn.Module,
    rows: Mapping[str, Any],
    settings: Settings,
    *,
    own_share: float | str = 1.0,
    teacher_weight: float = 0.0,
    ends: float = 1.0,
    **options: Any,
) -> TrainResult:
    """Train a selector to give values that are known.

    Parameters
    ----------
    selector, settings, own_share, teacher_weight, **options : object
        As in `train_on_values`.
    ends : float, default=1.0
        Share of the selector's training that is done at the end.
    rows : mapping of str to array
        ``x`` (n, C, H, W), ``known`` (n, L), ``weight`` (n,), and with a teacher its ``teacher_values``.

    Returns
    -------
    TrainResult
    """

    def loss(module: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        values = module(batch["x"])
        own = (((values - batch["known"]) ** 2).mean(1) * batch["weight"]).mean()
        return with_teacher(own, values, batch, own_share, teacher_weight, ends * batch.progress)

    return train(selector, loss, rows, settings, **options)


def train_on_gates(
    selector: nn.Module,
    judge: MaskedPictures,
    rows: Mapping[str, Any],
    link: str,
    settings: Settings,
    *,
    price: float,
    own_share: float | str = 1.0,
    teacher_weight: float = 0.0,
    **options: Any,
) -> tuple[TrainResult, list[dict[str, Tensor]]]:
    """Train a selector whose gates dim patches, each at a price that rises, so that a judge is right.

    Parameters
    ----------
    selector, judge, link, settings, own_share, teacher_weight, **options : object
        As in `train_on_values`. The logits of the gates are the selector's values and `OPEN`.
    rows : mapping of str to array
        ``x`` (n, C, H, W), ``y`` (n,), ``weight`` (n,), and with a teacher its ``teacher_values`` (n, L).
    price : float
        What an open gate costs at the end, in units of the loss; it rises with the square of the progress.

    Returns
    -------
    result : TrainResult
    snapshots : list of dict of Tensor
        States of the selector after each epoch.
    """
    judge.eval().requires_grad_(False)
    snapshots: list[dict[str, Tensor]] = []

    def loss(module: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        values = module(batch["x"])
        gates = torch.sigmoid(values + OPEN)
        lost = row_losses(judge(batch["x"], gates), batch["y"], link)
        own = ((lost + price * batch.progress**2 * gates.sum(1)) * batch["weight"]).mean()
        if "teacher_values" not in batch or not teacher_weight:
            return own, {"task": own}
        # gates that still differ little must not be moved much, nor the price be forgotten for the teacher
        taught = differs(values, batch, least=1.0)
        share = batch.progress if own_share == "anneal" else float(own_share)
        return own + (1 - share) * teacher_weight * taught, {"task": own, "rationale": taught}

    def keep(epoch: int, data: Batch) -> None:
        if epoch > 1:
            snapshots.append(copy.deepcopy(selector.state_dict()))

    result = train(selector, loss, rows, settings, epoch_hook=keep, **options)
    return result, [*snapshots, copy.deepcopy(selector.state_dict())]


def with_teacher(
    own: Tensor, values: Tensor, batch: Batch, own_share: float | str, teacher_weight: float, progress: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Add the loss against the teacher's values, if there is a teacher; return the total and its terms."""
    if "teacher_values" not in batch or not teacher_weight:
        return own, {"task": own}
    taught = differs(values, batch)
    share = progress if own_share == "anneal" else float(own_share)
    return share * own + (1 - share) * teacher_weight * taught, {"task": own, "rationale": taught}


def differs(values: Tensor, batch: Batch, least: float = 1e-8) -> Tensor:
    """Give the mean squared difference from a teacher's values, which are standardised."""
    apart = ((standardised(values, least) - batch["teacher_values"]) ** 2).mean(1)
    return (apart * batch["weight"]).mean()


def standardised(values: Tensor, least: float = 1e-8) -> Tensor:
    """Give values (B, L) the mean 0 in each picture, and the variance 1 where it was far above the least."""
    apart = values - values.mean(1, keepdim=True)
    return apart / (apart.pow(2).mean(1, keepdim=True) + least).sqrt()
