"""Rows as tensors that stay on the device."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

EXACT_ROWS = 128
"""So few rows a family may train on at once and in float64, where order and multiplicity do not matter. Not
measured."""


class Batch(dict[str, torch.Tensor]):
    """Named tensors with one row for each sample: a whole data set, or a slice of it.

    Attributes
    ----------
    progress : float
        Part of the training that is done, for ramps and annealing. In the batch that a loss
        receives it counts the step being made: 1 / T in the first of T steps and 1 in the last;
        in validation it is that of the last step before.
    generator : torch.Generator or None
        What a loss or an epoch hook draws with: on the device, and seeded for this training alone. None,
        torch's global generator, outside a training.
    n_rows : int
        Number of rows.

    Examples
    --------
    >>> import torch
    >>> from skrationale.training import Batch
    >>> batch = Batch(x=torch.zeros(5, 2), y=torch.zeros(5))
    >>> batch.n_rows, batch.progress
    (5, 0.0)
    >>> [part.n_rows for part in batch.split(2)]
    [2, 2, 1]
    """

    progress: float = 0.0
    generator: torch.Generator | None = None

    @property
    def n_rows(self) -> int:
        return len(next(iter(self.values())))

    def split(self, size: int, order: torch.Tensor | None = None) -> Iterator["Batch"]:
        """Yield views of at most `size` rows, shuffled by `order` (n_rows,) with one gather a tensor."""
        tensors = self.values() if order is None else [t.index_select(0, order) for t in self.values()]
        for parts in zip(*(tensor.split(size) for tensor in tensors), strict=True):
            yield Batch(zip(self, parts, strict=True))


def float_dtype(module: torch.nn.Module) -> torch.dtype:
    """Return the dtype of a module's floating parameters."""
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.get_default_dtype())


def _tensor(name: str, value: Any, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    if isinstance(value, np.ndarray):
        try:
            # torch takes neither read-only arrays nor negative strides: those are copied.
            value = torch.from_numpy(np.require(value, requirements=["C", "W"]))
        except (TypeError, ValueError) as error:
            raise TypeError(f"`{name}` must hold numbers, got an array of {value.dtype}: {error}.") from error
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"`{name}` must be a numpy array or a torch tensor, got {type(value).__name__}.")
    if value.ndim == 0:
        raise ValueError(f"`{name}` must be an array with one row per sample, got a single number.")
    value = value.detach()
    return (value.to(dtype) if value.is_floating_point() else value).to(device)


def to_batch(name: str, arrays: Any, device: torch.device, dtype: torch.dtype) -> Batch:
    """Move arrays of equal first dimension to the device; floats become `dtype`, integers are kept."""
    if not isinstance(arrays, Mapping):
        raise TypeError(f"`{name}` must be a dict of arrays, got {type(arrays).__name__}.")
    batch = Batch((key, _tensor(f"{name}[{key!r}]", value, device, dtype)) for key, value in arrays.items())
    lengths = {key: len(tensor) for key, tensor in batch.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise ValueError(
            f"`{name}` must hold arrays with the same number of rows, at least one, got {lengths}."
        )
    return batch
