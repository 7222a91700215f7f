"""Categories as the words that CatBoost reads, which knows no missing cells among them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

MISSING, UNKNOWN = "(missing)", "(no level of this column)"
"""Words for missing and unknown cells; they are put in more brackets where levels are called so."""


def words_of(levels: Iterable[Any]) -> np.ndarray:
    """Give words for the cells of a column: such as CatBoost makes of them, where it takes them itself.

    Parameters
    ----------
    levels : iterable of l different values
        Text stays as it is, whole numbers are written in digits and booleans as 0 and 1.

    Returns
    -------
    ndarray of shape (l + 2,), dtype object
        Words of the levels, of a missing cell and of one with an unknown level, so that -1 finds the last.

    Examples
    --------
    >>> words_of(["a", 2, True]).tolist()
    ['a', '2', '1', '(missing)', '(no level of this column)']
    >>> words_of(["(missing)"]).tolist()[1]
    '((missing))'
    """
    words = [str(int(level)) if isinstance(level, bool | np.bool_) else str(level) for level in levels]
    return np.array([*words, _other(MISSING, words), _other(UNKNOWN, words)], dtype=object)


def _other(word: str, words: Collection[str]) -> str:
    """Give a word that is not among some."""
    while word in words:
        word = f"({word})"
    return word
