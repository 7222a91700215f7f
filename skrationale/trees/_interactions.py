"""What pairs of columns contribute together, as a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from .._task import Link
from ..explanation import checks, labels

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Interactions:
    """Contribution of each pair of columns to the score of each row.

    Below, n is the number of rows, d of columns and k of outputs. The matrix of a row is symmetric. An entry
    off the diagonal is half of the interaction of two columns, which is their effect together beyond the
    effects of each alone. The mirrored entry is the other half. The entry on the diagonal is the rest of the
    column's contribution (its SHAP value). So a row of the matrix adds up to that contribution, and the whole
    matrix and the base value add up to the score. shap uses the same definition. With some of the columns,
    entries are those of the whole matrix.

    Parameters
    ----------
    values : array-like of shape (n, d, d) or (n, d, d, k)
        Interaction values, in units of the score that `link` names.
    base_values : float or array-like of shape (k,), (n,) or (n, k)
        The score without any contribution.
    feature_names : sequence of str, default=()
        Names of the d columns; if empty, ``x0, x1, ...``.
    output_names : str or sequence of str, default=()
        Names of the k outputs, all different.
    link : {"identity", "log", "logit", "softmax"}, default="identity"
        Units of the score, as in :class:`Explanation`.
    index : pandas.Index or sequence of length n, default=None
        Labels of the rows; None: rows are numbered from 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not of the type or shape above.

    See Also
    --------
    tree_interactions : Compute the interactions of a tree ensemble.

    Examples
    --------
    >>> from skrationale import Interactions
    >>> found = Interactions([[[2.0, -0.5], [-0.5, 1.0]]], 3.0, feature_names=["age", "hours"])
    >>> found
    Interactions(1 row, 2 features, 1 output, link='identity')
    >>> found.of(0).loc["age", "hours"]
    np.float64(-0.5)
    >>> found.top(1)
      first second  mean_abs
    0   age  hours       1.0
    >>> found.values.sum(axis=2)
    array([[1.5, 0.5]])
    """

    values: np.ndarray
    base_values: np.ndarray
    feature_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    link: str = "identity"
    index: Any = None

    def __post_init__(self) -> None:
        values = checks.number_array("values", self.values)
        if values.ndim not in (3, 4) or values.shape[1] != values.shape[2]:
            expected = "(n_rows, n_features, n_features) or (n_rows, n_features, n_features, n_outputs)"
            raise ValueError(f"`values` has shape {values.shape}, expected {expected}.")
        n, d, _, k = (*values.shape, 1)[:4]
        checks.one_of("link", self.link, get_args(Link))
        own = {
            "values": values,
            "base_values": checks.base_array(self.base_values, values[:, 0]),
            "feature_names": checks.names("feature_names", self.feature_names, d, "x"),
            "output_names": checks.names("output_names", self.output_names, k, "output", unique=True),
            "index": labels.row_labels(self.index, n),
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        counts = (len(self), "row"), (len(self.feature_names), "feature"), (len(self.output_names), "output")
        words = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
        return f"Interactions({words}, link={self.link!r})"

    def for_output(self, output: str | int) -> Interactions:
        """Return the interactions of one output, with `values` of shape (n, d, d).

        Parameters
        ----------
        output : str or int
            Name of the output, or its position.

        Returns
        -------
        Interactions
            The interactions of this output only.

        Raises
        ------
        ValueError
            If there is no such output; the message lists the existing ones.
        """
        position = checks.output_place(output, self.output_names)
        if self.values.ndim == 3:
            return self
        values, base = self.values[..., position], self.base_values[..., position]
        return replace(self, values=values, base_values=base, output_names=(self.output_names[position],))

    def of(self, row: int) -> pd.DataFrame:
        """Return the matrix of one row.

        Parameters
        ----------
        row : int
            Position of the row, from 0; not its label.

        Returns
        -------
        pandas.DataFrame
            With the columns' names on both sides.

        Raises
        ------
        IndexError
            If there is no such row.
        ValueError
            If there are several outputs: choose one by :meth:`for_output`.
        """
        import pandas as pd

        if self.values.ndim == 4:
            outputs = ", ".join(map(repr, self.output_names))
            raise ValueError(
                f"There are several outputs ({outputs}): choose one with for_output(name) first."
            )
        n, names = len(self), list(self.feature_names)
        if not isinstance(row, Integral) or isinstance(row, bool) or not -n <= row < n:
            raise IndexError(f"`row` must be an integer from 0 to {n - 1}, got {row!r}.")
        return pd.DataFrame(self.values[row].copy(), index=names, columns=names)

    def top(self, k: int = 10) -> pd.DataFrame:
        """Return the pairs of two columns that interact most.

        Parameters
        ----------
        k : int, default=10
            How many, at most.

        Returns
        -------
        pandas.DataFrame
            With the columns first, second and mean_abs. mean_abs is twice the absolute entry off the
            diagonal, which is the whole interaction of the pair, as a mean over rows and a sum over outputs.
            The strongest pairs come first; pairs without interaction are left out.

        Raises
        ------
        ValueError
            If `k` is not an integer of at least 0.
        """
        check_number_of_pairs(k)
        d = len(self.feature_names)
        # column by column, so that no second array as large as the values is made
        sums = [np.abs(self.values[:, j, j + 1 :]).sum(axis=0) for j in range(d)]
        sizes = 2 * np.concatenate(sums) / max(len(self), 1)
        by_pair = sizes if sizes.ndim == 1 else sizes.sum(axis=1)
        return strongest(self.feature_names, *np.triu_indices(d, 1), by_pair, k)


def check_number_of_pairs(k: Any) -> None:
    """Refuse what is no integer of at least 0."""
    if not isinstance(k, Integral) or isinstance(k, bool) or k < 0:
        raise ValueError(f"`k` must be an integer of at least 0, got {k!r}.")


def strongest(
    names: Sequence[str], first: np.ndarray, second: np.ndarray, sizes: np.ndarray, k: int
) -> pd.DataFrame:
    """Give the k largest of w pairs, without those of size 0.

    Parameters
    ----------
    names : sequence of d str
        Names of the columns.
    first, second : ndarrays of int of shape (w,)
        Columns of each pair.
    sizes : ndarray of shape (w,)
        How strong each is.
    k : int
        How many are given, at most.

    Returns
    -------
    pandas.DataFrame
        With the columns first, second and mean_abs.
    """
    import pandas as pd

    order = np.argsort(-sizes, kind="stable")[: min(k, np.count_nonzero(sizes))]
    sides = {side: [names[j] for j in of[order]] for side, of in (("first", first), ("second", second))}
    return pd.DataFrame(sides | {"mean_abs": sizes[order]})
