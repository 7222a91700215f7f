"""Whom a report compares: what an estimator can be asked, whatever it is wrapped in, and its teacher."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._hooks import best_of_search, gives_reasons, has_probabilities, hooks_of, predicts
from ..explanation import Explanation
from ..teachers import arranged, rows_for_teacher, teacher_for

Step = Callable[[Any], Any]


@dataclass(eq=False)
class Member:
    """An estimator of a report, with the tables that its parts take.

    Parameters
    ----------
    name : str
        As the user calls it.
    model : estimator
        What predicts and explains: without the steps of a Pipeline before it.
    before : sequence of callable
        Steps from the rows of the report to the table that is explained.
    inner : callable, optional
        Step from there to what the model takes.
    pipelines : sequence of Pipeline
        The steps among `before` that are scikit-learn's.
    explainer : callable, optional
        Table -> Explanation; None without reasons.
    students : list of str
        Names of those whom it has taught.
    given : bool
        Whether the user named it.
    """

    name: str
    model: Any
    before: tuple[Step, ...] = ()
    inner: Step | None = None
    pipelines: tuple[Any, ...] = ()
    explainer: Callable[[Any], Explanation] | None = None
    students: list[str] = field(default_factory=list)
    given: bool = True

    @property
    def head(self) -> Any:
        """The steps of scikit-learn's Pipelines before the model as one; None where there are none."""
        if len(self.pipelines) < 2:
            return self.pipelines[0] if self.pipelines else None
        return Pipeline([(f"step {i}", part) for i, part in enumerate(self.pipelines)])

    @property
    def classifies(self) -> bool:
        """Whether it predicts labels."""
        return is_classifier(self.model)

    @property
    def gives_probabilities(self) -> bool:
        """Whether it gives probabilities of labels."""
        return has_probabilities(self.model)

    @property
    def report_parts(self) -> tuple[str, ...]:
        """What a report shows of it beside figures and reasons."""
        return hooks_of(self.model)._report_parts

    def table(self, X: Any) -> Any:
        """Bring rows (n, d) into the table (n, p) that is explained."""
        for step in self.before:
            X = step(X)
        return X

    def _model_input(self, table: Any) -> Any:
        return table if self.inner is None else self.inner(table)

    def predict(self, table: Any) -> Any:
        """Labels or numbers (n,)."""
        return self.model.predict(self._model_input(table))

    def answers(self, table: Any) -> Any:
        """Probabilities (n, C) of a classifier, predictions (n,) of a regressor."""
        return (self.model.predict_proba if self.classifies else self.model.predict)(self._model_input(table))

    def probabilities(self, table: Any) -> Any:
        """Give probabilities (n, C) of a classifier that sum to one; margins are read as log-odds."""
        given = self._model_input(table)
        if np.ndim(given) == 1:  # texts
            return np.asarray(self.model.predict_proba(given), dtype=float)
        return teacher_for(self.model).answers(given)[1]


def gather(estimators: Any) -> list[Member]:
    """List the members of a report: each estimator and, after the last, the teachers not named by the user.

    Parameters
    ----------
    estimators : mapping of str to estimator, or sequence of estimator
        What the user gave.

    Returns
    -------
    list of Member
        In the order given.

    Raises
    ------
    TypeError, ValueError
        When it is something else, empty, holds something that does not predict, or labels and numbers.
    NotFittedError
        When one is not fitted; the message says which.
    """
    members = []
    for where, name, estimator in _named(estimators):
        if not predicts(estimator) or isinstance(estimator, type):
            got = f"the class {estimator.__name__}" if isinstance(estimator, type) else repr(estimator)[:100]
            raise TypeError(f"{where} must be a fitted estimator with a method predict. Got {got} instead.")
        try:
            check_is_fitted(estimator)
            model = unwrap(name, estimator)
        except NotFittedError as error:
            raise NotFittedError(f"{where} is not fitted: {error}") from None
        members.append(model)
    kinds = {member.classifies for member in members}
    if len(kinds) > 1:
        labels = [member.name for member in members if member.classifies]
        numbers = [member.name for member in members if not member.classifies]
        raise ValueError(
            f"estimators must either all predict labels or all predict numbers. Got classifiers {labels} "
            f"and others {numbers}."
        )
    return with_teachers(members)


