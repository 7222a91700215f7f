"""Words, sentences and other pieces of texts as units: where each stands in the text that the user typed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

import numpy as np

WORD = r"\w+(?:['’]\w+)*"
"""A word: letters, digits and underscores, with apostrophes inside."""
_WORD = re.compile(WORD)
SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$|<)|\n+|<br\s*/?>")
"""Where a sentence ends: marks before a space, ends of lines, and line breaks of HTML."""


@dataclass(frozen=True, eq=False)
class TextUnits:
    """The units of n texts, which differ in number, and the words that they consist of.

    A unit is what is shown or hidden as a whole: a word, a sentence, or what a regular expression finds. What
    stands between units belongs to none. Arrays of all texts stand one after the other, without padding.

    Parameters
    ----------
    word_spans : ndarray of int of shape (N, 2)
        Start and end of each word in its text.
    word_offsets : ndarray of int of shape (n + 1,)
        The words of text i are those from ``word_offsets[i]`` to ``word_offsets[i + 1]``.
    groups : ndarray of int of shape (N,)
        Unit of each word, counted over all texts, rising.
    spans : ndarray of int of shape (U, 2)
        Start and end of each unit in its text.
    offsets : ndarray of int of shape (n + 1,)
        The same for units.
    words : list of str
        Different words, as typed.
    codes : ndarray of int of shape (N,)
        Position in `words` of each word.
    truncated : ndarray of bool of shape (n,)
        Which texts have more words than were read.

    Examples
    --------
    >>> units = TextUnits.of(["Not bad. It's fun!"], "sentence")
    >>> units.spans
    array([[ 0,  7],
           [ 9, 17]])
    >>> units.groups
    array([0, 0, 1, 1])
    """

    word_spans: np.ndarray
    word_offsets: np.ndarray
    groups: np.ndarray
    spans: np.ndarray
    offsets: np.ndarray
    words: list[str]
    codes: np.ndarray
    truncated: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[str], unit: str = "word", max_length: int | None = None) -> TextUnits:
        """Find the units of texts.

        Parameters
        ----------
        texts : sequence of n str
            Texts.
        unit : str, default="word"
            ``"word"``, ``"sentence"``, or a regular expression whose matches are the units.
        max_length : int, default=None
            Words behind so many are not read.

        Returns
        -------
        TextUnits
        """
        pattern = _WORD if unit in ("word", "sentence") else re.compile(unit)
        limit = max_length or np.iinfo(np.int64).max
        known: defaultdict[str, int] = defaultdict(count().__next__)
        codes: list[int] = []
        spans: list[tuple[int, int]] = []
        sentences: list[np.ndarray] = []
        counts, truncated = [], np.zeros(len(texts), dtype=bool)
        for i, text in enumerate(texts):
            found = [match.span() for match in pattern.finditer(text)]
            if pattern is not _WORD:
                found = [(start, end) for start, end in found if end > start]
            if len(found) > limit:
                truncated[i], found = True, found[:limit]
            codes += [known[text[start:end]] for start, end in found]
            spans += found
            counts.append(len(found))
            if unit == "sentence":
                ends = [match.end() for match in SENTENCE_END.finditer(text)]
                sentences.append(np.searchsorted(ends, [start for start, _ in found], side="right"))
        word_spans = np.fromiter(chain.from_iterable(spans), np.int64, 2 * len(spans)).reshape(-1, 2)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        new = np.ones(len(word_spans), dtype=bool)
        if unit == "sentence":
            numbers = np.concatenate([np.zeros(0, dtype=np.int64), *sentences])
            new[1:] = numbers[1:] != numbers[:-1]
            new[offsets[:-1][np.diff(offsets) > 0]] = True
        return cls._grouped(word_spans, offsets, new, list(known), np.array(codes, np.int64), truncated)

    @classmethod
    def _grouped(
        cls,
        word_spans: np.ndarray,
        word_offsets: np.ndarray,
        new: np.ndarray,
        words: list[str],
        codes: np.ndarray,
        truncated: np.ndarray,
    ) -> TextUnits:
        """Put words together to units, a new one of which begins with each word that `new` (N,) marks."""
        groups, starts = np.cumsum(new) - 1, np.flatnonzero(new)
        ends = np.append(starts[1:], len(new))[: len(starts)] - 1
        spans = np.column_stack([word_spans[starts, 0], word_spans[ends, 1]])
        offsets = np.concatenate([[0], np.cumsum(new)])[word_offsets]
        return cls(word_spans, word_offsets, groups, spans, offsets, words, codes, truncated)

    @property
    def n_texts(self) -> int:
        """Number n of texts."""
        return len(self.offsets) - 1

    @property
    def n_units(self) -> np.ndarray:
        """Number of units of each text (n,)."""
        return np.diff(self.offsets)

    @property
    def n_words(self) -> np.ndarray:
        """Number of words of each text (n,)."""
        return np.diff(self.word_offsets)

    @property
    def word_texts(self) -> np.ndarray:
        """Text of each word (N,)."""
        return np.repeat(np.arange(self.n_texts), self.n_words)

    @property
    def unit_texts(self) -> np.ndarray:
        """Text of each unit (U,)."""
        return np.repeat(np.arange(self.n_texts), self.n_units)

    def split(self, flat: np.ndarray) -> list[np.ndarray]:
        """Give what belongs to the units of all texts (U, ...) text by text."""
        return np.split(flat, self.offsets[1:-1]) if self.n_texts else []

    def flat(self, masks: Any, name: str = "mask") -> np.ndarray:
        """Put masks of texts one after the other (U,).

        Parameters
        ----------
        masks : sequence of n array-like of bool
            One for each text, with a value for each of its units.
        name : str, default="mask"
            What the message calls them.

        Raises
        ------
        ValueError
            When there is another number of masks, or a mask is not of booleans or has another length.
        """
        masks = list(masks)
        if len(masks) != self.n_texts:
            raise ValueError(f"{name} holds {len(masks)} arrays; expected {self.n_texts}, one for each text.")
        parts = [np.asarray(mask, dtype=bool if len(mask) == 0 else None) for mask in masks]
        for i, (part, length) in enumerate(zip(parts, self.n_units, strict=True)):
            if part.dtype != bool or part.shape != (length,):
                raise ValueError(
                    f"{name}[{i}] must be a bool array of shape ({length},), one for each unit of the text. "
                    f"Got an array of {part.dtype} of shape {part.shape} instead."
                )
        return np.concatenate([np.zeros(0, dtype=bool), *parts])

    def fold(self, values: np.ndarray) -> np.ndarray:
        """Give the mean (U,) over the words of each unit of values (N,)."""
        return np.bincount(self.groups, values, len(self.spans)) / np.bincount(
            self.groups, minlength=len(self.spans)
        )

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Give each word what its unit has: values of units (U,) become values of words (N,)."""
        return values[self.groups]

    def shares(self, shown: np.ndarray) -> np.ndarray:
        """Give the share (n,) of the words of each text that a mask of words (N,) shows; without words 0."""
        count = np.bincount(self.word_texts, shown, self.n_texts)
        return count / np.maximum(self.n_words, 1)

    def take(self, texts: np.ndarray) -> TextUnits:
        """Give some texts (m,) alone, by position."""
        index = ranges(self.word_offsets[texts], self.n_words[texts])
        word_offsets = np.concatenate([[0], np.cumsum(self.n_words[texts])])
        groups = self.groups[index]
        new = np.ones(len(index), dtype=bool)
        new[1:] = groups[1:] != groups[:-1]
        new[word_offsets[:-1][np.diff(word_offsets) > 0]] = True
        return self._grouped(
            self.word_spans[index], word_offsets, new, self.words, self.codes[index], self.truncated[texts]
        )


def ranges(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Give the whole numbers from each start on, so many as its count says, one range after the other.

    Examples
    --------
    >>> ranges(np.array([5, 0]), np.array([2, 3]))
    array([5, 6, 0, 1, 2])
    """
    before = np.cumsum(counts) - counts
    return np.arange(int(counts.sum())) + np.repeat(starts - before, counts)
