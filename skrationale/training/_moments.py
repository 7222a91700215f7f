"""The units of a target of numbers."""

import numpy as np

from .._scales import moments

ROUNDING = 1e-12
"""Numbers whose standard deviation is this share of their mean are one number: 10,000 times what a float64
loses. Not measured."""


def mean_and_std(target: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Give the weighted mean and standard deviation of numbers (n,), 0 where they vary by rounding alone."""
    mean, deviation = moments(target, weight)
    return mean, deviation if deviation > ROUNDING * abs(mean) else 0.0
