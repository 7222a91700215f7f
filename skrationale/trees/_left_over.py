"""Trees that have no tables and are not worth their quadrature: LightGBM itself explains them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from ..teachers.lightgbm import LightGBMTeacher
from .reading import forest_of


class LeftOver:
    """Some of a model's iterations, as a model of their own.

    Parameters
    ----------
    teacher : LightGBMTeacher
        The model with K outputs and d columns. Its trees are copied, and later changes of it are not seen.
    iterations : collection of int
        Which ones; each has K trees.
    """

    def __init__(self, teacher: LightGBMTeacher, iterations: Collection[int]) -> None:
        k = teacher.n_outputs
        self._own = forest_of(
            teacher.some_trees(i * k + output for i in sorted(iterations) for output in range(k))
        )
        # a random forest averages over all its trees
        self._scale = teacher.scale / self._own.scale
        self._order = teacher.order
        self._threads = teacher.threads

    def contributions(self, codes: np.ndarray, n_jobs: int | None = None) -> np.ndarray:
        """Give contributions (n, K, d) of rows.

        Parameters
        ----------
        codes : ndarray of shape (n, d)
            Numbers, and the model's codes of categories, by the user's columns.
        n_jobs : int, default=None
            Threads; None: as the model says.

        Returns
        -------
        ndarray of shape (n, K, d), float64
        """
        threads = self._threads if n_jobs is None else n_jobs
        if self._order is None:
            return self._own.shap_contributions(codes, n_jobs=threads)[0] * self._scale
        found = self._own.shap_contributions(codes[:, self._order], n_jobs=threads)[0]
        return found[..., np.argsort(self._order)] * self._scale
