"""What a fit leaves behind: which words a text needs, and scores from these words alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...training import limit_threads, rebuild_module
from ...units import TextUnits
from ._encoder import Encoder, EncoderPredictor, StateReader, StateSelector, predictor_of, with_states
from ._network import BagPredictor, WordSelector
from ._reader import WordReader
from ._rule import TextRule
from ._store import TextStore

State = dict[str, np.ndarray]
CHUNK = 2**14
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
    encoder : Encoder or None
        Reads texts for the selectors, and shown words to predict.
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
    encoder: Encoder | None = None

    @property
    def n_weights(self) -> int:
        """Count the weights of all networks."""
        own = sum(array.size for state in (*self.selectors, self.predictor) for array in state.values())
        return own + (0 if self.encoder is None else self.encoder.n_weights)

    def logits(self, units: TextUnits) -> np.ndarray:
        """Give a logit (U,) of each unit, float64."""
        if not self.selectors:
            return np.full(len(units.spans), -np.inf)
        store = TextStore.of(units, self.reader.numbers(units))
        states = None
        if self.encoder is not None:
            states = StateReader(self.encoder, self.encoder.tuned_in(self.predictor), units)
        total = np.zeros(len(units.word_spans))
        modules = [rebuild_module(self._empty_selector, state) for state in self.selectors]
        for logits, level in zip(logits_of(modules, store, states), self.levels, strict=True):
            total += logits - level
        return units.fold(total / len(self.selectors)) if len(units.spans) else total

    def _empty_selector(self) -> WordSelector | StateSelector:
        n_words, n_hashed, width = self.reader.n_words, self.reader.n_hashed, self.sizes[0]
        if self.encoder is None:
            return WordSelector(n_words, width, n_hashed, 0.0)
        return StateSelector(n_words, self.encoder.width, width, n_hashed, 0.0)

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
        if self.encoder is None:
            module: BagPredictor | EncoderPredictor = rebuild_module(
                lambda: BagPredictor(self.reader.n_words, self.sizes, len(self.shift), 0.0), self.predictor
            )
            scores = scores_of(module, TextStore.of(kept, self.reader.numbers(kept)))
        else:
            module = predictor_of(self.encoder, kept, self.predictor)
            scores = scores_of(module, TextStore.of(kept, kept.codes))
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


def logits_of(
    modules: Sequence[WordSelector | StateSelector], store: TextStore, states: StateReader | None = None
) -> list[np.ndarray]:
    """Logits (N,) of the words of all texts, float64, of each module.

    Modules are in evaluation mode and on the store's device; `states` gives what those with a backbone read.
    """
    found: list[list[torch.Tensor]] = [[] for _ in modules]
    with torch.no_grad(), limit_threads(None if states is None else states.encoder.work):
        for texts in parts_of(store):
            words = with_states(store.batch(texts)[0], states, texts)
            for module, parts in zip(modules, found, strict=True):
                parts.append(module(words))
    return [torch.cat(parts).double().cpu().numpy() for parts in found]


def scores_of(module: BagPredictor | EncoderPredictor, store: TextStore) -> np.ndarray:
    """Scores (n, K) of texts, float64, from all words of a store."""
    work = module.encoder.work if isinstance(module, EncoderPredictor) else None
    with torch.no_grad(), limit_threads(work):
        parts = [module(store.batch(texts)[0]) for texts in parts_of(store)]
    return torch.cat(parts).double().cpu().numpy()
