"""Read a formula from text with a parser of its own: nothing of the text is ever run as code."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp

from ..writing import shorten
from ._building import EXACT, Builder, check_constants, float_number, unique_extreme
from .program import FUNCTIONS

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eEf][+-]?\d+)?)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|`(?P<quoted>(?:[^`]|``)*)`"
    r"|(?P<sign>\*\*|[-+*/^(),])"
)
MAX_SIGNS = 50_000
"""How long the text of a formula may be."""
MAX_BRACKETS = 100
"""How deep brackets and powers of a text may be nested."""
_HALF, _THIRD = sp.Rational(1, 2), sp.Rational(1, 3)
_STEPWISE = 50
"""Factors that are multiplied one by one, which lets sympy spread a number over a sum. Not measured."""


def _power(build: Builder, a: sp.Expr, b: sp.Expr) -> sp.Expr:
    # engines print 2.0 and 0.5, and only exact exponents are known to sympy
    if b.is_Float and float(b).is_integer() and abs(b) < 1e6:
        b = sp.Integer(int(b))
    elif b.is_Float and float(2 * b).is_integer() and abs(b) < 1e6:
        b = sp.Rational(int(2 * b), 2)
    return build.pow(a, b)


def _quotient_of_root(build: Builder, a: sp.Expr, b: sp.Expr) -> sp.Expr:
    if b.is_number:
        return build.divide(a, float_number(math.hypot(1.0, float(b))))
    below = build.add([sp.S.One, build.pow(b, sp.Integer(2))])
    return build.mul([a, build.pow(below, -_HALF)]) if a != 1 else build.pow(below, -_HALF)


def _calling(function: Any) -> Callable[[Builder, sp.Expr], sp.Expr]:
    return lambda build, a: build.call(function, a)


_FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    **{name: (1, _calling(function)) for function, name in FUNCTIONS.items()},
    "safe_log": (1, _calling(sp.log)),
    "sqrt": (1, lambda build, a: build.pow(a, _HALF)),
    "safe_sqrt": (1, lambda build, a: build.pow(a, _HALF)),
    "square": (1, lambda build, a: build.pow(a, sp.Integer(2))),
    "cube": (1, lambda build, a: build.pow(a, sp.Integer(3))),
    "inv": (1, lambda build, a: build.divide(sp.S.One, a)),
    "neg": (1, lambda build, a: -a),
    "log1p": (1, lambda build, a: build.call(sp.log, build.add([a, sp.S.One]))),
    "logabs": (1, lambda build, a: build.call(sp.log, build.call(sp.Abs, a))),
    "sqrtabs": (1, lambda build, a: build.pow(build.call(sp.Abs, a), _HALF)),
    "cbrt": (
        1,
        lambda build, a: build.mul([build.call(sp.sign, a), build.pow(build.call(sp.Abs, a), _THIRD)]),
    ),
    "aq": (2, _quotient_of_root),
    "pow": (2, _power),
    "safe_pow": (2, _power),
    "powabs": (2, lambda build, a, b: _power(build, build.call(sp.Abs, a), b)),
    "max": (2, lambda build, *args: unique_extreme(sp.Max, args)),
    "min": (2, lambda build, *args: unique_extreme(sp.Min, args)),
}
_NUMERIC: dict[str, Callable[[float], float]] = {
    **{name: getattr(math, name) for name in ("sin", "cos", "tan", "tanh", "exp", "log", "sqrt", "cbrt")},
    "safe_log": math.log,
    "safe_sqrt": math.sqrt,
    "log1p": lambda a: math.log(a + 1),
    "logabs": lambda a: math.log(abs(a)),
    "sqrtabs": lambda a: math.sqrt(abs(a)),
}


def parse(text: str, names: Mapping[str, sp.Symbol]) -> sp.Expr:
    r"""Read a formula.

    Parameters
    ----------
    text : str
        Numbers, names, ``+ - * / ^ **``, brackets and functions: sin, cos, tan, tanh, exp, log, sqrt,
        abs, sign, square, cube, inv, neg, max, min, pow, log1p and cbrt, and those of engines:
        ``aq(a, b)`` = a / sqrt(1 + b^2), ``powabs(a, b)`` = \|a\|^b, ``logabs``, ``sqrtabs``, ``safe_log``,
        ``safe_sqrt``, ``safe_pow``. As in mathematics, ``-x^2`` is ``-(x^2)`` and ``2^3^2`` is ``2^(3^2)``.
        A name that is no identifier stands in backticks, where a doubled backtick means one.
    names : mapping of str to sympy.Symbol
        What the names in the text mean.

    Returns
    -------
    sympy.Expr
        The tree. Calculations with numbers alone are done in float64.

    Raises
    ------
    ValueError
        For anything else, naming the position (from 1) and the word there, for constants that have
        no finite value, as in ``1/0``, and for a text of more than `MAX_SIGNS` signs or with brackets
        nested more than `MAX_BRACKETS` deep.

    Examples
    --------
    >>> import sympy
    >>> parse("2*age^2 - sqrtabs(`x y`)", {"age": sympy.Symbol("v0"), "x y": sympy.Symbol("v1")})
    2*v0**2 - sqrt(Abs(v1))
    """
    if not isinstance(text, str):
        raise TypeError(f"A formula must be a string, got {type(text).__name__}.")
    if len(text) > MAX_SIGNS:
        raise ValueError(f"The formula has {len(text):,} characters; it may have at most {MAX_SIGNS:,}.")
    reader = _Parser(text, names)
    try:
        expr = reader.sum()
        if reader.kind != "end":
            raise reader.error("expected an operator or the end")
        check_constants(expr)
    except (OverflowError, ZeroDivisionError) as error:
        short = shorten(text, 80)
        raise ValueError(
            f"The formula {short!r} holds a value that is not a finite number: {error}."
        ) from None
    except RecursionError:
        raise ValueError(
            "The formula is nested too deep to be read here, because the calling code is itself nested "
            "deep in Python calls."
        ) from None
    return expr


def _tokens(text: str) -> list[tuple[str, str, int]]:
    """Split text into (kind, word, position)."""
    tokens = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"Position {position + 1} of the formula: {text[position]!r} cannot be read.")
        kind = str(match.lastgroup)
        if kind != "space":
            tokens.append((kind, match[kind], position))
        position = match.end()
    return [*tokens, ("end", "", len(text))]


class _Parser:
    """Precedence climbing over the tokens of one text; `kind` and `word` are the token that comes next."""

    def __init__(self, text: str, names: Mapping[str, sp.Symbol]) -> None:
        self._tokens = _tokens(text)
        self._names = names
        self._next = 0
        self._depth = 0
        self._build = Builder()

    @property
    def kind(self) -> str:
        return self._tokens[self._next][0]

    @property
    def word(self) -> str:
        return self._tokens[self._next][1]

    def error(self, reason: str) -> ValueError:
        found = "the end" if self.kind == "end" else repr(self.word)
        return ValueError(
            f"Position {self._tokens[self._next][2] + 1} of the formula: {reason}, found {found}."
        )

    def _take(self, *words: str) -> str:
        """Step over the next token and return it when it is one of these signs, else return ''."""
        if self.kind != "sign" or self.word not in words:
            return ""
        self._next += 1
        return self._tokens[self._next - 1][1]

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self.error(f"expected {word!r}")

    def sum(self) -> sp.Expr:
        self._depth += 1
        if self._depth > MAX_BRACKETS:
            raise self.error(f"brackets are nested more than {MAX_BRACKETS} deep")
        terms = [self._product()]
        while sign := self._take("+", "-"):
            right = self._product()
            terms.append(right if sign == "+" else -right)
        self._depth -= 1
        return self._build.add(terms)

    def _product(self) -> sp.Expr:
        factors = [self._signed()]
        while sign := self._take("*", "/"):
            right = self._signed()
            if sign == "/":
                if right.is_number and float(right) == 0:
                    raise ZeroDivisionError("division by zero")
                right = self._build.pow(right, sp.S.NegativeOne)
            factors.append(right)
        value, *rest = factors
        for factor in rest[:_STEPWISE]:
            value = factor if value == 1 else self._build.mul([value, factor])
        return self._build.mul([value, *rest[_STEPWISE:]]) if rest[_STEPWISE:] else value

    def _signed(self) -> sp.Expr:
        negative = False
        while sign := self._take("+", "-"):
            negative ^= sign == "-"
        value = self._power()
        return -value if negative else value

    def _power(self) -> sp.Expr:
        base = self._atom()
        if not self._take("^", "**"):
            return base
        self._depth += 1
        if self._depth > MAX_BRACKETS:
            raise self.error(f"powers are nested more than {MAX_BRACKETS} deep")
        exponent = self._signed()
        self._depth -= 1
        return self._call("pow", [base, exponent])

    def _atom(self) -> sp.Expr:
        kind, word, _ = self._tokens[self._next]
        if self._take("("):
            value = self.sum()
            self._expect(")")
            return value
        if kind == "number":
            return self._number(word)
        if kind not in ("name", "quoted"):
            raise self.error("expected a number, a name or '('")
        if kind == "name" and word in _FUNCTIONS and self._tokens[self._next + 1][1] == "(":
            return self._function(word)
        name = word.replace("``", "`") if kind == "quoted" else word
        if name not in self._names:
            known = ", ".join(map(repr, list(self._names)[:10]))
            raise self.error(f"expected a function or one of the names {known}")
        self._next += 1
        return self._names[name]

    def _number(self, word: str) -> sp.Expr:
        value = float(word.replace("f", "e"))
        if math.isinf(value):
            raise self.error("expected a number that fits a float64")
        self._next += 1
        return sp.Integer(int(word)) if word.isdecimal() and abs(value) < EXACT else sp.Float(value)

    def _function(self, word: str) -> sp.Expr:
        start = self._next
        self._next += 2
        arguments = [self.sum()]
        while self._take(","):
            arguments.append(self.sum())
        self._expect(")")
        n_arguments = _FUNCTIONS[word][0]
        if len(arguments) != n_arguments and not (word in ("max", "min") and len(arguments) > 1):
            self._next = start
            raise self.error(f"{word} takes {n_arguments} argument(s), got {len(arguments)}")
        return self._call(word, arguments)

    def _call(self, word: str, arguments: list[sp.Expr]) -> sp.Expr:
        """Apply a function; numbers go through float64, since exact powers may never end."""
        if all(argument.is_number for argument in arguments):
            if word in ("pow", "safe_pow", "powabs"):
                base, exponent = map(float, arguments)
                return float_number((abs(base) if word == "powabs" else base) ** exponent)
            if word in _NUMERIC:
                try:
                    return float_number(_NUMERIC[word](float(arguments[0])))
                except ValueError:
                    raise ZeroDivisionError(f"{word}({arguments[0]}) is undefined") from None
        return _FUNCTIONS[word][1](self._build, *arguments)
