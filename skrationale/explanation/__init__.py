"""The reasons behind predictions, and their renderings: frame, shap, JSON, HTML."""

from ._explanation import Explanation

__all__ = ["Explanation"]
