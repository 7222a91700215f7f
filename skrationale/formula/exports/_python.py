"""A formula as the source text of a Python function, for one row or for columns."""

from __future__ import annotations

import math
import symtable
from collections.abc import Callable
from typing import TYPE_CHECKING

import sympy as sp

from .._plain_data import plain_level
from ._names import Leaf, check_function_name, leaves
from ._printer import ATOM, POWER, Printer, bracket_depth, may_hide_missing

if TYPE_CHECKING:
    from .._formula import Formula

_MOST_BRACKETS = 190
"""How deep brackets may be nested: Python itself takes less than 200."""
_MISSING = """def _missing(value):
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value
"""

_PYTHON_HELPERS = {
    "_number": """def _number(value, fill):
    return fill if _missing(value) else float(value)
""",
    "_level": """def _level(value, level):
    return float(not _missing(value) and value == level)
""",
    "_divide": """def _divide(a, b):
    if b != 0:
        return a / b
    return math.copysign(math.inf, a) * math.copysign(1.0, b) if a == a and a != 0 else math.nan
""",
    "_power": """def _power(a, b):
    if a != a or b != b:
        return math.nan
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:
        if a != 0:
            return math.nan
        return math.copysign(math.inf, a) if b % 2 == 1 else math.inf
""",
    "_call": """def _call(function, x):
    try:
        return function(x)
    except OverflowError:
        return math.inf
    except ValueError:
        return -math.inf if function is math.log and x == 0 else math.nan
""",
    "_max": """def _max(a, b):
    return a if a > b or a != a else b
""",
    "_min": """def _min(a, b):
    return a if a < b or a != a else b
""",
    "_sign": """def _sign(x):
    return float((x > 0) - (x < 0)) if x == x else x
""",
}

_NUMPY_HELPERS = {
    "_number": """def _number(column, fill):
    try:
        values = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.array([np.nan if _missing(value) else float(value) for value in column])
    return np.where(np.isnan(values), fill, values)
""",
    "_absent": """def _absent(column):
    return np.array([float(_missing(value)) for value in column])
""",
    "_level": """def _level(column, level):
    return np.array([float(not _missing(value) and value == level) for value in column])
""",
    "_power": """def _power(a, b):
    return np.where((a == a) & (b == b), a**b, a + b)
""",
}


class _PythonPrinter(Printer):
    functions = {"pow": "_power", "max": "_max", "min": "_min", "abs": "abs", "sign": "_sign"}

    def divide(self, above: str, below: sp.Expr) -> str:
        return f"_divide({above}, {self.text(below)})"

    def call(self, word: str, argument: sp.Expr) -> tuple[str, int]:
        if word in self.functions:
            return super().call(word, argument)
        if word == "tanh":
            return f"math.tanh({self.text(argument)})", ATOM
        return f"_call(math.{word}, {self.text(argument)})", ATOM


class _NumpyPrinter(Printer):
    functions = {"max": "np.maximum", "min": "np.minimum"}

    def power(self, base: sp.Expr, exponent: sp.Expr) -> tuple[str, int]:
        if may_hide_missing(base, exponent):
            return f"_power({self.text(base)}, {self.text(exponent)})", ATOM
        return f"{self.at_least(base, ATOM)} ** {self.at_least(exponent, ATOM)}", POWER

    def call(self, word: str, argument: sp.Expr) -> tuple[str, int]:
        return f"np.{word}({self.text(argument)})", ATOM


def _check_name(name: str, helpers: dict[str, str], source: str) -> None:
    """Raise a ValueError for the name of a function that would hide what it or a helper calls."""
    text = "\n".join([_MISSING, *helpers.values(), source])
    called = _global_names(symtable.symtable(text, "formula", "exec"))
    check_function_name(name, "Python", {"__debug__", *helpers, *called})


def _global_names(table: symtable.SymbolTable) -> set[str]:
    """List the names that functions take from outside: modules, builtins and other functions."""
    own = table.get_globals() if isinstance(table, symtable.Function) else ()
    return set(own).union(*map(_global_names, table.get_children()))


