"""The model card of an estimator."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


class HasModelCard:
    """A fitted estimator that writes a page about itself."""

    def model_card(
        self,
        path: str | os.PathLike[str],
        X: Any,
        y: Any,
        *,
        file: str | os.PathLike[str] | None = None,
        n_rows: int = 1000,
        random_state: Any = 0,
    ) -> Path:
        """Write a page of Markdown: task, fidelity, kind of reasons, columns, costs, limits and versions.

        Parameters
        ----------
        path : str or path-like
            File to write, in a folder that exists. An existing file is replaced.
        X : DataFrame or array-like of shape (m, d)
            Rows, preferably ones that were not in ``fit``.
        y : array-like of shape (m,)
            Their labels or numbers.
        file : str or path-like, default=None
            File that holds the model; the page names its SHA-256. None: the SHA-256 of the model's pickle.
        n_rows : int, default=1000
            Largest number of rows used; from more rows this number is drawn at random.
        random_state : int, RandomState or None, default=0
            Seed of all draws.

        Returns
        -------
        Path
            The file, with links resolved.

        Raises
        ------
        ValueError, TypeError, NotFittedError, OSError
            As :func:`skrationale.report.make_model_card` does.

        See Also
        --------
        skrationale.report.make_model_card : The same for pipelines and models of other packages.
        """
        from .report import make_model_card

        return make_model_card(self, X, y, path, file=file, n_rows=n_rows, random_state=random_state)
