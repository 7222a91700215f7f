"""Exact contributions of a group of leaves in each state of its columns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import prod

import numpy as np

from ._groups import Conditions, Group, SplitTree, leaves_of


@cache
def nodes_and_weights(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights (n,) on [0, 1], exact for polynomials of degree up to 2n - 1."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return (nodes + 1) / 2, weights / 2


def path_dependent(tree: SplitTree, group: Group) -> np.ndarray:
    """Path-dependent TreeSHAP (c, S) of a group in all joint states of its c columns."""
    return contributions(leaves_of(tree, group), list(group.states), list(group.states.values()))


def contributions(
    leaves: Sequence[tuple[float, Conditions]], columns: Sequence[int], states: Sequence[Sequence[int]]
) -> np.ndarray:
    r"""Path-dependent TreeSHAP of a few leaves, in all joint states of their columns.

    A leaf of value :math:`v`, with a path that column :math:`j` meets (:math:`o_j = 1`) or not (0), and along
    whose splits on that column a share :math:`r_j` of the rows goes, gives column :math:`i`

    .. math:: v \, (o_i - r_i) \int_0^1 \prod_{j \ne i} (o_j t + r_j (1 - t)) \, dt .

    With m columns on the path the integrand is of degree m - 1: half as many Gauss-Legendre nodes give the
    integral exactly. At each node the product over all columns is one of two products over half of them, so
    that all states come from products of two matrices.

    Parameters
    ----------
    leaves : sequence of (float, dict)
        Value, and conditions of the path, of each of L leaves.
    columns : sequence of c int
        The columns of the group.
    states : sequence of c lists of int
        Classes of bins in each state, as bits.

    Returns
    -------
    ndarray of shape (c, S), float64
        S joint states; the last column's runs fastest.
    """
    q = (max(len(conditions) for _, conditions in leaves) + 1) // 2
    t, weights = nodes_and_weights(q)
    values = np.array([value for value, _ in leaves])
    terms, changes = [], []
    for k, own in zip(columns, states, strict=True):
        ways = [conditions.get(k) for _, conditions in leaves]
        met = np.array([[way is None or bool(part & way[0]) for way in ways] for part in own])[..., None]
        share = np.array([1.0 if way is None else way[1] for way in ways])[:, None]
        on_path = np.array([way is not None for way in ways])[:, None]
        rest = share * (1 - t)
        term = np.where(on_path, met * t + rest, 1.0)
        # (o - r) over the column's own term; written out where o is 0, as a share may be tiny
        change = np.where(on_path, np.where(met, (1 - share) / (t + rest), -1 / (1 - t)), 0.0)
        terms.append(term.reshape(len(own), -1))
        changes.append(change.reshape(len(own), -1))
    sizes = [len(own) for own in states]
    half = _middle(sizes)
    width = len(leaves) * q
    first, second = _product(terms[:half], width), _product(terms[half:], width)
    scaled = second * (values[:, None] * weights).ravel()
    found = np.empty((len(columns), len(first), len(second)))
    for i, change in enumerate(changes):
        if i < half:
            found[i] = _spread(first, change, sizes[:half], i) @ scaled.T
        else:
            found[i] = first @ _spread(scaled, change, sizes[half:], i - half).T
    return found.reshape(len(columns), -1)


def _middle(sizes: Sequence[int]) -> int:
    """Say after how many columns to cut, so that both halves have about as many joint states."""
    before = np.cumprod([1, *sizes], dtype=np.float64)
    return int(np.argmin(np.maximum(before, before[-1] / before)))


def _product(terms: Sequence[np.ndarray], width: int) -> np.ndarray:
    """Multiply terms (s, width) of several columns: (joint states, width)."""
    product = np.ones((1, width))
    for term in terms:
        product = (product[:, None] * term).reshape(-1, width)
    return product


def _spread(product: np.ndarray, change: np.ndarray, sizes: Sequence[int], i: int) -> np.ndarray:
    """Multiply a product over columns (joint states, e) by what one of them (s, e) changes in each state."""
    after = prod(sizes[i + 1 :])
    shape = (-1, sizes[i], after, change.shape[1])
    return (product.reshape(shape) * change[:, None]).reshape(-1, change.shape[1])
