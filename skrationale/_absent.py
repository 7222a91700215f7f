"""What stands in a distiller where its teacher was left out."""

from __future__ import annotations

import copy
from typing import Any, ClassVar, NoReturn, Self

from sklearn.base import BaseEstimator, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags


class AbsentTeacher(BaseEstimator):
    """The place of a teacher that a serving copy left out.

    Parameters
    ----------
    name : str
        Class of the teacher.
    estimator_type : {"classifier", "regressor"}
        What it was.
    """

    def __init__(self, name: str, estimator_type: str) -> None:
        self.name = name
        self.estimator_type = estimator_type

    @classmethod
    def of(cls, teacher: Any) -> AbsentTeacher:
        """Make the place of a teacher, frozen or not."""
        while isinstance(teacher, FrozenEstimator):
            teacher = teacher.estimator
        return cls(type(teacher).__name__, "classifier" if is_classifier(teacher) else "regressor")

    def fit(self, X: Any, y: Any = None) -> NoReturn:
        """Refuse; a serving copy is not fitted.

        Parameters
        ----------
        X, y : object
            Not looked at.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            f"This estimator comes from a serving copy without its teacher ({self.name}) and cannot be "
            "fitted: set teacher=..., or use the original model."
        )

    predict = fit

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.estimator_type = self.estimator_type
        return tags


class LeavesTeacherOut:
    """A distiller that can be copied without what only its teacher needs."""

    _of_teacher: ClassVar[frozenset[str]]

    def _for_serving(self) -> Self:
        """Copy what predicts and explains; all that is asked of the teacher is an AttributeError then."""
        found = copy.copy(self)
        own = vars(found)
        teacher = own.get("teacher_", own["teacher"])
        for name in self._of_teacher - {"teacher"}:
            own.pop(name, None)
        own["teacher"] = teacher if isinstance(teacher, AbsentTeacher) else AbsentTeacher.of(teacher)
        own["_has_fidelity"] = False
        return found

    def __getattr__(self, name: str) -> Any:
        # called where there is no such attribute
        teacher = vars(self).get("teacher")
        if name in type(self)._of_teacher and isinstance(teacher, AbsentTeacher):
            raise AttributeError(
                f"This {type(self).__name__} is a serving copy without its teacher ({teacher.name}). It "
                f"can predict and explain, but {name!r}, fidelity and contributions of the teacher need "
                "the original model."
            )
        return object.__getattribute__(self, name)  # fails again, in the words of the attribute
