"""What stands in hidden units while a model learns which of them to show."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Generator, Tensor

FILLS = ("marginal", "zero", "mean", "token")
"""Units of other rows, drawn anew now and then; zeros; means of the training rows; a learnt vector."""


def constant_fill(fill: str, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Give what stands in hidden units of every row, at first where it is learnt.

    Parameters
    ----------
    fill : {"marginal", "zero", "mean", "token"}
        All but ``"mean"`` stand for zeros here.
    x : ndarray of shape (n, p)
        Inputs of the training rows.
    weight : ndarray of shape (n,)
        Their weights.

    Returns
    -------
    ndarray of shape (p,)

    Examples
    --------
    >>> constant_fill("mean", np.array([[1.0, 2.0], [3.0, 2.0]]), np.array([1.0, 3.0]))
    array([2.5, 2. ])
    """
    if fill == "mean":
        return np.average(x, axis=0, weights=weight)
    return np.zeros(x.shape[1])


def draw_fill(
    x: Tensor,
    groups: Tensor,
    n_units: int,
    weight: Tensor | None = None,
    n: int = 0,
    generator: Generator | None = None,
) -> Tensor:
    """Draw whole units from rows, independently of each other: the fill ``"marginal"``.

    Parameters
    ----------
    x : Tensor of shape (m, p)
        Inputs of the rows to draw from.
    groups : Tensor of int of shape (p,)
        Unit of each input: those of one unit are drawn together.
    n_units : int
        Number L of units.
    weight : Tensor of shape (m,), default=None
        Rows are drawn in proportion to it.
    n : int, default=0
        Rows to make; 0: m.
    generator : torch.Generator, default=None
        On the device of `x`; None: torch's global one.

    Returns
    -------
    Tensor of shape (n, p)
    """
    import torch

    n = n or len(x)
    if weight is None:
        rows = torch.randint(len(x), (n, n_units), generator=generator, device=x.device)
    else:
        # inverse of the distribution function: multinomial takes no more than 2**24 rows
        steps = weight.double().cumsum(0)
        uniform = torch.rand(n, n_units, generator=generator, device=x.device, dtype=torch.float64)
        rows = torch.searchsorted(steps, uniform * steps[-1], right=True).clamp_(max=len(x) - 1)
    cuts = [0, *(torch.nonzero(groups.diff())[:, 0] + 1).tolist(), len(groups)]
    if 2 * (len(cuts) - 1) > len(groups):
        own = torch.equal(groups, torch.arange(n_units, device=groups.device))
        return x.gather(0, rows if own else rows[:, groups])
    # neighbours of one unit as blocks: faster than the inputs one by one
    of_unit, units = rows.t().contiguous(), groups[cuts[:-1]].tolist()
    blocks = zip(pairwise(cuts), units, strict=True)
    return torch.cat([x[:, a:b].index_select(0, of_unit[unit]) for (a, b), unit in blocks], 1)
