"""A skorch net whose loop is lean on tables."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping
from torch.optim.lr_scheduler import OneCycleLR

from ._data import Batch, float_dtype, to_batch
from ._history import TrainingHistory

Loss = Callable[[torch.nn.Module, Batch], tuple[torch.Tensor, dict[str, torch.Tensor]]]
EpochHook = Callable[[int, Batch], dict[str, Any] | None]


class Criterion(torch.nn.Module):
    """A loss function as a module, for skorch saves and loads the state of its criterion."""

    def __init__(self, loss: Loss) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, module: torch.nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        total, terms = checked = self.loss(module, batch)
        for name, value in {"loss": total, **terms}.items():
            if not isinstance(value, torch.Tensor) or value.ndim:
                raise TypeError(
                    f"`loss` must return scalar tensors (without dimensions), got {value!r} as {name!r}."
                )
        return checked


def diverged(what: str, lr: float) -> ValueError:
    """Return the error for a training that went out of bounds."""
    return ValueError(
        f"Training diverged: {what}. Lower `lr` (got {lr}), and check that the data are finite and scaled."
    )


def _detached(total: torch.Tensor, terms: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {"loss": total.detach(), **{name: term.detach() for name, term in terms.items()}}


def _means(steps: list[dict[str, torch.Tensor]], sizes: list[int]) -> dict[str, float]:
    """Return the means over rows of what the steps returned; here alone the device is waited for."""
    table = torch.stack([step[name] for step in steps for name in steps[0]]).cpu().double().numpy()
    means = np.asarray(sizes) @ table.reshape(len(steps), -1) / sum(sizes)
    return dict(zip(steps[0], means.tolist(), strict=True))


def _overrides(callback: Callback, event: str) -> bool:
    return getattr(type(callback), event) is not getattr(Callback, event)


def _clip(weights: list[torch.nn.Parameter], norm: float) -> None:
    """Shorten gradients whose norm is larger, as torch's own function does, but all tensors at once."""
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    if gradients:
        total = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients))) + 1e-6
        if total.is_cuda or not total <= norm:  # a look at the number would wait for a GPU
            torch._foreach_mul_(gradients, (norm / total).clamp_(max=1.0))


