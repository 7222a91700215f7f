"""The one way to train a module."""

import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_scalar
from skorch.callbacks import EpochTimer, PrintLog

from .._callers import outside
from ._adam import LEAN, build_optimizer
from ._callbacks import BestWeights, ProgressBar, check_callbacks
from ._data import Batch, float_dtype, to_batch
from ._denormals import denormals_as_zero
from ._device import resolve_device
from ._net import Criterion, EpochHook, LeanNet, Loss, diverged
from ._random import generator_of, seeded
from ._settings import Settings
from ._threads import limit_threads

SCHEDULES = ("one_cycle", None)


@dataclass(frozen=True)
class TrainResult:
    """What training leaves behind: no optimizer, generator, callback or data.

    Attributes
    ----------
    module : torch.nn.Module
        The trained module, in evaluation mode, on the device.
    history : list of dict
        One dict an epoch: ``epoch`` (from 1), ``lr`` (of the epoch's first step), ``train_loss``,
        ``train_<term>``, ``valid_loss``, ``valid_<term>`` (means over rows), ``dur`` (seconds),
        and what callbacks recorded.
    n_iter : int
        Number of epochs run, the length of the history.
    device : str
        Where the module was trained.
    """

    module: torch.nn.Module
    history: list[dict[str, Any]]
    n_iter: int
    device: str


def _check_parameters(module: Any, settings: Any, **values: Any) -> None:
    if not isinstance(settings, Settings):
        raise TypeError(f"`settings` must be a Settings, got {type(settings).__name__}.")
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"`module` must be a torch.nn.Module, got {type(module).__name__}.")
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise ValueError("`module` must have a parameter that requires a gradient, got none.")
    for name, options in {"optimizer": LEAN, "schedule": SCHEDULES}.items():
        if values[name] not in options:
            raise ValueError(f"`{name}` must be one of {list(options)}, got {values[name]!r}.")
    for name in ("max_epochs", "batch_size"):
        check_scalar(getattr(settings, name), name, Integral, min_val=1)
    if settings.n_iter_no_change is not None:
        check_scalar(settings.n_iter_no_change, "n_iter_no_change", Integral, min_val=1)
    if values["validation_batch_size"] is not None:
        check_scalar(values["validation_batch_size"], "validation_batch_size", Integral, min_val=1)
    check_scalar(values["random_state"], "random_state", Integral, min_val=0)
    for name in ("lr", "weight_decay"):
        check_scalar(getattr(settings, name), name, Real, min_val=0)
    check_scalar(values["tol"], "tol", Real, min_val=0)
    check_scalar(values["min_epochs"], "min_epochs", Integral, min_val=0, max_val=settings.max_epochs)
    if values["clip_norm"] is not None:
        check_scalar(values["clip_norm"], "clip_norm", Real, min_val=0, include_boundaries="neither")
    if settings.early_stopping and values["validation"] is None:
        raise ValueError("`early_stopping` needs `validation`, a dict of arrays, got None.")


def _thread_limit(module: torch.nn.Module, n_rows: int, device: torch.device) -> AbstractContextManager[None]:
    if device.type != "cpu":
        return nullcontext()
    return limit_threads(n_rows * max(parameter.numel() for parameter in module.parameters()))


def _fit(net: LeanNet, data: Batch, validation: Batch | None, stopper: BestWeights) -> None:
    try:
        net.fit(data, validation=validation)
    except KeyboardInterrupt:
        if not stopper.best_epoch_:
            raise
        warnings.warn(
            f"Training was interrupted in epoch {len(net.history)} of {net.max_epochs}; "
            f"the weights of epoch {stopper.best_epoch_}, the best so far, are kept.",
            stacklevel=outside(),
        )
        net.notify("on_train_end", X=data, y=None)


def _result(net: LeanNet, device: torch.device) -> TrainResult:
    module = net.module_.eval()
    module.zero_grad(set_to_none=True)
    if not all(parameter.isfinite().all() for parameter in module.parameters()):
        raise diverged("a weight is not finite", net.lr)
    # An interrupted epoch has no duration.
    rows = [row for row in net.history if "dur" in row]
    history = [
        {key: row[key] for key in row if key != "batches" and not key.endswith("_loss_best")} for row in rows
    ]
    return TrainResult(module, history, len(history), str(device))


