"""What a formula can speak of: the numbers, the missing values and the levels of a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..tabular import TableReader

Kind = Literal["number", "missing", "level"]


@dataclass(frozen=True)
class Variable:
    """One column of numbers made from one column of the table.

    Parameters
    ----------
    column : int
        Position of the column in the table.
    name : str
        Its name.
    kind : {"number", "missing", "level"}
        The number itself; 1 where it is missing, else 0; 1 where it is `level`, else 0.
    fill : float, default=0.0
        What stands for a missing number; NaN keeps it missing.
    level : object, default=None
        The level as the user typed it.
    code : float, default=0.0
        The code of the level in :class:`TableReader`.

    Examples
    --------
    >>> Variable(2, "city", "level", level="Ulm", code=1.0).label
    '[city = "Ulm"]'
    """

    column: int
    name: str
    kind: Kind
    fill: float = 0.0
    level: Any = None
    code: float = 0.0

    @property
    def label(self) -> str:
        """How the variable is shown: ``age``, ``missing(age)`` or ``[city = "Ulm"]``."""
        if self.kind == "number":
            return self.name
        if self.kind == "missing":
            return f"missing({self.name})"
        level = json.dumps(self.level, ensure_ascii=False) if isinstance(self.level, str) else str(self.level)
        return f"[{self.name} = {level}]"

    def values(self, matrix: np.ndarray) -> np.ndarray:
        """Compute the variable.

        Parameters
        ----------
        matrix : ndarray of shape (n, d)
            What ``TableReader.transform`` gave.

        Returns
        -------
        ndarray of shape (n,), float64
            In the column's own unit, or 0 and 1.
        """
        column = matrix[:, self.column]
        missing = np.isnan(column)
        if self.kind == "number":
            return np.where(missing, self.fill, column)
        return (missing if self.kind == "missing" else column == self.code).astype(np.float64)


def reader_of(names: Sequence[str], levels: Sequence[np.ndarray | None] | None = None) -> TableReader:
    """Make a reader of columns with these names, of numbers unless levels are given."""
    reader = TableReader()
    reader.feature_names = tuple(names)
    reader.levels = (None,) * len(names) if levels is None else tuple(levels)
    return reader


LARGEST, LEAST = 2.0**250, 2.0**-250
"""Sizes of columns, about 1e75 and 1e-75, of which products of four are in the range of a float64."""


def check_columns(reader: TableReader, matrix: np.ndarray) -> None:
    """Refuse columns of numbers that are so large or small that formulas could not hold their products.

    Parameters
    ----------
    reader : TableReader
        Fitted on the table.
    matrix : ndarray of shape (n, d)
        The training rows, as `reader` gave them.

    Raises
    ------
    ValueError
        Naming the column.
    """
    for name, levels, column in zip(reader.feature_names, reader.levels, matrix.T, strict=True):
        largest = np.fmax.reduce(np.abs(column), initial=0.0)
        varies = levels is None and np.fmax.reduce(column) > np.fmin.reduce(column)
        if varies and not LEAST <= largest <= LARGEST:
            raise ValueError(
                f"Column {name!r} of X holds numbers up to {largest:.3g} in size; expected between "
                f"{LEAST:.0e} and {LARGEST:.0e}, so that formulas can hold products. Multiply the column by "
                "a constant."
            )


def make_variables(
    reader: TableReader, matrix: np.ndarray, max_levels: int = 40, weights: np.ndarray | None = None
) -> tuple[Variable, ...]:
    """Choose the variables that a table offers.

    Parameters
    ----------
    reader : TableReader
        Fitted on the table.
    matrix : ndarray of shape (n, d)
        The training rows, as `reader` gave them.
    max_levels : int, default=40
        At most this many levels of a column become variables, the most frequent ones.
    weights : ndarray of shape (n,), default=None
        Weights of the rows, by which levels are counted. Rows of weight 0 count as absent.

    Returns
    -------
    tuple of Variable
        In the order of the columns. A column of numbers gives itself, with its median for missing values;
        a column with missing values says where they are; a column of categories gives its levels,
        one alone when there are two and none is missing. What is the same in all rows is left out.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"age": [30.0, None, 50.0], "city": ["Ulm", "Bonn", "Ulm"]})
    >>> reader = TableReader().fit(table)
    >>> [variable.label for variable in make_variables(reader, reader.transform(table))]
    ['age', 'missing(age)', '[city = "Ulm"]']
    """
    weights = np.ones(len(matrix)) if weights is None else np.asarray(weights, dtype=np.float64)
    matrix, weights = matrix[weights > 0], weights[weights > 0]
    variables: list[Variable] = []
    for j, (name, levels) in enumerate(zip(reader.feature_names, reader.levels, strict=True)):
        missing = np.isnan(matrix[:, j])
        values = matrix[~missing, j]
        if levels is None and values.size and values.min() < values.max():
            variables.append(Variable(j, name, "number", fill=float(np.median(values))))
        if missing.any() and not missing.all():
            variables.append(Variable(j, name, "missing"))
        if levels is not None:
            chosen = _frequent(values, weights[~missing], max_levels, bool(missing.any()))
            variables += [Variable(j, name, "level", level=levels[code], code=float(code)) for code in chosen]
    return tuple(variables)


def _frequent(codes: np.ndarray, weights: np.ndarray, max_levels: int, some_missing: bool) -> list[int]:
    """Choose the codes of the levels that become variables, in rising order."""
    known = codes >= 0
    present, position = np.unique(codes[known].astype(int), return_inverse=True)
    if len(present) < 2:
        return []
    if len(present) == 2 and not some_missing:
        return [int(present[1])]
    counts = np.bincount(position, weights=weights[known], minlength=len(present))
    chosen = np.argsort(-counts, kind="stable")[:max_levels]
    return sorted(int(code) for code in present[chosen])


def variable_values(variables: tuple[Variable, ...], matrix: np.ndarray) -> np.ndarray:
    """Compute all variables.

    Parameters
    ----------
    variables : tuple of p Variable
        From :func:`make_variables`.
    matrix : ndarray of shape (n, d)
        What ``TableReader.transform`` gave.

    Returns
    -------
    ndarray of shape (n, p), float64
        One column a variable.
    """
    values = np.empty((len(matrix), len(variables)))
    for j, variable in enumerate(variables):
        values[:, j] = variable.values(matrix)
    return values
