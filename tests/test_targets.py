"""What type holds the target makes no difference to any estimator, nor to its scores."""

import numpy as np
import pandas as pd
import pytest
from estimators import CLASSIFIERS, QUICK, REGRESSORS
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import is_classifier

from skrationale import (
    FLINTClassifier,
    FLINTRegressor,
    GBDT2NNStudent,
    RationaleClassifier,
    RationaleDistiller,
    RationaleRegressor,
    SmoothMLPClassifier,
    SmoothMLPRegressor,
    SymbolicDistiller,
)
from skrationale.report import make_report

RNG = np.random.RandomState(0)
X = RNG.normal(size=(120, 2))
THREE = np.digitize(X[:, 0], [-0.5, 0.5])
SMOOTH = QUICK | {"jacobian_lambda": 0.0}
TINY = {"hidden_layer_sizes": (4, 4), "n_attributes": 3, "max_epochs": 2, "random_state": 0}
SHORT = {"niterations": 2, "population_size": 20, "n_searches": 1, "maxsize": 6, "random_state": 0}
WITHOUT_TEACHER = {
    "gbdt2nn": lambda: GBDT2NNStudent(n_synthetic=10, **QUICK),
    "rationale-distiller": lambda: RationaleDistiller(audit_teacher=False, **QUICK),
    "symbolic": lambda: SymbolicDistiller(jacobian_lambda=None, **SHORT),
}
GIVEN = {
    "smooth": lambda: SmoothMLPClassifier(**SMOOTH),
    "rationale": lambda: RationaleClassifier(**QUICK),
    "flint": lambda: FLINTClassifier(**TINY),
}
NUMBERS = {
    "smooth": lambda: SmoothMLPRegressor(**SMOOTH),
    "rationale": lambda: RationaleRegressor(**QUICK),
    "flint": lambda: FLINTRegressor(**TINY),
}


@pytest.fixture(autouse=True)
def quick_teachers(monkeypatch):
    """Of the kinds that the distillers choose, but trained for a moment."""
    kinds = {
        GBDT2NNStudent: (LGBMClassifier, LGBMRegressor, {"n_estimators": 3, "num_leaves": 4, "verbose": -1}),
        RationaleDistiller: (RationaleClassifier, RationaleRegressor, QUICK),
        SymbolicDistiller: (SmoothMLPClassifier, SmoothMLPRegressor, SMOOTH),
    }
    for distiller, (classifies, regresses, settings) in kinds.items():

        def teacher(self, classifier, matrix=None, kinds=(regresses, classifies), settings=settings):
            return kinds[classifier](**settings)

        monkeypatch.setattr(distiller, "_default_teacher", teacher)


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]", "category"])
@pytest.mark.parametrize("name", ["gbdt2nn", "rationale-distiller"])
def test_whole_numbers_are_classes_without_a_teacher(name, dtype):
    if "pyarrow" in str(dtype):
        pytest.importorskip("pyarrow")
    y = pd.Series(THREE, dtype=dtype)
    model = WITHOUT_TEACHER[name]().fit(X, y)
    assert is_classifier(model)
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.classes_.dtype.kind in "iu"
    assert model.predict(X).dtype == model.classes_.dtype
    assert model.score(X, y) == np.mean(model.predict(X) == THREE)
    assert model.fidelity(X, y)["score"] == model.score(X, THREE)


def test_the_type_alone_makes_numbers_labels_for_formulas():
    numbers = pd.Series(THREE > 0, dtype="Int64")
    assert not is_classifier(WITHOUT_TEACHER["symbolic"]().fit(X, numbers))
    model = WITHOUT_TEACHER["symbolic"]().fit(X, numbers.astype("category"))
    assert is_classifier(model)
    assert model.classes_.tolist() == [0, 1]


@pytest.mark.parametrize("make", GIVEN.values(), ids=GIVEN.keys())
def test_classifiers_keep_the_type_of_labels(make):
    for y in (pd.Series(THREE, dtype="Int64"), THREE.astype(object), pd.Series(THREE, dtype="category")):
        model = make().fit(X, y)
        assert model.classes_.dtype == np.int64
        assert model.score(X, y) == np.mean(model.predict(X) == THREE)
    flags = make().fit(X, pd.Series(THREE > 0, dtype="boolean"))
    assert flags.classes_.dtype == bool


@pytest.mark.parametrize("make", NUMBERS.values(), ids=NUMBERS.keys())
def test_regressors_take_numbers_of_any_type(make):
    plain = make().fit(X, THREE.astype(float))
    for dtype in ("Int64", "Float32", object):
        y = pd.Series(THREE, dtype=dtype)
        model = make().fit(X, y)
        np.testing.assert_array_equal(model.predict(X), plain.predict(X))
        assert model.score(X, y) == plain.score(X, THREE)


@pytest.mark.parametrize("make", [*CLASSIFIERS.values(), *REGRESSORS.values()])
@pytest.mark.parametrize(
    ("missing", "text"),
    [
        (np.where(THREE > 1, None, THREE.astype(object)), "y contains None"),
        (pd.Series(THREE, dtype="Int64").mask(THREE > 1), "y contains NA"),
    ],
    ids=["None", "NA"],
)
def test_a_missing_target_is_refused_before_any_work(make, missing, text):
    with pytest.raises(ValueError, match=rf"{text}: the target is missing in {sum(THREE > 1)} of 120 rows"):
        make().fit(X, missing)


def test_scores_fidelity_audits_and_reports_refuse_a_missing_target(tmp_path):
    model = RationaleClassifier(**QUICK).fit(X, THREE)
    y = pd.Series(THREE, dtype="Int64")
    assert model.audit(X, y, n_refits=0).n_rows == 120
    make_report([model], X, y, tmp_path / "report.html")
    distiller = WITHOUT_TEACHER["gbdt2nn"]().fit(X, THREE)
    y[3] = pd.NA
    for asked in (
        lambda: model.score(X, y),
        lambda: model.audit(X, y),
        lambda: distiller.fidelity(X, y),
        lambda: make_report([model], X, y, tmp_path / "other.html"),
    ):
        with pytest.raises(ValueError, match=r"y contains NA: .* 1 of 120 rows \(counted from 0: 3\)"):
            asked()
