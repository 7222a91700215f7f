"""What a fit leaves behind: which columns a row needs, and scores from their cells alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor, nn

from .._tensors import as_tensor
from ..tabular import TableEncoder
from ..training import limit_threads, rebuild_module
from ..units import MaskRule, Units, hide
from ._encoded import encode
from ._joint import CHUNK, logits_of
from ._network import MaskedPredictor, mlp

State = dict[str, np.ndarray]
HIDDEN_LOGIT = -30.0
"""Logit of a column that is never selected: a probability of 1e-13. Not measured."""


@dataclass(frozen=True)
class RationaleModel:
    """A selector and a predictor with their weights as arrays.

    Parameters
    ----------
    encoder : TableEncoder
        Encodes the d columns of a table.
    columns : ndarray of shape (c,)
        Columns that can be selected at all; without any, every row has the scores `base`.
    hidden : sequence of int
        Widths of hidden layers.
    selector, predictor : dict of str to ndarray
        Weights.
    rule : MaskRule
        Makes masks of logits.
    fill : ndarray of shape (p,) or None
        What the predictor sees in hidden cells; None for a predictor that has the mask as input.
    shift, scale : ndarray of shape (K,)
        What the predictor's scores are raised by, after they were multiplied.
    base : ndarray of shape (K,)
        Scores when no cell is shown, unless there is a fill.
    """

    encoder: TableEncoder
    columns: np.ndarray
    hidden: Sequence[int]
    selector: State
    predictor: State
    rule: MaskRule
    fill: np.ndarray | None
    shift: np.ndarray
    scale: np.ndarray
    base: np.ndarray

    @property
    def n_columns(self) -> int:
        """Number d of columns of the table."""
        return len(self.encoder.reader.feature_names)

    @property
    def n_inputs(self) -> int:
        """Numbers that networks see of a row."""
        return len(self.encoder.groups)

    def encode(self, matrix: np.ndarray) -> tuple[Tensor, Units]:
        """Give encoded cells (n, p) of the columns that can be selected, float64, and these as units."""
        x, units = encode(self.encoder, matrix, self.columns)
        return as_tensor(x), units

    def mask_and_excess(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the rationale (n, d), and how much columns are wanted: above 0 if selected, but for ties."""
        mask = np.zeros((len(matrix), self.n_columns), dtype=bool)
        excess = np.full((len(matrix), self.n_columns), HIDDEN_LOGIT)
        if self.columns.size:
            logits = self._logits(*self.encode(matrix))
            mask[:, self.columns], excess[:, self.columns] = self.rule(logits), self.rule.excess(logits)
        return mask, excess

    def values_and_mask(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give how much cells were wanted (n, d), 0 for those that are not selected, and the rationale."""
        mask, excess = self.mask_and_excess(matrix)
        return expit(excess) * mask, mask

    def logits(self, matrix: np.ndarray) -> np.ndarray:
        """Say how much each column is wanted (n, d); see `mask_and_excess`."""
        return self.mask_and_excess(matrix)[1]

    def mask(self, matrix: np.ndarray) -> np.ndarray:
        """Give the rationale (n, d) of rows of numbers and codes (n, d)."""
        result = np.zeros((len(matrix), self.n_columns), dtype=bool)
        if self.columns.size:
            result[:, self.columns] = self.rule(self._logits(*self.encode(matrix)))
        return result

    def _logits(self, x: Tensor, units: Units) -> np.ndarray:
        selector = rebuild_module(lambda: mlp(units.n_inputs, self.hidden, units.n_units), self.selector)
        with limit_threads(CHUNK * units.n_inputs**2):
            return logits_of(selector, x)

    def scores(self, matrix: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Give scores (n, K) from the cells that mask (n, d) shows, by default those of the rationales."""
        if not self.columns.size:
            return np.tile(self.base, (len(matrix), 1))
        predictor, inputs = self._predictor(matrix, mask)
        with torch.no_grad(), limit_threads(CHUNK * inputs.shape[1] ** 2):
            scores = torch.cat([predictor(part) for part in inputs.split(CHUNK)]).numpy()
        scores = scores * self.scale + self.shift
        if self.fill is None:  # the mask stands last
            scores[~inputs[:, -len(self.columns) :].any(dim=1).numpy()] = self.base
        return scores

    def scores_of_nothing(self) -> np.ndarray:
        """Give the scores (K,) of a row of which no cell is shown."""
        d = self.n_columns
        return self.scores(np.full((1, d), np.nan), np.zeros((1, d), dtype=bool))[0]

    def hidden_states(self, matrix: np.ndarray) -> list[np.ndarray]:
        """Give the states (n, h) of the predictor's hidden layers; none where every row has one score."""
        if not self.columns.size:
            return []
        predictor, states = self._predictor(matrix, None)
        hidden = []
        with torch.no_grad(), limit_threads(CHUNK * states.shape[1] ** 2):
            for layer in list(predictor)[:-1]:
                states = layer(states)
                hidden += [states.numpy()] if isinstance(layer, nn.ReLU) else []
        return hidden

    def _predictor(self, matrix: np.ndarray, mask: np.ndarray | None) -> tuple[nn.Sequential, Tensor]:
        """Give the predictor's layers and what they see of rows."""
        x, units = self.encode(matrix)
        cells = self.rule(self._logits(x, units)) if mask is None else mask[:, self.columns]
        shown, ties = torch.from_numpy(cells).double(), as_tensor(units.groups)
        n_outputs = len(self.shift)
        if self.fill is not None:
            plain = rebuild_module(lambda: mlp(units.n_inputs, self.hidden, n_outputs), self.predictor)
            return plain, hide(x, shown, ties, as_tensor(self.fill))
        masked = rebuild_module(
            lambda: MaskedPredictor(self.hidden, ties.to("meta"), len(self.columns), n_outputs),
            self.predictor,
        )
        return masked.layers, masked.inputs(x, shown)
