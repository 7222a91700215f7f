"""Batches of rows that a teacher labels, and on which a student is trained one after the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from .._random import own_random_state
from ..training import Batch, Settings, TrainResult, train
from ._labelling import Rows, targets_of
from ._plan import Plan
from ._stream import Pool
from ._synthetic import n_copies
from ._training import MAX_GRADIENT_NORM, Targets, module_of, n_shown, student_loss


class Lessons(ABC):
    """Batches of rows for a student that has met its teacher.

    Parameters
    ----------
    student : GBDT2NNStudent
        Read for its parameters.
    n_batches : int
        How many batches there are.
    size : int
        Rows of a batch.
    pool_bytes : int, optional
        Most memory for explained rows that are kept from earlier batches; None: their number is the limit.
    **labels : dict
        Options of :class:`Labels`.
    """

    plan: Plan
    donors: np.ndarray | None = None
    """Rows (m, d) that give cells to synthetic rows; None: those of the same batch."""

    def __init__(
        self, student: Any, n_batches: int, size: int, pool_bytes: int | None = None, **labels: Any
    ) -> None:
        self._of_labels = labels
        self.student, self.n_batches, self.size = student, n_batches, size
        self.rng = own_random_state(student.random_state)
        self.seed = self.rng.randint(2**31 - 1)
        self.pool = Pool(np.random.RandomState(self.seed), pool_bytes)
        self.n_taken = 0

    @abstractmethod
    def next(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Give the numbers and codes (B, d) of the next rows, and their target (B,) where there is one."""

    @abstractmethod
    def heard(self, matrix: np.ndarray, scores: np.ndarray) -> None:
        """Hear the scores (B, K) of rows (B, d) of a batch."""

    def encoded(self, y: np.ndarray | None) -> np.ndarray:
        """Give the target (B,) as it is learnt."""
        if y is None:
            raise ValueError(
                f"label_lambda={self.student.label_lambda} needs labels: expected pairs of a table and its "
                "target in `batches`, or target=... naming a column."
            )
        return self.student._task.encode(y)

    def trained(
        self, matrix: np.ndarray, y: np.ndarray | None, scores: np.ndarray | None = None
    ) -> TrainResult:
        """Train on a first batch, with its scores (B, K) where they are known, and on those after it."""
        student, plan = self.student, self.plan
        n = self.n_batches * self.size
        self.copies = min(n_shown(n), n_copies(student.n_synthetic, n))
        self.labels = plan.labels(student._adapter, student._reader.levels, **self._of_labels)
        targets = self._labelled(matrix, y, scores)
        held_out = None
        if student.early_stopping:
            held_out = targets.tensors(slice(None), ())
            targets = self._labelled(*self.next())
        settings = Settings.of(student)
        settings = settings.replace(
            max_epochs=self.n_batches,
            batch_size=max(1, settings.batch_size // (1 + self.copies)),
            early_stopping=held_out is not None,
        )
        return train(
            module_of(plan.bins, len(plan.base), plan.scheme, student, plan.seed, plan.signs),
            student_loss(targets, student.explanation_lambda, student.label_lambda),
            self._arrays(targets),
            settings,
            validation=held_out,
            clip_norm=MAX_GRADIENT_NORM,
            epoch_hook=self._replaced,
            random_state=plan.seed,
            global_draws=False,
        )

    def _replaced(self, epoch: int, _: Batch) -> dict[str, np.ndarray] | None:
        """Give the next batch for each epoch but the first."""
        return None if epoch == 1 else self._arrays(self._labelled(*self.next()))

    def _labelled(
        self, matrix: np.ndarray, y: np.ndarray | None, scores: np.ndarray | None = None
    ) -> Targets:
        student, plan = self.student, self.plan
        if scores is None:
            teacher = student._adapter
            scores = teacher.scores(teacher.form.of_matrix(matrix))
        target = self.encoded(y) if student.label_lambda else np.zeros(len(matrix))
        self.heard(matrix, scores)
        rows = Rows(matrix, scores, target, np.ones(len(matrix)), plan.base, plan.scale, student._task.link)
        options: dict[str, Any] = {"batches": self.n_batches, "copies": self.copies, "donors": self.donors}
        return targets_of(rows, plan.bins, self.labels, student, self.rng, **options)

    def _arrays(self, targets: Targets) -> dict[str, np.ndarray]:
        """Give what one epoch trains on."""
        arrays = targets.tensors(slice(None))
        some = targets.reasons is not None and not targets.explained.all()
        return self.pool.mixed(arrays) if some else arrays
