"""Trees, forests and gradient boosting of scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import get_tags

from .._task import Link
from ._float32 import largest_below, rounded_down
from ._forest import Forest, Tree
from ._refusing import refused
from ._versions import is_tested

FORESTS = (ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor)
SINGLE = (DecisionTreeClassifier, DecisionTreeRegressor)  # ExtraTree* too
BOOSTING = (GradientBoostingClassifier, GradientBoostingRegressor)
LINKS: dict[str, Link] = {
    "HalfBinomialLoss": "logit",
    "ExponentialLoss": "logit",
    "HalfMultinomialLoss": "softmax",
}
"""Losses of gradient boosting; others predict the target itself."""
ROUNDING = 1e-12


class ScikitTrees:
    """A tree, a random forest or extremely randomized trees.

    A regressor's raw score is what it predicts. A classifier adds up probabilities, not log-odds: its link
    is "probability", with one score for two classes and one a class for more.

    Parameters
    ----------
    model : estimator
        Fitted.
    levels : sequence of d None, optional
        It takes numbers alone.
    """

    rounding = ROUNDING

    def __init__(self, model: Any, levels: Sequence[Any] | None = None) -> None:
        if model.n_outputs_ > 1:
            raise refused(model, f"{model.n_outputs_} targets", "one target")
        self.model = model
        self.classes = getattr(model, "classes_", None)
        self.is_tested = is_tested("scikit-learn")
        self.levels = (None,) * model.n_features_in_
        refuse_levels(model, levels)
        self._trees = [model] if isinstance(model, SINGLE) else list(model.estimators_)

    def forest(self) -> Forest:
        """Write its forest down."""
        share = 1.0 / len(self._trees)
        trees = [[tree_of(one, output, share) for one in self._trees] for output in self._outputs()]
        link: Link = "identity" if self.classes is None else "probability"
        return _numeric_forest(self.model, trees, np.zeros(len(trees)), link)

    def _outputs(self) -> list[int]:
        """Give the values of a leaf that are a score: of two classes the second alone."""
        n = 1 if self.classes is None else len(self.classes)
        return list(range(n)) if n > 2 else [n - 1]

    def takes_missing(self) -> np.ndarray:
        """Say in which columns (d,) it can be asked about missing cells."""
        return np.full(self.model.n_features_in_, get_tags(self.model).input_tags.allow_nan)

    def raw_scores(self, codes: np.ndarray) -> np.ndarray:
        """Ask the model for raw scores (n, K) of numbers (n, d)."""
        if self.classes is None:
            return self.model.predict(named(self.model, codes))[:, None]
        return self.model.predict_proba(named(self.model, codes))[:, self._outputs()]


class ScikitBoosting:
    """Gradient boosting of scikit-learn, not that by histograms.

    Parameters
    ----------
    model : GradientBoostingClassifier or GradientBoostingRegressor
        Fitted.
    levels : sequence of d None, optional
        It takes numbers alone.
    """

    rounding = ROUNDING

    def __init__(self, model: Any, levels: Sequence[Any] | None = None) -> None:
        init = model.init_
        if not (init == "zero" or isinstance(init, DummyClassifier | DummyRegressor)):
            raise refused(
                model, f"init={type(init).__name__}, which depends on the row", "init=None or 'zero'"
            )
        refuse_levels(model, levels)
        self.model = model
        self.classes = getattr(model, "classes_", None)
        self.is_tested = is_tested("scikit-learn")
        self.levels = (None,) * model.n_features_in_
        loss = type(model._loss).__name__
        self._link: Link = LINKS.get(loss, "identity")
        # the exponential loss has half the log-odds as its score
        self._scale = 2.0 if loss == "ExponentialLoss" else 1.0

    def forest(self) -> Forest:
        """Write its forest down."""
        model = self.model
        share = model.learning_rate * self._scale
        trees = [[tree_of(one, 0, share) for one in of_output] for of_output in model.estimators_.T]
        # the model's own rows may be of any kind, as no init that is taken looks at them
        base = model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32))
        return _numeric_forest(model, trees, np.ravel(base) * self._scale, self._link)

    def takes_missing(self) -> np.ndarray:
        """Say that in no column (d,) it can be asked about missing cells."""
        return np.zeros(self.model.n_features_in_, dtype=bool)

    def raw_scores(self, codes: np.ndarray) -> np.ndarray:
        """Ask the model for raw scores (n, K) of numbers (n, d)."""
        ask = self.model.predict if self.classes is None else self.model.decision_function
        return ask(named(self.model, codes)).reshape(len(codes), -1) * self._scale


def refuse_levels(model: Any, levels: Sequence[Any] | None) -> None:
    """Refuse columns of text or categories for a model that takes none."""
    found = [j for j, of_column in enumerate(levels or []) if of_column is not None]
    if found:
        names = getattr(model, "feature_names_in_", None)
        column = found[0] if names is None else repr(str(names[found[0]]))
        raise ValueError(
            f"Column {column} of X holds text or categories, but {type(model).__name__} takes only numbers."
        )


def tree_of(estimator: Any, output: int, scale: float) -> Tree:
    """Read a tree of scikit-learn.

    Parameters
    ----------
    estimator : DecisionTreeClassifier or DecisionTreeRegressor
        Fitted.
    output : int
        The class whose share of rows is the value of a leaf; 0 for numbers.
    scale : float
        Factor of the values.

    Returns
    -------
    Tree
        Numbers are compared as 32-bit ones.
    """
    tree = estimator.tree_
    is_leaf = tree.children_left < 0
    weight = tree.weighted_n_node_samples
    gains, inner = np.zeros(tree.node_count), np.flatnonzero(~is_leaf)
    impurity = weight * tree.impurity
    below = impurity[tree.children_left[inner]] + impurity[tree.children_right[inner]]
    gains[inner] = np.maximum(impurity[inner] - below, 0.0)
    return Tree(
        columns=np.where(is_leaf, -1, tree.feature),
        thresholds=largest_below(rounded_down(tree.threshold), strict=False),
        missing_left=np.asarray(tree.missing_go_to_left, dtype=bool),
        left=tree.children_left.copy(),
        right=tree.children_right.copy(),
        values=tree.value[:, 0, output] * scale,
        cover=weight.copy(),
        gains=gains,
    )


def named(model: Any, codes: np.ndarray) -> Any:
    """Name the columns (n, d) where the model was fitted on names, so that it does not warn."""
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return codes
    import pandas as pd

    return pd.DataFrame(codes, columns=names)


def _numeric_forest(model: Any, trees: list[list[Tree]], base: np.ndarray, link: Link) -> Forest:
    names = getattr(model, "feature_names_in_", None)
    known = None if names is None else list(map(str, names))
    return Forest(trees, base, link, (None,) * model.n_features_in_, known)
