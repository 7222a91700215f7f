"""Laws of few terms, found without a search: by least squares, and by trying choices of up to three terms."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
import sympy as sp

EXACT = 1e-10
"""Share of the target's variance that a law may leave open. Not measured."""
CLOSE = 1e-6
"""Choices that leave at most this share open are fitted, and then seen to be exact or not. Not measured."""
INDEPENDENT = 1e-9
"""A term, or a pair, of which others leave at most this share open, is not usable: it is rounding. Not
measured."""
ROUNDING = 1e-13
"""A pair is computed exactly even if it seems to fall short by this much. Not measured."""
N_FITTED = 5
"""The best choices that are fitted. Not measured."""
N_FIRST = 40
"""Terms that are most like the target, each tried as the first one of three. Not measured."""
BLOCK = 64
"""Terms whose pairs with others are tried at once, to stay in a fast memory. Not measured."""
MAX_TERMS = 700
"""With more terms than these their table of products takes too long; then there are fewer kinds of them. Not
measured."""
DEGREE = 3
"""Largest degree of polynomials. Not measured."""
LARGEST = 50.0
"""Exponentials of larger arguments are not tried. Not measured."""
MOST_KEPT = 8
"""A polynomial of more terms is no law. Not measured."""
FEWEST_ROWS = 30
"""Fewer rows may follow a law by chance, as many are tried. Not measured."""
ROWS_EACH = 3
"""Rows that least squares need for each term. Not measured."""

Terms = dict[sp.Expr, np.ndarray]


class _Target(NamedTuple):
    """A transform of the target (n,), and the name of the function that undoes it."""

    values: np.ndarray
    undo: str


