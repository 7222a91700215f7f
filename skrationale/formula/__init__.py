"""Formulas of the columns of a table: write, evaluate, explain and export them."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
