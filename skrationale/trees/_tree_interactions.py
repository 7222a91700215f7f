"""Exact interaction values of tree ensembles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from .._batches import check_batching, in_batches, one_or_several
from ..explanation.checks import own
from ..teachers import bins_of, in_bins
from ..training import limit_threads
from ._contributions import check_dtype
from ._interacting import BinnedGroups, Pairs, interacting_groups, pairs_of, readings_of
from ._interactions import Interactions, check_number_of_pairs, strongest
from .reading import ModelReader, forest_of, task_of
from .tables import base_values_of

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 2**32
"""Memory of the values by default: 4 GiB. Not measured."""
NUMBERS = 2**21
"""Sums of a batch, 16 MB. Not measured."""
LEAST_ROWS, MOST_ROWS = 256, 8192
"""Rows of a batch whatever the number of sums: matrices are made anew for each batch. Measured: 1000 take two
to three times as long as 8192 on 6 to 14 columns."""
SHOWN = 20
"""Names of columns in a message."""


class TreeInteractions:
    """Exact interaction values of a tree ensemble, for any number of calls.

    The values are those of shap's ``shap_interaction_values`` with path-dependent trees, but they are
    computed many times faster, and they are also right for categories. Many rows pass the same splits in a
    part of a tree: the values of this part are computed once for all such rows in a batch.

    Parameters
    ----------
    model : estimator or Booster
        A fitted model, also in a FrozenEstimator. Later changes to it have no effect.
    dtype : {"float32", "float64"}, default="float32"
        Precision of the computation: errors are about 1e-7 or 1e-15 of the largest contribution. The second
        takes about twice as long.

    Attributes
    ----------
    base_values : ndarray of shape (K,)
        Expected raw score of each output.

    Raises
    ------
    TypeError
        If the model is not a tree ensemble of a known library.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If the model's raw score cannot be explained, if a leaf is not finite, or if `dtype` is not one of
        those above.

    See Also
    --------
    tree_interactions : The same for one table.
    TreeContributions : The contribution of each column, without pairs.

    Notes
    -----
    Calls do not change the object: several threads can use it, and it can be sent to other processes.

    Examples
    --------
    >>> import numpy as np
    >>> from lightgbm import LGBMRegressor
    >>> from skrationale import TreeInteractions
    >>> X = np.random.default_rng(0).normal(size=(500, 4))
    >>> model = LGBMRegressor(n_estimators=20, verbose=-1).fit(X, X[:, 0] + X[:, 1] * X[:, 2])
    >>> interactions = TreeInteractions(model)
    >>> interactions.top(X, 1)[["first", "second"]]
      first second
    0    x1     x2
    >>> interactions.explain(X, columns=["x1", "x2"])
    Interactions(500 rows, 2 features, 1 output, link='identity')
    """

    def __init__(self, model: Any, *, dtype: str = "float32") -> None:
        check_dtype(dtype)
        teacher = forest_of(model)
        nodes, k = teacher.nodes(), teacher.n_outputs
        self.dtype, self._n_outputs = dtype, k
        self.base_values = base_values_of(nodes, k)
        self._task = task_of(teacher)
        self._forests: list[BinnedGroups] = []
        for chosen in readings_of(nodes):
            bins = bins_of(teacher.splits(chosen))
            trees = [nodes[t] for t in chosen]
            self._forests.append((bins, interacting_groups(trees, bins, [t % k for t in chosen])))
        self._n_trees = len(nodes)
        self._reader = ModelReader(teacher.alone())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._n_trees} trees, dtype={self.dtype!r})"

    def explain(
        self,
        X: Any,
        *,
        columns: Sequence[str | int] | None = None,
        batch_size: int | None = None,
        n_jobs: int | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> Interactions:
        """Return the contribution of each pair of columns to the raw score of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows, with the same columns as in ``fit``.
        columns : sequence of str or int, default=None
            Names or positions of the columns whose pairs are wanted; None: all.
        batch_size : int, default=None
            Rows computed at once; None: 8192, or fewer if a tree has many pairs.
        n_jobs : int, default=None
            Number of threads that share the batches; None: 1.
        max_bytes : int, default=2**32
            Largest memory for the values, in bytes: 8 for each row, pair of columns and output.

        Returns
        -------
        Interactions
            With `values` of shape (n, d, d) or, for more outputs than one, (n, d, d, K); d is the number of
            columns in `columns`. The entry of a pair does not depend on which other columns are given.

        Raises
        ------
        ValueError, TypeError
            If columns are not those at fit, if cells cannot be read, if `columns` names other columns, or if
            the values would take more than `max_bytes`.
        """
        check_batching(batch_size, n_jobs)
        rows = self._reader.read(X)
        places = _places(columns, rows.names)
        names = tuple(rows.names[j] for j in places)
        shape = (len(rows.codes), len(places), len(places), self._n_outputs)
        _check_memory(shape, max_bytes)
        pairs = pairs_of(self._forests, places, len(rows.names))
        values = np.zeros(shape if self._n_outputs > 1 else shape[:-1])
        matrices = values.reshape(shape)

        def part(chosen: slice) -> list[np.ndarray]:
            found = self._sums(rows.codes[chosen], pairs).transpose(1, 2, 0)
            matrices[chosen, pairs.first, pairs.second] = found
            matrices[chosen, pairs.second, pairs.first] = found
            return []

        in_batches(part, len(values), self._size(batch_size, pairs), n_jobs)
        task, base = self._task, one_or_several(self.base_values)
        index = getattr(rows.table, "index", None)
        return Interactions(own(values), base, names, task.output_names, task.link, index)

    def top(
        self, X: Any, k: int = 10, *, batch_size: int | None = None, n_jobs: int | None = None
    ) -> pd.DataFrame:
        """Return the pairs of columns that interact most, without a matrix for each row.

        Use this for tables with many columns, then give the names of the strongest pairs to :meth:`explain`.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows, with the same columns as in ``fit``.
        k : int, default=10
            How many pairs, at most.
        batch_size, n_jobs : int, default=None
            As in :meth:`explain`.

        Returns
        -------
        pandas.DataFrame
            In the form of :meth:`Interactions.top`.

        Raises
        ------
        ValueError, TypeError
            As :meth:`explain` does.
        """
        check_batching(batch_size, n_jobs)
        check_number_of_pairs(k)
        rows = self._reader.read(X)
        n, d = rows.codes.shape
        pairs = pairs_of(self._forests, np.arange(d), d)
        sums: dict[int, np.ndarray] = {}

        def part(chosen: slice) -> list[np.ndarray]:
            sums[chosen.start] = np.abs(self._sums(rows.codes[chosen], pairs)).sum(axis=(0, 1))
            return []

        in_batches(part, n, self._size(batch_size, pairs), n_jobs)
        sizes = 2 * sum(sums[start] for start in sorted(sums)) / n
        two = pairs.first < pairs.second
        return strongest(rows.names, pairs.first[two], pairs.second[two], sizes[two], k)

    def _size(self, batch_size: int | None, pairs: Pairs) -> int:
        """How many rows are computed at once."""
        fitting = NUMBERS // max(len(pairs.first) * self._n_outputs, 1)
        return batch_size or min(max(fitting, LEAST_ROWS), MOST_ROWS)

    def _sums(self, codes: np.ndarray, pairs: Pairs) -> np.ndarray:
        """Values (K, n, Q) of pairs in rows of codes (n, d); those of a column with itself are its own."""
        import torch

        found = np.zeros((self._n_outputs, len(codes), len(pairs.first)))
        sums, by_group = torch.from_numpy(found), iter(pairs.by_group)
        with torch.inference_mode(), limit_threads():
            for bins, groups in self._forests:
                rows = in_bins(codes, bins)
                for group in groups:
                    group.add_to(sums, rows, *next(by_group), self.dtype)
        found[..., pairs.first < pairs.second] /= 2
        return found


def _places(columns: Any, names: tuple[str, ...]) -> np.ndarray:
    """Positions (s,) of columns that are given by name or position."""
    if columns is None:
        return np.arange(len(names))
    if isinstance(columns, str) or not isinstance(columns, Iterable):
        raise TypeError(f"`columns` must be a sequence of names or positions, got {columns!r}.")
    found = []
    for column in columns:
        number = isinstance(column, int | np.integer) and not isinstance(column, bool)
        if number and 0 <= column < len(names):
            found.append(int(column))
        elif isinstance(column, str) and column in names:
            found.append(names.index(column))
        else:
            known = f"{', '.join(map(repr, names[:SHOWN]))}{', ...' if len(names) > SHOWN else ''}"
            expected = f"names among {known} or positions in 0..{len(names) - 1}"
            raise ValueError(f"`columns` holds {column!r}, expected {expected}.")
    if not found or len(set(found)) < len(found):
        raise ValueError(
            f"`columns` must name at least one column, and each column only once, got {list(columns)!r}."
        )
    return np.array(found)


def _check_memory(shape: tuple[int, ...], max_bytes: Any) -> None:
    """Refuse values that would take too much memory, and say how to ask for less."""
    if not isinstance(max_bytes, int | np.integer) or isinstance(max_bytes, bool) or max_bytes < 0:
        raise ValueError(f"`max_bytes` must be an integer of at least 0, got {max_bytes!r}.")
    needed = 8 * prod(shape)
    if needed > max_bytes:
        n, d, _, k = shape
        raise ValueError(
            f"The interaction values of {n} rows, {d} columns and {k} output(s) take {needed / 1e9:.3g} GB, "
            f"more than `max_bytes` ({max_bytes / 1e9:.3g} GB). Give fewer rows, or name some of the columns "
            "in `columns`: TreeInteractions(model).top(X) finds the strongest pairs in little memory."
        )


def tree_interactions(
    model: Any,
    X: Any,
    *,
    columns: Sequence[str | int] | None = None,
    batch_size: int | None = None,
    n_jobs: int | None = None,
    max_bytes: int = MAX_BYTES,
    dtype: str = "float32",
) -> Interactions:
    """Return the exact contribution of each pair of columns to the score of a tree ensemble.

    The values are those of shap's ``shap_interaction_values`` with path-dependent trees, many times faster,
    and right for categories too, for any number of classes. To explain several tables, make
    :class:`TreeInteractions` once.

    Parameters
    ----------
    model : estimator or Booster
        Fitted, also in a FrozenEstimator: a LightGBM, or any tree ensemble that :func:`to_lightgbm` takes.
    X : DataFrame or array-like of shape (n, d)
        Rows, with the same columns as in ``fit``.
    columns : sequence of str or int, default=None
        Names or positions of the columns whose pairs are wanted; None: all.
    batch_size, n_jobs : int, default=None
        Rows computed at once, and threads that share them, see :meth:`TreeInteractions.explain`.
    max_bytes : int, default=2**32
        Largest memory for the values, in bytes: 8 for each row, pair of columns and output.
    dtype : {"float32", "float64"}, default="float32"
        Precision of the computation, see :class:`TreeInteractions`.

    Returns
    -------
    Interactions
        With `values` of shape (n, d, d) or, for more outputs than one, (n, d, d, K).

    Raises
    ------
    TypeError
        If the model is not a tree ensemble of a known library.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If the model's raw score cannot be explained, columns are not those at fit, or the values would take
        more than `max_bytes`.

    Examples
    --------
    >>> import numpy as np
    >>> from lightgbm import LGBMRegressor
    >>> from skrationale import tree_interactions
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> model = LGBMRegressor(n_estimators=20, verbose=-1).fit(X, X[:, 0] + X[:, 1] * X[:, 2])
    >>> interactions = tree_interactions(model, X, dtype="float64")
    >>> interactions.top(1)[["first", "second"]]
      first second
    0    x1     x2
    >>> contributions = model.predict(X, pred_contrib=True)[:, :-1]
    >>> bool(np.allclose(interactions.values.sum(axis=2), contributions))
    True
    """
    return TreeInteractions(forest_of(model, X), dtype=dtype).explain(
        X, columns=columns, batch_size=batch_size, n_jobs=n_jobs, max_bytes=max_bytes
    )
