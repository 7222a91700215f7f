"""Distil a model together with its reasons."""

import lazy_loader as _lazy

from . import _moved

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
__version__ = "0.1.0.dev3"
_moved.register()
