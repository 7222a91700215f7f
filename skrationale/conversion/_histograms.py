"""Gradient boosting by histograms of scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from .._task import Link
from ..tabular import stand_ins
from ._forest import Forest, Tree
from ._refusing import refused
from ._versions import is_tested

HISTOGRAMS = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
LINKS: dict[str, Link] = {
    "HalfBinomialLoss": "logit",
    "HalfMultinomialLoss": "softmax",
    "HalfPoissonLoss": "log",
    "HalfGammaLoss": "log",
}
"""Losses, by scikit-learn's name; others predict the target itself."""


class Histograms:
    """A HistGradientBoosting model; a category that it has not seen is a missing cell to it.

    Parameters
    ----------
    model : HistGradientBoostingClassifier or HistGradientBoostingRegressor
        Fitted.
    levels : sequence of d (sequence or None), optional
        Levels of each column in the table at hand, None for numbers. Without it they are those of the model.
    """

    rounding = 1e-12

    def __init__(self, model: Any, levels: Sequence[Any] | None = None) -> None:
        self.model = model
        self.classes = getattr(model, "classes_", None)
        self.is_tested = is_tested("scikit-learn")
        self._link: Link = LINKS.get(type(model._loss).__name__, "identity")
        self._known = self._categories()
        self.levels = tuple(self._levels_of(j, levels) for j in range(model.n_features_in_))

    def _categories(self) -> dict[int, np.ndarray]:
        """Give the categories of each column that has some, in the order of the model's codes."""
        model = self.model
        if model._preprocessor is None:
            return {}
        found = model._preprocessor.named_transformers_["encoder"].categories_
        return dict(zip(np.flatnonzero(model.is_categorical_).tolist(), found, strict=True))

    def _levels_of(self, j: int, levels: Sequence[Any] | None) -> list[Any] | None:
        """Give the levels of a column; None where its numbers are codes themselves, or no categories."""
        if levels is not None:
            return None if levels[j] is None else list(stand_ins(levels[j]))
        if j not in self._known or not self._has_levels(j):
            return None
        return [level for level in self._known[j].tolist() if level == level]

    def _has_levels(self, j: int) -> bool:
        from_dtype = isinstance(self.model.categorical_features, str)
        return self._known[j].dtype.kind not in "biuf" or (
            from_dtype and hasattr(self.model, "feature_names_in_")
        )

    def _codes(self, j: int) -> np.ndarray:
        """Give the forest's code of each of the model's categories of a column; -1 where it has none."""
        known, levels = self._known[j], self.levels[j]
        if levels is not None:
            place = {level: code for code, level in enumerate(levels)}
            return np.array([place.get(level, -1) for level in stand_ins(known)], dtype=int)
        if not all(level != level or (level >= 0 and level == int(level)) for level in known.tolist()):
            raise refused(
                self.model,
                f"categories in column {j} such as {known.tolist()[0]!r}",
                "whole numbers from 0, or text",
            )
        return np.array([-1 if level != level else int(level) for level in known.tolist()], dtype=int)

    def forest(self) -> Forest:
        """Write its forest down."""
        model = self.model
        codes = {j: self._codes(j) for j in self._known}
        is_category = np.isin(np.arange(model.n_features_in_), list(codes))
        # categories come first in the table that the trees see
        places = np.concatenate([np.flatnonzero(is_category), np.flatnonzero(~is_category)])
        rounds = [[_tree(tree, places, codes) for tree in one] for one in model._predictors]
        names = getattr(model, "feature_names_in_", None)
        return Forest(
            trees=[list(trees) for trees in zip(*rounds, strict=True)],
            base=np.ravel(model._baseline_prediction).astype(np.float64),
            link=self._link,
            levels=self.levels,
            names=None if names is None else list(map(str, names)),
        )

    def takes_missing(self) -> np.ndarray:
        """Say that in all columns (d,) it can be asked about missing cells."""
        return np.ones(self.model.n_features_in_, dtype=bool)

    def raw_scores(self, codes: np.ndarray) -> np.ndarray:
        """Ask the model for raw scores (n, K) of numbers and codes (n, d)."""
        table = self._table(codes)
        if self.classes is not None:
            return self.model.decision_function(table).reshape(len(codes), -1)
        predicted = self.model.predict(table)[:, None]
        return np.log(predicted) if self._link == "log" else predicted

    def _table(self, codes: np.ndarray) -> Any:
        """Make the table that the model takes of numbers and codes (n, d)."""
        names = getattr(self.model, "feature_names_in_", None)
        if names is None and all(levels is None for levels in self.levels):
            return codes
        import pandas as pd

        columns: dict[int, Any] = {j: codes[:, j] for j in range(codes.shape[1])}
        for j, levels in enumerate(self.levels):
            if levels is not None:
                at = np.where(np.isnan(codes[:, j]), -1, codes[:, j]).astype(int)
                columns[j] = pd.Categorical.from_codes(at, categories=pd.Index(levels, dtype=object))
        table = pd.DataFrame(columns)
        if names is not None:
            table.columns = names
        return table


def _tree(predictor: Any, places: np.ndarray, codes: dict[int, np.ndarray]) -> Tree:
    """Read a tree.

    Parameters
    ----------
    predictor : TreePredictor
        Of scikit-learn.
    places : ndarray of int of shape (d,)
        Position in the user's table of each column that the tree sees.
    codes : dict of int to ndarray
        The forest's code of each category of a column, by position in the user's table.
    """
    nodes = predictor.nodes
    is_leaf = nodes["is_leaf"].astype(bool)
    left, right = (np.where(is_leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right"))
    columns = np.where(is_leaf, -1, places[nodes["feature_idx"]])
    missing_left = nodes["missing_go_to_left"].astype(bool)
    sets = {}
    for node in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~is_leaf).tolist():
        words = np.ascontiguousarray(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]])
        inside = np.unpackbits(words.view(np.uint8), bitorder="little").astype(bool)
        known = codes[columns[node]]
        goes_left = inside[np.arange(len(known))]
        if missing_left[node]:  # and so do unseen categories: sets hold those that go the other way
            goes_left = ~goes_left
            left[node], right[node] = right[node], left[node]
        sets[node] = set(known[goes_left & (known >= 0)].tolist())
    return Tree(
        columns=columns,
        thresholds=nodes["num_threshold"].astype(np.float64),
        missing_left=missing_left,
        left=left,
        right=right,
        values=nodes["value"].astype(np.float64),
        cover=nodes["count"].astype(np.float64),
        gains=np.maximum(nodes["gain"].astype(np.float64), 0.0),
        sets=sets,
    )
