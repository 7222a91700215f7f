"""Forests of other libraries as teachers, rewritten as LightGBM's."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np

from .._task import Task
from ..conversion import known_levels, levels_in, rewritten, words_of
from ..tabular import TableReader, joined_levels, stand_ins
from ._lightgbm_levels import add_known
from ._table import AS_IT_IS, TeacherTable
from .lightgbm import LightGBMTeacher


class ConvertedTeacher(LightGBMTeacher):
    """A fitted forest of XGBoost, CatBoost or scikit-learn with its own raw scores.

    All that is asked of it, its rewritten forest answers; see :func:`skrationale.to_lightgbm`. It is not
    pickled with the model, but rewritten anew when it is asked for.

    Parameters
    ----------
    model : estimator or Booster
        Fitted. Only a reference to it is held.
    form : TeacherTable, optional
        Of the table that the model takes.
    role : str, default="teacher"
        What messages call the model.
    levels : sequence of d (ndarray or None), optional
        Levels of each of the model's columns, None for numbers; None: those of the reader of `form`, or
        those that the model knows.

    Attributes
    ----------
    model_form : TeacherTable
        Of the table that the model takes; `form` is of that which the rewritten forest takes.

    Raises
    ------
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        As :func:`skrationale.to_lightgbm` does.
    """

    def __init__(
        self,
        model: Any,
        form: TeacherTable = AS_IT_IS,
        role: str = "teacher",
        levels: Sequence[np.ndarray | None] | None = None,
    ) -> None:
        if levels is None and form.reader is not None:
            own = form.reader.levels
            levels = own if form.order is None else [own[j] for j in form.order]
        self._levels = levels
        found = rewritten(model, levels)
        self._booster = found.booster
        missing = found.missing_codes
        if form.order is not None:
            missing = {int(form.order[j]): code for j, code in missing.items()}
        super().__init__(found.booster, _of_forest(form, missing), role)
        self.model, self._own_form, self.missing_codes = model, form, missing
        self.link = found.link
        self.task = Task(found.link, self.n_outputs, found.classes)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_booster": None}

    @property
    def booster(self) -> Any:
        """The trees."""
        if self._booster is None:
            self._booster = rewritten(self.model, self._levels, check=False).booster
        return self._booster

    @property
    def model_form(self) -> TeacherTable:
        """The table that the model itself takes."""
        return self._own_form

    def knowing(self, X: Any) -> Self:
        """Give the teacher for rows (n, d) with levels that its forest does not know, and its model may know.

        CatBoost does not store its levels, and its forest has those of the rows that it was rewritten with.
        Where others come it is rewritten, as another teacher: this one stays what it is.
        """
        own, known = self._own_form, self._levels
        if known is None or not self.missing_codes or (own.reader is not None and not own.open_levels):
            return self
        shown = levels_in(X)
        if shown is None or len(shown) != len(known):
            return self
        places = range(len(known)) if own.order is None else own.order.tolist()
        new = {j: _beside(levels, shown[j]) for j, levels in zip(places, known, strict=True)}
        if not any(new.values()):
            return self
        if own.reader is None:
            more = [
                None if levels is None else joined_levels(levels, new[j])
                for j, levels in zip(places, known, strict=True)
            ]
            return type(self)(self.model, own, self.role, more)
        reader = copy.copy(own.reader)
        for j, levels in new.items():
            if levels:
                reader.add_levels(j, levels)
        return type(self)(self.model, replace(own, reader=reader), self.role)


def _beside(known: np.ndarray | None, shown: np.ndarray | None) -> list[Any]:
    """Give the levels of a column that are not known; the word for missing cells is."""
    if known is None or shown is None:
        return []
    seen = {*known, words_of(stand_ins(known))[-2]}
    return [level for level in shown if level not in seen]


def _of_forest(form: TeacherTable, missing_codes: Mapping[int, int]) -> TeacherTable:
    """Say in what form a rewritten forest takes the table; missing cells may be a level behind the others."""
    if form.reader is None:
        return TeacherTable(form.order)
    reader = copy.copy(form.reader)
    for j in missing_codes:
        levels = reader.levels[j]
        assert levels is not None
        reader.add_levels(j, [words_of(stand_ins(levels))[-2]])
    return TeacherTable(form.order, reader, categories=True, missing_codes=missing_codes)


def add_known_levels(model: Any, reader: TableReader, order: np.ndarray | None) -> None:
    """Add to a reader's levels those that a fitted model of another library knows beside them.

    Parameters
    ----------
    model : estimator
        Fitted.
    reader : TableReader
        Of the table at hand.
    order : ndarray of int of shape (d,) or None
        Position in that table of each of the model's columns.

    Raises
    ------
    ValueError
        When columns differ in kind, or in all their levels.
    """
    known = known_levels(model)
    if known is None or len(known) != len(reader.levels):
        return
    for j, levels in zip(range(len(known)) if order is None else order.tolist(), known, strict=True):
        own, name = reader.levels[j], reader.feature_names[j]
        if (own is None) != (levels is None):
            kinds = ["numbers", "text or categories"]
            raise ValueError(
                f"Column {name!r} of X holds {kinds[own is not None]}, but the model was fitted on "
                f"{kinds[levels is not None]} there; expected columns of the types at its fit."
            )
        if levels is not None:
            add_known(reader, j, levels)
