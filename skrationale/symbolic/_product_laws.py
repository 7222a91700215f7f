"""Laws that are products, found without a search: their logarithm is a sum, fitted by least squares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import sympy as sp

from ._operators import holds_only
from ._terms import finite_values

EXACT = 0.999
"""A law is kept that explains so much of the target (R2). Not measured."""
OFF = 0.02
"""How far an exponent may be from a multiple of 1/2. Not measured."""
LARGEST = 6
"""Larger exponents are taken for chance. Not measured."""
MAX_FACTORS = 160
"""Least squares of more factors take too long; fewer kinds of factors are tried then. Not measured."""
FEWEST_ROWS = 20
"""Fewer rows may follow a law by chance. Not measured."""
SAME = 1e-12
"""Two factors whose logarithms differ by so little, and by a constant, count as one. Not measured."""
ROWS_EACH = 3
"""Rows that least squares need for each factor. Not measured."""


@np.errstate(all="ignore")
def product_law(
    V: np.ndarray,
    y: np.ndarray,
    variables: Sequence[sp.Symbol],
    operators: Sequence[str],
) -> sp.Expr | None:
    """Find a product of powers that gives `y`, up to a constant factor.

    The factors are columns, then also ``1 + x``, ``1 - x`` and the sine, cosine and exponential of a column,
    then also sums and differences of two columns. The first of these three lists with which nearly all of
    `y` is explained is taken; exponents are multiples of 1/2.

    Parameters
    ----------
    V : ndarray of shape (n, p)
        Rows, in the columns' own units. They must differ from each other.
    y : ndarray of shape (n,)
        Target, whose zero is that of its unit.
    variables : sequence of p sympy.Symbol
    operators : sequence of str
        What formulas may hold.

    Returns
    -------
    sympy.Expr or None
        Without its constant factor; None where there is no such law.

    Examples
    --------
    >>> rng = np.random.RandomState(0)
    >>> V = rng.uniform(1, 2, (50, 3))
    >>> v = sp.symbols("v0:3", real=True)
    >>> product_law(V, 7 * V[:, 0] / V[:, 2] ** 2, v, ["*", "/"])
    v0/v2**2
    """
    rows = np.flatnonzero(y)
    if "*" not in operators or len(rows) < max(len(y) / 2, FEWEST_ROWS):
        return None
    for factors in _factor_lists(variables, operators):
        if len(factors) > MAX_FACTORS:
            return None
        columns = _varying(factors, variables, V[rows])
        if not columns or len(rows) < ROWS_EACH * len(columns):
            return None
        exponents = _exponents(np.column_stack(list(columns.values())), y[rows])
        law = None if exponents is None else _product(columns, exponents, operators)
        if law is not None and holds_only(law, operators) and _explains(law, variables, V, y):
            return law
    return None


def _factor_lists(variables: Sequence[sp.Symbol], operators: Sequence[str]) -> Iterator[list[sp.Expr]]:
    """Give longer and longer lists of factors."""
    factors: list[sp.Expr] = list(variables)
    yield list(factors)
    calls = [f for f in (sp.sin, sp.cos, sp.exp) if f.__name__ in operators]
    signs = [sign for sign, name in ((1, "+"), (-1, "-")) if name in operators]
    factors += [call(v) for call in calls for v in variables]
    factors += [1 + sign * v for sign in signs for v in variables]
    yield list(factors)
    factors += [a + sign * b for sign in signs for i, b in enumerate(variables) for a in variables[i + 1 :]]
    yield list(factors)


def _varying(
    factors: Sequence[sp.Expr], variables: Sequence[sp.Symbol], V: np.ndarray
) -> dict[sp.Expr, np.ndarray]:
    """Evaluate factors on rows (n, p); those that are constant or 0 somewhere are left out.

    A difference that is negative on all rows is turned round.
    """
    columns: dict[sp.Expr, np.ndarray] = {}
    sizes: list[np.ndarray] = []
    for factor in factors:
        column = finite_values(factor, variables, V)
        if column is None or not column.all() or np.ptp(column) == 0:
            continue
        size = np.log(np.abs(column))
        size = size - size.mean()
        size /= max(float(np.linalg.norm(size)), np.finfo(float).tiny)
        if any(abs(size @ other) > 1 - SAME for other in sizes):
            continue  # as kilograms and pounds of one thing
        sizes.append(size)
        turned = factor.is_Add and (column < 0).all()
        columns[-factor if turned else factor] = -column if turned else column
    return columns


def _exponents(factors: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    """Fit exponents of factors (n, m), rounded to multiples of 1/2; None where they are no such multiples."""
    A = np.column_stack([np.ones(len(y)), np.log(np.abs(factors))])
    found = np.linalg.lstsq(A, np.log(np.abs(y)), rcond=None)[0][1:]
    rounded = np.round(2 * found) / 2
    if (np.abs(found - rounded) > OFF).any() or not 0 < np.abs(rounded).max() <= LARGEST:
        return None
    return np.asarray(rounded)


def _product(
    columns: Mapping[sp.Expr, np.ndarray], exponents: np.ndarray, operators: Sequence[str]
) -> sp.Expr | None:
    """Write a product of powers; None where that takes the root of a negative number."""
    powers = {}
    for (factor, column), exponent in zip(columns.items(), exponents.tolist(), strict=True):
        if not exponent.is_integer() and (column < 0).any():
            return None
        if exponent:
            powers[factor] = sp.Rational(int(2 * exponent), 2)
    powers = _of_squares(powers)
    whole = sp.Mul(*(factor**power for factor, power in powers.items() if power.is_integer))
    roots = {factor: 2 * power for factor, power in powers.items() if not power.is_integer}
    above, below = (
        sp.Mul(*(f ** abs(power) for f, power in roots.items() if bool(power > 0) is up))
        for up in (True, False)
    )
    wrap = (lambda expr: expr) if "sqrt" in operators else sp.Abs
    if above == 1:
        return whole / sp.sqrt(wrap(below))
    return whole * sp.sqrt(wrap(above / below))


def _of_squares(powers: Mapping[sp.Expr, sp.Rational]) -> dict[sp.Expr, sp.Rational]:
    """Join equal powers of a + b and of a - b to one of the difference of their squares."""
    joined = dict(powers)
    for one, power in powers.items():
        for other in powers:
            if one in joined and joined.get(other) == power and one.is_Add and other.is_Add:
                product = sp.expand(one * other)
                if len(product.args) == 2:  # what is mixed has gone
                    del joined[one], joined[other]
                    joined[product] = power
    return joined


def _explains(law: sp.Expr, variables: Sequence[sp.Symbol], V: np.ndarray, y: np.ndarray) -> bool:
    """Whether a law, times its best constant, leaves next to nothing of `y` (n,) open."""
    values = finite_values(law, variables, V)
    if values is None or not values.any():
        return False
    values, y = values / np.abs(values).max(), y / np.abs(y).max()
    left = y - values * float(values @ y / (values @ values))
    return bool(left @ left <= (1 - EXACT) * float(np.sum((y - y.mean()) ** 2)))
