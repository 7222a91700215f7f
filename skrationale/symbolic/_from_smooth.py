"""What the folder `smooth` has, and is imported from here too."""

from ..smooth import SmoothMLPClassifier, SmoothMLPRegressor, jacobian_penalty

__all__ = ["SmoothMLPClassifier", "SmoothMLPRegressor", "jacobian_penalty"]
