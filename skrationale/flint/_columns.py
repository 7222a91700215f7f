"""Reasons by the columns of the table, of scores that are sums of attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..tabular import sum_by_group
from ..training import limit_threads
from ._model import IMAGE_CHUNK, FlintModel

N_POINTS = 64
"""Midpoints of the way from the average row."""
N_ORDERS = 8
"""Orders of the columns, and as many reversed ones."""
CELLS = 2**22
"""At most so many cells of changed rows at once."""


def integrated_gradients(
    model: FlintModel, average: np.ndarray, codes: np.ndarray, answers: np.ndarray, batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Integrate the gradient from the average row to each row.

    Parameters
    ----------
    model : FlintModel
        Of an own predictor.
    average : ndarray of shape (p,)
        Mean encoded training row.
    codes : ndarray of shape (n, d)
        Rows.
    answers : ndarray of shape (n, K)
        Their scores, which the reasons add up to.
    batch_size : int
        Rows computed at once.

    Returns
    -------
    values : ndarray of shape (n, d, K)
        What the sum over points lacks of the score is shared in proportion to the size of the values.
    base : ndarray of shape (K,)
        Score of the average row.
    """
    encoder, d = model.source.encoder, codes.shape[1]
    start = torch.from_numpy(average)
    with torch.no_grad():
        base = model.score_tensor(start[None])[0].numpy()
    values = _gradients(model.score_tensor, encoder.transform_codes, start, codes, batch_size)
    return _completed(sum_by_group(values, encoder.groups, d), answers - base), base


def pixel_gradients(
    model: FlintModel,
    attributes_of: Callable[[Tensor], Tensor],
    average: np.ndarray,
    codes: np.ndarray,
    answers: np.ndarray,
    batch_size: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Integrate the gradient from the average image to each image, as `integrated_gradients` does.

    Parameters
    ----------
    model : FlintModel
        Of images.
    attributes_of : callable
        Its `attribute_function`.
    average : ndarray of shape (p,)
        Mean training image.
    codes : ndarray of shape (n, p)
        Images.
    answers : ndarray of shape (n, K)
        Their scores, which the reasons add up to.
    batch_size : int
        Images computed at once, but 256 at most.

    Returns
    -------
    values : ndarray of shape (n, p, K)
    base : ndarray of shape (K,)
        Score of the average image.
    """
    weights = torch.from_numpy(model.weights).float()
    base = model.interpret(model.attributes(average[None]))[0]

    def scores_of(pixels: Tensor) -> Tensor:
        return attributes_of(pixels) @ weights.T

    start = torch.from_numpy(average).float()
    values = _gradients(
        scores_of, lambda rows: rows.astype(np.float32), start, codes, min(batch_size, IMAGE_CHUNK)
    )
    return _completed(values, answers - base), base


def _gradients(
    scores_of: Callable[[Tensor], Tensor],
    encode: Callable[[np.ndarray], np.ndarray],
    start: Tensor,
    codes: np.ndarray,
    batch_size: int,
) -> np.ndarray:
    """Integrate the gradients (n, p, K) of scores (B, K) of encoded rows (B, p)."""
    shares = (torch.arange(N_POINTS, dtype=torch.float64) + 0.5) / N_POINTS
    parts = []
    with limit_threads():
        for first in range(0, len(codes), batch_size):
            way = torch.from_numpy(encode(codes[first : first + batch_size])) - start
            slopes: Any = 0.0
            for share in shares:
                point = (start + share.to(way) * way).requires_grad_()
                totals = scores_of(point).sum(0)
                found = [torch.autograd.grad(total, point, retain_graph=True)[0] for total in totals]
                slopes = slopes + torch.stack(found, dim=2).double().numpy() / N_POINTS
            parts.append(way.double().numpy()[:, :, None] * slopes)
    return np.concatenate(parts)


def _completed(values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    size = np.abs(values)
    total = size.sum(axis=1, keepdims=True)
    lacking = (wanted - values.sum(axis=1))[:, None]
    return values + np.where(total > 0, size / np.maximum(total, np.finfo(float).tiny), 0.0) * lacking


def sampled_shapley(
    scores_of: Callable[[np.ndarray], np.ndarray],
    background: np.ndarray,
    codes: np.ndarray,
    batch_size: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Sample Shapley values over orders of the columns, with cells of other rows for absent ones.

    Parameters
    ----------
    scores_of : callable
        Gives scores (m, K) of rows (m, d).
    background : ndarray of shape (b, d)
        Rows that absent cells are taken from, one for each pair of an order and its reverse.
    codes : ndarray of shape (n, d)
        Rows.
    batch_size : int
        Rows computed at once.

    Returns
    -------
    values : ndarray of shape (n, d, K)
        With the base they add up to the scores of the rows.
    base : ndarray of shape (K,)
        Mean score of the background rows that were taken.
    """
    (n, d), rng = codes.shape, np.random.RandomState(0)
    rows = background[rng.permutation(len(background))[np.arange(N_ORDERS) % len(background)]]
    base = scores_of(rows).mean(axis=0)
    values = np.zeros((n, d, len(base)))
    step = max(min(batch_size, CELLS // (d * (d + 1))), 1)
    for row in rows:
        order = rng.permutation(d)
        for columns in (order, order[::-1]):
            for first in range(0, n, step):
                part = slice(first, first + step)
                values[part] += _along(scores_of, row, codes[part], columns) / (2 * N_ORDERS)
    return values, base


def _along(
    scores_of: Callable[[np.ndarray], np.ndarray], row: np.ndarray, codes: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Say what each column adds (n, d, K) when the cells of a row are replaced one after another."""
    n, d = codes.shape
    stages = np.tile(row, (d + 1, n, 1))
    for i, j in enumerate(columns):
        stages[i + 1 :, :, j] = codes[:, j]
    steps = np.diff(scores_of(stages.reshape(-1, d)).reshape(d + 1, n, -1), axis=0)
    values = np.empty((n, d, steps.shape[2]))
    values[:, columns] = steps.transpose(1, 0, 2)
    return values
