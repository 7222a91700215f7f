"""The one way to train a module."""

import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_scalar
from skorch.callbacks import EpochTimer, PrintLog

from .._callers import outside
from ._callbacks import BestWeights, ProgressBar, check_callbacks, in_worker
from ._data import Batch, float_dtype, to_batch
from ._device import resolve_device
from ._net import Criterion, EpochHook, LeanNet, Loss, diverged
from ._random import generator_of, seeded
from ._threads import limit_threads

OPTIMIZERS = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
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


def _check_parameters(module: Any, **values: Any) -> None:
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"`module` must be a torch.nn.Module, got {type(module).__name__}.")
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise ValueError("`module` must have a parameter that requires a gradient, got none.")
    for name, options in {"optimizer": OPTIMIZERS, "schedule": SCHEDULES}.items():
        if values[name] not in options:
            raise ValueError(f"`{name}` must be one of {list(options)}, got {values[name]!r}.")
    for name, lowest in {"max_epochs": 1, "batch_size": 1, "n_iter_no_change": 1, "random_state": 0}.items():
        check_scalar(values[name], name, Integral, min_val=lowest)
    for name in ("lr", "weight_decay", "tol"):
        check_scalar(values[name], name, Real, min_val=0)
    check_scalar(values["min_epochs"], "min_epochs", Integral, min_val=0, max_val=values["max_epochs"])
    if values["clip_norm"] is not None:
        check_scalar(values["clip_norm"], "clip_norm", Real, min_val=0, include_boundaries="neither")
    if values["early_stopping"] and values["validation"] is None:
        raise ValueError("`early_stopping` needs `validation`, a dict of arrays, got None.")


def _fused(optimizer: Callable[..., torch.optim.Optimizer]) -> Callable[..., torch.optim.Optimizer]:
    """Return a factory that takes the fused form of an optimizer where the device has one."""

    def build(*args: Any, **kwargs: Any) -> torch.optim.Optimizer:
        try:
            return optimizer(*args, fused=True, **kwargs)
        except RuntimeError:
            return optimizer(*args, **kwargs)

    return build


