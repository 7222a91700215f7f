"""Short rules for attributes, read off scikit-learn's regression trees in the user's columns and units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import check_array

from .._random import own_random_state
from .._weights import check_weights
from ..tabular import TableReader
from ..writing import format_number, format_share, is_missing
from ._rule_text import (
    MISSING,
    Split,
    TreeColumn,
    category_condition,
    in_tree_units,
    median_exponents,
    number_condition,
    on_one_line,
)

SHORT = 0.5
"""R2 on rows held out from which a tree's best path counts as a rule of the attribute. Not measured."""
HELD_OUT = 0.25
"""Share of rows that R2 is measured on. Not measured."""
MAX_LEVELS = 20
"""Levels of a category that rules may name, the most frequent ones. Not measured."""
PRUNED = 0.002
"""A branch stays if each of its leaves explains at least this share of the variance. Not measured."""
FEW = 40
"""Below this many rows R2 comes from cross-validation: a quarter of them would be too few. Not measured."""


class RuleColumns:
    """The columns a tree splits on, and how a person reads them.

    Numbers and booleans are one column each, with NaN where they are missing, and in units of a power of two
    in which the unit of the table's column does not matter: scikit-learn's trees take numbers for float32,
    and those within 1e-7 of each other for one. A category is one column of 0 and 1 per level, at most the
    20 most frequent, and one for missing if that occurs.

    Parameters
    ----------
    reader : TableReader
        Fitted; gives names and levels.
    matrix : ndarray of shape (n, d)
        What ``reader.transform`` gave; says which levels occur.
    display : ndarray of shape (n, d), dtype object, optional
        What the user typed. It tells booleans ("married is true") from numbers 0 and 1 ("married is 1").

    Attributes
    ----------
    names : tuple of str
        Names of the d original columns, each on one line.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrationale.tabular import TableReader
    >>> table = pd.DataFrame({"age": [30.0, None], "city": ["Ulm", "Bonn"]})
    >>> reader = TableReader().fit(table)
    >>> matrix = reader.transform(table)
    >>> RuleColumns(reader, matrix).transform(matrix)[:, 1:]
    array([[0., 1.],
           [1., 0.]], dtype=float32)
    """

    def __init__(self, reader: TableReader, matrix: np.ndarray, display: np.ndarray | None = None) -> None:
        matrix = _checked_matrix(matrix, len(reader.feature_names))
        if display is not None and np.shape(display) != matrix.shape:
            raise ValueError(
                f"display has shape {np.shape(display)}; expected that of matrix, {matrix.shape}."
            )
        self.names = tuple(on_one_line(name) for name in reader.feature_names)
        self._levels = reader.levels
        self._booleans = tuple(
            display is not None and levels is None and _is_boolean(display[:, j])
            for j, levels in enumerate(reader.levels)
        )
        parts: list[TreeColumn] = []
        for j, levels in enumerate(reader.levels):
            parts += [TreeColumn(j, None)] if levels is None else _category_parts(j, matrix[:, j])
        # A tree needs a column: categories of unseen levels alone leave none.
        self._parts = tuple(parts) or (TreeColumn(0, 0),)
        self._exponents = median_exponents(matrix)

    def transform(self, matrix: np.ndarray) -> np.ndarray:
        """Give the columns that trees split on.

        Parameters
        ----------
        matrix : ndarray of shape (n, d)
            Numbers and codes, NaN where a value is missing.

        Returns
        -------
        ndarray of shape (n, q), float32
            Numbers with NaN, in units of their own, and 0 or 1 for levels.
        """
        matrix = _checked_matrix(matrix, len(self.names))
        tree_inputs = np.empty((len(matrix), len(self._parts)), dtype=np.float32)
        for q, part in enumerate(self._parts):
            column = matrix[:, part.column]
            if part.level is None:
                tree_inputs[:, q] = in_tree_units(column, self._exponents[part.column])
            else:
                tree_inputs[:, q] = np.isnan(column) if part.level == MISSING else column == part.level
        return tree_inputs

    def _conditions(
        self, splits: list[Split], matrix: np.ndarray, has_missing: np.ndarray
    ) -> tuple[str, ...]:
        """Word a path so that among the rows `matrix` (n, d) it selects the same; one condition a column.

        `has_missing` (d,) tells in which columns the tree met missing values.
        """
        by_column: dict[int, list[Split]] = {}
        for split in splits:
            by_column.setdefault(self._parts[split.part].column, []).append(split)
        words = []
        for j, found in by_column.items():
            name, levels = self.names[j], self._levels[j]
            if levels is None:
                exponent = int(self._exponents[j])
                text, follows = number_condition(name, found, matrix[:, j], self._booleans[j], exponent)
            else:
                text, follows = category_condition(name, found, self._parts, levels)
            words.append(text + (" (or missing)" if follows and has_missing[j] else ""))
        return tuple(words)


