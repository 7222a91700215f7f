from .explanation import Explanation
from .flint import FLINTClassifier, FLINTRegressor
from .formula import Formula
from .gbdt2nn import GBDT2NNStudent
from .rationale import RationaleClassifier, RationaleDistiller, RationaleRegressor
from .report import make_report
from .smooth import SmoothMLPClassifier, SmoothMLPRegressor
from .symbolic import SymbolicDistiller, SymbolicDistillerCV
from .trees import TreeContributions, tree_contributions

__version__: str
__all__ = [
    "Explanation",
    "FLINTClassifier",
    "FLINTRegressor",
    "Formula",
    "GBDT2NNStudent",
    "RationaleClassifier",
    "RationaleDistiller",
    "RationaleRegressor",
    "SmoothMLPClassifier",
    "SmoothMLPRegressor",
    "SymbolicDistiller",
    "SymbolicDistillerCV",
    "TreeContributions",
    "__version__",
    "make_report",
    "tree_contributions",
]
