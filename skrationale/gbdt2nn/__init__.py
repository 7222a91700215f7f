"""GBDT2NN: a LightGBM becomes a network whose prediction is the sum of contributions, one per column."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
