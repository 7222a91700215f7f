"""Conditions of a rule in words, with numbers as short as they can be."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, NamedTuple

import numpy as np

MISSING = -1
TREE_UNITS = 40
"""Trees see numbers of about this power of two: their own limits, 1e-7 and 1e30, are then as far away.
Computed from these."""


class TreeColumn(NamedTuple):
    """A column that trees split on: of numbers, or 0 and 1 of a level or, with level -1, of missing."""

    column: int
    level: int | None


class Split(NamedTuple):
    """One step from the root: which way the path goes, and whether missing values go with it."""

    part: int
    threshold: float
    left: bool
    with_missing: bool


def category_condition(
    name: str, splits: list[Split], parts: tuple[TreeColumn, ...], levels: np.ndarray
) -> tuple[str, bool]:
    """Merge splits on a category; also tell whether missing follows without a word about it."""
    # A part is 1 on the right of the only threshold it can have.
    for split in splits:
        if not split.left:
            level = parts[split.part].level
            return f"{name} is {'missing' if level == MISSING else level_text(levels[level])}", False
    refused = {level for split in splits if (level := parts[split.part].level) is not None}
    words = [level_text(levels[level]) for level in sorted(refused - {MISSING})]
    if not words:
        return f"{name} is not missing", False
    text = f"{name} is not {words[0]}" if len(words) == 1 else f"{name} is none of {', '.join(words)}"
    return text, MISSING not in refused


def number_condition(
    name: str, splits: list[Split], values: np.ndarray, is_boolean: bool, exponent: int
) -> tuple[str, bool]:
    """Merge splits on a number; also tell whether missing follows without a word about it."""
    # scikit-learn splits the missing from all others at infinity, with the missing on the right.
    if any(math.isinf(split.threshold) and not split.left for split in splits):
        return f"{name} is missing", False
    above = [split.threshold for split in splits if not split.left]
    below = [split.threshold for split in splits if split.left and math.isfinite(split.threshold)]
    if not above and not below:
        return f"{name} is not missing", False
    follows = all(split.with_missing for split in splits)
    values = values[~np.isnan(values)]
    if np.isin(values, (0.0, 1.0)).all():
        return f"{name} is {(('false', 'true') if is_boolean else ('0', '1'))[bool(above)]}", follows
    lower = _threshold(max(above), values, exponent) if above else ""
    upper = _threshold(min(below), values, exponent) if below else ""
    if lower and upper:
        return f"{lower} < {name} <= {upper}", follows
    return (f"{name} > {lower}" if lower else f"{name} <= {upper}"), follows


def _threshold(threshold: float, values: np.ndarray, exponent: int) -> str:
    """Print a number that parts `values` where the tree did, which compares them in units of its own."""
    left = in_tree_units(values, exponent) <= threshold
    preferred = float(np.ldexp(threshold, exponent - TREE_UNITS))
    low = float(values[left].max()) if left.any() else preferred
    return number_between(low, float(values[~left].min()) if not left.all() else math.inf, preferred)


def number_between(low: float, high: float, preferred: float) -> str:
    """Print the number with the fewest digits from `low` to below `high`, of such the nearest to `preferred`.

    Examples
    --------
    >>> number_between(47.0, 48.0, 47.5), number_between(-12500.2, -12499.9, -12500.1)
    ('47', '−12,500')
    """
    if low <= 0.0 < high:
        return "0"
    exact = Decimal(min(max(preferred, low), high))
    for digits in range(1, 18):
        unit = Decimal((0, (1,), exact.adjusted() - digits + 1))
        shorter = (exact.quantize(unit, rounding) for rounding in (ROUND_FLOOR, ROUND_CEILING))
        inside = [number for number in shorter if low <= float(number) < high]
        if inside:
            return _decimal_text(min(inside, key=lambda number: abs(number - exact)))
    return _decimal_text(Decimal(repr(low)))


def _decimal_text(number: Decimal) -> str:
    number = number.normalize()
    if not -5 < number.adjusted() < 15:
        text = f"{number:e}"
    else:
        text = f"{number:,f}" if abs(number) >= 10000 else f"{number:f}"
    return text.replace("-", "−")


def on_one_line(text: str) -> str:
    return " ".join(text.split()) or '""'


def level_text(level: Any) -> str:
    # Quoted where a list of levels or a rule could be read in two ways.
    text = on_one_line(str(level))
    return f'"{text}"' if "," in text or " and " in text else text


def median_exponents(matrix: np.ndarray) -> np.ndarray:
    """Give, for each column of (n, d), the median power of two of its numbers other than 0; 0 without any."""
    found = np.zeros(matrix.shape[1], dtype=int)
    for j, column in enumerate(matrix.T):
        some = np.frexp(column[(column != 0) & ~np.isnan(column)])[1]
        found[j] = math.floor(np.median(some)) if some.size else 0
    return found


def in_tree_units(values: np.ndarray, exponent: int) -> np.ndarray:
    """Give numbers (n,) of a column with this middle exponent as trees compare them."""
    with np.errstate(over="ignore"):
        scaled = np.ldexp(values, TREE_UNITS - exponent)
    # scikit-learn sums float32 to look for infinity, and must not reach it.
    return np.clip(scaled, -1e30, 1e30).astype(np.float32)
