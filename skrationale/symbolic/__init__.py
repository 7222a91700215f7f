"""Symbolic distillation: a network trained to be smooth becomes a formula."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
