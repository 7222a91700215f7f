"""The standard problems of instance-wise feature selection, whose true columns differ from row to row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._random import own_random_state

EXPONENTS: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    lambda X: X[:, 0] * X[:, 1],
    lambda X: (X[:, 2:6] ** 2).sum(axis=1) - 4,
    lambda X: -10 * np.sin(0.2 * X[:, 6]) + np.abs(X[:, 7]) + X[:, 8] + np.exp(-X[:, 9]) - 2.4,
)
REASONS = np.repeat(np.eye(3, dtype=bool), (2, 4, 4), axis=1)
"""The columns that each exponent reads, among the first ten."""

BRANCHES = {1: (0, 0), 2: (1, 1), 3: (2, 2), 4: (0, 1), 5: (0, 2), 6: (1, 2)}
"""Which exponent holds where the switch, column 11, is negative, and which elsewhere."""


def make_syn(
    number: int,
    n_samples: int = 10_000,
    *,
    n_features: int = 11,
    correlation: float = 0.0,
    regression: bool = False,
    noise: float = 0.5,
    random_state: Any = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Generate one of the problems Syn1 to Syn6, in which the true columns of every row are known.

    Columns are standard normal. The label is drawn with :math:`P(y = 1 \mid x) = 1 / (1 + e^U)`, so a large U
    makes the label 0. The exponent U depends on a few columns, counted here from 1:

    ====== ==================================================== ===================
    Number U                                                    True columns
    ====== ==================================================== ===================
    1      x1 x2                                                1, 2
    2      x3² + x4² + x5² + x6² - 4                            3 to 6
    3      -10 sin(0.2 x7) + abs(x8) + x9 + exp(-x10) - 2.4     7 to 10
    4      that of 1 where x11 < 0, elsewhere that of 2         of the branch, 11
    5      that of 1 where x11 < 0, elsewhere that of 3         of the branch, 11
    6      that of 2 where x11 < 0, elsewhere that of 3         of the branch, 11
    ====== ==================================================== ===================

    Parameters
    ----------
    number : int
        Which problem, 1 to 6.
    n_samples : int, default=10_000
        Rows n.
    n_features : int, default=11
        Columns d, at least 11; those after the eleventh have no effect.
    correlation : float, default=0.0
        Correlation of neighbouring columns. Columns i and j have this number to the power :math:`|i - j|`.
    regression : bool, default=False
        Whether the target is U plus noise, instead of a label.
    noise : float, default=0.5
        Standard deviation of the noise in a regression; labels do not use it.
    random_state : int, RandomState or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n, d)
        Rows.
    y : ndarray of shape (n,)
        Labels 0 and 1, or with `regression` numbers.
    mask : ndarray of bool, shape (n, d)
        True reasons: the columns on which U depends in this row.

    Raises
    ------
    ValueError
        If `number` is not 1 to 6, `n_samples` is below 1, `n_features` is below 11, `correlation` is not
        strictly between -1 and 1, or `noise` is negative.

    Notes
    -----
    The text of [2]_ prints the exponent of Syn3 with :math:`-10 \sin(2 x_7) + 2 |x_8|`; its code and the
    papers after it use the form above, and so does this function.

    A test set needs another seed than the training set. With the same seed and size it is the training set
    again, as in the script published with [2]_.

    These problems are derived from the four problems of [1]_, which are different.

    References
    ----------
    .. [1] Chen, Song, Wainwright, Jordan, "Learning to explain: an information-theoretic perspective on
       model interpretation", ICML 2018, arXiv:1802.07814.
    .. [2] Yoon, Jordon, van der Schaar, "INVASE: instance-wise variable selection using neural networks",
       ICLR 2019.

    Examples
    --------
    >>> from skrationale.datasets import make_syn
    >>> X, y, mask = make_syn(4, 1000, random_state=0)
    >>> X.shape, y.shape, mask.shape
    ((1000, 11), (1000,), (1000, 11))
    >>> mask[X[:, 10] < 0][0].nonzero()[0].tolist()
    [0, 1, 10]
    >>> mask[X[:, 10] >= 0][0].nonzero()[0].tolist()
    [2, 3, 4, 5, 10]
    """
    for name, value, valid, expected in (
        ("number", number, number in BRANCHES, "1 to 6"),
        ("n_samples", n_samples, n_samples >= 1, "a number of at least 1"),
        ("n_features", n_features, n_features >= 11, "a number of at least 11"),
        ("correlation", correlation, -1 < correlation < 1, "a number between -1 and 1, both excluded"),
        ("noise", noise, noise >= 0, "a number of at least 0"),
    ):
        if not valid:
            raise ValueError(f"{name} is {value!r}; expected {expected}.")
    rng = own_random_state(random_state)
    X = rng.standard_normal((n_samples, n_features))
    for j in range(1, n_features):
        X[:, j] = correlation * X[:, j - 1] + np.sqrt(1 - correlation**2) * X[:, j]

    U, mask = _exponent(number, X)
    if regression:
        return X, U + noise * rng.standard_normal(n_samples), mask
    return X, (rng.uniform(size=n_samples) < 1 / (1 + np.exp(U))).astype(int), mask


def _exponent(number: int, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """U (n,) of rows (n, d), and the columns that it reads (n, d)."""
    branch = np.where(X[:, 10] < 0, *BRANCHES[number])
    U = np.choose(branch, [exponent(X) for exponent in EXPONENTS])
    mask = np.zeros(X.shape, dtype=bool)
    mask[:, :10] = REASONS[branch]
    mask[:, 10] = number > 3
    return U, mask
