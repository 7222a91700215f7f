"""Numbers and cells of a table as people read them."""

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np

_WITH_NAN = (Real, np.datetime64)


def is_missing(cell: Any) -> bool:
    """Tell whether a cell is None, NaN, NaT or NA, without knowing pandas."""
    kind = type(cell)
    if kind is float:
        return bool(cell != cell)
    if cell is None or kind.__name__ in ("NAType", "NaTType"):
        return True
    return kind is not str and isinstance(cell, _WITH_NAN) and bool(cell != cell)


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
    >>> format_number(-0.123456), format_number(1234.8), format_number(1e-17, scale=1.0)
    ('−0.1235', '1,235', '0')
    """
    return _number(x, scale, sign, 1e3)


def _number(x: float, scale: float, sign: bool, whole_from: float) -> str:
    """Return a number, without decimals and with separators from some size."""
    if not math.isfinite(x):
        return "undefined" if math.isnan(x) else "−∞" if x < 0 else "∞"
    if abs(x) <= 1e-9 * scale:
        return "0"
    plus = "+" if sign else ""
    text = f"{x:{plus},.0f}" if whole_from <= abs(x) < 1e15 else f"{x:{plus}.4g}"
    return text.replace("-", "−")


def format_column(numbers: Iterable[float], *, sign: bool = False) -> list[str]:
    """Return the numbers of a column with the same decimals: as many as give the largest four digits.

    None of them has more decimals than the column needs, and what is noise beside the largest is 0. Columns
    of very small or very large numbers are written one by one.

    Examples
    --------
    >>> format_column([1.62249, -0.525, 2.5e-13])
    ['1.622', '−0.525', '0']
    >>> format_column([4, 2]), format_column([12345.6, 0.2]), format_column([0.25, float("nan")], sign=True)
    (['4', '2'], ['12,346', '0'], ['+0.25', 'undefined'])
    """
    found = [float(x) for x in numbers]
    largest = max((abs(x) for x in found if math.isfinite(x)), default=0.0)
    if not largest or not 1e-4 <= largest < 1e15:
        return [format_number(x, scale=largest, sign=sign) for x in found]
    most = max(0, 3 - max(math.floor(math.log10(largest)), 0))
    if largest < 0.1:
        most = 2 - math.floor(math.log10(largest))
    tiny = 10.0**-most * 1e-6
    places = next(
        n
        for n in range(most + 1)
        if n == most or all(_is_round(x, n, tiny) for x in found if math.isfinite(x))
    )
    texts = []
    for x in found:
        if not math.isfinite(x) or abs(x) <= 1e-9 * largest:
            texts.append(format_number(x, scale=largest))
            continue
        text = f"{x:{'+' if sign else ''},.{places}f}"
        texts.append(text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("+-"))
    return texts


def _is_round(x: float, places: int, tiny: float) -> bool:
    return abs(x - round(x, places)) <= tiny


def format_probability(part: float) -> str:
    """Return a probability as a percentage; what is not certain is not written as if it were.

    Examples
    --------
    >>> format_probability(0.33349), format_probability(0.99999), format_probability(0.0001)
    ('33.3%', 'over 99.9%', 'under 0.1%')
    """
    if 0 < part < 0.0005:
        return "under 0.1%"
    return "over 99.9%" if 0.9995 < part < 1 else f"{part:.1%}"


def format_cell(cell: Any) -> str:
    """Return a cell of the user's table as words; small whole numbers, as years, have no separators.

    Examples
    --------
    >>> format_cell(2015), format_cell(12345.6), format_cell(None), format_cell("Ulm")
    ('2015', '12,346', 'missing', 'Ulm')
    """
    if is_missing(cell):
        return "missing"
    if isinstance(cell, Real) and not isinstance(cell, bool | np.bool_):
        return _number(float(cell), 0.0, False, 1e4)
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
    """Return a share as a percentage; what is little is not written as none, nor what is much as all.

    Examples
    --------
    >>> format_share(0.314), format_share(0.001), format_share(0.997)
    ('31%', 'under 1%', 'over 99%')
    """
    if 0 < part < 0.005:
        return "under 1%"
    return "over 99%" if 0.995 < part < 1 else f"{part:.0%}"
