"""CatBoost models as LightGBM models: the same scores and reasons, whatever its trees split on."""

import itertools
import json
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from seeds import SEED
from sklearn.exceptions import NotFittedError
from word_tables import TEXT, WORD, mixed_table, words

from skrationale import TreeContributions, tree_contributions
from skrationale.conversion import levels_in, rewritten, to_lightgbm
from skrationale.gbdt2nn import path_contributions

catboost = pytest.importorskip("catboost")

N = 600
QUICK = {"iterations": 12, "depth": 4, "random_seed": SEED} | {
    "verbose": 0,
    "thread_count": 1,
    "allow_writing_files": False,
}
CATEGORIES = {"cat_features": TEXT, "max_ctr_complexity": 1}


def table(seed=SEED, n=N):
    return mixed_table(seed, n, ["Ulm", "Bonn", "Kiel", "Jena", "Rom"], 30)


def number(X):
    """Give numbers that all columns have a share in, and missing cells too."""
    of_code = X["code"].str[1:].astype(float).fillna(7) % 5
    of_city = 1 + (X["city"] == "Ulm")
    return (X["a"].fillna(1) * of_city + X["b"].fillna(-1) + of_code + 2 * X["city"].isna()).to_numpy()


def target(X, loss):
    y = number(X)
    if loss in ("MultiClass", "MultiClassOneVsAll"):
        return np.digitize(y, np.quantile(y, [0.3, 0.7]))
    if loss in ("Logloss", "Focal:focal_alpha=0.5;focal_gamma=2"):
        return (y > np.median(y)).astype(int)
    return np.clip(0.1 + (y - y.min()) / np.ptp(y), 0, 1)


def fitted(loss="RMSE", X=None, **params):
    X = words(table() if X is None else X) if params.get("cat_features", True) else X
    own = {"loss_function": loss, **QUICK, **CATEGORIES, **params}
    return catboost.CatBoost(own).fit(X, target(table(), loss))


def scores(booster, X):
    """Raw scores (n, K) of a booster, for rows as CatBoost takes them."""
    own = X.astype(dict.fromkeys(TEXT, "category"))
    return booster.predict(own, raw_score=True, num_threads=1).reshape(len(X), -1)


def raw(model, X):
    return np.reshape(model.predict(X, prediction_type="RawFormulaVal", thread_count=1), (len(X), -1))


def shap_of_both(model, booster, X):
    """Contributions (n, K, d + 1) as CatBoost and as the booster give them."""
    pool = catboost.Pool(X, cat_features=TEXT)
    own = model.get_feature_importance(pool, type="ShapValues", thread_count=1)
    ours = booster.predict(X.astype(dict.fromkeys(TEXT, "category")), pred_contrib=True, num_threads=1)
    return own.reshape(len(X), -1, 5), ours.reshape(len(X), -1, 5)


LOSSES = {
    "RMSE": "identity",
    "MAE": "identity",
    "Quantile:alpha=0.7": "identity",
    "Poisson": "log",
    "Tweedie:variance_power=1.5": "log",
    "Logloss": "logit",
    "CrossEntropy": "logit",
    "Focal:focal_alpha=0.5;focal_gamma=2": "logit",
    "MultiClass": "softmax",
    "MultiClassOneVsAll": "logit",
}
KINDS = {
    "one level against the others": {"one_hot_max_size": 255},
    "missing is largest": {"nan_mode": "Max"},
    "ordered": {"boosting_type": "Ordered"},
    "other statistics": {"simple_ctr": ["Counter", "Buckets", "BinarizedTargetMeanValue"]},
    "one split": {"depth": 1},
}


@pytest.mark.parametrize("loss", LOSSES)
def test_scores_and_reasons_are_those_of_catboost(loss):
    model, X = fitted(loss), words(table(SEED + 1))
    result = rewritten(model, levels_in(table()))
    assert result.link == LOSSES[loss]
    assert_same_scores_and_reasons(model, result.booster, X)


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_of_splits(kind):
    model = fitted(**KINDS[kind])
    assert_same_scores_and_reasons(model, to_lightgbm(model, table()), words(table(SEED + 1)))


