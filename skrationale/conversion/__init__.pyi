from ._choosing import Rewritten, can_be_rewritten, rewritten
from ._to_lightgbm import levels_in, to_lightgbm

__all__ = ["Rewritten", "can_be_rewritten", "levels_in", "rewritten", "to_lightgbm"]
