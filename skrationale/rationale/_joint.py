"""Selector and predictor learn together, while a column becomes dearer from step to step."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback
from torch import Tensor

from ..training import (
    Batch,
    Settings,
    TrainResult,
    generator_of,
    limit_threads,
    row_losses,
    row_slopes,
    task_loss,
    train,
)
from ..units import MaskRule, draw_fill
from ._gates import gumbel_gates, temperature_at
from ._losses import count_cost, penalty_of_count, prediction_divergence, selection_divergence
from ._network import SelectAndPredict

N_SNAPSHOTS = 20
"""Networks kept on the way, at equal distances. Not measured."""
N_FILLS = 5
"""Predictions averaged to judge a selector, each with other cells in the place of hidden ones. Not
measured."""
CHUNK = 4096
"""Rows computed at once, to bound the memory. Not measured."""
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Distillation:
    """How a student learns from a teacher, as :class:`RationaleDistiller` says."""

    alpha: float | str
    rationale_lambda: float
    distill: str

    def share_of_labels(self, tau: float, temperature: tuple[float, float]) -> float:
        """Weight of the student's own task; with "anneal" it rises from 0 to 1 as the temperature falls."""
        if self.alpha == "anneal":
            return (temperature[0] - tau) / (temperature[0] - temperature[1])
        return float(self.alpha)


