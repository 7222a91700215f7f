"""From logits to a hard mask: above a threshold, or the best k units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MaskRule:
    """Says which units of a row are its rationale.

    Parameters
    ----------
    threshold : float, default=0.0
        Logits above it are kept.
    k : int, default=None
        When given, the k largest logits of each row are kept instead; of equal ones the first.
    """

    threshold: float = 0.0
    k: int | None = None

    @classmethod
    def fitted(cls, logits: np.ndarray, count: float | None, k: int | None) -> MaskRule:
        """Make a rule from logits (n, d) of training rows: k units a row, or `count` on average."""
        if k is not None:
            return cls(k=min(k, logits.shape[1]))
        if count is None:
            return cls()
        share = min(count / logits.shape[1], 1.0)
        ranked = np.sort(logits, axis=None)
        place = round((1 - share) * ranked.size)
        if place == 0:
            return cls(threshold=-np.inf)
        return cls(threshold=between(*ranked[place - 1 : place + 1]))

    def excess(self, logits: np.ndarray) -> np.ndarray:
        """Give logits (n, d) less what they must exceed: positive where a unit is kept, but for ties."""
        if self.k is None:
            return logits - max(self.threshold, -1e6)
        if self.k >= logits.shape[1]:
            return np.abs(logits) + 1.0
        ranked = -np.sort(-logits, axis=1)
        return logits - ranked[:, self.k - 1 : self.k + 1].mean(axis=1, keepdims=True)

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """Mask (n, d) of logits (n, d)."""
        if self.k is None:
            return logits > self.threshold
        best = np.argsort(-logits, axis=1, kind="stable")[:, : self.k]
        mask = np.zeros(logits.shape, dtype=bool)
        np.put_along_axis(mask, best, True, axis=1)
        return mask


def between(hidden: float, shown: float | None = None) -> float:
    """Give a threshold away from both logits: the last bits of one may differ when its row is read again.

    Parameters
    ----------
    hidden, shown : float of numpy
        The largest logit below, and the least above; None: there is none above.

    Examples
    --------
    >>> between(np.float64(1.0), np.float64(2.0))
    1.5
    """
    if shown is None:
        return float(hidden)
    middle = hidden + (shown - hidden) / 2
    return float(middle if middle < shown else hidden)
