"""A student learns from the rows that its teacher was fitted to."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._random import own_random_state
from ..teachers.lightgbm import LightGBMTeacher
from ._labelling import Rows, targets_of
from ._lightgbm_limits import warn_of_a_constant
from ._parts import Parts, is_large
from ._plan import ROWS_OF_IMPORTANCES, Plan
from ._training import train_student


def learn(student: Any, matrix: Any, y: np.ndarray, sample_weight: np.ndarray | None) -> None:
    """Train a student that has met its teacher.

    Parameters
    ----------
    student : GBDT2NNStudent
        Gets what is fitted.
    matrix : ndarray or sparse matrix of shape (n, d)
        Rows.
    y : ndarray of shape (n,)
        Encoded target.
    sample_weight : ndarray of shape (n,) or None
        Weights of mean 1.
    """
    if is_large(matrix):
        Parts(student, matrix, y, sample_weight).run()
        return
    rng = own_random_state(student.random_state)
    seed = rng.randint(2**31 - 1)
    teacher, levels = student._adapter, student._reader.levels
    plan = Plan.of(student, teacher, levels, matrix, sample_weight, seed)
    if isinstance(teacher, LightGBMTeacher):
        warn_of_a_constant(plan.scores, y)
    weight = np.ones(len(matrix)) if sample_weight is None else sample_weight
    result = None
    if plan.has_to_learn:
        rows = Rows(matrix, plan.scores, y, weight, plan.base, plan.scale, student._task.link)
        targets = targets_of(rows, plan.bins, plan.labels(teacher, levels), student, rng)
        result = train_student(plan.bins, targets, plan.scheme, student, seed, plan.signs)
    student._keep(plan, result)
    if plan.imitated:
        shown = rng.permutation(len(matrix))[:ROWS_OF_IMPORTANCES]
        student._weigh_columns(matrix[shown], weight[shown])
