"""Texts whose deciding words are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._random import own_random_state

SYLLABLES = ("ba", "de", "fi", "go", "lu", "me", "ni", "po", "ra", "se", "ta", "vu")


def make_texts(
    n_samples: int = 600,
    *,
    n_words: int = 40,
    n_causes: int = 3,
    regression: bool = False,
    random_state: Any = None,
) -> tuple[list[str], np.ndarray, list[np.ndarray]]:
    """Generate texts of invented words, in which a few words determine the label.

    Each text holds some of 20 words that are causes, and other words without any effect. Half of the causes
    raise the target, and half lower it. The label is the sign of the sum of these effects.

    Parameters
    ----------
    n_samples : int, default=600
        Number n of texts.
    n_words : int, default=40
        Mean number of words; the lengths of texts are between half and one and a half times this number.
    n_causes : int, default=3
        Number of causes in each text, an odd number.
    regression : bool, default=False
        Whether the target is the sum itself.
    random_state : int, RandomState or None, default=None
        Seed.

    Returns
    -------
    texts : list of n str
        The texts; a sentence ends after about ten words.
    y : ndarray of shape (n,)
        Labels 0 and 1, or numbers.
    truth : list of n ndarray of int of shape (k, 2)
        Start and end of the causes, in increasing order.

    Raises
    ------
    ValueError
        If `n_causes` is even, or if `n_words` is too small for it.

    Examples
    --------
    >>> from skrationale.datasets import make_texts
    >>> texts, y, truth = make_texts(2, n_words=8, random_state=0)
    >>> [texts[0][start:end] for start, end in truth[0]]
    ['goodbapo', 'goodbani', 'badvuni']
    >>> y
    array([1, 0])
    """
    if n_causes % 2 == 0 or n_words < 2 * n_causes + 2:
        raise ValueError(
            f"n_causes is {n_causes} and n_words {n_words}; expected an odd n_causes, and n_words of at "
            f"least {2 * n_causes + 2} for this n_causes."
        )
    rng, causes, fillers = own_random_state(random_state), *_language()
    texts, values, truth = [], np.zeros(n_samples), []
    for i in range(n_samples):
        length = rng.randint(n_words // 2 + 1, n_words + n_words // 2)
        words = [fillers[j] for j in rng.randint(len(fillers), size=length)]
        places = rng.choice(length, size=n_causes, replace=False)
        chosen = rng.randint(len(causes), size=n_causes)
        for place, cause in zip(places, chosen, strict=True):
            words[place] = causes[cause]
        values[i] = np.where(chosen < 10, 1, -1).sum()
        text, spans = _written(words)
        texts.append(text)
        truth.append(spans[np.sort(places)])
    return texts, values if regression else (values > 0).astype(int), truth


def _language() -> tuple[list[str], list[str]]:
    """Give 20 causes, good ones first, and 500 fillers, the same ones whatever the seed."""
    pairs = [a + b for a in SYLLABLES for b in SYLLABLES]
    triples = [a + pair for pair in pairs for a in SYLLABLES]
    return [f"good{name}" for name in pairs[:10]] + [f"bad{name}" for name in pairs[-10:]], triples[:500]


def _written(words: list[str]) -> tuple[str, np.ndarray]:
    """Write words as sentences, and say where each stands (L, 2)."""
    parts, spans, place = [], [], 0
    for i, word in enumerate(words):
        spans.append((place, place + len(word)))
        last = i == len(words) - 1
        parts.append(word + ("." if last or i % 10 == 9 else "") + ("" if last else " "))
        place += len(parts[-1])
    return "".join(parts), np.array(spans)
