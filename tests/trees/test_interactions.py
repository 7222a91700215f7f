"""Interaction values are Shapley interaction indices by their definition, for every model and row."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from math import factorial

import joblib
import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from forests import (
    LEVELS,
    N,
    chain,
    classes,
    of_labels,
    of_objective,
    stopped_early,
    train_and_test,
    unfit_tables,
    without_rows_of_a_class,
)
from lightgbm import LGBMClassifier, LGBMRegressor
from seeds import SEED
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression

from skrationale import Interactions, TreeInteractions, tree_contributions, tree_interactions
from skrationale.teachers.lightgbm import LINKS, LightGBMTeacher
from skrationale.trees import _interacting, _tree_interactions

SMALL = {"n_estimators": 8, "num_leaves": 15, "min_child_samples": 3, "verbose": -1, "n_jobs": 1}
TRAIN, TEST, Y = train_and_test(SEED)
NUMBERS = ["a", "b", "c"]
RANDOM_FOREST = {"boosting_type": "rf", "subsample": 0.6, "subsample_freq": 1}


def by_definition(model, X):
    """Interaction values (n, d, d, K) of the expected raw score, where only some cells of a row are known."""
    teacher = LightGBMTeacher(model)
    cells = X.assign(**{name: codes(X[name]) for name in X if X[name].dtype == "category"}).to_numpy(float)
    n, d = cells.shape
    trees = [tree["tree_structure"] for tree in teacher.booster.dump_model()["tree_info"]][: teacher.n_trees]

    def scores(known):
        found = np.zeros((n, teacher.n_outputs))
        for t, tree in enumerate(trees):
            found[:, t % teacher.n_outputs] += expected(tree, cells, known)[0] * teacher.scale
        return found

    game = {
        frozenset(known): scores(known) for size in range(d + 1) for known in combinations(range(d), size)
    }
    np.testing.assert_allclose(game[frozenset(range(d))], teacher.raw_scores(X), atol=1e-12)
    values = np.zeros((n, d, d, teacher.n_outputs))
    for known, score in game.items():
        for i in known:
            weight = factorial(len(known) - 1) * factorial(d - len(known)) / factorial(d)
            values[:, i, i] += weight * (score - game[known - {i}])
        for i, j in combinations(sorted(known), 2):
            together = score - game[known - {i}] - game[known - {j}] + game[known - {i, j}]
            # half of the index: each of two mirrored entries has one
            weight = factorial(len(known) - 2) * factorial(d - len(known)) / factorial(d - 1) / 2
            for one, other in ((i, j), (j, i)):
                values[:, one, other] += weight * together
                values[:, one, one] -= weight * together
    return values


def codes(column):
    """Codes of the levels at fit, NaN for others."""
    known = {level: code for code, level in enumerate(TRAIN["city"].cat.categories)}
    return column.astype(object).map(known)


def expected(node, cells, known):
    """Mean over the training rows below a node that agree with the known cells (n,), and their number."""
    if "leaf_value" in node:
        return np.full(len(cells), node["leaf_value"]), node.get("leaf_count", 1)
    (left, n_left), (right, n_right) = (
        expected(node[side], cells, known) for side in ("left_child", "right_child")
    )
    n = n_left + n_right
    if node["split_feature"] not in known:
        return (n_left * left + n_right * right) / n, n
    x = cells[:, node["split_feature"]]
    if node["decision_type"] == "==":
        return np.where(np.isin(x, [float(code) for code in node["threshold"].split("||")]), left, right), n
    if node["missing_type"] == "None":
        x = np.nan_to_num(x)
    missing = np.isnan(x) | (x == 0 if node["missing_type"] == "Zero" else False)
    return np.where(np.where(missing, node["default_left"], x <= node["threshold"]), left, right), n


def assert_exact(model, X=TEST, **options):
    """Compare with the definition in both precisions; give the values in float64."""
    truth = by_definition(model, X)
    scale = np.abs(truth).max()
    for dtype, bound in (("float32", 2e-6), ("float64", 1e-12)):
        found = tree_interactions(model, X, dtype=dtype, **options)
        assert np.abs(found.values.reshape(truth.shape) - truth).max() <= bound * scale
        np.testing.assert_array_equal(found.values, found.values.swapaxes(1, 2))
    return found


def assert_adds_up(model, X, **options):
    """Compare rows of the matrices with LightGBM's contributions, and the whole with its scores."""
    teacher = LightGBMTeacher(model)
    contributions, base = teacher.shap_contributions(X)
    contributions = contributions.transpose(0, 2, 1)
    scale = max(np.abs(contributions).max(), np.abs(base).max())
    for dtype, bound in (("float32", 2e-6), ("float64", 1e-12)):
        found = tree_interactions(model, X, dtype=dtype, **options)
        sums = found.values.sum(axis=2).reshape(contributions.shape)
        assert np.abs(sums - contributions).max() <= bound * scale
        whole = found.base_values + found.values.sum(axis=(1, 2))
        assert np.abs(whole.reshape(len(X), -1) - teacher.raw_scores(X)).max() <= bound * scale * X.shape[1]
    return found


