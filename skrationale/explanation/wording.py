"""What tables, pages and plots of an explanation call things, and what they show first."""

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from ..writing import is_missing, shorten
from ._cells import TypedCells

if TYPE_CHECKING:
    from ._explanation import Explanation

TIMES = (dt.date, dt.time, dt.timedelta, np.datetime64, np.timedelta64)
"""Types of dates, times of day and spans of time."""
_NUMBERS, _NO_LEVELS = (Real, Decimal), (np.bool_, *TIMES)
MOST_CODES, GAPS = 20, 1.25
"""Up to so many codes those of some rows may have any gaps; more may be so many times as many as there are
different ones. Not measured."""


def cells(explanation: "Explanation") -> np.ndarray | None:
    """Return what to show as the user's data, (n, d): as typed where known, else the numbers."""
    return explanation.data if explanation._typed is None else explanation.display_data


def typed_column(explanation: "Explanation", j: int) -> np.ndarray | None:
    """Return the cells (n,) of one column as typed, None where they are not known."""
    typed = explanation._typed
    return typed.column(j) if isinstance(typed, TypedCells) else None if typed is None else typed[:, j]


def has_levels(explanation: "Explanation", j: int) -> bool:
    """Tell whether the cells of a column are levels of a category, without an order that matters.

    Levels may be texts, numbers, intervals and so on. Truth values, dates and spans of time are none. Where
    cells are an array, numbers are levels if `data` has codes for them: a few small whole numbers.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> e = Explanation(np.zeros((2, 2)), 0.0, data=[[0, 7], [1, 9]], display_data=[[2020, 7], [2015, 9]])
    >>> has_levels(e, 0), has_levels(e, 1)  # the numbers of the first column stand for others
    (True, False)
    """
    typed = explanation._typed
    if isinstance(typed, TypedCells) and typed.columns[j].kind != "kept":
        column = typed.columns[j]
        found: Any = () if column.kind != "level" or column.levels is None else column.levels
        return any(not isinstance(level, bool | np.bool_) for level in found)
    cells = typed_column(explanation, j)
    if cells is None:
        return False
    known = np.array([not is_missing(cell) for cell in cells], dtype=bool)
    others = np.array([isinstance(cell, _NO_LEVELS) for cell in cells], dtype=bool)
    numbers = np.array([isinstance(cell, _NUMBERS) for cell in cells], dtype=bool) & known & ~others
    if not (numbers | others)[known].all():
        return True
    if explanation.data is None or not numbers.any():
        return False
    return _are_codes(explanation.data[numbers, j], np.array([float(cell) for cell in cells[numbers]]))


def _are_codes(codes: np.ndarray, cells: np.ndarray) -> bool:
    """Tell whether numbers (n,) of the data are codes, from 0 on, for other numbers (n,) as typed."""
    if (codes == cells).all() or not ((codes >= 0) & (codes == np.floor(codes))).all():
        return False
    pairs = np.unique(np.column_stack([codes, cells]), axis=0)
    is_one_to_one = len(pairs) == len(np.unique(codes)) == len(np.unique(cells))
    return is_one_to_one and bool(codes.max() < max(GAPS * len(pairs), MOST_CODES))


def others(count: int) -> str:
    """Name the features that are shown as one."""
    return f"sum of {count} other features"


def strength(explanation: "Explanation") -> np.ndarray:
    """Return the mean absolute value (d,) of each feature, summed over outputs."""
    return np.asarray(explanation.mean_abs().reshape(len(explanation.feature_names), -1).sum(axis=1))


def strongest(names: Sequence[str], sizes: np.ndarray, n: int) -> list[str]:
    """Return the names with the n largest sizes, equals in their order; raise ValueError for another n."""
    if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 0:
        raise ValueError(f"`n` must be an integer of at least 0, got {n!r}.")
    return [names[j] for j in np.argsort(-sizes, kind="stable")[:n]]


def rank(strength: np.ndarray, max_display: int) -> tuple[np.ndarray, np.ndarray]:
    """Split features into those shown, strongest first, and the rest that is shown as one line.

    Where not all fit, features of strength 0 have no line of their own, unless there are no others.

    Examples
    --------
    >>> import numpy as np
    >>> [part.tolist() for part in rank(np.array([0.0, 2.0, 0.0, 3.0, 0.0]), 4)]
    [[3, 1], [0, 2, 4]]
    """
    order = np.argsort(-strength, kind="stable")
    cut = len(order)
    if cut > max_display:
        cut = min(max_display - 1, max(int(np.count_nonzero(strength)), 1))
    return order[:cut], order[cut:]


def unit(explanation: "Explanation") -> str:
    """Name the units of the score, with the output if there is one.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> unit(Explanation([[0.3]], 0.0, output_names=">50K", link="logit"))
    'log-odds of >50K'
    """
    several = explanation.n_outputs > 1
    name = "" if several else shorten(explanation.output_names[0], 40)
    if explanation.link == "identity":
        return name or "score"
    words = {
        "log": "raw score (log scale)",
        "logit": "log-odds",
        "softmax": "raw score (before softmax)",
        "probability": "probability",
    }
    return words[explanation.link] + (f" of {name}" if name else "")


def quantity(explanation: "Explanation", *, mean: bool = False) -> str:
    """Name what one value is, or the mean of its absolute value."""
    if explanation.kind == "rationale":
        return ("mean " if mean else "") + "weight in the rationale"
    return f"{'mean |contribution|' if mean else 'contribution'} to {unit(explanation)}"


def prediction_of(explanation: "Explanation", output: int) -> tuple[str, float] | None:
    """Return name and value of what the score of the first row stands for, None where it is itself.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> prediction_of(Explanation([[0.0]], 0.0, link="logit"), 0)
    ('probability', 0.5)
    """
    scores = np.atleast_1d(explanation.scores()[0])
    score, link = float(scores[output]), explanation.link
    if not np.isfinite(scores).all():
        return None
    if link == "logit" and explanation.n_outputs == 1:
        return "probability", 0.5 * (1 + math.tanh(score / 2))
    if link == "softmax" and explanation.n_outputs > 1:
        weights = np.exp(scores - scores.max())
        return "probability", float(weights[output] / weights.sum())
    if link == "log" and score < 700:
        return "prediction", math.exp(score)
    return None
