from ._file import load, save
from ._serving_copy import serving_copy
from ._trusted import FOREST_TYPES, TRUSTED_TYPES

__all__ = ["FOREST_TYPES", "TRUSTED_TYPES", "load", "save", "serving_copy"]
