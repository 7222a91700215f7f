"""What a fitted predictor with its interpreter can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._batches import check_batching, in_batches, one_or_several
from .._scales import to_shares
from ..base import BaseReasoner, agreement, judged, probabilities_of
from ..explanation import Explanation
from ..graphs import Graph
from ..tabular import TableEncoder, as_frame_or_array
from ..units import ImageShape, flat_rows
from ._column_reasons import ColumnReasons, integrated_gradients, pixel_gradients, sampled_shapley
from ._describe import AttributeDescription, Descriptions, column_importance, describe
from ._images import pixel_importance
from ._model import CHUNK, FlintModel, OwnPredictor
from ._onnx import check_source, write_flint
from ._relevance import TAUS, conciseness, contributions, mean_relevance
from ._where import PatchTable
from ._wrapped_predictors import WrappedModule

COLUMN_CHUNK = 1024
"""Rows explained at once by column, to bound the memory. Not measured."""
KEPT_ROWS, KEPT_CELLS = 5000, 10**6
"""Training rows kept, as numbers and codes, to describe attributes by, and the cells that these may have: 8
MB. Not measured."""
DISAGREEMENT_QUANTILE = 0.95
"""Numbers differ when they are further apart than this share of the training rows is. Not measured."""


class FlintReasoner(TransformerMixin, BaseReasoner):
    """Answers of a predictor f and of its interpreter g, and what the attributes say."""

    _model: FlintModel
    attribute_names: Sequence[str] | None
    decide_with: str | None
    predictor: Any
    n_attributes: int
    image_shape_: ImageShape | None
    _report_parts = ("attributes",)
    _has_fidelity = True

    def _keep(self, model: FlintModel, encoder: TableEncoder, matrix: np.ndarray, weight: np.ndarray) -> None:
        """Take over a fitted model and what is known of its training rows."""
        self._model = model
        self._decision_maker = self.decide_with or ("interpreter" if self.predictor is None else "model")
        n_attributes = int(self.n_attributes)
        names = self.attribute_names or [f"attribute_{j}" for j in range(n_attributes)]
        self._attribute_names = tuple(map(str, names))
        active = np.zeros(n_attributes, dtype=bool) if model.active is None else model.active
        self.active_attributes_ = active
        self.n_active_attributes_ = int(active.sum())
        x = encoder.encode_matrix(matrix) if self.image_shape_ is None else matrix
        self._mean_row = np.average(x, axis=0, weights=weight)
        n_kept = max(min(KEPT_ROWS, KEPT_CELLS // matrix.shape[1]), 100)
        rows = np.sort(np.random.RandomState(0).permutation(len(matrix))[:n_kept])
        self._training_rows, self._training_row_numbers = matrix[rows], np.flatnonzero(self._kept)[rows]
        scores, phi = model.answers(matrix)
        answers = model.interpret(phi)
        differences = np.abs(scores - answers).max(axis=1)
        self._disagreement_limit = float(np.quantile(differences, DISAGREEMENT_QUANTILE))
        self.global_relevance_ = self._relevance_by_class(model.relevance(phi, answers), answers)
        size = np.abs(contributions(phi - phi.mean(axis=0), model.weights, answers)).mean(axis=0)
        self.attribute_importances_ = to_shares(size)
        importance, _ = self._importance(self._training_rows, max_rows=500)
        self.feature_importances_ = to_shares(importance @ self.attribute_importances_)

    def _relevance_by_class(self, r: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Mean relevance (C, J) of the rows that the interpreter assigns to each class; (1, J) of numbers."""
        classes = self._task.classes
        if classes is None:
            return np.abs(r).mean(axis=0, keepdims=True)
        signed = r if answers.shape[1] > 1 else np.where(answers > 0, r, -r)
        return mean_relevance(signed, self._task.predicted_positions(answers), len(classes))

    def _importance(self, matrix: np.ndarray, max_rows: int = 1000) -> tuple[np.ndarray, np.ndarray]:
        """Measure the importance of each column for each attribute, and its direction (d, J)."""
        model = self._model
        if self.image_shape_ is not None:
            if (attributes_of := model.attribute_function()) is not None:
                return pixel_importance(attributes_of, matrix)
            return PatchTable.of(model.attributes, matrix, self.image_shape_, self._mean_row).by_pixel()
        categorical = np.array([levels is not None for levels in self._reader.levels])
        return column_importance(model.attributes, matrix, max_rows=max_rows, categorical=categorical)

    # --- hooks ---------------------------------------------------------------------------------

    def _kind_in_words(self) -> str:
        return f"a network read as {self.n_active_attributes_} attributes"

    def _attribute_relevance(self) -> np.ndarray:
        """Give `global_relevance_`, of numbers with the signs of the weights: attributes are not negative."""
        relevance = self.global_relevance_
        return relevance if self._task.is_classification else relevance * np.sign(self._model.weights)

    def _size(self) -> tuple[int, str]:
        return self.n_active_attributes_, "attribute"

    def _fitted_teacher(self) -> Any:
        return self._fitted("predictor_")

    def _interpreter_and_network(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        return self.predict_interpretable(X), self.predict_model(X)

    def _explain_columns(self, X: Any) -> Explanation:
        return self.explain(X, by="column")

    # --- answers ---------------------------------------------------------------------------------

    def _scores(self, matrix: np.ndarray) -> np.ndarray:
        scores, phi = self._model.answers(matrix)
        return scores if self._decision_maker == "model" else self._model.interpret(phi)

    def _check_onnx(self) -> None:
        check_source(self._model)

    def _write_onnx(self, graph: Graph, matrix: str) -> dict[str, Any]:
        model = self._model
        write_flint(graph, matrix, model, self._decision_maker)
        facts: dict[str, Any] = {"kind": "attribute", "explanation": None, "decides": self._decision_maker}
        facts |= {"attribute_names": list(self._attribute_names), "weights": model.weights.tolist()}
        return facts | {"bias": model.bias.tolist()}

    def predict_model(self, X: Any) -> np.ndarray:
        """Predict with the predictor f, even if `predict` uses the interpreter.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of shape (n,)
            Labels or numbers.
        """
        return self._task.predict(self._model.answers(self._read(X))[0])

    def predict_interpretable(self, X: Any) -> np.ndarray:
        """Predict with the interpreter g, whose score is the sum of its attributes, even if `predict` uses f.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of shape (n,)
            Labels or numbers.
        """
        return self._task.predict(self._model.interpret(self.transform(X)))

    def fidelity(self, X: Any, y: Any = None) -> dict[str, float]:
        """Measure how well the interpreter g agrees with the predictor f.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows, preferably ones that were not in ``fit``.
        y : array-like of shape (n,), default=None
            True labels or numbers; if given, the scores of both are added.

        Returns
        -------
        dict of str to float
            The results of :func:`skrationale.metrics.prediction_fidelity`. With `y` also
            ``interpreter_score`` and ``model_score`` (accuracy or R2), and for classifiers
            ``interpreter_auroc``, ``model_auroc``, ``interpreter_log_loss`` and ``model_log_loss``. For two
            classes log-odds are clipped to those of 0.0001 and 0.9999. For more classes the mean over the
            classes is subtracted from raw scores. AUROC is NaN if `y` holds only one label.
        """
        scores, phi = self._model.answers(self._read(X))
        answers, task = self._model.interpret(phi), self._task
        result = agreement(answers, scores, task)
        if y is not None:
            for who, outputs in (("interpreter", answers), ("model", scores)):
                found = judged(task, y, outputs, probabilities_of(task, outputs))
                result |= {f"{who}_{name}": value for name, value in found.items()}
        return result

    def disagreement(self, X: Any) -> np.ndarray:
        """Find the rows whose explanations do not hold, because predictor and interpreter differ.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of bool of shape (n,)
            True if they predict different classes, or numbers that differ more than in 95 % of the training
            rows.
        """
        scores, phi = self._model.answers(self._read(X))
        answers = self._model.interpret(phi)
        if self._task.is_classification:
            return self._task.predict(scores) != self._task.predict(answers)
        return np.abs(scores - answers)[:, 0] > self._disagreement_limit

    # --- attributes ------------------------------------------------------------------------------

    def transform(self, X: Any) -> np.ndarray:
        """Compute the attributes of rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of shape (n, J)
            Numbers of at least 0.
        """
        return self._model.attributes(self._read(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the attributes.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Not used.

        Returns
        -------
        ndarray of shape (J,)
            Names.
        """
        check_is_fitted(self)
        return np.array(self._attribute_names, dtype=object)

    def relevance(self, X: Any) -> np.ndarray:
        """Measure how much each attribute matters for the interpreter's prediction (FLINT, section 3.3).

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.

        Returns
        -------
        ndarray of shape (n, J)
            Contribution to the score of the class that the interpreter predicts, or to the only score,
            divided by the largest absolute contribution of the row.
        """
        phi, model = self.transform(X), self._model
        return model.relevance(phi, model.interpret(phi))

    def conciseness(self, X: Any, taus: Sequence[float] = TAUS) -> dict[float, float]:
        """Count the relevant attributes of a row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.
        taus : sequence of float, default=(1.5, 2, 2.5, 3, 4, 5)
            An attribute is relevant if its relevance is more than 1/tau of the largest one.

        Returns
        -------
        dict of float to float
            Mean number of relevant attributes of a row, for each tau.

        Raises
        ------
        ValueError
            If a tau is not above 1.
        """
        if any(not tau > 1 for tau in taus):
            raise ValueError(f"taus must be numbers above 1. Got {list(taus)!r} instead.")
        return conciseness(self.relevance(X), taus, self._task.n_outputs)

    def describe(
        self, X: Any = None, *, tau: float = 2.0, max_depth: int = 5, n_prototypes: int = 3
    ) -> Descriptions:
        """Describe all attributes: the classes that they raise or lower, typical rows, columns, a short rule.

        For images the columns are patches, up to 8 along a side, named by their rows and columns of pixels. A
        cell is the mean pixel of a patch. The importance of a patch is the mean squared change of the
        attribute if the patch shows the mean image, divided by the attribute's variance.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d), default=None
            Rows on which attributes are described. None: up to 5000 training rows, which the model keeps as
            numbers.
        tau : float, default=2.0
            An attribute is relevant if its relevance is more than 1/tau of the largest one.
        max_depth : int, default=5
            Largest number of conditions of a rule. A rule is a branch of a scikit-learn tree that is fitted
            on three quarters of the rows; its R2 is that of the tree on the other rows.
        n_prototypes : int, default=3
            Number of typical rows shown, and of rows shown for contrast.

        Returns
        -------
        Descriptions
            A sequence with one entry per attribute, and the methods `to_frame` and `write_html`.
        """
        matrix = self._training_rows if X is None else self._read(X)
        table = self._reader.restore(matrix) if X is None else X
        table = as_frame_or_array(flat_rows(table, self.image_shape_))
        model = self._model
        phi = model.attributes(matrix)
        answers = model.interpret(phi)
        reader, display = self._reader, self._reader.display(table)
        if self.image_shape_ is None:
            importance, direction = self._importance(matrix)
        else:  # patches say more than pixels
            seen = PatchTable.of(model.attributes, matrix, self.image_shape_, self._mean_row)
            reader, matrix, display = seen.reader, seen.matrix, seen.matrix
            importance, direction = seen.importance, seen.direction
        return describe(
            phi,
            relevance=model.relevance(phi, answers),
            explained=answers.argmax(axis=1),
            weights=model.weights,
            output_names=self._task.output_names,
            attribute_names=self._attribute_names,
            active=self.active_attributes_,
            reader=reader,
            matrix=matrix,
            display=display,
            index=self._training_row_numbers if X is None else getattr(table, "index", None),
            importance=importance,
            direction=direction,
            tau=tau,
            max_depth=max_depth,
            n_prototypes=n_prototypes,
        )

    def describe_attribute(self, attribute: int | str, X: Any = None, **options: Any) -> AttributeDescription:
        """Describe one attribute; see `describe`.

        Parameters
        ----------
        attribute : int or str
            Its position or name.
        X : DataFrame or array-like of shape (n, d), default=None
            Rows on which the attribute is described.
        **options : object
            Parameters of `describe`.

        Returns
        -------
        AttributeDescription
            Prints as a few lines, and as HTML in a notebook.
        """
        return self.describe(X, **options)[attribute]

    # --- reasons ---------------------------------------------------------------------------------

    def explain(
        self, X: Any, *, by: str = "attribute", batch_size: int | None = None, n_jobs: int | None = None
    ) -> Explanation:
        """Split the interpreter's scores into contributions.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.
        by : {"attribute", "column"}, default="attribute"
            Contributions of attributes, which add up exactly, or of the table's columns. The latter are
            integrated gradients [1]_ from the average training row with the built-in predictor, and for
            images also with a torch module. With any other given predictor they are Shapley values, sampled
            over orders of the columns.
        batch_size : int, default=None
            Rows computed at once, which bounds the memory used; None: 4096, and 1024 by column.
        n_jobs : int, default=None
            Number of threads that share the batches; None: 1. With a given torch module always 1.

        Returns
        -------
        Explanation
            Of kind ``"attribute"``, with `values` of shape (n, J) and the attributes as features, or of
            kind ``"additive"`` with `values` of shape (n, d); a last axis of C for more than two classes.
            ``attributes`` holds ``phi`` and ``relevance`` (n, J) and the ``names``.

        Raises
        ------
        ValueError
            If `by` has another value.

        References
        ----------
        .. [1] Sundararajan, Taly, Yan, "Axiomatic attribution for deep networks", 2017, arXiv:1703.01365.
        """
        if by not in ("attribute", "column"):
            raise ValueError(f"by must be 'attribute' or 'column'. Got {by!r} instead.")
        check_batching(batch_size, n_jobs)
        (matrix, few), model = self._read_rows(X), self._model
        base, column_reasons = self._by_columns() if by == "column" else (model.bias, None)

        def part(rows: slice) -> list[np.ndarray]:
            phi = model.attributes(matrix[rows])
            answers = model.interpret(phi)
            if column_reasons is None:
                values = phi[:, :, None] * model.weights.T
            else:
                values = column_reasons(matrix[rows], answers)
            return [one_or_several(values), phi, model.relevance(phi, answers)]

        size = batch_size or (CHUNK if by == "attribute" else COLUMN_CHUNK)
        values, phi, shares = in_batches(part, len(matrix), size, self._n_threads(n_jobs))
        rest: dict[str, Any] = {
            "few": few,
            "attributes": {"phi": phi, "relevance": shares, "names": list(self._attribute_names)},
            "meta": {
                "explained": "interpreter",
                "decides": self._decision_maker,
                "attribute_base": model.bias.tolist(),
            },
        }
        if by == "attribute":
            rest |= {
                "data": phi,
                "display_data": None,
                "feature_names": self._attribute_names,
                "kind": "attribute",
            }
        table = flat_rows(X, self.image_shape_)
        return self._explanation_of(table, matrix, values, one_or_several(base), **rest)

    def _n_threads(self, n_jobs: int | None) -> int | None:
        """One thread for a torch module: two that read its layers would get each other's rows."""
        return None if isinstance(self._model.source, WrappedModule) else n_jobs

    def _by_columns(self) -> tuple[np.ndarray, ColumnReasons]:
        """Give the base (K,), and what computes values (B, d, K) of rows and their scores."""
        model = self._model
        if self.image_shape_ is not None:
            attributes_of = model.attribute_function()
            if attributes_of is not None:
                return pixel_gradients(model, attributes_of, self._mean_row)
        elif isinstance(model.source, OwnPredictor):
            return integrated_gradients(model, self._mean_row)

        def scores_of(rows: np.ndarray) -> np.ndarray:
            return model.interpret(model.attributes(rows))

        return sampled_shapley(scores_of, self._training_rows)
