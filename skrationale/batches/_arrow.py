"""pyarrow, which only tables beyond memory need."""

from __future__ import annotations

from types import ModuleType


def arrow(module: str = "") -> ModuleType:
    """Import pyarrow, or one of its modules.

    Parameters
    ----------
    module : str, default=""
        Such as ``"parquet"``; empty: pyarrow itself.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If it is not installed.
    """
    from importlib import import_module

    try:
        return import_module(f"pyarrow.{module}" if module else "pyarrow")
    except ImportError as error:
        raise ImportError("Data sets in parquet need pyarrow: pip install 'skrationale[arrow]'.") from error
