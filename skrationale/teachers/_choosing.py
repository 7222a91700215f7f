"""Which implementation answers for a model."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from .._hooks import Hooks, hooks_of
from .._library import library_of
from .._task import Task
from ..conversion import can_be_rewritten, combined, takes_categories
from ..tabular import TableReader, as_frame_or_array
from ._columns import arranged, column_order
from ._protocol import Teacher
from ._scikit import AnyTeacher
from ._table import AS_IT_IS, TeacherTable


def form_for(model: Any, reader: TableReader, *, fitted: bool) -> TeacherTable:
    """See in what form a model takes the table that its student has read.

    Parameters
    ----------
    model : estimator
        Not frozen.
    reader : TableReader
        Of the student.
    fitted : bool
        Whether the model was fitted elsewhere, and knows columns and levels of its own.

    Returns
    -------
    TeacherTable

    Raises
    ------
    ValueError
        When a fitted model knows other columns, or other levels.
    """
    order = column_order(model, reader.names) if fitted else None
    if library_of(model) == "lightgbm":
        from .lightgbm import reader_with_levels

        return TeacherTable(order, reader_with_levels(model, reader, order, fitted=fitted), categories=True)
    if takes_categories(model):
        own = copy.copy(reader)
        if fitted:
            from .converted import add_known_levels

            add_known_levels(model, own, order)
        return TeacherTable(order, own, categories=any(levels is not None for levels in own.levels))
    words = library_of(model) == "catboost" and any(levels is not None for levels in reader.levels)
    return TeacherTable(order, reader, words=words, open_levels=words and fitted)


def check_forest(model: Any, role: str = "teacher") -> None:
    """Refuse, before any fit, an estimator that is no sum of trees.

    Parameters
    ----------
    model : object
        Fitted or not, not frozen.
    role : str, default="teacher"
        What messages call it.

    Raises
    ------
    TypeError
        If it is no tree ensemble of a library that is known.
    ValueError
        If its parameters say that its raw score cannot be explained.
    """
    if not can_be_rewritten(model):
        from .lightgbm import LightGBMTeacher

        LightGBMTeacher.check(model, role)


def is_forest(model: Any) -> bool:
    """Say whether a model, fitted or not, passes `check_forest`."""
    try:
        check_forest(model)
    except (TypeError, ValueError):
        return False
    return True


def teacher_for(model: Any, form: TeacherTable = AS_IT_IS, *, raw: bool = False) -> Teacher:
    """Give what can be asked of a fitted model.

    Parameters
    ----------
    model : estimator
        Fitted, not frozen.
    form : TeacherTable, optional
        Of the table that it takes; without it, tables are as the model knows them.
    raw : bool, default=False
        Whether scores are the model's own where it has some, in the units of its link, instead of on the
        ruler that is the same for all models.

    Returns
    -------
    Teacher
        With ``raw=True`` of a tree ensemble it is a Forest, but for a CatBoost that combines categories.

    Raises
    ------
    ValueError
        With ``raw=True``, for a forest whose raw score is not known to be a sum of constants in leaves.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> teacher = teacher_for(DecisionTreeClassifier().fit(X, [0, 0, 1, 1]))
    >>> teacher.task.link, teacher.scores(X).round(2).ravel().tolist()
    ('logit', [-9.21, -9.21, 9.21, 9.21])
    """
    if library_of(model) == "lightgbm":
        from .lightgbm import LightGBMOnRuler, LightGBMTeacher

        return LightGBMTeacher(model, form) if raw else LightGBMOnRuler(model, form)
    if raw and library_of(model) == "catboost" and form.reader is not None and (known := combined(model)):
        from .catboost import CatBoostTeacher

        return CatBoostTeacher(model, form, known)
    if raw and can_be_rewritten(model):
        from .converted import ConvertedTeacher

        return ConvertedTeacher(model, form)
    if raw and isinstance(model, Hooks):
        from ._own import OwnTeacher

        return OwnTeacher(model, form)
    return AnyTeacher(model, form)


def teacher_of(student: Any) -> Teacher | None:
    """Give the fitted teacher of a student, on the ruler.

    Parameters
    ----------
    student : estimator
        Fitted, of this package or any other with an attribute `teacher_`.

    Returns
    -------
    Teacher or None
        Its task is the student's; None where there is no teacher.
    """
    hooks = hooks_of(student)
    model, classes = hooks._fitted_teacher(), hooks._fitted("classes_")
    if model is None:
        return None
    adapter = hooks._fitted("_adapter")
    task = Task("identity", 1) if classes is None else Task.of_classes(np.asarray(classes))
    return AnyTeacher(model, AS_IT_IS if adapter is None else adapter.model_form, task)


def rows_for_teacher(student: Any, X: Any) -> Any:
    """Turn rows as a student takes them into the table that its fitted teacher takes.

    Parameters
    ----------
    student : estimator
        Fitted, with a teacher.
    X : DataFrame or array-like of shape (n, d)
        Rows.

    Returns
    -------
    DataFrame or ndarray of shape (n, d)
        The teacher may know the columns in another order, or take text in another form.

    Raises
    ------
    ValueError
        When these are not the columns at the teacher's fit.
    """
    hooks = hooks_of(student)
    if hooks._fitted("_adapter") is None:
        return arranged(hooks._fitted_teacher(), as_frame_or_array(X))
    return student._teacher_rows(X)
