"""mlflow_model: predictions with their reasons, through a registry that knows tables alone."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._hooks import Hooks


def mlflow_model(model: Any) -> Any:
    """Wrap a fitted model for MLflow, so that it serves reasons together with predictions.

    MLflow's flavour for scikit-learn serves only `predict`.

    Parameters
    ----------
    model : estimator
        An estimator of this package fitted to a table, not to pictures or texts, or a Pipeline that ends with
        one. A :func:`serving_copy` is best, because the server then does not need the teacher.

    Returns
    -------
    mlflow.pyfunc.PythonModel
        Its `predict` takes a DataFrame (n, d) and returns one of n rows with the columns ``prediction``,
        ``score`` (log-odds of classifiers, predictions of regressors), ``base``, and ``reason.<column>`` for
        each of the d columns. For K outputs, more than one, these are ``score.<output>``, ``base.<output>``
        and ``reason.<output>.<column>``; a rationale has only one ``reason.<column>`` for all outputs. Base
        and additive reasons add up to the score. If the explanation's link is "log" they add up to its
        logarithm, and if it is "probability" to the probability. For FLINT the reasons are by column.

    Raises
    ------
    TypeError
        If `model` is another object, or was fitted to pictures or texts.
    NotFittedError
        If the model is not fitted.
    ImportError
        If MLflow is not installed.

    Notes
    -----
    MLflow stores such a model as a pickle. Loading a pickle runs code: load only files that you trust.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skrationale import SmoothMLPRegressor
    >>> from skrationale.serving import mlflow_model
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> smooth = SmoothMLPRegressor(jacobian_lambda=0.01, max_epochs=2, random_state=0).fit(X, y)
    >>> python_model = mlflow_model(smooth)  # doctest: +SKIP
    >>> python_model.predict(None, X.head(2)).columns[:5].tolist()  # doctest: +SKIP
    ['prediction', 'score', 'base', 'reason.age', 'reason.sex']
    """
    last = model[-1] if isinstance(model, Pipeline) else model
    if not isinstance(last, Hooks):
        raise TypeError(
            "model must be an estimator of this package, or a Pipeline that ends with one. Got "
            f"{type(last).__name__} instead."
        )
    check_is_fitted(last)
    if last._kind_of_rows() != "table":
        raise TypeError(
            f"model must be fitted to a table, as MLflow gives a model DataFrames. Got {type(last).__name__} "
            f"fitted to {last._kind_of_rows()} instead."
        )
    try:
        from ._python_model import ReasonsModel
    except ImportError as error:
        raise ImportError("`mlflow_model` needs MLflow: pip install 'skrationale[mlflow]'.") from error
    return ReasonsModel(model)
