"""serving_copy: what predicts and explains, and no teacher."""

from __future__ import annotations

import copy
from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._hooks import Hooks, best_of_search, hooks_of


def serving_copy(model: Any) -> Any:
    """Copy a fitted model without its teacher, which neither predictions nor reasons need.

    The copy has the same predictions and reasons as the model, is smaller, and can be loaded if the teacher's
    library is not installed. Everything that needs the teacher, such as `fidelity`, `teacher_explain`,
    `teacher_` and `fit`, raises an error that says so.

    Parameters
    ----------
    model : estimator
        A fitted estimator of this package, a Pipeline that ends with one, a search over one (its best
        estimator is copied), or one in a FrozenEstimator.

    Returns
    -------
    estimator
        A shallow copy: it shares its weights with the model. Models without a teacher are copied unchanged.
        If FLINT explains a student, the copy of the student has no teacher.

    Raises
    ------
    TypeError
        If `model` is another object.
    NotFittedError
        If the model is not fitted.

    See Also
    --------
    save : Write the copy to a file.

    Examples
    --------
    >>> import pickle
    >>> from sklearn.datasets import load_diabetes
    >>> from skrationale import GBDT2NNStudent
    >>> from skrationale.serving import serving_copy
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> student = GBDT2NNStudent(hidden_layer_sizes=(16,), max_epochs=2, random_state=0).fit(X, y)
    >>> served = serving_copy(student)
    >>> len(pickle.dumps(served)) < 0.5 * len(pickle.dumps(student))
    True
    >>> bool((served.explain(X).values == student.explain(X).values).all())
    True
    >>> hasattr(served, "teacher_")
    False
    """
    check_is_fitted(model)
    inside = model.estimator if isinstance(model, FrozenEstimator) else best_of_search(model)
    if inside is not None:
        return serving_copy(inside)
    if isinstance(model, Pipeline):
        name, last = model.steps[-1]
        found = copy.copy(model)
        found.steps = [*model.steps[:-1], (name, serving_copy(last))]
        return found
    if not isinstance(model, Hooks):
        raise TypeError(
            "model must be an estimator of this package, or a Pipeline or search that ends with one. Got "
            f"{type(model).__name__} instead."
        )
    return hooks_of(model)._for_serving()
