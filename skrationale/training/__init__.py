"""The training loop that all families share, and what it needs: held-out rows, seeds, devices, weights."""

from ._data import Batch
from ._device import resolve_device
from ._holdout import FEWEST_VALIDATION_ROWS, hold_out
from ._losses import row_losses, soft_losses, standards
from ._random import convolution, generator_of, linear, seeded
from ._state import get_state, set_state
from ._threads import limit_threads
from ._train import TrainResult, train

__all__ = [
    "FEWEST_VALIDATION_ROWS",
    "Batch",
    "TrainResult",
    "convolution",
    "generator_of",
    "get_state",
    "hold_out",
    "limit_threads",
    "linear",
    "resolve_device",
    "row_losses",
    "seeded",
    "set_state",
    "soft_losses",
    "standards",
    "train",
]
