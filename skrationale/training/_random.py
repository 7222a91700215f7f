"""Random numbers that leave the global state alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def _generators(device: torch.device) -> list[torch.Generator]:
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
    """Seed torch inside a ``with`` block and put the global random state back after it.

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
    generators = _generators(torch.device(device))
    states = [generator.get_state() for generator in generators]
    try:
        for generator in generators:
            generator.manual_seed(seed)
        yield
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)
