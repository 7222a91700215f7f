"""A predictor for hard masks that never saw a row with its own one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn

from ..training import Batch, Settings, TrainResult, row_losses, row_slopes, soft_losses, soft_targets, train
from ._joint import Arrays
from ._network import MaskedPredictor


def train_on_masks(
    module: nn.Module,
    rows: Arrays,
    link: str,
    settings: Settings,
    *,
    own: bool = False,
    selected_share: float = 0.5,
    share_of_labels: float = 1.0,
    teacher: Callable[[Tensor, Tensor], Tensor] | None = None,
    global_draws: bool = False,
    **options: Any,
) -> TrainResult:
    """Train a predictor on masks, some of them selected and the others random.

    A row gets the mask that was selected for another row. A predictor that sees rows with their own masks
    can learn to read the label off the mask; this one cannot, and its score is that of the cells alone.

    Parameters
    ----------
    module : Module
        Gives scores of rows and masks, as `MaskedPredictor` does; trained in place.
    rows : mapping of str to ndarray
        ``x`` (n, p), ``y`` (n,), ``weight`` (n,), ``mask`` (n, d) of 0 and 1, the selected one, and with a
        teacher ``teacher_scores`` (n, K).
    link : {"identity", "logit", "softmax"}
        What the scores are.
    settings : Settings
        Epochs, learning rate and so on.
    own : bool, default=False
        Whether rows keep their own masks, to measure what these give away.
    selected_share : float, default=0.5
        Share of the masks that were selected; random ones make predictions from any mask possible.
    share_of_labels : float, default=1.0
        Weight of the labels, the rest being that of the teacher's predictions.
    teacher : callable, default=None
        Gives the teacher's scores of rows and masks, where it is asked about what the student sees; None: it
        has said ``teacher_scores`` before, whatever is shown.
    global_draws : bool, default=False
        Whether the module draws from torch's global generators.
    **options : object
        Of :func:`skrationale.training.train`; validation rows are judged with their own masks.

    Returns
    -------
    TrainResult
    """
    selected: list[Tensor] = []

    def on_epoch(epoch: int, data: Batch) -> dict[str, Tensor]:
        if not selected:
            selected.append(data["mask"])
        masks, n = selected[0], data.n_rows
        mask = masks if own else _masks_of_other_rows(masks, data.generator)
        chosen = torch.rand(n, 1, generator=data.generator, device=masks.device) < selected_share
        drawn = random_masks(n, masks.shape[1], masks, data.generator)
        return {"mask": torch.where(chosen, mask, drawn)}

    def loss(module: Any, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        by_hand = type(module) is MaskedPredictor and module.training
        if by_hand:
            scores, inputs = module.layers.outputs(module.inputs(batch["x"], batch["mask"]))
        else:
            scores = module(batch["x"], batch["mask"])
        weight, told = batch["weight"], None
        losses = row_losses(scores, batch["y"], link)
        total = task = (losses * weight).mean()
        terms = {"task": task}
        if share_of_labels != 1:
            told = batch["teacher_scores"] if teacher is None else teacher(batch["x"], batch["mask"])
            taught = soft_losses(scores, told, link)
            losses = share_of_labels * losses + (1 - share_of_labels) * taught
            total = (losses * weight).mean()
            terms["prediction"] = (taught * weight).mean()
        if by_hand:
            slopes = row_slopes(scores, batch["y"], link)
            if told is not None:
                of_teacher = row_slopes(scores, soft_targets(told, link), link)
                slopes = share_of_labels * slopes + (1 - share_of_labels) * of_teacher
            module.layers.take_gradient(inputs, slopes * (weight / len(weight))[:, None])
        return total, terms

    return train(module, loss, rows, settings, epoch_hook=on_epoch, global_draws=global_draws, **options)


def _masks_of_other_rows(masks: Tensor, generator: Generator | None) -> Tensor:
    """Give each row the mask (n, d) of another row: the next one in a random circle."""
    circle = torch.randperm(len(masks), generator=generator, device=masks.device)
    result = torch.empty_like(masks)
    result[circle] = masks[circle.roll(1)]
    return result


def random_masks(n: int, n_columns: int, like: Tensor, generator: Generator | None = None) -> Tensor:
    """Draw masks (n, n_columns) of 0 and 1, each row with its own rate between none and all."""
    rate = torch.rand(n, 1, generator=generator, device=like.device)
    return (torch.rand(n, n_columns, generator=generator, device=like.device) < rate).to(like)
