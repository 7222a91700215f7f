"""Formulas over the columns of a table: written, evaluated, explained and exported."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
