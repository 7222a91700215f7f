"""What a fit leaves behind: which words a text needs, and scores from these words alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...training import limit_threads, rebuild_module
from ...units import TextUnits
from ._network import BagPredictor, WordSelector
from ._reader import WordReader
from ._rule import TextRule
from ._store import TextStore

State = dict[str, np.ndarray]
CHUNK = 2**16
"""Words computed at once, to bound the memory. Not measured."""


@dataclass(frozen=True)
class TextModel:
    """Selectors and a predictor with their weights as arrays.

    Parameters
    ----------
    reader : WordReader
        Finds units and numbers words.
    sizes : sequence of int
        Width of word vectors, then of hidden layers.
    selectors : tuple of (dict of str to ndarray)
        Weights of the selectors, whose logits are averaged; none: nothing is selected.
    levels : tuple of float
        What each selector's logits are lessened by before.
    rule : TextRule
        Makes masks of logits.
    predictor : dict of str to ndarray
        Weights.
    shift, scale : ndarray of shape (K,)
        What the predictor's scores are raised by, after they were multiplied.
    base : ndarray of shape (K,)
        Scores when no word is shown.
    """

    reader: WordReader
    sizes: Sequence[int]
    selectors: tuple[State, ...]
    levels: tuple[float, ...]
    rule: TextRule
    predictor: State
    shift: np.ndarray
    scale: np.ndarray
    base: np.ndarray

    def logits(self, units: TextUnits) -> np.ndarray:
        """Give a logit (U,) of each unit, float64."""
        if not self.selectors:
            return np.full(len(units.spans), -np.inf)
        store = TextStore.of(units, self.reader.numbers(units))
        total = np.zeros(len(units.word_spans))
        for state, level in zip(self.selectors, self.levels, strict=True):
            module = rebuild_module(
                lambda: WordSelector(self.reader.n_words, self.sizes[0], self.reader.n_hashed, 0.0), state
            )
            total += logits_of(module, store) - level
        return units.fold(total / len(self.selectors)) if len(units.spans) else total

    def mask_and_excess(self, units: TextUnits) -> tuple[np.ndarray, np.ndarray]:
        """Give the rationale (U,), and how much units are wanted: above 0 if selected, but for runs."""
        if not self.selectors:
            return np.zeros(len(units.spans), dtype=bool), np.full(len(units.spans), -30.0)
        logits = self.logits(units)
        return self.rule(units, logits), self.rule.excess(units, logits)

    def mask(self, units: TextUnits) -> np.ndarray:
        """Give the rationale (U,)."""
        return self.mask_and_excess(units)[0]

    def scores(self, units: TextUnits, mask: np.ndarray) -> np.ndarray:
        """Give scores (n, K) of texts that consist of the units that mask (U,) shows, and of nothing else."""
        if not self.selectors:
            return np.tile(self.base, (units.n_texts, 1))
        shown = units.spread(mask)
        kept = only_shown(units, shown)
        module = rebuild_module(
            lambda: BagPredictor(self.reader.n_words, self.sizes, len(self.shift), 0.0), self.predictor
        )
        scores = scores_of(module, TextStore.of(kept, self.reader.numbers(kept)))
        scores = scores * self.scale + self.shift
        scores[kept.n_words == 0] = self.base
        return scores


def only_shown(units: TextUnits, shown: np.ndarray) -> TextUnits:
    """Give texts that consist of the words that a mask (N,) shows, each of them a unit."""
    before = np.concatenate([[0], np.cumsum(shown)])
    offsets, spans = before[units.word_offsets], units.word_spans[shown]
    return TextUnits(
        spans,
        offsets,
        np.arange(len(spans)),
        spans,
        offsets,
        units.words,
        units.codes[shown],
        units.truncated,
    )


def parts_of(store: TextStore) -> list[torch.Tensor]:
    """Give positions of texts, so many at a time that their words are about `CHUNK`."""
    texts = torch.arange(store.n_texts, device=store.offsets.device)
    part = store.offsets[:-1] // CHUNK
    return list(texts.split(torch.unique_consecutive(part, return_counts=True)[1].tolist()))


def logits_of(module: WordSelector, store: TextStore) -> np.ndarray:
    """Logits (N,) of the words of all texts, float64; a module in evaluation mode on the store's device."""
    with torch.no_grad(), limit_threads():
        parts = [module(store.batch(texts)[0]) for texts in parts_of(store)]
    return torch.cat(parts).double().cpu().numpy()


def scores_of(module: BagPredictor, store: TextStore) -> np.ndarray:
    """Scores (n, K) of texts, float64, from all words of a store."""
    with torch.no_grad(), limit_threads():
        parts = [module(store.batch(texts)[0]) for texts in parts_of(store)]
    return torch.cat(parts).double().cpu().numpy()
