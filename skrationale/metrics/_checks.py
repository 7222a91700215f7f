"""Refuse what a metric cannot judge, and bring the rest into one form."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np

from .._random import own_random_state
from ..explanation import Explanation
from ..explanation.labels import check_same_rows


def positive_integer(name: str, value: Any, minimum: int = 1) -> int:
    """Return an integer of at least `minimum`, or say what was wrong."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < minimum:
        raise ValueError(f"{name} must be an integer of at least {minimum}. Got {value!r} instead.")
    return int(value)


def one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Raise unless `value` is one of the allowed strings."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}. Got {value!r} instead.")


def generator(random_state: Any) -> np.random.Generator:
    """Return a generator of its own, new ones for numbers and None; the global one is never read."""
    if random_state is None or isinstance(random_state, np.random.Generator):
        return np.random.default_rng(random_state)
    return np.random.default_rng(own_random_state(random_state).randint(2**31 - 1))


def an_explanation(name: str, value: Any) -> Explanation:
    """Return `value` when it is an explanation of at least one row."""
    if not isinstance(value, Explanation):
        raise TypeError(f"{name} must be an Explanation. Got {type(value).__name__} instead.")
    if len(value) == 0:
        raise ValueError(f"{name} has 0 rows; expected at least one.")
    return value


def alike(name: str, a: Any, b: Any) -> None:
    """Raise unless two explanations are of the same columns and outputs, and of as many rows."""
    an_explanation(name, a)
    an_explanation(name, b)
    if a.values.shape != b.values.shape:
        raise ValueError(
            f"{name} must explain the same rows, columns and outputs. Got values of shape {a.values.shape} "
            f"and {b.values.shape} instead."
        )
    for what, one, other in (
        ("columns", a.feature_names, b.feature_names),
        ("outputs", a.output_names, b.output_names),
    ):
        if one != other:
            order = " in the same order" if sorted(one) == sorted(other) else ""
            here, there = next(pair for pair in zip(one, other, strict=True) if pair[0] != pair[1])
            raise ValueError(
                f"{name} must explain the same {what}{order}. Got {here!r} where the other one has {there!r}."
            )


def explanation_of(explanation: Any, table: Any) -> Explanation:
    """Return an explanation that has a value for each cell of a table (n, d)."""
    explanation = an_explanation("explanation", explanation)
    n, d = explanation.values.shape[:2]
    if n != len(table):
        raise ValueError(f"explanation has {n} rows; expected {len(table)}, as X has.")
    if d != table.shape[1]:
        hint = " Its values belong to attributes: give an explanation by column." * (
            explanation.kind == "attribute"
        )
        raise ValueError(f"explanation has {d} columns; expected {table.shape[1]}, as X has.{hint}")
    names = tuple(map(str, getattr(table, "columns", ())))
    if names != explanation.feature_names and sorted(names) == sorted(explanation.feature_names):
        raise ValueError(
            f"explanation has the columns of X in another order: {list(explanation.feature_names)}; "
            f"expected {list(names)}."
        )
    check_same_rows(explanation.index, table)
    return explanation


def value_lines(explanation: Explanation) -> np.ndarray:
    """Values as (n * k, d): one line a row and output, NaN as 0."""
    values = np.nan_to_num(explanation.values)
    return values if values.ndim == 2 else values.transpose(0, 2, 1).reshape(-1, values.shape[1])


def checked_predictions(predict: Callable[[Any], Any], table: Any) -> np.ndarray:
    """Answers of a model for a table of m rows: (m,), or (m, C) with C > 1; finite numbers."""
    got = np.asarray(predict(table))
    m = len(table)
    if got.ndim not in (1, 2) or len(got) != m or got.shape[-1] == 0:
        raise ValueError(
            f"predict returned an array of shape {got.shape} for {m} rows; expected ({m},) or ({m}, C)."
        )
    if got.dtype.kind not in "iufb":
        raise TypeError(
            f"predict returned an array of {got.dtype}; expected numbers. For a classifier give "
            "predict_proba or decision_function."
        )
    answers = got.astype(np.float64)
    if not np.isfinite(answers).all():
        raise ValueError("predict returned NaN or infinity; expected finite numbers in every row.")
    return answers[:, 0] if answers.ndim == 2 and answers.shape[1] == 1 else answers