def assert_same_scores_and_reasons(model, booster, X):
    expected, found = raw(model, X), scores(booster, X)
    scale = np.abs(expected).max()
    assert np.abs(found - expected).max() <= 1e-12 * scale
    own, ours = shap_of_both(model, booster, X[:100])
    assert np.abs(ours.sum(axis=-1) - expected[:100]).max() <= 1e-12 * scale
    assert np.abs(ours - own).max() <= 1e-6 * scale


@pytest.mark.parametrize("loss", ["RMSE", "MultiClass"])
@pytest.mark.parametrize("policy", ["Depthwise", "Lossguide"])
@pytest.mark.parametrize("most", [2, 255])
def test_trees_that_are_not_symmetric(policy, loss, most):
    model = fitted(loss, grow_policy=policy, one_hot_max_size=most, depth=6)
    booster, X = to_lightgbm(model, table()), words(table(SEED + 1))
    expected = raw(model, X)
    assert np.abs(scores(booster, X) - expected).max() <= 1e-12 * np.abs(expected).max()
    # those of CatBoost do not add up where leaves are at unequal depths, so that of one depth are compared
    model = fitted(loss, grow_policy=policy, one_hot_max_size=most, depth=1)
    assert_same_scores_and_reasons(model, to_lightgbm(model, table()), X)


def of_known_columns(node, x, known):
    """Value of a tree as saved, for a row of which only some columns are known, and its training weight."""
    if "split" not in node:
        return node["value"], node["weight"]
    below = [of_known_columns(node[side], x, known) for side in ("left", "right")]
    weight = below[0][1] + below[1][1]
    column = node["split"]["float_feature_index"]
    if column in known:
        return below[int(np.float32(x[column]) > np.float32(node["split"]["border"]))][0], weight
    return sum(value * of_side for value, of_side in below) / max(weight, 1e-300), weight


@pytest.mark.parametrize("policy", ["Depthwise", "Lossguide"])
def test_reasons_of_trees_that_are_not_symmetric(policy, tmp_path):
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(300, 3))
    own = {**QUICK, "iterations": 1, "learning_rate": 0.5, "bootstrap_type": "No"}
    model = catboost.CatBoostRegressor(grow_policy=policy, **own).fit(X, X[:, 0] * X[:, 1] + X[:, 2])
    model.save_model(str(tmp_path / "model.json"), format="json")
    tree = json.loads((tmp_path / "model.json").read_text())["trees"][0]
    found = tree_contributions(model, X[:20], dtype="float64").values
    for x, reasons in zip(X[:20], found, strict=True):
        expected = np.zeros(3)
        for order in itertools.permutations(range(3)):
            for i, j in enumerate(order):
                after, before = (of_known_columns(tree, x, order[:end])[0] for end in (i + 1, i))
                expected[j] += (after - before) / 6
        np.testing.assert_allclose(reasons, expected, rtol=0, atol=1e-6)


def test_missing_and_unseen_categories_are_told_apart():
    X = words(table())
    y = 3.0 * (X["city"] == WORD) + number(table()) / 10
    model = catboost.CatBoost({**QUICK, **CATEGORIES, "one_hot_max_size": 255}).fit(X, y)
    booster = to_lightgbm(model, table())
    X = pd.concat([X[:1]] * 2, ignore_index=True).assign(city=[WORD, "Oslo"])
    expected = raw(model, X)
    assert abs(expected[0, 0] - expected[1, 0]) > 0.1
    np.testing.assert_allclose(scores(booster, X), expected, rtol=1e-12)


def test_code_of_missing_cells_is_the_last():
    result = rewritten(fitted(), levels_in(table()))
    assert result.missing_codes == {1: 5, 3: 30}
    assert [len(levels) for levels in result.booster.pandas_categorical] == [6, 31]
    assert {levels[-1] for levels in result.booster.pandas_categorical} == {WORD}


def test_a_level_may_be_called_as_missing_cells_are():
    X = words(table())
    model = fitted(X=X)
    booster = to_lightgbm(model, X)
    assert {levels[-1] for levels in booster.pandas_categorical} == {f"({WORD})"}
    np.testing.assert_allclose(scores(booster, X), raw(model, X), rtol=1e-9)


