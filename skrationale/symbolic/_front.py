"""The Pareto front of formulas: size against loss, PySR's score, and the choice of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np

from ..formula import Formula

LEAST_LOSS = 1e-12
"""Losses below this share of the largest one of a front are alike: they are rounding. Not measured."""
MODEL_SELECTIONS = ("best", "accuracy", "score")
"""Ways to choose a formula of a front, see `choose`."""


@dataclass(frozen=True)
class ScoredFormula:
    """One formula of a front.

    Parameters
    ----------
    formula : Formula
        The formula.
    loss : float
        Mean squared error against the target on validation rows.
    fidelity_r2 : float
        R2 against the teacher's scores on validation rows.
    r2 : float
        R2 against `y` on validation rows; NaN for classes.
    """

    formula: Formula
    loss: float
    fidelity_r2: float
    r2: float


Row = ScoredFormula  # as pickles of 0.1.0.dev0 call it


@dataclass(frozen=True, eq=False)
class Fronts:
    """The front of each output, and which of its formulas is taken.

    Parameters
    ----------
    rows : sequence of K tuples of ScoredFormula
        The fronts, each in the order of complexity.
    chosen : sequence of K int
        Position of the formula taken from each.
    """

    rows: Sequence[tuple[ScoredFormula, ...]]
    chosen: Sequence[int]

    @property
    def formulas(self) -> list[Formula]:
        """The formulas taken, one an output."""
        return [front[i].formula for front, i in zip(self.rows, self.chosen, strict=True)]

    @property
    def formula(self) -> Formula:
        """The formula taken, where there is one output; else an AttributeError."""
        formulas = self.formulas
        if len(formulas) > 1:
            raise AttributeError(
                f"There are {len(formulas)} formulas, one per class; expected the attribute `formulas_`."
            )
        return formulas[0]

    @property
    def candidates(self) -> Any:
        """All formulas of the front, a list of lists for several outputs."""
        lists = [[row.formula for row in front] for front in self.rows]
        return lists[0] if len(lists) == 1 else lists

    @property
    def tables(self) -> Any:
        """The front as a DataFrame, see `table`; a list of them for several outputs."""
        tables = [table(front) for front in self.rows]
        return tables[0] if len(tables) == 1 else tables

    def with_choice(self, index: int | Sequence[int]) -> Fronts:
        """Give the same fronts with other formulas taken; raise a ValueError for rows that are not there."""
        given = index.tolist() if isinstance(index, np.ndarray) else index
        chosen = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
        sizes = [len(front) for front in self.rows]
        wrong = [i for i in chosen if not isinstance(i, Integral) or isinstance(i, bool)]
        fits = not wrong and len(chosen) == len(sizes)
        if not fits or any(not 0 <= i < n for i, n in zip(chosen, sizes, strict=True)):
            raise ValueError(
                f"index must hold {len(sizes)} integers, one per output, of at least 0 and below {sizes}. "
                f"Got {index!r} instead."
            )
        return replace(self, chosen=[int(i) for i in chosen])


def pareto(rows: Sequence[ScoredFormula]) -> tuple[ScoredFormula, ...]:
    """Keep the rows that no smaller or equal one beats, in the order of complexity."""
    kept: list[ScoredFormula] = []
    for row in sorted(rows, key=lambda row: (row.formula.complexity, row.loss)):
        if np.isfinite(row.loss) and (not kept or row.loss < kept[-1].loss):
            kept.append(row)
    return tuple(kept)


def scores(front: Sequence[ScoredFormula]) -> np.ndarray:
    """PySR's score of each row: by how much the logarithm of the loss falls for each step of complexity.

    Examples
    --------
    >>> scores([])
    array([], dtype=float64)
    """
    losses = np.log(_floored(front))
    sizes = np.array([row.formula.complexity for row in front], dtype=float)
    return np.concatenate([np.zeros(min(len(front), 1)), -np.diff(losses) / np.diff(sizes)])


def _floored(front: Sequence[ScoredFormula]) -> np.ndarray:
    """Losses, but no less than rounding makes of them in the units of the target."""
    losses = np.array([row.loss for row in front], dtype=float)
    return np.maximum(losses, max(LEAST_LOSS * losses.max(initial=0.0), np.finfo(float).tiny))


def choose(front: Sequence[ScoredFormula], model_selection: str) -> int:
    """Choose a row as PySR does.

    Parameters
    ----------
    front : sequence of ScoredFormula
        In the order of complexity.
    model_selection : {"best", "accuracy", "score"}
        The highest score among the rows with at most 1.5 times the lowest loss; the lowest loss;
        the highest score.

    Returns
    -------
    int
        Position in the front.
    """
    losses = _floored(front)
    if model_selection == "accuracy":
        return int(losses.argmin())
    allowed = losses <= 1.5 * losses.min() if model_selection == "best" else np.ones(len(losses), bool)
    return int(np.where(allowed, scores(front), -np.inf).argmax())


def table(front: Sequence[ScoredFormula]) -> Any:
    """Make the DataFrame `equations_`: PySR's columns, and ours.

    Returns
    -------
    DataFrame
        ``complexity``, ``loss``, ``score``, ``equation`` (text), ``sympy_format``, ``lambda_format`` (takes a
        table, returns scores), ``fidelity_r2``, ``r2``, ``warnings`` (see `Formula.domain_warnings`).
    """
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "complexity": row.formula.complexity,
                "loss": row.loss,
                "score": score,
                "equation": str(row.formula),
                "sympy_format": row.formula.sympy(),
                "lambda_format": row.formula.predict,
                "fidelity_r2": row.fidelity_r2,
                "r2": row.r2,
                "warnings": row.formula.domain_warnings(),
            }
            for row, score in zip(front, scores(front), strict=True)
        ]
    )
