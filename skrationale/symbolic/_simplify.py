"""Make a formula tidier by steps that are cheap and cannot hang."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import sympy as sp

from ._program import Program
from ._tree import check_constants, complexity, rebuild

_MOST_NODES = 60
_LARGEST_POWER = 4


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
    values = Program(start, symbols)(rows)
    best = start if complexity(start) <= complexity(expr) else expr
    for candidate in _candidates(start):
        if complexity(candidate) < complexity(best) and _same(candidate, symbols, rows, values):
            best = candidate
    return best


def round_numbers(node: sp.Expr, digits: int) -> sp.Expr:
    """Round the decimal numbers of a tree; 2.0 as an exponent becomes exact."""
    if node.is_Float:
        return sp.Float(float(f"{float(node):.{digits - 1}e}"))
    if not node.args or node.is_number:
        return node
    arguments = [round_numbers(argument, digits) for argument in node.args]
    if node.is_Pow and arguments[1].is_Float and float(arguments[1]).is_integer():
        arguments[1] = sp.Integer(int(arguments[1]))
    return rebuild(node, arguments)


def _candidates(expr: sp.Expr) -> Iterator[sp.Expr]:
    """Write a tree in other ways, each cheap."""
    tidy = _tidy(expr)
    yield tidy
    if complexity(tidy) > _MOST_NODES or expr.has(sp.Max, sp.Min):
        # sympy's expansions compare the terms of Max and Min, which can take minutes
        return
    yield sp.factor_terms(tidy)
    powers = [abs(power.exp) for power in tidy.atoms(sp.Pow) if power.exp.is_Integer]
    if max(powers, default=0) <= _LARGEST_POWER:
        expanded = sp.expand(tidy, power_exp=False, power_base=False, log=False)
        yield expanded
        yield sp.factor_terms(expanded)


def _tidy(node: sp.Expr) -> sp.Expr:
    """Let sympy evaluate each node again, arguments first."""
    return rebuild(node, map(_tidy, node.args)) if node.args and not node.is_number else node


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