@np.errstate(all="ignore")
def sum_law(
    arguments: Mapping[sp.Expr, np.ndarray], y: np.ndarray, operators: Sequence[str]
) -> sp.Expr | None:
    """Find a law ``y = g(c0 + c1 t1 + ... + cm tm)`` whose terms are simple functions of few arguments.

    The outer function g is the identity, a square root, ``1 / u`` or the exponential function. The terms are
    those of a polynomial in the arguments, their sines and cosines, or up to three among powers, roots,
    sines, cosines, exponentials and logarithms of an argument and products of two of these.

    Parameters
    ----------
    arguments : mapping of sympy.Expr to ndarray of shape (n,)
        What terms are made of, and its values.
    y : ndarray of shape (n,)
        Target, whose zero is that of its unit. The rows must differ from each other.
    operators : sequence of str
        What formulas may hold; that the law holds nothing else is left to `holds_only`.

    Returns
    -------
    sympy.Expr or None
        With its constants; None where there is no such law.

    Examples
    --------
    >>> rng = np.random.RandomState(0)
    >>> a, b = rng.uniform(1, 2, (2, 50))
    >>> names = sp.symbols("a b")
    >>> law = sum_law(dict(zip(names, (a, b))), 1 / (2 * a + np.exp(b)), ["+", "*", "/", "exp"])
    >>> sp.nsimplify(law, tolerance=1e-6)
    1/(2*a + exp(b))
    """
    if "+" not in operators or len(y) < FEWEST_ROWS:
        return None
    targets = [target for target in _transforms(y, operators) if np.isfinite(target.values).all()]
    polynomial = _polynomial(arguments, operators, len(y) // ROWS_EACH)
    for target in targets if polynomial else ():
        law = _by_least_squares(polynomial, target.values)
        if law is not None:
            return _undone(law, target, y, operators)
    terms = _products(arguments, operators)
    if not terms:
        return None
    names, table = list(terms), _of_length_one(np.column_stack(list(terms.values())))
    inner = table.T @ table
    for target in targets:
        along = table.T @ _of_length_one(target.values[:, None])[:, 0]
        for chosen in _choices(inner, along):
            law = _fitted({names[i]: terms[names[i]] for i in chosen}, target.values)
            if law is not None:
                return _undone(law, target, y, operators)
    return None


# --- terms ----------------------------------------------------------------------------------------


def _simple(
    argument: sp.Expr, values: np.ndarray, names: set[str], alone: bool
) -> Iterator[tuple[sp.Expr, np.ndarray]]:
    """Give functions of one argument that the operators allow."""
    positive = bool((values > 0).all())
    yield argument, values
    if names & {"*", "square", "^"}:
        yield argument**2, values**2
    if "/" in names and values.all():
        yield 1 / argument, 1 / values
        yield argument**-2, values**-2.0
        for sign, name in ((1, "+"), (-1, "-")):
            if name in names and (1 + sign * values).all():
                yield 1 / (1 + sign * argument), 1 / (1 + sign * values)
    if positive and names & {"sqrt", "sqrtabs"}:
        yield sp.sqrt(argument if "sqrt" in names else sp.Abs(argument)), np.sqrt(values)
    if positive and names & {"log", "logabs"}:
        yield sp.log(argument if "log" in names else sp.Abs(argument)), np.log(values)
    if "exp" in names and np.abs(values).max() < LARGEST:
        for sign in (1, -1):
            yield sp.exp(sign * argument), np.exp(sign * values)
    if alone and {"exp", "/"} <= names and (np.abs(values) > 1 / LARGEST).all():
        for sign in (1, -1):
            yield sp.exp(sign / argument), np.exp(sign / values)
    for name in sorted(names & {"sin", "cos", "tanh"}):
        yield getattr(sp, name)(argument), getattr(np, name)(values)
        if name != "tanh" and names & {"*", "square", "^"}:
            yield getattr(sp, name)(argument) ** 2, getattr(np, name)(values) ** 2


def _products(arguments: Mapping[sp.Expr, np.ndarray], operators: Sequence[str]) -> Terms:
    """Give functions of one argument and products of two of them; of too many only powers are multiplied."""
    names = set(operators)
    simple = {
        e: v
        for argument, column in arguments.items()
        for e, v in _simple(argument, column, names, len(arguments) == 1)
    }
    terms = dict(simple)
    factors = list(simple)
    if len(factors) * (len(factors) + 1) // 2 > MAX_TERMS:
        factors = [f for f in factors if f in arguments or f.is_Pow]
    if "*" in names and len(factors) * (len(factors) + 1) // 2 <= MAX_TERMS:
        for i, one in enumerate(factors):
            for other in factors[:i]:
                terms.setdefault(one * other, simple[one] * simple[other])
    return _varying(terms)


def _polynomial(arguments: Mapping[sp.Expr, np.ndarray], operators: Sequence[str], most: int) -> Terms:
    """Give the terms of a polynomial in arguments, their sines and cosines; as many degrees as rows allow."""
    waves = {
        getattr(sp, name)(argument): getattr(np, name)(values)
        for name in sorted({"sin", "cos"} & set(operators))
        for argument, values in arguments.items()
    }
    factors = {**arguments, **waves}
    terms: Terms = {}
    for degree in range(1, DEGREE + 1 if "*" in operators else 1):
        found = dict(terms)
        if math.comb(len(factors) + degree, degree) > 2 * MAX_TERMS:
            break
        for chosen in combinations_with_replacement(factors, degree):
            if all(chosen.count(wave) < 2 for wave in waves):  # squares of sine and cosine add up to 1
                found[sp.Mul(*chosen)] = np.prod([factors[f] for f in chosen], axis=0)
        if len(found) > min(most, MAX_TERMS):
            break
        terms = found
    return _varying(terms)


def _varying(terms: Terms) -> Terms:
    return {e: v for e, v in terms.items() if e.free_symbols and np.isfinite(v).all() and np.ptp(v) > 0}


# --- targets --------------------------------------------------------------------------------------


def _transforms(y: np.ndarray, operators: Sequence[str]) -> Iterator[_Target]:
    names, one_sign = set(operators), bool((y > 0).all() or (y < 0).all())
    yield _Target(y, "")
    if names & {"sqrt", "sqrtabs"} and one_sign:
        yield _Target(y**2, "sqrt")
    if "/" in names and y.all():
        yield _Target(1 / y, "/")
    if "exp" in names and one_sign:
        yield _Target(np.log(np.abs(y)), "exp")


def _undone(inner: sp.Expr, target: _Target, y: np.ndarray, operators: Sequence[str]) -> sp.Expr:
    sign = sp.Integer(-1 if (y < 0).all() else 1)
    if target.undo == "sqrt":
        return sign * sp.sqrt(inner if "sqrt" in operators else sp.Abs(inner))
    if target.undo == "exp":
        return sign * _exponential(inner)
    return 1 / inner if target.undo == "/" else inner


def _exponential(inner: sp.Expr) -> sp.Expr:
    """Write exp of a sum, whose terms are n log(u) with a whole n as powers of u, which is positive."""
    powers, rest = sp.S.One, []
    for term in sp.Add.make_args(inner):
        number, function = term.as_coeff_Mul()
        whole = round(float(number))
        if function.func is sp.log and abs(float(number) - whole) < CLOSE:
            base = function.args[0]
            powers *= (base.args[0] if base.func is sp.Abs else base) ** whole
        else:
            rest.append(term)
    return powers * sp.exp(sp.Add(*rest))


# --- which terms ----------------------------------------------------------------------------------


def _of_length_one(columns: np.ndarray) -> np.ndarray:
    centred = columns - columns.mean(axis=0)
    return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=0), np.finfo(float).tiny))


def _fitted(terms: Mapping[sp.Expr, np.ndarray], t: np.ndarray) -> sp.Expr | None:
    """Weight terms and a constant by least squares; None where that does not give a target (n,) exactly."""
    spread = float(np.sum((t - t.mean()) ** 2))
    columns = np.column_stack([np.ones(len(t)), *terms.values()])
    scale = np.abs(columns).max(axis=0)
    weights = np.linalg.lstsq(columns / scale, t, rcond=None)[0] / scale
    if not 0 <= np.sum((columns @ weights - t) ** 2) <= EXACT * spread:
        return None
    if abs(weights[0]) <= np.sqrt(EXACT) * np.abs(t).max():  # without it, if that is as exact
        alone = np.linalg.lstsq(columns[:, 1:] / scale[1:], t, rcond=None)[0] / scale[1:]
        if np.sum((columns[:, 1:] @ alone - t) ** 2) <= EXACT * spread:
            weights = np.array([0.0, *alone])
    constant, *rest = weights.tolist()
    parts = [sp.Float(weight) * term for weight, term in zip(rest, terms, strict=True)]
    return sp.Add(*parts, sp.Float(constant)) if constant else sp.Add(*parts)


