"""States that a block turns on for its own thread alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Switch:
    """Off, but for the calling thread inside a ``with`` block: filters of Python's would reach all threads.

    Parameters
    ----------
    name : str
        Name of the variable, for debuggers.

    Examples
    --------
    >>> quiet = Switch("quiet")
    >>> with quiet.on():
    ...     bool(quiet)
    True
    >>> bool(quiet)
    False
    """

    def __init__(self, name: str) -> None:
        self._state = ContextVar(name, default=False)

    def __bool__(self) -> bool:
        return self._state.get()

    @contextmanager
    def on(self) -> Iterator[None]:
        """Turn it on inside the block."""
        token = self._state.set(True)
        try:
            yield
        finally:
            self._state.reset(token)
