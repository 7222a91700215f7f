"""A formula as a module of torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy as sp
import torch

from .._program import Program
from ._names import leaves

if TYPE_CHECKING:
    from .._formula import Formula


class FormulaModule(torch.nn.Module):
    """A formula whose constants can be trained; see ``Formula.to_torch``.

    Parameters
    ----------
    formula : Formula
        The formula.

    Attributes
    ----------
    constants : torch.nn.Parameter of shape (k,), float64
        Numbers that are neither integers nor exponents, as they occur.
    variables : tuple of str
        Labels of the q columns of the input.
    """

    constants: torch.nn.Parameter

    def __init__(self, formula: Formula) -> None:
        super().__init__()
        found: list[float] = []
        expr = _with_parameters(formula.expr, found)
        parameters = tuple(sp.Symbol(f"c{i}", real=True) for i in range(len(found)))
        self._program = Program(expr, [leaf.symbol for leaf in leaves(formula)], parameters)
        self.variables = formula.variables
        self.constants = torch.nn.Parameter(torch.tensor(found, dtype=torch.float64))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Compute scores of shape (n,) from variables of shape (n, q)."""
        return self._program(values.to(self.constants), self.constants)


def _with_parameters(node: sp.Expr, found: list[float]) -> sp.Expr:
    """Replace numbers by the symbols ``c0, c1, ...``, in the order in which they are computed."""
    if node.is_number:
        if node.is_Integer:
            return node
        found.append(float(node))
        return sp.Symbol(f"c{len(found) - 1}", real=True)
    if not node.args:
        return node
    arguments = [
        argument if node.is_Pow and i == 1 and argument.is_number else _with_parameters(argument, found)
        for i, argument in enumerate(node.args)
    ]
    return node.func(*arguments, evaluate=False)
