"""Where classes stood in 0.1.0.dev0: its pickled formulas load, and its networks can say their version."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_PLACES = {
    "_formula": "..formula._formula",
    "_variables": "..formula.variables",
    "_smooth_mlp": "..smooth._estimator",
    "_path": "..smooth._path",
}


class _Place(ModuleType):
    """A module that takes each name from where it is now, when it is asked for."""

    def __init__(self, name: str, now: str) -> None:
        super().__init__(f"{__package__}.{name}")
        self._now = now

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what tools ask of any module imports nothing
            raise AttributeError(name)
        return getattr(import_module(self._now, __package__), name)


def register() -> None:
    """Let `pickle` find the classes."""
    for name, now in _PLACES.items():
        place = _Place(name, now)
        sys.modules.setdefault(place.__name__, place)
