"""FLINT: a network and a small dictionary of readable attributes learn each other (arXiv 2010.09345)."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
