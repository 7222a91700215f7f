"""Pieces of a Markdown document; what comes from users is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..writing import encodable, shorten, visible

_SIGNS = re.compile(r"([\\`*_\[\]{}<>|&~@/$]|^[-+#=]|(?<=\bwww)\.)")
"""Signs with a meaning in Markdown, which a backslash makes plain; some only where a text begins."""
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")


def text(value: object, width: int = 120) -> str:
    r"""Write what a user named as plain text of one line.

    Parameters
    ----------
    value : object
        Written by ``str``.
    width : int, default=120
        Most signs, before they are escaped.

    Returns
    -------
    str
        No sign of it has a meaning in Markdown, nor in a cell of a table.

    Examples
    --------
    >>> text("a|b <i>\n*c*")
    'a\\|b \\<i\\> \\*c\\*'
    """
    shown = _SIGNS.sub(r"\\\1", visible(shorten(encodable(str(value)), width)))
    return _NUMBERED.sub(r"\1\\\2", shown)


def code(value: str, width: int = 5000) -> str:
    """Write a block of code, fenced with more backticks than it holds in a row.

    Examples
    --------
    >>> print(code("x = 1"))
    ```
    x = 1
    ```
    """
    shown = visible(encodable(value))
    shown = shown if len(shown) <= width else f"{shown[:width]} …"
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", shown)), default=0))
    return f"{fence}\n{shown}\n{fence}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 1) -> str:
    """Write a table of cells that are escaped already; columns from the one counted `numbers` on are numbers.

    Examples
    --------
    >>> print(table(["column", "share"], [["age", "31%"]]))
    | column | share |
    | --- | ---: |
    | age | 31% |
    """
    marks = ["---" if j < numbers else "---:" for j in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, marks, *rows))


def bullets(lines: Sequence[str]) -> str:
    """Write a list; each line is written already."""
    return "\n".join(f"- {line}" for line in lines)
