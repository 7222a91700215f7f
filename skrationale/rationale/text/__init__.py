"""Rationales of texts: every prediction is made from a few words, which are shown."""

from ._backbone import TextBackbone
from ._distiller import TextRationaleDistiller
from ._estimator import TextRationaleClassifier, TextRationaleRegressor

__all__ = ["TextBackbone", "TextRationaleClassifier", "TextRationaleDistiller", "TextRationaleRegressor"]
