"""Levels of category columns, as LightGBM keeps them: in the order of its codes, and of no named columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tabular import TableReader, stand_ins


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
            f"X has {len(columns)} categorical or text column(s), but the model was fitted on "
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
        f"Column {name!r} of X holds levels such as {own[0]!r}, and the model was fitted on none of them, "
        f"but on levels such as {known[0]!r}. Give it the same levels as at its fit, for example by "
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
        add_known(reader, j, known)


def add_known(reader: TableReader, j: int, known: Sequence[Any]) -> None:
    """Add to a reader's levels of column j those of a model; raise ValueError where none is shared."""
    own = reader.levels[j]
    assert own is not None
    refuse_foreign_levels(reader.feature_names[j], own, known)
    seen = set(stand_ins(own))
    reader.add_levels(j, [level for level in known if level not in seen])
