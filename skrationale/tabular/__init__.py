"""Tables to numbers and back: one original column stays one feature."""

from ._reader import TableReader

__all__ = ["TableReader"]
