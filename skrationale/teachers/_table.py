"""The table that a teacher takes, made of the rows that its student has read."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..explanation import Explanation
from ..tabular import UNKNOWN_TOLD, TableReader, as_frame_or_array, stand_ins
from ._columns import column_order, in_order
from ._library import library_of


@dataclass(frozen=True, eq=False)
class TeacherTable:
    """How rows become the table that a teacher takes, and how what it says of columns comes back.

    Parameters
    ----------
    order : ndarray of int of shape (d,), optional
        Position in the student's table of each of the teacher's columns; None where both are the same.
    reader : TableReader, optional
        Of teachers of LightGBM, which take text only as categories.
    """

    order: np.ndarray | None = None
    reader: TableReader | None = None

    @classmethod
    def of(cls, teacher: Any, reader: TableReader, *, fitted: bool) -> TeacherTable:
        """See what a teacher needs.

        Parameters
        ----------
        teacher : estimator
            Not frozen.
        reader : TableReader
            Of the student.
        fitted : bool
            Whether the teacher was fitted elsewhere, and knows columns and levels of its own.

        Returns
        -------
        TeacherTable

        Raises
        ------
        ValueError
            When a fitted teacher knows other columns, or other levels.
        """
        order = column_order(teacher, reader.names) if fitted else None
        if library_of(teacher) != "lightgbm":
            return cls(order)
        own = copy.copy(reader)
        if fitted and teacher.booster_.num_feature() == len(reader.levels):
            add_levels_at_fit(teacher.booster_, own, order)
        return cls(order, own)

    def rows(self, X: Any) -> Any:
        """Make the teacher's table of rows (n, d), which stay what they are where nothing needs doing."""
        if self.reader is not None:
            with UNKNOWN_TOLD.on():  # the student's reader has warned
                return self.of_codes(self.reader.transform(X))
        return X if self.order is None else in_order(as_frame_or_array(X), self.order)

    def of_codes(self, codes: np.ndarray) -> Any:
        """Make the teacher's table of rows as `reader` gives them, some of which were never in a table."""
        assert self.reader is not None
        return in_order(self.reader.to_frame(codes, savable=True), self.order)

    def back(self, values: np.ndarray, axis: int = 1) -> np.ndarray:
        """Bring an axis of the teacher's columns into the order of the student's."""
        return values if self.order is None else np.take(values, np.argsort(self.order), axis=axis)

    def explanation_back(self, explanation: Explanation) -> Explanation:
        """Bring an explanation by the teacher's columns into the order of the student's."""
        if self.order is None or explanation.values.shape[1] != len(self.order):
            return explanation
        places = np.argsort(self.order)
        fields = ("values", "data", "display_data", "mask", "lower_bounds", "upper_bounds")
        cells = {name: getattr(explanation, name) for name in fields}
        moved: dict[str, Any] = {
            name: np.take(array, places, axis=1) for name, array in cells.items() if array is not None
        }
        names = tuple(explanation.feature_names[j] for j in places)
        return replace(explanation, **moved, feature_names=names)


AS_IT_IS = TeacherTable()
"""Of a model that is asked about tables as it knows them."""


def levels_at_fit(
    booster: Any, own: Sequence[np.ndarray | None], order: np.ndarray | None = None
) -> dict[int, list[Any]]:
    """Give the levels of category columns in the order of LightGBM's codes.

    Parameters
    ----------
    booster : lightgbm.Booster
        The model.
    own : sequence of d entries
        Levels of each column in the table at hand, None for a numeric one: LightGBM stores
        levels without saying of which columns.
    order : ndarray of int of shape (d,), optional
        Position in that table of each of the model's columns.

    Returns
    -------
    dict of int to list
        By position of the column in the table at hand.

    Raises
    ------
    ValueError
        If the model was fitted on another number of category columns.
    """
    places = range(len(own)) if order is None else order.tolist()
    columns = [j for j in places if own[j] is not None]
    known = booster.pandas_categorical or []
    if len(known) != len(columns):
        raise ValueError(
            f"X has {len(columns)} categorical or text column(s), but the teacher was fitted on "
            f"{len(known)} category column(s); expected columns of the types at its fit."
        )
    return dict(zip(columns, known, strict=True))


def refuse_foreign_levels(
    name: str, own: np.ndarray, known: Sequence[Any], *, as_given: bool = False
) -> None:
    """Refuse a column none of whose levels a model knows: all of them would be missing values to it.

    Parameters
    ----------
    name : str
        Of the column.
    own : ndarray of shape (l,)
        Its levels.
    known : sequence
        Levels at the fit of the model.
    as_given : bool, default=False
        Whether the model is asked about the table as it is, without text in place of other levels; levels
        of the same type may then all be new, as in few rows.

    Raises
    ------
    ValueError
        Saying what to do.
    """
    if not len(own) or not len(known) or set(own if as_given else stand_ins(own)) & set(known):
        return
    kinds = [{_kind(level) for level in levels} for levels in (own, known)]
    if as_given and kinds[0] & kinds[1]:
        return
    raise ValueError(
        f"Column {name!r} of X holds levels such as {own[0]!r}, none of which the fitted model knows; it was "
        f"fitted on levels such as {known[0]!r}. Give it the same levels as at its fit, for example by "
        f"X[{name!r}].astype(str).astype('category')."
    )


def _kind(level: Any) -> str:
    if isinstance(level, str):
        return "text"
    return "number" if isinstance(level, int | float | np.number | np.bool_) else type(level).__name__


def add_levels_at_fit(booster: Any, reader: TableReader, order: np.ndarray | None) -> None:
    """Add to a reader's levels those that a fitted model knows beside them.

    Parameters
    ----------
    booster : lightgbm.Booster
        The model.
    reader : TableReader
        Of the table at hand.
    order : ndarray of int of shape (d,) or None
        Position in that table of each of the model's columns.

    Raises
    ------
    ValueError
        When columns differ in kind, or in all their levels.
    """
    for j, known in levels_at_fit(booster, reader.levels, order).items():
        own = reader.levels[j]
        assert own is not None
        refuse_foreign_levels(reader.feature_names[j], own, known)
        seen = set(stand_ins(own))
        reader.add_levels(j, [level for level in known if level not in seen])
