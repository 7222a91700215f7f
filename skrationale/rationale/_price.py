"""What a column may cost: which of many prices validation rows speak for."""

from __future__ import annotations

import math

import numpy as np


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
