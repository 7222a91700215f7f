from ._pipelines import explain_pipeline
from .batches import BatchExplainer, DatasetSummary, explain_dataset, explain_jobs
from .conversion import to_lightgbm
from .explanation import Explanation, TextExplanation
from .flint import FLINTClassifier, FLINTRegressor
from .formula import Formula
from .gbdt2nn import GBDT2NNStudent
from .rationale import (
    RationaleClassifier,
    RationaleDistiller,
    RationaleRegressor,
    TextRationaleClassifier,
    TextRationaleDistiller,
    TextRationaleRegressor,
)
from .report import make_report
from .serving import TRUSTED_TYPES
from .smooth import SmoothMLPClassifier, SmoothMLPRegressor
from .symbolic import SymbolicDistiller, SymbolicDistillerCV
from .tabular import DateParts
from .teachers.booster import as_teacher
from .trees import (
    Interactions,
    TreeContributions,
    TreeInteractions,
    tree_contributions,
    tree_interactions,
)

__version__: str
__all__ = [
    "TRUSTED_TYPES",
    "BatchExplainer",
    "DatasetSummary",
    "DateParts",
    "Explanation",
    "FLINTClassifier",
    "FLINTRegressor",
    "Formula",
    "GBDT2NNStudent",
    "Interactions",
    "RationaleClassifier",
    "RationaleDistiller",
    "RationaleRegressor",
    "SmoothMLPClassifier",
    "SmoothMLPRegressor",
    "SymbolicDistiller",
    "SymbolicDistillerCV",
    "TextExplanation",
    "TextRationaleClassifier",
    "TextRationaleDistiller",
    "TextRationaleRegressor",
    "TreeContributions",
    "TreeInteractions",
    "__version__",
    "as_teacher",
    "explain_dataset",
    "explain_jobs",
    "explain_pipeline",
    "make_report",
    "to_lightgbm",
    "tree_contributions",
    "tree_interactions",
]
