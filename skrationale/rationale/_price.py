"""What a column may cost: which of many prices validation rows speak for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from ..units import MaskRule
from ._constants import CLEARLY
from ._encoded import EncodedColumns
from ._network import SelectAndPredict


@dataclass(frozen=True)
class PricePath:
    """A training in which columns become dearer, and what validation rows say of its S states.

    Parameters
    ----------
    encoded : EncodedColumns
        What the networks saw.
    module : SelectAndPredict
        The networks.
    snapshots : list of S dict of Tensor
        Their states on the way.
    prices : ndarray of shape (S,)
        Price of a column in each state, rising.
    rules : list of S MaskRule
        Make masks of the selector's logits.
    losses : ndarray of shape (S, m)
        Of the validation rows.
    """

    encoded: EncodedColumns
    module: SelectAndPredict
    snapshots: list[dict[str, Tensor]]
    prices: np.ndarray
    rules: list[MaskRule]
    losses: np.ndarray

    def best_losses(self, least: float) -> np.ndarray:
        """Losses (m,) of the state that has the lowest mean, at a price that is not below the least one."""
        means = np.where(self.prices >= least, self.losses.mean(axis=1), np.inf)
        return self.losses[means.argmin()]

    def clearly_below(self, other: PricePath, least: float) -> bool:
        """Whether its best state loses clearly less than another path's."""
        return is_below(self.best_losses(least), other.best_losses(least), CLEARLY)

    def to_records(self, chosen: int) -> list[dict[str, Any]]:
        """Give a dict for each state."""
        return price_records(self.prices, self.losses, chosen)


def is_below(losses: np.ndarray, others: np.ndarray, errors: float) -> bool:
    """Whether losses (m,) of rows are below others (m,) by more than so many standard errors."""
    gain = others - losses
    return bool(gain.mean() > errors * gain.std() / math.sqrt(len(gain)))


def price_records(prices: np.ndarray, losses: np.ndarray, chosen: int) -> list[dict[str, Any]]:
    """Give a dict for each of S prices, of which rows lose `losses` (S, m)."""
    return [
        {
            "sparsity_lambda": float(price),
            "validation_loss": float(loss.mean()),
            "standard_error": float(loss.std() / math.sqrt(len(loss))),
            "selected": i == chosen,
        }
        for i, (price, loss) in enumerate(zip(prices, losses, strict=True))
    ]


def choose_price(prices: np.ndarray, losses: np.ndarray, usual: float, least: float, tolerance: float) -> int:
    """Choose a price: of those that validation rows cannot tell from the best, the nearest to the usual one.

    Parameters
    ----------
    prices : ndarray of shape (S,)
        Rising positive prices.
    losses : ndarray of shape (S, m)
        Losses of the validation rows with each.
    usual, least : float
        The price that is taken when nothing is known, and the lowest one that is looked at.
    tolerance : float
        What it may lose beside the best, on average, though no more than one standard error.

    Returns
    -------
    int
        Position of the price.
    """
    means = np.where(prices >= least, losses.mean(axis=1), np.inf)
    excess = losses - losses[means.argmin()]
    errors = excess.std(axis=1) / math.sqrt(losses.shape[1])
    near = means - means.min() <= np.minimum(errors, tolerance)
    return int(
        np.where(near, np.abs(np.log(np.maximum(prices, np.finfo(float).tiny) / usual)), np.inf).argmin()
    )
