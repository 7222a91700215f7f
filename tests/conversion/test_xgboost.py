"""Models of XGBoost, rewritten as LightGBM models: the same scores, reasons and base values."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from seeds import SEED
from sklearn.exceptions import NotFittedError

from skrationale import to_lightgbm, tree_contributions
from skrationale.conversion import known_levels
from skrationale.conversion._choosing import source_of
from skrationale.conversion._float32 import largest_below
from skrationale.gbdt2nn import path_contributions

xgboost = pytest.importorskip("xgboost")
from xgboost import Booster, DMatrix, XGBClassifier, XGBRegressor, XGBRFClassifier, XGBRFRegressor  # noqa: E402

KEEPS_LEVELS = tuple(map(int, xgboost.__version__.split(".")[:2])) >= (3, 1)
N = 600
RNG = np.random.default_rng(SEED)
WHOLE = RNG.normal(size=(N, 3)).round(2)
HOLES = np.where(RNG.random(WHOLE.shape) < 0.1, np.nan, WHOLE)
LEVELS = ["Ulm", "Bonn", "Jena", "Kiel", "Paris"]
CITIES = RNG.choice(LEVELS[:4], N)
TABLE = pd.DataFrame(
    {
        "a": HOLES[:, 0],
        "city": pd.Categorical(CITIES, categories=LEVELS),
        "b": HOLES[:, 1],
        "size": pd.Categorical(RNG.choice(np.arange(10, 40), N)),
        "flag": HOLES[:, 2] > 0,
    }
)
TABLE.loc[RNG.random(N) < 0.1, ["city", "size"]] = None
Y = np.nan_to_num(HOLES[:, 0]) + np.nan_to_num(HOLES[:, 1]) ** 2
Y_TABLE = Y + 2 * (CITIES == "Kiel") - (TABLE["size"].cat.codes.to_numpy() % 3 == 1)
BINARY, THREE, COUNTS = (
    Y_TABLE > 0.5,
    np.digitize(Y_TABLE, [0.2, 1.0]),
    np.random.default_rng(1).poisson(3, N),
)
FEW = {"n_estimators": 15, "max_depth": 4, "n_jobs": 1, "enable_categorical": True}
ONE_HOT, SETS = {"max_cat_to_onehot": 100}, {"max_cat_to_onehot": 1}
MODELS = {
    "numbers": (XGBRegressor(**FEW), HOLES, Y),
    "two classes": (XGBClassifier(**FEW, **SETS), TABLE, BINARY),
    "three classes": (XGBClassifier(**FEW), TABLE, THREE),
    "sets of categories": (XGBRegressor(**FEW, **SETS), TABLE, Y_TABLE),
    "single categories": (XGBRegressor(**FEW, **ONE_HOT), TABLE, Y_TABLE),
    "counts": (XGBRegressor(objective="count:poisson", **FEW), TABLE, COUNTS),
    "gamma": (XGBRegressor(objective="reg:gamma", base_score=3.0, **FEW), HOLES, COUNTS + 1.0),
    "dropped trees": (XGBRegressor(booster="dart", rate_drop=0.3, **FEW), TABLE, Y_TABLE),
    "several trees a round": (XGBClassifier(num_parallel_tree=2, subsample=0.5, **FEW), TABLE, THREE),
    "a base of its own": (XGBRegressor(base_score=3.0, **FEW), TABLE, Y_TABLE),
    "an extreme base": (XGBClassifier(base_score=1e-7, **FEW), HOLES, BINARY),
    "absolute error": (XGBRegressor(objective="reg:absoluteerror", **FEW), HOLES, Y),
    "log-odds as they are": (XGBRegressor(objective="binary:logitraw", **FEW), HOLES, BINARY),
    "forest": (XGBRFRegressor(**FEW), HOLES, Y),
    "forest of classes": (XGBRFClassifier(**FEW), TABLE, THREE),
    "one column": (XGBRegressor(**FEW), HOLES[:, :1], Y),
    "one leaf": (XGBRegressor(n_estimators=3, gamma=1e9, n_jobs=1), HOLES, Y),
}


@pytest.fixture(scope="module", params=MODELS)
def fitted(request):
    model, X, y = MODELS[request.param]
    return model.fit(X, y), X


def levels_for(X):
    """What is needed where the model does not keep levels."""
    return None if KEEPS_LEVELS else X


def asked(model, X, **options):
    """What the library itself says."""
    return model.get_booster().predict(DMatrix(X, enable_categorical=True, nthread=1), **options)


def assert_close(found, expected, share, scale=None):
    scale = np.abs(expected).max() if scale is None else scale
    np.testing.assert_allclose(found, expected, rtol=0, atol=share * scale)


def test_raw_scores_are_those_of_the_model(fitted):
    model, X = fitted
    expected = model.predict(X, output_margin=True)
    for one in (model, model.get_booster()):
        found = to_lightgbm(one, levels_for(X)).predict(X, raw_score=True)
        assert_close(found, expected, 1e-6)


def test_reasons_add_up_and_are_those_of_xgboost(fitted):
    model, X = fitted
    booster = to_lightgbm(model, levels_for(X))
    raw = booster.predict(X, raw_score=True).reshape(N, -1)
    scale = np.abs(raw).max()
    own = asked(model, X, pred_contribs=True).reshape(N, raw.shape[1], -1)
    exact = tree_contributions(model, X, dtype="float64")
    values = exact.values.reshape(N, own.shape[2] - 1, -1)
    base = np.reshape(exact.base_values, (-1, raw.shape[1]))
    assert_close(values, own[:, :, :-1].transpose(0, 2, 1), 1e-6, scale)
    assert_close(np.broadcast_to(base, raw.shape), own[:, :, -1], 1e-6, scale)
    assert_close(base + values.sum(axis=1), raw, 1e-12, scale)
    path = path_contributions(model, X)
    assert_close(path.scores().reshape(raw.shape), raw, 1e-12, scale)
    if hasattr(model, "classes_"):
        assert exact.output_names == tuple(map(str, model.classes_[-raw.shape[1] :]))


def test_cells_at_thresholds_go_where_the_model_sends_them(fitted):
    """Each threshold, its neighbours and what float32 makes of it: every one by itself in a row."""
    model, X = fitted
    source = source_of(model, None if KEEPS_LEVELS or X is not TABLE else levels_of_table())
    forest, booster = source.forest(), to_lightgbm(model, levels_for(X))
    rows = [np.zeros((1, forest.n_features))]
    for tree in (tree for trees in forest.trees for tree in trees):
        for node in np.flatnonzero((tree.left >= 0) & ~np.isin(np.arange(len(tree.left)), list(tree.sets))):
            t = tree.thresholds[node]
            near = np.float32(t)
            beside = (np.nextafter(near, np.float32(9)), np.nextafter(near, np.float32(-9)))
            cells = (t, np.nextafter(t, 9e9), np.nextafter(t, -9e9), near, *beside)
            row = np.tile(rows[0], (len(cells), 1))
            row[:, tree.columns[node]] = np.where(np.abs(cells) < 1e-35, 0.0, cells)  # as LightGBM does
            rows.append(row)
    codes = np.vstack(rows)
    expected = source.raw_scores(codes)
    found = booster.predict(codes, raw_score=True).reshape(expected.shape)
    assert (np.abs(found - expected) > 1e-6 * np.abs(expected).max()).sum() == 0


def levels_of_table():
    return [TABLE[name].cat.categories if name in ("city", "size") else None for name in TABLE]


@pytest.mark.parametrize("make", [XGBRegressor, XGBClassifier])
def test_an_estimator_that_stopped_early_is_cut_and_its_booster_is_not(make):
    model = make(n_estimators=60, learning_rate=1.0, early_stopping_rounds=4, n_jobs=1)
    y = Y if make is XGBRegressor else THREE
    model.fit(HOLES[:300], y[:300], eval_set=[(HOLES[300:], y[300:])], verbose=False)
    booster = model.get_booster()
    assert model.best_iteration + 1 < booster.num_boosted_rounds()
    assert_close(
        to_lightgbm(model).predict(HOLES, raw_score=True), model.predict(HOLES, output_margin=True), 1e-6
    )
    assert_close(
        to_lightgbm(booster).predict(HOLES, raw_score=True), asked(model, HOLES, output_margin=True), 1e-6
    )
    assert to_lightgbm(booster).num_trees() > to_lightgbm(model).num_trees()


def test_unseen_categories_are_missing_ones():
    model = XGBRegressor(**FEW, **SETS).fit(TABLE, Y_TABLE)
    booster = to_lightgbm(model, levels_for(TABLE))
    missing = TABLE.assign(city=pd.Categorical([None] * N, categories=LEVELS))
    unseen = TABLE.assign(city=pd.Categorical(["Rome"] * N))
    assert_close(booster.predict(missing), model.predict(missing), 1e-6)
    np.testing.assert_array_equal(booster.predict(unseen), booster.predict(missing))


def test_levels_may_come_in_another_order_where_the_model_keeps_them():
    if not KEEPS_LEVELS:
        pytest.skip("before 3.1 codes are all that is kept")
    model = XGBRegressor(**FEW, **SETS).fit(TABLE, Y_TABLE)
    assert known_levels(model)[1] == LEVELS
    assert to_lightgbm(model).pandas_categorical[0] == LEVELS
    fewer = ["Kiel", "Rome", "Ulm", "Jena", "Bonn"]  # Paris is of no row
    other = TABLE.assign(city=pd.Categorical(TABLE["city"].astype(object), categories=fewer))
    booster = to_lightgbm(model, other)
    assert booster.pandas_categorical[0] == fewer
    assert_close(booster.predict(other), model.predict(TABLE), 1e-6)
    with pytest.raises(
        ValueError,
        match="'city' of X holds levels such as 10, and the XGBRegressor was fitted on none of them",
    ):
        to_lightgbm(model, TABLE[TABLE.columns[::-1]])


def test_models_without_levels_need_them_from_rows(tmp_path):
    """As XGBoost before 3.1 saves its models."""
    model = XGBRegressor(**FEW, **SETS).fit(TABLE, Y_TABLE)
    content = json.loads(model.get_booster().save_raw("json"))
    content["learner"]["gradient_booster"]["model"].pop("cats", None)
    old = Booster(model_file=bytearray(json.dumps(content).encode()))
    assert known_levels(old) is None
    with pytest.raises(
        ValueError, match="does not store the levels of its category column 'city'.*expected X"
    ):
        to_lightgbm(old)
    assert_close(to_lightgbm(old, TABLE).predict(TABLE), model.predict(TABLE), 1e-6)
    assert_close(tree_contributions(old, TABLE).scores(), model.predict(TABLE), 1e-6)
    with pytest.raises(ValueError, match="levels of column 'city' of X are not those .*, got 'Ulm'"):
        to_lightgbm(old, TABLE[:5].assign(city=pd.Categorical(["Ulm"] * 5)))


def test_levels_beyond_ascii_are_taken_from_rows():
    if not KEEPS_LEVELS:
        pytest.skip("before 3.1 codes are all that is kept")
    cities = ["ä", "ö", "ü"]  # to XGBoost 3.2 the first and the last are the same
    codes = RNG.integers(0, 3, N)
    X = pd.DataFrame({"city": pd.Categorical.from_codes(codes, categories=cities)})
    model = XGBRegressor(n_estimators=60, n_jobs=1, enable_categorical=True).fit(X, codes)
    with pytest.raises(ValueError, match="does not store the levels of its category column 'city'"):
        to_lightgbm(model)
    with pytest.warns(UserWarning, match="Column 'city' has levels .* which XGBoost 3.1 and 3.2 confuse"):
        booster = to_lightgbm(model, X)
    np.testing.assert_allclose(booster.predict(X), codes, atol=0.01)
    with pytest.raises(ValueError, match="expected the same levels in the same order .* got 'ü', 'ö', 'ä'"):
        to_lightgbm(model, X.assign(city=X["city"].cat.reorder_categories(cities[::-1])))


def test_categories_may_be_whole_numbers_of_an_array():
    X = np.column_stack([RNG.integers(0, 12, N), HOLES[:, 0]]).astype(float)
    X[:40, 0] = np.nan
    y = np.isin(X[:, 0], [3, 11]) * 2.0 + np.nan_to_num(X[:, 1])
    data = DMatrix(X, y, feature_types=["c", "q"], enable_categorical=True, nthread=1)
    booster = xgboost.train({"max_cat_to_onehot": 1, "nthread": 1, "max_depth": 4}, data, 20)
    assert known_levels(booster) == (None, None)
    expected = booster.predict(data)
    assert_close(to_lightgbm(booster).predict(X), expected, 1e-6)
    assert_close(tree_contributions(booster, X, dtype="float64").scores(), expected, 1e-6)


def test_columns_of_other_kinds_are_refused():
    model = XGBRegressor(**FEW).fit(TABLE, Y_TABLE)
    with pytest.raises(
        ValueError, match="Column 'city' of X holds numbers, but the XGBRegressor was fitted on"
    ):
        to_lightgbm(model, TABLE.assign(city=1.0))
    with pytest.raises(ValueError, match="Column 'a' of X holds text or categories"):
        to_lightgbm(model, TABLE.assign(a="x"))
    with pytest.raises(ValueError, match="X has 1 columns, but the XGBRegressor was fitted on 5"):
        to_lightgbm(model, TABLE[["a"]])


def test_files_and_pickles_are_the_same_model(tmp_path):
    model = XGBClassifier(**FEW, **SETS).fit(TABLE, THREE)
    expected = to_lightgbm(model, levels_for(TABLE)).predict(TABLE, raw_score=True)
    model.get_booster().save_model(tmp_path / "model.json")
    for other in (Booster(model_file=tmp_path / "model.json"), pickle.loads(pickle.dumps(model))):
        found = to_lightgbm(other, levels_for(TABLE)).predict(TABLE, raw_score=True)
        np.testing.assert_array_equal(found, expected)


def own_objective(y, score):
    return score - y, np.ones_like(y)


@pytest.mark.parametrize(
    ("model", "y", "message"),
    [
        (XGBRegressor(booster="gblinear"), Y, "has booster='gblinear'.*expected 'gbtree' or 'dart'"),
        (XGBRegressor(n_estimators=2), np.c_[Y, Y], "has 2 targets"),
        (
            XGBClassifier(n_estimators=2, multi_strategy="multi_output_tree", tree_method="hist"),
            THREE,
            "has multi_strategy='multi_output_tree'",
        ),
        (XGBRegressor(n_estimators=2, objective="survival:cox"), COUNTS, "has objective='survival:cox'"),
        (XGBRegressor(n_estimators=2, objective="rank:pairwise"), BINARY, "has objective='rank:pairwise'"),
        (XGBClassifier(n_estimators=2, objective="binary:hinge"), BINARY, "has objective='binary:hinge'"),
        (XGBRegressor(n_estimators=2, objective=own_objective), Y, "has a custom objective"),
        (XGBRegressor(n_estimators=2, missing=-1), Y, "has missing=-1.*expected missing=nan"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value[:20],
)
def test_what_cannot_be_rewritten_is_refused_by_name(model, y, message):
    X = WHOLE[:100]
    with pytest.raises(ValueError, match=message):
        to_lightgbm(model.fit(X, y[:100]) if "rank" not in message else ranked(X, y[:100]))


def ranked(X, y):
    data = DMatrix(X, y, qid=np.zeros(len(y), dtype=int))
    return xgboost.train({"objective": "rank:pairwise", "nthread": 1}, data, 2)


def test_unfitted_models_are_refused():
    for model in (XGBRegressor(), Booster()):
        with pytest.raises(NotFittedError):
            to_lightgbm(model)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.booleans())
@example(0.0, True)
@example(-0.0, True)
@example(1e-45, True)
@example(-1e-45, True)
@example(1.0, True)
@example(-2.0, True)
@example(2.0**-126, True)
@example(float(np.finfo(np.float32).max), True)
def test_thresholds_of_float32_are_those_of_float64(threshold, strict):
    t = np.float32(threshold)
    bound = largest_below(np.array([t]), strict=strict)[0]
    with np.errstate(over="ignore"):
        at, above = np.float32(bound), np.float32(np.nextafter(bound, np.inf))
    assert at < t if strict else at <= t
    assert not (above < t if strict else above <= t)
