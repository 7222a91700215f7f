"""Seeds: what is given is used, what is missing is made up apart from the global generator."""

import numpy as np
import pytest
from lightgbm import LGBMRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline

from skrationale import GBDT2NNStudent, RationaleRegressor
from skrationale._random import fixed_seed, own_random_state, seed_unseeded


def test_seeds_that_are_given_or_fixed_are_kept():
    assert seed_unseeded(MLPRegressor(random_state=7), 0).random_state == 7
    assert seed_unseeded(LinearRegression(), 0).get_params() == LinearRegression().get_params()
    assert isinstance(seed_unseeded(MLPRegressor(), 0).random_state, int)
    assert seed_unseeded(make_pipeline(LGBMRegressor()), 0)[-1].random_state is None
    X = np.arange(60.0).reshape(30, 2)
    student = GBDT2NNStudent(LGBMRegressor(n_estimators=2, verbose=-1, n_jobs=1), max_epochs=1)
    assert student.fit(X, X[:, 0]).teacher_.random_state is None


def test_a_generator_that_is_given_is_used_and_advanced():
    given = np.random.RandomState(0)
    assert own_random_state(given) is given
    assert fixed_seed(3) == 3
    assert fixed_seed(np.random.RandomState(1)) == fixed_seed(np.random.RandomState(1))
    assert own_random_state(5).randint(10**6) == np.random.RandomState(5).randint(10**6)
    with pytest.raises(ValueError, match="cannot be used to seed"):
        own_random_state("much")
    X = np.random.RandomState(2).normal(size=(40, 2))
    RationaleRegressor((4,), max_epochs=1, random_state=given).fit(X, X[:, 0])
    assert given.randint(10**6) != np.random.RandomState(0).randint(10**6)
