"""How relevant learned attributes are for each class, from an explanation."""

import numpy as np

from ..explanation import Explanation

ROUNDING = 1e-9
"""Contributions below this share of the largest one are none."""


def mean_relevance(explanation: Explanation) -> tuple[np.ndarray, list[str]]:
    """Average the relevance of attributes over the rows explained for each class.

    Parameters
    ----------
    explanation : Explanation
        Of kind ``"attribute"``: J attributes.

    Returns
    -------
    relevance : ndarray of shape (C, J)
        Positive for what speaks for the class, NaN for a class that has no rows; of numbers the mean size
        (1, J), negative for what lowers them on average.
    names : list of str
        Of the classes.
    """
    e, values, scores = explanation, explanation.values, explanation.scores()
    single, name = e.n_outputs == 1, e.output_names[0]
    numbers = single and e.link not in ("logit", "softmax")
    top = (scores > 0).astype(np.intp) if single else scores.argmax(axis=1)
    own = values if single else values[np.arange(len(e)), :, top]
    largest = np.nan_to_num(np.abs(own)).max(axis=1, keepdims=True)
    some = largest > ROUNDING * largest.max(initial=0.0)
    share = np.where(some, own / np.where(some, largest, 1.0), 0.0)
    if numbers:
        lowers = share.sum(axis=0) < 0
        share = np.where(lowers, -np.abs(share), np.abs(share))
        top = np.zeros(len(e), dtype=np.intp)
    elif single:
        share = np.where(top[:, None] == 1, share, -share)
    names = [name] if numbers else [f"not {name}", name] if single else list(e.output_names)
    result = np.full((len(names), share.shape[1]), np.nan)
    for c in np.unique(top):
        result[c] = share[top == c].mean(axis=0)
    return result, names