@pytest.mark.parametrize("mode", ["Min", "Max"])
def test_numbers_at_the_borders(mode):
    X = table()[["a", "b"]]
    model = catboost.CatBoostRegressor(nan_mode=mode, **QUICK).fit(X, number(table()))
    booster = to_lightgbm(model)
    borders = model.get_borders()
    largest = np.finfo(np.float32).max
    rows = []
    for j in (0, 1):
        exact = np.array([*borders[j], -largest, largest], dtype=np.float64)
        with np.errstate(over="ignore"):
            near = [np.nextafter(exact.astype(np.float32), np.float32(side)) for side in (-np.inf, np.inf)]
        middle = [(exact + np.clip(side.astype(np.float64), -(2.0**128), 2.0**128)) / 2 for side in near]
        beside = [np.nextafter(cells, side) for cells in middle for side in (-np.inf, np.inf)]
        cells = np.concatenate([exact, *near, *middle, *beside])
        cells = np.append(cells[np.isfinite(cells)], [np.nan, 1e39, -1e39])
        rows.append(np.zeros((len(cells), 2)))
        rows[-1][:, j] = cells
    table_ = pd.DataFrame(np.vstack(rows), columns=["a", "b"])
    with np.errstate(over="ignore"):
        expected = raw(model, table_).ravel()
    assert (np.abs(booster.predict(table_) - expected) > 1e-9).sum() == 0


def test_levels_that_are_numbers_or_booleans():
    rng = np.random.default_rng(SEED)
    X = pd.DataFrame({"k": rng.integers(0, 9, N), "t": rng.random(N) < 0.5}).astype("category")
    y = X["k"].cat.codes % 3 + 2.0 * X["t"].cat.codes
    model = catboost.CatBoostRegressor(cat_features=[0, 1], max_ctr_complexity=1, **QUICK).fit(X, y)
    np.testing.assert_allclose(to_lightgbm(model, X).predict(X), model.predict(X), rtol=1e-12)


def test_a_model_of_an_array_and_of_one_column():
    X = table()
    model = catboost.CatBoostRegressor(cat_features=[1], max_ctr_complexity=1, **QUICK)
    two = words(X)[["a", "city"]]
    model.fit(two.to_numpy(object), number(X))
    own = two.astype({"city": "category"}).set_axis(["0", "1"], axis=1)
    found = to_lightgbm(model, X[["a", "city"]]).predict(own)
    np.testing.assert_allclose(found, model.predict(two.to_numpy(object)), rtol=1e-12)
    one = X[["a"]].to_numpy()
    model = catboost.CatBoostRegressor(**QUICK).fit(one, number(X))
    np.testing.assert_allclose(to_lightgbm(model).predict(one), model.predict(one), rtol=1e-12)


def test_a_model_without_any_split():
    X = np.arange(100.0).reshape(50, 2)
    model = catboost.CatBoostRegressor(allow_const_label=True, bootstrap_type="No", **QUICK)
    model.fit(X, np.full(50, 3.0))
    np.testing.assert_allclose(to_lightgbm(model).predict(X), model.predict(X), rtol=1e-12)


def test_early_stopping():
    X, y = table()[["a", "b"]], number(table())
    model = catboost.CatBoostRegressor(**{**QUICK, "iterations": 300, "learning_rate": 0.5})
    model.fit(X[:300], y[:300], eval_set=(X[300:], y[300:]), early_stopping_rounds=5)
    assert model.tree_count_ < 300
    np.testing.assert_allclose(to_lightgbm(model).predict(X), model.predict(X), rtol=1e-9)


def test_classes_are_those_of_the_model():
    X = table()[["a", "b"]]
    labels = np.where(number(table()) > 3, "yes", "no")
    model = catboost.CatBoostClassifier(**QUICK).fit(X, labels)
    result = rewritten(model)
    assert result.classes.tolist() == ["no", "yes"]
    np.testing.assert_allclose(result.booster.predict(X), model.predict_proba(X)[:, 1], rtol=1e-9)
    assert rewritten(catboost.CatBoostRegressor(**QUICK).fit(X, number(table()))).classes is None


def test_the_booster_can_be_pickled():
    booster = to_lightgbm(fitted(), table())
    X = words(table())
    np.testing.assert_array_equal(scores(pickle.loads(pickle.dumps(booster)), X), scores(booster, X))


