"""Warnings of a selection, which are not given where a report says the same."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_TOLD = ContextVar("_TOLD", default=False)


def warn(message: str, stacklevel: int) -> None:
    """Warn the user, `stacklevel` calls above the caller's, unless the selection is told of elsewhere."""
    if not _TOLD.get():
        warnings.warn(message, UserWarning, stacklevel=stacklevel + 1)


@contextmanager
def told_elsewhere() -> Iterator[None]:
    """Let the block give no such warnings; filters of Python would silence other threads too."""
    token = _TOLD.set(True)
    try:
        yield
    finally:
        _TOLD.reset(token)
