"""What a report says about models of texts: which words their predictions are made from."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..explanation import TextExplanation
from ..writing import Table, count_of, format_share, notebook_html, render, shorten
from ._markdown import bullets, table, text
from ._summary_html import TEMPLATES, wide

MOST_WORDS = 12
"""Words that are listed for each class. Not measured."""


def shown(texts: TextExplanation) -> Any:
    """Return how many words predictions are made from, and which words these are most often."""
    sizes = np.array([mask.sum() for mask in texts.mask])
    shares = [mask.mean() for mask in texts.mask if len(mask)]
    low, middle, high = np.quantile(sizes, [0.1, 0.5, 0.9], method="nearest").tolist()
    lines = [
        [shorten(label, 60) if label else "all", shorten(", ".join(words), 600)]
        for label, words in most_shown(texts).items()
    ]
    head = ["predicted", "words that are selected in most texts"]
    return render(
        f"{TEMPLATES}/texts.html",
        middle=count_of(middle, "unit"),
        spread=f"{low} to {high}" if low < high else "",
        share=format_share(float(np.mean(shares)) if shares else 0.0),
        empty=format_share(float(np.mean(sizes == 0))) if (sizes == 0).any() else "",
        words=wide(Table("Words by predicted class", head, ["", "skr-words"], lines)),
    )


def most_shown(texts: TextExplanation) -> dict[str, list[str]]:
    """Give for each predicted label the words that most texts show, with the number of texts."""
    return {
        label: [f"{word} ({count})" for word, count in found]
        for label, found in texts.top(MOST_WORDS).items()
    }


def one_text(texts: TextExplanation, i: int) -> Any:
    """Return a text with its words marked."""
    return notebook_html(texts[i])


def reasons_in_markdown(texts: TextExplanation) -> str:
    """Say in Markdown what rationales of texts are, and how long they are."""
    sizes = np.array([mask.sum() for mask in texts.mask])
    shares = [mask.mean() for mask in texts.mask if len(mask)]
    return bullets(
        [
            "**What they are.** The words, or other units, from which each prediction is made. Once they "
            "are selected, the prediction uses no other word of the text.",
            "**What they are not.** They do not add up to the score, and they do not say why a person "
            "would decide in this way. The model reads the whole text to select them; an audit says "
            "whether this leaks.",
            f"In the median text {count_of(int(np.median(sizes)), 'unit')}, on average "
            f"{format_share(float(np.mean(shares)) if shares else 0.0)} of a text.",
        ]
    )


def words_in_markdown(texts: TextExplanation | None) -> str:
    """List in Markdown the words that are selected in most texts, by predicted class."""
    if texts is None:
        return "It has no reasons by words."
    lines = [
        [text(label or "all", 40), text(", ".join(words), 600)] for label, words in most_shown(texts).items()
    ]
    return table(["predicted", "words that are selected in most texts, and in how many"], lines)
