"""Chosen columns against the true ones, where these are known."""

from __future__ import annotations

from typing import Any

import numpy as np


def selection_rates(mask: Any, true_mask: Any) -> dict[str, float]:
    """Compare the selected columns of each row with the columns on which its target depends.

    Parameters
    ----------
    mask, true_mask : array-like of bool of shape (n, d)
        Selected columns and true columns.

    Returns
    -------
    dict of str to float
        Means over rows. ``tpr``: the share of a row's true columns that are selected, or 1 if it has no true
        columns. ``fdr``: the share of selected columns that are not true, or 0 if none is selected. ``f1`` of
        the two sets.

    Raises
    ------
    ValueError, TypeError
        If the masks do not hold booleans, or have different shapes.

    References
    ----------
    Chen et al., Learning to Explain, ICML 2018. Yoon et al., INVASE: Instance-wise Variable Selection
    using Neural Networks, ICLR 2019.

    Examples
    --------
    >>> from skrationale.metrics import selection_rates
    >>> selection_rates([[True, True, False]], [[True, False, False]])
    {'tpr': 1.0, 'fdr': 0.5, 'f1': 0.6666666666666666}
    """
    chosen, truth = np.asarray(mask), np.asarray(true_mask)
    for name, array in (("mask", chosen), ("true_mask", truth)):
        if array.dtype != bool:
            raise TypeError(f"{name} must hold booleans. Got an array of {array.dtype} instead.")
    if chosen.shape != truth.shape or chosen.ndim != 2 or not len(chosen):
        raise ValueError(
            f"mask has shape {chosen.shape}; expected that of true_mask, {truth.shape}, which must be (n, d) "
            "with at least one row."
        )
    hits, n_chosen, n_true = (array.sum(axis=1) for array in (chosen & truth, chosen, truth))
    rates = {
        "tpr": np.where(n_true, hits / np.maximum(n_true, 1), 1.0),
        "fdr": 1 - np.where(n_chosen, hits / np.maximum(n_chosen, 1), 1.0),
        "f1": np.where(n_chosen + n_true, 2 * hits / np.maximum(n_chosen + n_true, 1), 1.0),
    }
    return {name: float(values.mean()) for name, values in rates.items()}
