"""The model that MLflow keeps; importing this file imports MLflow."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline

from .._hooks import hooks_of


class ReasonsModel(PythonModel):
    """Predictions with their reasons; made by :func:`mlflow_model`.

    Parameters
    ----------
    model : estimator
        Fitted.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Give predictions, scores, bases and reasons.

        Parameters
        ----------
        context : object
            MLflow's; not looked at.
        model_input : DataFrame of shape (n, d)
            Rows.
        params : dict, optional
            MLflow's; not looked at.

        Returns
        -------
        DataFrame
            See :func:`mlflow_model`.
        """
        model, table, names = self.model, model_input, None
        if isinstance(model, Pipeline):
            if len(model) > 1:
                table = model[:-1].transform(model_input)
                # steps need not have names
                with suppress(AttributeError, ValueError):
                    names = model[:-1].get_feature_names_out()
            model = model[-1]
        explanation = hooks_of(model)._explain_columns(table)
        predictions = model.predict(table)
        scores = model.decision_function(table) if is_classifier(model) else predictions
        outputs, base = explanation.output_names, explanation.base_values
        n_sets = len(outputs)
        if explanation.kind == "rationale":  # one for all scores
            outputs, base = hooks_of(model)._names_of_scores(), explanation.meta["base_scores"]
        scores = np.reshape(scores, (len(predictions), len(outputs)))
        values = np.reshape(explanation.values, (len(predictions), -1, n_sets))
        base = np.broadcast_to(np.reshape(base, (-1, len(outputs))), scores.shape)
        columns = explanation.feature_names if names is None or len(names) != values.shape[1] else names
        suffixes = [f".{output}" for output in outputs] if len(outputs) > 1 else [""]
        found: dict[str, Any] = {"prediction": predictions}
        for k, suffix in enumerate(suffixes):
            found[f"score{suffix}"], found[f"base{suffix}"] = scores[:, k], base[:, k]
            if n_sets == len(outputs):
                found |= _reasons(values[:, :, k], columns, suffix)
        if n_sets < len(outputs):
            found |= _reasons(values[:, :, 0], columns, "")
        return pd.DataFrame(found, index=getattr(model_input, "index", None))


def _reasons(values: np.ndarray, columns: Any, suffix: str) -> dict[str, np.ndarray]:
    """Name reasons (n, d) by their columns."""
    return {f"reason{suffix}.{name}": values[:, j] for j, name in enumerate(columns)}
