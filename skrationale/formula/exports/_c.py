"""A formula as the source text of a C function."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

import sympy as sp

from ._names import Leaf, check_function_name, leaves
from ._printer import ATOM, Printer, may_hide_missing

if TYPE_CHECKING:
    from .._formula import Formula

_HELPERS = {
    "max_of": "static double max_of(double a, double b) { return a > b || isnan(a) ? a : b; }\n",
    "min_of": "static double min_of(double a, double b) { return a < b || isnan(a) ? a : b; }\n",
    "pow_of": "static double pow_of(double a, double b)\n"
    "{ return isnan(a) || isnan(b) ? a + b : pow(a, b); }\n",
    "sign_of": "static double sign_of(double x) { return isnan(x) ? x : (double)((x > 0) - (x < 0)); }\n",
}


class _CPrinter(Printer):
    functions = {"max": "max_of", "min": "min_of", "sign": "sign_of", "abs": "fabs"}

    def power(self, base: sp.Expr, exponent: sp.Expr) -> tuple[str, int]:
        name = "pow_of" if may_hide_missing(base, exponent) else "pow"
        return f"{name}({self.text(base)}, {self.text(exponent)})", ATOM


_KEYWORDS = """
alignas alignof asm auto bool break case char const constexpr continue default do double else enum extern
false float for fortran goto if inline int long nullptr register restrict return short signed sizeof static
static_assert struct switch thread_local true typedef typeof typeof_unqual union unsigned void volatile
while
"""
_FUNCTIONS = """
acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp10 exp2 expm1 fabs fdim
floor fma fmax fmin fmod frexp gamma hypot ilogb j0 j1 jn ldexp lgamma llrint llround log log10 log1p log2
logb lrint lround modf nan nearbyint nextafter nexttoward pow remainder remquo rint round scalb scalbln
scalbn significand sin sincos sinh sqrt tan tanh tgamma trunc y0 y1 yn
"""
"""Functions of ``math.h`` in C and in POSIX; each is also there with the endings f and l."""
_MACROS = """
HUGE_VAL HUGE_VALF HUGE_VALL INFINITY NAN double_t float_t fpclassify isfinite isgreater isgreaterequal
isinf isless islessequal islessgreater isnan isnormal isunordered math_errhandling signbit signgam
"""


def _check_name(name: str, value: str) -> None:
    """Raise a ValueError for the name of a function that C, ``math.h`` or the source text has already."""
    functions = [word + ending for word in _FUNCTIONS.split() for ending in ("", "f", "l")]
    called = re.findall(r"\w+(?=\()", " ".join([*_HELPERS.values(), value]))
    # such names belong to the compiler; to some, `linux` and `unix` are the number 1
    reserved = [name] if re.match("__|_[A-Z]", str(name)) else ["main", "linux", "unix"]
    taken = {*_KEYWORDS.split(), *functions, *_MACROS.split(), *_HELPERS, *called, *reserved}
    check_function_name(name, "C", taken)


def _comment(text: str) -> str:
    """Write any text so that no comment ends with it."""
    return json.dumps(text).replace("*/", "*\\u002f").replace("/*", "\\u002f*").replace("??", "?\\u003f")


def _arguments(found: list[Leaf]) -> tuple[dict[str, str], dict[Leaf, str]]:
    """Give arguments with what they mean, and the expression for each variable.

    A number and the indicator of its missing values share one argument.
    """
    meaning: dict[str, str] = {}
    expressions: dict[Leaf, str] = {}
    numbers: dict[int, str] = {}
    for leaf in found:
        variable = leaf.variable
        if leaf.is_number:
            argument = numbers.setdefault(variable.column, leaf.argument)
            meaning[argument] = f"{_comment(variable.name)}, NAN where missing"
            fill = "NAN" if math.isnan(variable.fill) else repr(float(variable.fill))
            sign, default = ("1.0", "0.0") if variable.kind == "missing" else (fill, argument)
            expressions[leaf] = f"(isnan({argument}) ? {sign} : {default})"
        else:
            meaning[leaf.argument] = f"1 for {_comment(variable.label)}, else 0"
            expressions[leaf] = leaf.argument
    return meaning, expressions


def to_c(self: Formula, name: str = "predict") -> str:
    """Write the source text of a C function.

    Parameters
    ----------
    name : str, default="predict"
        Name of the function.

    Returns
    -------
    str
        The function takes doubles. A column of numbers is one argument, NAN if it is missing. A column of
        categories has one argument for each level, and one for missing values, each 1 or 0. A comment names
        the arguments.

    Raises
    ------
    ValueError
        If `name` is no identifier, or if C or the source text uses it for something else.

    Examples
    --------
    >>> from skrationale import Formula
    >>> print(Formula.from_string("1/age", ["age"]).to_c())  # doctest: +ELLIPSIS
    #include <math.h>
    <BLANKLINE>
    /* x0_age: "age", NAN where missing */
    double predict(double x0_age)
    ...
    """
    meaning, expressions = _arguments(leaves(self))
    declarations = [
        f"    const double {leaf.symbol} = {text};"
        for leaf, text in expressions.items()
        if text != leaf.argument
    ]
    names = {
        leaf.symbol: leaf.argument if text == leaf.argument else str(leaf.symbol)
        for leaf, text in expressions.items()
    }
    value = _CPrinter(names).text(self.expr)
    _check_name(name, value)
    helpers = "".join(source for word, source in _HELPERS.items() if f"{word}(" in value)
    comments = "".join(f"/* {argument}: {text} */\n" for argument, text in meaning.items())
    parameters = ", ".join(f"double {argument}" for argument in meaning) or "void"
    body = "\n".join([*declarations, f"    return {value};"])
    return f"#include <math.h>\n\n{helpers}{comments}double {name}({parameters})\n{{\n{body}\n}}\n"
