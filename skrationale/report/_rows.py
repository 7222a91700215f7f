"""Which rows a report looks at, and which few of them it shows."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import _safe_indexing

from .._random import own_random_state
from ..explanation.labels import row_labels
from ..tabular import as_numbers, read_target, table_or_array

ROUNDING = 1e-9
"""Errors below this share of the largest answer are none."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a report.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n, d), or ndarray of str of shape (n,)
        The rows that are used.
    y : ndarray of shape (n,)
        Their labels or numbers.
    positions : ndarray of shape (n,)
        Where they were in the table given.
    n_total : int
        How many rows that had.
    seed : int
        Of all draws.
    """

    X: Any
    y: np.ndarray
    positions: np.ndarray
    n_total: int
    seed: int

    def __len__(self) -> int:
        return len(self.y)

    @property
    def is_frame(self) -> bool:
        """Whether columns and rows have labels, as those of a data frame."""
        return not isinstance(self.X, np.ndarray)

    @property
    def are_texts(self) -> bool:
        """Whether each row is one text."""
        return self.X.ndim == 1

    @property
    def names(self) -> list[str]:
        """Names of the columns; ``x0, x1, ...`` of an array."""
        if self.are_texts:
            return ["text"]
        return list(map(str, self.X.columns)) if self.is_frame else [f"x{j}" for j in range(self.X.shape[1])]

    @property
    def labels(self) -> Any:
        """Labels of the rows in the table given; where it has none, where they were in it."""
        index = row_labels(self.X.index, len(self)) if self.is_frame else None
        return row_labels(self.positions, len(self)) if index is None else index

    def cells(self) -> np.ndarray:
        """Give the cells (n, d) as typed."""
        if self.are_texts:
            return self.X[:, None]
        return self.X.to_numpy(dtype=object) if self.is_frame else self.X.astype(object)


def read_rows(X: Any, y: Any, n_rows: Any, random_state: Any) -> Rows:
    """Check rows and their target, and draw some of them where there are more than `n_rows`.

    Parameters
    ----------
    X : DataFrame or array-like of shape (m, d), or of str of shape (m,)
        Rows, or texts.
    y : array-like of shape (m,)
        Labels or numbers.
    n_rows : int
        Most rows that are used.
    random_state : int, RandomState or None
        Seed.

    Returns
    -------
    Rows
        In the order given.

    Raises
    ------
    ValueError, TypeError
        When a parameter is not as described, or lengths differ.
    """
    if not isinstance(n_rows, Integral) or isinstance(n_rows, bool) or n_rows < 1:
        raise ValueError(f"n_rows must be an integer of at least 1. Got {n_rows!r} instead.")
    if np.ndim(X) > 2:
        raise TypeError(
            f"X holds pictures of shape {np.shape(X)}. Reports and model cards are for tables: for pictures "
            "use `audit(X, y)` and `plot_rationale(X, y=y)` of the model, if it has them."
        )
    texts = texts_of(X)
    table = table_or_array("X", X) if texts is None else texts
    try:
        target = read_target(y, warn=False, mixed=True)
    except (TypeError, ValueError) as error:
        raise ValueError(f"y must hold one label or number per row: {error}") from None
    if len(target) != len(table):
        raise ValueError(f"y has {len(target)} values; expected {len(table)}, as X has rows.")
    rng = own_random_state(random_state)
    seed = int(random_state) if isinstance(random_state, Integral) else int(rng.randint(2**31 - 1))
    n_total = len(table)
    positions = np.arange(n_total)
    if n_total > n_rows:
        positions = np.sort(rng.permutation(n_total)[:n_rows])
        table, target = _safe_indexing(table, positions), target[positions]
    return Rows(table, target, positions, n_total, seed)


def texts_of(X: Any) -> np.ndarray | None:
    """Give texts as an array (n,) of str; None where X is something else."""
    one_column = isinstance(X, pd.Series | list | tuple) or (isinstance(X, np.ndarray) and X.ndim == 1)
    if not one_column or not len(X) or not all(isinstance(text, str) for text in X):
        return None
    found = np.empty(len(X), dtype=object)
    found[:] = list(X)
    return found


def check_target(rows: Rows, classes: list[Any] | None) -> None:
    """Refuse a target that no estimator can be scored by: other labels, or text for numbers."""
    if classes is None:
        as_numbers(rows.y, ", but estimators predict numbers.")
        return
    labels = distinct(rows.y)
    if not set(labels) & set(classes):
        raise ValueError(
            f"y holds {_few(labels)}; expected labels that the estimators predict, such as {_few(classes)}."
        )


def distinct(y: np.ndarray) -> list[Any]:
    """List the labels that occur, in an order that holds for labels of different types too."""
    return sorted(set(y.tolist()), key=lambda label: (type(label).__name__, label))


def _few(labels: list[Any]) -> str:
    return ", ".join(repr(label)[:40] for label in labels[:5]) + (", ..." if len(labels) > 5 else "")


def one_answer_space(
    answers: list[np.ndarray], labels: list[list[Any] | None], y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Bring answers of m estimators and the truth into one space.

    Parameters
    ----------
    answers : list of ndarray of shape (n, C_i) or (n,)
        Probabilities, or numbers.
    labels : list of (list or None)
        What the columns of each mean; None for numbers.
    y : ndarray of shape (n,)
        Labels or numbers.

    Returns
    -------
    found : ndarray of shape (m, n, C)
        Answers; C is 1 for numbers.
    truth : ndarray of shape (n, C)
        Certainty of the true label, or numbers.
    """
    if labels[0] is None:
        return np.stack([np.asarray(a, float).reshape(len(y), 1) for a in answers]), y.astype(float)[:, None]
    known: dict[Any, int] = {}
    for names in [*labels, distinct(y)]:
        for name in names or ():
            known.setdefault(name, len(known))
    found = np.zeros((len(answers), len(y), len(known)))
    for one, answer, names in zip(found, answers, labels, strict=True):
        one[:, [known[name] for name in names or ()]] = answer
    truth = np.zeros((len(y), len(known)))
    truth[np.arange(len(y)), [known[label] for label in y.tolist()]] = 1.0
    return found, truth


def choose_examples(found: np.ndarray, truth: np.ndarray) -> dict[int, str]:
    """Choose rows that are worth a look, the same ones for all estimators.

    Parameters
    ----------
    found : ndarray of shape (m, n, C)
        Answers of m estimators.
    truth : ndarray of shape (n, C)
        The truth in the same space.

    Returns
    -------
    dict of int to str
        Up to four positions of rows, each with the reason for which it was chosen.
    """
    errors = np.abs(found - truth).mean(axis=(0, 2))
    apart = found.std(axis=0).mean(axis=1)
    chosen: dict[int, str] = {}

    def take(order: np.ndarray, why: str) -> None:
        left = [int(i) for i in order if int(i) not in chosen]
        if left:
            chosen[left[0]] = why

    middle = np.argsort(np.abs(errors - np.median(errors)), kind="stable")
    take(middle, "typical: the mean error of the estimators is the median one")
    rounding = ROUNDING * max(np.abs(found).max(initial=0.0), np.abs(truth).max(initial=0.0))
    if len(found) > 1 and apart.max() > rounding:
        take(np.argsort(-apart, kind="stable"), "the estimators disagree most")
    worst = np.argsort(-errors, kind="stable")
    take(worst[errors[worst] > rounding], "most wrong: the mean error is the largest")
    take(np.argsort(errors, kind="stable"), "most right: the mean error is the smallest")
    return chosen