@dataclass(frozen=True)
class Rule:
    """The path to the leaf of a tree in which an attribute is largest, and how well the tree fits.

    Parameters
    ----------
    text : str
        The conditions, joined by "and"; ``"always"`` if there is none.
    r2 : float
        R2 of the whole tree on rows that were not used to fit it; NaN if the attribute is constant on them.
    mean : float
        Mean of the attribute over all rows in the leaf.
    share : float
        Share of all rows that are in the leaf.
    depth : int
        The largest depth that the tree was allowed.
    conditions : tuple of str
        One for each original column on the path.

    Examples
    --------
    >>> rule = Rule("age > 47", r2=0.81, mean=2.25, share=0.2, depth=5, conditions=("age > 47",))
    >>> rule.is_short_rule, str(rule)
    (True, 'age > 47 (R2 0.81 on unseen rows; mean 2.25 in 20% of rows)')
    """

    text: str
    r2: float
    mean: float
    share: float
    depth: int
    conditions: tuple[str, ...]

    @property
    def is_short_rule(self) -> bool:
        """Whether the tree explains at least half of the attribute's variance on unseen rows."""
        return self.r2 >= SHORT

    def __str__(self) -> str:
        if self.is_short_rule:
            inside = f"mean {format_number(self.mean)} in {format_share(self.share)} of rows"
            return f"{self.text} (R2 {self.r2:.2f} on unseen rows; {inside})"
        if math.isnan(self.r2):
            return "There is no short rule (it varies too little, or on too few rows, to measure one)."
        # 49.9 % must not read as the 50 % at which there is a rule.
        explained = f"{min(self.r2, 0.49):.0%}" if self.r2 >= 0.01 else "nothing"
        return f"There is no short rule (depth {self.depth} explains {explained} on unseen rows)."


def fit_rule(
    columns: RuleColumns,
    matrix: np.ndarray,
    values: np.ndarray,
    *,
    max_depth: int = 5,
    sample_weight: np.ndarray | None = None,
    random_state: Any = 0,
    max_rows: int = 20000,
) -> Rule:
    """Fit a regression tree to an attribute and read off the path to its largest leaf.

    Branches that explain next to nothing are pruned, so that no condition in the rule is idle.
    The tree is fitted on 75 % of the rows, and its R2 is measured on the others. With fewer than 40 rows it
    is fitted on all, and R2 is that of the predictions of 4-fold cross-validation. Rows of weight 0 are left
    out.

    Parameters
    ----------
    columns : RuleColumns
        What the tree splits on.
    matrix : ndarray of shape (n, d)
        Numbers and category codes of the rows.
    values : ndarray of shape (n,)
        The attribute.
    max_depth : int
        Most conditions on a path.
    sample_weight : ndarray of shape (n,), optional
        Weights of the rows in the fit, in R2, in the leaf's mean and in its share.
    random_state : int, RandomState or None
        Draws the rows held out.
    max_rows : int
        Of more rows a random part is used for fit and R2; mean and share are of all rows.

    Returns
    -------
    Rule
        Selects, as printed, exactly the rows in the leaf. ``"always"`` with R2 NaN for a constant attribute.

    Raises
    ------
    ValueError
        When shapes do not fit, values are not finite, or no row has a weight.
    """
    matrix, values, weight = _checked_rows(columns, matrix, values, sample_weight)
    rng = own_random_state(random_state)
    mean = float(np.average(values, weights=weight))
    if not varies(values):
        return Rule("always", math.nan, mean, 1.0, max_depth, ())
    rows = rng.permutation(len(values))[:max_rows]
    tree_inputs = columns.transform(matrix)
    training, tree, r2 = _fit_and_measure(tree_inputs, values, weight, rows, max_depth, rng)
    leaf, splits = _path_to_largest(tree.tree_)
    inside = tree.apply(tree_inputs) == leaf
    conditions = columns._conditions(splits, matrix, np.isnan(matrix[training]).any(axis=0))
    return Rule(
        text=" and ".join(conditions) or "always",
        r2=r2,
        mean=float(np.average(values[inside], weights=weight[inside])),
        share=float(weight[inside].sum() / weight.sum()),
        depth=max_depth,
        conditions=conditions,
    )


