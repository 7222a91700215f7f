"""Weights as plain arrays."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import torch

ModuleT = TypeVar("ModuleT", bound=torch.nn.Module)


def get_state(module: torch.nn.Module) -> dict[str, np.ndarray]:
    """Return the weights and buffers of a module as numpy arrays.

    Parameters
    ----------
    module : torch.nn.Module
        A module on any device.

    Returns
    -------
    dict of str to ndarray
        Own copies, which can be pickled and know no device.

    See Also
    --------
    set_state : The way back.

    Examples
    --------
    >>> import torch
    >>> from skrationale.training import get_state, set_state
    >>> state = get_state(torch.nn.Linear(2, 1))
    >>> {name: array.shape for name, array in state.items()}
    {'weight': (1, 2), 'bias': (1,)}
    >>> set_state(torch.nn.Linear(2, 1), state)
    Linear(in_features=2, out_features=1, bias=True)
    """
    return {name: np.array(tensor.detach().cpu().numpy()) for name, tensor in module.state_dict().items()}


def set_state(module: ModuleT, state: Mapping[str, np.ndarray]) -> ModuleT:
    """Copy what `get_state` returned into a module of the same architecture.

    Parameters
    ----------
    module : torch.nn.Module
        Changed in place; it keeps its device and its dtypes.
    state : mapping of str to ndarray
        One array for each weight and buffer of the module.

    Returns
    -------
    torch.nn.Module
        The module.

    Raises
    ------
    ValueError
        If a name is missing or left over, or a shape differs.
    """
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in state.items()}
    try:
        module.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise ValueError(f"`state` does not fit the module: {error}") from error
    return module
