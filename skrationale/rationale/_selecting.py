"""What all models with a rationale for each row can be asked."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.special import expit
from sklearn.base import is_classifier
from sklearn.utils.metaestimators import available_if

from .._batches import check_batching, in_batches, rows_at_once
from .._scales import to_shares
from ..base import ReadableNetwork
from ..explanation import Explanation
from ..graphs import Graph
from ..tabular import as_frame_or_array
from ._audit import audit
from ._audit_report import RationaleAudit
from ._fitting import Fitting
from ._model import RationaleModel
from ._onnx import write_rationale


class SelectsColumns(ReadableNetwork):
    """An estimator whose predictions are made from a few columns of each row; it holds a `RationaleModel`."""

    _model: RationaleModel
    _kind = "predicts each row from a few of its columns"
    _report_parts: ClassVar[tuple[str, ...]] = ("rationale", "audit")

    def _keep(self, fitting: Fitting, model: RationaleModel) -> None:
        """Take over what a fit has found, and what its training rows look like with it."""
        self._model = model
        mask = model.mask(fitting.matrix)
        weight = fitting.weight
        self.history_, self.n_iter_, self.device_ = fitting.history, len(fitting.history), fitting.device
        self.lambda_path_ = fitting.path
        self.selection_frequencies_ = np.average(mask, axis=0, weights=weight)
        self.mean_n_selected_ = float(self.selection_frequencies_.sum())
        self.empty_rate_ = float(np.average(~mask.any(axis=1), weights=weight))
        self.feature_importances_ = to_shares(self.selection_frequencies_)
        if self._task.classes is not None:
            predicted = self._task.predict(model.scores(fitting.matrix, mask))
            self.class_frequencies_ = np.array(
                [_share(mask, weight * (predicted == label)) for label in self._task.classes]
            )

    # --- answers ---------------------------------------------------------------------------------

    def _scores(self, matrix: np.ndarray) -> np.ndarray:
        return self._model.scores(matrix)

    def _scores_explained(self, explanation: Explanation) -> np.ndarray:
        matrix, mask, model = explanation.data, explanation.mask, self._model
        assert matrix is not None
        assert mask is not None
        size = rows_at_once(len(model.encoder.groups), 1)
        return in_batches(lambda rows: [model.scores(matrix[rows], mask[rows])], len(matrix), size)[0]

    def _hidden_states(self, matrix: np.ndarray) -> list[np.ndarray]:
        return self._model.hidden_states(matrix)

    def _masked(self, X: Any, mask: Any) -> np.ndarray:
        matrix = self._read(X)
        if mask is None:
            return self._model.scores(matrix)
        shown = np.asarray(mask)
        if shown.dtype != bool or shown.shape != matrix.shape:
            raise ValueError(
                f"mask must be a bool array of shape {matrix.shape}, a cell for each of X. Got an array of "
                f"{shown.dtype} of shape {shown.shape} instead."
            )
        return self._model.scores(matrix, shown)

    def predict(self, X: Any, mask: Any = None) -> np.ndarray:
        """Predict labels, or numbers in the units of the target, from the cells of a mask alone.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.
        mask : array-like of bool of shape (n, d), default=None
            Cells that may be used; None: the rationale of each row.

        Returns
        -------
        ndarray of shape (n,)
            Predictions.

        Raises
        ------
        ValueError
            When `mask` is not of booleans, or has another shape than `X`.
        """
        scores = self._masked(X, mask)
        return self._task.predict(scores)

    @available_if(lambda self: is_classifier(self))
    def predict_proba(self, X: Any, mask: Any = None) -> np.ndarray:
        """Predict class probabilities from the cells of a mask alone.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.
        mask : array-like of bool of shape (n, d), default=None
            Cells that may be used; None: the rationale of each row.

        Returns
        -------
        ndarray of shape (n, C)
            Probabilities in the order of `classes_`; rows sum to one.
        """
        scores = self._masked(X, mask)
        return self._task.probabilities(scores)

    @available_if(lambda self: is_classifier(self))
    def decision_function(self, X: Any, mask: Any = None) -> np.ndarray:
        """Give raw scores from the cells of a mask alone.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.
        mask : array-like of bool of shape (n, d), default=None
            Cells that may be used; None: the rationale of each row.

        Returns
        -------
        ndarray of shape (n,) or (n, C)
            Log-odds of the positive class for two classes, one score a class else.
        """
        scores = self._masked(X, mask)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def _write_onnx(self, graph: Graph, matrix: str) -> dict[str, Any]:
        model = self._model
        write_rationale(graph, matrix, model)
        columns = [self._reader.feature_names[j] for j in model.columns]
        return {"kind": "rationale", "explanation": None, "selectable": columns}

    # --- reasons ---------------------------------------------------------------------------------

    def get_rationale(self, X: Any) -> np.ndarray:
        """Say which columns each prediction is made from.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of bool of shape (n, d)
            True where a cell is used.
        """
        return self._model.mask(self._read(X))

    def select(self, X: Any) -> Any:
        """Show the cells that predictions are made from.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.

        Returns
        -------
        DataFrame of shape (n, d)
            The rows with all other cells missing, of polars where `X` is.
        """
        import pandas as pd

        mask = self.get_rationale(X)
        if hasattr(X, "get_columns"):  # of polars
            return X.with_columns(
                column.zip_with(type(column)(mask[:, j]), column.clear(len(column)))
                for j, column in enumerate(X.get_columns())
            )
        table = as_frame_or_array(X)
        if not isinstance(table, pd.DataFrame):
            table = pd.DataFrame(table, columns=list(self._reader.feature_names))
        return table.where(mask)

    def explain(self, X: Any, *, batch_size: int | None = None, n_jobs: int | None = None) -> Explanation:
        """Give the rationale of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.
        batch_size : int, default=None
            Rows computed at once, which limits the memory used; None: 2048 or more.
        n_jobs : int, default=None
            Number of threads that share the batches; None: 1.

        Returns
        -------
        Explanation
            Of kind ``"rationale"``: `mask` (n, d) says which cells are used, `values` (n, d) how much each
            of these was wanted, a probability above one half, and 0 for the others. They do not add up to
            the score.
        """
        check_batching(batch_size, n_jobs)
        matrix, model = self._read(X), self._model
        d, single = matrix.shape[1], self._task.n_outputs == 1

        def part(rows: slice) -> list[np.ndarray]:
            mask, excess = model.mask_and_excess(matrix[rows])
            return [expit(excess) * mask, mask]

        size = batch_size or rows_at_once(len(model.encoder.groups), 1)
        values, mask = in_batches(part, len(matrix), size, n_jobs)
        base = model.scores(np.full((1, d), np.nan), np.zeros((1, d), dtype=bool))[0]
        return self._explanation_of(
            X,
            matrix,
            values,
            base[0] if single else 0.0,
            output_names=self._task.output_names if single else ("prediction",),
            mask=mask,
            kind="rationale",
            meta={"rate": float(mask.mean()), "base_scores": base.tolist()},
        )

    def audit(
        self, X: Any, y: Any, *, n_refits: int = 2, max_rows: int = 10_000, random_state: Any = None
    ) -> RationaleAudit:
        """Ask whether the rationales are honest, so that the cells shown support the predictions.

        A selector can cheat: it shows one column where it thinks that the answer is yes and another one
        where it thinks no, and a predictor reads the answer off the mask.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows, at least 100, that were not used in fit.
        y : array-like of shape (n,)
            Their labels or numbers.
        n_refits : int, default=2
            Copies of the model fitted with other seeds, to measure how stable rationales are; 0: none.
        max_rows : int, default=10000
            When there are more rows, so many are drawn at random.
        random_state : int, RandomState or None, default=None
            Seed.

        Returns
        -------
        RationaleAudit
            A verdict in words and numbers: honest, not honest, or untested where the predictors trained to
            judge are no better than a constant.

        Raises
        ------
        ValueError
            When there are too few rows, a label that the model does not know, or a parameter out of range.
        """
        return audit(self, X, y, n_refits=n_refits, max_rows=max_rows, random_state=random_state)


def _share(mask: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Share (d,) of rows whose mask (n, d) holds each column; NaN without rows."""
    if not weight.any():
        return np.full(mask.shape[1], np.nan)
    return np.average(mask, axis=0, weights=weight)
