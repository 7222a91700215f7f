"""A formula as a formula of Excel."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import sympy as sp

from .._plain_data import plain_level
from ..tree import float_or_none
from ._names import Leaf, leaves, unique_names
from ._printer import ATOM, Printer, bracket_depth

if TYPE_CHECKING:
    from .._formula import Formula

_CELL = re.compile(r"(?:'(?:[^']|'')+'!|\w+!)?\$?[A-Za-z]{1,3}\$?[1-9]\d*")
_MOST_SIGNS, _MOST_LEVELS, _MOST_TEXT = 8192, 64, 255
"""Excel's bounds: signs of a formula, how deep it is nested, signs of a text in it."""
_SMALLEST, _LARGEST = 2.2251e-308, 9.99e307
"""Excel's bounds of a number that is typed in, by its manual."""


class _ExcelPrinter(Printer):
    language = "Excel"
    most_signs = _MOST_SIGNS
    functions = {"log": "LN"}

    def number(self, value: float) -> str:
        if value and not _SMALLEST < value < _LARGEST:
            raise ValueError(f"Excel cannot hold the number {value!r}.")
        return repr(value).removesuffix(".0").upper()

    def power(self, base: sp.Expr, exponent: sp.Expr) -> tuple[str, int]:
        value = float_or_none(exponent)
        text = self.at_least(base, ATOM)
        if value is None:
            # Excel gives a real number for odd roots of negative ones
            power, own = self.at_least(exponent, ATOM), self.text(base)
            return f"IF(AND({own}<0,{power}<>INT({power})),NA(),{text}^{power})", ATOM
        if value.is_integer() or base.is_nonnegative:
            return f"({text}^{self.number(value)})", ATOM
        return f"(SQRT({self.text(base)})^{self.number(2 * value)})", ATOM

    def call(self, word: str, argument: sp.Expr) -> tuple[str, int]:
        return f"{self.functions.get(word, word.upper())}({self.text(argument)})", ATOM

    def extreme(self, word: str, node: sp.Expr) -> tuple[str, int]:
        # a cell as such would be skipped when it holds TRUE or text
        texts = [self.text(a) + ("+0" if a.is_Symbol else "") for a in node.args]
        return f"{word.upper()}({','.join(texts)})", ATOM


def _default_cell(j: int) -> str:
    letters, j = "", j + 1
    while j:
        j, rest = divmod(j - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}2"


def _cells(formula: Formula, cells: Mapping[str, str] | None) -> list[str]:
    """Give the cell of each column, in the order of the columns; '' where none is given."""
    names = unique_names(formula.reader.feature_names)
    if cells is None:
        return [_default_cell(j) for j in range(len(names))]
    for name, cell in cells.items():
        if name not in names:
            raise ValueError(f"`cells` names the column {name!r}, which is not among {list(names)[:10]}.")
        if not isinstance(cell, str) or not _CELL.fullmatch(cell):
            raise ValueError(f"`cells[{name!r}]` must be a cell such as 'B2' or 'Data!$B$2', got {cell!r}.")
    if missing := [leaf.variable.name for leaf in leaves(formula) if leaf.variable.name not in cells]:
        raise ValueError(f"`cells` must name a cell for the column {missing[0]!r}.")
    return [cells.get(name, "") for name in names]


def _quoted(text: str) -> str:
    """Write a text; signs such as line breaks by their number."""
    pieces = re.split(r"([\x00-\x1f])", text.replace('"', '""'))
    written = [f"CHAR({ord(piece)})" if i % 2 else f'"{piece}"' for i, piece in enumerate(pieces)]
    return "&".join(piece for piece in written if piece != '""') or '""'


def _leaf(leaf: Leaf, cell: str, printer: _ExcelPrinter) -> str:
    variable = leaf.variable
    if variable.kind == "number":
        fill = "NA()" if math.isnan(variable.fill) else printer.text(sp.Float(variable.fill))
        return f"IF(ISBLANK({cell}),{fill},{cell})"
    if variable.kind == "missing":
        return f"IF(ISBLANK({cell}),1,0)"
    level = plain_level(variable.level, variable.name)
    if isinstance(level, bool):
        return f"IF(ISLOGICAL({cell}),IF({cell}={str(level).upper()},1,0),0)"
    if not isinstance(level, str):
        return f"IF(ISNUMBER({cell}),IF({cell}={level!r},1,0),0)"
    if len(level) > _MOST_TEXT:
        raise ValueError(
            f"Excel cannot hold the level {level[:20]!r}... of more than {_MOST_TEXT} characters."
        )
    quoted = _quoted(level)
    if level == "":
        return f'IF(ISBLANK({cell}),0,IF(EXACT({cell},""),1,0))'
    return f"IF(EXACT({cell},{quoted}),1,0)"


def to_excel(self: Formula, cells: Mapping[str, str] | None = None) -> str:
    """Write an Excel formula, with English function names.

    Parameters
    ----------
    cells : mapping of str to str, default=None
        The cell of each column that the formula uses, such as ``{"age": "B2"}``. By default the columns are
        side by side from A2.

    Returns
    -------
    str
        Text that begins with "=". An empty cell is a missing value. If a step has no finite value, the result
        is an error such as ``#NUM!``, even if `predict` continues with infinity. Excel keeps 15 digits of a
        number.

    Raises
    ------
    ValueError
        If the text has more than 8,192 characters, is nested more than 64 deep, or holds a number or level
        that Excel cannot hold, or if `cells` holds something that is not a cell.

    Examples
    --------
    >>> from skrationale import Formula
    >>> Formula.from_string("-age^2", ["age"]).to_excel({"age": "B2"})
    '=-(IF(ISBLANK(B2),NA(),B2)^2)'
    """
    found = leaves(self)
    at = _cells(self, cells)
    plain = _ExcelPrinter({})
    names = {leaf.symbol: _leaf(leaf, at[leaf.variable.column], plain) for leaf in found}
    text = "=" + _ExcelPrinter(names).text(self.expr)
    if len(text) > _MOST_SIGNS:
        raise ValueError(f"The formula has {len(text)} characters; Excel takes at most {_MOST_SIGNS}.")
    if bracket_depth(text) > _MOST_LEVELS:
        raise ValueError(
            f"Brackets are nested {bracket_depth(text)} deep; Excel takes at most {_MOST_LEVELS}."
        )
    return text
