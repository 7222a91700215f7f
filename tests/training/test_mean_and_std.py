"""The units of a target."""

import numpy as np
import pytest

from skrationale.training import mean_and_std

Y = np.random.default_rng(0).normal(size=50) + 3


@pytest.mark.parametrize("power", [-1000, -40, 0, 40, 1000])
def test_mean_and_deviation_are_those_of_any_unit(power):
    mean, deviation = mean_and_std(np.ldexp(Y, power), np.ones(50))
    assert mean == np.ldexp(Y.mean(), power)
    assert deviation == np.ldexp(Y.std(), power)


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e200])
def test_rounding_is_no_spread(unit):
    assert mean_and_std(np.full(50, 0.1 * unit), np.ones(50))[1] == 0
    assert mean_and_std(unit * (1e9 + Y), np.ones(50))[1] > 0
    assert mean_and_std(np.zeros(50), np.ones(50)) == (0.0, 0.0)
