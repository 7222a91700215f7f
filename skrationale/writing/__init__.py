"""How results are written for people: words, numbers, colours, pages. It uses nothing of the package."""

from ._css import CARD_CSS, GREY, NEGATIVE, PAGE_CSS, POSITIVE, SIZE
from ._figures import need_matplotlib, plain
from ._html import Bar, Bold, Folded, Mark, Note, Part, Table, document, joined, notebook_html, render
from ._numbers import decimals, format_cell, format_number, format_share, is_missing, simple_cell
from ._words import count_of, encodable, join_names, plural, sentence, shorten, visible

__all__ = [
    "CARD_CSS",
    "GREY",
    "NEGATIVE",
    "PAGE_CSS",
    "POSITIVE",
    "SIZE",
    "Bar",
    "Bold",
    "Folded",
    "Mark",
    "Note",
    "Part",
    "Table",
    "count_of",
    "decimals",
    "document",
    "format_cell",
    "format_number",
    "format_share",
    "is_missing",
    "join_names",
    "joined",
    "need_matplotlib",
    "notebook_html",
    "plain",
    "plural",
    "render",
    "sentence",
    "shorten",
    "simple_cell",
    "visible",
    "encodable",
]
