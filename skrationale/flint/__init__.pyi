from ._attribute_display import AttributeDisplay
from ._estimator import FLINTClassifier, FLINTRegressor

__all__ = ["AttributeDisplay", "FLINTClassifier", "FLINTRegressor"]
