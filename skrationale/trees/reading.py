"""Read a table as a fitted LightGBM model does: its columns, and the codes of its categories."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._task import Task
from ..conversion import can_be_rewritten, known_levels, levels_in, source_of
from ..tabular import FewRows, TableReader, are_counted, as_frame_or_array, densely
from ..teachers import column_order, refuse_foreign_levels, unfrozen
from ..teachers.lightgbm import LightGBMTeacher


@dataclass(frozen=True, eq=False)
class ModelRows:
    """Rows as a model reads them.

    Parameters
    ----------
    table : DataFrame or ndarray of shape (n, d)
        What was given, in one of two forms.
    reader : TableReader
        Its levels are those of the model.
    names : tuple of str
        Names of the d columns.
    codes : ndarray of shape (n, d), float64
        Numbers, and the model's codes of categories: -1 for a level that it does not know, NaN if missing.
    few : FewRows, optional
        Where rows were few, and read as such.
    """

    table: Any
    reader: TableReader
    names: tuple[str, ...]
    codes: np.ndarray
    few: FewRows | None = None


def forest_of(model: Any, X: Any = None) -> LightGBMTeacher:
    """Give what a model can be asked that the user wants explained.

    Parameters
    ----------
    model : estimator, Booster, FrozenEstimator or LightGBMTeacher
        Fitted tree ensemble, of LightGBM or one that can be rewritten as such.
    X : table of shape (n, d), default=None
        Rows, whose levels are taken where the model does not keep its own.

    Returns
    -------
    LightGBMTeacher
        Its messages speak of the model, for it teaches nobody.

    Raises
    ------
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        As :class:`LightGBMTeacher` or :func:`skrationale.to_lightgbm` does.
    """
    if isinstance(model, LightGBMTeacher):
        return model
    model = unfrozen(model)
    if not can_be_rewritten(model):
        return LightGBMTeacher(model, role="model")
    from ..teachers.converted import ConvertedTeacher

    keeps_levels = X is None or known_levels(model) is not None
    return ConvertedTeacher(model, role="model", levels=None if keeps_levels else levels_in(X))


def forest_against(model: Any, background: Any) -> LightGBMTeacher:
    """Give what `forest_of` does of background rows (B, d); errors that these cause say so.

    Parameters
    ----------
    model : estimator, Booster, FrozenEstimator or LightGBMTeacher
        Fitted tree ensemble.
    background : table of shape (B, d) or None
        Rows, whose levels are taken where the model does not keep its own.

    Returns
    -------
    LightGBMTeacher

    Raises
    ------
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        As `forest_of` does.
    """
    own = unfrozen(model)
    try:
        return forest_of(own)
    except ValueError:
        if background is None or not can_be_rewritten(own) or source_of(own).levels is not None:
            raise
    background = densely(background)
    with naming_background():
        source_of(own, levels_in(background))
    return forest_of(own, background)


@contextmanager
def naming_background() -> Iterator[None]:
    """Say of errors inside the block that they are of background rows."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"`background` must be rows that the model can read: {error}") from error


def model_rows(teacher: LightGBMTeacher, X: Any) -> ModelRows:
    """Read rows for a model.

    Parameters
    ----------
    teacher : LightGBMTeacher
        The model, which knows columns and levels.
    X : table of shape (n, d)
        Rows, with the same columns as in ``fit``.

    Returns
    -------
    ModelRows

    Raises
    ------
    ValueError, TypeError
        If columns or all levels of one of them are not those at fit, or cells cannot be read.
    """
    table = as_frame_or_array(densely(X))
    reader = TableReader().fit(table)
    names = _feature_names(teacher, reader, named=not isinstance(table, np.ndarray))
    teacher.read_as_at_fit(reader, names)
    return ModelRows(table, reader, names, teacher.with_missing(reader.transform(table)))


class ModelReader:
    """Reads tables for a model, and few rows fast where the table before had the same columns.

    Parameters
    ----------
    teacher : LightGBMTeacher
        The model, which knows columns and levels.

    Notes
    -----
    Threads may share it, and processes that it is sent to get it without memory of earlier tables.
    """

    def __init__(self, teacher: LightGBMTeacher) -> None:
        self._teacher = teacher
        self._last: tuple[TableReader, tuple[str, ...]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_teacher": self._teacher, "_last": None}

    @property
    def n_columns(self) -> int:
        """Number of columns at fit."""
        return self._teacher.n_features

    @property
    def names_at_fit(self) -> tuple[str, ...] | None:
        """Names of the columns, as LightGBM writes them; None where the model was fitted to an array."""
        names = self._teacher.booster.feature_name()
        return None if are_counted(names) else tuple(names)

    def read(self, X: Any) -> ModelRows:
        """Read rows as :func:`model_rows` does."""
        table, last = as_frame_or_array(densely(X)), self._last
        rows = None if last is None else _as_before(table, *last, self._teacher)
        if rows is None:
            rows = model_rows(self._teacher, table)
            self._last = rows.reader, rows.names
        return rows


def _as_before(
    table: Any, reader: TableReader, names: tuple[str, ...], teacher: LightGBMTeacher
) -> ModelRows | None:
    """Read an array, or few rows, by the reader of a table before; None unless it has the same columns."""
    if isinstance(table, np.ndarray):
        known = reader.names is None and table.shape[1] == len(names)
        return ModelRows(table, reader, names, reader.transform(table)) if known else None
    few = reader.read_few(table)
    if few is None:
        return None
    if few.have_levels() != [levels is not None for levels in reader.levels]:
        return None
    for j in np.flatnonzero(np.isnan(few.codes).all(axis=0)).tolist():
        levels, own = reader.levels[j], few.categories(j)
        if levels is not None and own is not None:
            refuse_foreign_levels(names[j], np.asarray(own, object), levels.tolist(), as_given=True)
    return ModelRows(table, reader, names, teacher.with_missing(few.codes), few)


def _feature_names(teacher: LightGBMTeacher, reader: TableReader, *, named: bool) -> tuple[str, ...]:
    """Names of the d columns; raise unless the table has those at fit, in their order."""
    own, at_fit = reader.feature_names, teacher.booster.feature_name()
    if len(own) != teacher.n_features:
        raise ValueError(f"X has {len(own)} features, but the model was fitted on {teacher.n_features}.")
    nameless = at_fit == [f"Column_{j}" for j in range(len(own))]
    if not named:
        return own if nameless else tuple(at_fit)
    order = column_order(teacher.booster, own, role="model")
    if order is not None:
        j = int(np.argmax(order != np.arange(len(order))))
        raise ValueError(f"X has column {own[j]!r} where the model was fitted on {at_fit[j]!r}.")
    return own


def task_of(teacher: LightGBMTeacher) -> Task:
    """Say what a model predicts; classes that a Booster does not know are numbered."""
    classes = teacher.task.classes
    if classes is None and teacher.objective in ("binary", "multiclass", "multiclassova"):
        classes = np.arange(max(2, teacher.n_outputs))
    return Task(teacher.link, teacher.n_outputs, classes)
