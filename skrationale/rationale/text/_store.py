"""The words of all texts of a fit, from which batches are taken by the positions of texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from ...units import TextUnits
from ._network import Words


@dataclass
class TextStore:
    """Numbers of words of n texts, one after the other, on one device.

    Parameters
    ----------
    numbers : Tensor of int of shape (N,)
        Number of each word.
    offsets : Tensor of int of shape (n + 1,)
        Where each text begins, and the end of the last.
    groups : Tensor of int of shape (N,) or None
        Unit of each word; None where each word is one.
    states : Tensor of shape (N, H) or None
        What a backbone makes of each word in its text.
    """

    numbers: Tensor
    offsets: Tensor
    groups: Tensor | None
    states: Tensor | None = None

    @classmethod
    def of(cls, units: TextUnits, numbers: np.ndarray, device: str | torch.device = "cpu") -> TextStore:
        """Put the words of texts on a device."""
        single = len(units.spans) == len(units.word_spans)
        own, offsets, groups = (
            torch.from_numpy(array).to(device) for array in (numbers, units.word_offsets, units.groups)
        )
        return cls(own, offsets, None if single else groups)

    @property
    def n_texts(self) -> int:
        """Number n of texts."""
        return len(self.offsets) - 1

    def places(self, texts: Tensor) -> tuple[Tensor, Tensor]:
        """Give positions (N',) of the words of some texts, and where each of these begins, with an end."""
        starts = self.offsets[texts]
        lengths = self.offsets[texts + 1] - starts
        ends = lengths.cumsum(0)
        offsets = torch.cat([ends.new_zeros(1), ends])
        steps = torch.arange(int(ends[-1]) if len(ends) else 0, device=starts.device)
        return steps + (starts - offsets[:-1]).repeat_interleave(lengths), offsets

    def batch(self, texts: Tensor) -> tuple[Words, Tensor]:
        """Give the words of some texts by position, and their positions (N',) among all words."""
        places, offsets = self.places(texts)
        groups = None
        if self.groups is not None:
            groups = self.groups[places]
            new = groups.new_ones(len(groups), dtype=torch.bool)
            new[1:] = groups[1:] != groups[:-1]
            starts = offsets[:-1][offsets[:-1] < len(new)]
            new[starts] = True
            groups = new.cumsum(0) - 1
        states = None if self.states is None else self.states[places]
        return Words(self.numbers[places], offsets, groups, states), places

    def shown(self, texts: Tensor, shown: Tensor) -> Words:
        """Give the words of some texts that a mask (N,) of all words shows, as if there were no others."""
        places, offsets = self.places(texts)
        return only(Words(self.numbers[places], offsets), shown[places])

    def draw(self, n: int, pool: Tensor, generator: Generator | None) -> Tensor:
        """Draw numbers (n,) of words among those at some positions (m,)."""
        drawn = torch.randint(len(pool), (n,), generator=generator, device=pool.device)
        return self.numbers[pool[drawn]]


def only(words: Words, shown: Tensor) -> Words:
    """Leave out what a mask (N,) does not show."""
    before = torch.cat([shown.new_zeros(1, dtype=torch.long), shown.long().cumsum(0)])
    return Words(words.numbers[shown], before[words.offsets])
