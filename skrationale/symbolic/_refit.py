"""Make more of found expressions: constants fitted in float64, and then written with fewer digits."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp
from scipy.optimize import least_squares

from ..formula.program import Program, symbols
from ..formula.tree import with_leading_ones, with_parameters
from ._terms import finite_values

MAX_CONSTANTS = 30
"""Expressions with more constants are not refitted. Not measured."""
MAX_EVALUATIONS = 50
"""Evaluations of all rows that a refit may take. Not measured."""
HUGE = 1e15
"""What is this many times as large as the target, or has no value, counts as so much. Not measured."""
ROUNDING = 1e-7
"""How far, as a share of the target's spread, rounded constants may move the values: in other units of a
column or of the target other digits are cut, and no prediction should show it. Not measured."""
LAW = 1e-13
"""An expression that leaves at most this share of the target's variance open is exact. Not measured."""
DUST = 1e-26
"""A term of an exact expression is rounding if its squares are at most this share of that variance. Not
measured."""
DEPENDENT = 1e-5
"""A derivative, of length 1, that differs by so little from a sum of others adds nothing. Not measured."""
FITTED = 1e-9
"""Constants are the best ones when no derivative has a larger share of the residuals. Not measured."""
_MINPACK = threading.RLock()
"""Before SciPy 1.15 its Fortran code calls back the function of whichever thread came last."""


def free_constants(expr: sp.Expr) -> tuple[sp.Expr, tuple[sp.Symbol, ...], np.ndarray]:
    """Replace constants by parameters; what is part of an operator stays: rational exponents, 1 and -1.

    With another number for the 1 in ``aq(a, b) = a / sqrt(1 + b^2)`` it would not have a value for each row.
    """
    changed, theta = with_parameters(
        expr, lambda number, is_exponent: number in (sp.S.One, -1) or (is_exponent and number.is_rational)
    )
    return changed, symbols(len(theta), "c"), np.array(theta)


def refit_constants(
    expr: sp.Expr,
    variables: Sequence[sp.Symbol],
    Z: np.ndarray,
    t: np.ndarray,
    weights: np.ndarray,
    tolerance: float = 1e-8,
) -> sp.Expr:
    """Fit the constants of an expression by nonlinear least squares in float64.

    Constants that others can stand in for, as one of a, b and c in ``a*(b*x + c)``, are held fixed: where the
    best constants are not unique, the last bits of the machine would choose them.

    Parameters
    ----------
    expr : sympy.Expr
        Expression in `variables`.
    variables : sequence of p sympy.Symbol
    Z : ndarray of shape (n, p)
        Rows.
    t : ndarray of shape (n,)
        Target.
    weights : ndarray of shape (n,)
        Non-negative weights of the rows.
    tolerance : float, default=1e-8
        Share of the squared error by which a step must lower it, or it is the last.

    Returns
    -------
    sympy.Expr
        The expression with new constants, or as it was where they do not improve it.
    """
    changed, parameters, theta = free_constants(expr)
    if not 0 < len(theta) <= MAX_CONSTANTS:
        return expr
    program, root = Program(changed, variables, parameters), np.sqrt(weights)
    huge = HUGE * (float(np.abs(t).max()) or 1.0)
    free = np.arange(len(theta))

    def full(some: np.ndarray) -> np.ndarray:
        every = theta.copy()
        every[free] = some
        return every

    last: list[Any] = []

    def steps(some: np.ndarray) -> list[Any]:
        if not last or not np.array_equal(last[0], some):  # derivatives are asked for where values were
            last[:] = some.copy(), program.values(Z, full(some))
        return last[1]

    def residuals(some: np.ndarray) -> np.ndarray:
        return _finite(root * (steps(some)[program.result] - t), huge, huge)

    def jacobian(some: np.ndarray) -> np.ndarray:
        slopes = program.jacobian(Z, full(some), steps(some))[1]
        return _finite(root[:, None] * slopes[:, free], 0.0, huge)

    start = residuals(theta)
    if np.abs(start).max() >= huge or len(theta) > len(t):
        return expr
    J = jacobian(theta)
    free = _independent(J)
    if not len(free) or _is_least(J[:, free], start):
        return expr
    with _MINPACK, np.errstate(all="ignore"):
        found = least_squares(
            residuals,
            theta[free],
            jacobian,
            method="lm",
            x_scale="jac",
            ftol=tolerance,
            max_nfev=MAX_EVALUATIONS,
        )
    if not found.fun @ found.fun < start @ start:
        return expr
    fitted = changed.xreplace(dict(zip(parameters, map(sp.Float, full(found.x).tolist()), strict=True)))
    return fitted if has_all_roots(fitted) or not has_all_roots(expr) else expr


