"""A student that keeps the monotone constraints of its teacher, in every row."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skrationale import GBDT2NNStudent

TREES = {"n_estimators": 40, "num_leaves": 15, "learning_rate": 0.2, "min_child_samples": 5, "verbose": -1}
FAST = {"hidden_layer_sizes": (16, 15), "max_epochs": 6, "n_synthetic": 600, "random_state": 0}
SIGNS = {"income": 1, "debt": -1}
N = 600


def rows():
    """Numbers, a category and missing cells; `income` helps and `debt` hurts, more or less by group."""
    rng = np.random.RandomState(0)
    X = pd.DataFrame(rng.normal(size=(N, 4)), columns=["age", "income", "debt", "wealth"])
    X["city"] = pd.Categorical(rng.choice(["Bonn", "Köln", "Ulm"], N))
    y = np.sin(2 * X["age"]) + X["income"] * (1 + (X["city"] == "Ulm")) - np.exp(X["debt"] / 2)
    y = (y + 0.5 * X["age"] * X["wealth"] + rng.normal(size=N)).to_numpy()
    X.loc[rng.rand(N) < 0.1, "income"] = np.nan
    X.loc[rng.rand(N) < 0.1, "age"] = np.nan
    return X, y


X, Y = rows()
CONSTRAINED = TREES | {"monotone_constraints": [SIGNS.get(name, 0) for name in X], "n_jobs": 1}
TEACHERS = {
    "numbers": (LGBMRegressor(**CONSTRAINED), Y),
    "poisson": (LGBMRegressor(objective="poisson", **CONSTRAINED), np.exp(Y / 2).round()),
    "two": (LGBMClassifier(**CONSTRAINED), Y > 0),
    "three": (LGBMClassifier(**CONSTRAINED | {"n_estimators": 10}), np.digitize(Y, [-1, 1])),
}


def steps_the_wrong_way(score, table, column, sign):
    """Largest step (a number for each row) against a sign, along all values that a column may have."""
    values = np.r_[-1e9, np.unique(X[column].dropna()), 1e9]
    many = table.loc[table.index.repeat(len(values))].reset_index(drop=True)
    many[column] = np.tile(values, len(table))
    found = np.asarray(score(many)).reshape(len(table), len(values), -1) * sign
    return (np.maximum.accumulate(found, axis=1) - found).max(axis=(1, 2))


def raw_score(model):
    return lambda table: model._scores(model._read(table))


@pytest.mark.parametrize("target", TEACHERS)
@pytest.mark.parametrize("explanation", ["tree_shap", "path", None])
def test_no_row_breaks_a_constraint_and_reasons_add_up(target, explanation):
    teacher, y = TEACHERS[target]
    model = GBDT2NNStudent(teacher, monotone="teacher", explanation=explanation, **FAST)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, y)
    scores = raw_score(model)(X)
    for column, sign in SIGNS.items():
        wrong = steps_the_wrong_way(raw_score(model), X[:12], column, sign)
        assert wrong.max() <= 1e-12 * np.ptp(scores)
        # steps the right way there are
        assert steps_the_wrong_way(raw_score(model), X[:12], column, -sign).min() > 0.01 * np.ptp(scores)
    if explanation is None:
        return
    reasons = model.explain(X)
    assert reasons.additivity_error(scores if scores.shape[1] > 1 else scores[:, 0]) < 1e-12
    assert reasons.feature_names == tuple(X)
    assert model.fidelity(X)["prediction_r2"] > 0.2


@pytest.fixture(scope="module")
def pair():
    teacher = TEACHERS["numbers"][0].fit(X, Y)
    longer = FAST | {"max_epochs": 30, "hidden_layer_sizes": (32, 32)}
    with pytest.warns(UserWarning, match="must not happen, set monotone='teacher', or predict with"):
        plain = GBDT2NNStudent(FrozenEstimator(teacher), **longer).fit(X, Y)
    return plain, clone(plain).set_params(monotone="teacher").fit(X, Y)


def test_an_unconstrained_student_breaks_them(pair):
    plain, monotone = pair
    for model, share in ((plain, 0.5), (monotone, 0.0)):
        wrong = [steps_the_wrong_way(model.predict, X[:40], name, sign) for name, sign in SIGNS.items()]
        assert (np.max(wrong, axis=0) > 1e-9).mean() >= share
    assert np.max(wrong) < 1e-9


def test_fidelity_costs_little(pair):
    plain, monotone = (model.fidelity(X) for model in pair)
    assert monotone["prediction_r2"] > max(plain["prediction_r2"] - 0.05, 0.8)
    assert monotone["explanation_r2"] > max(plain["explanation_r2"] - 0.05, 0.8)


def test_it_is_a_model_like_others(pair):
    plain, monotone = pair
    copy = pickle.loads(pickle.dumps(monotone))
    np.testing.assert_array_equal(copy.predict(X), monotone.predict(X))
    again = clone(monotone).fit(X, Y)
    np.testing.assert_array_equal(again.predict(X), monotone.predict(X))
    many = pd.concat([X] * 5, ignore_index=True)
    np.testing.assert_allclose(monotone.predict(many)[:N], monotone.predict(X), rtol=1e-12)
    np.testing.assert_allclose(
        monotone.explain(X[:50], batch_size=7).values, monotone.explain(X[:50]).values, rtol=1e-9
    )
    assert monotone.feature_importances_.sum() == pytest.approx(1)
    states = monotone._hidden_states(monotone._read(X[:5]))
    assert [state.shape for state in states] == [(5, 64), (5, 64)]
    assert "train_sum" in monotone.history_[0]
    assert "train_sum" not in plain.history_[0]


def test_a_teacher_may_know_the_columns_in_another_order():
    turned = X[["debt", "city", "wealth", "income", "age"]]
    signs = [SIGNS.get(name, 0) for name in turned]
    teacher = LGBMRegressor(**TREES | {"monotone_constraints": signs, "n_jobs": 1}).fit(turned, Y)
    model = GBDT2NNStudent(FrozenEstimator(teacher), monotone="teacher", **FAST).fit(X, Y)
    for column, sign in SIGNS.items():
        assert steps_the_wrong_way(model.predict, X[:5], column, sign).max() < 1e-12
    with pytest.warns(UserWarning, match=r"on 'debt' \(falls\), 'income' \(rises\)\. The student"):
        model.set_params(monotone=None, max_epochs=1).fit(X, Y)


def test_a_teacher_without_constraints_has_none_to_keep():
    teacher = LGBMRegressor(**TREES | {"n_jobs": 1})
    one = GBDT2NNStudent(teacher, **FAST).fit(X, Y)
    other = GBDT2NNStudent(teacher, monotone="teacher", **FAST).fit(X, Y)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))


@pytest.mark.parametrize("imitation", ["joint", "independent"])
def test_schemes_whose_reasons_do_not_add_up_are_refused(imitation):
    model = GBDT2NNStudent(TEACHERS["numbers"][0], monotone="teacher", imitation=imitation, **FAST)
    with pytest.raises(ValueError, match=rf"expected imitation='additive'\. Got '{imitation}' instead"):
        model.fit(X, Y)
    with pytest.raises(ValueError, match="'monotone' parameter .* Got 'yes'"):
        GBDT2NNStudent(TEACHERS["numbers"][0], monotone="yes").fit(X, Y)


def test_a_narrow_network_and_a_lone_column():
    one = X[["income"]]
    teacher = LGBMRegressor(**TREES | {"monotone_constraints": [1], "n_jobs": 1})
    model = GBDT2NNStudent(teacher, monotone="teacher", **FAST | {"hidden_layer_sizes": (1,)}).fit(one, Y)
    assert steps_the_wrong_way(model.predict, one[:3], "income", 1).max() < 1e-12
    assert model.explain(one).additivity_error(model.predict(one)) < 1e-12