def _assignments(formula: Formula, table: str, absent: str, nan: str) -> list[str]:
    """Write one line a variable, such as ``x0_age = _number(row['age'], 35.0)``."""
    write: dict[str, Callable[[Leaf, str], str]] = {
        "number": lambda leaf, cell: (
            f"_number({cell}, {nan if math.isnan(leaf.variable.fill) else repr(float(leaf.variable.fill))})"
        ),
        "missing": lambda leaf, cell: absent.format(cell),
        "level": lambda leaf, cell: (
            f"_level({cell}, {ascii(plain_level(leaf.variable.level, leaf.variable.name))})"
        ),
    }
    return [
        f"{leaf.argument} = {write[leaf.variable.kind](leaf, f'{table}[{ascii(leaf.variable.name)}]')}"
        for leaf in leaves(formula)
    ]


def _used(helpers: dict[str, str], body: str) -> list[str]:
    """Choose the helpers that a body calls, `_missing` first."""
    used = [source for name, source in helpers.items() if f"{name}(" in body]
    return [_MISSING, *used] if any("_missing(" in text for text in [*used, body]) else used


def _checked(value: str) -> str:
    """Raise a ValueError for an expression that Python's own parser refuses."""
    depth = bracket_depth(value)
    if depth > _MOST_BRACKETS:
        raise ValueError(f"Brackets are nested {depth} deep; Python takes at most {_MOST_BRACKETS}.")
    return value


def to_python(self: Formula, name: str = "predict") -> str:
    """Write the source text of a Python function that needs only the module math.

    Parameters
    ----------
    name : str, default="predict"
        Name of the function.

    Returns
    -------
    str
        The function takes one row as a mapping of column names to values; None and NaN are missing values. It
        returns the score as a float, which is NaN or infinite if that of `predict` is.

    Raises
    ------
    ValueError
        If `name` is no identifier, or if Python or the source text uses it for something else.

    Examples
    --------
    >>> from skrationale import Formula
    >>> print(Formula.from_string("2.5*age", ["age"]).to_python().splitlines()[-1].strip())
    return 2.5*x0_age
    """
    printer = _PythonPrinter({leaf.symbol: leaf.argument for leaf in leaves(self)})
    value = _checked(printer.text(self.expr))
    lines = [*_assignments(self, "row", "float(_missing({}))", "math.nan"), f"return {value}"]
    body = "\n    ".join(lines)
    _check_name(name, _PYTHON_HELPERS, f"def predict(row):\n    {body}")
    helpers = "\n\n".join(_used(_PYTHON_HELPERS, body))
    return f'''import math

{helpers and chr(10) + helpers + chr(10)}
def {name}(row):
    """Compute the score of one row, a mapping of column names to values; None and NaN are missing."""
    {body}
'''


def to_numpy(self: Formula, name: str = "predict") -> str:
    """Write the source text of a Python function that needs only numpy.

    Parameters
    ----------
    name : str, default="predict"
        Name of the function.

    Returns
    -------
    str
        The function takes a DataFrame, or a mapping of column names to columns of n values, and returns an
        array of n scores. Column names must be text, even if the names in the table are numbers.

    Raises
    ------
    ValueError
        If `name` is no identifier, or if Python or the source text uses it for something else.

    Examples
    --------
    >>> from skrationale import Formula
    >>> print(Formula.from_string("2.5*age", ["age"]).to_numpy().splitlines()[-1].strip())
    return 2.5*x0_age + np.zeros(rows)
    """
    printer = _NumpyPrinter({leaf.symbol: leaf.argument for leaf in leaves(self)})
    value = _checked(printer.text(self.expr))
    lines = _assignments(self, "data", "_absent({})", "np.nan")
    first = ascii(leaves(self)[0].variable.name if lines else self.reader.feature_names[0])
    lines += [
        f"rows = len(data[{first}])",
        'with np.errstate(all="ignore"):',
        f"    return {value} + np.zeros(rows)",
    ]
    body = "\n    ".join(lines)
    _check_name(name, _NUMPY_HELPERS, f"def predict(data):\n    {body}")
    helpers = "\n\n".join(_used(_NUMPY_HELPERS, body))
    return f'''import numpy as np

{helpers and chr(10) + helpers + chr(10)}
def {name}(data):
    """Compute the score of each row of a table or mapping of columns; None and NaN are missing."""
    {body}
'''
