"""Which device to train on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def _available() -> list[str]:
    import torch

    names = ["cpu"]
    if torch.cuda.is_available():
        names += ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        names.append("mps")
    return names


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """Return the torch device that a `device` parameter names.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "cuda:<index>", "mps"} or torch.device, default="auto"
        With "auto" the current CUDA device if there is one, else the CPU.

    Returns
    -------
    torch.device
        A device that is present.

    Raises
    ------
    ValueError
        If the device is not known or not present: there is no silent way back to the CPU.

    Examples
    --------
    >>> from skrationale.training import resolve_device
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    import torch

    available = _available()
    if isinstance(device, str) and device == "auto":
        return torch.device("cuda" if "cuda" in available else "cpu")
    if str(device) not in available:
        raise ValueError(
            f"`device` must be 'auto' or a device that is present ({', '.join(available)}), "
            f"got {str(device)!r}."
        )
    return torch.device(device)
