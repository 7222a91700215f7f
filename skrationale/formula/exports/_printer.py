"""Walk a tree and write it with as few brackets as are safe; each language changes a few words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce

import sympy as sp

from .._building import postorder
from ..program import FUNCTIONS
from ..tree import float_or_none, split_product

SUM, SIGNED, PRODUCT, POWER, ATOM = range(5)
"""How tightly a piece of text holds together; `SIGNED` begins with a minus sign."""

_NESTED_ONE_BY_ONE = 8
"""Up to so many terms of a maximum or minimum are nested in a chain, more as a tree. Not measured."""


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
    language = "the requested language"
    most_signs = 1_000_000
    """How long the text may be; some languages have no way but to write parts several times."""
    widest = 100
    """How many parts a sum or product may have before it is written in groups: compilers nest each part."""

    def __init__(self, names: Mapping[sp.Symbol, str]) -> None:
        self._names = names
        self._pieces: dict[sp.Expr, tuple[str, int]] = {}
        self._outermost = True

    def text(self, node: sp.Expr) -> str:
        """Write a tree."""
        if self._outermost and node not in self._pieces:
            # arguments first, so that no method calls itself deeper than a few times
            self._outermost = False
            try:
                for part in postorder(node):
                    if part.args and not part.is_number:
                        self.piece(part)
            finally:
                self._outermost = True
        return self.piece(node)[0]

    def piece(self, node: sp.Expr) -> tuple[str, int]:
        """Write a tree; also say how tightly the text holds together. Each part is written once."""
        found = self._pieces.get(node)
        if found is None:
            found = self._pieces[node] = self._piece(node)
            if len(found[0]) > self.most_signs:
                raise ValueError(
                    f"The formula is too long for {self.language}: it needs more than {self.most_signs} "
                    f"characters; expected at most {self.most_signs}."
                )
        return found

    def _piece(self, node: sp.Expr) -> tuple[str, int]:
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

    def _groups(self, node: sp.Expr) -> list[str]:
        """Write a wide sum or product in groups, each in brackets; nothing for one that is not wide."""
        if len(node.args) <= self.widest:
            return []
        starts = range(0, len(node.args), self.widest)
        groups = [node.func(*node.args[i : i + self.widest], evaluate=False) for i in starts]
        return [f"({self.text(group)})" for group in groups]

    def _sum(self, node: sp.Expr) -> tuple[str, int]:
        if groups := self._groups(node):
            return " + ".join(groups), SUM
        text = self.at_least(node.args[0], SIGNED)
        for term in node.args[1:]:
            right, level = self.piece(term)
            text += f" - {right[1:]}" if level == SIGNED else f" + {self.at_least(term, PRODUCT)}"
        return text, SUM

    def product(self, node: sp.Expr) -> tuple[str, int]:
        """Write a product, factor by factor."""
        if node.is_Mul and (groups := self._groups(node)):
            return self.times.join(groups), PRODUCT
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
        texts = [self.text(argument) for argument in node.args]
        while len(texts) > _NESTED_ONE_BY_ONE:
            # many as a tree, since a chain would be nested as deep as it is long
            pairs = zip(texts[::2], [*texts[1::2], ""], strict=False)
            texts = [f"{name}({left}, {right})" if right else left for left, right in pairs]
        return reduce(lambda left, right: f"{name}({left}, {right})", texts), ATOM


def may_hide_missing(base: sp.Expr, exponent: sp.Expr) -> bool:
    """Tell whether a power may be 1 where a part of it is missing: ``nan**0`` and ``1**nan`` mostly are."""
    return not float_or_none(exponent) and float_or_none(base) in (None, 1.0)


def bracket_depth(text: str) -> int:
    """Count how deep brackets are nested, texts in double quotes left out."""
    deepest = depth = 0
    for sign in re.sub(r'"[^"]*"', "", text):
        depth += (sign == "(") - (sign == ")")
        deepest = max(deepest, depth)
    return deepest
