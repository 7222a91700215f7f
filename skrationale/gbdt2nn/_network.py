"""Networks of the GBDT2NN student: a first layer that is a look-up, then dense layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from ..teachers import NumericBins
from ..training import linear
from ._bins import TeacherBins
from ._look_up import look_up
from ._outputs import split_outputs
from ._sums import RunningSums

THRESHOLDS, LARGEST_UNIT = 1300, 4.0
"""Thresholds of all columns with which their vectors count as they are, and most that few of them count.
Measured on 476, 1,486 and 3,715 thresholds: units of 2 to 4, 1 to 2 and 0.1 to 0.3 were best."""


def root_of_gain(gains: np.ndarray) -> np.ndarray:
    """Square root of gains over their mean, where there are any."""
    mean = gains.sum() / max(np.count_nonzero(gains), 1)
    return np.sqrt(gains / mean) if mean > 0 else np.ones_like(gains)


def factors_of(bins: Sequence[NumericBins]) -> tuple[list[np.ndarray], float]:
    """Give factors of the thresholds of each column, and their unit.

    They are the roots of the gains in this unit, which falls with the number of thresholds: a step of
    training moves all of them, so that the vector of a row would move the further, the more there are.
    """
    gains = np.concatenate([column.gains for column in bins])
    unit = min(THRESHOLDS / len(gains), LARGEST_UNIT)
    ends = np.cumsum([len(column.gains) for column in bins])[:-1]
    return np.split(unit * root_of_gain(gains), ends), unit


class BinEmbedding(nn.Module):
    """First layer: the sum over columns of one vector a bin.

    The vector of a numeric bin is the sum of one weight for each threshold below it (the
    thermometer code ``x > t`` times a weight matrix, without the product); that of a category
    bin is a weight of its own plus one for each split set it belongs to. Weights count by the
    square root of the gain that the teacher had from their splits, so that training spends itself
    where the teacher decides. A missing number has a weight of its own.

    Parameters
    ----------
    bins : TeacherBins
        Bins of the d' columns the teacher uses.
    n_units : int
        Width h of the layer.
    generator : torch.Generator, default=None
        Draws the weights; None: torch's global one.
    """

    def __init__(self, bins: TeacherBins, n_units: int, generator: Generator | None = None) -> None:
        super().__init__()
        numeric = bins.numeric
        n_inputs = sum(b.n_bins for b in numeric)
        n_inputs += sum(b.n_bins + len(b.gains) for b in bins.categorical)
        bound = 1 / math.sqrt(max(n_inputs, 1))

        def weight(n_rows: int, unit: float = 1.0) -> nn.Parameter:
            drawn = torch.empty(n_rows, n_units).uniform_(-bound, bound, generator=generator)
            return nn.Parameter(drawn / unit)

        self.bias = nn.Parameter(weight(1).detach()[0])
        self.sums = None
        if numeric:
            factors, unit = factors_of(numeric)
            self.sums = RunningSums(numeric, factors, missing=unit)
            self.thresholds = weight(self.sums.n_rows, unit)
        self.levels = nn.ParameterList(weight(b.n_bins) for b in bins.categorical)
        self.sets = nn.ParameterList(weight(len(b.gains)) for b in bins.categorical)
        for i, b in enumerate(bins.categorical):
            members = (b.members - b.members.mean(axis=0)) * root_of_gain(b.gains)
            self.register_buffer(f"members_{i}", torch.as_tensor(members, dtype=torch.float32))

    def table(self) -> Tensor:
        """Vectors of all bins, (number of bins, h), in the order of :meth:`TeacherBins.encode`."""
        parts = [] if self.sums is None else [self.sums(self.thresholds)]
        for i, (levels, sets) in enumerate(zip(self.levels, self.sets, strict=True)):
            parts.append(torch.addmm(levels, self.get_buffer(f"members_{i}"), sets))
        return torch.cat(parts) if len(parts) > 1 else parts[0]

    def forward(self, encoded: Tensor) -> Tensor:
        """Map bins (n, d') to (n, h)."""
        return look_up(self.table(), encoded) + self.bias


class BinNetwork(nn.Module):
    """Bins (n, d') to outputs (n, n_outputs) through SiLU layers.

    Parameters
    ----------
    bins : TeacherBins
        Bins of the columns.
    hidden_layer_sizes : sequence of int
        Widths; the first is that of the look-up layer.
    n_outputs : int
        Number of outputs.
    generator : torch.Generator, default=None
        Draws the weights; None: torch's global one.
    """

    def __init__(
        self,
        bins: TeacherBins,
        hidden_layer_sizes: Sequence[int],
        n_outputs: int,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.embedding = BinEmbedding(bins, hidden_layer_sizes[0], generator)
        widths = [*hidden_layer_sizes, n_outputs]
        self.layers = nn.ModuleList(linear(a, b, generator) for a, b in pairwise(widths))

    def forward(self, encoded: Tensor) -> Tensor:
        """Map bins (n, d') to outputs (n, n_outputs)."""
        hidden = self.embedding(encoded)
        for layer in self.layers:
            hidden = layer(nn.functional.silu(hidden))
        return hidden


class StudentNetwork(nn.Module):
    """Score and reasons from bins, in one of the imitation schemes.

    Parameters
    ----------
    bins : TeacherBins
        Bins of the d' columns.
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers of each network.
    n_scores : int
        Number K of scores.
    scheme : {"additive", "joint", "independent", "score"}
        ``additive``: one network gives reasons, and their sum is the score. ``joint``: one network
        with a head for scores and one for reasons. ``independent``: two networks. ``score``: scores alone.
    generator : torch.Generator, default=None
        Draws the weights; None: torch's global one.
    """

    def __init__(
        self,
        bins: TeacherBins,
        hidden_layer_sizes: Sequence[int],
        n_scores: int,
        scheme: str,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.scheme, self.n_scores = scheme, n_scores
        n_reasons = n_scores * len(bins.columns)
        widths = {
            "additive": [n_reasons],
            "joint": [n_scores + n_reasons],
            "independent": [n_scores, n_reasons],
            "score": [n_scores],
        }[scheme]
        self.networks: Any = nn.ModuleList(
            BinNetwork(bins, hidden_layer_sizes, width, generator) for width in widths
        )

    def forward(self, encoded: Tensor) -> tuple[Tensor, Tensor | None]:
        """Map bins (n, d') to scores (n, K) and reasons (n, K, d') or None, both without the base."""
        found = [network(encoded) for network in self.networks]
        outputs = torch.cat(found, dim=1) if len(found) > 1 else found[0]
        return split_outputs(outputs, self.scheme, self.n_scores)
