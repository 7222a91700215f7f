"""Names of the columns that a fitted model knows, and where a table has them."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._callers import outside
from .._library import is_pipeline, library_of, unfrozen
from ..tabular import TableReader, are_counted, safe_names

SHOWN = 20
"""Names that a message lists at most."""
INNER = ("best_estimator_", "estimator_", "regressor_", "classifier_")
"""Where models keep the one that they ask, when they have no names themselves."""


def names_at_fit(model: Any) -> list[str] | None:
    """Give the names of the columns that a model was fitted on.

    Parameters
    ----------
    model : object
        Fitted: an estimator, perhaps frozen or a Pipeline, or a Booster.

    Returns
    -------
    list of str or None
        In the order at fit; None where it does not know any, as after a fit on an array.
    """
    model = unfrozen(model)
    reader = getattr(model, "_reader", None)
    if isinstance(reader, TableReader):
        return None if reader.names is None else list(map(str, reader.names))
    if is_pipeline(model):
        steps = (step for _, step in model.steps if step is not None and not isinstance(step, str))
        return names_at_fit(next(steps, None))
    known = getattr(model, "feature_names_in_", None)
    if known is None and library_of(model) is not None:
        found = (getter(model) for getter in NAME_GETTERS)
        known = next((names for names in found if names is not None), None)
    if known is None:
        inner = next((getattr(model, name) for name in INNER if hasattr(model, name)), None)
        return None if inner is None else names_at_fit(inner)
    return list(map(str, known))


def _of_lightgbm(model: Any) -> Any:
    known = getattr(model, "feature_name", None)
    return known() if callable(known) else None


NAME_GETTERS = (
    _of_lightgbm,
    lambda model: getattr(model, "feature_names_", None),  # CatBoost
    lambda model: getattr(model, "feature_names", None),  # a Booster of XGBoost
)


def column_order(
    model: Any, names: Sequence[Any] | None, *, role: str = "teacher", warn: bool = True
) -> np.ndarray | None:
    """Say where a table has the columns that a fitted model was fitted on.

    Parameters
    ----------
    model : object
        Fitted.
    names : sequence or None
        Names of the table's d columns; None where it is an array.
    role : str, default="teacher"
        What messages call the model.
    warn : bool, default=True
        Whether to warn of a model without names.

    Returns
    -------
    ndarray of int of shape (d,) or None
        Position in the table of each column of the model; None where they come in the same order, or
        where one of both has no names.

    Raises
    ------
    ValueError
        When both have names and these are not the same, or cannot be told apart; the message says which
        is the first that differs.

    Warns
    -----
    UserWarning
        When the model knows no names and those of the table are no text, nor mere positions.
    """
    known = names_at_fit(model)
    if names is None:
        return None
    given = list(map(str, names))
    if known is None:
        if warn and not (are_counted(given) or all(isinstance(name, str) for name in names)):
            _warn_of_no_names(model, given, role)
        return None
    if known == given:
        return None
    lightgbm = library_of(unfrozen(model)) == "lightgbm"
    if lightgbm and safe_names(given) == known:
        # it keeps numbered names where two would be the same, and which is which is not known
        _refuse_twins([safe_names([name])[0] for name in given], role)
        return None
    spellings = [(known, given)]
    if lightgbm:
        spellings.append((safe_names(known), safe_names(given)))
    for here, there in spellings:
        if sorted(here) == sorted(there):
            _refuse_twins(there, role)
            places = {name: j for j, name in enumerate(there)}
            order = np.array([places[name] for name in here])
            return None if (order == np.arange(len(order))).all() else order
    if are_counted(known) or are_counted(given) or _picks_by_name(model, known, given):
        return None
    raise ValueError(_difference(model, known, given, role))


def _warn_of_no_names(model: Any, given: list[str], role: str) -> None:
    """Say that columns are read by position: scikit-learn remembers no names but text."""
    shown = ", ".join(given[:SHOWN]) + (", ..." if len(given) > SHOWN else "")
    warnings.warn(
        f"X has the columns {shown}, but the {role} {type(unfrozen(model)).__name__} has no column names "
        "(scikit-learn stores names only if all of them are text) and reads columns by position. Check "
        "that the columns are in the order of its fit, or use names that are text, both in X and when the "
        f"{role} is fitted.",
        UserWarning,
        stacklevel=outside(),
    )


def _picks_by_name(model: Any, known: list[str], given: list[str]) -> bool:
    """Whether a model looks up the columns that it needs by itself."""
    from sklearn.compose import ColumnTransformer

    model = unfrozen(model)
    model = getattr(model, "best_estimator_", model)
    while is_pipeline(model):
        model = model.steps[0][1]
    return isinstance(model, ColumnTransformer) and set(known) <= set(given)


def _refuse_twins(names: list[str], role: str) -> None:
    twins = [name for name, count in Counter(names).items() if count > 1]
    if twins:
        raise ValueError(
            f"X has more than one column {twins[0]!r}, so the columns of the {role} cannot be found by "
            f"name; expected different names, or the columns in the order of the {role}'s fit."
        )


def _difference(model: Any, known: list[str], given: list[str], role: str) -> str:
    """Say in words which column is the first that the table and a model do not share."""
    new = next((name for name in given if name not in known), None)
    lacking = next((name for name in known if name not in given), None)
    who = f"the {role} {type(unfrozen(model)).__name__}"
    if new is not None and lacking is not None:
        words = f"X has column {new!r}, on which {who} was not fitted, and lacks its column {lacking!r}"
    elif new is not None:
        words = f"X has column {new!r}, on which {who} was not fitted"
    elif lacking is not None:
        words = f"X lacks column {lacking!r}, on which {who} was fitted"
    else:
        often = next(name for name in given if given.count(name) != known.count(name))
        words = f"X has column {often!r} {given.count(often)} times, {who} {known.count(often)} times"
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return f"{words}; expected the feature names {known[:SHOWN]}{more}, in any order."


def in_order(table: Any, order: np.ndarray | None) -> Any:
    """Take the columns of a DataFrame or an array in an order; None leaves them as they are."""
    if order is None:
        return table
    return table.iloc[:, order] if hasattr(table, "iloc") else np.asarray(table)[:, order]


def some_rows(table: Any, rows: Any) -> Any:
    """Take rows of a DataFrame or an array by position."""
    return table.iloc[rows] if hasattr(table, "iloc") else table[rows]


def arranged(model: Any, table: Any, *, role: str = "model") -> Any:
    """Bring the columns of a table into the order at the fit of a model, by their names.

    Parameters
    ----------
    model : object
        Fitted.
    table : DataFrame or ndarray of shape (n, d)
        Rows.
    role : str, default="model"
        What messages call the model.

    Returns
    -------
    DataFrame or ndarray of shape (n, d)
        The table itself where nothing is to be done.

    Raises
    ------
    ValueError
        When names differ; not all models would look at them.
    """
    return in_order(table, column_order(model, getattr(table, "columns", None), role=role, warn=False))


def refuse_other_order(at_fit: Sequence[Any] | None, table: Any) -> None:
    """Refuse a table whose columns are those at fit in another order, where scikit-learn would not look.

    Parameters
    ----------
    at_fit : sequence or None
        Names of the columns at fit, which may be numbers; None after a fit on an array.
    table : DataFrame or ndarray of shape (n, d)
        Rows.

    Raises
    ------
    ValueError
        When names that are not all text are the same ones in another order, or different ones of which
        neither are mere positions.
    """
    columns = getattr(table, "columns", None)
    if at_fit is None or columns is None:
        return
    if all(isinstance(name, str) for name in (*at_fit, *columns)):
        return
    known, given = list(map(str, at_fit)), list(map(str, columns))
    counted = are_counted(known) or are_counted(given)
    if known == given or (counted and Counter(known) != Counter(given)):
        return
    here, there = next((a, b) for a, b in zip(given, known, strict=False) if a != b)
    raise ValueError(
        f"X has column {here!r} where column {there!r} was at fit; expected the columns in the order at fit, "
        f"{known[:SHOWN]}."
    )
