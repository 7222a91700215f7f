"""Measures of explanations, and of how well a student agrees with its teacher: functions and scorers."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
