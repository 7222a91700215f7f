"""Encode a table as float32 columns for a network, and fold what a network says of them back."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from .._random import fixed_seed
from .._scales import exponents, moments
from .._weights import check_weights
from ._plan import EncodingPlan
from ._reader import TableReader

MAX_QUANTILES = 1000
"""Quantiles that a column is mapped to at most, as scikit-learn's default. Not measured."""
QUANTILE_UNITS = 60
"""Numbers are mapped to quantiles in units this power of two finer: scikit-learn takes what is within 1e-7 of
the ends for the ends."""
LARGEST, FARTHEST = 1e30, 1e200
"""Standardised numbers above this would leave the range of float32, in which networks compute; and what
stands for numbers that are further away than that in any case."""


class TableEncoder:
    """Encode a table by scikit-learn's transformers, remembering the original column of each result.

    A number is standardised (or mapped to normal quantiles); where it is missing it is 0, the mean
    (or median), and a column with missing values at fit gets an indicator of them. A category is
    one-hot, with missing as a level of its own if it occurred; levels beyond the most frequent share one
    column, and so do unseen ones, which are all zero where there is no such column. Constant
    and empty columns of numbers are zero. The unit of a column does not matter: columns are first divided
    by powers of two, which is exact and keeps their means and variances in the range of a float64.

    Parameters
    ----------
    numeric : {"standard", "quantile", "none"}, default="standard"
        What is done to numbers: mean 0 and variance 1, normal quantiles, or nothing.
    max_categories : int, default=40
        Most columns that a category is encoded into.
    n_pieces : int, default=0
        Columns that a number is encoded into besides its own, so that a network can bend it: between two
        neighbouring quantiles such a column rises from -1 to 1 (piecewise linear encoding). Numbers
        with one or two values get none.
    random_state : int or None, default=None
        Seed of the subsample from which quantiles of large tables are estimated.

    Attributes
    ----------
    reader : TableReader
        Reads the d columns.
    groups : ndarray of shape (p,)
        Position of the original column of each encoded column.
    encoded_names : tuple of p str
        Such as ``"age"``, ``"age is missing"``, ``"city = Ulm"``.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrationale.tabular import TableEncoder
    >>> table = pd.DataFrame({"age": [30.0, None, 50.0], "city": ["Ulm", "Bonn", "Ulm"]})
    >>> encoder = TableEncoder().fit(table)
    >>> encoder.encoded_names
    ('age', 'age is missing', 'city = Bonn', 'city = Ulm')
    >>> encoder.transform(table)
    array([[-1.,  0.,  0.,  1.],
           [ 0.,  1.,  1.,  0.],
           [ 1.,  0.,  0.,  1.]], dtype=float32)
    >>> encoder.groups
    array([0, 0, 1, 1])
    """

    reader: TableReader
    groups: np.ndarray
    encoded_names: tuple[str, ...]

    def __init__(
        self,
        *,
        numeric: str = "standard",
        max_categories: int = 40,
        n_pieces: int = 0,
        random_state: int | None = None,
    ) -> None:
        if numeric not in ("standard", "quantile", "none"):
            raise ValueError(f"numeric must be 'standard', 'quantile' or 'none'. Got {numeric!r} instead.")
        self.numeric = numeric
        self.max_categories = max_categories
        self.n_pieces = n_pieces
        self.random_state = random_state

    def fit(self, X: Any, sample_weight: np.ndarray | None = None) -> TableEncoder:
        """Learn means, quantiles and levels.

        Parameters
        ----------
        X : table of shape (n, d)
            What :class:`TableReader` reads.
        sample_weight : ndarray of shape (n,), default=None
            Weights of the rows in means and variances; quantiles and frequencies of levels do not use them.

        Returns
        -------
        TableEncoder
            Itself.
        """
        reader = TableReader().fit(X)
        matrix = reader.transform(X)
        weight = None if sample_weight is None else check_weights(sample_weight, len(matrix))
        return self.fit_matrix(reader, matrix, weight)

    def fit_matrix(
        self, reader: TableReader, matrix: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> TableEncoder:
        """Learn from a table that has been read already; see `fit`.

        Parameters
        ----------
        reader : TableReader
            Fitted on the table.
        matrix : ndarray of shape (n, d)
            The table, as `reader` gave it.
        sample_weight : ndarray of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        TableEncoder
            Itself.
        """
        self.reader = reader
        is_number = np.array([levels is None for levels in self.reader.levels])
        self._numbers, self._categories = np.flatnonzero(is_number), np.flatnonzero(~is_number)
        numbers = matrix[:, self._numbers]
        self._missing = self._numbers[np.isnan(numbers).any(axis=0)]
        # fmax and fmin skip NaN, and are NaN themselves in an empty column
        self._varies = np.fmax.reduce(numbers) > np.fmin.reduce(numbers)
        varying = numbers[:, self._varies]
        self._exponents = exponents(varying) - (QUANTILE_UNITS if self.numeric == "quantile" else 0)
        self._scaler: Any = None
        if self.numeric != "none" and self._varies.any():
            self._scaler = self._fit_scaler(np.ldexp(varying, -self._exponents), sample_weight)
        names = self.reader.feature_names
        groups = [*self._numbers, *self._missing]
        encoded = [*(names[j] for j in self._numbers), *(f"{names[j]} is missing" for j in self._missing)]
        self._one_hot: Any = None
        if self._categories.size:
            from sklearn.preprocessing import OneHotEncoder

            self._one_hot = OneHotEncoder(
                handle_unknown="infrequent_if_exist",
                max_categories=self.max_categories,
                sparse_output=False,
                dtype=np.float32,
            ).fit(matrix[:, self._categories])
            for i, j in enumerate(self._categories):
                labels = self._level_names(i, int(j))
                groups += [j] * len(labels)
                encoded += [f"{names[j]} = {label}" for label in labels]
        self._knots = self._find_knots(matrix) if self.n_pieces else {}
        for number, knots in self._knots.items():
            groups += [number] * (len(knots) - 1)
            encoded += [f"{names[number]} from {low:g} to {high:g}" for low, high in pairwise(knots)]
        self.groups, self.encoded_names = np.array(groups, dtype=np.intp), tuple(encoded)
        return self

    def _fit_scaler(self, numbers: np.ndarray, sample_weight: np.ndarray | None) -> Any:
        from sklearn.preprocessing import QuantileTransformer, StandardScaler

        if self.numeric == "quantile":
            return QuantileTransformer(
                n_quantiles=min(MAX_QUANTILES, len(numbers)),
                output_distribution="normal",
                random_state=fixed_seed(self.random_state),
            ).fit(numbers)
        scaler = StandardScaler().fit(numbers, sample_weight=sample_weight)
        # scikit-learn does not scale what varies far less than it is from zero
        for j in np.flatnonzero(scaler.scale_ == 1):
            known = ~np.isnan(numbers[:, j])
            weight = np.ones(known.sum()) if sample_weight is None else sample_weight[known]
            start = numbers[known, j][0]
            shift, scale = moments(numbers[known, j] - start, weight)
            scaler.mean_[j], scaler.scale_[j] = start + shift, scale
        return scaler

    def _find_knots(self, matrix: np.ndarray) -> dict[int, np.ndarray]:
        """Different quantiles of each number that has at least three."""
        shares, found = np.linspace(0, 1, self.n_pieces + 1), {}
        for j in self._numbers[self._varies]:
            knots = np.unique(np.nanquantile(matrix[:, j], shares, method="nearest"))
            if len(knots) > 2:
                found[int(j)] = knots
        return found

    def _level_names(self, i: int, j: int) -> list[str]:
        """Names of the one-hot columns of category i, which is original column j."""
        levels = self.reader.levels[j]
        assert levels is not None
        kept, some_rare = self._kept_codes(i)
        labels = ["missing" if np.isnan(code) else str(levels[int(code)]) for code in kept]
        return labels + ["other"] * some_rare

    def _kept_codes(self, i: int) -> tuple[list[float], bool]:
        """Give the codes of category i with a column of their own, and whether others share one."""
        assert self._one_hot is not None
        rare = self._one_hot.infrequent_categories_[i]
        rare = np.array([]) if rare is None else rare
        return [code for code in self._one_hot.categories_[i] if not _contains(rare, code)], bool(rare.size)

    def parts(self) -> dict[str, list[int]]:
        """Say which encoded columns are ``numbers``, signs of ``missing`` ones, ``levels`` and ``pieces``."""
        n_numbers, n_missing = len(self._numbers), len(self._missing)
        n_pieces = sum(len(knots) - 1 for knots in self._knots.values())
        ends = np.cumsum([n_numbers, n_missing, len(self.groups) - n_numbers - n_missing - n_pieces]).tolist()
        starts = [0, *ends]
        names = ("numbers", "missing", "levels", "pieces")
        return {
            name: list(range(start, end))
            for name, start, end in zip(names, starts, [*ends, len(self.groups)], strict=True)
        }

    def plan(self) -> EncodingPlan:
        """Say what is done to each column.

        Returns
        -------
        EncodingPlan
            Plain arrays.

        Raises
        ------
        ValueError
            Where numbers are mapped to quantiles.
        """
        if self.numeric == "quantile":
            raise ValueError("An encoder with numeric='quantile' has no plan; expected 'standard' or 'none'.")
        centers, scales = np.zeros(len(self._numbers)), np.full(len(self._numbers), np.inf)
        scales[self._varies] = 1.0
        if self._scaler is not None:
            centers[self._varies] = np.ldexp(self._scaler.mean_, self._exponents)
            scales[self._varies] = np.ldexp(self._scaler.scale_, self._exponents)
        found: list[tuple[int, float, bool]] = []
        for i, j in enumerate(self._categories):
            kept, some_rare = self._kept_codes(i)
            found += [(int(j), code, False) for code in kept] + [(int(j), np.nan, True)] * some_rare
        categories, codes, others = (
            (np.array(part) for part in zip(*found, strict=True))
            if found
            else (np.array([], dtype=np.intp), np.array([]), np.array([], dtype=bool))
        )
        return EncodingPlan(
            self._numbers, centers, scales, self._missing, categories, codes, others, self._knots
        )

    def transform(self, X: Any) -> np.ndarray:
        """Encode rows.

        Parameters
        ----------
        X : table of shape (n, d)
            Columns in the order of fit.

        Returns
        -------
        ndarray of shape (n, p), float32
            Finite numbers.
        """
        matrix = self.reader.transform(X)
        if self.numeric == "none":
            self._check_float32(matrix)
        return self.encode_matrix(matrix).astype(np.float32)

    def _check_range(self, standard: np.ndarray, columns: np.ndarray, matrix: np.ndarray) -> None:
        """Refuse numbers that are out of all proportion to those at fit."""
        far = ~(np.abs(standard) <= LARGEST) & ~np.isnan(matrix[:, columns])
        if far.any():
            row, i = np.argwhere(far)[0]
            name, cell = self.reader.feature_names[columns[i]], matrix[row, columns[i]]
            raise ValueError(
                f"Column {name!r} of X holds {cell:.6g} in row {row}, more than {LARGEST:g} standard "
                "deviations from its mean in the training rows; expected numbers of about the size of those."
            )

    def _check_float32(self, matrix: np.ndarray) -> None:
        """Refuse numbers that are kept as they are, but are too large or all too small for float32."""
        size, info = np.abs(matrix[:, self._numbers]), np.finfo(np.float32)
        largest = np.fmax.reduce(size, axis=0, initial=0.0)
        for j in np.flatnonzero((largest > info.max) | ((largest > 0) & (largest < info.tiny))):
            raise ValueError(
                f"Column {self.reader.feature_names[self._numbers[j]]!r} of X holds numbers up to "
                f"{largest[j]:.3g} in size; expected {info.tiny:.3g} to {info.max:.3g}, which float32 can "
                "hold, or numeric='standard'."
            )

    def encode_matrix(self, matrix: np.ndarray) -> np.ndarray:
        """Encode rows that the reader has read; see `transform`.

        Parameters
        ----------
        matrix : ndarray of shape (n, d)
            Numbers and codes.

        Returns
        -------
        ndarray of shape (n, p), float64
            Finite numbers.
        """
        numbers = np.zeros((len(matrix), len(self._numbers)))
        columns = self._numbers[self._varies]
        varying = matrix[:, columns]
        if self._scaler is not None:
            with np.errstate(over="ignore"):
                scaled = np.clip(np.ldexp(varying, -self._exponents), -FARTHEST, FARTHEST)
                varying = self._scaler.transform(scaled)
            self._check_range(varying, columns, matrix)
        numbers[:, self._varies] = varying
        parts = [np.nan_to_num(numbers, nan=0.0), np.isnan(matrix[:, self._missing])]
        if self._one_hot is not None:
            parts.append(self._one_hot.transform(matrix[:, self._categories]))
        for j, knots in self._knots.items():
            exponent = exponents(knots)
            knots, cells = np.ldexp(knots, -exponent), np.ldexp(matrix[:, [j]], -exponent)
            progress = np.clip((cells - knots[:-1]) / np.diff(knots), 0, 1)
            parts.append(np.nan_to_num(2 * progress - 1, nan=0.0))
        return np.hstack([part.astype(np.float64, copy=False) for part in parts])


def _contains(codes: np.ndarray, code: float) -> bool:
    return bool((codes == code).any() or (np.isnan(code) and np.isnan(codes).any()))
