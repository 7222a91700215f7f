"""Weights as plain arrays."""

from collections.abc import Callable, Mapping
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
    return _load(module, {name: torch.from_numpy(np.array(array)) for name, array in state.items()})


def _load(module: ModuleT, tensors: Mapping[str, torch.Tensor], **options: bool) -> ModuleT:
    try:
        module.load_state_dict(tensors, strict=True, **options)
    except RuntimeError as error:
        raise ValueError(f"`state` does not fit the module: {error}") from error
    return module


def rebuild_module(build: Callable[[], ModuleT], state: Mapping[str, np.ndarray]) -> ModuleT:
    """Build a module to predict with: in float64, on the CPU, with given weights and without drawing any.

    Parameters
    ----------
    build : callable
        Gives a module of the architecture; its initial weights are never there.
    state : mapping of str to ndarray
        What `get_state` returned.

    Returns
    -------
    torch.nn.Module
        In evaluation mode.

    Raises
    ------
    ValueError
        If a name is missing or left over, or a shape differs.

    Examples
    --------
    >>> import torch
    >>> from skrationale.training import get_state, rebuild_module
    >>> state = get_state(torch.nn.Linear(2, 1))
    >>> rebuild_module(lambda: torch.nn.Linear(2, 1), state).weight.dtype
    torch.float64
    """
    with torch.device("meta"):
        empty = build()
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in state.items()}
    wide = {
        name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()
    }
    # given as they are: `to_empty` would import SymPy
    return _load(empty, wide, assign=True).eval()
