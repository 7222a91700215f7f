"""The training loop that all families share, and what surrounds it: seeds, devices, threads, weights."""

from ._data import Batch
from ._device import resolve_device
from ._random import seeded
from ._state import get_state, set_state
from ._threads import limit_threads
from ._train import TrainResult, train

__all__ = [
    "Batch",
    "TrainResult",
    "get_state",
    "limit_threads",
    "resolve_device",
    "seeded",
    "set_state",
    "train",
]
