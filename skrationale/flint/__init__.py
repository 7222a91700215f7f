"""FLINT: a network is trained together with a small set of readable attributes (arXiv 2010.09345)."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
