from ._distiller import SymbolicDistiller
from ._distiller_cv import SymbolicDistillerCV
from ._from_formula import Formula
from ._from_smooth import SmoothMLPClassifier, SmoothMLPRegressor, jacobian_penalty
from .engines._base import Engine, EngineError
from .engines._operon import OperonEngine
from .engines._pysr import PySREngine

__all__ = [
    "Engine",
    "EngineError",
    "Formula",
    "OperonEngine",
    "PySREngine",
    "SmoothMLPClassifier",
    "SmoothMLPRegressor",
    "SymbolicDistiller",
    "SymbolicDistillerCV",
    "jacobian_penalty",
]
