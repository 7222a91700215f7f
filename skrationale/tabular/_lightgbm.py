"""Names and levels in the forms that LightGBM can keep."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

PLAIN = (str, bool, int, float, np.bool_, np.integer, np.floating)
"""Types of levels that come back from LightGBM's text as they were."""


def safe_names(names: Sequence[str]) -> list[str]:
    """Replace what LightGBM does not take in names of columns, and keep them different.

    Examples
    --------
    >>> safe_names(["a b", "a:b", "c"])
    ['a_b', 'a_b_2', 'c']
    """
    safe: dict[str, None] = {}
    for name in names:
        base = candidate = re.sub(r"[^\w.+\-/()%#<>=]", "_", name) or "_"
        number = 1
        while candidate in safe:
            number += 1
            candidate = f"{base}_{number}"
        safe[candidate] = None
    return list(safe)


def stand_ins(levels: Sequence[Any] | np.ndarray) -> np.ndarray:
    """Give levels that LightGBM can save: text for intervals, dates, bytes and the like.

    Parameters
    ----------
    levels : sequence of l different values
        Text, numbers and booleans stay as they are.

    Returns
    -------
    ndarray of shape (l,), dtype object
        All different.

    Examples
    --------
    >>> import datetime
    >>> stand_ins(["a", datetime.date(2020, 1, 1)]).tolist()
    ['a', '2020-01-01']
    """
    plain = np.empty(len(levels), dtype=object)
    taken = {level for level in levels if isinstance(level, PLAIN)}
    for i, level in enumerate(levels):
        text = level
        if not isinstance(level, PLAIN):
            text = base = str(level)
            number = 1
            while text in taken:
                number += 1
                text = f"{base} ({number})"
            taken.add(text)
        plain[i] = text
    return plain
