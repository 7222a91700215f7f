"""How rows are read, shown and explained: those of a table here, pictures in `picture`."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

from .._random import own_random_state
from ..explanation import Explanation
from ..graphs import Graph
from ..tabular import FewRows, TableEncoder, as_frame_or_array
from ..units import flat_rows, image_shape_of
from ._audit import audit
from ._audit_report import RationaleAudit
from ._fitting import Fitting
from ._joint import Distillation
from ._model import RationaleModel
from ._onnx import write_rationale
from ._selection_warnings import warn
from .picture import PictureForm

FOR_PICTURES = {"grid": None, "backbone": None, "selector": None, "selection": "auto"}
"""Parameters that tables do not have, as they must then be."""


class TableForm:
    """Rows of a table, of whose d columns a few are selected.

    What is asked of it is asked of a `PictureForm` too, so that estimators need not know which they have.
    """

    def check_parameters(self, estimator: Any) -> None:
        """Refuse parameters that are for pictures alone."""
        for name, usual in FOR_PICTURES.items():
            given = getattr(estimator, name)
            if given is not usual and given != usual:
                raise ValueError(
                    f"The {name!r} parameter of {type(estimator).__name__} is only for pictures, X of "
                    f"shape (n, H, W) or (n, C, H, W). Got {given!r} with a table; expected {usual!r}."
                )

    def flat(self, X: Any) -> Any:
        """Give rows (n, d), and refuse pictures."""
        return flat_rows(X, None)

    def check(self, matrix: np.ndarray, X: Any) -> np.ndarray:
        """Give numbers and codes (n, d) of rows back where they can be what the model knows."""
        return matrix

    def learn(
        self, student: Any, X: Any, matrix: np.ndarray, y: np.ndarray, distillation: Distillation
    ) -> Any:
        """Ask a student's teacher about its training rows."""
        if isinstance(getattr(student.teacher_, "_form", TABLES), PictureForm):
            raise ValueError(
                f"The teacher was fitted to pictures, and X is a table of shape {matrix.shape}. Expected "
                "pictures of shape (n, H, W) or (n, C, H, W)."
            )
        return student._columns_taught(X, y, distillation)

    def as_given(self, rows: Any) -> Any:
        """Give flat rows the shape in which an estimator is fitted to them."""
        return rows

    def fit(
        self,
        estimator: Any,
        matrix: np.ndarray,
        y: np.ndarray,
        sample_weight: np.ndarray | None,
        teacher: Any = None,
    ) -> None:
        """Fit an estimator that has read its rows (n, d), encoded its target (n,) and set its task."""
        wanted, d = estimator.max_features, matrix.shape[1]
        if isinstance(wanted, Integral) and wanted >= d > 1:
            warn(f"max_features={wanted} is no limit for {d} columns: every row uses all columns that vary.")
        fitting = Fitting(
            estimator,
            TableEncoder().fit_matrix(estimator._reader, matrix, sample_weight),
            matrix,
            y,
            np.ones(len(matrix)) if sample_weight is None else sample_weight,
            estimator._task,
            int(own_random_state(estimator.random_state).randint(2**31 - 100)),
            teacher,
        )
        model = fitting.run()
        estimator._keep(fitting, model)
        if model.columns.size and estimator.empty_rate_ == 1.0:
            warn("No column is selected in any row: lower `sparsity_lambda`, or give `max_features`.")

    # --- masks -----------------------------------------------------------------------------------

    def read_mask(self, mask: Any, matrix: np.ndarray) -> np.ndarray:
        """Check a user's mask of rows (n, d)."""
        shown = np.asarray(mask)
        if shown.dtype != bool or shown.shape != matrix.shape:
            raise ValueError(
                f"mask must be a bool array of shape {matrix.shape}, one value for each cell of X. Got an "
                f"array of {shown.dtype} of shape {shown.shape} instead."
            )
        return shown

    def shaped(self, mask: np.ndarray) -> np.ndarray:
        """Give a mask of units (n, d) the shape in which users see it."""
        return mask

    def select(self, estimator: Any, X: Any) -> Any:
        """Give the rows with hidden cells missing."""
        import pandas as pd

        mask = estimator.get_rationale(X)
        if hasattr(X, "get_columns"):  # of polars
            return X.with_columns(
                column.zip_with(type(column)(mask[:, j]), column.clear(len(column)))
                for j, column in enumerate(X.get_columns())
            )
        table = as_frame_or_array(X)
        if not isinstance(table, pd.DataFrame):
            table = pd.DataFrame(table, columns=list(estimator._reader.feature_names))
        return table.where(mask)

    # --- answers ---------------------------------------------------------------------------------

    def explanation(
        self,
        estimator: Any,
        X: Any,
        matrix: np.ndarray,
        values: np.ndarray,
        base: Any,
        few: FewRows | None,
        **rest: Any,
    ) -> Explanation:
        """Put what was found by units together with what rows look like."""
        return estimator._explanation_of(X, matrix, values, base, few=few, **rest)

    def scores_explained(self, model: RationaleModel, explanation: Explanation) -> tuple[Any, Any]:
        """Give the rows of an explanation, and their mask."""
        return explanation.data, explanation.mask

    def audit(self, estimator: Any, X: Any, y: Any, **options: Any) -> RationaleAudit:
        """Ask whether rationales are honest."""
        return audit(estimator, X, y, **options)

    def write_onnx(self, estimator: Any, graph: Graph, matrix: str) -> dict[str, Any]:
        """Write the model into a graph."""
        model = estimator._model
        write_rationale(graph, matrix, model)
        columns = [estimator._reader.feature_names[j] for j in model.columns]
        return {"kind": "rationale", "explanation": None, "selectable": columns}


TABLES = TableForm()


def form_of(X: Any) -> TableForm | PictureForm:
    """Say whether rows are those of a table, or pictures."""
    image_shape = image_shape_of(X)
    return TABLES if image_shape is None else PictureForm(image_shape)
