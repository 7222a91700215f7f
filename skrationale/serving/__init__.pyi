from ._file import load, save
from ._mlflow import mlflow_model
from ._serving_copy import serving_copy
from ._skl2onnx import register_skl2onnx
from ._trusted import FOREST_TYPES, TRUSTED_TYPES

__all__ = [
    "FOREST_TYPES",
    "TRUSTED_TYPES",
    "load",
    "mlflow_model",
    "register_skl2onnx",
    "save",
    "serving_copy",
]
