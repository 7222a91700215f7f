from ._catboost import Combined, combined
from ._choosing import Rewritten, can_be_rewritten, known_levels, rewritten, source_of, takes_categories
from ._float32 import rounded_down
from ._to_lightgbm import levels_in, to_lightgbm
from ._words import words_of

__all__ = [
    "Combined",
    "Rewritten",
    "can_be_rewritten",
    "combined",
    "known_levels",
    "levels_in",
    "rewritten",
    "rounded_down",
    "source_of",
    "takes_categories",
    "to_lightgbm",
    "words_of",
]
