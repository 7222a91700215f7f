"""Have rows labelled by a teacher: training rows, and synthetic rows near them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._bins import TeacherBins
from ._labels import Labels
from ._synthetic import n_copies, swap_cells
from ._training import Targets

MOST_BYTES = 2**29
"""Memory for the contributions of synthetic rows, in float32; with more of them none are explained. Not
measured."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Training rows with what is known of them before a student is trained.

    Parameters
    ----------
    matrix : ndarray of shape (n, d)
        Numbers and codes.
    scores : ndarray of shape (n, K)
        Raw scores of the teacher.
    y : ndarray of shape (n,)
        Encoded target.
    weight : ndarray of shape (n,)
        Weights of mean 1.
    base : ndarray of shape (K,)
        Base of the teacher.
    scale : float
        Standard deviation of its raw score.
    link : str
        Link of its scores.
    """

    matrix: np.ndarray
    scores: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    base: np.ndarray
    scale: float
    link: str


def targets_of(
    rows: Rows,
    bins: TeacherBins,
    labels: Labels,
    parameters: Any,
    rng: np.random.RandomState,
    *,
    batches: int = 1,
    copies: int | None = None,
    donors: np.ndarray | None = None,
) -> Targets:
    """Label training rows and synthetic rows by the teacher, in units of the scale above the base.

    Parameters
    ----------
    rows : Rows
        Training rows.
    bins : TeacherBins
        Bins of the columns.
    labels : Labels
        The teacher's.
    parameters : GBDT2NNStudent
        Read for its parameters.
    rng : RandomState
        Draws synthetic rows, and the rows that are explained.
    batches : int, default=1
        Of how many batches of training rows these are one: all share the rows that are explained.
    copies : int, optional
        Synthetic rows for each of these rows; None: as the parameters say.
    donors : ndarray of shape (m, d), optional
        Rows that give cells to synthetic rows; None: the training rows, by their weight.

    Returns
    -------
    Targets
    """
    matrix, base, scale = rows.matrix, rows.base, rows.scale
    n, n_scores = rows.scores.shape
    copies = n_copies(parameters.n_synthetic, n) if copies is None else copies
    limit = parameters.max_explanation_rows
    limit = labels.n_rows(n * batches) if limit == "auto" else limit
    limit = None if limit is None else max(1, limit // batches)
    explained = np.zeros(n, dtype=bool)
    encoded = np.empty((n, 1 + copies, len(bins.columns)), dtype=np.int32)
    scores = np.empty((n, 1 + copies, n_scores), dtype=np.float32)
    encoded[:, 0], scores[:, 0] = bins.encode(matrix), (rows.scores - base) / scale
    reasons = None
    if parameters.explanation is not None and parameters.explanation_lambda > 0:
        explained[rng.permutation(n)[:limit]] = True
        n_bytes = copies * n * n_scores * len(bins.columns) * scores.itemsize
        all_explained = copies > 0 and (limit is None or limit >= n * (1 + copies)) and n_bytes <= MOST_BYTES
        labels.expect(int(explained.sum()) * (1 + copies if all_explained else 1))
        shape = (n, 1 + copies if all_explained else 1, n_scores, len(bins.columns))
        reasons = np.zeros(shape, dtype=np.float32)
        reasons[explained, 0] = labels.contributions(matrix[explained])[..., bins.columns] / scale
    donor_weight = None if (rows.weight == 1).all() else rows.weight
    for k in range(1, 1 + copies):
        swapped = swap_cells(matrix, parameters.swap_probability, rng, donor_weight, donors)
        encoded[:, k] = bins.encode(swapped)
        if reasons is not None and reasons.shape[1] > 1:
            raw, values = labels.both(swapped)
            reasons[:, k] = values[..., bins.columns] / scale
        else:
            raw = labels.scores(swapped)
        scores[:, k] = (raw - base) / scale
    return Targets(
        encoded=encoded,
        scores=scores,
        reasons=reasons,
        explained=explained,
        y=(rows.y - base[0]) / scale if rows.link == "identity" else rows.y,
        weight=rows.weight,
        base=base,
        scale=scale,
        link=rows.link,
    )
