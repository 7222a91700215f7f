from ._estimator import SmoothMLPClassifier, SmoothMLPRegressor
from ._penalties import jacobian_penalty

__all__ = ["SmoothMLPClassifier", "SmoothMLPRegressor", "jacobian_penalty"]
