from ._data import EXACT_ROWS, Batch
from ._device import resolve_device
from ._holdout import FEWEST_VALIDATION_ROWS, hold_out, validation_split
from ._layers import DenseLayers
from ._losses import row_losses, row_slopes, soft_losses, soft_targets, task_loss
from ._moments import mean_and_std
from ._products import dense, product, product_over_rows
from ._random import convolution, generator_of, linear, seeded
from ._settings import (
    TRAINING_CONSTRAINTS,
    Settings,
    check_hidden_layer_sizes,
    check_training_parameters,
    epochs_for,
    or_auto,
)
from ._standards import standardise_target
from ._state import get_state, rebuild_module, set_state
from ._threads import limit_threads
from ._train import TrainResult, train

__all__ = [
    "EXACT_ROWS",
    "FEWEST_VALIDATION_ROWS",
    "TRAINING_CONSTRAINTS",
    "Batch",
    "DenseLayers",
    "Settings",
    "TrainResult",
    "check_hidden_layer_sizes",
    "check_training_parameters",
    "convolution",
    "dense",
    "epochs_for",
    "generator_of",
    "get_state",
    "hold_out",
    "limit_threads",
    "linear",
    "mean_and_std",
    "or_auto",
    "product",
    "product_over_rows",
    "rebuild_module",
    "resolve_device",
    "row_losses",
    "row_slopes",
    "seeded",
    "set_state",
    "soft_losses",
    "soft_targets",
    "standardise_target",
    "task_loss",
    "train",
    "validation_split",
]
