"""From logits of units to a hard mask: above a threshold, the best k, or few runs of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...units import TextUnits, between

CLIP = 3.0
"""Excess logits count no more than this where changes between shown and hidden cost. Not measured."""
STEPS = 40
"""Halvings of the range of thresholds. A matter of form."""


@dataclass(frozen=True)
class TextRule:
    """Says which units of a text are its rationale.

    Parameters
    ----------
    threshold : float, default=0.0
        Logits above it are kept.
    k : int, default=None
        When given, the k largest logits of each text are kept instead; of equal ones the first.
    contiguity : float, default=0.0
        What each change between shown and hidden costs, in units of logits.
    """

    threshold: float = 0.0
    k: int | None = None
    contiguity: float = 0.0

    @classmethod
    def fitted(
        cls,
        units: TextUnits,
        logits: np.ndarray,
        weight: np.ndarray,
        rate: float,
        k: int | None,
        contiguity: float,
    ) -> TextRule:
        """Make a rule from logits (U,) of texts of weights (n,): k units each, or a mean share of words."""
        if k is not None:
            return cls(k=k, contiguity=contiguity)
        if rate >= 1:
            return cls(threshold=-np.inf)
        low, high = float(logits.min(initial=0.0)) - 1, float(logits.max(initial=0.0)) + 1
        for _ in range(STEPS):
            middle = (low + high) / 2
            shown = units.spread(cls(middle, None, contiguity)(units, logits))
            above = np.average(units.shares(shown), weights=weight) > rate
            low, high = (middle, high) if above else (low, middle)
        return cls(threshold=high, contiguity=contiguity)

    def apart_from(self, logits: np.ndarray) -> TextRule:
        """Give the rule whose threshold lies midway between two of the logits (U,), with the same masks."""
        hidden, shown = logits[logits <= self.threshold], logits[logits > self.threshold]
        if not hidden.size or not shown.size:
            return self
        return replace(self, threshold=between(hidden.max(), shown.min()))

    def excess(self, units: TextUnits, logits: np.ndarray) -> np.ndarray:
        """Give logits (U,) less what they must exceed: positive if a unit is kept, but for ties and runs."""
        if self.k is None:
            return logits - max(self.threshold, -1e6)
        order, rank = _ranked(units, logits)
        sizes, starts = units.n_units, units.offsets[:-1]
        limits = np.full(units.n_texts, -np.inf)
        some = sizes > 0
        last = starts[some] + np.minimum(self.k, sizes[some]) - 1
        after = starts[some] + np.minimum(self.k, sizes[some] - 1)
        sorted_logits = logits[order]
        limits[some] = (sorted_logits[last] + sorted_logits[after]) / 2
        limits[some] -= np.where(sizes[some] <= self.k, 1.0, 0.0)  # all are kept, the last one too
        return logits - limits[units.unit_texts]

    def __call__(self, units: TextUnits, logits: np.ndarray) -> np.ndarray:
        """Mask (U,) of logits (U,)."""
        if not self.contiguity:
            return logits > self.threshold if self.k is None else _ranked(units, logits)[1] < self.k
        excess = np.clip(self.excess(units, logits), -CLIP, CLIP)
        mask = best_runs(excess, units.offsets, self.contiguity)
        return mask if self.k is None else _exactly(units, excess, mask, self.k)


def _ranked(units: TextUnits, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the order (U,) of units, text by text, largest logits first, and the rank of each (U,)."""
    order = np.lexsort((-logits, units.unit_texts))
    rank = np.empty(len(logits), dtype=np.int64)
    rank[order] = np.arange(len(logits)) - np.repeat(units.offsets[:-1], units.n_units)
    return order, rank


def _exactly(units: TextUnits, excess: np.ndarray, mask: np.ndarray, k: int) -> np.ndarray:
    """Bring runs to k units a text: take the weakest away, or add the best, those beside a run first."""
    beside = np.zeros(len(mask), dtype=bool)
    texts = units.unit_texts
    same = texts[1:] == texts[:-1]
    beside[1:] |= mask[:-1] & same
    beside[:-1] |= mask[1:] & same
    wanted = excess + 4 * CLIP * mask + 2 * CLIP * (beside & ~mask)
    return _ranked(units, wanted)[1] < k


def best_runs(excess: np.ndarray, offsets: np.ndarray, cost: float) -> np.ndarray:
    """Find the mask with the largest sum of what it shows, less a cost of each change along a text.

    Parameters
    ----------
    excess : ndarray of shape (U,)
        What is gained by showing each unit.
    offsets : ndarray of int of shape (n + 1,)
        The units of text i are those from ``offsets[i]`` to ``offsets[i + 1]``.
    cost : float
        Of each change between shown and hidden; a text begins and ends hidden.

    Returns
    -------
    ndarray of bool of shape (U,)

    Notes
    -----
    Viterbi's algorithm, one place of all texts at a time; the longest texts come first, so that those which
    have ended are left out.

    Examples
    --------
    >>> best_runs(np.array([2.0, -0.5, 2.0, -3.0, 0.4]), np.array([0, 5]), 0.5)
    array([ True,  True,  True, False, False])
    """
    sizes = np.diff(offsets)
    order = np.argsort(-sizes, kind="stable")
    starts, lengths = offsets[:-1][order], sizes[order]
    longest = int(lengths.max(initial=0))
    going = np.searchsorted(-lengths, -np.arange(longest), side="left")  # texts longer than each place
    # scores of the best masks that end hidden or shown, and whether the unit before is shown in them
    best = np.zeros((len(order), 2))
    best[:, 1] = -np.inf
    before = np.zeros((2, len(excess)), dtype=bool)
    for place in range(longest):
        n = going[place]
        at, hidden, shown = starts[:n] + place, best[:n, 0], best[:n, 1]
        before[0, at], before[1, at] = shown - cost > hidden, shown > hidden - cost
        gained = excess[at]
        best[:n] = np.column_stack(
            [np.maximum(hidden, shown - cost), np.maximum(hidden - cost, shown) + gained]
        )
    mask = np.zeros(len(excess), dtype=bool)
    state = best[:, 1] - cost > best[:, 0]
    for place in range(longest - 1, -1, -1):
        n = going[place]
        at = starts[:n] + place
        mask[at] = state[:n]
        state[:n] = before[state[:n].astype(int), at]
    return mask
