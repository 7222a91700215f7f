"""Show numpy arrays to torch as they are, read-only ones too."""

from __future__ import annotations

from typing import Any

import numpy as np


class _Shown:
    """What numpy takes for a writable array over the memory of a read-only one, which it keeps alive.

    Parameters
    ----------
    array : ndarray
        Read-only.
    """

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        own = array.__array_interface__
        self.__array_interface__ = {**own, "data": (own["data"][0], False)}


def as_tensor(array: np.ndarray) -> Any:
    """Show an array to torch without a copy, to be read alone.

    Weights of a model that was loaded with ``mmap_mode="r"``, or handed over by another process, are
    read-only. Torch knows no such tensors and warns of them; writing to one would end the process.

    Parameters
    ----------
    array : ndarray
        Of a type that torch has, without negative strides.

    Returns
    -------
    torch.Tensor
        Over the same memory.

    Examples
    --------
    >>> weights = np.ones(2)
    >>> weights.flags.writeable = False
    >>> as_tensor(weights) + 1
    tensor([2., 2.], dtype=torch.float64)
    """
    import torch

    return torch.from_numpy(array if array.flags.writeable else np.asarray(_Shown(array)))