@pytest.mark.parametrize("objective", LINKS)
def test_every_objective(objective):
    model = of_objective(objective, TRAIN, Y, **SMALL)
    found = assert_exact(model)
    explanation = tree_contributions(model, TEST, dtype="float64")
    np.testing.assert_allclose(found.values.sum(axis=2), explanation.values, atol=1e-11)
    for name in ("feature_names", "output_names", "link"):
        assert getattr(found, name) == getattr(explanation, name)
    np.testing.assert_allclose(found.base_values, explanation.base_values, rtol=1e-12)


@pytest.mark.parametrize(
    "extra",
    [
        {"zero_as_missing": True},
        {"use_missing": False},
        {"boosting_type": "dart"},
        RANDOM_FOREST,
        {"num_leaves": 63, "min_child_samples": 1, "min_child_weight": 0.0},
        {"reg_lambda": 50.0, "path_smooth": 5.0},
        {"extra_trees": True, "max_cat_to_onehot": 1},
        {"num_leaves": 2},
    ],
    ids=str,
)
def test_every_way_of_boosting(extra):
    assert_exact(LGBMRegressor(**SMALL | extra).fit(TRAIN, Y))


@pytest.mark.parametrize("extra", [{"is_unbalance": True}, {"sigmoid": 2.0}, RANDOM_FOREST], ids=str)
@pytest.mark.parametrize("labels", [Y > 0.7, classes(Y, 3)], ids=["binary", "one-vs-all"])
def test_classifiers(extra, labels):
    assert_exact(of_labels(labels, TRAIN, **SMALL | extra))


def test_early_stopping():
    noise = Y + np.random.default_rng(SEED).normal(size=N) * 0.2
    assert_exact(stopped_early(TRAIN, noise))


def test_trees_of_one_leaf():
    found = tree_interactions(LGBMRegressor(**SMALL).fit(TRAIN, np.full(N, 3)), TEST)
    assert not found.values.any()
    assert len(found.top()) == 0
    np.testing.assert_allclose(found.base_values, 3)
    booster = without_rows_of_a_class(TRAIN, Y)
    found = assert_adds_up(booster, TEST)
    assert not found.values[..., 2].any()


def test_trees_that_read_a_column_in_another_way():
    whole = TRAIN[NUMBERS].assign(a=TRAIN["a"].fillna(0.0), b=TRAIN["b"].fillna(0.0))
    holes = whole.assign(a=whole["a"].where(whole["a"] < 1))
    first = LGBMRegressor(**SMALL).fit(whole, Y)
    second = LGBMRegressor(**SMALL).fit(TRAIN[NUMBERS], -Y, init_model=first)
    # neither of the two has the finest way in both columns
    third = LGBMRegressor(**SMALL).fit(holes, Y**2, init_model=second)
    assert third.booster_.num_trees() == 24
    assert len(TreeInteractions(third)._forests) == 3
    assert_exact(third, TEST[NUMBERS])


def test_a_column_that_is_split_as_numbers_and_as_a_category():
    cells = pd.DataFrame(np.abs(TRAIN[["a", "c"]].to_numpy() * 4).round(), columns=["a", "c"])
    models = [LGBMRegressor(min_data_per_group=1, cat_smooth=1, **SMALL) for _ in range(2)]
    models[0].fit(cells, Y)
    models[1].fit(cells, -Y, categorical_feature=[0])
    (head, *trees), (_, *others) = (model.booster_.model_to_string().split("\nTree=") for model in models)
    head = "\n".join(line for line in head.split("\n") if not line.startswith("tree_sizes="))
    trees[-1] = trees[-1].split("end of trees")[0]
    both = lgb.Booster(model_str="\nTree=".join([head, *trees, *others]))
    assert both.num_trees() == 16
    assert_exact(both, cells)


