"""One page that compares fitted estimators and their teachers on the same rows."""

from ._report import Report, make_report

__all__ = ["Report", "make_report"]