class LeanNet(NeuralNet):
    """A skorch net that trains on tensors resident on the device.

    An epoch is one permutation, one gather a tensor and views; its losses are read once. Batches
    are announced only to callbacks that listen; when none does, the history's ``"batches"`` hold
    the means of the epoch. A callback may set ``net.stop_`` to end training.

    Parameters
    ----------
    module : torch.nn.Module
        Trained in place.
    criterion : Criterion
        The loss.
    schedule : {"one_cycle"} or None, default=None
        Learning rate over the steps.
    clip_norm : float or None, default=None
        Largest norm of the gradient.
    epoch_hook : callable or None, default=None
        Called with the epoch (from 1) and the resident data before each epoch.
    seed : int, default=0
        Seed of the shuffles.
    validation_batch_size : int, default=128
        Validation rows at once.
    noise_generator : torch.Generator, default=None
        Goes with each batch, for the loss to draw with.
    **kwargs : dict
        Parameters of `skorch.NeuralNet`.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        criterion: Criterion,
        *,
        schedule: str | None = None,
        clip_norm: float | None = None,
        epoch_hook: EpochHook | None = None,
        seed: int = 0,
        validation_batch_size: int = 128,
        noise_generator: torch.Generator | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, criterion, train_split=None, **kwargs)
        self.schedule = schedule
        self.clip_norm = clip_norm
        self.epoch_hook = epoch_hook
        self.seed = seed
        self.validation_batch_size = validation_batch_size
        self.noise_generator = noise_generator

    @property
    def _default_callbacks(self) -> list[Any]:
        return []

    def initialize_history(self) -> "LeanNet":
        """Begin with an empty history."""
        self.history_ = TrainingHistory()
        return self

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Call all callbacks; skorch's EarlyStopping ends the loop once every callback has been called."""
        getattr(self, method_name)(self, **cb_kwargs)
        for _, callback in self.callbacks_:
            try:
                getattr(callback, method_name)(self, **cb_kwargs)
            except KeyboardInterrupt:
                # EarlyStopping says "enough" with the exception that Ctrl-C raises.
                if not (isinstance(callback, EarlyStopping) and callback.misses_ == callback.patience):
                    raise
                self.stop_ = True

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Open the epoch's row; skorch's way to it copies the history, so it is kept as `row_`."""
        lr = self.optimizer_.param_groups[0]["lr"]
        self.row_: dict[str, Any] = {"batches": [], "epoch": len(self.history) + 1, "lr": lr}
        self.history.append(self.row_)

    def partial_fit(self, X: Batch, y: None = None, classes: None = None, **fit_params: Any) -> "LeanNet":
        """Train; unlike skorch, let KeyboardInterrupt pass."""
        if not self.initialized_:
            self.initialize()
        self.notify("on_train_begin", X=X, y=y)
        self.fit_loop(X, y, **fit_params)
        self.notify("on_train_end", X=X, y=y)
        return self

    def fit_loop(
        self,
        X: Batch,
        y: None = None,
        epochs: int | None = None,
        *,
        validation: Batch | None = None,
        **_: Any,
    ) -> "LeanNet":
        """Run the epochs."""
        epochs = epochs or self.max_epochs
        self._begin(X.n_rows, epochs)
        shuffles = torch.Generator().manual_seed(self.seed)
        datasets = {"dataset_train": X, "dataset_valid": validation}
        for epoch in range(1, epochs + 1):
            self.notify("on_epoch_begin", **datasets)
            X.progress, X.generator = (epoch - 1) / epochs, self.noise_generator
            self._call_epoch_hook(epoch, X)
            order = None
            if self.batch_size < X.n_rows:
                order = torch.randperm(X.n_rows, generator=shuffles).to(self.device)
            self.run_single_epoch(X.split(self.batch_size, order), True, "train", self.train_step)
            if validation is not None:
                parts = validation.split(self.validation_batch_size)
                self.run_single_epoch(parts, False, "valid", self.validation_step)
            self.notify("on_epoch_end", **datasets)
            if self.stop_:
                break
        return self

    def _begin(self, n_rows: int, epochs: int) -> None:
        self.stop_ = False
        self._set_training(True)
        self.step_, self.n_steps_ = 0, epochs * math.ceil(n_rows / self.batch_size)
        self.lowest_: dict[str, float] = {}
        self.learnable_ = [parameter for _, parameter in self.get_all_learnable_params()]
        # A cycle needs room to rise and fall: with fewer than four steps the rate stays at its peak.
        one_cycle = self.schedule == "one_cycle" and self.n_steps_ > 3
        self.scheduler_ = OneCycleLR(self.optimizer_, self.lr, self.n_steps_) if one_cycle else None
        callbacks = [callback for _, callback in self.callbacks_]
        self.notifies_gradients_ = any(_overrides(callback, "on_grad_computed") for callback in callbacks)
        self.notifies_batches_ = self.notifies_gradients_ or any(
            _overrides(callback, event)
            for callback in callbacks
            for event in ("on_batch_begin", "on_batch_end")
        )

    def _call_epoch_hook(self, epoch: int, data: Batch) -> None:
        if self.epoch_hook is None:
            return
        n_rows = data.n_rows
        data.update(self.epoch_hook(epoch, data) or {})
        data.update(to_batch("data", data, torch.device(self.device), float_dtype(self.module_)))
        if data.n_rows != n_rows:
            raise ValueError(f"`epoch_hook` must keep the {n_rows} rows of `data`, got {data.n_rows}.")

    def run_single_epoch(
        self, iterator: Iterable[Batch], training: bool, prefix: str, step_fn: Callable[..., Any], **_: Any
    ) -> None:
        """Run over the batches and record the means over their rows."""
        if self.module_.training != training:
            self._set_training(training)
        steps, sizes = [], []
        with torch.set_grad_enabled(training):
            for batch in iterator:
                self.step_ += training
                batch.progress, batch.generator = self.step_ / self.n_steps_, self.noise_generator
                if self.notifies_batches_:
                    self.notify("on_batch_begin", batch=batch, training=training)
                steps.append(step_fn(batch))
                sizes.append(batch.n_rows)
                if self.notifies_batches_:
                    self._record_batch(prefix, _means(steps[-1:], sizes[-1:]), sizes[-1])
                    self.notify("on_batch_end", batch=batch, training=training, **steps[-1])
        means = _means(steps, sizes)
        if not self.notifies_batches_:
            self.row_["batches"].append({})
            self._record_batch(prefix, means, sum(sizes))
        self._record_epoch(prefix, means)

    def _record_batch(self, prefix: str, means: dict[str, float], size: int) -> None:
        values = {**means, "batch_size": size}
        self.row_["batches"][-1].update({f"{prefix}_{name}": value for name, value in values.items()})

    def _record_epoch(self, prefix: str, means: dict[str, float]) -> None:
        loss = means["loss"]
        if not math.isfinite(loss):
            raise diverged(f"{prefix}_loss is {loss} in epoch {len(self.history)}", self.lr)
        lowest = self.lowest_.get(prefix, math.inf)
        self.lowest_[prefix] = min(loss, lowest)
        self.row_.update({f"{prefix}_{name}": value for name, value in means.items()})
        self.row_[f"{prefix}_loss_best"] = loss < lowest

    def train_step(self, batch: Batch, **_: Any) -> dict[str, torch.Tensor]:
        """Make one step of the optimizer; return the loss and its terms."""
        self.optimizer_.zero_grad()
        total, terms = self.criterion_(self.module_, batch)
        if total.requires_grad:
            total.backward()
        if self.notifies_gradients_:
            named = list(self.get_all_learnable_params())
            self.notify("on_grad_computed", named_parameters=named, batch=batch, training=True)
        if self.clip_norm is not None:
            _clip(self.learnable_, self.clip_norm)
        self.optimizer_.step()
        if self.scheduler_ is not None:
            self.scheduler_.step()
        return _detached(total, terms)

    def validation_step(self, batch: Batch, **_: Any) -> dict[str, torch.Tensor]:
        """Return the loss and its terms."""
        return _detached(*self.criterion_(self.module_, batch))
