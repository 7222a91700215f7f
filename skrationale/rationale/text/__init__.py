"""Rationales of texts: every prediction is made from a few words, which are shown."""

from ._distiller import TextRationaleDistiller
from ._estimator import TextRationaleClassifier, TextRationaleRegressor

__all__ = ["TextRationaleClassifier", "TextRationaleDistiller", "TextRationaleRegressor"]
