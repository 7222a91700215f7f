from ._audit_report import RationaleAudit
from ._distiller import RationaleDistiller
from ._estimator import RationaleClassifier, RationaleRegressor

__all__ = ["RationaleAudit", "RationaleClassifier", "RationaleDistiller", "RationaleRegressor"]