@pytest.mark.parametrize("bounds", [{"STATES": 50}, {"STATES": 1}, {"MOST_LEAVES": 3}, {"CELLS": 1}], ids=str)
def test_bounds_change_no_value(bounds, monkeypatch):
    model = LGBMClassifier(**SMALL).fit(TRAIN, classes(Y, 3))
    before = tree_interactions(model, TEST, dtype="float64").values
    n_groups = len(TreeInteractions(model)._forests[0][1])
    for name, value in bounds.items():
        monkeypatch.setattr(_interacting, name, value)
    after = TreeInteractions(model, dtype="float64")
    assert len(after._forests[0][1]) > n_groups or "CELLS" in bounds
    np.testing.assert_allclose(after.explain(TEST).values, before, atol=1e-13)


@pytest.mark.parametrize(("n_leaves", "d"), [(15, 20), (40, 70), (66, 66)])
def test_paths_of_many_columns(n_leaves, d):
    X = np.random.default_rng(SEED).uniform(0, 2 * n_leaves, (300, d))
    X[1] = X[0]
    model = chain(n_leaves, d)
    groups = TreeInteractions(model)._forests[0][1]
    # of the joint states of 65 columns an int64 has no numbers
    assert {group.numbered for group in groups} == ({True} if n_leaves < 66 else {True, False})
    # LightGBM's own contributions lose digits here
    truth = tree_contributions(model, X, dtype="float64", max_table_bytes=0).values
    for dtype, bound in (("float32", 2e-6), ("float64", 1e-12)):
        found = tree_interactions(model, X, dtype=dtype)
        assert np.abs(found.values.sum(axis=2) - truth).max() <= bound * np.abs(truth).max()
        np.testing.assert_allclose(found.values[0], found.values[1], rtol=0, atol=1e-6)
    scores = found.base_values + found.values.sum(axis=(1, 2))
    np.testing.assert_allclose(scores, model.predict(X), rtol=0, atol=1e-11)


def test_a_large_base_costs_no_digits():
    model = LGBMRegressor(**SMALL).fit(TRAIN, 1e6 + Y)
    truth = by_definition(model, TEST)
    found = tree_interactions(model, TEST)
    assert np.abs(found.values - truth[..., 0]).max() <= 1e-5 * np.abs(truth).max()


def test_leaves_without_rows():
    model = LGBMRegressor(**SMALL | {"n_estimators": 2}).fit(TRAIN, Y)
    text = model.booster_.model_to_string()
    counts = next(line for line in text.split("\n") if line.startswith("leaf_count="))
    first, *others = counts.removeprefix("leaf_count=").split()
    none = f"leaf_count={0:0{len(first)}} " + " ".join(others)  # as long
    booster = lgb.Booster(model_str=text.replace(counts, none, 1))
    found = tree_interactions(booster, TEST)
    scores = found.base_values + found.values.sum(axis=(1, 2))
    np.testing.assert_allclose(scores, booster.predict(TEST), atol=1e-6)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_values_are_those_of_shap(n_outputs):
    shap = pytest.importorskip("shap")
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(400, 6))
    y = X[:, 0] * X[:, 1] + X[:, 2] + np.sin(X[:, 3] * X[:, 4]) + X[:, 5]
    settings = SMALL | {"n_estimators": 20, "num_leaves": 31}
    if n_outputs == 1:
        model = LGBMRegressor(**settings).fit(X, y)
    else:
        model = LGBMClassifier(**settings).fit(X, classes(y, n_outputs))
    rows = X[:40]
    truth = shap.TreeExplainer(model).shap_interaction_values(rows)
    for dtype, bound in (("float32", 2e-6), ("float64", 1e-9)):
        found = tree_interactions(model, rows, dtype=dtype)
        assert found.values.shape == truth.shape
        assert np.abs(found.values - truth).max() <= bound * np.abs(truth).max()


@pytest.fixture(scope="module")
def forest():
    return LGBMClassifier(**SMALL).fit(TRAIN, LEVELS[classes(Y, 3)])


def test_some_columns_have_the_entries_of_the_whole_matrix(forest):
    interactions = TreeInteractions(forest, dtype="float64")
    whole = interactions.explain(TEST)
    for columns in (["city"], ["c", "a"], [3, "b"], np.array([0, 2, 1]), pd.Index(["city", "a", "b", "c"])):
        some = interactions.explain(TEST, columns=columns)
        places = [whole.feature_names.index(c) if isinstance(c, str) else int(c) for c in columns]
        assert some.feature_names == tuple(whole.feature_names[j] for j in places)
        np.testing.assert_allclose(some.values, whole.values[:, places][:, :, places], atol=1e-13)
        np.testing.assert_array_equal(some.base_values, whole.base_values)


