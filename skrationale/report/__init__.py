"""Pages about fitted estimators: a report that compares several, and a card of a single model."""

from ._card import make_model_card
from ._report import Report, make_report

__all__ = ["Report", "make_model_card", "make_report"]
