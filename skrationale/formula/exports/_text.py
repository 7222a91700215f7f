"""A formula as people read it, in plain text and in LaTeX."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import sympy as sp

from ..tree import float_or_none, split_product
from ._printer import ATOM, POWER, PRODUCT, SIGNED, Printer

_LATEX_TEXT = {
    **{sign: f"\\{sign}" for sign in "#$%&_"},
    "\\": r"}\backslash\text{",
    "{": r"}\{\text{",
    "}": r"}\}\text{",
    "^": r"}\wedge\text{",
    "~": r"}\sim\text{",
    "`": r"}\grave{\ }\text{",
}


def plain_name(name: str) -> str:
    """Write a name as `parse` reads it, in backticks unless it is an identifier."""
    return name if name.isidentifier() else "`" + name.replace("`", "``") + "`"


class PlainPrinter(Printer):
    """Write a formula as text, a fraction with one line.

    Parameters
    ----------
    names : mapping of sympy.Symbol to str
        Text for each symbol.
    precision : int, default=None
        Significant digits of numbers; None: as many as tell the number from all others.
    """

    widest = sys.maxsize

    def __init__(self, names: Mapping[sp.Symbol, str], precision: int | None = None) -> None:
        super().__init__(names)
        self._precision = precision

    def number(self, value: float) -> str:
        """Write a number."""
        if self._precision is None:
            return repr(float(value)).removesuffix(".0")
        return f"{value:.{self._precision}g}"

    def product(self, node: sp.Expr) -> tuple[str, int]:
        """Write factors above and below the line."""
        negative, above, below = split_product(node)
        if above and (float_or_none(above[0]) or 0) < 0:
            negative, above[0] = not negative, sp.Float(-float(above[0]))
        text = self.fraction(above, below)
        return (f"-{text}", SIGNED) if negative else (text, PRODUCT)

    def fraction(self, above: list[sp.Expr], below: list[sp.Expr]) -> str:
        """Write a fraction."""
        text = self.factors(above)
        if len(below) == 1:
            return f"{text}/{self.at_least(below[0], POWER)}"
        return f"{text}/({self.factors(below)})" if below else text

    def factors(self, factors: list[sp.Expr]) -> str:
        """Write a product of factors that stand on one side of the line."""
        return self.times.join(self.at_least(factor, POWER) for factor in factors) or self.number(1.0)

    def power(self, base: sp.Expr, exponent: sp.Expr) -> tuple[str, int]:
        """Write a power with ``^``."""
        return f"{self.at_least(base, ATOM)}^{self.at_least(exponent, ATOM)}", POWER

    def extreme(self, word: str, node: sp.Expr) -> tuple[str, int]:
        """Write all terms in one bracket."""
        return f"{word}({', '.join(map(self.text, node.args))})", ATOM


class LatexPrinter(PlainPrinter):
    """Write a formula in LaTeX; see :class:`PlainPrinter`."""

    times = r" \cdot "

    def number(self, value: float) -> str:
        """Write a number with few digits, ten to the power of its exponent."""
        mantissa, _, exponent = super().number(value).partition("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa

    def piece(self, node: sp.Expr) -> tuple[str, int]:
        """Write a tree; a number with an exponent is a product."""
        text, level = super().piece(node)
        return text, min(level, PRODUCT) if node.is_number and r"\cdot" in text else level

    def at_least(self, node: sp.Expr, level: int) -> str:
        """Write a tree with brackets as high as it is."""
        text, own = self.piece(node)
        # a number with an exponent is one factor
        if own >= level or (node.is_number and own == PRODUCT and level == POWER):
            return text
        return rf"\left({text}\right)"

    def fraction(self, above: list[sp.Expr], below: list[sp.Expr]) -> str:
        """Write a fraction with a line; a leading number stays in front."""
        if not below:
            return self.factors(above)
        front = self.text(above.pop(0)) + " " if len(above) > 1 and above[0].is_number else ""
        one_each = [
            self.text(side[0]) if len(side) == 1 else self.factors(side)
            for side in (above or [sp.S.One], below)
        ]
        return rf"{front}\frac{{{one_each[0]}}}{{{one_each[1]}}}"

    def power(self, base: sp.Expr, exponent: sp.Expr) -> tuple[str, int]:
        """Write a power, its exponent raised."""
        return f"{self.at_least(base, ATOM)}^{{{self.text(exponent)}}}", POWER

    def call(self, word: str, argument: sp.Expr) -> tuple[str, int]:
        """Write a function, a root or bars."""
        text = self.text(argument)
        if word == "sqrt":
            return rf"\sqrt{{{text}}}", ATOM
        if word == "abs":
            return rf"\left|{text}\right|", ATOM
        name = r"\mathrm{sign}" if word == "sign" else rf"\{word}"
        return rf"{name}\left({text}\right)", ATOM

    def extreme(self, word: str, node: sp.Expr) -> tuple[str, int]:
        """Write all terms in one bracket."""
        return rf"\{word}\left({', '.join(map(self.text, node.args))}\right)", ATOM


def latex_text(text: str) -> str:
    r"""Write any text in ``\text{...}``, its special signs as signs, line breaks as spaces."""
    escaped = "".join(_LATEX_TEXT.get(sign, sign if sign.isprintable() else " ") for sign in text)
    return rf"\text{{{escaped}}}".replace(r"\text{}", "") or r"\text{ }"
