"""Rationales: every prediction uses a few columns, and small models learn from large ones which columns."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
