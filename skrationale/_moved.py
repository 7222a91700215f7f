"""Where classes stood in 0.1.0.dev0: its formulas load from pickles, its other objects say their version."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_WRAPPED = {"GivenMLP": "WrappedMLP", "GivenModel": "WrappedReasoner", "GivenModule": "WrappedModule"}
_PLACES: dict[str, tuple[str | None, dict[str, str]]] = {
    ".symbolic._formula": (".formula._formula", {}),
    ".symbolic._variables": (".formula.variables", {}),
    ".symbolic._smooth_mlp": (".smooth._estimator", {}),
    ".symbolic._path": (".smooth._path", {}),
    ".symbolic._program": (None, {}),
    ".symbolic.exports._torch": (None, {}),
    ".flint._given": (".flint._wrapped_predictors", _WRAPPED),
    ".rationale._masks": (".units._rule", {}),
}
"""By earlier module: the module of today and the classes with another name there; None where pickles of it
cannot be read."""


class _Place(ModuleType):
    """A module that takes each name from where it is now, when it is asked for."""

    def __init__(self, name: str, now: str | None, names: dict[str, str]) -> None:
        super().__init__(f"{__package__}{name}")
        self._now, self._names = now, names

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what tools ask of any module imports nothing
            raise AttributeError(name)
        if self._now is None:
            raise ImportError(
                f"{self.__name__}.{name} was pickled by skrationale 0.1.0.dev0, which this version "
                "cannot read: make it again, or load it with skrationale 0.1.0.dev0."
            )
        return getattr(import_module(self._now, __package__), self._names.get(name, name))


def register() -> None:
    """Let `pickle` find the classes."""
    for name, (now, names) in _PLACES.items():
        place = _Place(name, now, names)
        sys.modules.setdefault(place.__name__, place)
