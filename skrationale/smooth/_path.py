"""Train a smooth network for one lambda, or along a path of rising lambdas."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback
from torch import Generator, Tensor

from .._deadline import Deadline
from ..training import (
    Batch,
    Settings,
    epochs_for,
    get_state,
    limit_threads,
    row_losses,
    row_slopes,
    task_loss,
    train,
)
from ._network import SmoothNetwork
from ._penalties import (
    GRADIENT_THRESHOLD,
    SpectralBound,
    gradient_penalty,
    gradient_penalty_slopes,
    hessian_penalty,
    random_mixture,
)
from ._weight_gradient import ForwardPass

# Figures of examples/benchmarks/results/symbolic.md were made with these values; none with others are kept.
STEPS, EPOCHS = 2000, (20, 1000)
"""Steps of a training, and least and most epochs. Not measured."""
STAGE_SHARE, STAGE_LR = 0.15, 0.5
"""Epochs and learning rate of a further stage, as shares of those of the first. Measured (no file of it is
kept): networks of eight tables, three seeds, have a mean R2 of .7934, with 0.25 of the epochs .7926, and with
0.1 .7920, where three of the laws of examples/benchmarks/results/feynman.md are not found. The rate is not
measured. What stages cost is in examples/benchmarks/results/jacobian_cost.md, "as by default"."""
PATIENCE_SHARE, LEAST_PATIENCE = 0.25, 10
"""Epochs without improvement after which the first stage stops: a share of all, but so many at least. Not
measured."""
MAX_GRADIENT_NORM = 1.0
"""To this norm gradients of the loss, in standard units, are cut in each step. Not measured."""
PENALTY_COST = 1.4
"""Times of an epoch that one with the penalty takes; only a clock asks for it. Measured: 1.24 to 1.28 in
examples/benchmarks/results/jacobian_cost.md, "default"."""
PROBE_EPOCHS = 2
"""Epochs by which a clock is told how long one takes. Not measured."""
BY_AUTOGRAD = ("spectral", "hessian")
"""Penalties whose gradients torch works out."""
CHUNK = 1024
"""Rows whose derivatives are computed at once outside training, to bound the memory. Not measured."""


@dataclass(frozen=True, eq=False)
class Stage:
    """A network trained with one lambda.

    Parameters
    ----------
    jacobian_lambda : float
        The lambda.
    state : dict of str to ndarray
        Weights.
    losses : ndarray of shape (m,)
        Task loss of each validation row, weighted; of each training row where there is no validation.
    grad_norm : float
        Weighted mean norm of the input gradient on the same rows.
    slopes : ndarray of shape (p,)
        Weighted mean size of the derivative by each input on the same rows.
    history : list of dict
        Epochs.
    seconds : float
        Duration.
    device : str
        Where it was trained.
    """

    jacobian_lambda: float
    state: dict[str, np.ndarray]
    losses: np.ndarray
    grad_norm: float
    slopes: np.ndarray
    history: list[dict[str, Any]]
    seconds: float
    device: str


class SmoothLoss:
    """Task loss plus lambda times a penalty, which is computed in a share of the steps and weighs more there.

    Parameters
    ----------
    link : {"identity", "logit", "softmax"}
        What the outputs are.
    jacobian_lambda : float
        Weight of the penalty.
    penalty : {"jacobian", "lipschitz", "spectral", "hessian"} or None
        What is penalised.
    penalty_fraction : float
        Share of the steps.
    """

    def __init__(
        self, link: str, jacobian_lambda: float, penalty: str | None, penalty_fraction: float
    ) -> None:
        self._link = link
        self._lambda = jacobian_lambda if penalty else 0.0
        self._penalty = penalty
        self._every = max(round(1 / penalty_fraction), 1)
        self._step = 0
        self._spectral = SpectralBound()
        self._threshold = GRADIENT_THRESHOLD if penalty == "lipschitz" else 0.0

    def __call__(self, module: Any, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of a batch and its part from the task; in evaluation the penalty is computed always."""
        x, weight = batch["x"], batch["weight"]
        share = 1
        if module.training and self._lambda:
            share = self._every if self._step % self._every == 0 else 0
            self._step += 1
        penalised = bool(self._lambda and share)
        if module.training and not (penalised and self._penalty in BY_AUTOGRAD):
            return self._by_hand(module, batch, self._lambda * share)
        if not penalised:
            loss = task_loss(module(x), batch["y"], weight, self._link)
            return loss, {"task": loss.detach()}
        outputs, penalty = self._penalised(module, x, weight, batch.generator)
        loss = task_loss(outputs, batch["y"], weight, self._link)
        return loss + self._lambda * share * penalty, {"task": loss.detach()}

    @torch.no_grad()
    def _by_hand(
        self, module: SmoothNetwork, batch: Batch, factor: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Set the gradients of the weights; a factor of 0 leaves out the penalty."""
        x, y, weight = batch["x"], batch["y"], batch["weight"]
        run = ForwardPass(module, x)
        loss = total = task_loss(run.outputs, y, weight, self._link)
        if factor:
            gradient = run.input_gradient(random_mixture(module.last.out_features, x, batch.generator))
            total = loss + factor * gradient_penalty(gradient, weight, self._threshold)
            run.pull_input_gradient(factor * gradient_penalty_slopes(gradient, weight, self._threshold))
        run.set_gradient(row_slopes(run.outputs, y, self._link) * (weight / len(weight))[:, None])
        return total, {"task": loss}

    def _penalised(
        self, module: SmoothNetwork, x: Tensor, weight: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        if self._penalty == "spectral":
            return module(x), self._spectral(module)
        if self._penalty == "hessian":
            return module(x), hessian_penalty(module, x, weight, generator)
        mix = random_mixture(module.last.out_features, x, generator)
        outputs, gradient = module.forward_with_gradient(x, mix)
        return outputs, gradient_penalty(gradient, weight, self._threshold)


class _InterruptionFlag(Callback):
    """Knows whether training came to its end or was interrupted."""

    def __init__(self) -> None:
        self.epochs = 0
        self.interrupted = False

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        self.epochs += 1

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        self.interrupted = not net.stop_ and self.epochs < net.max_epochs


class _Stop(Callback):
    """Ends training, as if all epochs were done, when the time is over."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        net.stop_ = net.stop_ or self.deadline.is_over()


def _epochs_in_time(
    module: SmoothNetwork,
    data: Mapping[str, np.ndarray],
    link: str,
    settings: Settings,
    seconds: float,
    epochs: int,
    n_stages: int,
) -> int:
    """Say how many epochs of the first of some stages fit into a time, 1 at least; others have a share."""
    start = perf_counter()
    quiet = {"early_stopping": False, "n_iter_no_change": None, "callbacks": None, "verbose": 0}
    probe = settings.replace(max_epochs=PROBE_EPOCHS, **quiet)
    loss = SmoothLoss(link, 0.0, None, 1.0)
    train(copy.deepcopy(module), loss, data, probe, random_state=0, global_draws=False)
    each = (perf_counter() - start) / PROBE_EPOCHS
    left = seconds - PROBE_EPOCHS * each
    return min(max(int(left / each / (1 + (n_stages - 1) * STAGE_SHARE * PENALTY_COST)), 1), epochs)


def train_path(
    module: SmoothNetwork,
    data: Mapping[str, np.ndarray],
    validation: Mapping[str, np.ndarray] | None,
    lambdas: Sequence[float],
    link: str,
    parameters: Any,
    seed: int,
) -> list[Stage]:
    """Train with the first lambda, then go on from there with each of the others.

    Parameters
    ----------
    module : SmoothNetwork
        Changed in place.
    data, validation : mapping of str to ndarray
        ``x`` (n, p), ``y`` (n,) and ``weight`` (n,).
    lambdas : sequence of float
        Lambdas in the order of training.
    link : {"identity", "logit", "softmax"}
        What the outputs are.
    parameters : BaseSmoothMLP
        Read for its hyper-parameters.
    seed : int
        Seed of the shuffles.

    Returns
    -------
    list of Stage
        One for each lambda; fewer where training was interrupted and early stopping kept the best weights,
        and where `parameters` have a clock that ran down.
    """
    p, settings, n = parameters, Settings.of(parameters), len(data["x"])
    batch_size = n if data["x"].dtype == np.float64 else min(int(settings.batch_size), max(n // 4, 1))
    epochs = epochs_for(settings.max_epochs, n, batch_size, steps=STEPS, limits=EPOCHS)
    deadline = getattr(p, "_deadline", None) or Deadline(None)
    if math.isfinite(deadline.seconds):
        timed = settings.replace(batch_size=batch_size)
        epochs = _epochs_in_time(module, data, link, timed, deadline.left(), epochs, len(lambdas))
    stages: list[Stage] = []
    for i, jacobian_lambda in enumerate(lambdas):
        if stages and deadline.is_over():
            break
        start, interruption = perf_counter(), _InterruptionFlag()
        n_epochs = epochs if i == 0 else math.ceil(STAGE_SHARE * len(stages[0].history))
        patience = settings.n_iter_no_change
        if patience == "auto":
            patience = max(int(PATIENCE_SHARE * n_epochs), LEAST_PATIENCE) if i == 0 else None
        result = train(
            module,
            SmoothLoss(link, jacobian_lambda, p.penalty, p.penalty_fraction),
            data,
            settings.replace(
                max_epochs=n_epochs,
                batch_size=batch_size,
                lr=settings.lr if i == 0 else STAGE_LR * settings.lr,
                early_stopping=settings.early_stopping and validation is not None,
                n_iter_no_change=patience,
                callbacks=[*(settings.callbacks or []), interruption, _Stop(deadline)],
            ),
            validation=validation,
            clip_norm=MAX_GRADIENT_NORM,
            random_state=seed + i,
            global_draws=False,
        )
        seconds = perf_counter() - start
        measured = _measure(module, data if validation is None else validation, link, result.device)
        history = [row | {"jacobian_lambda": jacobian_lambda} for row in result.history]
        stages.append(Stage(jacobian_lambda, get_state(module), *measured, history, seconds, result.device))
        if interruption.interrupted:
            break
    return stages


def _measure(
    module: SmoothNetwork, rows: Mapping[str, np.ndarray], link: str, device: str
) -> tuple[np.ndarray, float, np.ndarray]:
    """Weighted task losses (m,) of rows, mean norm of their input gradients, mean size by input (p,)."""
    dtype = module.last.weight.dtype
    losses, norms, sizes = [], [], []
    with torch.no_grad(), limit_threads(CHUNK * module.last.in_features**2):
        for start in range(0, len(rows["x"]), CHUNK):
            part = slice(start, start + CHUNK)
            x = torch.as_tensor(rows["x"][part], dtype=dtype, device=device)
            y = torch.as_tensor(rows["y"][part], device=device)
            outputs, gradient = module.forward_with_gradient(x)
            losses.append(row_losses(outputs, y, link).double().cpu().numpy())
            norms.append(gradient.pow(2).sum((1, 2)).sqrt().double().cpu().numpy())
            sizes.append(gradient.abs().mean(1).double().cpu().numpy())
    weight = rows["weight"].astype(np.float64)
    return (
        np.concatenate(losses) * weight,
        float(np.average(np.concatenate(norms), weights=weight)),
        np.average(np.concatenate(sizes), axis=0, weights=weight),
    )


def admissible(losses: Sequence[np.ndarray]) -> list[int]:
    """Find what is not worse than the best by more than one standard error.

    The standard error is that of the differences row by row, which is smaller, and thus stricter, than that
    of the losses.

    Parameters
    ----------
    losses : sequence of ndarray of shape (n,)
        Losses of the same rows, an array for each alternative.

    Returns
    -------
    list of int
        Positions, in rising order.
    """
    best = min(losses, key=np.mean)
    excess = [loss - best for loss in losses]
    return [i for i, more in enumerate(excess) if more.mean() <= more.std() / math.sqrt(len(more))]
