"""Mixins that say what an estimator predicts, for packages that look for scikit-learn's mixins."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import ClassifierTags, RegressorTags, Tags
from sklearn.utils._param_validation import StrOptions

Estimator = TypeVar("Estimator", bound=type)
CLASS_WEIGHT: dict[str, Any] = {"class_weight": [dict, StrOptions({"balanced"}), None]}
"""What `class_weight` may be."""


def tags_of_kind(tags: Tags, classifies: bool) -> Tags:
    """Write into tags whether labels or numbers are predicted, and give them back."""
    if classifies:
        tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
    else:
        tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
    return tags


class PredictsLabels(ClassifierMixin):
    """A classifier; how it scores is the package's own."""

    if TYPE_CHECKING:  # what `takes_class_weight` makes, which type checkers do not see

        def __init__(
            self, *args: Any, class_weight: dict[Any, float] | str | None = None, **rest: Any
        ) -> None: ...

    def _is_classifier(self) -> bool:
        return True

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of rows whose label is predicted correctly.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.
        y : array-like of shape (n,)
            True labels.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        float
            Accuracy.
        """
        return super(ClassifierMixin, self).score(X, y, sample_weight)


class PredictsNumbers(RegressorMixin):
    """A regressor; how it scores is the package's own."""

    def _is_classifier(self) -> bool:
        return False

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the R2 of predicted numbers.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.
        y : array-like of shape (n,)
            True numbers.
        sample_weight : array-like of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        float
            R2.
        """
        return super(RegressorMixin, self).score(X, y, sample_weight)


def takes_class_weight(kind: Estimator) -> Estimator:
    """Give a classifier one more parameter, `class_weight`, behind those that it shares with a regressor.

    It is for classes that share their ``__init__`` with a regressor, which has no such parameter.
    """
    before: Any = kind.__init__  # type: ignore[misc]
    signature = inspect.signature(before)
    last = inspect.Parameter(
        "class_weight",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=dict[Any, float] | str | None,
    )

    @wraps(before)
    def __init__(self: Any, *args: Any, class_weight: Any = None, **rest: Any) -> None:
        before(self, *args, **rest)
        self.class_weight = class_weight

    __init__.__signature__ = signature.replace(parameters=[*signature.parameters.values(), last])  # type: ignore[attr-defined]
    kind.__init__ = __init__  # type: ignore[misc]
    kind._parameter_constraints = kind._parameter_constraints | CLASS_WEIGHT  # type: ignore[attr-defined]
    return kind
