"""What the folder `formula` has, and is imported from here too; it loads no torch."""

from ..formula import Formula

__all__ = ["Formula"]
