"""Arrays of numpy: what they hold, who may keep them, and how torch is shown them without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np

CELLS_AT_ONCE = 2**20
"""Cells looked at at once. Not measured."""


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


def is_kept(value: Any, dtype: Any) -> bool:
    """Tell whether an array may be kept without a copy: it owns its memory, is read-only and has a type.

    An owner who lifts the flag can still write to it, and so can views that were taken before.

    Parameters
    ----------
    value : object
    dtype : data type
        That it must have.

    Returns
    -------
    bool

    Examples
    --------
    >>> table = np.zeros((2, 3))
    >>> is_kept(table, np.float64)
    False
    >>> table.setflags(write=False)
    >>> is_kept(table, np.float64), is_kept(table[:1], np.float64)
    (True, False)
    """
    return (
        type(value) is np.ndarray
        and value.dtype == dtype
        and value.flags.owndata
        and not value.flags.writeable
    )


def holds_infinity(table: np.ndarray) -> bool:
    """Look for an infinite number, in some rows at a time: of a large table even the answers take memory.

    Examples
    --------
    >>> holds_infinity(np.array([[1.0, np.inf], [np.nan, 2.0]]))
    True
    """
    if table.size <= CELLS_AT_ONCE:
        return bool(np.isinf(table).any())
    step = max(CELLS_AT_ONCE * len(table) // table.size, 1)
    return any(np.isinf(table[i : i + step]).any() for i in range(0, len(table), step))
