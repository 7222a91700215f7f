"""Names of the folders that this one is built on, which are imported from here too."""

from ..formula import Formula
from ..smooth import SmoothMLPClassifier, SmoothMLPRegressor, jacobian_penalty

__all__ = ["Formula", "SmoothMLPClassifier", "SmoothMLPRegressor", "jacobian_penalty"]
