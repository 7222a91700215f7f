"""Which operators an expression takes to be written."""

from __future__ import annotations

from collections.abc import Collection

import sympy as sp

from ..formula.program import FUNCTIONS


def holds_only(expr: sp.Expr, operators: Collection[str]) -> bool:
    """Whether an expression can be written with some operators; numbers are always at hand.

    Parameters
    ----------
    expr : sympy.Expr
        Any tree that a formula can hold.
    operators : collection of str
        Names of binary and unary operators of a search.

    Returns
    -------
    bool

    Examples
    --------
    >>> x, y = sp.symbols("x y", real=True)
    >>> holds_only(sp.sqrt(sp.Abs(x)), ["*", "sqrtabs"]), holds_only(sp.sqrt(x), ["*", "sqrtabs"])
    (True, False)
    >>> holds_only(x / y**2, ["/", "square"]), holds_only(x * y, ["/", "square"])
    (True, False)
    """
    names = set(operators)
    if expr.is_number or expr.is_Symbol:
        return True
    parts: list[sp.Expr] = [part for part in expr.args if not part.is_number]
    if expr.is_Add:
        allowed = bool(names & {"+", "-"})
    elif expr.is_Mul:
        above = [part for part in parts if not (part.is_Pow and part.exp.could_extract_minus_sign())]
        allowed = "*" in names or len(above) < 2
    elif expr.is_Pow and expr.exp.is_number:
        (base, exponent), parts = expr.as_base_exp(), [expr.base]
        power = abs(exponent)
        allowed = bool(exponent.is_positive) or "/" in names
        if not power.is_integer and (2 * power).is_integer:
            is_size = base.func is sp.Abs or bool(base.is_nonnegative)
            allowed = allowed and ("sqrt" in names or ("sqrtabs" in names and is_size))
            parts = [base.args[0] if base.func is sp.Abs and "sqrtabs" in names else base]
        elif power.is_integer:
            allowed = allowed and (
                power == 1 or bool(names & {"*", "^"} or (power == 2 and "square" in names))
            )
        else:
            allowed = "^" in names
    elif expr.func is sp.log and expr.args[0].func is sp.Abs and "logabs" in names:
        allowed, parts = True, list(expr.args[0].args)
    else:
        allowed = FUNCTIONS.get(expr.func, str(expr.func)) in names
    return allowed and all(holds_only(part, names) for part in parts)
