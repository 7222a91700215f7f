"""What the public parameters of an estimator say of its training: the same words in all families."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from ._device import resolve_device

TRAINING_CONSTRAINTS: dict[str, Any] = {
    "hidden_layer_sizes": ["array-like"],
    "max_epochs": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "lr": [Interval(Real, 0, None, closed="neither")],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), None],
    "device": [str],
    "random_state": ["random_state"],
    "verbose": ["verbose", StrOptions({"auto"})],
    "callbacks": [list, None],
}
"""Parameters of training that all families have; see `or_auto`."""


def or_auto(*names: str) -> dict[str, Any]:
    """Give constraints of shared parameters for which a family has a rule that ``"auto"`` stands for.

    Parameters
    ----------
    *names : str
        Keys of `TRAINING_CONSTRAINTS`.

    Returns
    -------
    dict of str to list
        To be added to `TRAINING_CONSTRAINTS`.

    Examples
    --------
    >>> list(or_auto("weight_decay"))
    ['weight_decay']
    """
    return {name: [*TRAINING_CONSTRAINTS[name], StrOptions({"auto"})] for name in names}


def check_training_parameters(estimator: Any) -> None:
    """Refuse what `TRAINING_CONSTRAINTS` cannot express: sizes of layers, a missing device, wrong callbacks.

    Parameters
    ----------
    estimator : estimator
        With `hidden_layer_sizes`, `device` and `callbacks`.

    Raises
    ------
    ValueError, TypeError
        When one of them is not as described.
    """
    from ._callbacks import check_callbacks

    check_hidden_layer_sizes(estimator.hidden_layer_sizes, type(estimator).__name__)
    resolve_device(estimator.device)
    check_callbacks(estimator.callbacks)


def check_hidden_layer_sizes(sizes: Sequence[int] | str, name: str) -> None:
    """Refuse widths of layers that are no positive integers.

    Parameters
    ----------
    sizes : sequence of int or "auto"
        Widths.
    name : str
        Of the estimator, for the message.

    Raises
    ------
    ValueError
        When they are none, or one of them is no positive integer.
    """
    if isinstance(sizes, str):  # "auto": other words are refused by the constraints
        return
    if not len(sizes) or any(not isinstance(size, Integral) or size < 1 for size in sizes):
        raise ValueError(
            f"The 'hidden_layer_sizes' parameter of {name} must be a non-empty sequence of positive "
            f"integers. Got {sizes!r} instead."
        )


def epochs_for(
    max_epochs: int | str, n_rows: int, batch_size: int, *, steps: int, limits: tuple[int, int]
) -> int:
    """Give the number of epochs: as asked, or as many as make a number of steps.

    Parameters
    ----------
    max_epochs : int or "auto"
        The parameter.
    n_rows : int
        Rows that are trained on.
    batch_size : int
        Rows of a step.
    steps : int
        Steps that ``"auto"`` stands for.
    limits : (int, int)
        Fewest and most epochs of ``"auto"``.

    Returns
    -------
    int

    Examples
    --------
    >>> epochs_for("auto", 1000, 50, steps=2000, limits=(20, 200))
    100
    >>> epochs_for(7, 1000, 50, steps=2000, limits=(20, 200))
    7
    """
    if max_epochs != "auto":
        return int(max_epochs)
    return int(np.clip(math.ceil(steps / math.ceil(n_rows / batch_size)), *limits))


@dataclass(frozen=True)
class Settings:
    """How a module is trained, in the words of the estimators' public parameters.

    Parameters
    ----------
    max_epochs : int or "auto"
        Passes over the rows. ``"auto"`` is to be replaced, by `epochs_for`, before training.
    batch_size : int or "auto"
        Rows of a step; the last step of an epoch may have fewer. As many as there are rows, or more: there
        is no shuffle. ``"auto"`` is to be replaced before training.
    lr : float or "auto"
        Learning rate, its peak where there is a schedule. ``"auto"`` is to be replaced before training.
    weight_decay : float or "auto", default=0.0
        Decoupled for AdamW, an L2 penalty for Adam. ``"auto"`` is to be replaced before training.
    early_stopping : bool, default=False
        Stop when the loss of validation rows no longer falls, and restore the weights of the best epoch.
    validation_fraction : float, default=0.1
        Share of rows that a family holds out; `train` is given them.
    n_iter_no_change : int, "auto" or None, default=None
        Epochs in a row without improvement after which training stops; None: it goes to its end. ``"auto"``
        is to be replaced before training.
    device : str or torch.device, default="auto"
        See `resolve_device`.
    verbose : int or "auto", default="auto"
        0: silent, 1: a bar over epochs (not in a job), 2: a table of losses. ``"auto"``: see `progress_bar`.
    callbacks : list of skorch callbacks or of (name, callback), default=None
        Called as in skorch. Those that need predictions of the net, as ``EpochScoring``, cannot be used.

    Examples
    --------
    >>> from skrationale import SmoothMLPRegressor
    >>> settings = Settings.of(SmoothMLPRegressor(lr=0.01))
    >>> settings.lr, settings.max_epochs
    (0.01, 'auto')
    >>> settings.replace(max_epochs=30).max_epochs
    30
    """

    max_epochs: int | str
    batch_size: int
    lr: float
    weight_decay: float | str = 0.0
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int | str | None = None
    device: Any = "auto"
    verbose: int | str = "auto"
    callbacks: list[Any] | None = None

    @classmethod
    def of(cls, estimator: Any) -> Self:
        """Read the parameters of an estimator."""
        return cls(**{field.name: getattr(estimator, field.name) for field in fields(cls)})

    def replace(self, **changes: Any) -> Self:
        """Give the same settings but for some."""
        return dataclasses.replace(self, **changes)
