from ._audit_report import RationaleAudit
from ._distiller import RationaleDistiller
from ._estimator import RationaleClassifier, RationaleRegressor
from .text import TextRationaleClassifier, TextRationaleDistiller, TextRationaleRegressor

__all__ = [
    "RationaleAudit",
    "RationaleClassifier",
    "RationaleDistiller",
    "RationaleRegressor",
    "TextRationaleClassifier",
    "TextRationaleDistiller",
    "TextRationaleRegressor",
]
