"""A formula as the source text of a C function."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from ._names import Leaf, check_function_name, leaves
from ._printer import Printer

if TYPE_CHECKING:
    from .._formula import Formula

_HELPERS = {
    "max_of": "static double max_of(double a, double b) { return a > b || isnan(a) ? a : b; }\n",
    "min_of": "static double min_of(double a, double b) { return a < b || isnan(a) ? a : b; }\n",
    "sign_of": "static double sign_of(double x) { return isnan(x) ? x : (double)((x > 0) - (x < 0)); }\n",
}


class _CPrinter(Printer):
    functions = {"max": "max_of", "min": "min_of", "sign": "sign_of", "abs": "fabs"}


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
    check_function_name(name)
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
    helpers = "".join(source for word, source in _HELPERS.items() if f"{word}(" in value)
    comments = "".join(f"/* {argument}: {text} */\n" for argument, text in meaning.items())
    parameters = ", ".join(f"double {argument}" for argument in meaning) or "void"
    body = "\n".join([*declarations, f"    return {value};"])
    return f"#include <math.h>\n\n{helpers}{comments}double {name}({parameters})\n{{\n{body}\n}}\n"
