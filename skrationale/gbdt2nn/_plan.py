"""What is settled about a student before it is trained, and what is kept of it when it has been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..teachers import PermutationWalks, ScoreTeacher
from ..teachers.lightgbm import LightGBMTeacher
from ..training import TrainResult
from ._bins import TeacherBins
from ._inference import CompiledNetwork, CompiledStudent
from ._labels import Labels, base_of, bins_for
from ._monotone import CompiledMonotone
from ._training import score_scale

ROWS_OF_IMPORTANCES = 20_000
"""Training rows whose contributions give `feature_importances_`. Not measured."""


@dataclass(frozen=True, eq=False)
class Plan:
    """How a student of a fitted teacher looks.

    Parameters
    ----------
    bins : TeacherBins
        Bins of the columns.
    scheme : {"additive", "joint", "independent", "score"}
        Outputs of its networks.
    imitated : {"tree_shap", "path", "permutation"} or None
        Which contributions of the teacher it learns.
    walks : PermutationWalks or None
        Where these are learnt by permutation.
    base : ndarray of shape (K,)
        Base of the teacher.
    scale : float
        Standard deviation of its raw score; 0: nothing is to be learnt.
    scores : ndarray of shape (n, K)
        Its raw scores of the rows that the plan was made with.
    signs : ndarray of shape (d,) or None
        Columns in which the score must rise (1) or fall (-1).
    seed : int
        Of weights, shuffles and labels.
    """

    bins: TeacherBins
    scheme: str
    imitated: str | None
    walks: PermutationWalks | None
    base: np.ndarray
    scale: float
    scores: np.ndarray
    signs: np.ndarray | None
    seed: int

    @classmethod
    def of(
        cls,
        student: Any,
        teacher: LightGBMTeacher | ScoreTeacher,
        levels: Any,
        matrix: np.ndarray,
        sample_weight: np.ndarray | None,
        seed: int,
    ) -> Plan:
        """Make the plan of a student with parameters, from rows (n, d) and their weights (n,)."""
        bins = bins_for(teacher, matrix, sample_weight, levels, int(student.max_thresholds))
        scores = teacher.scores(teacher.form.of_matrix(matrix))
        imitated = student.explanation if student.explanation_lambda > 0 else None
        walks = PermutationWalks(teacher, matrix, sample_weight, seed) if imitated == "permutation" else None
        weight = np.ones(matrix.shape[0]) if sample_weight is None else sample_weight
        base = base_of(teacher, walks, matrix, scores, weight)
        scheme = student.imitation if student.explanation is not None else "score"
        signs = student._signs()
        return cls(
            bins, scheme, imitated, walks, base, score_scale(scores, base, weight), scores, signs, seed
        )

    @property
    def has_to_learn(self) -> bool:
        """Whether the teacher says different things of different rows."""
        return bool(self.bins.all) and self.scale > 0

    def labels(self, teacher: LightGBMTeacher | ScoreTeacher, levels: Any, **options: Any) -> Labels:
        """Have the teacher ready to label rows."""
        rng = np.random.RandomState(self.seed)
        return Labels(teacher, self.imitated, levels, walks=self.walks, rng=rng, **options)

    def compiled(self, result: TrainResult | None) -> CompiledStudent:
        """Give what is kept of a student: networks as arrays, or the base alone without any."""
        networks: list[CompiledNetwork] = []
        monotone = None
        if result is not None:
            trained: Any = result.module
            if self.signs is not None:
                monotone = CompiledMonotone.from_module(trained.score)
            networks = [CompiledNetwork.from_module(network) for network in trained.networks]
        n_background = None if self.walks is None else len(self.walks.background)
        return CompiledStudent(
            self.bins, networks, self.scheme, self.base, self.scale, self.imitated, monotone, n_background
        )
