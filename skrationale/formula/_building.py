"""Build trees of bounded size in linear time: sympy tidies small parts, and keeps others as they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sympy as sp

from ..writing import shorten

MAX_NODES = 50_000
"""Most symbols, numbers and operations that a formula may hold, each counted as often as it is written."""
MAX_DEPTH = 200
"""How deep operations of a formula may be nested."""
EXACT = 2**53
"""Below it integers, numerators and denominators are kept; others become float64."""
_TIDY_SIZE, _TIDY_WORK = 100, 3000
"""Parts of the largest node that sympy tidies up, and parts of all that it tidies up in one tree. Not
measured."""
_LARGEST_EXACT_POWER = 1000
"""Beyond it the power of a sum or product is a float64: exact coefficients could take all memory. Not
measured."""


def postorder(expr: sp.Basic) -> list[sp.Basic]:
    """List each part of a tree once, arguments before what they belong to, however deep it is."""
    found: list[sp.Basic] = []
    seen: set[int] = set()
    stack = [(expr, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            found.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((argument, False) for argument in reversed(node.args))
    return found


def fold(expr: sp.Basic, visit: Callable[[Any, list[Any]], Any]) -> Any:
    """Compute a value for a tree from the values of the arguments of each part."""
    values: dict[int, Any] = {}
    for node in postorder(expr):
        values[id(node)] = visit(node, [values[id(argument)] for argument in node.args])
    return values[id(expr)]


def check_size(expr: sp.Basic) -> None:
    """Raise a ValueError for a tree that is too large or nested too deep to be written or evaluated."""

    def visit(_: sp.Basic, parts: list[tuple[int, int]]) -> tuple[int, int]:
        return 1 + sum(size for size, _ in parts), 1 + max((depth for _, depth in parts), default=-1)

    size, depth = fold(expr, visit)
    if depth > MAX_DEPTH:
        raise ValueError(f"The formula is nested {depth} deep; it may be nested at most {MAX_DEPTH} deep.")
    if size > MAX_NODES:
        shown = f"{size:,}" if size < 10**15 else "more than 10^15"
        raise ValueError(f"The formula has {shown} parts; it may have at most {MAX_NODES:,}.")


def check_tree(expr: Any) -> None:
    """Raise an error, which is for users, unless this is a tree that a formula can hold."""
    if not isinstance(expr, sp.Expr):
        raise TypeError(f"`expr` must be a sympy tree, got {type(expr).__name__}; see `from_string`.")
    check_size(expr)
    try:
        check_constants(expr)
    except OverflowError as error:
        raise ValueError(f"The formula has no value: {error}.") from None


def float_number(value: Any) -> sp.Expr:
    """Give a number of sympy for a float; a small integer stays one."""
    if isinstance(value, complex) or not math.isfinite(value):
        raise OverflowError(f"{value} is not a finite real number")
    return sp.Integer(int(value)) if value.is_integer() and abs(value) < EXACT else sp.Float(value)


def _bounded_number(number: sp.Expr) -> sp.Expr:
    if number.is_Rational and (abs(number.p) >= EXACT or number.q >= EXACT):
        return sp.Float(number.p / number.q)  # of integers, which alone need not fit a float
    return number


def _bounded(node: sp.Expr) -> sp.Expr:
    """Turn exact numbers that have grown large into float64, since exact ones grow without end."""
    if node.is_Rational:
        return _bounded_number(node)
    first = node.args[0] if node.is_Mul else None
    if first is not None and first.is_Rational and (small := _bounded_number(first)) is not first:
        return sp.Mul(small, *node.args[1:], evaluate=False)
    if node.is_Add:
        terms = [_bounded(term) if term.is_Rational or term.is_Mul else term for term in node.args]
        if any(new is not old for new, old in zip(terms, node.args, strict=True)):
            return sp.Add(*terms, evaluate=False)
    return node


def unique_extreme(function: Any, arguments: Iterable[sp.Expr]) -> sp.Expr:
    """Build `Max` or `Min`, comparing numbers only: sympy's own comparison of terms can take minutes."""
    distinct = list(dict.fromkeys(arguments))
    numbers = [a for a in distinct if a.is_number]
    if len(numbers) > 1:
        distinct = [a for a in distinct if not a.is_number] + [function(*numbers)]
    return distinct[0] if len(distinct) == 1 else function(*distinct, evaluate=False)