def train(
    module: torch.nn.Module,
    loss: Loss,
    data: Mapping[str, np.ndarray | torch.Tensor],
    settings: Settings,
    *,
    validation: Mapping[str, np.ndarray | torch.Tensor] | None = None,
    validation_batch_size: int | None = None,
    schedule: str | None = "one_cycle",
    clip_norm: float | None = None,
    optimizer: str = "adamw",
    tol: float = 1e-4,
    min_epochs: int = 0,
    epoch_hook: EpochHook | None = None,
    random_state: int = 0,
    global_draws: bool = True,
) -> TrainResult:
    """Fit the weights of a module, in place.

    The dtype of the module is that of the computation: floating data are cast to it, integers are
    kept. Global random state is neither used nor changed.

    Parameters
    ----------
    module : torch.nn.Module
        Draw its weights inside ``with seeded(...)``, or by a `generator_of` a seed.
    loss : callable
        ``loss(module, batch) -> (total, terms)``. `batch` is a `Batch`: a dict of the tensors in
        `data` for some rows, with ``batch.progress`` in (0, 1] for ramps and annealing. `total`
        is the mean over the rows, a tensor without dimensions; `terms` is a dict of such tensors to
        record, and may be empty. A loss that sets the gradients of the weights itself returns a `total` that
        requires none. Validation runs in evaluation mode and without gradients: a loss that
        needs some there uses ``torch.enable_grad()``.
    data : dict of str to array of shape (n, ...)
        Moved to the device once. With a batch size of n or more there is no shuffle.
    settings : Settings
        Epochs, rows of a step, learning rate, early stopping, device and callbacks; nothing in them may still
        be ``"auto"`` but the device.
    validation : dict of str to array of shape (m, ...), default=None
        Rows whose loss is recorded after each epoch.
    validation_batch_size : int, default=None
        Rows of `validation` whose loss is computed at once; None: as many as in a step of training. What is
        recorded depends on it where the loss is no mean over rows.
    schedule : {"one_cycle"} or None, default="one_cycle"
        How the learning rate changes from step to step. With fewer than four steps it does not. None
        leaves it to a scheduler among the callbacks.
    clip_norm : float, default=None
        Largest norm of the gradient.
    optimizer : {"adamw", "adam"}, default="adamw"
        Fused where the device supports it. The weight decay is decoupled for "adamw", an L2 penalty for
        "adam".
    tol : float, default=1e-4
        The loss of validation rows must fall by so much, absolutely, to be called an improvement.
    min_epochs : int, default=0
        The first epoch that may be the best. Ramps over the first p of training end with epoch
        ``ceil(p * max_epochs)``.
    epoch_hook : callable, default=None
        ``epoch_hook(epoch, data) -> dict or None``, called before each epoch (from 1) with the
        resident `Batch` of all rows, whose ``progress`` is ``(epoch - 1) / max_epochs``. It may
        replace tensors there, or return replacements as arrays or tensors; it must not write
        into tensors, for these may share memory with the arrays passed.
    random_state : int, default=0
        Seed of the shuffles and of what the loss and the module draw. Not negative.
    global_draws : bool, default=True
        Whether module, loss or hook may draw from torch's global generators, as dropout does. These are then
        seeded for the time of the training and put back after it, and other such trainings in this process
        wait. With False all must draw with ``batch.generator``, and trainings can run side by side.

    Returns
    -------
    TrainResult
        The module, the history, the number of epochs and the device.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not as described, or if training diverges: a loss or weight that is not finite.
    KeyboardInterrupt
        On Ctrl-C, unless early stopping has a best epoch: then its weights are kept, with a warning.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from skrationale.training import Settings, seeded, train
    >>> X = np.linspace(-1, 1, 100)[:, None]
    >>> with seeded(0):
    ...     module = torch.nn.Linear(1, 1)
    >>> def loss(module, batch):
    ...     return torch.nn.functional.mse_loss(module(batch["X"]), batch["y"]), {}
    >>> settings = Settings(max_epochs=50, batch_size=20, lr=0.1, device="cpu")
    >>> result = train(module, loss, {"X": X, "y": 3 * X}, settings)
    >>> result.n_iter, round(module.weight.item(), 3)
    (50, 3.0)
    """
    _check_parameters(
        module,
        settings,
        validation=validation,
        validation_batch_size=validation_batch_size,
        schedule=schedule,
        clip_norm=clip_norm,
        optimizer=optimizer,
        tol=tol,
        min_epochs=min_epochs,
        random_state=random_state,
    )
    users = check_callbacks(settings.callbacks)
    place = resolve_device(settings.device)
    dtype = float_dtype(module)
    rows = to_batch("data", data, place, dtype)
    valid = None if validation is None else to_batch("validation", validation, place, dtype)
    shuffle_seed, noise_seed = np.random.SeedSequence(random_state).generate_state(2).tolist()
    stopper = BestWeights(int(settings.n_iter_no_change or settings.max_epochs), tol, min_epochs)
    bar = ProgressBar(settings.verbose)
    verbose = 0 if settings.verbose == "auto" else int(settings.verbose)
    net = LeanNet(
        module,
        Criterion(loss),
        optimizer=partial(build_optimizer, optimizer),
        optimizer__weight_decay=settings.weight_decay,
        lr=settings.lr,
        schedule=schedule,
        clip_norm=clip_norm,
        max_epochs=settings.max_epochs,
        batch_size=settings.batch_size,
        validation_batch_size=validation_batch_size or settings.batch_size,
        epoch_hook=epoch_hook,
        seed=shuffle_seed,
        noise_generator=generator_of(noise_seed, place),
        device=str(place),
        verbose=verbose,
        callbacks=[
            EpochTimer(),
            *[stopper] * settings.early_stopping,
            bar,
            *users,
            *[PrintLog(floatfmt=".4g")] * (verbose > 1),
        ],
    )
    draws = seeded(noise_seed, place) if global_draws else nullcontext()
    threads = _thread_limit(module, min(settings.batch_size, rows.n_rows), place)
    with draws, threads, denormals_as_zero(), closing(bar):
        _fit(net, rows, valid, stopper)
    return _result(net, place)
