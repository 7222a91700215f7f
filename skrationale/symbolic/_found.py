"""What a distiller has found: its front, and the formulas chosen from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..formula import Formula
from ._front import Row, table


class FoundFormulas:
    """What `SymbolicDistiller` inherits to show its front and to choose from it."""

    _fronts: list[tuple[Row, ...]]
    """The front of each output."""
    _chosen: list[int]
    """The row chosen from each."""

    @property
    def formulas_(self) -> list[Formula]:
        """The chosen formulas, one an output."""
        return [front[i].formula for front, i in zip(self._found(), self._chosen, strict=True)]

    @property
    def formula_(self) -> Formula:
        """The chosen formula, where there is one output."""
        formulas = self.formulas_
        if len(formulas) > 1:
            raise AttributeError(
                f"There are {len(formulas)} formulas, one a class; expected the attribute `formulas_`."
            )
        return formulas[0]

    @property
    def equations_(self) -> Any:
        """The front as a DataFrame, a list of them for several outputs."""
        tables = [table(front) for front in self._found()]
        return tables[0] if len(tables) == 1 else tables

    @property
    def pareto_front_(self) -> Any:
        """The formulas of the front, a list of lists for several outputs."""
        fronts = [[row.formula for row in front] for front in self._found()]
        return fronts[0] if len(fronts) == 1 else fronts

    def _found(self) -> list[tuple[Row, ...]]:
        if not hasattr(self, "_fronts"):
            raise AttributeError(f"This {type(self).__name__} is not fitted yet: call fit first.")
        return self._fronts

    _report_parts: ClassVar[tuple[str, ...]] = ("formula",)

    def _kind_in_words(self) -> str:
        formulas = self.formulas_
        words = f"{len(formulas)} formulas, one a class" if len(formulas) > 1 else "a formula"
        return f"{words}, of {self._size()[0]} symbols"

    def _size(self) -> tuple[int, str]:
        return sum(formula.complexity for formula in self.formulas_), "symbol"

    def set_formula(self, index: int | Sequence[int]) -> Self:
        """Choose other rows of the front; predictions and reasons follow.

        Parameters
        ----------
        index : int or sequence of K int
            Row of `equations_`, one for each output.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            When the front has no such row.
        """
        check_is_fitted(self)
        chosen = [int(i) for i in np.atleast_1d(index)]
        sizes = [len(front) for front in self._fronts]
        if len(chosen) != len(sizes) or any(not 0 <= i < n for i, n in zip(chosen, sizes, strict=False)):
            raise ValueError(f"index must be {len(sizes)} int below {sizes}. Got {index!r} instead.")
        self._chosen = chosen
        return self
