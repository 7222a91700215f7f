"""Warnings point to the line of the user, and rows that are no table are refused."""

import warnings

import numpy as np
import pandas as pd
import pytest
from seeds import SEED
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrationale import (
    FLINTRegressor,
    GBDT2NNStudent,
    RationaleDistiller,
    RationaleRegressor,
    SmoothMLPRegressor,
    make_report,
)

RNG = np.random.RandomState(SEED)
X = pd.DataFrame({"age": RNG.rand(60), "city": RNG.choice(["Bonn", "Ulm", "Trier"], 60)})
Y = (X["age"] + (X["city"] == "Ulm")).rename("target")
QUICK = {"max_epochs": 1, "random_state": SEED}
MAKE = {
    "gbdt2nn": lambda: GBDT2NNStudent(n_synthetic=60, **QUICK),
    "rationale": lambda: RationaleRegressor(max_features=1, weight_decay=1e-3, **QUICK),
    "flint": lambda: FLINTRegressor(n_attributes=2, **QUICK),
    "smooth": lambda: SmoothMLPRegressor(jacobian_lambda=0.01, **QUICK),
}


def heard(call):
    """Give all warnings of a call."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call()
    return found


@pytest.mark.parametrize("y", [Y.to_frame(), Y.to_numpy()[:, None], [[value] for value in Y]], ids=type)
def test_a_target_that_is_a_column_is_told_at_the_line_of_the_user(y):
    found = [
        each for each in heard(lambda: MAKE["flint"]().fit(X, y)) if "column-vector" in str(each.message)
    ]
    assert [each.filename for each in found] == [__file__]


def test_warnings_of_a_teacher_fitted_on_the_way_point_to_the_line_of_the_user():
    student = RationaleDistiller(RationaleRegressor(max_features=2, weight_decay=1e-3, **QUICK), **QUICK)
    found = [
        each
        for each in heard(lambda: student.fit(X, Y))
        if "max_features=2 is no limit for 2" in str(each.message)
    ]
    assert found
    assert {each.filename for each in found} == {__file__}


def test_warnings_behind_scikit_learn_point_to_the_line_of_the_user():
    models = make_pipeline("passthrough", MAKE["rationale"]()), MAKE["flint"]().fit(X, Y)
    search = GridSearchCV(MAKE["rationale"](), {"max_features": [2]}, cv=2, refit=False)
    shouted = X.assign(city=X["city"].str.upper())
    for text, call in (
        ("only unknown levels", lambda: models[0].fit(X, Y).predict(shouted)),
        ("only unknown levels", lambda: models[1].transform(shouted)),
        ("max_features=2 is no limit for 2", lambda: search.fit(X, Y)),
    ):
        found = [each for each in heard(call) if text in str(each.message)]
        assert found
        assert {each.filename for each in found} == {__file__}


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("column", ["age", "city"])
def test_a_single_column_is_no_table(kind, column):
    model = MAKE[kind]()
    with pytest.raises(ValueError, match=r"Expected 2D array, got 1D array instead: X is a Series"):
        model.fit(X[column], Y)
    model.fit(X, Y)
    with pytest.raises(ValueError, match=r"Expected 2D array, got 1D array instead: X is a Series"):
        model.predict(X[column])


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("age", r"X: Expected 2D array, got 1D array instead: X is a Series"),
        ("city", r"The estimator 'model' cannot predict X: Expected 2D array, got 1D array instead"),  # texts
    ],
)
def test_a_report_refuses_a_single_column(tmp_path, column, message):
    model = MAKE["flint"]().fit(X, Y)
    with pytest.raises(ValueError, match=message):
        make_report({"model": model}, X[column], Y, tmp_path / "page.html")


def test_a_report_says_once_that_levels_are_unknown(tmp_path):
    model = MAKE["flint"]().fit(X, Y)
    shouted = X.assign(city=X["city"].str.upper())
    make_report({"model": model}, shouted, Y, tmp_path / "page.html", random_state=SEED)
    assert (tmp_path / "page.html").read_text(encoding="utf-8").count("only unknown levels") == 1


@pytest.mark.parametrize("kind", MAKE)
def test_rows_and_target_of_several_lengths_are_told_as_two_lengths(kind):
    with pytest.raises(ValueError, match=r"\[60, 59\]"):
        MAKE[kind]().fit(X, Y[:-1])
