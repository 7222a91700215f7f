"""Warnings of a selection, which are not given where a report says the same."""

from __future__ import annotations

import warnings

from .._callers import outside
from .._switch import Switch

TOLD_ELSEWHERE = Switch("TOLD_ELSEWHERE")
"""On inside a block whose caller says what such warnings would."""


def warn(message: str) -> None:
    """Warn the user, unless the selection is told of elsewhere."""
    if not TOLD_ELSEWHERE:
        warnings.warn(message, UserWarning, stacklevel=outside())
