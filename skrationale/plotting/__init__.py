"""Displays of explanations and of fitted models, drawn with matplotlib."""

from ._attribute_table import AttributeTableDisplay
from ._bar import BarDisplay
from ._beeswarm import BeeswarmDisplay
from ._dependence import DependenceDisplay
from ._fidelity import FidelityDisplay
from ._lambda_path import LambdaPathDisplay
from ._pareto import ParetoDisplay
from ._pictures import ImageRationaleDisplay
from ._rationale import RationaleDisplay
from ._training import TrainingDisplay
from ._waterfall import WaterfallDisplay

__all__ = [
    "AttributeTableDisplay",
    "BarDisplay",
    "BeeswarmDisplay",
    "DependenceDisplay",
    "FidelityDisplay",
    "ImageRationaleDisplay",
    "LambdaPathDisplay",
    "ParetoDisplay",
    "RationaleDisplay",
    "TrainingDisplay",
    "WaterfallDisplay",
]
