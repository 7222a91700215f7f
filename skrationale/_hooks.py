"""Hooks: what an estimator says of itself to reports and plots, and the same about any other model.

A family overrides what is true of it, so that no report and no plot need know which family it is.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from .explanation import Explanation


class Hooks:
    """What any estimator of the package answers about itself; the defaults are those of most.

    All are asked of a fitted estimator; what it does not have is None.
    """

    _kind: ClassVar[str] = "a model with reasons for each row"
    """What it is, in a few words."""
    _report_parts: ClassVar[tuple[str, ...]] = ()
    """What a report shows beside figures and reasons, in this order: some of ``"formula"``,
    ``"attributes"``, ``"rationale"``, ``"audit"`` and ``"teacher_audit"``."""
    _of_teacher: ClassVar[frozenset[str]] = frozenset(("teacher", "teacher_"))
    """Names of parameters and fitted attributes that belong to a teacher: predictions need none of them."""
    _takes_pictures: ClassVar[bool] = False
    """Whether it is fitted to pictures (n, C, H, W) as such."""
    _has_fidelity: bool = False
    """Whether `fidelity` compares it with a teacher, or its interpreter with its network."""

    def _kind_in_words(self) -> str:
        """Say what it is, with figures of this fit."""
        return self._kind

    def _size(self) -> tuple[int, str] | None:
        """Count what it is made of: how many, and the word for one."""
        return None

    def _fitted(self, name: str) -> Any:
        """Give a fitted attribute that several families have."""
        return getattr(self, name, None)

    def _fitted_teacher(self) -> Any:
        """Give whom it has learnt from, or reads."""
        return self._fitted("teacher_")

    def _teacher_explainer(self) -> Callable[[Any], Explanation] | None:
        """Give what explains the teacher of rows (n, d) as the student is explained, where it can."""
        return None

    def _interpreter_and_network(self, X: Any) -> tuple[np.ndarray, np.ndarray] | None:
        """Predict rows (n, d) with both of what is compared instead of a student and its teacher."""
        return None

    def _explain_columns(self, X: Any) -> Explanation:
        """Give reasons of rows (n, d) by the columns of the table, whatever else it can explain by."""
        return self.explain(X)  # type: ignore[attr-defined]

    def _training_history(self) -> list[dict[str, Any]] | None:
        """Give one dict an epoch."""
        return self._fitted("history_")

    def _lambdas_compared(self) -> list[dict[str, Any]] | None:
        """Give one dict for each weight of a loss term that was tried."""
        return self._fitted("lambda_path_")

    def _formula_fronts(self) -> list[tuple[Any, str]] | None:
        """Give for each output a DataFrame of the formulas found, and the text of the one chosen."""
        tables = self._fitted("equations_")
        if tables is None:
            return None
        fronts = tables if isinstance(tables, list) else [tables]
        return list(zip(fronts, map(str, self._fitted("formulas_")), strict=True))

    def _column_levels(self) -> Sequence[np.ndarray | None] | None:
        """Give the levels known since fit of each column (d), None for numbers."""
        reader = self._fitted("_reader")
        return None if reader is None else reader.levels

    def _for_serving(self) -> Any:
        """Copy what predicts and explains, without what only a teacher needs."""
        return copy.copy(self)

    def _attribute_relevance(self) -> np.ndarray | None:
        """Give the mean relevance (C, J) of attributes for each class, (1, J) with signs of numbers."""
        return self._fitted("global_relevance_")

    # --- reasons batch by batch, of estimators of this package alone ---------------------------------

    def _kind_of_rows(self) -> str:
        """Say what its rows are: a ``"table"``, ``"pictures"`` or ``"texts"``."""
        return "table" if self._fitted("image_shape_") is None else "pictures"

    def _number_of_columns(self) -> int:
        """Count the columns d at fit."""
        return self._fitted("n_features_in_")

    def _columns_at_fit(self) -> tuple[Any, ...] | None:
        """Give the names of the d columns at fit; None where it was fitted to an array."""
        named = self._fitted("feature_names_in_")
        return self._fitted("_reader").names if named is None else tuple(named)

    def _reasons_of_a_row(self) -> Explanation:
        """Explain some row, to see what is the same in every row: numbers 0, and the first of the levels."""
        reader, names = self._fitted("_reader"), self._columns_at_fit()
        row = np.array(
            [[np.nan if levels is not None and not len(levels) else 0.0 for levels in reader.levels]]
        )
        if names is not None:
            row = reader.restore(row, typed=True)
            row.columns = list(names)
        return self.explain(row)  # type: ignore[attr-defined]

    def _names_of_scores(self) -> tuple[str, ...]:
        """Name the K raw scores."""
        return self._fitted("_task").output_names

    def _scores_explained(self, explanation: Explanation) -> np.ndarray:
        """Give the scores (n, K) that reasons add up to; where they do not, the raw scores of the model."""
        if explanation.meta.get("imitation", "additive") == "additive":
            return explanation.scores().reshape(len(explanation), -1)
        return self._scores(explanation.data)  # type: ignore[attr-defined]


class OtherModel(Hooks):
    """The same about a model that is not of this package, as its public methods and attributes tell it.

    Parameters
    ----------
    model : estimator
        Of scikit-learn, or like one.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._has_fidelity = hasattr(model, "fidelity")

    def _kind_in_words(self) -> str:
        return self._kind if gives_reasons(self.model) else "has no reasons"

    def _size(self) -> tuple[int, str] | None:
        model = self.model
        if hasattr(model, "booster_"):  # of LightGBM
            return model.booster_.num_trees(), "tree"
        if hasattr(model, "tree_"):
            return model.tree_.node_count, "node"
        trees = [tree for tree in np.ravel(getattr(model, "estimators_", ())) if hasattr(tree, "tree_")]
        if trees:
            return sum(tree.tree_.node_count for tree in trees), "node"
        weights = getattr(model, "coefs_", None)
        if weights is not None:
            return sum(map(np.size, [*weights, *model.intercepts_])), "parameter"
        if hasattr(model, "coef_"):
            return int(np.size(model.coef_)), "coefficient"
        return None

    def _explain_columns(self, X: Any) -> Explanation:
        return self.model.explain(X)

    def _for_serving(self) -> Any:
        return copy.copy(self.model)

    def _fitted(self, name: str) -> Any:
        return getattr(self.model, name, None)


def hooks_of(model: Any) -> Hooks:
    """Give what can be asked about a model: itself where it is of this package.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> hooks_of(Ridge().fit([[0.0], [1.0]], [0.0, 1.0]))._size()
    (1, 'coefficient')
    """
    return model if isinstance(model, Hooks) else OtherModel(model)


# --- questions about any model ----------------------------------------------------------------------


def predicts(model: Any) -> bool:
    """Whether a model has the method `predict`."""
    return hasattr(model, "predict")


def gives_reasons(model: Any) -> bool:
    """Whether a model has the method `explain`."""
    return isinstance(model, Hooks) or hasattr(model, "explain")


def has_probabilities(model: Any) -> bool:
    """Whether a model has the method `predict_proba`."""
    return hasattr(model, "predict_proba")


def best_of_search(model: Any) -> Any:
    """Give the model that a fitted search has chosen; None where it is no search."""
    return getattr(model, "best_estimator_", None)
