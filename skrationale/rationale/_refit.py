"""A predictor for hard masks that never saw a row with its own one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn

from ..training import Batch, Settings, TrainResult, row_losses, row_slopes, soft_losses, soft_targets, train
from ._joint import Arrays
from ._network import MaskedPredictor

Varying = Callable[[Tensor, "Generator | None"], tuple[Tensor, Tensor]]


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
    vary: Varying | None = None,
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
    vary : callable, default=None
        Puts other rows, of which the teacher alone tells, in the places of some rows in training. It takes
        rows (B, ...) and a generator, and gives the rows and which of them (B,) are as they were.
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

    loss = _MaskedLoss(link, share_of_labels, teacher, vary)
    return train(module, loss, rows, settings, epoch_hook=on_epoch, global_draws=global_draws, **options)


@dataclass(frozen=True)
class _MaskedLoss:
    """Loss of what sees rows through masks; parameters as of `train_on_masks`.

    In training it sets the gradients of a `MaskedPredictor` itself, as `JointLoss` does.
    """

    link: str
    share_of_labels: float
    teacher: Callable[[Tensor, Tensor], Tensor] | None
    vary: Varying | None = None

    def __call__(self, module: Any, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        x, mask, weight, share = batch["x"], batch["mask"], batch["weight"], self.share_of_labels
        counts: Tensor | None = None
        if self.vary is not None and self.teacher is not None and share != 1 and module.training:
            x, same = self.vary(x, batch.generator)
            counts = same / same.float().mean().clamp_min(1 / len(same))
        by_hand = type(module) is MaskedPredictor and module.training
        inputs: list[Tensor] = []
        if by_hand:
            scores, inputs = module.layers.outputs(module.inputs(x, mask))
        else:
            scores = module(x, mask)
        losses = row_losses(scores, batch["y"], self.link)
        slopes = row_slopes(scores, batch["y"], self.link) if by_hand else None
        if counts is not None:
            losses = losses * counts
            slopes = None if slopes is None else slopes * counts[:, None]
        terms = {"task": (losses * weight).mean()}
        if share != 1:
            told = batch["teacher_scores"] if self.teacher is None else self.teacher(x, mask)
            taught = soft_losses(scores, told, self.link)
            terms["prediction"] = (taught * weight).mean()
            losses = share * losses + (1 - share) * taught
            if slopes is not None:
                of_teacher = row_slopes(scores, soft_targets(told, self.link), self.link)
                slopes = share * slopes + (1 - share) * of_teacher
        if slopes is not None:
            module.layers.take_gradient(inputs, slopes * (weight / len(weight))[:, None])
        return (losses * weight).mean(), terms


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
