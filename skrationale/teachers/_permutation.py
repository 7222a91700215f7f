"""Reasons of any model by permutation: interventional Shapley values, sampled, from its scores alone [1]_.

The cells of a background row become those of a row one by one, in a random order; a column's share is how
the score changes when its cell does. The same order backwards makes a pair. This is unbiased whatever the
model, for rows that lack cells have those of background rows.

Most of the noise comes from the background row, whose own reasons are taken away. Once these are known,
roughly, they are put back, which makes no bias as their mean over the background is 0: a control variate.
Then the shares of a row add up to its score less the base, and where the score is a sum over columns, hardly
any noise is left.

.. [1] Strumbelj and Kononenko, "Explaining prediction models and individual predictions with feature
   contributions", Knowledge and Information Systems 41, 2014.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np

from .._batches import CELLS
from ..tabular import TableReader
from ._protocol import Teacher

BACKGROUND_ROWS = 1000
"""Rows of the background at most. Not measured."""
PAIRS_OF_BACKGROUND, EVALUATIONS_OF_BACKGROUND = 8, 2_000_000
"""Pairs for each background row, from which the background's own reasons are estimated, and scores that this
asks for at most, beside those of one pair. Not measured."""
ROUNDS = 20
"""How often these reasons are put into the estimate of themselves. Not measured."""
PAIRS = 20
"""Pairs for a row whose reasons are shown or compared. Not measured."""


class PermutationWalks:
    """Interventional Shapley values of a model, by walks from background rows.

    Below, n is the number of rows, d of columns and K of scores of a row.

    Parameters
    ----------
    teacher : Teacher
        Whose scores are explained; its form makes tables of numbers and codes.
    matrix : ndarray of shape (n, d)
        Training rows, of which the background is drawn.
    weight : ndarray of shape (n,) or None
        Chance of each, up to a factor; None: all alike.
    seed : int
        Seed of all that is drawn here.

    Attributes
    ----------
    background : ndarray of shape (b, d)
        Rows that give the cells which a row lacks.
    shares : ndarray of shape (b,)
        Chance of each; they sum to one.
    base : ndarray of shape (K,)
        Mean score of the background.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from skrationale.tabular import TableReader
    >>> from skrationale.teachers import PermutationWalks, TeacherTable, teacher_for
    >>> X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> model = LinearRegression().fit(X, X @ [4.0, 2.0])
    >>> teacher = teacher_for(model, TeacherTable(reader=TableReader().fit(X)))
    >>> walks = PermutationWalks(teacher, X, None, seed=0)
    >>> (walks.base + 0).round(3), walks.explain(X[-1:]).round(3)
    (array([3.]), array([[[2., 1.]]]))
    """

    def __init__(self, teacher: Teacher, matrix: np.ndarray, weight: np.ndarray | None, seed: int) -> None:
        rng = np.random.RandomState(seed)
        self._teacher, self.form = teacher, teacher.form
        chosen, shares = _background(len(matrix), weight, rng)
        scores = self._scores(matrix[chosen])
        # a walk more or less that starts low matters less when rows are drawn along the score
        along = np.argsort(scores[:, 0], kind="stable")
        self.background, self.shares, self._starts = matrix[chosen][along], shares[along], scores[along]
        mean = self.shares @ self._starts
        self.base = np.clip(mean, scores.min(axis=0), scores.max(axis=0))  # a constant is met exactly
        self._owed = self._own_reasons(rng)
        d = matrix.shape[1]
        self._of_explain = rng.random_sample((PAIRS, d)).argsort(axis=1), rng.random_sample()

    @property
    def evaluations(self) -> int:
        """Scores of rows that a pair asks for at most."""
        return 2 * self.background.shape[1]

    @property
    def evaluations_of_explain(self) -> int:
        """Scores of rows that `explain` asks for at most, for each row."""
        return PAIRS * self.evaluations

    def _scores(self, matrix: np.ndarray) -> np.ndarray:
        return self._teacher.scores(self.form.of_matrix(matrix))

    def read_by(self, reader: TableReader) -> PermutationWalks:
        """Give the same walks for rows of a reader that knows more levels."""
        other = copy.copy(self)
        other.form = replace(self.form, reader=reader)
        return other

    def asking(self, teacher: Teacher) -> PermutationWalks:
        """Give the same walks for a form of the teacher that knows more levels."""
        other = copy.copy(self)
        other._teacher, other.form = teacher, teacher.form
        return other

    def _own_reasons(self, rng: np.random.RandomState) -> np.ndarray:
        """Estimate reasons (b, K, d) of the background rows, from walks among them.

        A walk gives the reasons of its end less those of its start. With those that were found, each start
        is put in, again and again: what is still wrong shrinks, for it is a mean over several starts.
        """
        b, d = self.background.shape
        n_pairs = min(PAIRS_OF_BACKGROUND, max(1, EVALUATIONS_OF_BACKGROUND // (b * self.evaluations)))
        offset, starts = rng.random_sample(b), []
        change = np.zeros((b, len(self.base), d))
        for pair in range(n_pairs):
            starts.append(self._rows_at((offset + pair / n_pairs) % 1))
            orders = rng.random_sample((b, d)).argsort(axis=1)
            change += self._pairs(self.background, starts[-1], orders) / n_pairs
        found = np.zeros_like(change)
        for _ in range(ROUNDS):
            found = self._centred(change + sum(found[rows] for rows in starts) / n_pairs)
        return found

    def _centred(self, values: np.ndarray) -> np.ndarray:
        """Let reasons (b, K, d) of the background sum to the score less the base, with mean 0.

        What is left goes to columns by their mean square, which is where it came from.
        """
        left = self._starts - self.base - values.sum(axis=2)
        sizes = np.tensordot(self.shares, values**2, axes=1)
        total = sizes.sum(axis=1, keepdims=True)
        parts = np.divide(sizes, total, out=np.full_like(sizes, 1 / sizes.shape[1]), where=total > 0)
        values = values + left[:, :, None] * parts
        return values - np.tensordot(self.shares, values, axes=1)

    def sample(self, matrix: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
        """Explain each row by one pair, which is noisy but unbiased.

        Parameters
        ----------
        matrix : ndarray of shape (n, d)
            Numbers and codes.
        rng : RandomState
            Draws a background row and an order for each row.

        Returns
        -------
        ndarray of shape (n, K, d)
            Over the last axis they sum to the score less the base.
        """
        starts = self._rows_at(rng.random_sample(len(matrix)))
        orders = rng.random_sample(matrix.shape).argsort(axis=1)
        return self._owed[starts] + self._pairs(matrix, starts, orders)

    def explain(self, matrix: np.ndarray) -> np.ndarray:
        """Explain rows (n, d) by 20 pairs each, the same for all: (n, K, d), as `sample` gives them."""
        orders, offset = self._of_explain
        total = np.zeros((len(matrix), len(self.base), matrix.shape[1]))
        for pair, order in enumerate(orders):
            starts = np.full(len(matrix), self._rows_at((offset + pair / PAIRS) % 1))
            shares = self._pairs(matrix, starts, np.broadcast_to(order, matrix.shape))
            total += (self._owed[starts] + shares) / PAIRS
        return total

    def _rows_at(self, drawn: Any) -> Any:
        """Give the background row that stands at each share (n,) of all, from 0 to 1."""
        return np.searchsorted(self.shares.cumsum()[:-1], drawn, side="right")

    def _pairs(self, matrix: np.ndarray, starts: np.ndarray, orders: np.ndarray) -> np.ndarray:
        """Walk both ways to rows (n, d), from background rows (n,) in orders (n, d); means (n, K, d)."""
        n, d = matrix.shape
        values = np.empty((n, len(self.base), d))
        size = max(1, CELLS // (2 * d * d))
        for first in range(0, n, size):
            rows = slice(first, first + size)
            there, back = orders[rows], orders[rows, ::-1]
            both = self._walk(
                np.vstack([matrix[rows], matrix[rows]]), np.tile(starts[rows], 2), np.vstack([there, back])
            )
            values[rows] = both.reshape(2, -1, *both.shape[1:]).mean(axis=0)
        return values

    def _walk(self, matrix: np.ndarray, starts: np.ndarray, orders: np.ndarray) -> np.ndarray:
        """Say how scores change (m, K, d) as each cell of background rows becomes that of a row."""
        m, d = matrix.shape
        origin = self.background[starts]
        same = (matrix == origin) | (np.isnan(matrix) & np.isnan(origin))
        moves = ~np.take_along_axis(same, orders, axis=1)
        turn = np.argsort(orders, axis=1)
        row, step = np.nonzero(moves)
        states = np.where(turn[row] <= step[:, None], matrix[row], origin[row])
        known = self._starts[starts]
        if len(states):
            known = np.vstack([known, self._scores(states)])
        # where nothing moves, the score stays what it was before
        at = np.zeros((m, d + 1), dtype=np.intp)
        at[:, 0] = np.arange(m)
        at[row, step + 1] = m + np.arange(len(row))
        steps = np.diff(known[np.maximum.accumulate(at, axis=1)], axis=1)
        return np.take_along_axis(steps, turn[:, :, None], axis=1).transpose(0, 2, 1)


def _background(
    n: int, weight: np.ndarray | None, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Choose rows (b,) of n, and their shares (b,)."""
    shares = np.full(n, 1 / n) if weight is None else weight / weight.sum()
    if n <= BACKGROUND_ROWS:
        return np.arange(n), shares
    if weight is None:
        chosen = rng.permutation(n)[:BACKGROUND_ROWS]
    else:
        chosen = rng.choice(n, BACKGROUND_ROWS, p=shares)
    return chosen, np.full(BACKGROUND_ROWS, 1 / BACKGROUND_ROWS)
