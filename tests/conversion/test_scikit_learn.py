"""Trees of scikit-learn, rewritten as LightGBM models: the same scores, reasons and base values."""

import numpy as np
import pandas as pd
import pytest
from seeds import SEED
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skrationale import to_lightgbm, tree_contributions
from skrationale.conversion import rewritten
from skrationale.conversion._checking import check_rewritten
from skrationale.conversion._choosing import source_of
from skrationale.gbdt2nn import path_contributions

N = 600
RNG = np.random.default_rng(SEED)
WHOLE = RNG.normal(size=(N, 4)).round(2)
HOLES = np.where(RNG.random(WHOLE.shape) < 0.1, np.nan, WHOLE)
Y = np.nan_to_num(HOLES[:, 0]) + np.nan_to_num(HOLES[:, 1]) ** 2
CITIES = pd.Categorical(RNG.choice(["Bonn", "Jena", "Kiel", "Ulm"], N))
TABLE = pd.DataFrame(
    {
        "a": HOLES[:, 0],
        "city": CITIES,
        "b": HOLES[:, 1],
        "size": pd.Categorical(RNG.choice([30, 10, 20], N)),
        "c": HOLES[:, 2],
    }
)
TABLE.loc[:30, "city"] = None
Y_TABLE = Y + 2 * (CITIES == "Kiel") - (TABLE["size"] == 10).to_numpy()
BINARY, THREE, COUNTS = Y > 0.5, np.digitize(Y, [0.2, 1.0]), np.random.default_rng(1).poisson(np.exp(Y / 3))
FEW = {"random_state": 0}
TREES = FEW | {"n_estimators": 8, "max_depth": 6}
HIST = FEW | {"max_iter": 15, "min_samples_leaf": 5}
OF_PROBABILITIES = RandomForestClassifier | ExtraTreesClassifier | DecisionTreeClassifier
MODELS = {
    "tree": (DecisionTreeRegressor(**FEW), HOLES, Y),
    "tree of classes": (DecisionTreeClassifier(max_depth=4, **FEW), HOLES, THREE),
    "forest": (RandomForestRegressor(**TREES), HOLES, Y),
    "forest of two classes": (RandomForestClassifier(**TREES), HOLES, BINARY),
    "forest of three classes": (RandomForestClassifier(**TREES), HOLES, THREE),
    "extra trees": (ExtraTreesRegressor(**TREES), HOLES, Y),
    "extra trees of classes": (ExtraTreesClassifier(bootstrap=True, **TREES), HOLES, THREE),
    "boosting": (GradientBoostingRegressor(n_estimators=10, **FEW), WHOLE, Y),
    "boosting without a start": (GradientBoostingRegressor(n_estimators=10, init="zero", **FEW), WHOLE, Y),
    "boosting of two classes": (GradientBoostingClassifier(n_estimators=10, **FEW), WHOLE, BINARY),
    "boosting of three classes": (GradientBoostingClassifier(n_estimators=5, **FEW), WHOLE, THREE),
    "exponential loss": (
        GradientBoostingClassifier(n_estimators=10, loss="exponential", **FEW),
        WHOLE,
        BINARY,
    ),
    "histograms": (HistGradientBoostingRegressor(**HIST), HOLES, Y),
    "histograms of two classes": (HistGradientBoostingClassifier(**HIST), TABLE, BINARY),
    "histograms of three classes": (HistGradientBoostingClassifier(**HIST), TABLE, THREE),
    "histograms of counts": (HistGradientBoostingRegressor(loss="poisson", **HIST), HOLES, COUNTS),
    "histograms with categories": (HistGradientBoostingRegressor(**HIST), TABLE, Y_TABLE),
    "one column": (HistGradientBoostingRegressor(**HIST), HOLES[:, :1], Y),
    "one leaf": (RandomForestRegressor(n_estimators=3, max_depth=1, min_samples_leaf=N, **FEW), HOLES, Y),
}


@pytest.fixture(params=MODELS)
def fitted(request):
    model, X, y = MODELS[request.param]
    return model.fit(X, y), X


def raw_scores_of(model, X):
    """What the library itself says, in the units of the raw score."""
    if isinstance(model, OF_PROBABILITIES):
        found = model.predict_proba(X)
        return found[:, 1:] if found.shape[1] == 2 else found
    if hasattr(model, "decision_function"):
        factor = 2.0 if getattr(model, "loss", "") == "exponential" else 1.0
        return model.decision_function(X).reshape(len(X), -1) * factor
    found = model.predict(X)[:, None]
    return np.log(found) if getattr(model, "loss", "") == "poisson" else found


def test_raw_scores_are_those_of_the_model(fitted):
    model, X = fitted
    expected = raw_scores_of(model, X)
    found = to_lightgbm(FrozenEstimator(model)).predict(X, raw_score=True).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_reasons_add_up_to_what_the_model_says(fitted):
    model, X = fitted
    expected = raw_scores_of(model, X)
    for way in (tree_contributions, path_contributions):
        options = {"dtype": "float64"} if way is tree_contributions else {}
        explanation = way(model, X, **options)
        sums = explanation.scores().reshape(expected.shape)
        np.testing.assert_allclose(sums, expected, rtol=0, atol=1e-12 * np.abs(expected).max())
        adds_probabilities = isinstance(model, OF_PROBABILITIES)
        assert (explanation.link == "probability") == adds_probabilities
        if hasattr(model, "classes_"):
            assert explanation.output_names == tuple(map(str, model.classes_[-expected.shape[1] :]))


