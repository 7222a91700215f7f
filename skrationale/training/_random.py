"""Random numbers of torch that leave its global state alone."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import nn

from ._products import Dense

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)
_GLOBAL = threading.RLock()
"""Held by whoever has seeded torch's global generators."""


def generator_of(seed: int, device: str | torch.device = "cpu") -> torch.Generator:
    """Return a generator of its own, which draws what torch's global one would after the same seed.

    Parameters
    ----------
    seed : int
        Seed.
    device : str or torch.device, default="cpu"
        Where it draws. Initial weights are best drawn on the CPU, so that they are equal whatever the device.

    Returns
    -------
    torch.Generator

    Examples
    --------
    >>> import torch
    >>> from skrationale.training import generator_of
    >>> one, two = (torch.rand(3, generator=generator_of(0)) for _ in range(2))
    >>> torch.equal(one, two)
    True
    """
    return torch.Generator(torch.device(device)).manual_seed(seed)


def _undrawn(kind: type[nn.Module], *sizes: int, **settings: Any) -> Any:
    """Build a layer whose parameters hold no values yet; torch's own `skip_init` imports SymPy for it."""
    layer = kind(*sizes, device="meta", **settings)
    for name, parameter in list(layer.named_parameters()):
        setattr(layer, name, nn.Parameter(torch.empty(parameter.shape)))
    return layer


def linear(n_inputs: int, n_outputs: int, generator: torch.Generator | None = None) -> nn.Linear:
    """Build a linear layer with the weights that torch gives it, but drawn by a generator.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Widths.
    generator : torch.Generator, default=None
        On the CPU; None: torch's global one.

    Returns
    -------
    torch.nn.Linear

    Examples
    --------
    >>> import torch
    >>> from skrationale.training import generator_of, linear, seeded
    >>> ours = linear(3, 2, generator_of(0))
    >>> with seeded(0):
    ...     theirs = torch.nn.Linear(3, 2)
    >>> torch.equal(ours.weight, theirs.weight), torch.equal(ours.bias, theirs.bias)
    (True, True)
    """
    if generator is None:
        return Dense(n_inputs, n_outputs)
    return draw_parameters(_undrawn(Dense, n_inputs, n_outputs), generator)


def convolution(
    n_inputs: int, n_outputs: int, size: int, *, padding: int, generator: torch.Generator | None = None
) -> nn.Conv2d:
    """Build a convolution of images like `linear`.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Channels.
    size : int
        Height and width of its kernel.
    padding : int
        Zeros on each side.
    generator : torch.Generator, default=None
        On the CPU; None: torch's global one.

    Returns
    -------
    torch.nn.Conv2d
    """
    if generator is None:
        return nn.Conv2d(n_inputs, n_outputs, size, padding=padding)
    layer = _undrawn(nn.Conv2d, n_inputs, n_outputs, size, padding=padding)
    return draw_parameters(layer, generator)


def draw_parameters(layer: Layer, generator: torch.Generator) -> Layer:
    """Draw weight and bias of a layer as torch does, in the same order."""
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    if layer.bias is not None:
        fan_in = layer.weight.shape[1:].numel()
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer


def _global_generators(device: torch.device) -> list[torch.Generator]:
    """Return the generators that torch's own random functions use on the CPU and on `device`."""
    generators = [torch.default_generator]
    if device.type == "cuda":
        torch.cuda.init()
        index = torch.cuda.current_device() if device.index is None else device.index
        generators.append(torch.cuda.default_generators[index])
    elif device.type == "mps":
        generators.append(torch.mps._get_default_mps_generator())
    return generators


@contextmanager
def seeded(seed: int, device: str | torch.device = "cpu") -> Iterator[None]:
    """Seed torch's global generators inside a ``with`` block, and put them back after it.

    For modules that draw from them, as those of torch do; own ones take a `generator_of` a seed. Only one
    thread is in such a block at a time, others wait.

    Parameters
    ----------
    seed : int
        Seed of every draw inside the block.
    device : str or torch.device, default="cpu"
        Device whose generator is seeded beside the CPU's. Initial weights are best drawn on the
        CPU, so that they are equal whatever the device.

    Examples
    --------
    >>> import torch
    >>> from skrationale.training import seeded
    >>> with seeded(0):
    ...     first = torch.nn.Linear(2, 1)
    >>> with seeded(0):
    ...     second = torch.nn.Linear(2, 1)
    >>> torch.equal(first.weight, second.weight)
    True
    """
    # torch.manual_seed would also seed every GPU, and nothing would put those back.
    generators = _global_generators(torch.device(device))
    with _GLOBAL:
        states = [generator.get_state() for generator in generators]
        try:
            for generator in generators:
                generator.manual_seed(seed)
            yield
        finally:
            for generator, state in zip(generators, states, strict=True):
                generator.set_state(state)
