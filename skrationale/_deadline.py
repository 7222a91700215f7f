"""How long a fit may still take."""

from __future__ import annotations

import math
from time import monotonic


class Deadline:
    """A wall clock that runs down from the moment it is made.

    Parameters
    ----------
    seconds : float or None
        What it allows; None: without end.

    Examples
    --------
    >>> Deadline(None).left(), Deadline(0.0).is_over(), Deadline(100.0).part(0.5).left() < 50
    (inf, True, True)
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds = math.inf if seconds is None else seconds
        self._end = monotonic() + self.seconds

    def left(self) -> float:
        """Give the seconds that are left; negative when the time is over."""
        return self._end - monotonic()

    def is_over(self) -> bool:
        """Whether no time is left."""
        return self.left() <= 0

    def part(self, share: float) -> Deadline:
        """Make a clock that ends when a share of what is left now is spent."""
        return Deadline(None if math.isinf(self.seconds) else share * self.left())
