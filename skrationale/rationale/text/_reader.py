"""From texts to numbers of words: which words are known, and which numbers others share."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...units import TextUnits
from ...writing import is_missing


def as_texts(X: Any, name: str = "X") -> list[str]:
    """Read texts as a list of str.

    Parameters
    ----------
    X : array-like of str of shape (n,)
        A list, tuple, array or Series.
    name : str, default="X"
        What errors call it.

    Returns
    -------
    list of n str

    Raises
    ------
    TypeError
        For one str, for a table, and where something else than a str stands among the texts.
    ValueError
        When there is no text.
    """
    if isinstance(X, str | bytes):
        raise TypeError(
            f"{name} is one {type(X).__name__}; expected several texts: a list, array or Series of str."
        )
    if isinstance(X, dict | set) or not hasattr(X, "__len__"):
        raise TypeError(f"{name} is a {type(X).__name__}; expected texts: a list, array or Series of str.")
    shape = X.shape if hasattr(X, "shape") else (len(X),)
    if len(shape) != 1:
        hint = " Give only the column of texts." if len(shape) == 2 else ""
        raise TypeError(f"{name} has shape {tuple(shape)}; expected texts of shape (n,).{hint}")
    texts = X.tolist() if hasattr(X, "tolist") else list(X)
    if not texts:
        raise ValueError(f"{name} holds no text; expected at least one.")
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            what = "missing" if is_missing(text) else f"a {type(text).__name__}"
            raise TypeError(
                f"{name} holds something {what} in row {i}; expected texts of type str in all rows."
            )
    return texts


def check_unit(unit: str, name: str) -> None:
    """Refuse a unit that is neither known nor a regular expression."""
    try:
        re.compile(unit)
    except re.error as error:
        raise ValueError(
            f"The 'unit' parameter of {name} must be 'word', 'sentence' or a regular expression. Got "
            f"{unit!r} instead ({error})."
        ) from None


@dataclass(frozen=True)
class WordReader:
    """Finds the units of texts, and numbers their words.

    Words of enough training texts have a number of their own. All others share `n_hashed` numbers, which one
    follows from the word alone, the same in each process.

    Parameters
    ----------
    unit : str
        See :class:`skrationale.units.TextUnits`.
    max_length : int
        Words behind so many are not read.
    n_hashed : int
        Numbers that other words share; they come first.
    vocabulary : list of str
        Words in lower case that have a number of their own.
    """

    unit: str
    max_length: int
    n_hashed: int
    vocabulary: list[str]

    @classmethod
    def fitted(
        cls, texts: Sequence[str], unit: str, max_length: int, min_df: int, n_hashed: int
    ) -> tuple[WordReader, TextUnits]:
        """Learn the words that at least `min_df` texts have: frequent ones first, then by the alphabet."""
        units = TextUnits.of(texts, unit, max_length)
        lower, form = np.unique([word.lower() for word in units.words] or [""], return_inverse=True)
        codes = form[units.codes]
        pairs = np.unique(np.column_stack([units.word_texts, codes]), axis=0)
        in_texts = np.bincount(pairs[:, 1], minlength=len(lower))
        counts = np.bincount(codes, minlength=len(lower))
        known = np.flatnonzero(in_texts >= min_df)
        ranked = known[np.argsort(-counts[known], kind="stable")]
        return cls(unit, max_length, n_hashed, lower[ranked].tolist()), units

    @property
    def n_words(self) -> int:
        """How many numbers there are."""
        return self.n_hashed + len(self.vocabulary)

    def units(self, texts: Sequence[str]) -> TextUnits:
        """Find the units of texts."""
        return TextUnits.of(texts, self.unit, self.max_length)

    def numbers(self, units: TextUnits) -> np.ndarray:
        """Give the number (N,) of each word."""
        known = {word: self.n_hashed + i for i, word in enumerate(self.vocabulary)}
        table = np.zeros(len(units.words), dtype=np.int64)
        for i, word in enumerate(units.words):
            form = word.lower()
            number = known.get(form)
            if number is None:
                number = zlib.crc32(form.encode("utf-8", "surrogatepass")) % self.n_hashed
            table[i] = number
        return table[units.codes]
