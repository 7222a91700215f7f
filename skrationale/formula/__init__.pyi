from ._formula import Formula

__all__ = ["Formula"]
