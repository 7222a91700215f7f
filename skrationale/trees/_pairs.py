"""Interventional Shapley values of a leaf, from pairs of a row and a background row."""

from __future__ import annotations

from functools import cache
from math import comb

import numpy as np

NUMBERS = 2**20
"""Numbers of a matrix of pairs that are made at once: 8 MB. Measured: an eighth and four times as many
take as long."""


@cache
def _weights(m: int) -> np.ndarray:
    """Weight (m + 1, m + 1) of a column that fails in the background row alone, by how many fail in each."""
    rows = [[1 / (s * comb(s + t, s)) if s else 0.0 for s in range(m + 1)] for t in range(m + 1)]
    return np.array(rows)


def fails_of(codes: np.ndarray, m: int) -> np.ndarray:
    """Read codes (n,) as bits (n, m): whether a row fails on each column of a path, the first one lowest."""
    return (codes[:, None] >> np.arange(m) & 1).astype(bool)


def distinct_codes(codes: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the distinct ones among codes (n,) of m bits, and which of them each is."""
    if 2**m > 8 * len(codes):
        distinct, which = np.unique(codes, return_inverse=True)
        return distinct, which
    there = np.zeros(2**m, dtype=bool)
    there[codes] = True
    distinct = np.flatnonzero(there)
    place = np.empty(2**m, dtype=np.intp)
    place[distinct] = np.arange(len(distinct))
    return distinct, place[codes]


def of_leaf(codes: np.ndarray, others: np.ndarray, shares: np.ndarray, m: int) -> np.ndarray:
    """Interventional Shapley values of a leaf of value 1.

    Parameters
    ----------
    codes : ndarray of int of shape (n,)
        Which of the m columns of the path to it each row fails on, as bits.
    others : ndarray of int of shape (B,)
        The same of background rows.
    shares : ndarray of shape (B,)
        Weights of the background rows.
    m : int
        Number of columns.

    Returns
    -------
    ndarray of shape (m, n), float64
    """
    own, which = distinct_codes(codes, m)
    distinct, of_other = distinct_codes(others, m)
    weights = np.bincount(of_other, shares)
    rows = max(NUMBERS // len(distinct), 1)
    parts = [of_pairs(own[i : i + rows], distinct, weights, m) for i in range(0, len(own), rows)]
    return np.concatenate(parts).T[:, which]


def of_pairs(codes: np.ndarray, others: np.ndarray, shares: np.ndarray, m: int) -> np.ndarray:
    r"""Interventional Shapley values of a leaf of value 1, summed over background rows.

    The cells of a coalition come from the row, all others from the background row. Let the row fail on t
    columns of the path, and the background row on s. If one column fails in both, no coalition reaches the
    leaf. Else a coalition reaches it when it has all of the s columns and none of the t, so that each of the
    s gets :math:`(s - 1)! \, t! / (s + t)!`, and each of the t gets :math:`-s! \, (t - 1)! / (s + t)!`.

    Parameters and result as those of `of_leaf`, which calls it for distinct rows; the result is transposed.
    """
    t, s = np.bitwise_count(codes), np.bitwise_count(others)
    background = fails_of(others, m).astype(float)
    gained = np.take(_weights(m)[:, s] * shares, t, axis=0)
    bits = np.min_scalar_type(2**m - 1)
    np.copyto(gained, 0.0, where=codes.astype(bits)[:, None] & others.astype(bits) != 0)
    values = gained @ background
    # what all get together is 1 if the row reaches the leaf, less 1 if the background row does
    lost = (values.sum(axis=1) + shares[s == 0].sum()) / np.maximum(t, 1)
    np.subtract(values, lost[:, None], out=values, where=fails_of(codes, m))
    return values


def of_sparse_pairs(
    codes: np.ndarray, others: np.ndarray, shares: np.ndarray, paths: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """Interventional Shapley values of several leaves for a few rows; see `of_pairs`.

    Only pairs that reach a leaf by some coalition are computed, which are few in deep trees.

    Parameters
    ----------
    codes : ndarray of int of shape (L, n)
        Columns of its path that each row fails on, as bits.
    others : ndarray of int of shape (L, B)
        The same of background rows.
    shares : ndarray of shape (B,)
        Weights of the background rows.
    paths : ndarray of bool of shape (c, L)
        Columns on the path to each leaf, in the order of the bits.
    values : ndarray of shape (L,)
        Values of the leaves.

    Returns
    -------
    ndarray of shape (c, n), float64
    """
    n, b, c = codes.shape[1], len(shares), len(paths)
    pairs = np.flatnonzero((codes[:, :, None] & others[:, None, :]) == 0)
    at, row = pairs // b, pairs % b
    first = np.flatnonzero(np.diff(at, prepend=-1))
    if not len(first):
        return np.zeros((c, n))
    other, own, at = others[at // n, row], codes.ravel()[at[first]], at[first]
    m = int(paths.sum(axis=0).max())
    t, s = np.bitwise_count(own), np.bitwise_count(other)
    weights = _weights(m)[np.repeat(t, np.diff(first, append=len(other))), s] * shares[row]
    found = np.add.reduceat(fails_of(other, m) * weights[:, None], first)
    lost = found.sum(axis=1) + np.add.reduceat(shares[row] * (s == 0), first)
    found -= fails_of(own, m) * (lost / np.maximum(t, 1))[:, None]
    found *= values[at // n, None]
    columns = np.argsort(~paths, axis=0, kind="stable")[:m].T  # of each bit; those behind the path get 0
    place = columns[at // n] * n + (at % n)[:, None]
    return np.bincount(place.ravel(), found.ravel(), minlength=c * n).reshape(c, n)
