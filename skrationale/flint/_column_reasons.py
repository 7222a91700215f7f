"""Reasons by the columns of the table, of scores that are sums of attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._tensors import as_tensor
from ..training import limit_threads
from ..units import table_units
from ._model import IMAGE_CHUNK, FlintModel
from ._path_integral import PathIntegral

ColumnReasons = Callable[[np.ndarray, np.ndarray], np.ndarray]
N_POINTS = 64
"""Midpoints of the way from the average row. Not measured."""
N_ORDERS = 8
"""Orders of the columns, and as many reversed ones. Not measured."""
CELLS = 2**22
"""At most so many cells of changed rows at once: 32 MB in float64. Not measured."""


def integrated_gradients(model: FlintModel, average: np.ndarray) -> tuple[np.ndarray, ColumnReasons]:
    """Integrate the gradient from the average row to rows.

    Parameters
    ----------
    model : FlintModel
        Of an own predictor.
    average : ndarray of shape (p,)
        Mean encoded training row.

    Returns
    -------
    base : ndarray of shape (K,)
        Score of the average row.
    column_reasons : callable
        Gives values (n, d, K) of rows (n, d) and their scores (n, K), which base and values add up to. What
        the sum over points lacks of a score is shared in proportion to the size of the values.
    """
    encoder, scores_of = model.source.encoder, model.score_function()
    with torch.no_grad():
        base = scores_of(as_tensor(average)[None])[0].numpy()
    integral = PathIntegral(model, average)

    def column_reasons(matrix: np.ndarray, answers: np.ndarray) -> np.ndarray:
        values = integral(encoder.encode_matrix(matrix))
        return _restore_additivity(table_units(encoder).fold(values), answers - base)

    return base, column_reasons


def pixel_gradients(
    model: FlintModel, attributes_of: Callable[[Tensor], Tensor], average: np.ndarray
) -> tuple[np.ndarray, ColumnReasons]:
    """Integrate the gradient from the average image to images, 256 at once, as `integrated_gradients` does.

    Parameters
    ----------
    model : FlintModel
        Of images.
    attributes_of : callable
        Its `attribute_function`.
    average : ndarray of shape (p,)
        Mean training image.

    Returns
    -------
    base : ndarray of shape (K,)
        Score of the average image.
    column_reasons : callable
        Gives values (n, p, K) of images (n, p) and their scores (n, K).
    """
    weights = as_tensor(model.weights).float()
    base = model.interpret(model.attributes(average[None]))[0]
    start = as_tensor(average).float()

    def scores_of(pixels: Tensor) -> Tensor:
        return attributes_of(pixels) @ weights.T

    def column_reasons(matrix: np.ndarray, answers: np.ndarray) -> np.ndarray:
        parts = range(0, len(matrix), IMAGE_CHUNK)
        pixels = matrix.astype(np.float32)
        values = [_gradients(scores_of, pixels[i : i + IMAGE_CHUNK], start) for i in parts]
        return _restore_additivity(np.concatenate(values), answers - base)

    return base, column_reasons


def _gradients(scores_of: Callable[[Tensor], Tensor], x: np.ndarray, start: Tensor) -> np.ndarray:
    """Integrate the gradients (B, p, K) of scores (B, K) of encoded rows (B, p)."""
    shares = (torch.arange(N_POINTS, dtype=torch.float64) + 0.5) / N_POINTS
    with limit_threads():
        delta = torch.from_numpy(x) - start
        slopes: Any = 0.0
        for share in shares:
            point = (start + share.to(delta) * delta).requires_grad_()
            totals = scores_of(point).sum(0)
            found = [torch.autograd.grad(total, point, retain_graph=True)[0] for total in totals]
            slopes = slopes + torch.stack(found, dim=2).double().numpy() / N_POINTS
        return delta.double().numpy()[:, :, None] * slopes


def _restore_additivity(values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Share, in place, what values (n, d, K) lack of numbers (n, K) in proportion to their size."""
    size = np.abs(values)
    total = size.sum(axis=1)
    lacking = np.where(total > 0, wanted - values.sum(axis=1), 0.0)
    size *= (lacking / np.maximum(total, np.finfo(float).tiny))[:, None]
    values += size
    return values


def sampled_shapley(
    scores_of: Callable[[np.ndarray], np.ndarray], background: np.ndarray
) -> tuple[np.ndarray, ColumnReasons]:
    """Sample Shapley values over orders of the columns, with cells of other rows for absent ones.

    Parameters
    ----------
    scores_of : callable
        Gives scores (m, K) of rows (m, d).
    background : ndarray of shape (b, d)
        Rows that absent cells are taken from, one for each pair of an order and its reverse.

    Returns
    -------
    base : ndarray of shape (K,)
        Mean score of the background rows that were taken.
    column_reasons : callable
        Gives values (n, d, K) of rows (n, d), which with the base add up to their scores.
    """
    d, rng = background.shape[1], np.random.RandomState(0)
    rows = background[rng.permutation(len(background))[np.arange(N_ORDERS) % len(background)]]
    base = scores_of(rows).mean(axis=0)
    orders = [rng.permutation(d) for _ in rows]

    def column_reasons(matrix: np.ndarray, answers: np.ndarray) -> np.ndarray:
        values, step = np.zeros((len(matrix), d, len(base))), max(CELLS // (d * (d + 1)), 1)
        for row, order in zip(rows, orders, strict=True):
            for columns in (order, order[::-1]):
                for first in range(0, len(matrix), step):
                    part = slice(first, first + step)
                    values[part] += _marginal_contributions(scores_of, row, matrix[part], columns) / (
                        2 * N_ORDERS
                    )
        return values

    return base, column_reasons


def _marginal_contributions(
    scores_of: Callable[[np.ndarray], np.ndarray], row: np.ndarray, matrix: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Say what each column adds (n, d, K) when the cells of a row are replaced one after another."""
    n, d = matrix.shape
    stages = np.tile(row, (d + 1, n, 1))
    for i, j in enumerate(columns):
        stages[i + 1 :, :, j] = matrix[:, j]
    steps = np.diff(scores_of(stages.reshape(-1, d)).reshape(d + 1, n, -1), axis=0)
    values = np.empty((n, d, steps.shape[2]))
    values[:, columns] = steps.transpose(1, 0, 2)
    return values
