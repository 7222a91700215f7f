"""Weights of classes multiply those of rows, and what they cannot reach is said."""

import warnings

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier

from skrationale import (
    FLINTClassifier,
    GBDT2NNStudent,
    RationaleClassifier,
    RationaleDistiller,
    RationaleRegressor,
    SmoothMLPClassifier,
    SmoothMLPRegressor,
    SymbolicDistiller,
    SymbolicDistillerCV,
    TextRationaleClassifier,
)
from skrationale._weights import class_factors

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
SCORE = X[:, 0] + RNG.normal(size=120)
Y = np.where(SCORE > 1.2, "rare", "usual")
FACTORS = {"rare": 8.0, "usual": 0.5}
ROWS = np.where(Y == "rare", 8.0, 0.5)
QUICK = {"hidden_layer_sizes": (8,), "max_epochs": 5, "random_state": 0}
TREES = {"n_estimators": 5, "num_leaves": 4, "verbose": -1, "n_jobs": 1}
SEARCH = {"niterations": 1, "n_searches": 1, "maxsize": 3, "random_state": 0, "jacobian_lambda": 0.1}
CLASSIFIERS = {
    "smooth": lambda **more: SmoothMLPClassifier(jacobian_lambda=0.1, **QUICK, **more),
    "rationale": lambda **more: RationaleClassifier(**QUICK, **more),
    "flint": lambda **more: FLINTClassifier(n_attributes=3, **QUICK, **more),
    "student": lambda **more: GBDT2NNStudent(LGBMClassifier(**TREES), n_synthetic=40, **QUICK, **more),
    "rekd": lambda **more: RationaleDistiller(LGBMClassifier(**TREES), **QUICK, **more),
    "formula": lambda **more: SymbolicDistiller(SmoothMLPClassifier(**QUICK), **SEARCH, **more),
}


@pytest.mark.parametrize("make", CLASSIFIERS.values(), ids=CLASSIFIERS.keys())
def test_they_are_weights_of_rows(make):
    own = make(class_weight=FACTORS).fit(X, Y, np.arange(120) + 1.0)
    rows = make().fit(X, Y, ROWS * (np.arange(120) + 1.0))
    np.testing.assert_array_equal(own.predict_proba(X), rows.predict_proba(X))
    plain = make().fit(X, Y)
    assert np.abs(own.predict_proba(X) - plain.predict_proba(X)).max() > 1e-3


def test_texts_have_them_too():
    texts = [" ".join(RNG.choice(["good", "bad", "film", "plot", "long"], 5)) for _ in range(60)]
    labels = np.array(["good good" in text for text in texts])
    options = {"max_epochs": 2, "random_state": 0}
    own = TextRationaleClassifier(class_weight={True: 5.0}, **options).fit(texts, labels)
    rows = TextRationaleClassifier(**options).fit(texts, labels, np.where(labels, 5.0, 1.0))
    np.testing.assert_array_equal(own.predict_proba(texts), rows.predict_proba(texts))


def test_a_teacher_that_is_fitted_here_has_them():
    student = CLASSIFIERS["student"](class_weight=FACTORS).fit(X, Y)
    weight = ROWS / ROWS.mean()
    teacher = LGBMClassifier(**TREES, random_state=student.teacher_.random_state).fit(
        X, Y, sample_weight=weight
    )
    np.testing.assert_allclose(student.teacher_.predict_proba(X), teacher.predict_proba(X), rtol=1e-12)


def test_folds_of_a_search_along_lambdas_weigh_once_and_do_not_warn():
    settings = {**SEARCH, "jacobian_lambdas": (0.0, 0.1), "cv": 2}
    del settings["jacobian_lambda"]
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="The teacher is frozen")
        own = SymbolicDistillerCV(SmoothMLPClassifier(**QUICK), class_weight=FACTORS, **settings).fit(X, Y)
        rows = SymbolicDistillerCV(SmoothMLPClassifier(**QUICK), **settings).fit(X, Y, ROWS)
    assert own.lambda_path_ == rows.lambda_path_
    np.testing.assert_array_equal(own.predict_proba(X), rows.predict_proba(X))


