"""Numbers and cells of a table as people read them."""

import math
from numbers import Real
from typing import Any

import numpy as np


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


def decimals(x: float, *, sign: bool = False) -> str:
    """Return two decimals; an empty text for NaN.

    Examples
    --------
    >>> decimals(-0.5), decimals(0.25, sign=True), decimals(float("nan"))
    ('−0.50', '+0.25', '')
    """
    return "" if math.isnan(x) else f"{x:{'+' if sign else ''}.2f}".replace("-", "−")


def format_share(part: float) -> str:
    """Return a share as a percentage; what is little is not written as none.

    Examples
    --------
    >>> format_share(0.314), format_share(0.001)
    ('31%', 'under 1%')
    """
    return "under 1%" if 0 < part < 0.005 else f"{part:.0%}"
