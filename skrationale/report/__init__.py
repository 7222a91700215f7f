"""Pages about fitted estimators and their teachers: one compares several, one is about a single model."""

from ._card import make_model_card
from ._report import Report, make_report

__all__ = ["Report", "make_model_card", "make_report"]