def test_many_columns_need_no_matrix_for_each_row():
    rng = np.random.default_rng(SEED)
    X = pd.DataFrame(rng.normal(size=(600, 70))).add_prefix("f")
    y = X["f3"] + 3 * X["f50"] * X["f7"]
    model = LGBMRegressor(**SMALL | {"n_estimators": 30}).fit(X, y)
    interactions = TreeInteractions(model)
    pairs = interactions.top(X, 3)
    assert pairs.loc[0, ["first", "second"]].tolist() == ["f7", "f50"]
    whole = interactions.explain(X)
    pd.testing.assert_frame_equal(whole.top(3), pairs)
    some = interactions.explain(X, columns=["f50", "f7"])
    together = 2 * np.abs(some.values[:, 0, 1]).mean()
    np.testing.assert_allclose(pairs.loc[0, "mean_abs"], together, rtol=1e-6)
    message = "600 rows, 70 columns and 1 output.* 0.0235 GB, more than `max_bytes` .0.02 GB.*Give fewer rows"
    with pytest.raises(ValueError, match=message):
        interactions.explain(X, max_bytes=2 * 10**7)
    assert interactions.explain(X, columns=["f7"], max_bytes=8 * 600).values.shape == (600, 1, 1)


def test_strongest_pairs_are_sums_over_outputs(forest):
    interactions = TreeInteractions(forest)
    found = interactions.explain(TEST)
    assert found.values.shape == (N, 4, 4, 3)
    every = found.top(10)
    assert len(every) == 6
    pd.testing.assert_frame_equal(every, interactions.top(TEST, 10))
    assert every["mean_abs"].is_monotonic_decreasing
    sums = 0
    for name in found.output_names:
        one = found.for_output(name).top().set_index(["first", "second"])["mean_abs"]
        sums = sums + one.reindex(list(zip(every["first"], every["second"], strict=True))).fillna(0)
    np.testing.assert_allclose(sums, every["mean_abs"])


def test_batches_and_threads(forest):
    interactions = TreeInteractions(forest)
    whole, pairs = interactions.explain(TEST).values, interactions.top(TEST)
    for options in ({"batch_size": 1}, {"batch_size": 7, "n_jobs": 2}, {"n_jobs": 2}):
        some = slice(0, 20) if options.get("batch_size") == 1 else slice(None)
        found = interactions.explain(TEST[some], **options).values
        np.testing.assert_allclose(found, whole[some], rtol=0, atol=1e-7)
    pd.testing.assert_frame_equal(interactions.top(TEST, batch_size=70, n_jobs=2), pairs)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: interactions.explain(TEST).values, range(8)):
            np.testing.assert_array_equal(found, whole)


def test_batches_are_small_where_pairs_are_many(forest, monkeypatch):
    interactions = TreeInteractions(forest)
    whole = interactions.explain(TEST).values
    monkeypatch.setattr(_tree_interactions, "NUMBERS", 1)
    monkeypatch.setattr(_tree_interactions, "LEAST_ROWS", 50)
    np.testing.assert_allclose(interactions.explain(TEST).values, whole, rtol=0, atol=1e-7)


@pytest.mark.filterwarnings("error")
def test_round_trips(forest, tmp_path):
    interactions = TreeInteractions(forest)
    whole = interactions.explain(TEST).values
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(interactions)).explain(TEST).values, whole)
    joblib.dump(interactions, tmp_path / "groups")
    shared = joblib.load(tmp_path / "groups", mmap_mode="r")
    np.testing.assert_array_equal(shared.explain(TEST).values, whole)


def test_later_changes_of_the_model_are_not_seen():
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    interactions = TreeInteractions(model)
    before = interactions.explain(TEST).values
    model.booster_.set_leaf_output(0, 0, 9.0)
    np.testing.assert_array_equal(interactions.explain(TEST).values, before)


def test_a_frozen_model_and_a_booster_are_the_model(forest):
    whole = tree_interactions(forest, TEST)
    assert whole.output_names == ("Bonn", "Kiel", "Ulm")
    for model in (FrozenEstimator(forest), forest.booster_):
        np.testing.assert_array_equal(tree_interactions(model, TEST).values, whole.values)


def test_one_row_is_as_among_others(forest):
    interactions = TreeInteractions(forest)
    whole = interactions.explain(TEST)
    for _ in range(2):
        one = interactions.explain(TEST[5:6])
        np.testing.assert_allclose(one.values, whole.values[5:6], rtol=0, atol=1e-7)
        assert list(one.index) == [5]


