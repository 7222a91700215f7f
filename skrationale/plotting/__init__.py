"""Displays of an explanation, drawn with matplotlib."""

from ._bar import BarDisplay
from ._beeswarm import BeeswarmDisplay
from ._waterfall import WaterfallDisplay

__all__ = ["BarDisplay", "BeeswarmDisplay", "WaterfallDisplay"]
