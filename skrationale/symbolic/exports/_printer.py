"""Walk a tree and write it with as few brackets as are safe; each language changes a few words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import sympy as sp

from .._program import FUNCTIONS
from .._tree import float_or_none, split_product

SUM, SIGNED, PRODUCT, POWER, ATOM = range(5)
"""How tightly a piece of text holds together; `SIGNED` begins with a minus sign."""


class Printer:
    """Write trees in the order in which :class:`Program` computes them.

    Parameters
    ----------
    names : mapping of sympy.Symbol to str
        Text for each symbol, which must hold together in any place.
    """

    functions: Mapping[str, str] = {}
    """Names of functions in the language, where they differ from those of `FUNCTIONS`."""
    times = "*"

    def __init__(self, names: Mapping[sp.Symbol, str]) -> None:
        self._names = names

    def text(self, node: sp.Expr) -> str:
        """Write a tree."""
        return self.piece(node)[0]

    def piece(self, node: sp.Expr) -> tuple[str, int]:
        """Write a tree; also say how tightly the text holds together."""
        if node.is_Symbol:
            return self._names[node], ATOM
        value = float_or_none(node)
        if value is not None:
            return ("-" + self.number(-value), SIGNED) if value < 0 else (self.number(value), ATOM)
        if node.is_Add:
            return self._sum(node)
        if node.is_Mul:
            return self.product(node)
        if node.is_Pow:
            return self.product(node) if split_product(node)[2] else self._power(node)
        if node.func in (sp.Max, sp.Min):
            return self.extreme(node.func.__name__.lower(), node)
        return self.call(FUNCTIONS[node.func], node.args[0])

    def at_least(self, node: sp.Expr, level: int) -> str:
        """Write a tree, in brackets unless it holds together as tightly as `level`."""
        text, own = self.piece(node)
        return text if own >= level else f"({text})"

    def number(self, value: float) -> str:
        """Write a number that is not negative, with all its digits."""
        return repr(value)

    def _sum(self, node: sp.Expr) -> tuple[str, int]:
        text = self.at_least(node.args[0], SIGNED)
        for term in node.args[1:]:
            right, level = self.piece(term)
            text += f" - {right[1:]}" if level == SIGNED else f" + {self.at_least(term, PRODUCT)}"
        return text, SUM

    def product(self, node: sp.Expr) -> tuple[str, int]:
        """Write a product, factor by factor."""
        negative, text = False, ""
        for factor in node.args if node.is_Mul else (node,):
            value = float_or_none(factor)
            if value is not None and value < 0:
                negative, factor = not negative, sp.Float(-value)
                if value == -1:
                    continue
            _, above, below = split_product(factor)
            if below:
                one = self.number(1.0)
                text = self.divide(text or (self.at_least(above[0], PRODUCT) if above else one), below[0])
            elif text:
                text += self.times + self.at_least(factor, POWER)
            else:
                text = self.at_least(factor, PRODUCT)
        return (f"-{text}", SIGNED) if negative else (text, PRODUCT)

    def divide(self, above: str, below: sp.Expr) -> str:
        """Write a division of a product."""
        return f"{above}/{self.at_least(below, POWER)}"

    def _power(self, node: sp.Expr) -> tuple[str, int]:
        if float_or_none(node.exp) == 0.5:
            return self.call("sqrt", node.base)
        return self.power(node.base, node.exp)

    def power(self, base: sp.Expr, exponent: sp.Expr) -> tuple[str, int]:
        """Write a power other than a square root."""
        name = self.functions.get("pow", "pow")
        return f"{name}({self.text(base)}, {self.text(exponent)})", ATOM

    def call(self, word: str, argument: sp.Expr) -> tuple[str, int]:
        """Write a function of one argument."""
        return f"{self.functions.get(word, word)}({self.text(argument)})", ATOM

    def extreme(self, word: str, node: sp.Expr) -> tuple[str, int]:
        """Write the largest or smallest of some terms, two by two."""
        name = self.functions.get(word, word)
        return reduce(lambda left, right: f"{name}({left}, {right})", map(self.text, node.args)), ATOM
