"""Build, write, count and take apart expression trees without letting sympy rearrange them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import sympy as sp

from ._program import FUNCTIONS

_KINDS: dict[str, Any] = {
    "add": sp.Add,
    "mul": sp.Mul,
    "pow": sp.Pow,
    "max": sp.Max,
    "min": sp.Min,
    **{name: function for function, name in FUNCTIONS.items()},
}
_WORDS = {function: name for name, function in _KINDS.items()}


def unique_extreme(function: Any, arguments: Iterable[sp.Expr]) -> sp.Expr:
    """Build `Max` or `Min`, comparing numbers only: sympy's own comparison of terms can take minutes."""
    distinct = list(dict.fromkeys(arguments))
    numbers = [a for a in distinct if a.is_number]
    if len(numbers) > 1:
        distinct = [a for a in distinct if not a.is_number] + [function(*numbers)]
    return distinct[0] if len(distinct) == 1 else function(*distinct, evaluate=False)


def check_constants(node: sp.Expr) -> None:
    """Raise an OverflowError unless every number in the tree is finite, real and fits a float64."""
    if not node.is_number:
        for argument in node.args:
            check_constants(argument)
        return
    try:
        finite = math.isfinite(float(node))
    except TypeError:
        finite = False
    if not finite:
        raise OverflowError(f"{node!s} is no finite real number")


def rebuild(node: sp.Expr, arguments: Iterable[sp.Expr]) -> sp.Expr:
    """Build a node of the same kind with other arguments; sympy may tidy up, but compares no terms."""
    if node.func in (sp.Max, sp.Min):
        return unique_extreme(node.func, arguments)
    return node.func(*arguments)


def replace_symbols(node: sp.Expr, symbols: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """Put other trees in place of symbols."""
    if not node.args or node.is_number:
        return symbols.get(node, node)
    return rebuild(node, [replace_symbols(argument, symbols) for argument in node.args])


def to_lists(node: sp.Expr) -> Any:
    """Write a tree as nested lists of strings and numbers, exactly.

    Parameters
    ----------
    node : sympy.Expr
        A tree as :class:`Program` takes it.

    Returns
    -------
    list, str, int or float
        ``[operation, argument, ...]``; a symbol is its name.

    Examples
    --------
    >>> x = sp.Symbol("v0", real=True)
    >>> to_lists(2.5 * x + 1)
    ['add', 1, ['mul', 2.5, 'v0']]
    """
    if node.is_Symbol:
        return node.name
    if node.is_Integer:
        return int(node)
    if node.is_Float:
        return float(node)
    if node.is_Rational:
        return ["ratio", int(node.p), int(node.q)]
    if node in (sp.pi, sp.E):
        return ["constant", str(node)]
    return [_WORDS[node.func], *map(to_lists, node.args)]


def from_lists(lists: Any, symbols: dict[str, sp.Symbol]) -> sp.Expr:
    """Read what :func:`to_lists` wrote.

    Parameters
    ----------
    lists : list, str, int or float
        The tree.
    symbols : dict of str to sympy.Symbol
        What names mean.

    Returns
    -------
    sympy.Expr
        A tree equal to the one written.

    Raises
    ------
    ValueError
        When an operation or a name is unknown.
    """
    if isinstance(lists, str) and lists in symbols:
        return symbols[lists]
    if isinstance(lists, bool) or not isinstance(lists, (int, float, list)) or lists == []:
        raise ValueError(f"A formula cannot hold {lists!r}; known names are {list(symbols)[:10]}.")
    if not isinstance(lists, list):
        return sp.Integer(lists) if isinstance(lists, int) else sp.Float(lists)
    word, *arguments = lists
    if word == "ratio":
        return sp.Rational(*map(int, arguments))
    if word == "constant":
        return {"pi": sp.pi, "E": sp.E}[arguments[0]]
    if word not in _KINDS:
        raise ValueError(f"A formula cannot hold the operation {word!r}; known are {list(_KINDS)}.")
    return _KINDS[word](*(from_lists(argument, symbols) for argument in arguments), evaluate=False)


def split_product(node: sp.Expr) -> tuple[bool, list[sp.Expr], list[sp.Expr]]:
    """Take a term apart as people write it: a minus sign, factors above and factors below the line.

    Parameters
    ----------
    node : sympy.Expr
        Any tree.

    Returns
    -------
    negative : bool
        Whether the term has the coefficient -1; other negative numbers stay with the factors.
    above, below : list of sympy.Expr
        Factors; a power with a negative number as exponent stands below with a positive one.

    Examples
    --------
    >>> x, y = sp.symbols("x y")
    >>> split_product(-x / y**2)
    (True, [x], [y**2])
    """
    negative = False
    above: list[sp.Expr] = []
    below: list[sp.Expr] = []
    for factor in node.args if node.is_Mul and not node.is_number else (node,):
        if factor == -1 and node.is_Mul:
            negative = not negative
        elif factor.is_Pow and not factor.is_number and factor.exp.is_number and float(factor.exp) < 0:
            exponent = -factor.exp
            below.append(factor.base if exponent == 1 else sp.Pow(factor.base, exponent, evaluate=False))
        else:
            above.append(factor)
    return negative, above, below


def complexity(node: sp.Expr) -> int:
    """Count the variables, functions and operations of a formula; constants are free.

    A variable counts 1, a function 1, and a power, a square root or a division 1. Sums and products of
    n parts, and ``max`` and ``min``, have n - 1 operations, where parts that are numbers do not count: a
    coefficient makes a formula longer, not harder, and engines that fit a coefficient to each variable count
    the same way.

    Parameters
    ----------
    node : sympy.Expr
        Any tree.

    Returns
    -------
    int
        The count, at least 1.

    Examples
    --------
    >>> x, y = sp.symbols("x y")
    >>> complexity(x), complexity(2.5 * x - y + 1), complexity(x / sp.sqrt(y)), complexity(3 * x**2)
    (1, 3, 4, 2)
    """
    return max(_count(node), 1)


def _count(node: sp.Expr) -> int:
    if node.is_number:
        return 0
    if not node.args:
        return 1
    parts = [part for part in node.args if not part.is_number]
    if node.is_Mul:
        _, above, below = split_product(sp.Mul(*parts, evaluate=False) if len(parts) > 1 else parts[0])
        factors = above + below
        # a number alone above the line still makes a division
        return sum(map(_count, factors)) + max(len(factors) - 1, len(below))
    operations = len(parts) - 1 if node.is_Add else max(len(parts) - 1, 1)
    return sum(map(_count, parts)) + operations


def float_or_none(node: sp.Expr) -> float | None:
    """Give the value of a number, None for a tree that holds symbols."""
    return float(node) if node.is_number else None