@pytest.mark.parametrize(
    ("X", "options", "error", "message"),
    [
        *((X, {}, ValueError, message) for X, message in unfit_tables(TEST)),
        (TEST, {"batch_size": 0}, ValueError, "`batch_size` must be an integer of at least 1 or None, got 0"),
        (TEST, {"dtype": "float16"}, ValueError, "`dtype` must be 'float32' or 'float64', got 'float16'"),
        (TEST, {"max_bytes": -1}, ValueError, "`max_bytes` must be an integer of at least 0, got -1"),
        (TEST, {"max_bytes": 1e9}, ValueError, "`max_bytes` must be an integer"),
        (TEST, {"columns": "a"}, TypeError, "`columns` must be a sequence of names or positions, got 'a'"),
        (TEST, {"columns": 2}, TypeError, "`columns` must be a sequence of names or positions, got 2"),
        (
            TEST,
            {"columns": ["d"]},
            ValueError,
            "`columns` holds 'd', expected names among 'a', 'b', 'c', 'city'",
        ),
        (TEST, {"columns": [4]}, ValueError, r"`columns` holds 4, expected .* or positions in 0..3"),
        (TEST, {"columns": [True]}, ValueError, "`columns` holds True"),
        (TEST, {"columns": ["a", 0]}, ValueError, "each column only once, got .'a', 0"),
        (TEST, {"columns": []}, ValueError, "at least one column"),
    ],
)
def test_bad_input(X, options, error, message):
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    with pytest.raises(error, match=message):
        tree_interactions(model, X, **options)


def test_models_that_cannot_be_explained():
    with pytest.raises(TypeError, match="The model must be a tree ensemble of .*, got LinearRegression"):
        tree_interactions(LinearRegression(), TEST)
    with pytest.raises(NotFittedError):
        tree_interactions(LGBMRegressor(), TEST)
    with pytest.raises(ValueError, match="The model has linear_tree=True"):
        tree_interactions(LGBMRegressor(linear_tree=True, **SMALL).fit(TRAIN[["a", "c"]], Y), TEST)


def test_the_result():
    values = np.zeros((2, 3, 3))
    values[0, 0, 2] = values[0, 2, 0] = -3.0
    values[1, 0, 1] = values[1, 1, 0] = 1.0
    found = Interactions(values, 0.5, feature_names=["x", "y", "z"], index=["p", "q"])
    assert repr(found) == "Interactions(2 rows, 3 features, 1 output, link='identity')"
    assert len(found) == 2
    assert not found.values.flags.writeable
    assert found.for_output("output") is found
    pd.testing.assert_frame_equal(
        found.top(), pd.DataFrame({"first": ["x", "x"], "second": ["z", "y"], "mean_abs": [3.0, 1.0]})
    )
    assert found.top(np.int64(1)).shape == (1, 3)
    assert found.of(-1).loc["y", "x"] == 1
    frame = found.of(0)
    frame.loc["x", "x"] = 9.0
    assert found.values[0, 0, 0] == 0
    two = Interactions(np.stack([values, 2 * values], axis=-1), [0.5, 1.0], output_names=["u", "v"])
    np.testing.assert_array_equal(two.for_output("v").values, 2 * values)
    np.testing.assert_array_equal(two.for_output(1).base_values, [1.0, 1.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Interactions(np.zeros((2, 3)), 0), ValueError, r"`values` has shape \(2, 3\), expected"),
        (lambda: Interactions(np.zeros((2, 3, 2)), 0), ValueError, r"`values` has shape \(2, 3, 2\)"),
        (lambda: Interactions(np.zeros((2, 3, 3)), 0, link="no"), ValueError, "`link` must be one of"),
        (lambda: Interactions(np.zeros((2, 3, 3)), 0, ["x"]), ValueError, "`feature_names` has 1 names"),
        (
            lambda: Interactions(np.zeros((2, 3, 3)), 0).top(-1),
            ValueError,
            "`k` must be an integer .* got -1",
        ),
        (
            lambda: Interactions(np.zeros((2, 3, 3)), 0).of(2),
            IndexError,
            "`row` must be an integer from 0 to 1",
        ),
        (lambda: Interactions(np.zeros((2, 3, 3, 2)), 0).of(0), ValueError, "several outputs .*for_output"),
    ],
)
def test_bad_results(call, error, message):
    with pytest.raises(error, match=message):
        call()
