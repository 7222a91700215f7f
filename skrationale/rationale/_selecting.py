"""What all models with a rationale for each row can be asked."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._batches import check_batching, in_batches, rows_at_once
from .._scales import to_shares
from .._settled import unchanged_on_error
from ..base import ReadableNetwork
from ..explanation import Explanation
from ..graphs import Graph
from ..tabular import FewRows
from ._audit_report import RationaleAudit
from ._fitting import Fitting
from ._form import TABLES, TableForm, form_of
from ._model import RationaleModel
from .picture import PictureAudit, PictureFitting, PictureForm, PictureModel, ShowsPictures


class SelectsColumns(ShowsPictures, ReadableNetwork):
    """An estimator whose predictions are made from a few columns of each row, or patches of each picture."""

    _model: Any
    """A `RationaleModel` of a table, or a `PictureModel`."""
    _form: TableForm | PictureForm = TABLES
    _usual_sizes: ClassVar[tuple[tuple[int, ...], tuple[int, ...]]] = ((64, 64), (16, 32, 32))
    """What `hidden_layer_sizes="auto"` stands for: of tables, and of pictures."""
    hidden_layer_sizes: Any
    _takes_pictures = True
    _kind = "predicts each row from a few of its columns"
    _report_parts: ClassVar[tuple[str, ...]] = ("rationale", "audit")

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to a table or to pictures, and their target.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d), or pictures of shape (n, H, W) or (n, C, H, W)
            Numbers, booleans, text, categories; NaN is allowed in tables, infinity is not. Pixels are
            integers or floats, in any units; later pictures must have the same units.
        y : array-like of shape (n,)
            Labels or numbers.
        sample_weight : array-like of shape (n,), default=None
            Non-negative weights; rows of weight 0 are left out. An integer weight counts as that many copies
            of the row.

        Returns
        -------
        self
            The fitted estimator. If fit fails, the estimator does not change.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data are not as described.
        """
        with unchanged_on_error(self):
            form = form_of(X)
            if "_form" in self.__dict__:
                del self._form
            if form is not TABLES:
                self._form = form
            super().fit(form.flat(X), y, sample_weight)
        return self

    def _read_rows(self, X: Any, keep: bool = False) -> tuple[np.ndarray, FewRows | None]:
        check_is_fitted(self)
        matrix, few = super()._read_rows(self._form.flat(X), keep)
        return self._form.check(matrix, X), few

    def _layer_sizes(self) -> tuple[int, ...]:
        """Give widths of layers, where there are none those that suit what it is fitted to."""
        sizes = self.hidden_layer_sizes
        if isinstance(sizes, str):
            return self._usual_sizes[self._form is not TABLES]
        return tuple(map(int, sizes))

    def _keep(self, fitting: Fitting | PictureFitting, model: RationaleModel | PictureModel) -> None:
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
        model = self._model
        matrix, mask = self._form.scores_explained(model, explanation)
        size = rows_at_once(model.n_inputs, 1)
        return in_batches(lambda rows: [model.scores(matrix[rows], mask[rows])], len(matrix), size)[0]

    def _hidden_states(self, matrix: np.ndarray) -> list[np.ndarray]:
        return self._model.hidden_states(matrix)

    def _masked(self, X: Any, mask: Any) -> np.ndarray:
        matrix = self._read(X)
        if mask is None:
            return self._model.scores(matrix)
        return self._model.scores(matrix, self._form.read_mask(mask, matrix))

    def predict(self, X: Any, mask: Any = None) -> np.ndarray:
        """Predict labels, or numbers in the units of the target, only from the cells of a mask.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d), or pictures of shape (n, H, W) or (n, C, H, W)
            Rows.
        mask : array-like of bool of shape (n, d), default=None
            Cells that may be used; None: the rationale of each row. For pictures it has the shape (n, gh, gw)
            of patches, or (n, H, W) of pixels, which are then the same within each patch.

        Returns
        -------
        ndarray of shape (n,)
            Predictions.

        Raises
        ------
        ValueError
            If `mask` does not hold booleans, or does not have the shape that fits `X`.
        """
        scores = self._masked(X, mask)
        return self._task.predict(scores)

    @available_if(lambda self: is_classifier(self))
    def predict_proba(self, X: Any, mask: Any = None) -> np.ndarray:
        """Predict class probabilities only from the cells of a mask.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d), or pictures of shape (n, H, W) or (n, C, H, W)
            Rows.
        mask : array-like of bool of shape (n, d), default=None
            Cells that may be used; None: the rationale of each row. For pictures it has the shape (n, gh, gw)
            of patches, or (n, H, W) of pixels, which are then the same within each patch.

        Returns
        -------
        ndarray of shape (n, C)
            Probabilities in the order of `classes_`; rows sum to one.
        """
        scores = self._masked(X, mask)
        return self._task.probabilities(scores)

    @available_if(lambda self: is_classifier(self))
    def decision_function(self, X: Any, mask: Any = None) -> np.ndarray:
        """Return raw scores computed only from the cells of a mask.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d), or pictures of shape (n, H, W) or (n, C, H, W)
            Rows.
        mask : array-like of bool of shape (n, d), default=None
            Cells that may be used; None: the rationale of each row. For pictures it has the shape (n, gh, gw)
            of patches, or (n, H, W) of pixels, which are then the same within each patch.

        Returns
        -------
        ndarray of shape (n,) or (n, C)
            Log-odds of the positive class for two classes, otherwise one score per class.
        """
        scores = self._masked(X, mask)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def _write_onnx(self, graph: Graph, matrix: str) -> dict[str, Any]:
        return self._form.write_onnx(self, graph, matrix)

    # --- reasons ---------------------------------------------------------------------------------

    def get_rationale(self, X: Any) -> np.ndarray:
        """Return which columns each prediction uses.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d), or pictures of shape (n, H, W) or (n, C, H, W)
            Rows.

        Returns
        -------
        ndarray of bool of shape (n, d), or (n, gh, gw) for the patches of pictures
            True where a cell is used.
        """
        return self._form.shaped(self._model.mask(self._read(X)))

    def select(self, X: Any) -> Any:
        """Return the rows with only those cells that the predictions use.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d), or pictures of shape (n, H, W) or (n, C, H, W)
            Rows.

        Returns
        -------
        DataFrame of shape (n, d), or ndarray of the shape of pictures
            The rows with all other cells missing; a polars table if `X` is one. For pictures, hidden pixels
            are NaN if they are floats, and otherwise the mean colour of the training pictures.
        """
        return self._form.select(self, X)

    def explain(self, X: Any, *, batch_size: int | None = None, n_jobs: int | None = None) -> Explanation:
        """Return the rationale of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d), or pictures of shape (n, H, W) or (n, C, H, W)
            Rows.
        batch_size : int, default=None
            Rows computed at once, which limits the memory used; None: 2048 or more.
        n_jobs : int, default=None
            Number of threads that share the batches; None: 1.

        Returns
        -------
        Explanation
            Of kind ``"rationale"``. `mask` (n, d) is True for the cells that are used. `values` (n, d) holds
            how strongly each of these was selected: a probability above one half, and 0 for the other cells.
            They do not add up to the score. For pictures there is one feature for each patch, line by line.
            Its value is what the patch adds to the log-probability of the class, in nats, estimated in
            the way that `selection_` says.
        """
        check_batching(batch_size, n_jobs)
        (matrix, few), model = self._read_rows(X), self._model
        single, size = self._task.n_outputs == 1, batch_size or rows_at_once(model.n_inputs, 1)
        values, mask = in_batches(lambda rows: model.values_and_mask(matrix[rows]), len(matrix), size, n_jobs)
        base = model.scores_of_nothing()
        return self._form.explanation(
            self,
            X,
            matrix,
            values,
            base[0] if single else 0.0,
            few,
            output_names=self._task.output_names if single else ("prediction",),
            mask=mask,
            kind="rationale",
            meta={"rate": float(mask.mean()), "base_scores": base.tolist()},
        )

    def audit(
        self, X: Any, y: Any, *, n_refits: int = 2, max_rows: int = 10_000, random_state: Any = None
    ) -> RationaleAudit | PictureAudit:
        """Test whether the rationales are honest, so that the shown cells support the predictions.

        A selector can cheat: it first predicts the label, then shows one column for "yes" and another one for
        "no". A predictor then only needs the mask to predict the label.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d), or pictures of shape (n, H, W) or (n, C, H, W)
            Rows, at least 100, that were not used in fit.
        y : array-like of shape (n,)
            Their labels or numbers.
        n_refits : int, default=2
            Number of copies of the model fitted with other seeds, to measure how stable rationales are; 0:
            none.
        max_rows : int, default=10000
            Largest number of rows used; from more rows this number is drawn at random.
        random_state : int, RandomState or None, default=None
            Seed.

        Returns
        -------
        RationaleAudit or PictureAudit
            A verdict in words and numbers: honest, not honest, or untested if the predictors trained for the
            test are no better than a constant. For pictures: scores, and the scores of simple rules with the
            same number of patches.

        Raises
        ------
        ValueError
            If there are too few rows, a label on which the model was not fitted, or a parameter out of range.
        """
        options = {"n_refits": n_refits, "max_rows": max_rows, "random_state": random_state}
        return self._form.audit(self, X, y, **options)


def _share(mask: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Share (d,) of rows whose mask (n, d) holds each column; NaN without rows."""
    if not weight.any():
        return np.full(mask.shape[1], np.nan)
    return np.average(mask, axis=0, weights=weight)
