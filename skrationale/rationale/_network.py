"""Networks: which columns a row needs, and what follows from their cells."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn

from ..training import DenseLayers, linear
from ..units import hide


def mlp(
    n_inputs: int, hidden: Sequence[int], n_outputs: int, generator: Generator | None = None
) -> DenseLayers:
    """Build a network (B, n_inputs) -> (B, n_outputs) with ReLU between its layers.

    Its weights are drawn by a generator; None: by torch's global one.
    """
    sizes = [n_inputs, *hidden]
    layers = [layer for a, b in pairwise(sizes) for layer in (linear(a, b, generator), nn.ReLU())]
    return DenseLayers(*layers, linear(sizes[-1], n_outputs, generator))


class ConstantSelector(nn.Module):
    """The same logits for every row, half open at first: (B, p) -> (B, d)."""

    def __init__(self, n_columns: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(n_columns))

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits (d,) to each row of x (B, p)."""
        return self.logits.expand(len(x), -1)

    def outputs(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Give the logits and what `take_gradient` needs."""
        return self(x).detach(), []

    def take_gradient(self, inputs: list[Tensor], slopes: Tensor) -> None:
        """Set the gradient, from the derivatives (B, d) of a loss with respect to the logits."""
        self.logits.grad = slopes.sum(0)


class SelectAndPredict(nn.Module):
    """A selector and a predictor that sees what the selector lets through.

    Parameters
    ----------
    selector : Module
        Encoded rows (B, p) to a logit for each column (B, d).
    predictor : Module
        Filled rows (B, p) to scores (B, K).
    groups : Tensor of int of shape (p,)
        Column of each encoded column.
    fill : Tensor of shape (p,)
        What stands in hidden cells, unless the rows bring their own.
    learn_fill : bool, default=False
        Whether `fill` is a weight.
    """

    groups: Tensor
    folds: Tensor
    fill: Tensor

    def __init__(
        self,
        selector: nn.Module,
        predictor: nn.Module,
        groups: Tensor,
        fill: Tensor,
        learn_fill: bool = False,
    ) -> None:
        super().__init__()
        self.selector, self.predictor = selector, predictor
        self.register_buffer("groups", groups)
        columns = torch.arange(int(groups.max()) + 1, device=groups.device)
        self.register_buffer("folds", (groups[:, None] == columns).to(fill), persistent=False)
        self.is_numeric = torch.equal(groups, columns)
        if learn_fill:
            self.fill = nn.Parameter(fill.clone())
        else:
            self.register_buffer("fill", fill)

    @property
    def n_units(self) -> int:
        """Number d of columns."""
        return int(self.groups.max()) + 1

    def mix(self, x: Tensor, gates: Tensor, fill: Tensor | None = None) -> Tensor:
        """Give rows (B, p) between those of x (B, p) and the fill, as gates (B, d) in [0, 1] say."""
        return torch.lerp(self.fill if fill is None else fill, x, self._spread(gates))

    def predict(self, x: Tensor, gates: Tensor, fill: Tensor | None = None) -> Tensor:
        """Give scores (B, K) of rows x (B, p) whose columns are open by gates (B, d) in [0, 1]."""
        return self.predictor(self.mix(x, gates, fill))

    def gate_slopes(self, slopes: Tensor, x: Tensor, gates: Tensor, fill: Tensor | None = None) -> Tensor:
        """Carry the derivatives (B, p) of a loss from what `mix` gave to its gates: (B, d).

        Those of a learnt fill are set.
        """
        if isinstance(self.fill, nn.Parameter) and fill is None:
            self.fill.grad = (slopes * (1 - self._spread(gates))).sum(0)
        slopes = slopes * (x - (self.fill.detach() if fill is None else fill))
        return slopes if self.is_numeric else (self.folds.t() @ slopes.t()).t()

    def _spread(self, gates: Tensor) -> Tensor:
        return gates if self.is_numeric else gates.index_select(1, self.groups)


class MaskedPredictor(nn.Module):
    """A predictor that is told which cells it sees.

    Parameters
    ----------
    hidden : sequence of int
        Widths of hidden layers.
    groups : Tensor of int of shape (p,)
        Column of each encoded column.
    n_columns : int
        Number d of columns.
    n_outputs : int
        Number K of scores.
    generator : torch.Generator, default=None
        Draws the weights; None: torch's global one.
    """

    groups: Tensor

    def __init__(
        self,
        hidden: Sequence[int],
        groups: Tensor,
        n_columns: int,
        n_outputs: int,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.register_buffer("groups", groups)
        self.layers = mlp(len(groups) + n_columns, hidden, n_outputs, generator)

    def inputs(self, x: Tensor, mask: Tensor) -> Tensor:
        """Give what the layers see (B, p + d): cells of x (B, p), 0 where hidden, and mask (B, d)."""
        return torch.cat([hide(x, mask, self.groups), mask], dim=1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Give scores (B, K) of the cells of x (B, p) that mask (B, d), of 0 and 1, shows."""
        return self.layers(self.inputs(x, mask))
