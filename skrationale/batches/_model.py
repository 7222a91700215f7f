"""What can be asked of a model whose reasons are written batch by batch."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._explaining import without_cells
from .._hooks import Hooks, OtherModel
from .._library import unfrozen
from ..tabular import safe_names
from ._hash import digest

if TYPE_CHECKING:
    from ..explanation import Explanation

NOT_IN_REASONS = frozenset({"history_", "lambda_path_", "verbose", "callbacks", "_has_fidelity"})
"""What a fitted model keeps that no reason depends on; times are among it, and what serving copies change."""


@dataclass(frozen=True)
class Asked:
    """A model and the columns of a table that it reads.

    Parameters
    ----------
    model : estimator or TreeContributions
        Fitted.
    columns : tuple of d str
        Their names in the table, in the order at fit.
    names_at_fit : tuple of d objects or None
        Their names at fit; None where the model was fitted to an array.
    form : Explanation
        Of one row, for all that is the same in each row: kind, link, names, base values.
    score_names : tuple of K str
        Names of the scores.
    alike : bool, default=False
        Whether columns may have names that LightGBM writes as those of `columns`.
    """

    model: Any
    columns: tuple[str, ...]
    names_at_fit: tuple[Any, ...] | None
    form: Explanation
    score_names: tuple[str, ...]
    alike: bool = False

    @classmethod
    def of(
        cls, model: Any, columns: Sequence[str] | None = None, given: Sequence[str] | None = None
    ) -> Asked:
        """Check a model, and find its columns.

        Parameters
        ----------
        model : estimator or TreeContributions
            What the user gave.
        columns : sequence of d str, default=None
            What the user says that the table calls them; None: as at fit.
        given : sequence of str, default=None
            Names of all columns that the table has, where these are known.

        Returns
        -------
        Asked

        Raises
        ------
        TypeError, ValueError, sklearn.exceptions.NotFittedError
            If the model gives no reasons, is not fitted or was fitted to pictures or texts, or columns are
            missing or too few or many.
        """
        model = _explains(model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a row that nobody asked about
            form = model._reasons_of_a_row()
        at_fit = model._columns_at_fit()
        names = _names(columns, at_fit, model._number_of_columns())
        alike = columns is None and not isinstance(model, Hooks)
        if given is not None:
            found, alike = find_columns(names, given, alike=alike), False
            missing = [name for name, place in zip(names, found, strict=True) if place is None]
            if missing:
                raise ValueError(_missing(missing, given, at_fit, columns))
            names = tuple(given[place] for place in found if place is not None)
        return cls(model, names, at_fit, form, tuple(model._names_of_scores()), alike)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of what the reasons belong to: the table's columns, or learned attributes."""
        return self.form.feature_names if self.form.kind == "attribute" else self.columns

    def hash(self) -> str:
        """Give a text that two models share only if they give the same reasons.

        It is the same after a round trip through pickle, and in another process. Of a student's teacher, on
        which no reason depends, it knows nothing.
        """
        left_out = NOT_IN_REASONS | getattr(self.model, "_of_teacher", frozenset())
        state = {name: value for name, value in self.model.__getstate__().items() if name not in left_out}
        return digest((type(self.model).__qualname__, sorted(state.items(), key=lambda item: item[0])))


def _explains(model: Any) -> Any:
    from sklearn.utils.validation import check_is_fitted

    from ..trees import TreeContributions

    model = unfrozen(model)
    if isinstance(model, TreeContributions):
        return model
    if not isinstance(model, Hooks) or isinstance(model, OtherModel) or not hasattr(model, "explain"):
        got = model.__name__ if isinstance(model, type) else type(model).__name__
        raise TypeError(
            f"`model` is a {got}; expected a fitted estimator of skrationale with the method explain, or "
            "TreeContributions(model) for a tree ensemble."
        )
    check_is_fitted(model)
    if model._kind_of_rows() != "table":
        raise TypeError(
            f"`model` is a {type(model).__name__} fitted to {model._kind_of_rows()}, which have no columns; "
            "expected one fitted to a table. Call its method explain instead."
        )
    return model


def _names(columns: Any, at_fit: tuple[Any, ...] | None, d: int) -> tuple[str, ...]:
    """Names by which to look for the d columns."""
    if columns is not None:
        names = text_list("columns", columns)
        if len(names) != d:
            raise ValueError(f"`columns` has {len(names)} names, expected {d}, one for each column at fit.")
        return names
    if at_fit is None:
        raise ValueError(
            f"`columns` is None, but the model was fitted to {d} columns without names; expected the "
            "names of these columns, in the order at fit."
        )
    return tuple(map(str, at_fit))


def text_list(name: str, value: Any) -> tuple[str, ...]:
    """Return a sequence of different texts as a tuple, or say what is wrong with a parameter."""
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise TypeError(f"`{name}` must be a list of column names, got {value!r}.")
    names = tuple(value)
    if not all(isinstance(each, str) for each in names):
        raise TypeError(f"`{name}` must be a list of column names, got {list(names)!r}.")
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise ValueError(f"`{name}` has {twice} more than once.")
    return tuple(map(str, names))


def find_columns(names: Sequence[str], given: Sequence[str], *, alike: bool) -> list[int | None]:
    """Say where columns of these names stand among those given.

    Parameters
    ----------
    names, given : sequence of str
        Wanted and there.
    alike : bool
        Whether names that LightGBM would write in the same way will do.

    Returns
    -------
    list of int or None
        A place for each name; None where it is missing.

    Raises
    ------
    ValueError
        If two columns may be meant.
    """
    written = [safe_names([name])[0] for name in given] if alike else list(given)
    found: list[int | None] = []
    for name in names:
        places = [place for place, other in enumerate(written) if other == name]
        if len(places) > 1:
            both = [given[place] for place in places]
            raise ValueError(
                f"The model reads a column {name!r}, but the data have several columns of this name: "
                f"{both}. (LightGBM replaces some characters in names.) Rename these columns, or name the "
                "columns to read in `columns`."
            )
        found.append(places[0] if places else None)
    return found


def _missing(missing: list[str], given: Sequence[str], at_fit: Any, columns: Any) -> str:
    here = f"{list(given[:10])}" + (", ..." if len(given) > 10 else "")
    asked = "that `columns` names" if columns is not None else "that the model reads"
    hint = (
        ""
        if columns is not None
        else "; if these columns have other names in the data, give these names as `columns`"
    )
    return f"The data do not have the column(s) {missing[:10]} {asked}; they have {here}{hint}."


def scores_and_values(asked: Asked, X: Any) -> tuple[np.ndarray, Explanation]:
    """Explain rows.

    Parameters
    ----------
    asked : Asked
        The model.
    X : DataFrame or array-like of shape (n, d)
        Rows as the model takes them.

    Returns
    -------
    scores : ndarray of shape (n, K)
        What base and reasons add up to; where these do not add up, the model's raw scores.
    explanation : Explanation
        The reasons, without the cells as typed.
    """
    with without_cells():
        explanation = asked.model.explain(X)
    return asked.model._scores_explained(explanation), explanation
