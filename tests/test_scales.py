"""Units of the target and of columns change no prediction, or an error says which of them is to blame."""

import numpy as np
import pytest
from estimators import FLINT, RATIONALE, REGRESSORS, SHORT, SMOOTH
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrationale import (
    FLINTRegressor,
    GBDT2NNStudent,
    RationaleRegressor,
    SmoothMLPRegressor,
    SymbolicDistiller,
)

FEW = {"hidden_layer_sizes": (16,), "max_epochs": 5, "n_synthetic": 200, "random_state": 0}
MAKERS = {
    "gbdt2nn": REGRESSORS["gbdt2nn"],
    "gbdt2nn-default-teacher": lambda: GBDT2NNStudent(label_lambda=0.5, **FEW),
    "smooth-mlp": lambda: SmoothMLPRegressor(**SMOOTH | {"max_epochs": 10}),
    "symbolic": lambda: SymbolicDistiller(
        make_pipeline(StandardScaler(), LinearRegression()), teacher_weight=0.5, **SHORT
    ),
    "rationale": lambda: RationaleRegressor(**RATIONALE | {"max_epochs": 4}),
    "flint": lambda: FLINTRegressor(**FLINT | {"max_epochs": 10}),
}
RNG = np.random.RandomState(0)
X = RNG.normal(size=(260, 3))
Y = 2 * X[:, 0] + X[:, 1] * X[:, 2] + 0.1 * RNG.normal(size=260) + 3
every = pytest.mark.parametrize("name", MAKERS)
ROUNDED = {"gbdt2nn": 1e-5, "gbdt2nn-default-teacher": 1e-5, "symbolic": 1e-6}
"""LightGBM keeps targets and gains as float32; constants of formulas are rounded in units of the columns."""


@pytest.fixture(scope="module")
def fitted():
    models: dict = {}

    def get(name):
        if name not in models:
            models[name] = MAKERS[name]().fit(X, Y)
        return models[name]

    return get


def in_units(*powers):
    return np.ldexp(X, powers)


@pytest.mark.parametrize("c", [1e-12, 1e12])
@every
def test_predictions_and_reasons_of_a_scaled_target_are_scaled(name, c, fitted):
    usual, scaled = fitted(name), MAKERS[name]().fit(X, c * Y)
    tolerance = ROUNDED.get(name, 1e-9) * Y.std()
    np.testing.assert_allclose(scaled.predict(X) / c, usual.predict(X), rtol=0, atol=tolerance)
    assert scaled.score(X, c * Y) == pytest.approx(usual.score(X, Y), abs=1e-5)
    np.testing.assert_allclose(scaled.feature_importances_, usual.feature_importances_, atol=1e-4)
    reasons, own = scaled.explain(X[:20]), usual.explain(X[:20])
    if reasons.kind != "rationale":
        np.testing.assert_allclose(reasons.values / c, own.values, rtol=0, atol=10 * tolerance)
        assert reasons.additivity_error(scaled.predict(X[:20])) < 1e-5
        assert reasons.additivity_error(scaled.predict(X[:20]) + c) > 0.01


@every
def test_powers_of_two_in_columns_change_no_prediction(name, fitted):
    usual = fitted(name).predict(X)
    for powers in ((-100, 100, 30), (100, -30, -100)):
        columns = in_units(*powers)
        scaled = MAKERS[name]().fit(columns, Y).predict(columns)
        np.testing.assert_allclose(scaled, usual, rtol=0, atol=ROUNDED.get(name, 1e-9) * Y.std())


@every
def test_columns_of_any_unit_are_read_or_named(name, fitted):
    for j, power in ((0, -700), (1, 1000), (2, -1015)):
        columns = X.copy()
        columns[:, j] = np.ldexp(X[:, j], power)
        error = ""
        try:
            found = MAKERS[name]().fit(columns, Y).predict(columns)
        except ValueError as refused:
            error = str(refused)
        if error:
            assert f"Column 'x{j}'" in error
            continue
        np.testing.assert_allclose(found, fitted(name).predict(X), rtol=0, atol=1e-6)


def test_the_formula_of_a_small_target_is_that_of_the_target_in_small():
    y = 3 * X[:, 0] * X[:, 1] + X[:, 2]
    usual, small = (MAKERS["symbolic"]().set_params(teacher_weight=0).fit(X, c * y) for c in (1, 1e-6))
    assert small.score(X, 1e-6 * y) > 0.9999
    assert small.formula_.variables == usual.formula_.variables
    assert small.formula_.complexity == usual.formula_.complexity
    same = {f"{1e6 * float(term.as_coeff_Mul()[0]):.6g}" for term in small.formula_.terms}
    assert same == {f"{float(term.as_coeff_Mul()[0]):.6g}" for term in usual.formula_.terms}


@pytest.mark.parametrize("c", [1e-150, 1e150])
def test_targets_whose_squares_no_float_holds_are_refused(c):
    with pytest.raises(ValueError, match="y holds numbers .* expected numbers up to 1e135"):
        MAKERS["smooth-mlp"]().fit(X, c * Y)
