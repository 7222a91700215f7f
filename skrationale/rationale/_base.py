"""What rationale models for classes and for numbers share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, RealNotInt, StrOptions

from .._random import own_random_state
from .._task import Task
from ..tabular import TableEncoder
from ..training import TRAINING_CONSTRAINTS, check_training_parameters, or_auto
from ..units import FILLS
from ._fitting import Fitting, TeacherTargets
from ._selecting import SelectsColumns
from ._selection_warnings import warn

PARAMETERS: dict[str, Any] = {
    **TRAINING_CONSTRAINTS,
    **or_auto("weight_decay"),
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


def fit_rationale(
    estimator: Any,
    matrix: np.ndarray,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
    teacher_targets: TeacherTargets | None = None,
) -> None:
    """Fit an estimator that has read its rows (n, d), encoded its target (n,) and set its task."""
    wanted, d = estimator.max_features, matrix.shape[1]
    if isinstance(wanted, Integral) and wanted >= d > 1:
        warn(f"max_features={wanted} of {d} columns: every row uses all that vary.")
    fitting = Fitting(
        estimator,
        TableEncoder().fit_matrix(estimator._reader, matrix, sample_weight),
        matrix,
        y,
        np.ones(len(matrix)) if sample_weight is None else sample_weight,
        estimator._task,
        int(own_random_state(estimator.random_state).randint(2**31 - 100)),
        teacher_targets,
    )
    model = fitting.run()
    estimator._keep(fitting, model)
    if model.columns.size and estimator.empty_rate_ == 1.0:
        warn("No column is selected in any row: lower `sparsity_lambda`, or give `max_features`.")


class BaseRationale(SelectsColumns):
    """What classification and regression share; see :class:`RationaleClassifier`."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **PARAMETERS,
        "preset": [StrOptions({"paper"}), None],
    }

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] = (64, 64),
        *,
        max_features: float | None = None,
        sparsity_lambda: float | str = "auto",
        relaxation: str = "soft",
        fill: str = "marginal",
        temperature: tuple[float, float] = (5.0, 0.1),
        screening: bool = True,
        preset: str | None = None,
        max_epochs: int | str = "auto",
        batch_size: int = 256,
        lr: float = 1e-3,
        weight_decay: float | str = "auto",
        early_stopping: bool = True,
        validation_fraction: float = 0.15,
        n_iter_no_change: int | None = None,
        device: str = "auto",
        random_state: Any = None,
        verbose: int = 0,
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
        fit_rationale(self, matrix, self._task.encode(y), sample_weight)

    @abstractmethod
    def _make_task(self, y: np.ndarray) -> Task:
        """Say what is predicted, or refuse the target."""