def _by_least_squares(terms: Terms, t: np.ndarray) -> sp.Expr | None:
    """Weight all terms, then those alone that matter; None where they do not give a target (n,) exactly."""
    names, table = list(terms), _of_length_one(np.column_stack(list(terms.values())))
    different = ~np.triu(np.abs(table.T @ table) > 1 - INDEPENDENT, 1).any(axis=0)
    names, table = [name for name, keep in zip(names, different, strict=True) if keep], table[:, different]
    target = _of_length_one(t[:, None])[:, 0]
    weights = np.linalg.lstsq(table, target, rcond=None)[0]
    if np.sum((table @ weights - target) ** 2) > EXACT:
        return None
    kept = [names[i] for i in np.flatnonzero(np.abs(weights) > CLOSE**0.5)]
    return _fitted({name: terms[name] for name in kept}, t) if 0 < len(kept) <= MOST_KEPT else None


def _choices(products: np.ndarray, along: np.ndarray) -> Iterator[Sequence[int]]:
    """Give choices of one, two and three terms that leave next to nothing open, those of few terms first.

    Parameters
    ----------
    products : ndarray of shape (m, m)
        Products of terms, centred and of length 1.
    along : ndarray of shape (m,)
        Products of the terms with the target.
    """
    order = np.argsort(-(along**2), kind="stable")
    yield from ([int(i)] for i in order[:N_FITTED] if 1 - along[i] ** 2 <= CLOSE)
    yield from (choice for _, *choice in _pairs(products, along)[:N_FITTED])
    best: list[tuple[float, tuple[int, ...]]] = []
    for k in order[:N_FIRST].tolist():
        if 1 - along[k] ** 2 <= CLOSE:
            continue  # alone it was tried
        best += ((open_, tuple(sorted((k, i, j)))) for open_, i, j in _pairs(products, along, k))
    yield from dict.fromkeys(choice for _, choice in sorted(best)[: 3 * N_FITTED])


def _pairs(products: np.ndarray, along: np.ndarray, given: int | None = None) -> list[tuple[float, int, int]]:
    """Give the best pairs that leave less than `CLOSE` of the target open, and how much.

    With a given term, pairs have to explain what it leaves, and what they share with it does not count.
    """
    wanted, squares, shared = 1.0, np.ones(len(along)), np.zeros(len(along))
    if given is not None:
        shared = products[given]
        squares = np.diag(products) - shared * shared
        wanted, along = 1 - along[given] ** 2, along - along[given] * shared
    lengths = np.where(squares > INDEPENDENT, np.sqrt(np.maximum(squares, 0)), np.inf)
    own = along / lengths
    alone = np.where(squares > INDEPENDENT, own**2, -np.inf)  # what is not usable says less than nothing
    found: list[tuple[float, int, int]] = []
    for first in range(0, len(own), BLOCK):
        here, on = slice(first, first + BLOCK), slice(first, None)
        alike = products[here, on] - shared[here, None] * shared[on]
        alike /= lengths[on]
        alike /= lengths[here, None]
        rows, columns = np.nonzero(_say_enough(alike, own[here], own[on], alone[here], alone[on], wanted))
        rows, columns = rows[columns > rows], columns[columns > rows]
        one, other, both = own[here][rows], own[on][columns], alike[rows, columns]
        apart = 1 - both**2
        apart[apart <= INDEPENDENT] = np.inf
        open_ = wanted - (one**2 + other**2 - 2 * one * other * both) / apart
        best = np.argsort(open_, kind="stable")[: 3 * N_FITTED]
        for i in best[open_[best] <= CLOSE].tolist():
            found.append((float(open_[i]), int(first + rows[i]), int(first + columns[i])))
    return sorted(found)[: 3 * N_FITTED]


def _say_enough(
    alike: np.ndarray, u: np.ndarray, v: np.ndarray, u2: np.ndarray, v2: np.ndarray, wanted: float
) -> np.ndarray:
    """Tell which pairs (a, b) say what is wanted, but for `CLOSE` and rounding, with few operations on each.

    A pair says ``(u^2 + v^2 - 2 u v c) / (1 - c^2)``, where u (a,) and v (b,) are the products of its terms
    with the target, and c (a, b) is `alike`, the product of both.
    """
    share = wanted - CLOSE
    more = share * alike
    more -= (2 * u)[:, None] * v
    more *= alike
    more += u2[:, None]
    more += v2 - share
    return np.asarray(more >= -ROUNDING)