def _limits(module: torch.nn.Module, n_rows: int, device: torch.device) -> AbstractContextManager[None]:
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
    *,
    validation: Mapping[str, np.ndarray | torch.Tensor] | None = None,
    max_epochs: int,
    batch_size: int,
    lr: float,
    weight_decay: float = 0.0,
    schedule: str | None = "one_cycle",
    clip_norm: float | None = None,
    optimizer: str = "adamw",
    early_stopping: bool = False,
    n_iter_no_change: int = 10,
    tol: float = 1e-4,
    min_epochs: int = 0,
    epoch_hook: EpochHook | None = None,
    device: str | torch.device = "auto",
    random_state: int = 0,
    global_draws: bool = True,
    verbose: int = 0,
    callbacks: list[Any] | None = None,
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
        record, and may be empty. Validation runs in evaluation mode and without gradients: a loss that
        needs some there uses ``torch.enable_grad()``.
    data : dict of str to array of shape (n, ...)
        Moved to the device once. With ``batch_size >= n`` there is no shuffle.
    validation : dict of str to array of shape (m, ...), default=None
        Rows whose loss is recorded after each epoch.
    max_epochs : int
        Number of epochs.
    batch_size : int
        Rows of a step; the last step of an epoch may have fewer.
    lr : float
        Learning rate, with "one_cycle" its peak.
    weight_decay : float, default=0.0
        Decoupled for "adamw", an L2 penalty for "adam".
    schedule : {"one_cycle"} or None, default="one_cycle"
        How the learning rate changes from step to step. With fewer than four steps it does not. None
        leaves it to a scheduler among the `callbacks`.
    clip_norm : float, default=None
        Largest norm of the gradient.
    optimizer : {"adamw", "adam"}, default="adamw"
        Fused where the device supports it.
    early_stopping : bool, default=False
        Stop when ``valid_loss`` no longer falls, and restore the weights of the best epoch.
    n_iter_no_change : int, default=10
        Epochs in a row in which the loss has not fallen by `tol`, after which training stops.
    tol : float, default=1e-4
        Absolute.
    min_epochs : int, default=0
        The first epoch that may be the best. Ramps over the first p of training end with epoch
        ``ceil(p * max_epochs)``.
    epoch_hook : callable, default=None
        ``epoch_hook(epoch, data) -> dict or None``, called before each epoch (from 1) with the
        resident `Batch` of all rows, whose ``progress`` is ``(epoch - 1) / max_epochs``. It may
        replace tensors there, or return replacements as arrays or tensors; it must not write
        into tensors, for these may share memory with the arrays passed.
    device : str or torch.device, default="auto"
        See `resolve_device`.
    random_state : int, default=0
        Seed of the shuffles and of what the loss and the module draw. Not negative.
    global_draws : bool, default=True
        Whether module, loss or hook may draw from torch's global generators, as dropout does. These are then
        seeded for the time of the training and put back after it, and other such trainings in this process
        wait. With False all must draw with ``batch.generator``, and trainings can run side by side.
    verbose : int, default=0
        0 is silent, 1 shows a bar over epochs (not in one of several jobs), 2 prints a table.
    callbacks : list of skorch callbacks or of (name, callback), default=None
        Called as in skorch. Those that need predictions of the net, as ``EpochScoring``, cannot
        be used.

    Returns
    -------
    TrainResult
        The module, the history, the number of epochs and the device.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not as described, or if training diverges: a loss or weight that is not finite.
    KeyboardInterrupt
        On Ctrl-C, unless `early_stopping` has a best epoch: then its weights are kept, with a warning.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from skrationale.training import seeded, train
    >>> X = np.linspace(-1, 1, 100)[:, None]
    >>> with seeded(0):
    ...     module = torch.nn.Linear(1, 1)
    >>> def loss(module, batch):
    ...     return torch.nn.functional.mse_loss(module(batch["X"]), batch["y"]), {}
    >>> result = train(module, loss, {"X": X, "y": 3 * X}, max_epochs=50, batch_size=20, lr=0.1, device="cpu")
    >>> result.n_iter, round(module.weight.item(), 3)
    (50, 3.0)
    """
    _check_parameters(
        module,
        validation=validation,
        max_epochs=max_epochs,
        batch_size=batch_size,
        lr=lr,
        weight_decay=weight_decay,
        schedule=schedule,
        clip_norm=clip_norm,
        optimizer=optimizer,
        early_stopping=early_stopping,
        n_iter_no_change=n_iter_no_change,
        tol=tol,
        min_epochs=min_epochs,
        random_state=random_state,
    )
    users = check_callbacks(callbacks)
    place = resolve_device(device)
    dtype = float_dtype(module)
    rows = to_batch("data", data, place, dtype)
    valid = None if validation is None else to_batch("validation", validation, place, dtype)
    shuffle_seed, noise_seed = np.random.SeedSequence(random_state).generate_state(2).tolist()
    stopper = BestWeights(n_iter_no_change, tol, min_epochs)
    bar = ProgressBar(disable=verbose != 1 or in_worker())
    net = LeanNet(
        module,
        Criterion(loss),
        optimizer=_fused(OPTIMIZERS[optimizer]),
        optimizer__weight_decay=weight_decay,
        lr=lr,
        schedule=schedule,
        clip_norm=clip_norm,
        max_epochs=max_epochs,
        batch_size=batch_size,
        epoch_hook=epoch_hook,
        seed=shuffle_seed,
        noise=generator_of(noise_seed, place),
        device=str(place),
        verbose=verbose,
        callbacks=[
            EpochTimer(),
            *[stopper] * early_stopping,
            bar,
            *users,
            *[PrintLog(floatfmt=".4g")] * (verbose > 1),
        ],
    )
    draws = seeded(noise_seed, place) if global_draws else nullcontext()
    with draws, _limits(module, min(batch_size, rows.n_rows), place), closing(bar):
        _fit(net, rows, valid, stopper)
    return _result(net, place)
