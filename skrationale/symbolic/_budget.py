"""What the searches of a fit may cost, and how they share the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._deadline import Deadline
from .engines._base import Engine

ENDLESS = 10**7
"""Rounds of the engine where the clock alone shall end a search. Not measured."""
WHOLE_SHARE = 0.85
"""Share of the effort that the search for a whole formula has; the others look for what is left. Not
measured."""


@dataclass(frozen=True)
class SearchBudget:
    """What a search may cost.

    Parameters
    ----------
    maxsize : int
        Largest complexity of a formula.
    n_searches : int
        Number of searches: the first one looks for a whole formula, the others for what it leaves open.
    niterations : int
        Rounds of the engine, over all searches of an output.
    population_size : int
        Number of expressions that compete.
    max_rows : int
        Most rows that the engine sees.
    """

    maxsize: int
    n_searches: int
    niterations: int
    population_size: int
    max_rows: int

    @classmethod
    def of(cls, distiller: Any, engine: Engine, n_outputs: int) -> SearchBudget:
        """Read the settings of a distiller; what it leaves open is the engine's default."""
        iterations = distiller.niterations
        if iterations is None:
            timed = distiller.timeout_in_seconds is not None
            iterations = ENDLESS if timed else engine.default_niterations
        return cls(
            maxsize=distiller.maxsize,
            n_searches=distiller.n_searches,
            niterations=max(iterations // n_outputs, 1),
            population_size=distiller.population_size or engine.default_population_size,
            max_rows=distiller.max_search_rows,
        )

    @property
    def whole(self) -> float:
        """Share of the first search in the effort."""
        return WHOLE_SHARE if self.n_searches > 1 else 1.0

    @property
    def rest(self) -> float:
        """Share of each other search in the effort."""
        return (1 - self.whole) / max(self.n_searches - 1, 1)


class SearchClock:
    """Shares the time that is left among searches, of whatever output.

    Parameters
    ----------
    deadline : Deadline
        When the last search ends.
    n_outputs : int, default=1
        Number of outputs, each with all searches of a budget.
    """

    def __init__(self, deadline: Deadline, n_outputs: int = 1) -> None:
        self._deadline, self._to_come = deadline, float(n_outputs)

    def is_over(self) -> bool:
        """Whether no time is left to search."""
        return self._deadline.is_over()

    def seconds(self, share: float) -> float | None:
        """Give the time of the next search, which has a share of the effort of its output; None: no limit."""
        part, self._to_come = share / self._to_come, self._to_come - share
        left = self._deadline.left()
        return None if np.isinf(left) else left * min(part, 1.0)
