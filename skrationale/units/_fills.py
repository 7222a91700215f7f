"""What stands in hidden cells while a selector learns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Generator, Tensor


def draw_cells(
    x: Tensor,
    groups: Tensor,
    n_columns: int,
    weight: Tensor | None = None,
    n: int = 0,
    generator: Generator | None = None,
) -> Tensor:
    """Draw whole cells from the columns of a table, independently of each other.

    Parameters
    ----------
    x : Tensor of shape (m, p)
        Encoded rows to draw from.
    groups : Tensor of int of shape (p,)
        Column of each encoded column: what encodes one cell is drawn together.
    n_columns : int
        Number d of columns.
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
        rows = torch.randint(len(x), (n, n_columns), generator=generator, device=x.device)
    else:
        # inverse of the distribution function: multinomial takes no more than 2**24 rows
        steps = weight.double().cumsum(0)
        uniform = torch.rand(n, n_columns, generator=generator, device=x.device, dtype=torch.float64)
        rows = torch.searchsorted(steps, uniform * steps[-1], right=True).clamp_(max=len(x) - 1)
    return x.gather(0, rows[:, groups])
