"""Engines of symbolic regression behind one interface."""

from __future__ import annotations

from ._base import Engine


def resolve_engine(engine: str | Engine) -> Engine:
    """Give the engine that a parameter names; "auto" is Operon where it works, else PySR where that does."""
    if isinstance(engine, Engine):
        return engine
    from ._operon import OperonEngine
    from ._pysr import PySREngine

    if engine == "auto":
        usable = (candidate for candidate in (OperonEngine(), PySREngine()) if candidate.available() is None)
        return next(usable, OperonEngine())
    return OperonEngine() if engine == "operon" else PySREngine()
