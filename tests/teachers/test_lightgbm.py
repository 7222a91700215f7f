import pickle
import warnings

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from forests import classes
from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from skrationale._task import apply_link
from skrationale.teachers.lightgbm import LINKS, LightGBMTeacher

SMALL = {"n_estimators": 8, "num_leaves": 7, "verbose": -1, "n_jobs": 1, "random_state": 0}
N = 300


def table(n=N, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    frame.loc[rng.random(n) < 0.2, "b"] = np.nan
    frame["city"] = pd.Categorical(rng.choice(["Ulm", "Bonn", "Kiel", "Jena"], n))
    return frame


def target(X):
    y = X["a"] + 2 * (X["b"] > 0) + X["city"].astype(object).map({"Ulm": 1, "Bonn": -1, "Kiel": 2, "Jena": 0})
    return y.to_numpy()


def in_unit_interval(y):
    return (y - y.min() + 0.1) / (y.max() - y.min() + 0.2)


@pytest.fixture(scope="module")
def X():
    return table()


@pytest.fixture(scope="module")
def y(X):
    return target(X)


REGRESSION = ["regression", "regression_l1", "huber", "fair", "quantile", "mape"]


@pytest.mark.parametrize("objective", [*REGRESSION, "poisson", "gamma", "tweedie", "cross_entropy"])
def test_response_of_regression_objectives_is_predict(X, y, objective):
    model = LGBMRegressor(objective=objective, **SMALL).fit(X, in_unit_interval(y))
    teacher = LightGBMTeacher(model)
    raw = teacher.raw_scores(X)
    assert raw.shape == (N, 1)
    assert raw.dtype == np.float64
    assert (teacher.objective, teacher.link) == (objective, LINKS[objective])
    np.testing.assert_allclose(apply_link(raw, teacher.link)[:, 0], model.predict(X), rtol=1e-12)


@pytest.mark.parametrize("sigmoid", [1.0, 2.0])
def test_binary_scores_are_log_odds(X, y, sigmoid):
    model = LGBMClassifier(sigmoid=sigmoid, **SMALL).fit(X, y > 1)
    teacher = LightGBMTeacher(model)
    positive = model.predict_proba(X)[:, 1]
    np.testing.assert_allclose(teacher.raw_scores(X)[:, 0], np.log(positive / (1 - positive)), atol=1e-9)
    np.testing.assert_allclose(apply_link(teacher.raw_scores(X), teacher.link)[:, 0], positive, rtol=1e-12)
    assert (teacher.link, teacher.n_outputs, teacher.scale) == ("logit", 1, sigmoid)


@pytest.mark.parametrize(
    ("objective", "link", "extra"),
    [
        ("multiclass", "softmax", {}),
        ("multiclassova", "logit", {}),
        ("multiclassova", "logit", {"sigmoid": 2.0}),
    ],
)
def test_response_of_classes_is_predict_proba(X, y, objective, link, extra):
    model = LGBMClassifier(objective=objective, **extra, **SMALL).fit(X, classes(y, 3))
    teacher = LightGBMTeacher(model)
    assert (teacher.link, teacher.n_outputs, teacher.n_features) == (link, 3, 3)
    response = apply_link(teacher.raw_scores(X), teacher.link)
    np.testing.assert_allclose(response, model.predict_proba(X), rtol=1e-12)
    assert teacher.leaves(X).shape == (N, 3 * SMALL["n_estimators"])


def test_random_forest_scores_are_averages(X, y):
    model = LGBMRegressor(boosting_type="rf", subsample=0.6, subsample_freq=1, **SMALL).fit(X, y)
    np.testing.assert_allclose(LightGBMTeacher(model).raw_scores(X)[:, 0], model.predict(X), rtol=1e-12)


@pytest.mark.parametrize(
    "extra", [{}, {"boosting": "rf", "bagging_fraction": 0.6, "bagging_freq": 1}], ids=str
)
def test_early_stopping_means_the_same_trees_everywhere(X, y, extra):
    params = {"verbose": -1, "num_threads": 1, "num_leaves": 7, "learning_rate": 0.5, **extra}
    data = lgb.Dataset(X[:200], y[:200], free_raw_data=False)
    booster = lgb.train(params, data, 20, keep_training_booster=True)
    # what early stopping leaves behind while the booster is kept for more training
    booster.best_iteration = best = 5
    assert booster.num_trees() == 20
    teacher = LightGBMTeacher(booster)
    assert teacher.leaves(X).shape == (N, best)
    assert len(teacher.trees()) == best
    assert sum(len(s.thresholds) + len(s.category_sets) for s in teacher.splits()) <= best * 6
    np.testing.assert_allclose(teacher.raw_scores(X)[:, 0], booster.predict(X), rtol=1e-12)
    values, base = teacher.shap_contributions(X)
    np.testing.assert_allclose(base + values.sum(-1), teacher.raw_scores(X), atol=1e-9)


@pytest.mark.parametrize("k", [2, 3])
def test_shap_contributions_add_up(X, y, k):
    teacher = LightGBMTeacher(LGBMClassifier(sigmoid=2.0, **SMALL).fit(X, classes(y, k)))
    values, base = teacher.shap_contributions(X)
    assert values.shape == (N, teacher.n_outputs, 3)
    assert base.shape == (teacher.n_outputs,)
    np.testing.assert_allclose(base + values.sum(-1), teacher.raw_scores(X), atol=1e-9)


def dumped_splits(booster):
    pending = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    while pending:
        node = pending.pop()
        if "split_feature" in node:
            yield node
            pending += [node["left_child"], node["right_child"]]


def test_splits_are_those_of_dump_model(X, y):
    X = X.assign(unused=1.0, code=np.random.default_rng(0).integers(0, 90, N))
    y = y + (X["code"] % 7 == 0) * 3
    model = LGBMRegressor(min_child_samples=3, min_data_per_group=1, cat_smooth=1, **SMALL)
    model.fit(X, y, categorical_feature=["city", "code"])
    nodes = list(dumped_splits(model.booster_))
    splits = LightGBMTeacher(model).splits()
    assert len(splits) == 5
    for j, column in enumerate(splits):
        own = [node for node in nodes if node["split_feature"] == j]
        numeric = [node for node in own if node["decision_type"] == "<="]
        sets = {frozenset(map(int, n["threshold"].split("||"))) for n in own if n["decision_type"] == "=="}
        assert column.thresholds.tolist() == sorted({node["threshold"] for node in numeric})
        assert set(column.category_sets) == sets
        assert len(column.category_sets) == len(sets)
        total = column.gains.sum() + column.set_gains.sum()
        np.testing.assert_allclose(total, sum(node["split_gain"] for node in own), rtol=1e-4)
        assert {column.missing_type} == ({node["missing_type"] for node in own} or {None})
    assert len(splits[0].thresholds)
    assert splits[2].category_sets
    assert max(max(levels) for levels in splits[4].category_sets) > 64
    assert splits[3].missing_type is None


@pytest.mark.parametrize(
    ("extra", "expected"),
    [({}, "NaN"), ({"zero_as_missing": True}, "Zero"), ({"use_missing": False}, "None")],
)
def test_missing_type(X, y, extra, expected):
    teacher = LightGBMTeacher(LGBMRegressor(**extra, **SMALL).fit(X[["b"]], y))
    assert teacher.splits()[0].missing_type == expected


@pytest.mark.parametrize("model", [LGBMRegressor(**SMALL), LGBMClassifier(**SMALL)])
def test_constant_target(X, model):
    model.fit(X, np.full(N, 3))
    teacher = LightGBMTeacher(model)
    values, base = teacher.shap_contributions(X)
    assert not values.any()
    np.testing.assert_allclose(teacher.raw_scores(X), base[0])
    assert all(
        len(s.thresholds) == len(s.category_sets) == 0 and s.missing_type is None for s in teacher.splits()
    )


def test_levels_may_come_in_another_order(X, y):
    model = LGBMRegressor(**SMALL).fit(X, y)
    teacher = LightGBMTeacher(model)
    other = X.assign(city=X["city"].cat.set_categories(["Kiel", "Ulm", "Rom", "Jena", "Bonn"]))
    np.testing.assert_array_equal(teacher.raw_scores(other), teacher.raw_scores(X))
    own = [None, None, np.array(["Kiel", "Ulm", "Rom", "Jena", "Bonn"], dtype=object)]
    assert teacher.levels(own) == {2: ["Bonn", "Jena", "Kiel", "Ulm"]}
    matrix = teacher.level_codes(own)
    assert matrix[:2] == [None, None]
    np.testing.assert_array_equal(matrix[2], [2, 3, np.nan, 1, 0, np.nan])  # the last: a missing cell
    with pytest.raises(ValueError, match="X has 0 categorical .* fitted on 1 category column"):
        teacher.levels([None, None, None])


def test_a_pickled_model_and_a_booster_answer_alike(X, y):
    model = LGBMClassifier(sigmoid=2.0, **SMALL).fit(X, y > 1)
    expected = LightGBMTeacher(model).raw_scores(X)
    reloaded = lgb.Booster(model_str=model.booster_.model_to_string())
    for other in (pickle.loads(pickle.dumps(model)), model.booster_, reloaded):
        np.testing.assert_array_equal(LightGBMTeacher(other).raw_scores(X), expected)


def test_arrays_for_a_model_fitted_with_names_do_not_warn(X, y):
    model = LGBMRegressor(**SMALL).fit(X[["a", "b"]], y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = LightGBMTeacher(model).raw_scores(X[["a", "b"]].to_numpy())
    np.testing.assert_array_equal(scores[:, 0], model.predict(X[["a", "b"]]))


@pytest.mark.parametrize(("n_jobs", "threads"), [(None, 1), (3, 3), (0, 0)])
def test_threads(X, y, n_jobs, threads, monkeypatch):
    model = LGBMRegressor(**SMALL).fit(X, y)
    seen = []
    monkeypatch.setattr(model.booster_, "predict", lambda X, **kind: seen.append(kind) or np.zeros(len(X)))
    LightGBMTeacher(model).raw_scores(X, n_jobs=n_jobs)
    assert seen[0]["num_threads"] == threads


def test_prediction_early_stopping_is_off(X, y):
    model = LGBMClassifier(pred_early_stop=True, pred_early_stop_margin=0.01, pred_early_stop_freq=1, **SMALL)
    teacher = LightGBMTeacher(model.fit(X, y > 1))
    values, base = teacher.shap_contributions(X)
    np.testing.assert_allclose(base + values.sum(-1), teacher.raw_scores(X), atol=1e-9)


def test_nan_scores_are_counted(X, y, monkeypatch):
    model = LGBMRegressor(**SMALL).fit(X, y)
    teacher = LightGBMTeacher(model)
    model.booster_.set_leaf_output(0, 0, np.nan)
    reached = (teacher.leaves(X)[:, 0] == 0).sum()
    with pytest.raises(ValueError, match=f"NaN or infinite raw scores in {reached} of {N} rows"):
        teacher.raw_scores(X)
    monkeypatch.setattr(model.booster_, "predict", lambda X, **kind: np.full((3, 4), np.nan))
    with pytest.raises(ValueError, match="NaN or infinite contributions in 3 of 3 rows"):
        teacher.shap_contributions(X[:3])


def squared_error(y_true, y_pred):
    return y_pred - y_true, np.ones_like(y_true)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (LGBMRegressor(objective=squared_error), "a custom objective.*expected one of regression"),
        (LGBMRegressor(linear_tree=True), "linear_tree=True"),
        (LGBMRegressor(reg_sqrt=True), "reg_sqrt=True"),
        (LGBMRanker(), "LGBMRanker.*expected an LGBMClassifier or LGBMRegressor"),
    ],
)
def test_refused_before_fit(model, message):
    with pytest.raises(ValueError, match=message):
        LightGBMTeacher.check(model)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"objective": "cross_entropy_lambda"},
            "objective 'cross_entropy_lambda'.*expected one of regression",
        ),
        ({"objective": "lambdarank"}, "objective 'lambdarank'"),
        ({"objective": "regression", "linear_tree": True}, "linear_tree=True"),
        ({"objective": "regression", "reg_sqrt": True}, "reg_sqrt=True"),
    ],
)
def test_fitted_models_are_refused_by_what_they_are(X, params, message):
    labels = np.random.default_rng(0).integers(0, 2, N)
    data = lgb.Dataset(
        X[["a", "b"]], labels, group=[10] * (N // 10), params={"linear_tree": "linear_tree" in params}
    )
    booster = lgb.train({"verbose": -1, "num_threads": 1, **params}, data, num_boost_round=2)
    with pytest.raises(ValueError, match=message):
        LightGBMTeacher(booster)


def test_a_booster_of_a_custom_objective_is_refused(X, y):
    with pytest.raises(ValueError, match="objective 'custom'.*expected one of regression"):
        LightGBMTeacher(LGBMRegressor(objective=squared_error, **SMALL).fit(X, y).booster_)


def test_a_classifier_that_regresses_is_refused(X, y):
    with pytest.raises(ValueError, match="objective 'regression' in a classifier"):
        LightGBMTeacher(LGBMClassifier(objective="regression", **SMALL).fit(X, y > 1))


def test_other_models_and_unfitted_ones_are_refused(X):
    with pytest.raises(TypeError, match=r"tree ensemble of LightGBM, .* got LinearRegression"):
        LightGBMTeacher(LinearRegression())
    with pytest.raises(TypeError, match="got Booster"):
        LightGBMTeacher.check(
            lgb.Booster(params={"verbose": -1}, train_set=lgb.Dataset(X[["a"]], np.zeros(N)))
        )
    with pytest.raises(NotFittedError):
        LightGBMTeacher(LGBMRegressor())