def _named(estimators: Any) -> list[tuple[str, str, Any]]:
    """Give for each estimator how messages call it, its name, and itself."""
    if not isinstance(estimators, Mapping | list | tuple):
        raise TypeError(
            "estimators must be a dict of names and fitted estimators, or a list of these. "
            f"Got {type(estimators).__name__} instead."
        )
    if not len(estimators):
        raise ValueError("estimators is empty; expected at least one fitted estimator.")
    if isinstance(estimators, Mapping):
        return [(f"estimators[{name!r}]", str(name), one) for name, one in estimators.items()]
    found: list[tuple[str, str, Any]] = []
    for i, one in enumerate(estimators):
        name = base = type(one).__name__
        number = 1
        while name in {other for _, other, _ in found}:
            number += 1
            name = f"{base} {number}"
        found.append((f"estimators[{i}]", name, one))
    return found


def unwrap(
    name: str, estimator: Any, before: tuple[Step, ...] = (), pipelines: tuple[Any, ...] = ()
) -> Member:
    """Find the model inside a search, a frozen estimator, or a Pipeline whose last step has reasons."""
    while True:
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif best_of_search(estimator) is not None:
            estimator = best_of_search(estimator)
        elif isinstance(estimator, Pipeline) and _has_reasons(estimator[-1]):
            if len(estimator) > 1:
                head = estimator[:-1]
                before, pipelines = (*before, head.transform), (*pipelines, head)
            estimator = estimator[-1]
        else:
            break
    if gives_reasons(estimator):
        return Member(
            name, estimator, before, pipelines=pipelines, explainer=hooks_of(estimator)._explain_columns
        )

    def inner(table: Any) -> Any:
        return table if np.ndim(table) == 1 else arranged(estimator, table)

    return Member(name, estimator, before, inner, pipelines)


def _has_reasons(step: Any) -> bool:
    while isinstance(step, FrozenEstimator):
        step = step.estimator
    return gives_reasons(step) or best_of_search(step) is not None or isinstance(step, Pipeline)


def with_teachers(members: list[Member]) -> list[Member]:
    """Add the teachers of members, and those of teachers; one whom several share comes once."""
    every, known = list(members), {id(member.model): member for member in members}
    for member in every:  # grows on the way
        teacher = hooks_of(member.model)._fitted_teacher()
        if teacher is None:
            continue
        found = _teacher_of(member, teacher)
        if id(found.model) not in known:
            known[id(found.model)] = found
            every.append(found)
        known[id(found.model)].students.append(member.name)
    return every


def _teacher_of(member: Member, teacher: Any) -> Member:
    """Make a member of a fitted teacher, which is asked about the rows that it was fitted to."""
    student, name = member.model, f"teacher of {member.name}"

    def rows(table: Any) -> Any:
        given = member._model_input(table)
        return given if np.ndim(given) == 1 else rows_for_teacher(student, given)

    explainer = hooks_of(student)._teacher_explainer()
    if explainer is None:
        found = unwrap(name, teacher, (*member.before, rows), member.pipelines)
    else:
        found = Member(name, teacher, member.before, rows, member.pipelines, explainer)
    found.given = False
    return found


def kind_in_words(member: Member) -> str:
    """Say what a member is, in a few words."""
    model, name = member.model, type(member.model).__name__
    if isinstance(model, Pipeline):
        name = f"Pipeline of {type(model[-1]).__name__}"
    words = hooks_of(model)._kind_in_words()
    if not gives_reasons(model) and member.explainer is not None:
        words = "has reasons computed afterwards"
    steps = " (in a Pipeline)" if member.pipelines and member.given else ""
    return f"{name}{steps}: {words}"