def test_balanced_makes_the_sums_of_classes_equal_also_of_weighted_rows():
    weight = RNG.integers(1, 5, 120).astype(float)
    factors = class_factors("balanced", Y, weight, True)
    sums = [(weight * factors)[label == Y].sum() for label in ("rare", "usual")]
    np.testing.assert_allclose(sums, weight.sum() / 2)
    repeated = np.repeat(np.arange(120), weight.astype(int))
    again = class_factors("balanced", Y[repeated], np.ones(len(repeated)), True)
    np.testing.assert_allclose(again, factors[repeated])
    model = CLASSIFIERS["smooth"](class_weight="balanced").fit(X, Y)
    assert (model.predict(X) == "rare").mean() > 1.5 * (
        CLASSIFIERS["smooth"]().fit(X, Y).predict(X) == "rare"
    ).mean()


FROZEN = {
    "student": lambda: GBDT2NNStudent(
        FrozenEstimator(LGBMClassifier(**TREES).fit(X, Y)), n_synthetic=40, **QUICK
    ),
    "rekd": lambda: RationaleDistiller(FrozenEstimator(LGBMClassifier(**TREES).fit(X, Y)), **QUICK),
    "flint": lambda: FLINTClassifier(
        FrozenEstimator(MLPClassifier((4,), max_iter=3, random_state=0).fit(X, Y)), n_attributes=3, **QUICK
    ),
}


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("make", FROZEN.values(), ids=FROZEN.keys())
def test_weights_that_do_not_reach_a_frozen_model_are_warned_of(make):
    with pytest.warns(UserWarning, match="(teacher|predictor) is frozen, so sample_weight and class_weight"):
        make().fit(X, Y, ROWS)
    with pytest.warns(UserWarning, match="is frozen"):
        make().set_params(class_weight="balanced").fit(X, Y)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*is frozen")
        make().fit(X, Y)
        make().fit(X, Y, np.full(120, 3.0))  # all rows weigh the same


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rare": 0.0}, r"class_weight\['rare'\] is 0.0; expected a finite number above 0"),
        ({"rare": -1}, r"class_weight\['rare'\] is -1"),
        ({"rare": "2"}, r"class_weight\['rare'\] is '2'"),
        (
            {"rare": 2.0, "usual-": 1.0},
            "the label 'usual-', which is not in y, and has no weight for the label 'usual'",
        ),
        ("even", "'class_weight' parameter of SmoothMLPClassifier must be .* Got 'even'"),
    ],
)
def test_wrong_weights_are_named(given, words):
    model = SmoothMLPClassifier(class_weight=given, **QUICK)
    with pytest.raises(ValueError, match=words):
        model.fit(X, Y)
    assert not hasattr(model, "classes_")


def test_a_label_that_a_fold_lacks_is_no_error():
    weights = {"rare": 2.0, "usual": 1.0, "elsewhere": 3.0}
    model = SmoothMLPClassifier(jacobian_lambda=0.1, class_weight=weights, **QUICK).fit(X, Y)
    assert list(model.classes_) == ["rare", "usual"]


def test_numbers_have_no_classes():
    with pytest.raises(
        ValueError, match="class_weight is 'balanced', but the target is numeric; expected None"
    ):
        GBDT2NNStudent(LGBMRegressor(**TREES), class_weight="balanced", **QUICK).fit(X, SCORE)
    with pytest.raises(ValueError, match="the target is numeric"):
        SymbolicDistiller(class_weight="balanced", **SEARCH).fit(X, SCORE)
    for regressor in (SmoothMLPRegressor, RationaleRegressor):
        assert "class_weight" not in regressor().get_params()
        with pytest.raises(TypeError, match="class_weight"):
            regressor(class_weight="balanced")


def test_streams_refuse_them():
    teacher = FrozenEstimator(LGBMClassifier(**TREES).fit(X, Y))
    with pytest.raises(
        ValueError, match="class_weight is 'balanced', but the teacher of fit_batches is fitted"
    ):
        GBDT2NNStudent(teacher, class_weight="balanced", **QUICK).fit_batches([(X, Y)], n_batches=1)
