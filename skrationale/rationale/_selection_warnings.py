"""Warnings of a selection, which are not given where a report says the same."""

from __future__ import annotations

import warnings

from .._callers import outside
from .._switch import Switch

REPORTED_ELSEWHERE = Switch("REPORTED_ELSEWHERE")
"""On inside a block whose caller says what such warnings would."""


def warn(message: str) -> None:
    """Warn the user, unless a report says the same."""
    if not REPORTED_ELSEWHERE:
        warnings.warn(message, UserWarning, stacklevel=outside())
