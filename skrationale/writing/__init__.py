"""How results are written for people: words, numbers, colours and style. It uses nothing of the package."""

from ._css import CARD_CSS, NEGATIVE, PAGE_CSS, POSITIVE, SIZE
from ._numbers import decimals, format_cell, format_number, format_share, is_missing, simple_cell
from ._words import count_of, join_names, plural, sentence, shorten, visible, whole

__all__ = [
    "CARD_CSS",
    "NEGATIVE",
    "PAGE_CSS",
    "POSITIVE",
    "SIZE",
    "count_of",
    "decimals",
    "format_cell",
    "format_number",
    "format_share",
    "is_missing",
    "join_names",
    "plural",
    "sentence",
    "shorten",
    "simple_cell",
    "visible",
    "whole",
]