@dataclass(frozen=True)
class JointLoss:
    """Loss of the predictions, price of the columns shown, and deviation from a teacher.

    Parameters
    ----------
    link : {"identity", "logit", "softmax"}
        What the scores are.
    relaxation : {"soft", "gumbel"}
        Gates between 0 and 1, or drawn.
    temperature : (float, float)
        Of drawn gates and of distillation, at the beginning and at the end.
    penalty : {"count", "excess", "squared"}
        Of the number of columns: all of it, what exceeds the target, or its squared deviation from it.
    price : float
        Weight of the penalty at the end.
    target : float
        Number of columns.
    power : float
        The price rises with this power of the progress; 0: not at all.
    distillation : Distillation or None
        What a teacher adds.
    """

    link: str
    relaxation: str
    temperature: tuple[float, float]
    penalty: str
    price: float
    target: float
    power: float = 2.0
    distillation: Distillation | None = None

    def __call__(self, module: Any, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of a batch with ``x``, ``y``, ``weight``, perhaps ``fill``, and what the teacher predicts.

        In training it sets the gradients of the weights itself: a record of each operation, from which torch
        would find them, takes longer than the operations.
        """
        x, weight, fill = batch["x"], batch["weight"], batch.get("fill")
        tau, price = temperature_at(batch.progress, self.temperature), self.price * batch.progress**self.power
        learns = module.training and torch.is_grad_enabled()
        with torch.no_grad():
            logits, seen = module.selector.outputs(x)
            gates, keep, steepness = self._gates(logits, tau, module.training, batch.generator)
            scores, read = module.predictor.outputs(module.mix(x, gates, fill))
            task, count = task_loss(scores, batch["y"], weight, self.link), count_cost(keep, weight)
            terms = {"task": task, "columns": count}
            cost, rise = penalty_of_count(count, self.penalty, self.target)
            total, shares = task + price * cost, (weight / len(weight))[:, None]
            slopes, keep_slopes = row_slopes(scores, batch["y"], self.link) * shares, price * rise * shares
            of_teacher: Tensor | float = 0.0
            if self.distillation is not None:
                share = self.distillation.share_of_labels(tau, self.temperature)
                taught, of_teacher, pull = self._teacher_loss(logits, scores, batch, tau, terms)
                total, keep_slopes = share * total + (1 - share) * taught, share * keep_slopes
                slopes, of_teacher = share * slopes + (1 - share) * pull, (1 - share) * of_teacher
            if learns:
                slopes = module.predictor.take_gradient(read, slopes, further=True)
                slopes = steepness * (module.gate_slopes(slopes, x, gates, fill) + keep_slopes)
                module.selector.take_gradient(seen, slopes + of_teacher)
        return total, terms

    def _gates(
        self, logits: Tensor, tau: float, training: bool, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Gates, what the price is paid for, and the derivative of both with respect to logits: (B, d)."""
        keep = torch.sigmoid(logits)
        if self.relaxation == "soft":
            return keep, keep, keep * (1 - keep)
        if not training:
            return (logits > 0).to(logits), keep, torch.zeros_like(keep)
        with torch.enable_grad():
            leaf = logits.detach().requires_grad_()
            gates = gumbel_gates(leaf, tau, generator)
            (steepness,) = torch.autograd.grad(gates.sum(), leaf)
        return gates.detach(), gates.detach(), steepness

    def _teacher_loss(
        self, logits: Tensor, scores: Tensor, batch: Batch, tau: float, terms: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Deviation from the teacher, and its derivatives with respect to logits (B, d) and scores (B, K)."""
        assert self.distillation is not None
        weight, leaves = batch["weight"], [logits.detach().requires_grad_(), scores.detach().requires_grad_()]
        with torch.enable_grad():
            taught = 0.0 * (leaves[0].sum() + leaves[1].sum())
            if "teacher_logits" in batch and self.distillation.distill != "prediction":
                rows = selection_divergence(batch["teacher_logits"], leaves[0], tau)
                terms["rationale"] = (rows * weight).mean()
                taught = taught + self.distillation.rationale_lambda * terms["rationale"]
            if self.distillation.distill != "rationale":
                rows = prediction_divergence(batch["teacher_scores"], leaves[1], self.link, tau)
                terms["prediction"] = (rows * weight).mean()
                taught = taught + terms["prediction"]
            of_logits, of_scores = torch.autograd.grad(taught, leaves)
        return taught.detach(), of_logits, of_scores


class GiveUp(Callback):
    """End a training after some epochs, if it is found to be behind then."""

    def __init__(self, epochs: int, is_behind: Callable[[], bool]) -> None:
        self.epochs, self.is_behind, self.gave_up = epochs, is_behind, False

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Look, once."""
        self.gave_up = self.gave_up or (len(net.history) == self.epochs and self.is_behind())
        net.stop_ = net.stop_ or self.gave_up


def snapshot_epochs(epochs: int) -> list[int]:
    """Say after which epochs the networks are kept: the last one is the end."""
    return (np.linspace(1, epochs + 1, min(N_SNAPSHOTS, epochs) + 1).round().astype(int)[1:] - 1).tolist()


def train_joint(
    module: SelectAndPredict,
    loss: JointLoss,
    rows: Arrays,
    settings: Settings,
    *,
    marginal: bool,
    validation: Arrays | None = None,
    **options: Any,
) -> tuple[TrainResult, list[dict[str, Tensor]]]:
    """Train a module in place and keep it as it was on the way.

    Parameters
    ----------
    module : SelectAndPredict
        Selector and predictor.
    loss : JointLoss
        What is minimised.
    rows : mapping of str to ndarray
        ``x`` (n, p), ``y`` (n,), ``weight`` (n,), and what a teacher predicts.
    settings : Settings
        Epochs, learning rate and so on.
    marginal : bool
        Whether hidden cells are filled with cells of other rows, drawn anew in each epoch.
    validation : mapping of str to ndarray, default=None
        The same of rows whose loss is recorded; their hidden cells are filled alike in all epochs.
    **options : object
        Of :func:`skrationale.training.train`.

    Returns
    -------
    result : TrainResult
    snapshots : list of dict of Tensor
        States of the module, the last one at its end.
    """
    kept = snapshot_epochs(int(settings.max_epochs))
    snapshots: list[dict[str, Tensor]] = []
    varies = (rows["weight"] != 1).any()

    def on_epoch(epoch: int, data: Batch) -> dict[str, Tensor] | None:
        if epoch - 1 in kept:
            snapshots.append(copy.deepcopy(module.state_dict()))
        if not marginal:
            return None
        weight = data["weight"] if varies else None
        fill = draw_fill(data["x"], module.groups, n_units, weight, generator=data.generator)
        return {"fill": fill}

    n_units = module.n_units
    data = dict(rows) | ({"fill": rows["x"]} if marginal else {})
    held_out: dict[str, Any] | None = None if validation is None else dict(validation)
    if held_out is not None and marginal:
        held_out["fill"] = _fixed_fill(module, rows, held_out)
    options |= {"validation": held_out, "validation_batch_size": CHUNK, "epoch_hook": on_epoch}
    result = train(module, loss, data, settings, global_draws=False, **options)
    return result, [*snapshots, copy.deepcopy(module.state_dict())]


def _fixed_fill(module: SelectAndPredict, rows: Arrays, validation: Arrays) -> Tensor:
    """Fill cells (m, p) of validation rows with those of training rows, without a draw of the training's."""
    groups, weight = module.groups.cpu(), rows["weight"]
    weights = torch.as_tensor(weight) if (weight != 1).any() else None
    x, n = torch.as_tensor(rows["x"], dtype=torch.float32), len(validation["x"])
    return draw_fill(x, groups, module.n_units, weights, n, generator_of(0))


def logits_of(selector: torch.nn.Module, x: Tensor) -> np.ndarray:
    """Logits (n, d), float64, of encoded rows (n, p)."""
    with torch.no_grad():
        parts = [selector(part) for part in x.split(CHUNK)]
    return torch.cat(parts).double().cpu().numpy()


def evaluate_snapshots(
    module: SelectAndPredict,
    snapshots: Sequence[dict[str, Tensor]],
    fit: Arrays,
    valid: Arrays,
    *,
    marginal: bool,
    link: str,
    count: float | None,
    k: int | None,
    seed: int,
) -> tuple[list[MaskRule], np.ndarray]:
    """Measure what hard masks of each snapshot lose on validation rows.

    Parameters
    ----------
    module : SelectAndPredict
        Is given each state in turn.
    snapshots : sequence of S dict
        States.
    fit, valid : mapping of str to ndarray
        Rows that thresholds and fills are taken from, and rows to judge on.
    marginal : bool
        Whether hidden cells are filled with cells of other rows.
    link : str
        What the scores are.
    count, k : float or None, int or None
        Columns a row, on average or exactly.
    seed : int
        Draws the fills, the same for all snapshots.

    Returns
    -------
    rules : list of S MaskRule
    losses : ndarray of shape (S, m)
        Weighted losses of the validation rows.
    """
    like = module.groups
    background, x = (
        torch.as_tensor(rows["x"], dtype=torch.float32, device=like.device) for rows in (fit, valid)
    )
    y = torch.as_tensor(valid["y"], device=like.device)
    weight = torch.as_tensor(fit["weight"]) if (fit["weight"] != 1).any() else None
    fills: list[Tensor | None] = [None]
    if marginal:
        generator = generator_of(seed, like.device)
        drawing = (background, like, module.n_units, weight, len(x), generator)
        fills = [draw_fill(*drawing) for _ in range(N_FILLS)]
    rules, losses = [], []
    with torch.no_grad(), limit_threads(len(x) * x.shape[1] ** 2):
        for state in snapshots:
            module.load_state_dict(state)
            logits = logits_of(
                module.selector, background if k is None and count is not None else background[:1]
            )
            rule = MaskRule.fitted(logits, count, k)
            mask = torch.as_tensor(rule(logits_of(module.selector, x))).to(x)
            answers = [module.predict(x, mask, fill) for fill in fills]
            losses.append(row_losses(_mean_scores(answers, link), y, link).double().cpu().numpy())
            rules.append(rule)
    return rules, np.array(losses).reshape(-1, len(x)) * valid["weight"]


def _mean_scores(answers: Sequence[Tensor], link: str) -> Tensor:
    """Scores (m, K) whose response is the mean response of several scores."""
    stacked = torch.stack(list(answers)).double()
    if link == "identity":
        return stacked.mean(0)
    if link == "logit":
        return torch.sigmoid(stacked).mean(0).clamp(1e-7, 1 - 1e-7).logit()
    return torch.softmax(stacked, 2).mean(0).clamp(min=1e-7).log()
