"""Reasons of a model at the end of a pipeline, by the columns of the raw table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._hooks import best_of_search, gives_reasons, hooks_of
from .explanation import Explanation


def explain_pipeline(pipeline: Any, X: Any, *, grouped: bool | Mapping[str, Any] | Any = True) -> Explanation:
    """Explain the model at the end of a fitted pipeline or search, by the columns of the raw table.

    Parameters
    ----------
    pipeline : Pipeline, search or estimator
        Fitted. A Pipeline that ends with an estimator of this package, a search over one (its
        `best_estimator_` is used), or such an estimator. Each of them may be nested in another one, or in a
        FrozenEstimator.
    X : DataFrame or array-like of shape (n, d)
        Rows, as the pipeline takes them.
    grouped : bool, dict or transformer, default=True
        True: contributions are added up by the columns of the raw table, which are found by
        ``get_feature_names_out`` of the steps. False: one contribution for each column that the model gets. A
        dict of each raw column and the columns made from it, or a transformer: see
        :meth:`~skrationale.explanation.Explanation.grouped`.

    Returns
    -------
    Explanation
        FLINT is explained by column.

    Raises
    ------
    TypeError
        If the last step is not a model with explanations.
    NotFittedError
        If it is not fitted.
    ValueError
        If ``grouped=True`` and the raw column of a new column cannot be found.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from skrationale import SmoothMLPRegressor, explain_pipeline
    >>> X = pd.DataFrame({"city": ["Bonn", "Ulm", "Rome"] * 10, "age": range(30)})
    >>> encode = make_column_transformer(
    ...     (OneHotEncoder(sparse_output=False), ["city"]), remainder="passthrough"
    ... )
    >>> model = SmoothMLPRegressor(hidden_layer_sizes=(4,), max_epochs=2, random_state=0)
    >>> pipeline = make_pipeline(encode, model).fit(X, X["age"])
    >>> explain_pipeline(pipeline, X).feature_names
    ('city', 'age')
    >>> explain_pipeline(pipeline, X, grouped=False).values.shape
    (30, 4)
    """
    heads, model = taken_apart(pipeline)
    if not gives_reasons(model):
        raise TypeError(
            "explain_pipeline needs a fitted Pipeline or search whose last step is an estimator with "
            f"explanations. Got {type(model).__name__} instead."
        )
    check_is_fitted(model)
    table = X
    for head in heads:
        table = head.transform(table)
    found = hooks_of(model)._explain_columns(table)
    whole = Pipeline([(f"step {i}", head) for i, head in enumerate(heads)])
    found = named_by(whole, found, X) if heads else found
    if found.index is None and hasattr(X, "iloc") and len(X) == len(found):  # arrays of steps have no labels
        found = replace(found, index=X.index)
    if isinstance(grouped, bool | np.bool_):
        if not heads or not grouped:
            return found
        grouped = whole
    has_cells = hasattr(X, "columns") or (isinstance(X, np.ndarray) and not isinstance(grouped, Mapping))
    return found.grouped(grouped, X if has_cells else None)


def taken_apart(pipeline: Any) -> tuple[list[Any], Any]:
    """Give the steps before the model, in order, and the model at the end of pipelines and searches."""
    heads: list[Any] = []
    while True:
        if isinstance(pipeline, FrozenEstimator):
            pipeline = pipeline.estimator
        elif best_of_search(pipeline) is not None:
            pipeline = best_of_search(pipeline)
        elif isinstance(pipeline, Pipeline):
            heads += [step for _, step in pipeline.steps[:-1] if step not in (None, "passthrough")]
            pipeline = pipeline.steps[-1][1]
        else:
            return heads, pipeline


def named_by(head: Any, explanation: Explanation, X: Any) -> Explanation:
    """Name the columns of an explanation of an array as the steps before it do, where they do."""
    names = explanation.feature_names
    if names != tuple(f"x{j}" for j in range(len(names))):
        return explanation
    try:
        given = np.array([str(name) for name in X.columns], object) if hasattr(X, "columns") else None
        found = head.get_feature_names_out(given)
    except (AttributeError, TypeError, ValueError):
        return explanation
    return (
        replace(explanation, feature_names=tuple(map(str, found)))
        if len(found) == len(names)
        else explanation
    )
