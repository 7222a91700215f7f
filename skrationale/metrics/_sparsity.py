"""How short explanations are."""

from __future__ import annotations

import numpy as np
from scipy.special import entr

from ..explanation import Explanation
from ._checks import an_explanation, value_lines


def sparsity(explanation: Explanation, threshold: float = 0.01) -> float:
    """Count the columns that an explanation of a row needs; low is sparse.

    Parameters
    ----------
    explanation : Explanation of n rows
        With several outputs each output counts as a row.
    threshold : float in [0, 1), default=0.01
        A column counts if its absolute value is more than this share of the largest in its row.

    Returns
    -------
    float
        Mean over rows; for explanations of kind "rationale" the mean size of the mask.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> from skrationale.metrics import sparsity
    >>> sparsity(Explanation([[1.0, -0.5, 0.001], [2.0, 0.0, 0.0]], 0.0))
    1.5
    """
    explanation = an_explanation("explanation", explanation)
    if not 0 <= threshold < 1:
        raise ValueError(f"threshold must be in [0, 1). Got {threshold!r} instead.")
    if explanation.kind == "rationale" and explanation.mask is not None:
        return float(explanation.mask.sum(axis=1).mean())
    size = np.abs(value_lines(explanation))
    return float((size > threshold * size.max(axis=1, keepdims=True)).sum(axis=1).mean())


def entropy(explanation: Explanation) -> float:
    """Measure how evenly values are spread over columns; low if few columns have large values.

    Parameters
    ----------
    explanation : Explanation of n rows and d columns
        With several outputs each output counts as a row.

    Returns
    -------
    float
        Mean over rows of the entropy of the shares of absolute values, in nats: 0 for a single column
        or none, at most ``log(d)``. NaN counts as 0.

    Raises
    ------
    ValueError, TypeError
        If `explanation` is not an Explanation, or has no row.

    References
    ----------
    Bhatt et al., Evaluating and Aggregating Feature-based Model Explanations, IJCAI 2020.

    Examples
    --------
    >>> from skrationale.explanation import Explanation
    >>> from skrationale.metrics import entropy
    >>> round(entropy(Explanation([[1.0, -1.0, 0.0]], 0.0)), 4)
    0.6931
    """
    size = np.abs(value_lines(an_explanation("explanation", explanation)))
    total = size.sum(axis=1, keepdims=True)
    share = np.divide(size, total, out=np.zeros_like(size), where=total > 0)
    return float(entr(share).sum(axis=1).mean())
