"""Products of matrices by oneDNN, which is faster on some processors than the library that torch takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn import functional

SMALL = 1_500_000
"""Multiplications of a product from which on oneDNN makes it. Measured on one core of an AMD processor: for
512 rows layers of 256 units take 290 instead of 620 us, and for 256 rows layers of 100 units 35 instead of
55 us. For 256 rows layers of 64 units take as long forward, but backward 28 instead of 23 us."""
FEWEST_ROWS, PARTS = 64, 8
"""Fewest rows of a product that oneDNN makes, and in how many parts the numbers from one power of two to the
next are cut, to which rows are filled up: oneDNN keeps a program of 0.6 MB for each shape, up to 1,024 of
them. Measured: fewer than 24 to 48 rows are faster by torch. The 8 parts are not measured."""


@cache
def _kernel() -> Callable[..., Tensor] | None:
    """Give oneDNN's ``x @ w.T + bias`` of float32, or None where this torch has none that is right."""
    numbers = torch.arange(24, dtype=torch.float32, device="cpu")
    x, weight, bias = numbers[:6].view(2, 3), numbers[:12].view(3, 4).t(), numbers[20:]
    try:
        found: Any = torch.ops.mkldnn._linear_pointwise.default
        with torch.inference_mode():
            answers = found(x, weight, bias, "none", [], ""), found(x, weight, None, "none", [], "")
            right = torch.equal(answers[0], x @ weight.t() + bias) and torch.equal(answers[1], x @ weight.t())
    except (AttributeError, RuntimeError, TypeError):
        return None
    return found if right else None


def _is_for_kernel(x: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
    """Whether a product ``x @ weight.T + bias`` of matrices is one that oneDNN makes here.

    Torch keeps what is not of float32, what lies in memory in an unusual way, and what it does more with
    than to run it and to record it for gradients.
    """
    return (
        not torch.jit.is_tracing()
        and x.ndim == weight.ndim == 2
        and _is_plain(x)
        and _is_plain(weight)
        and x.size(1) == weight.size(1)
        and (bias is None or (_is_plain(bias) and bias.shape == weight.shape[:1]))
        and _is_dense(x)
        and _is_dense(weight)
        and bool(torch.backends.mkldnn.enabled)
        and not torch._C._are_functorch_transforms_active()
        and forward_ad._current_level < 0
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
        and _kernel() is not None
    )


def _is_plain(tensor: Tensor) -> bool:
    return (
        type(tensor) in (Tensor, nn.Parameter)
        and tensor.dtype is torch.float32
        and tensor.layout is torch.strided
        and tensor.is_cpu
    )


def _is_dense(matrix: Tensor) -> bool:
    """Whether the numbers of a matrix lie row by row, or column by column."""
    if matrix.is_contiguous():
        return True
    (rows, columns), (down, along) = matrix.shape, matrix.stride()
    return (along == 1 and down >= columns) or (down == 1 and along >= rows)


def _filled_up(rows: Tensor) -> Tensor:
    """Add rows of zeros, so that there are few different numbers of rows."""
    step = max(FEWEST_ROWS, (1 << len(rows).bit_length() - 1) // PARTS)
    more = -len(rows) % step
    return functional.pad(rows, (0, 0, 0, more)) if more else rows


def _by_kernel(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Give ``x @ weight.T + bias`` (n, o) of rows (n, i) that are filled up."""
    kernel = _kernel()
    assert kernel is not None
    return kernel(x, weight, bias if bias is None else bias.contiguous(), "none", [], "")


def product(x: Tensor, matrix: Tensor, bias: Tensor | None = None) -> Tensor:
    """Give ``x @ matrix + bias``, fast where torch records nothing; where it does, take `dense`.

    Parameters
    ----------
    x : Tensor of shape (n, i)
        Rows.
    matrix : Tensor of shape (i, o)
        What each row is multiplied with.
    bias : Tensor of shape (o,), default=None
        Added to each row.

    Returns
    -------
    Tensor of shape (n, o)

    Examples
    --------
    >>> import torch
    >>> from skrationale.training import product
    >>> product(torch.ones(2, 3), torch.ones(3, 1), torch.ones(1)).tolist()
    [[4.0], [4.0]]
    """
    if x.numel() * matrix.size(-1) >= SMALL and len(x) >= FEWEST_ROWS and not torch.is_grad_enabled():
        weight = matrix.t()
        if _is_for_kernel(x, weight, bias):
            return _by_kernel(_filled_up(x), weight, bias)[: len(x)]
    return x @ matrix if bias is None else torch.addmm(bias, x, matrix)


def product_over_rows(a: Tensor, b: Tensor) -> Tensor:
    """Give ``a.T @ b``, fast where torch records nothing, as `product` does.

    Parameters
    ----------
    a, b : Tensor of shape (n, o) and (n, i)
        Rows.

    Returns
    -------
    Tensor of shape (o, i)

    Examples
    --------
    >>> import torch
    >>> from skrationale.training import product_over_rows
    >>> product_over_rows(torch.ones(2, 1), torch.ones(2, 3)).tolist()
    [[2.0, 2.0, 2.0]]
    """
    is_large = a.numel() * b.size(-1) >= SMALL and len(a) >= FEWEST_ROWS
    if is_large and not torch.is_grad_enabled() and _is_for_kernel(a.t(), b.t(), None):
        return _by_kernel(_filled_up(a).t(), _filled_up(b).t())
    return a.t() @ b


def dense(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Give ``x @ weight.T + bias``, with derivatives of any order, as `torch.nn.functional.linear` does.

    Parameters
    ----------
    x : Tensor of shape (..., i)
        Rows.
    weight : Tensor of shape (o, i)
        Weights.
    bias : Tensor of shape (o,), default=None
        Added to each row.

    Returns
    -------
    Tensor of shape (..., o)

    Examples
    --------
    >>> import torch
    >>> from skrationale.training import dense
    >>> weight = torch.ones(1, 3, requires_grad=True)
    >>> dense(torch.ones(2, 3), weight).sum().backward()
    >>> weight.grad.tolist()
    [[2.0, 2.0, 2.0]]
    """
    if x.numel() * weight.size(0) < SMALL:
        return functional.linear(x, weight, bias)
    rows = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
    if len(rows) < FEWEST_ROWS or not _is_for_kernel(rows, weight, bias):
        return functional.linear(x, weight, bias)
    found: Tensor = (_Dense.apply if torch.is_grad_enabled() else _by_kernel)(_filled_up(rows), weight, bias)
    found = found if len(found) == len(rows) else found[: len(rows)]
    return found if x.ndim == 2 else found.view(*x.shape[:-1], -1)


class _Dense(torch.autograd.Function):
    """A layer; where torch records its derivatives too, they are left to torch."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Give the outputs (n, o) of rows (n, i)."""
        return _by_kernel(x, weight, bias)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep what the derivatives need, and no more."""
        x, weight, _ = inputs
        of_x, of_weight, _ = ctx.needs_input_grad
        ctx.save_for_backward(x if of_weight else None, weight if of_x else None)

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor | None, ...]:
        """Map the derivative by the outputs to those by rows, weights and bias."""
        x, weight = ctx.saved_tensors
        of_x, of_weight, of_bias = ctx.needs_input_grad
        return (
            product(slopes, weight) if of_x else None,
            product_over_rows(slopes, x) if of_weight else None,
            slopes.sum(0) if of_bias else None,
        )


class Dense(nn.Linear):
    """A linear layer that is computed by `dense`."""

    def forward(self, input: Tensor) -> Tensor:
        """Map rows (..., i) to (..., o)."""
        return dense(input, self.weight, self.bias)
