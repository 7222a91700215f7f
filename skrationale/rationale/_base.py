"""What rationale models for classes and for numbers share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, RealNotInt, StrOptions

from .._task import Task
from ..training import TRAINING_CONSTRAINTS, check_training_parameters, or_auto
from ..units import FILLS
from ._selecting import SelectsColumns

PARAMETERS: dict[str, Any] = {
    **TRAINING_CONSTRAINTS,
    **or_auto("weight_decay", "hidden_layer_sizes"),
    "max_features": [
        Interval(Integral, 1, None, closed="left"),
        Interval(RealNotInt, 0, 1, closed="right"),
        None,
    ],
    "sparsity_lambda": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
    "relaxation": [StrOptions({"soft", "gumbel"})],
    "fill": [StrOptions(set(FILLS))],
    "temperature": ["array-like"],
    "screening": ["boolean"],
    "grid": [Interval(Integral, 1, None, closed="left"), "array-like", None],
    "backbone": [callable, None],
    "selector": [callable, None],
    "selection": [StrOptions({"auto", "learned", "mask_gradients", "occlusion", "gates"})],
}
"""Constraints of the parameters that a student has too."""


def check_shared(estimator: Any) -> None:
    """Refuse what `PARAMETERS` cannot express."""
    check_training_parameters(estimator)
    name, taus = type(estimator).__name__, estimator.temperature
    if len(taus) != 2 or not all(isinstance(tau, Real) for tau in taus) or not taus[0] > taus[1] > 0:
        raise ValueError(
            f"The 'temperature' parameter of {name} must be two positive numbers, the second one smaller. "
            f"Got {taus!r} instead."
        )
    estimator._form.check_parameters(estimator)


class BaseRationale(SelectsColumns):
    """What classification and regression share; see :class:`RationaleClassifier`."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **PARAMETERS,
        "preset": [StrOptions({"paper"}), None],
    }

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] | str = "auto",
        *,
        max_features: float | None = None,
        sparsity_lambda: float | str = "auto",
        relaxation: str = "soft",
        fill: str = "marginal",
        temperature: tuple[float, float] = (5.0, 0.1),
        screening: bool = True,
        preset: str | None = None,
        grid: int | tuple[int, int] | None = None,
        backbone: Any = None,
        selector: Any = None,
        selection: str = "auto",
        max_epochs: int | str = "auto",
        batch_size: int = 256,
        lr: float = 1e-3,
        weight_decay: float | str = "auto",
        early_stopping: bool = True,
        validation_fraction: float = 0.15,
        n_iter_no_change: int | None = None,
        device: str = "auto",
        random_state: Any = None,
        verbose: int | str = "auto",
        callbacks: list[Any] | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_features = max_features
        self.sparsity_lambda = sparsity_lambda
        self.relaxation = relaxation
        self.fill = fill
        self.temperature = temperature
        self.screening = screening
        self.preset = preset
        self.grid = grid
        self.backbone = backbone
        self.selector = selector
        self.selection = selection
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks

    def _check_parameters(self) -> None:
        check_shared(self)

    def _fit_rows(self, X: Any, matrix: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None) -> None:
        self._task = self._make_task(y)
        if self._task.is_classification:
            self.classes_ = self._task.classes
        self._form.fit(self, matrix, self._task.encode(y), sample_weight)

    @abstractmethod
    def _make_task(self, y: np.ndarray) -> Task:
        """Say what is predicted, or refuse the target."""
