"""Products of matrices by oneDNN, which is faster on some processors than the library that torch takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALL = 1_500_000
"""Multiplications of a product from which on oneDNN makes it. Measured on one core of an AMD processor: with
512 rows and layers of 256 units 290 instead of 620 us, with 256 and 64 20 instead of 23, with 128 and 64 16
instead of 13."""


@cache
def _kernel() -> Callable[..., Tensor] | None:
    """Give oneDNN's ``x @ w.T + bias`` of float32, or None where this torch has none that is right."""
    x, weight = torch.arange(6.0).reshape(2, 3), torch.arange(12.0).reshape(4, 3)
    try:
        found: Any = torch.ops.mkldnn._linear_pointwise.default
        with torch.inference_mode():
            answer = found(x, weight, None, "none", [], "")
            right = torch.equal(answer, x @ weight.t())
    except (AttributeError, RuntimeError, TypeError):
        return None
    return found if right else None


def _is_for_kernel(a: Tensor, b: Tensor) -> bool:
    """Whether two matrices are ones that oneDNN multiplies here."""
    return (
        a.dtype == b.dtype == torch.float32
        and a.device.type == b.device.type == "cpu"
        and bool(torch.backends.mkldnn.enabled)
        and _kernel() is not None
    )


def _by_kernel(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    kernel = _kernel()
    assert kernel is not None
    return kernel(x, weight, bias, "none", [], "")


def product(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """Give ``a @ b + bias``, fast where torch records nothing; where it does, take `dense`.

    Parameters
    ----------
    a : Tensor of shape (n, i)
        Left matrix.
    b : Tensor of shape (i, o)
        Right matrix.
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
    if a.numel() * b.size(1) >= SMALL and not torch.is_grad_enabled() and _is_for_kernel(a, b):
        return _by_kernel(a, b.t(), bias)
    return a @ b if bias is None else torch.addmm(bias, a, b)


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
    if x.numel() * weight.size(0) < SMALL or not _is_for_kernel(x, weight):
        return functional.linear(x, weight, bias)
    rows = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
    found: Tensor = (_Dense.apply if torch.is_grad_enabled() else _by_kernel)(rows, weight, bias)
    return found if x.ndim == 2 else found.view(*x.shape[:-1], -1)


class _Dense(torch.autograd.Function):
    """A layer whose derivatives are such layers again."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Give the outputs (n, o) of rows (n, i)."""
        return _by_kernel(x, weight, bias)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep what the derivatives need."""
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor | None, ...]:
        """Map the derivative by the outputs to those by rows, weights and bias."""
        x, weight = ctx.saved_tensors
        needed = ctx.needs_input_grad
        return (
            dense(slopes, weight.t()) if needed[0] else None,
            dense(slopes.t(), x.t()) if needed[1] else None,
            slopes.sum(0) if needed[2] else None,
        )


class Dense(nn.Linear):
    """A linear layer that is computed by `dense`."""

    def forward(self, input: Tensor) -> Tensor:
        """Map rows (..., i) to (..., o)."""
        return dense(input, self.weight, self.bias)
