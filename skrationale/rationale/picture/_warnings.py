"""What a fit to pictures warns of."""

import math

import numpy as np
from scipy.special import expit

from ...writing import format_share
from .._selection_warnings import warn
from ._constants import DIM, MOST_DIM, OPEN, WORSE


def warn_if_dim(values: np.ndarray) -> None:
    """Warn where many gates, of values (n, L), are neither open nor shut."""
    gates = expit(values + OPEN)
    dim = float(np.mean((gates > DIM[0]) & (gates < DIM[1])))
    if dim > MOST_DIM:
        warn(
            f"{format_share(dim)} of the gates are neither open nor shut after training, so patches were "
            "dimmed instead of hidden, and the order of their values means little. Set selection='auto' "
            "or 'occlusion', or give more epochs."
        )


def warn_if_worse(before: np.ndarray, after: np.ndarray, constant_loss: float) -> None:
    """Warn where losses (m,) of held-out whole pictures rose while masked ones were learnt."""
    if not before.size:
        return
    rise = after - before
    error = rise.std() / math.sqrt(len(rise))
    if rise.mean() > max(WORSE * constant_loss, 2 * error):
        warn(
            "Learning from masked pictures made the predictor worse on whole ones: its loss on held-out "
            f"pictures rose from {before.mean():.3f} to {after.mean():.3f}. Selectors are at most as good as "
            "this predictor: give more epochs, a larger network, or larger patches (`grid`)."
        )
