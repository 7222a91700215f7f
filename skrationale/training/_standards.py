"""What a target is measured against: its mean and spread, or the frequencies of its classes."""

from __future__ import annotations

import numpy as np

from ._moments import mean_and_std


def standardise_target(
    y: np.ndarray, weight: np.ndarray, classes: np.ndarray | None, n_outputs: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """Give numbers the mean 0 and the standard deviation 1; classes stay what they are.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Numbers, or encoded classes.
    weight : ndarray of shape (n,)
        Weights of the rows.
    classes : ndarray of shape (C,) or None
        None for numbers.
    n_outputs : int
        Number K of scores.

    Returns
    -------
    y : ndarray of shape (n,)
    shift, scale : ndarray of shape (K,)
        Scores are multiplied by `scale`, then `shift` is added.
    base : ndarray of shape (K,)
        Scores of a constant prediction: the mean, or the frequencies of the classes.
    loss : float
        That of a constant prediction, in standard units.
    """
    if classes is None:
        mean, deviation = mean_and_std(y, weight)
        shift = np.array([mean])
        return (y - mean) / (deviation or 1.0), shift, np.array([deviation]), shift, 1.0
    share = np.bincount(y, weights=weight, minlength=len(classes)) / weight.sum()
    entropy = float(-(share * np.log(np.where(share > 0, share, 1.0))).sum())
    return y, np.zeros(n_outputs), np.ones(n_outputs), _base_scores(share, n_outputs), entropy


def _base_scores(share: np.ndarray, n_outputs: int) -> np.ndarray:
    """Scores (K,) of the frequencies (C,) of classes."""
    if n_outputs > 1:
        return np.log(np.maximum(share, np.finfo(float).tiny))
    if len(share) == 1:
        return np.zeros(1)
    return np.array([np.log(share[1] / share[0])])
