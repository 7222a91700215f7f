"""Checks in tables, each with a mark that says whether it passed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ._html import Mark, Table
from ._words import shorten


class Check(NamedTuple):
    """One thing that was checked.

    Parameters
    ----------
    group : str
        Key of the group that it belongs to.
    name : str
        What was measured.
    value, error : float
        The figure and its standard error, NaN where there is none.
    good : str
        What is good, in words.
    passed : bool or None
        Whether it is; None of figures that are no test, and of what could not be tested.
    share : bool
        Whether the figure is a share, which is written as a percentage.
    """

    group: str
    name: str
    value: float
    error: float
    good: str
    passed: bool | None = None
    share: bool = False


def check_tables(groups: Mapping[str, str], checks: Sequence[Check]) -> list[Table]:
    """Write checks in a table for each group.

    Parameters
    ----------
    groups : mapping of str to str
        Caption of each group.
    checks : sequence of Check

    Returns
    -------
    list of Table
    """
    found = []
    for group, caption in groups.items():
        lines = [
            [shorten(one.name, 80), Mark(one.passed), _figure(one), shorten(one.good, 80)]
            for one in checks
            if one.group == group
        ]
        head = ["check", "", "value", "good is"]
        found.append(Table(caption, head, ["", "skr-u", "skr-n skr-pair", "skr-words"], lines))
    return found


def _figure(one: Check) -> str:
    """Give a figure of three decimals with its error, or a percentage."""
    if math.isnan(one.value):
        return "–"
    if one.share:
        return f"{one.value:.1%}"
    text = f"{one.value:.3f}" + ("" if math.isnan(one.error) else f" ± {one.error:.3f}")
    return text.replace("-", "−")
