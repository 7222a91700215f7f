"""Explanations of predictions, which can be written as tables, shap objects, JSON and HTML."""

from ._cells import TypedCells as TypedCells
from ._cells import TypedColumn as TypedColumn
from ._explanation import Explanation
from ._text import TextExplanation

__all__ = ["Explanation", "TextExplanation"]
