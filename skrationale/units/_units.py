"""Units and the inputs that networks see of them: how values and masks go from one to the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

FEW_CELLS = 256
"""Numbers of an input, of all rows, below which inputs are added up in one call, else each in its own.
Measured: the one call takes 10 to 20 ns for a number, an own call 1.5 us and 2 to 5 ns for a number."""


@dataclass(frozen=True, eq=False)
class Units:
    """The L units of rows, and the p inputs of a network that belong to them.

    All rows have the same units here. Units that differ from row to row, such as words, are a subclass made
    for a batch of rows, which says in `valid` what is padding, and has its own `fold` and `spread`.

    Parameters
    ----------
    names : tuple of L str
        What people call them.
    groups : ndarray of int of shape (p,)
        Position of the unit that each input belongs to.

    Examples
    --------
    >>> import numpy as np
    >>> units = Units(("age", "city"), np.array([0, 1, 1]))
    >>> units.fold(np.array([[1.0, 2.0, 4.0]]))
    array([[1., 6.]])
    >>> units.spread(np.array([[False, True]]))
    array([[False,  True,  True]])
    """

    names: tuple[str, ...]
    groups: np.ndarray

    @property
    def n_units(self) -> int:
        """Number L of units; of rows that differ, the most that one of them has."""
        return len(self.names)

    @property
    def n_inputs(self) -> int:
        """Number p of inputs."""
        return self.groups.shape[-1]

    def valid(self, n_rows: int) -> np.ndarray:
        """Say which units each of n rows has (n, L), read-only. What is not valid is padding, never shown."""
        return np.broadcast_to(np.True_, (n_rows, self.n_units))

    def fold(self, values: np.ndarray) -> np.ndarray:
        """Add up what belongs to the inputs of one unit.

        Parameters
        ----------
        values : ndarray of shape (n, p) or (n, p, k)
            Quantities of the inputs.

        Returns
        -------
        ndarray of shape (n, L) or (n, L, k)

        Raises
        ------
        ValueError
            When there is not one value for each input.
        """
        if values.shape[1] != self.n_inputs:
            raise ValueError(
                f"values has {values.shape[1]} columns; expected {self.n_inputs}, one for each input."
            )
        total = np.zeros((len(values), self.n_units, *values.shape[2:]))
        if total[:, :1].size < FEW_CELLS:
            np.add.at(total.swapaxes(0, 1), self.groups, values.swapaxes(0, 1))
            return total
        for column, unit in enumerate(self.groups.tolist()):
            total[:, unit] += values[:, column]
        return total

    def spread(self, mask: np.ndarray) -> np.ndarray:
        """Give the mask (n, p) of inputs from the mask (n, L) of units."""
        return spread(mask, self.groups)

    def take(self, chosen: np.ndarray) -> tuple[Units, np.ndarray]:
        """Give some units alone.

        Parameters
        ----------
        chosen : ndarray of int of shape (c,)
            Their positions, rising.

        Returns
        -------
        units : Units
            The c units.
        inputs : ndarray of int of shape (q,)
            Positions of the inputs that belong to them.
        """
        inputs = np.flatnonzero(np.isin(self.groups, chosen))
        names = tuple(self.names[j] for j in chosen)
        return Units(names, np.searchsorted(chosen, self.groups[inputs])), inputs

    def varying(self, x: np.ndarray) -> np.ndarray:
        """Give the positions (c,) of units whose inputs are not the same in all rows x (n, p)."""
        return np.unique(self.groups[(x != x[:1]).any(axis=0)])


def spread(mask: Any, groups: Any) -> Any:
    """Show an input as much as the unit that it belongs to.

    Parameters
    ----------
    mask : ndarray or Tensor of shape (n, L)
        Which units are shown: booleans, 0 and 1, or gates between.
    groups : ndarray or Tensor of int of shape (p,)
        Unit of each input.

    Returns
    -------
    ndarray or Tensor of shape (n, p)
    """
    if isinstance(mask, np.ndarray) or not hasattr(groups, "new_empty"):
        return mask[:, groups]
    return mask.index_select(1, groups)  # several times faster than an index


def hide(x: Any, mask: Any, groups: Any, fill: Any = None) -> Any:
    """Put a fill in the place of inputs whose unit is hidden.

    Parameters
    ----------
    x : ndarray or Tensor of shape (n, p)
        Inputs.
    mask : ndarray or Tensor of shape (n, L)
        Which units are shown, 0 and 1; gates between mix inputs and fill.
    groups : ndarray or Tensor of int of shape (p,)
        Unit of each input.
    fill : ndarray or Tensor of shape (p,) or (n, p), default=None
        What stands in hidden inputs; None: 0.

    Returns
    -------
    ndarray or Tensor of shape (n, p)

    Examples
    --------
    >>> import numpy as np
    >>> x, groups = np.array([[5.0, 1.0, 2.0]]), np.array([0, 1, 1])
    >>> hide(x, np.array([[1.0, 0.0]]), groups, fill=np.array([7.0, 8.0, 9.0]))
    array([[5., 8., 9.]])
    """
    kept = spread(mask, groups)
    return x * kept if fill is None else kept * x + (1 - kept) * fill
