"""Words: shortened, counted, listed, and free of what no page should hold."""

import re
from collections.abc import Sequence
from typing import Any

_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, those that turn the direction of writing, and lone surrogates."""


def shorten(text: str, width: int) -> str:
    """Return one line of at most `width` characters, with the middle left out.

    Examples
    --------
    >>> shorten("mean_radius_of_the_nucleus", 15)
    'mean_ra…nucleus'
    """
    text = " ".join(text.split())
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def plural(word: str, count: int) -> str:
    """Return a word for so many.

    Examples
    --------
    >>> plural("row", 1), plural("row", 0)
    ('row', 'rows')
    """
    return word if count == 1 else f"{word}s"


def count_of(count: int, word: str) -> str:
    """Return a number with the word for what is counted.

    Examples
    --------
    >>> count_of(1, "row"), count_of(12345, "row")
    ('1 row', '12,345 rows')
    """
    return f"{count:,} {plural(word, count)}"


def join_names(names: Sequence[str], most: int = 4) -> str:
    """Join names, of many only the first.

    Examples
    --------
    >>> join_names(["a", "b", "c"]), join_names("abcde", most=2)
    ('a, b and c', 'a, b and 3 others')
    """
    shown = [shorten(name, 40) for name in names[:most]]
    if len(names) > most:
        left = len(names) - most
        shown.append(f"{left} {plural('other', left)}")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def sentence(text: str) -> str:
    """Return a text with a large first letter; `capitalize` would lower the letters of the user's names.

    Examples
    --------
    >>> sentence("mean of BMI")
    'Mean of BMI'
    """
    return text[0].upper() + text[1:]


def visible(document: str) -> str:
    """Put U+FFFD for what no page should hold: characters that hide text, turn it, or have no bytes.

    Examples
    --------
    >>> visible("<b>a\u202eb</b>") == "<b>a\ufffdb</b>"
    True
    """
    return _HIDDEN.sub("\ufffd", document)


def encodable(value: Any) -> Any:
    """Put U+FFFD for lone surrogates in a text, which cannot be encoded; other values stay.

    Examples
    --------
    >>> encodable("a" + chr(0xD800)), encodable(1.5)
    ('a�', 1.5)
    """
    return re.sub("[\ud800-\udfff]", "\ufffd", value) if isinstance(value, str) else value
