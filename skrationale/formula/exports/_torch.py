"""A formula as a module of torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..program import Program, symbols
from ..tree import with_parameters
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
        expr, theta = with_parameters(
            formula.expr, lambda number, is_exponent: is_exponent or number.is_Integer, evaluate=False
        )
        inputs = [leaf.symbol for leaf in leaves(formula)]
        self._program = Program(expr, inputs, symbols(len(theta), "c"))
        self.variables = formula.variables
        self.constants = torch.nn.Parameter(torch.tensor(theta, dtype=torch.float64))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Compute scores of shape (n,) from variables of shape (n, q)."""
        return self._program(values.to(self.constants), self.constants)
