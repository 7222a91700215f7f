"""Build, write, count and take apart expression trees without letting sympy rearrange them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import sympy as sp

from ..writing import shorten
from ._building import MAX_DEPTH, MAX_NODES, fold
from .program import FUNCTIONS

_KINDS: dict[str, Any] = {
    "add": sp.Add,
    "mul": sp.Mul,
    "pow": sp.Pow,
    "max": sp.Max,
    "min": sp.Min,
    **{name: function for function, name in FUNCTIONS.items()},
}
_WORDS = {function: name for name, function in _KINDS.items()}


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
    return fold(node, _list)


def _list(node: sp.Expr, arguments: list[Any]) -> Any:
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
    return [_WORDS[node.func], *arguments]


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
        When an operation or a name is unknown, has other arguments than it may, or the tree is too large.
    """
    level, depth = [lists], 0
    while level := [part for part in level if isinstance(part, list)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError(f"The formula is nested too deep; it may be nested at most {MAX_DEPTH} deep.")
        level = [argument for part in level for argument in part]
        if len(level) > MAX_NODES:
            raise ValueError(f"The formula has too many parts; it may have at most {MAX_NODES:,}.")
    return _read(lists, symbols)


def _read(lists: Any, symbols: dict[str, sp.Symbol]) -> sp.Expr:
    if isinstance(lists, str) and lists in symbols:
        return symbols[lists]
    if isinstance(lists, bool) or not isinstance(lists, (int, float, list)) or lists == []:
        raise ValueError(f"A formula cannot hold {_short(lists)}; known names are {list(symbols)[:10]}.")
    if isinstance(lists, int):
        return sp.Integer(lists)
    if isinstance(lists, float):
        if not math.isfinite(lists):
            raise ValueError(f"A formula cannot hold the number {lists}.")
        return sp.Float(lists)
    word, *arguments = lists
    if word == "ratio":
        if len(arguments) != 2 or any(type(a) is not int for a in arguments) or arguments[1] == 0:
            raise ValueError(f"A ratio must have two integers, the second not 0, got {_short(arguments)}.")
        return sp.Rational(*arguments)
    if word == "constant":
        if arguments not in (["pi"], ["E"]):
            raise ValueError(f"A constant must be 'pi' or 'E', got {_short(arguments)}.")
        return sp.pi if arguments == ["pi"] else sp.E
    if not isinstance(word, str) or word not in _KINDS:
        raise ValueError(f"A formula cannot hold the operation {_short(word)}; known are {list(_KINDS)}.")
    few, many = {"pow": (2, 2)}.get(word, (1, MAX_NODES if word in ("add", "mul", "max", "min") else 1))
    if not few <= len(arguments) <= many:
        raise ValueError(f"The operation {word!r} cannot have {len(arguments)} arguments.")
    return _KINDS[word](*[_read(argument, symbols) for argument in arguments], evaluate=False)


def _short(value: Any) -> str:
    many = isinstance(value, list) and len(value) > 3
    return f"a list of {len(value)}" if many else shorten(repr(value), 60)


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
        elif _stands_below(factor):
            exponent = -factor.exp
            below.append(factor.base if exponent == 1 else sp.Pow(factor.base, exponent, evaluate=False))
        else:
            above.append(factor)
    return negative, above, below


def with_parameters(
    expr: sp.Expr, keep: Callable[[sp.Expr, bool], bool], *, evaluate: bool = True
) -> tuple[sp.Expr, list[float]]:
    """Put the symbols ``c0, c1, ...`` in place of numbers, in the order in which they are written.

    Parameters
    ----------
    expr : sympy.Expr
        Any tree.
    keep : callable
        Tells whether a number stays, given it and whether it is an exponent.
    evaluate : bool, default=True
        Whether sympy tidies the parts up.

    Returns
    -------
    expr : sympy.Expr
        The tree with k symbols.
    theta : list of k float
        The numbers that they stand for.

    Examples
    --------
    >>> x = sp.Symbol("x")
    >>> with_parameters(2.5 * x**3, lambda number, is_exponent: is_exponent)
    (c0*x**3, [2.5])
    """
    theta: list[float] = []

    def visit(node: sp.Expr, is_exponent: bool) -> sp.Expr:
        if node.is_number:
            if keep(node, is_exponent):
                return node
            theta.append(float(node))
            return sp.Symbol(f"c{len(theta) - 1}", real=True)
        if not node.args:
            return node
        arguments = [visit(argument, node.is_Pow and i == 1) for i, argument in enumerate(node.args)]
        return node.func(*arguments) if evaluate else node.func(*arguments, evaluate=False)

    return visit(expr, False), theta


def with_leading_ones(expr: sp.Expr) -> sp.Expr:
    """Draw numbers out of sums that are factors, so that their first term has the coefficient 1.

    Parameters
    ----------
    expr : sympy.Expr
        Any tree.

    Returns
    -------
    sympy.Expr
        An equal tree, up to rounding.

    Examples
    --------
    >>> x, y = sp.symbols("x y")
    >>> with_leading_ones(0.5 / (0.25 * x + 0.5 * y))
    2.0/(x + 2.0*y)
    """
    number, rest = fold(expr, _number_and_rest)
    return sp.Add(*(number * term for term in sp.Add.make_args(rest)))


def _number_and_rest(node: sp.Expr, parts: list[tuple[sp.Expr, sp.Expr]]) -> tuple[sp.Expr, sp.Expr]:
    """Write a node as a number times the rest, given the same of its arguments."""
    if not parts:
        return (node, sp.S.One) if node.is_Float else (sp.S.One, node)
    numbers = [number for number, _ in parts]
    if node.is_Mul:
        return sp.Mul(*numbers), sp.Mul(*(rest for _, rest in parts))
    if node.is_Add and numbers[0].is_Float:
        first = numbers[0]
        return first, sp.Add(parts[0][1], *(number / first * rest for number, rest in parts[1:]))
    if node.is_Pow and node.exp.is_Rational and (node.exp.is_Integer or numbers[0].is_positive):
        return numbers[0] ** node.exp, parts[0][1] ** node.exp
    if node.func is sp.Abs:
        return abs(numbers[0]), sp.Abs(parts[0][1])
    return sp.S.One, node.func(*(number * rest if number != 1 else rest for number, rest in parts))


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
    return max(fold(node, _count), 1)


def _count(node: sp.Expr, counts: list[int]) -> int:
    if node.is_number:
        return 0
    if not node.args:
        return 1
    parts = [part for part in node.args if not part.is_number]
    total = sum(counts)
    if node.is_Mul:
        below = [part for part in parts if _stands_below(part)]
        # a power of -1 below the line is no operation of its own
        total -= sum(part.exp == -1 for part in below)
        # a number alone above the line still makes a division
        return total + max(len(parts) - 1, len(below))
    return total + (len(parts) - 1 if node.is_Add else max(len(parts) - 1, 1))


def _stands_below(factor: sp.Expr) -> bool:
    return factor.is_Pow and not factor.is_number and factor.exp.is_number and float(factor.exp) < 0


def float_or_none(node: sp.Expr) -> float | None:
    """Give the value of a number, None for a tree that holds symbols."""
    return float(node) if node.is_number else None