def test_cells_at_thresholds_go_where_the_model_sends_them(fitted):
    """Each threshold, its neighbours and what float32 makes of it: every one by itself in a row."""
    model, X = fitted
    source = source_of(model)
    forest, booster = source.forest(), to_lightgbm(model)
    start = np.zeros((1, forest.n_features))
    rows = []
    for tree in (tree for trees in forest.trees for tree in trees):
        for node in np.flatnonzero(tree.left >= 0):
            if node in tree.sets:
                continue
            t = np.clip(tree.thresholds[node], -1e30, 1e30)
            near = np.float32(t)
            for cell in (
                t,
                np.nextafter(t, 9e9),
                np.nextafter(t, -9e9),
                near,
                np.nextafter(near, np.float32(9)),
            ):
                if 0 < abs(cell) < 1e-35:  # LightGBM takes it for 0
                    continue
                row = start.copy()
                row[0, tree.columns[node]] = cell
                rows.append(row)
    if not rows:
        return
    codes = np.vstack(rows)
    expected = source.raw_scores(codes)
    found = booster.predict(codes, raw_score=True).reshape(expected.shape)
    assert (np.abs(found - expected) > 1e-12 * np.abs(expected).max()).sum() == 0


def test_unseen_and_missing_categories_go_the_same_way_as_in_the_model():
    model = HistGradientBoostingRegressor(**HIST).fit(TABLE, Y_TABLE)
    booster = to_lightgbm(model)
    assert booster.pandas_categorical == [["Bonn", "Jena", "Kiel", "Ulm"], [10, 20, 30]]
    for cell in ("Paris", None):
        other = TABLE.assign(city=pd.Categorical([cell] * N, categories=["Paris"]))
        np.testing.assert_allclose(booster.predict(other), model.predict(other), rtol=0, atol=1e-12)


def test_categories_may_be_whole_numbers_of_an_array():
    X = np.column_stack([HOLES[:, 0], TABLE["size"].to_numpy(float), HOLES[:, 1]])
    model = HistGradientBoostingRegressor(categorical_features=[1], **HIST).fit(X, Y_TABLE)
    booster = to_lightgbm(model)
    np.testing.assert_allclose(booster.predict(X), model.predict(X), rtol=0, atol=1e-12)
    explanation = tree_contributions(model, X, dtype="float64")
    assert explanation.additivity_error(model.predict(X)) < 1e-12
    with pytest.raises(ValueError, match="categories in column 1 such as -30.0.*expected whole numbers"):
        to_lightgbm(model.fit(X * [1, -1, 1], Y_TABLE))


def test_columns_of_another_order_are_found_by_name():
    model = HistGradientBoostingRegressor(**HIST).fit(TABLE, Y_TABLE)
    assert to_lightgbm(model).feature_name() == list(TABLE.columns)
    with pytest.raises(ValueError, match="X has column 'c' where the model was fitted on 'a'"):
        tree_contributions(model, TABLE[TABLE.columns[::-1]])


def test_lightgbm_comes_back_as_it_is():
    from lightgbm import LGBMRegressor

    model = LGBMRegressor(n_estimators=2, verbose=-1).fit(WHOLE, Y)
    assert to_lightgbm(model) is model.booster_
    assert to_lightgbm(model.booster_) is model.booster_


def test_what_cannot_be_rewritten_is_refused_by_name():
    with pytest.raises(TypeError, match="tree ensemble of LightGBM, .* got LinearRegression"):
        to_lightgbm(LinearRegression())
    with pytest.raises(NotFittedError):
        to_lightgbm(RandomForestRegressor())
    with pytest.raises(ValueError, match="RandomForestRegressor has 2 targets.*expected one target"):
        to_lightgbm(RandomForestRegressor(**TREES).fit(WHOLE, WHOLE[:, :2]))
    with pytest.raises(ValueError, match="has init=LinearRegression, which depends on the row"):
        to_lightgbm(GradientBoostingRegressor(n_estimators=2, init=LinearRegression()).fit(WHOLE, Y))
    with pytest.raises(ValueError, match="Column 'b' of X holds text or categories, but RandomForest"):
        to_lightgbm(RandomForestRegressor(**TREES).fit(TABLE[["a", "b"]].fillna(0), Y), TABLE[["a", "city"]])


def test_a_forest_that_differs_is_refused():
    """As if a newer version of the library meant something else by its fields."""
    model = RandomForestRegressor(**TREES).fit(HOLES, Y)
    source, found = source_of(model), rewritten(model)
    check_rewritten(source, source.forest(), found.booster)
    other = RandomForestRegressor(**TREES | {"random_state": 1}).fit(HOLES, Y)
    with pytest.raises(
        ValueError, match="read from the RandomForestRegressor does not predict what the model"
    ):
        check_rewritten(source, source.forest(), to_lightgbm(other))
