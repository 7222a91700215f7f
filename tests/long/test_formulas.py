"""What SymbolicDistiller finds with its default effort, and that a formula is what it says on many tables."""

import numpy as np
import pytest
import sympy
import torch
from sklearn.datasets import load_diabetes, load_iris, load_wine, make_friedman1, make_friedman2
from sklearn.model_selection import train_test_split

from skrationale import SmoothMLPClassifier, SymbolicDistiller


def test_friedman_in_15_seconds():
    scores = []
    for seed in range(3):
        X, y = make_friedman1(1000, noise=0.3, random_state=seed)
        X, X_test, y, y_test = train_test_split(X, y, random_state=seed)
        model = SymbolicDistiller(timeout_in_seconds=15, random_state=seed).fit(X, y)
        scores.append(model.score(X_test, y_test))
    assert np.median(scores) >= 0.97


TABLES = {
    "diabetes": (load_diabetes(return_X_y=True, as_frame=True, scaled=False), None),
    "friedman": (make_friedman2(500, noise=5.0, random_state=0), None),
    "iris": (load_iris(return_X_y=True, as_frame=True), SmoothMLPClassifier(random_state=0)),
    "wine": (load_wine(return_X_y=True), SmoothMLPClassifier(random_state=0)),
}


@pytest.mark.parametrize("name", TABLES)
def test_predict_sympy_and_torch_agree(name):
    (X, y), teacher = TABLES[name]
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    model = SymbolicDistiller(teacher, random_state=0).fit(X, y)
    assert model.score(X_test, y_test) > 0.4
    for formula in model.formulas_:
        names = [sympy.Symbol(variable, real=True) for variable in formula.variables]
        places = sympy.symbols(f"z:{len(names)}", real=True)
        compute = sympy.lambdify(
            places, formula.sympy().xreplace(dict(zip(names, places, strict=True))), "numpy"
        )
        for rows in (X, X_test):
            said, values = formula.predict(rows), formula.variable_values(rows)
            np.testing.assert_allclose(compute(*values.T), said, rtol=1e-9, atol=1e-9)
            with torch.no_grad():
                np.testing.assert_allclose(
                    formula.to_torch()(torch.tensor(values)), said, rtol=1e-9, atol=1e-9
                )
