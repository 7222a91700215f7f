"""Make a formula tidier by steps that are cheap and cannot hang."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import sympy as sp

from ._building import Builder, check_constants, fold
from .program import Program
from .tree import complexity

_MOST_NODES = 60
"""Complexity up to which brackets are multiplied out and common factors taken out. Not measured."""
_LARGEST_EXPANDED = 4
"""Largest exponent of a power that is multiplied out. Not measured."""
_MOST_TERMS, _MOST_PARTS = 1000, 10_000
"""Most terms of a sum, and most parts of a tree, that multiplying out may give. Not measured."""


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
        return build.rebuild(node, arguments)

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
    if max(powers, default=0) <= _LARGEST_EXPANDED and _may_expand(tidy):
        expanded = sp.expand(tidy, power_exp=False, power_base=False, log=False)
        yield expanded
        yield sp.factor_terms(expanded)


def _tidy(expr: sp.Expr) -> sp.Expr:
    """Let sympy evaluate each node again, arguments first."""
    build = Builder()
    return fold(
        expr, lambda node, found: build.rebuild(node, found) if node.args and not node.is_number else node
    )


def _may_expand(expr: sp.Expr) -> bool:
    """Tell whether a tree with all brackets multiplied out has a bounded number of terms and parts."""
    largest = [1, 1.0]

    def visit(node: sp.Expr, parts: list[tuple[int, float]]) -> tuple[int, float]:
        """Bound the number of terms, and how many numbers, symbols and operations they are written with."""
        counts, sizes = [count for count, _ in parts], [size for _, size in parts]
        terms, size = 1, 1 + sum(sizes)
        if node.is_Add:
            terms = sum(counts)
        elif node.is_Mul:
            terms = math.prod(counts)
            size = terms * (1 + sum(size / count for count, size in parts))
        elif node.is_Pow and node.exp.is_Rational and counts[0] > 1:
            # a square and a root are taken apart from a power of 5/2, and the root is written in each term
            whole, root = divmod(abs(node.exp), 1)
            n = int(whole) + (1 if root and node.exp < 0 else 0)
            n = min(n, _LARGEST_EXPANDED + 1)
            terms = math.comb(counts[0] + n - 1, n)
            size = terms * (1 + n * sizes[0] / counts[0] + (sizes[0] if root else 0))
            if node.exp < 0:
                terms = 1
        largest[:] = max(largest[0], terms), max(largest[1], size)
        # what is larger is not multiplied out: its exact size does not matter
        return min(terms, 10**6), min(size, 1e9)

    fold(expr, visit)
    return largest[0] <= _MOST_TERMS and largest[1] <= _MOST_PARTS


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