def _finite(numbers: np.ndarray, nan: float, huge: float) -> np.ndarray:
    """Put numbers in place of what has no value, or is infinite."""
    if np.isfinite(numbers).all():
        return numbers
    return np.nan_to_num(numbers, nan=nan, posinf=huge, neginf=-huge)


def has_all_roots(expr: sp.Expr) -> bool:
    """Whether no root or quotient of a root in an expression is of a number that may be negative.

    Examples
    --------
    >>> from skrationale.formula.program import symbols
    >>> x, = symbols(1)
    >>> has_all_roots(1 / sp.sqrt(1 + x**2)), has_all_roots(1 / sp.sqrt(1 - x**2))
    (True, False)
    """
    roots = [node for node in expr.atoms(sp.Pow) if not node.exp.is_integer]
    return all(node.base.is_positive or (node.exp > 0 and node.base.is_nonnegative) for node in roots)


def _is_least(J: np.ndarray, residuals: np.ndarray) -> bool:
    """Whether residuals (n,) are at right angles to all derivatives (n, k), as at the best constants."""
    J = J / np.maximum(np.abs(J).max(axis=0), np.finfo(float).tiny)
    sizes = np.linalg.norm(J, axis=0) * max(np.linalg.norm(residuals), np.finfo(float).tiny)
    return bool((np.abs(residuals @ J) <= FITTED * np.maximum(sizes, np.finfo(float).tiny)).all())


def _independent(J: np.ndarray) -> np.ndarray:
    """Positions of the columns of (n, k) that those before them do not span."""
    kept: list[int] = []
    basis = np.zeros_like(J)
    J = J / np.maximum(np.abs(J).max(axis=0), np.finfo(float).tiny)
    for j, column in enumerate((J / np.maximum(np.linalg.norm(J, axis=0), 1.0)).T):
        rest = column - basis @ (basis.T @ column)
        size = np.linalg.norm(rest)
        if size > DEPENDENT:
            basis[:, j] = rest / size
            kept.append(j)
    return np.array(kept, dtype=int)


def round_constants(
    expr: sp.Expr, variables: Sequence[sp.Symbol], V: np.ndarray, t: np.ndarray, weights: np.ndarray
) -> sp.Expr:
    """Shorten constants to as few digits as leave the values as they are; 2.9999999987 becomes 3.

    An expression that leaves nothing of the target open loses its terms and factors that are rounding alone.

    Parameters
    ----------
    expr : sympy.Expr
        Expression in `variables`.
    variables : sequence of p sympy.Symbol
    V : ndarray of shape (n, p)
        Rows.
    t : ndarray of shape (n,)
        Target.
    weights : ndarray of shape (n,)
        Non-negative weights of the rows.

    Returns
    -------
    sympy.Expr
        With constants of 3 to 12 digits; `expr` where these are not enough.
    """
    usual = Program(expr, variables)(V)
    spread = float(weights @ (t - np.average(t, weights=weights)) ** 2)
    limit = ROUNDING**2 * spread
    is_law = float(weights @ (usual - t) ** 2) <= LAW * spread
    if is_law:
        neat = with_leading_ones(_without_dust(expr, variables, V, weights, DUST * spread))
        values = finite_values(neat, variables, V)
        if values is not None and float(weights @ (values - usual) ** 2) <= limit / 100:
            expr = neat
    changed, parameters, theta = free_constants(expr)
    program = Program(changed, variables, parameters)
    for digits in range(3, 13):
        texts = [f"{value:.{digits}g}" for value in theta]
        if float(weights @ (program(V, np.array(texts, dtype=float)) - usual) ** 2) > 2 * limit:
            continue  # clearly too short: sympy, which is slow, need not build it
        numbers = [sp.Integer(text) if is_law and text in ("1", "-1") else sp.Float(text) for text in texts]
        shorter = changed.xreplace(dict(zip(parameters, numbers, strict=True)))
        if float(weights @ (Program(shorter, variables)(V) - usual) ** 2) <= limit:
            return shorter
    return expr


def _without_dust(
    expr: sp.Expr, variables: Sequence[sp.Symbol], V: np.ndarray, weights: np.ndarray, limit: float
) -> sp.Expr:
    """Leave out terms whose squares, with weights (n,), add up to no more than a limit."""
    kept = []
    for term in sp.Add.make_args(expr):
        values = Program(term, variables)(V)
        if float(weights @ values**2) > limit:
            kept.append(term)
    return sp.Add(*kept) if kept else expr
