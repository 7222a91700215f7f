from .explanation import Explanation
from .gbdt2nn import GBDT2NNStudent
from .symbolic import (
    Formula,
    SmoothMLPClassifier,
    SmoothMLPRegressor,
    SymbolicDistiller,
    SymbolicDistillerCV,
)

__version__: str
__all__ = [
    "Explanation",
    "Formula",
    "GBDT2NNStudent",
    "SmoothMLPClassifier",
    "SmoothMLPRegressor",
    "SymbolicDistiller",
    "SymbolicDistillerCV",
    "__version__",
]