class Builder:
    """Build the nodes of one tree.

    sympy tidies a node up, which takes it milliseconds each and more the more stands below. So it does with
    nodes over few parts, until all of them together have had many. The others are left as they are:
    they mean the same.
    """

    def __init__(self) -> None:
        self._work = 0
        self._sizes: dict[sp.Basic, int] = {}

    def _size(self, node: sp.Basic) -> int:
        """Count the parts of a tree."""
        if not node.args:
            return 1
        sizes, stack = self._sizes, [node]
        while node not in sizes:
            part = stack[-1]
            unknown = [argument for argument in part.args if argument.args and argument not in sizes]
            if unknown:
                stack += unknown
            else:
                own = (sizes[argument] if argument.args else 1 for argument in part.args)
                sizes[stack.pop()] = 1 + sum(own)
        return sizes[node]

    def _tidy(self, arguments: Iterable[sp.Expr]) -> bool:
        """Tell whether sympy may tidy up a node over these arguments."""
        sizes = list(map(self._size, arguments))
        if max(sizes) > _TIDY_SIZE or self._work + sum(sizes) > _TIDY_WORK:
            return False
        self._work += sum(sizes)
        return True

    def add(self, terms: list[sp.Expr]) -> sp.Expr:
        """Build a sum of at least one term."""
        parts = [part for term in terms for part in sp.Add.make_args(term)]
        if len(terms) == 1 or max(map(self._size, parts)) <= _TIDY_SIZE:
            return _bounded(sp.Add(*terms))
        return sp.Add(*parts, evaluate=False)

    def mul(self, factors: list[sp.Expr]) -> sp.Expr:
        """Build a product of at least one factor."""
        parts = [part for factor in factors for part in sp.Mul.make_args(factor)]
        if len(factors) == 1 or max(map(self._size, parts)) <= _TIDY_SIZE:
            return _bounded(sp.Mul(*factors))
        return sp.Mul(*parts, evaluate=False)

    def divide(self, above: sp.Expr, below: sp.Expr) -> sp.Expr:
        """Build a quotient."""
        inverse = self.pow(below, sp.S.NegativeOne)
        return inverse if above == 1 else self.mul([above, inverse])

    def pow(self, base: sp.Expr, exponent: sp.Expr) -> sp.Expr:
        """Build a power; numbers go through float64 unless their power is a small exact number."""
        if base.is_number and exponent.is_number:
            if (base.is_Rational or base.is_Float) and exponent.is_Integer and abs(exponent) <= 3:
                if exponent < 0 and not base:
                    raise ZeroDivisionError("division by zero")
                return _bounded(base**exponent)
            return float_number(float(base) ** float(exponent))
        if exponent.is_Rational and abs(exponent) > _LARGEST_EXACT_POWER and not base.is_Symbol:
            # an exact power of a coefficient could take all memory
            exponent = sp.Float(exponent.p / exponent.q)
        return _bounded(sp.Pow(base, exponent, evaluate=self._tidy([base, exponent])))

    def call(self, function: Any, argument: sp.Expr) -> sp.Expr:
        """Build a function of one argument."""
        return function(argument) if self._tidy([argument]) else function(argument, evaluate=False)

    def rebuild(self, node: sp.Expr, arguments: list[sp.Expr]) -> sp.Expr:
        """Build a node of the same kind with other arguments; sympy may tidy up, but compares no terms."""
        if node.func in (sp.Max, sp.Min):
            return unique_extreme(node.func, arguments)
        parts = (
            [part for argument in arguments for part in node.func.make_args(argument)]
            if (node.is_Add or node.is_Mul)
            else arguments
        )
        if max(map(self._size, parts)) <= _TIDY_SIZE and (
            node.is_Add or node.is_Mul or self._tidy(arguments)
        ):
            return node.func(*arguments)
        return node.func(*arguments, evaluate=False)


def replace_symbols(expr: sp.Expr, symbols: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """Put other trees in place of symbols."""
    build = Builder()

    def visit(node: sp.Expr, arguments: list[sp.Expr]) -> sp.Expr:
        return symbols.get(node, node) if not node.args or node.is_number else build.rebuild(node, arguments)

    return fold(expr, visit)


def check_constants(expr: sp.Expr) -> None:
    """Raise an OverflowError unless every number in the tree is finite, real and fits a float64."""
    fold(expr, _rough)
    for node in _largest_numbers(expr):
        try:
            finite = math.isfinite(float(node))
        except (TypeError, OverflowError):
            finite = False
        if not finite:
            raise OverflowError(f"{short_text(node)} is not a finite real number")


def _largest_numbers(expr: sp.Expr) -> Iterable[sp.Expr]:
    """Give the parts that are numbers, and not the numbers in them."""
    stack, seen = [expr], set()
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen.add(id(node))
            if node.is_number:
                yield node
            else:
                stack.extend(node.args)


def _rough(node: sp.Expr, arguments: list[float | None]) -> float | None:
    """Estimate a number, None for what is none; a tower of powers, which nobody can compute, is an error."""
    if not arguments:
        return _float_or_inf(node) if node.is_number else None
    if None in arguments:
        return None
    x = [abs(a) for a in arguments if a is not None]
    if (node.is_Pow and x[1] > 1e9) or (node.func is sp.exp and x[0] > 1e9):
        raise OverflowError(f"a power with the exponent {x[-1]:.3g} is not a finite real number")
    if node.is_Pow:
        base = max(x[0], 1 / x[0] if x[0] else math.inf)
        return math.exp(min(x[1] * math.log(base), 700.0)) if math.isfinite(base) else math.inf
    if node.func is sp.exp:
        return math.exp(min(x[0], 700.0))
    return math.prod(max(a, 1.0) for a in x) if node.is_Mul else sum(x)


def _float_or_inf(number: sp.Expr) -> float:
    try:
        return float(number)
    except (OverflowError, TypeError):
        return math.inf


def short_text(node: sp.Expr) -> str:
    """Show a tree in an error, a long one by its ends."""
    try:
        return shorten(str(node), 60)
    except ValueError:  # Python writes no integer of thousands of digits
        return "A number of thousands of digits"
