from ._audit_report import RationaleAudit
from ._distiller import RationaleDistiller
from ._estimator import RationaleClassifier, RationaleRegressor
from .picture import PictureAudit
from .text import TextBackbone, TextRationaleClassifier, TextRationaleDistiller, TextRationaleRegressor

__all__ = [
    "PictureAudit",
    "RationaleAudit",
    "RationaleClassifier",
    "RationaleDistiller",
    "RationaleRegressor",
    "TextBackbone",
    "TextRationaleClassifier",
    "TextRationaleDistiller",
    "TextRationaleRegressor",
]
