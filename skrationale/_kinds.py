"""Mixins that say what an estimator predicts, for packages that look for scikit-learn's mixins."""

from __future__ import annotations

from typing import Any

from sklearn.base import ClassifierMixin, RegressorMixin


class PredictsLabels(ClassifierMixin):
    """A classifier; how it scores is the package's own."""

    def _is_classifier(self) -> bool:
        return True

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Give the share of rows whose label is predicted.

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
        """Score predicted numbers.

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