def test_no_file_is_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    to_lightgbm(fitted(), table())
    assert list(tmp_path.iterdir()) == []


REFUSED = {
    "MultiRMSE": "loss 'MultiRMSE'",
    "RMSEWithUncertainty": "loss 'RMSEWithUncertainty'",
    "YetiRank": "loss 'YetiRank'",
    "SurvivalAft:dist=Normal": "loss 'SurvivalAft'",
    "own": "loss 'PythonUserDefinedPerObject'",
}
NUMBERS = ["a", "b"]


class OwnLoss:
    def calc_ders_range(self, approxes, targets, weights):
        return [(targets[i] - approxes[i], -1.0) for i in range(len(targets))]


@pytest.mark.parametrize("loss", REFUSED)
def test_losses_that_are_no_sum_of_one_score(loss):
    y, groups = target(table(), "RMSE"), None
    if loss in ("MultiRMSE", "SurvivalAft:dist=Normal"):
        y = np.column_stack([y, y])
    if loss == "YetiRank":
        groups = np.repeat(np.arange(N // 20), 20)
    own = {"loss_function": OwnLoss(), "eval_metric": "RMSE"} if loss == "own" else {"loss_function": loss}
    model = catboost.CatBoost({**own, **QUICK}).fit(catboost.Pool(table()[NUMBERS], y, group_id=groups))
    with pytest.raises(ValueError, match=REFUSED[loss]):
        to_lightgbm(model)


def test_statistics_of_several_columns():
    model = fitted(max_ctr_complexity=3, combinations_ctr=["Borders"], depth=6, iterations=60)
    with pytest.raises(ValueError, match="statistics that combine several columns.*max_ctr_complexity=1"):
        to_lightgbm(model, table())


def test_sums_of_models_and_text_columns():
    X, y = words(table()), number(table())
    models = [catboost.CatBoost(QUICK).fit(X[NUMBERS], y)] * 2
    with pytest.raises(ValueError, match="no known loss"):
        to_lightgbm(catboost.sum_models(models))
    text = pd.DataFrame({"a": X["a"], "t": X["city"] + " of " + X["code"]})
    model = catboost.CatBoost({"text_features": ["t"], **QUICK}).fit(text, y)
    with pytest.raises(ValueError, match="text features|does not save in a readable form"):
        to_lightgbm(model)


def test_levels_need_a_table():
    with pytest.raises(ValueError, match=r"Column 'city' holds categories.*use to_lightgbm\(model, X\)"):
        to_lightgbm(fitted())
    with pytest.raises(ValueError, match=r"use to_lightgbm\(model, X\)"):
        TreeContributions(fitted())


def test_tables_of_other_kinds():
    model = fitted()
    with pytest.raises(
        ValueError, match="Column 1 of X holds numbers, .* on categories in this column, 'city'"
    ):
        to_lightgbm(model, table().assign(city=1.0))
    with pytest.raises(ValueError, match="Column 0 of X holds text, .* on numbers in this column, 'a'"):
        to_lightgbm(model, table().assign(a="x"))
    with pytest.raises(ValueError, match="X has 3 columns, but the CatBoost was fitted on 4"):
        to_lightgbm(model, table().drop(columns="a"))


def test_columns_in_another_order():
    swapped = table()[["a", "code", "b", "city"]]
    for way in (to_lightgbm, tree_contributions, path_contributions):
        with pytest.raises(ValueError, match="X has column 'code' where .* was fitted on 'city'"):
            way(fitted(), swapped)


@pytest.mark.parametrize("loss", ["RMSE", "MultiClass"])
@pytest.mark.parametrize("kind", [{}, {"one_hot_max_size": 255}, {"grow_policy": "Lossguide"}])
def test_contributions_of_tables_with_text_and_missing_cells(loss, kind):
    model, X = fitted(loss, **kind), table(SEED + 1)
    expected = raw(model, words(X))
    for n in (3, N):  # by LightGBM, and by tables
        for contributions in (
            tree_contributions(model, X[:n], dtype="float64"),
            path_contributions(model, X[:n]),
        ):
            error = np.abs(contributions.scores().reshape(n, -1) - expected[:n]).max()
            assert error <= 1e-12 * np.abs(expected).max()


def test_contributions_of_tables_are_those_of_catboost():
    model, X = fitted(), table(SEED + 1)
    own = model.get_feature_importance(catboost.Pool(words(X), cat_features=TEXT), type="ShapValues")
    found = tree_contributions(model, X, dtype="float64")
    np.testing.assert_allclose(found.values, own[:, :-1], rtol=0, atol=1e-6 * np.abs(own).max())


def known_rows(X):
    """Rows of few cities and codes."""
    return X[X["city"].isin(["Ulm", "Bonn"]) & X["code"].isin([f"c{i}" for i in range(12)])]


@pytest.mark.parametrize("n", [1, 40, N])
@pytest.mark.parametrize("swapped", [False, True], ids=["rows lack levels", "background lacks levels"])
def test_levels_of_rows_and_background_are_those_of_both(n, swapped):
    model, X = fitted(), table(SEED + 1)
    rows, others = known_rows(X), X[200:300]
    rows, others = (others, rows) if swapped else (rows, others)
    complete = rows[rows[TEXT].notna().all(axis=1)]  # a column without any cell holds no categories
    rows = pd.concat([complete[:1], rows] + [rows] * (N // len(rows)))[:n]
    found = tree_contributions(model, rows, background=others, dtype="float64")
    np.testing.assert_allclose(found.base_values, raw(model, words(others)).mean(), rtol=1e-12)
    expected = raw(model, words(rows)).ravel()
    np.testing.assert_allclose(found.scores(), expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    whole = to_lightgbm(model, words(table()))  # which knows all levels
    as_known = tree_contributions(whole, words(rows), background=words(others), dtype="float64")
    np.testing.assert_allclose(found.values, as_known.values, rtol=0, atol=1e-12 * np.abs(expected).max())


def test_contributions_against_a_background_that_lacks_levels():
    model, X = fitted(), table(SEED + 1)
    others = known_rows(X)
    expected, base = raw(model, words(X)).ravel(), raw(model, words(others)).mean()
    odd = X[:3].assign(city=["Oslo", np.nan, "Ulm"], code="c1")
    of_odd = raw(model, words(odd)).ravel()
    kept = others.copy()
    made = TreeContributions(model, background=kept, dtype="float64")
    model.set_scale_and_bias(2.0, 5.0)  # later changes have no effect
    kept["city"] = "Rom"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for contributions in (made, pickle.loads(pickle.dumps(made))):
            for rows, scores in ((X, expected), (X[:1], expected[:1]), (odd, of_odd), (odd[:1], of_odd[:1])):
                found = contributions.explain(rows)
                np.testing.assert_allclose(found.base_values, base, rtol=1e-12)
                np.testing.assert_allclose(found.scores(), scores, atol=1e-12 * np.abs(expected).max())
            new = contributions.explain(X[X["city"] == "Rom"])
            np.testing.assert_allclose(
                new.scores(), expected[X["city"] == "Rom"], atol=1e-12 * np.abs(expected).max()
            )
    assert made.explain(others).meta["trees"]["tables"] == made.n_trees_by_tables > 0


def test_a_background_with_other_columns_is_named():
    model, X = fitted(), words(table())
    for others, error in (
        (X.drop(columns="a"), ValueError),
        (X.assign(city=1.0), ValueError),
        (X.assign(city=pd.Timestamp(0)), TypeError),
        (X[["a", "code", "b", "city"]], ValueError),
    ):
        for explain in (
            lambda others: TreeContributions(model, background=others),
            lambda others: tree_contributions(model, X, background=others),
        ):
            with pytest.raises(error, match="^`background` must be rows that the model can read: "):
                explain(others)
    with pytest.raises(NotFittedError, match="^This CatBoost"):
        TreeContributions(catboost.CatBoostRegressor(**CATEGORIES), background=X)
    with pytest.raises(ValueError, match="whose levels CatBoost does not store"):
        TreeContributions(model)


def test_a_model_must_be_fitted():
    with pytest.raises(NotFittedError, match="CatBoostRegressor is not fitted"):
        to_lightgbm(catboost.CatBoostRegressor())
