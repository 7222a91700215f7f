"""What text models for classes and for numbers share."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, RealNotInt, StrOptions

from ..._random import own_random_state
from ..._task import Task
from ...training import TRAINING_CONSTRAINTS, check_training_parameters
from .._audit_report import RationaleAudit
from .._selection_warnings import warn
from ._backbone import TextBackbone
from ._constants import FEWEST_TO_AUDIT
from ._encoder import Encoder
from ._fitting import TeacherOfTexts, TextFitting
from ._reader import WordReader, check_unit
from ._selecting import SelectsWords

PARAMETERS: dict[str, Any] = {
    **TRAINING_CONSTRAINTS,
    "max_features": [
        Interval(Integral, 1, None, closed="left"),
        Interval(RealNotInt, 0, 1, closed="right"),
    ],
    "unit": [str],
    "contiguity": [Interval(Real, 0, None, closed="left")],
    "fill": [StrOptions({"marginal", "zero"})],
    "max_length": [Interval(Integral, 1, None, closed="left")],
    "min_df": [Interval(Integral, 1, None, closed="left")],
    "n_hashed": [Interval(Integral, 1, None, closed="left")],
    "backbone": [TextBackbone, str, os.PathLike, None],
    "backbone_layers": [Interval(Integral, 0, None, closed="left"), StrOptions({"all"})],
}
"""Constraints of the parameters that a student has too."""


def check_shared(estimator: Any) -> None:
    """Refuse what `PARAMETERS` cannot express."""
    check_training_parameters(estimator)
    check_unit(estimator.unit, type(estimator).__name__)


def fit_texts(
    estimator: Any,
    texts: list[str],
    y: np.ndarray,
    weight: np.ndarray,
    teacher: Any = None,
) -> TextFitting:
    """Fit an estimator that has encoded its target (n,) and set its task.

    `teacher` gives what is learnt from a teacher, of the units of the texts.
    """
    encoder = None
    if estimator.backbone is not None:
        encoder = Encoder.of(estimator.backbone, estimator.backbone_layers)
    reader, units = WordReader.fitted(
        texts, estimator.unit, estimator.max_length, estimator.min_df, estimator.n_hashed
    )
    seed = int(own_random_state(estimator.random_state).randint(2**31 - 1000))
    taught: TeacherOfTexts | None = None if teacher is None else teacher(units)
    fitting = TextFitting(estimator, reader, units, y, weight, estimator._task, seed, taught, encoder)
    estimator._keep(fitting, fitting.run())
    return fitting


class BaseTextRationale(SelectsWords):
    """What classification and regression share; see :class:`TextRationaleClassifier`."""

    _parameter_constraints: ClassVar[dict[str, Any]] = PARAMETERS
    audit_: RationaleAudit | None

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] = (32, 32),
        *,
        max_features: float = 0.1,
        unit: str = "word",
        contiguity: float = 0.0,
        fill: str = "marginal",
        max_length: int = 512,
        min_df: int = 3,
        n_hashed: int = 1000,
        backbone: Any = None,
        backbone_layers: int | str = 2,
        max_epochs: int | str = "auto",
        batch_size: int = 32,
        lr: float = 3e-3,
        weight_decay: float = 0.1,
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
        self.unit = unit
        self.contiguity = contiguity
        self.fill = fill
        self.max_length = max_length
        self.min_df = min_df
        self.n_hashed = n_hashed
        self.backbone = backbone
        self.backbone_layers = backbone_layers
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

    def _fit_texts(self, texts: list[str], y: np.ndarray, weight: np.ndarray) -> None:
        self._task = self._make_task(y)
        if self._task.is_classification:
            self.classes_ = self._task.classes
        fitting = fit_texts(self, texts, self._task.encode(y), weight)
        if self.backbone is not None:
            self.audit_ = self._audit_held_out(texts, y, fitting.valid)

    def _audit_held_out(self, texts: list[str], y: np.ndarray, held_out: np.ndarray) -> RationaleAudit | None:
        """Audit a selector that has read whole texts, and so may know what it should not tell."""
        if len(held_out) < FEWEST_TO_AUDIT or len(np.unique(y[held_out])) < 2 or not self._model.selectors:
            return None
        report = self.audit([texts[i] for i in held_out], y[held_out], n_refits=0, random_state=0)
        if {"leak", "telling"} & set(report.findings):
            warn(f"The rationales of this model are not honest. {report.verdict}")
        return report

    @abstractmethod
    def _make_task(self, y: np.ndarray) -> Task:
        """Say what is predicted, or refuse the target."""