def varies(values: np.ndarray) -> bool:
    """Whether numbers (n,) differ by more than rounding."""
    return bool(np.ptp(values) > 1e-12 * np.abs(values).max())


def _fit_and_measure(
    tree_inputs: np.ndarray,
    values: np.ndarray,
    weight: np.ndarray,
    rows: np.ndarray,
    max_depth: int,
    rng: Any,
) -> tuple[np.ndarray, DecisionTreeRegressor, float]:
    """Give the rows a tree was fitted on, the tree, and R2 on rows that are unseen to the tree measured."""
    seed = int(rng.randint(2**31 - 1))

    def fit(training: np.ndarray) -> DecisionTreeRegressor:
        least = max(5, len(training) // 200)
        mean = np.average(values[training], weights=weight[training])
        variance = np.average((values[training] - mean) ** 2, weights=weight[training])
        tree = DecisionTreeRegressor(
            max_depth=max_depth, min_samples_leaf=least, ccp_alpha=PRUNED * variance, random_state=seed
        )
        return tree.fit(tree_inputs[training], values[training], sample_weight=weight[training])

    if len(rows) < FEW:
        predicted = np.full(len(values), np.nan)
        for training, unseen in KFold(min(4, len(rows))).split(rows):
            predicted[rows[unseen]] = fit(rows[training]).predict(tree_inputs[rows[unseen]])
        return rows, fit(rows), _r2(values[rows], predicted[rows], weight[rows])
    cut = round(HELD_OUT * len(rows))
    held_out, training = rows[:cut], rows[cut:]
    tree = fit(training)
    return training, tree, _r2(values[held_out], tree.predict(tree_inputs[held_out]), weight[held_out])


def _r2(values: np.ndarray, predicted: np.ndarray, weight: np.ndarray) -> float:
    return float(r2_score(values, predicted, sample_weight=weight)) if varies(values) else math.nan


def _path_to_largest(tree: Any) -> tuple[int, list[Split]]:
    """Give the leaf with the largest mean and the splits from the root to it."""
    is_leaf = tree.children_left < 0
    leaf = node = int(np.argmax(np.where(is_leaf, tree.value[:, 0, 0], -np.inf)))
    parents = {int(child): (i, True) for i, child in enumerate(tree.children_left) if child >= 0}
    parents |= {int(child): (i, False) for i, child in enumerate(tree.children_right) if child >= 0}
    splits = []
    while node in parents:
        node, left = parents[node]
        missing_left = bool(tree.missing_go_to_left[node])
        splits.append(Split(int(tree.feature[node]), float(tree.threshold[node]), left, missing_left == left))
    return leaf, splits[::-1]


def _category_parts(j: int, column: np.ndarray) -> list[TreeColumn]:
    known = column[column >= 0].astype(int)
    counts = np.bincount(known) if len(known) else np.zeros(0, dtype=int)
    frequent = np.argsort(-counts, kind="stable")[:MAX_LEVELS]
    parts = [TreeColumn(j, int(level)) for level in sorted(frequent[counts[frequent] > 0])]
    return parts + ([TreeColumn(j, MISSING)] if np.isnan(column).any() else [])


def _is_boolean(cells: np.ndarray) -> bool:
    return {isinstance(cell, bool | np.bool_) for cell in cells if not is_missing(cell)} == {True}


def _checked_matrix(matrix: Any, d: int) -> np.ndarray:
    matrix = check_array(matrix, dtype=np.float64, ensure_all_finite="allow-nan", input_name="matrix")
    if matrix.shape[1] != d:
        raise ValueError(f"matrix has {matrix.shape[1]} columns; expected {d}, those of the reader.")
    return matrix


def _checked_rows(
    columns: RuleColumns, matrix: Any, values: Any, sample_weight: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Check rows, and leave out those of weight 0."""
    matrix = _checked_matrix(matrix, len(columns.names))
    values = np.asarray(values, dtype=np.float64)
    if values.shape != (len(matrix),):
        raise ValueError(
            f"values has shape {values.shape}; expected ({len(matrix)},), one per row of matrix."
        )
    if not np.isfinite(values).all():
        raise ValueError("values holds NaN or infinity; expected finite numbers.")
    weight = check_weights(sample_weight, len(matrix))
    keep = weight > 0
    return matrix[keep], values[keep], weight[keep]
