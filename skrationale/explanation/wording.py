"""Words and numbers for people, shared by tables and plots."""

import math
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from ._cells import TypedCells

if TYPE_CHECKING:
    from ._explanation import Explanation

# Told apart under the common kinds of colour blindness, on white and on black.
POSITIVE, NEGATIVE, SIZE = "#e8760c", "#2f7fbf", "#3a9a8b"


def is_missing(cell: Any) -> bool:
    """Tell whether a cell is None, NaN, NaT or NA, without knowing pandas."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, Real) and math.isnan(cell)


def simple_cell(cell: Any) -> Any:
    """Return what a user typed as str, number, bool or None."""
    if isinstance(cell, np.generic) and cell.dtype.kind in "biufU":
        cell = cell.item()
    if isinstance(cell, str | bool | int | float | None):
        return cell
    return None if is_missing(cell) else str(cell)


def format_number(x: float, *, scale: float = 0.0, sign: bool = False) -> str:
    """Return about four digits; what is noise beside `scale` is 0.

    Examples
    --------
    >>> format_number(-0.123456), format_number(1234567.8), format_number(1e-17, scale=1.0)
    ('−0.1235', '1,234,568', '0')
    """
    if not math.isfinite(x):
        return "undefined" if math.isnan(x) else "−∞" if x < 0 else "∞"
    if abs(x) <= 1e-9 * scale:
        return "0"
    plus = "+" if sign else ""
    text = f"{x:{plus},.0f}" if 1e4 <= abs(x) < 1e15 else f"{x:{plus}.4g}"
    return text.replace("-", "−")


def format_cell(cell: Any) -> str:
    """Return a cell of the user's table as words."""
    if is_missing(cell):
        return "missing"
    if isinstance(cell, Real) and not isinstance(cell, bool | np.bool_):
        return format_number(float(cell))
    return str(cell)


def shorten(text: str, width: int) -> str:
    """Return one line of at most `width` characters, with the middle left out.

    Examples
    --------
    >>> shorten("mean_radius_of_the_nucleus", 15)
    'mean_ra…nucleus'
    """
    text = " ".join(text.split())
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def cells(explanation: "Explanation") -> np.ndarray | None:
    """Return what to show as the user's data, (n, d): as typed where known, else the numbers."""
    return explanation.data if explanation._typed is None else explanation.display_data


def typed_column(explanation: "Explanation", j: int) -> np.ndarray | None:
    """Return the cells (n,) of one column as typed, None where they are not known."""
    typed = explanation._typed
    return typed.column(j) if isinstance(typed, TypedCells) else None if typed is None else typed[:, j]


def others(count: int) -> str:
    """Name the features that are shown as one."""
    return f"sum of {count} other features"


def rank(strength: np.ndarray, max_display: int) -> tuple[np.ndarray, np.ndarray]:
    """Split features into those shown, strongest first, and the rest that is shown as one line."""
    order = np.argsort(-strength, kind="stable")
    cut = len(order) if len(order) <= max_display else max_display - 1
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
    words = {"log": "raw score (log scale)", "logit": "log-odds", "softmax": "raw score (before softmax)"}
    return words[explanation.link] + (f" of {name}" if name else "")


def quantity(explanation: "Explanation", *, mean: bool = False) -> str:
    """Name what one value is, or the mean of its absolute value."""
    if explanation.kind == "rationale":
        return ("mean " if mean else "") + "weight in the rationale"
    return f"{'mean |contribution|' if mean else 'contribution'} to {unit(explanation)}"
