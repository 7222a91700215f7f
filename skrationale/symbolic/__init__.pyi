from ._distiller import SymbolicDistiller
from ._distiller_cv import SymbolicDistillerCV
from ._formula import Formula
from ._penalties import jacobian_penalty
from ._smooth_mlp import SmoothMLPClassifier, SmoothMLPRegressor
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
