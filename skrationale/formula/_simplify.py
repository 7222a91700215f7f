"""Make a formula tidier by steps that are cheap and cannot hang."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import sympy as sp

from ._building import Builder, check_constants, fold
from ._program import Program
from ._tree import complexity

_MOST_NODES = 60
_LARGEST_POWER = 4
_MOST_TERMS = 1000


def simplify_tree(
    expr: sp.Expr, symbols: Sequence[sp.Symbol], rows: np.ndarray, digits: int | None
) -> sp.Expr:
    """Round the constants of a tree, then take the least complex of some equal trees.

    Parameters
    ----------
    expr : sympy.Expr
        The tree.
    symbols : sequence of p sympy.Symbol
        Its symbols.
    rows : ndarray of shape (n, p)
        Rows on which the values must agree.
    digits : int or None
        Significant digits of constants; None rounds nothing.

    Returns
    -------
    sympy.Expr
        At most as complex as `expr`; equal to the rounded tree, relative to 1e-9, on all rows.
    """
    start = expr if digits is None else round_numbers(expr, digits)
    try:
        check_constants(start)
    except OverflowError:  # numbers that were apart have met
        start = expr
    values = Program(start, symbols)(rows)
    best = start if complexity(start) <= complexity(expr) else expr
    for candidate in _candidates(start):
        if complexity(candidate) < complexity(best) and _same(candidate, symbols, rows, values):
            best = candidate
    return best


def round_numbers(expr: sp.Expr, digits: int) -> sp.Expr:
    """Round the decimal numbers of a tree; 2.0 as an exponent becomes exact."""
    build = Builder()

    def visit(node: sp.Expr, arguments: list[sp.Expr]) -> sp.Expr:
        if node.is_Float:
            return sp.Float(float(f"{float(node):.{digits - 1}e}"))
        if not node.args or node.is_number:
            return node
        if node.is_Pow and arguments[1].is_Float and float(arguments[1]).is_integer():
            arguments[1] = sp.Integer(int(arguments[1]))
        return build.again(node, arguments)

    return fold(expr, visit)


def _candidates(expr: sp.Expr) -> Iterator[sp.Expr]:
    """Write a tree in other ways, each cheap."""
    tidy = _tidy(expr)
    yield tidy
    if complexity(tidy) > _MOST_NODES or expr.has(sp.Max, sp.Min):
        # sympy's expansions compare the terms of Max and Min, which can take minutes
        return
    yield sp.factor_terms(tidy)
    powers = [abs(power.exp) for power in tidy.atoms(sp.Pow) if power.exp.is_Integer]
    if max(powers, default=0) <= _LARGEST_POWER and _most_terms(tidy) <= _MOST_TERMS:
        expanded = sp.expand(tidy, power_exp=False, power_base=False, log=False)
        yield expanded
        yield sp.factor_terms(expanded)


def _tidy(expr: sp.Expr) -> sp.Expr:
    """Let sympy evaluate each node again, arguments first."""
    build = Builder()
    return fold(
        expr, lambda node, found: build.again(node, found) if node.args and not node.is_number else node
    )


def _most_terms(expr: sp.Expr) -> int:
    """Bound the number of terms of the largest sum that multiplying out all brackets would give."""
    largest = 1

    def visit(node: sp.Expr, terms: list[int]) -> int:
        nonlocal largest
        own = 1
        if node.is_Add:
            own = sum(terms)
        elif node.is_Mul:
            own = math.prod(terms)
        elif node.is_Pow and node.exp.is_Integer and node.exp > 0:
            n = int(node.exp)
            own = math.comb(terms[0] + n - 1, n) if n <= _LARGEST_POWER else 1
        largest = max(largest, own)
        # what is larger is not multiplied out: its exact size does not matter
        return min(own, 10**6)

    fold(expr, visit)
    return largest


def _same(expr: sp.Expr, symbols: Sequence[sp.Symbol], rows: np.ndarray, values: np.ndarray) -> bool:
    try:
        check_constants(expr)
        found = Program(expr, symbols)(rows)
    except (OverflowError, ValueError):
        return False
    return bool(np.allclose(found, values, rtol=1e-9, atol=1e-12 * _scale(values), equal_nan=True))


def _scale(values: np.ndarray) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0
