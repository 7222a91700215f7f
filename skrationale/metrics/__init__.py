"""Measures of how well a student follows its teacher, as pure functions."""

from ._fidelity import explanation_fidelity, prediction_fidelity

__all__ = ["explanation_fidelity", "prediction_fidelity"]
