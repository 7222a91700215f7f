"""Contributions from tables are those of LightGBM, for every model and every row."""

import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import joblib
import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from forests import (
    BOOSTINGS,
    LEVELS,
    N,
    bytes_of_tables,
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
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrationale import TreeContributions, tree_contributions
from skrationale.gbdt2nn import path_contributions
from skrationale.teachers import bins_of
from skrationale.teachers.lightgbm import LINKS, LightGBMTeacher
from skrationale.trees import _plan

SMALL = {"n_estimators": 8, "num_leaves": 15, "min_child_samples": 3, "verbose": -1, "n_jobs": 1}
WAYS = [tree_contributions, path_contributions, lambda model, X: TreeContributions(model).explain(X)]


TRAIN, TEST, Y = train_and_test(SEED)


def assert_exact(model, X=TEST, **options):
    """Compare with LightGBM in both precisions; give the tables in float64."""
    teacher = LightGBMTeacher(model)
    expected, base = teacher.shap_contributions(X)
    expected = expected.transpose(0, 2, 1)
    scale = max(np.abs(expected).max(), np.abs(base).max())
    for dtype, bound in (("float32", 2e-6), ("float64", 1e-12)):
        contributions = TreeContributions(model, dtype=dtype, **options)
        explanation = contributions.explain(X)
        values = explanation.values.reshape(expected.shape)
        assert np.abs(values - expected).max() <= bound * scale
        np.testing.assert_allclose(contributions.base_values, base, rtol=1e-12, atol=1e-12 * scale)
    scores = teacher.raw_scores(X).reshape(explanation.scores().shape)
    assert np.abs(explanation.scores() - scores).max() <= 1e-11 * scale
    return contributions


@pytest.mark.parametrize("objective", LINKS)
def test_every_objective(objective):
    model = of_objective(objective, TRAIN, Y, **SMALL)
    assert assert_exact(model).n_trees_by_lightgbm == 0


@pytest.mark.parametrize(
    "extra",
    [
        *BOOSTINGS,
        {"num_leaves": 63, "min_child_samples": 1, "min_child_weight": 0.0},
        {"subsample": 0.5, "subsample_freq": 1},
        {"reg_lambda": 50.0, "path_smooth": 5.0},
        {"num_leaves": 2},
    ],
    ids=str,
)
def test_every_way_of_boosting(extra):
    assert_exact(LGBMRegressor(**SMALL | extra).fit(TRAIN, Y))


@pytest.mark.parametrize("extra", [{"is_unbalance": True}, {"sigmoid": 2.0}], ids=str)
@pytest.mark.parametrize("labels", [Y > 0.7, classes(Y, 3)], ids=["binary", "one-vs-all"])
def test_classifiers(extra, labels):
    assert_exact(of_labels(labels, TRAIN, **SMALL | extra))


def test_early_stopping():
    noise = Y + np.random.default_rng(SEED).normal(size=N) * 0.2
    booster = stopped_early(TRAIN, noise)
    assert booster.best_iteration > 1
    whole = assert_exact(booster)
    assert whole.n_trees_by_tables == booster.best_iteration
    assert tree_contributions(booster, TEST[:9]).meta["trees"]["lightgbm"] == booster.best_iteration
    half = assert_exact(booster, max_table_bytes=whole.nbytes // 2)
    assert 0 < half.n_trees_by_quadrature < booster.best_iteration


@pytest.mark.parametrize("model", [LGBMRegressor(**SMALL), LGBMClassifier(**SMALL)])
def test_trees_of_one_leaf(model):
    contributions = assert_exact(model.fit(TRAIN, np.full(N, 3)))
    assert not contributions.explain(TEST).values.any()


def test_trees_of_one_leaf_among_others():
    booster = without_rows_of_a_class(TRAIN, Y)
    for limit in (2**20, 0):
        contributions = assert_exact(booster, max_table_bytes=limit)
        assert not contributions.explain(TEST).values[:, :, 2].any()
        assert contributions.n_trees_by_quadrature == (0 if limit else 15)


def test_columns_that_no_split_is_on():
    X = TRAIN[["c"]].assign(constant=1.0, a=TRAIN["a"], empty=np.nan)
    model = LGBMRegressor(**SMALL).fit(X, Y)
    assert not assert_exact(model, X).explain(X).values[:, [1, 3]].any()


def test_one_column_gets_what_the_score_is_above_its_base():
    X = TRAIN[["b"]]
    model = LGBMRegressor(**SMALL).fit(X, Y)
    contributions = assert_exact(model, X)
    above = model.predict(X) - contributions.base_values
    np.testing.assert_allclose(contributions.explain(X).values[:, 0], above, atol=1e-12)


@pytest.mark.parametrize(
    "extra", [{}, {"use_missing": False}, {"zero_as_missing": True}], ids=["missing", "none", "zero"]
)
def test_values_around_thresholds(extra):
    columns = ["a", "b", "c"]
    model = LGBMRegressor(**SMALL | extra).fit(TRAIN[columns], Y)
    splits = LightGBMTeacher(model).splits()
    zero = float(np.float32(1e-35))
    edges = [np.nan, 0.0, -0.0, *(sign * way for sign in (1, -1) for way in _around(zero)), 1e300, -1e300]
    rows = []
    for j, column in enumerate(splits):
        for value in [*edges, *(near for t in column.thresholds for near in _around(t))]:
            row = TEST[columns].to_numpy()[len(rows) % N].copy()
            row[j] = value
            rows.append(row)
    assert len(rows) > 100
    assert_exact(model, np.array(rows))


def _around(number):
    with np.errstate(over="ignore"):
        return [
            number,
            np.nextafter(number, np.inf),
            np.nextafter(number, -np.inf),
            float(np.float32(number)),
        ]


@pytest.mark.parametrize("extra", [{}, {"use_missing": False}, {"zero_as_missing": True}], ids=str)
def test_codes_of_a_category(extra):
    rng = np.random.default_rng(SEED)
    codes, other = rng.integers(0, 5, 800).astype(float), rng.normal(size=800)
    y = np.array([0.0, 3, -2, 5, 1])[codes.astype(int)] + other
    codes[:200] = np.nan
    trees = LGBMRegressor(min_data_per_group=5, cat_smooth=1, **SMALL | extra)
    trees.fit(np.column_stack([codes, other]), y, categorical_feature=[0])
    asked = [-(2.0**31) - 1, -1e10, -1.5, -1, -0.99, -0.5, -1e-40, 0, 1e-40, 0.99, 1, 2.999, 4.5, 5, 31]
    asked += [32, 2.0**31 - 1, 2.0**31, 2.0**32 + 1, 1e10, 1e300, np.nan]
    assert_exact(trees, np.column_stack([asked, np.zeros(len(asked))]))


def test_many_levels():
    rng = np.random.default_rng(SEED)
    X = pd.DataFrame({"code": pd.Categorical(rng.integers(0, 200, 2000)), "x": rng.normal(size=2000)})
    y = rng.normal(size=200)[X["code"].cat.codes] + X["x"]
    model = LGBMRegressor(min_data_per_group=1, cat_smooth=1, max_cat_threshold=200, **SMALL).fit(X, y)
    assert_exact(model, X)


def test_large_codes_of_few_levels():
    rng = np.random.default_rng(SEED)
    codes, levels = rng.integers(0, 30, 800), rng.choice(10**6, 30, replace=False)
    X = np.column_stack([levels[codes], rng.normal(size=800)])
    model = LGBMRegressor(min_data_per_group=1, cat_smooth=1, **SMALL)
    model.fit(X, rng.normal(size=30)[codes] + X[:, 1], categorical_feature=[0])
    assert_exact(model, np.vstack([X, X + 1, X - 1]))
    splits = LightGBMTeacher(model).splits()
    assert len(splits[0].category_sets) > 20
    tracemalloc.start()
    bins_of(splits)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 10**6


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_more_columns_than_a_table_has(n_outputs):
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(400, 40))
    X[rng.random(X.shape) < 0.05] = np.nan
    y = np.nan_to_num(X[:, 0] + X[:, 20] * X[:, 39])
    if n_outputs == 1:
        model = LGBMRegressor(**SMALL | {"n_estimators": 40}).fit(X, y)
    else:
        model = LGBMClassifier(**SMALL | {"n_estimators": 30}).fit(X, classes(y, n_outputs))
    contributions = assert_exact(model, X)
    assert len(contributions._tables._trees.bins) > 32
    # the memory of a tree does not grow with columns that it does not ask
    trees = contributions._tables._trees
    n_bins = np.array([column.n_bins for column in trees.bins])
    parts = [part for shelf in trees.shelves for part in shelf.parts]
    assert all(len(part.row_of_bin) == n_bins[part.credited].sum() for part in parts)
    assert {len(part.credited) for part in parts} <= set(range(1, 15))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
@pytest.mark.parametrize(
    "extra", [{}, {"boosting_type": "dart"}, {"boosting_type": "rf", "subsample": 0.6, "subsample_freq": 1}]
)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_trees_without_tables(share, extra, n_outputs):
    if n_outputs == 1:
        model = LGBMRegressor(**SMALL | extra).fit(TRAIN, Y)
    else:
        model = LGBMClassifier(**SMALL | extra).fit(TRAIN, classes(Y, n_outputs))
    whole = TreeContributions(model)
    tables = bytes_of_tables(whole._tables._trees)
    # of twice as many bytes a number in float64 fewer fit
    contributions = assert_exact(model, max_table_bytes=int(share * tables))
    assert bytes_of_tables(contributions._tables._trees) <= share * tables
    tables, computed = contributions.n_trees_by_tables, contributions.n_trees_by_quadrature
    assert (tables > 0, computed > 0, tables + computed) == (share > 0, True, 8 * n_outputs)
    many, few = contributions.explain(TEST), contributions.explain(TEST[:20])
    assert many.meta["trees"] == {"tables": tables, "quadrature": computed, "lightgbm": 0}
    assert few.meta["trees"] == {"tables": tables, "quadrature": 0, "lightgbm": computed}
    np.testing.assert_allclose(few.values, many.values[:20], atol=1e-12)


def test_more_rows_are_few_for_larger_trees():
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(2000, 3))
    for n_leaves, few, many in ((4, 64, 66), (400, 163, 165)):
        trees = LGBMRegressor(**SMALL | {"n_estimators": 2, "num_leaves": n_leaves})
        contributions = TreeContributions(trees.fit(X, rng.normal(size=2000)), max_table_bytes=0)
        ways = [contributions.explain(X[:n]).meta["trees"]["quadrature"] for n in (few, many)]
        assert ways == [0, 2]


def test_few_rows_are_left_to_lightgbm():
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    few, many = tree_contributions(model, TEST[:20]), tree_contributions(model, TEST)
    assert few.meta["trees"] == {"tables": 0, "quadrature": 0, "lightgbm": 8}
    assert many.meta["trees"] == {"tables": 8, "quadrature": 0, "lightgbm": 0}
    np.testing.assert_allclose(few.values, many.values[:20], atol=1e-6)


def test_trees_that_read_a_column_in_another_way_are_left_to_lightgbm():
    columns = ["a", "b", "c"]
    whole = TRAIN[columns].fillna(0.0)
    first = LGBMRegressor(**SMALL).fit(whole, Y)
    both = LGBMRegressor(**SMALL).fit(TRAIN[columns], -Y, init_model=first)
    assert 0 < assert_exact(both, TEST[columns]).n_trees_by_lightgbm <= 8


def test_a_column_that_is_split_as_numbers_and_as_a_category():
    codes = np.abs(TRAIN[["a", "c"]].to_numpy() * 4).round()
    models = [LGBMRegressor(min_data_per_group=1, cat_smooth=1, **SMALL) for _ in range(2)]
    models[0].fit(codes, Y)
    models[1].fit(codes, -Y, categorical_feature=[0])
    (head, *trees), (_, *others) = (model.booster_.model_to_string().split("\nTree=") for model in models)
    head = "\n".join(line for line in head.split("\n") if not line.startswith("tree_sizes="))
    trees[-1] = trees[-1].split("end of trees")[0]
    both = lgb.Booster(model_str="\nTree=".join([head, *trees, *others]))
    assert both.num_trees() == 16
    assert 0 < assert_exact(both, codes).n_trees_by_lightgbm <= 8


def test_leaves_without_rows_have_finite_reasons():
    model = LGBMRegressor(**SMALL | {"n_estimators": 2}).fit(TRAIN, Y)
    text = model.booster_.model_to_string()
    counts = next(line for line in text.split("\n") if line.startswith("leaf_count="))
    first, *others = counts.removeprefix("leaf_count=").split()
    none = f"leaf_count={0:0{len(first)}} " + " ".join(others)  # as long
    booster = lgb.Booster(model_str=text.replace(counts, none, 1))
    explanation = TreeContributions(booster, dtype="float64").explain(TEST)
    assert explanation.additivity_error(booster.predict(TEST)) < 1e-12


def test_a_chain_of_thousands_of_leaves():
    n_leaves = 2000
    X = np.arange(n_leaves, dtype=np.float64).reshape(-1, 1)
    explanation = TreeContributions(chain(n_leaves), dtype="float64").explain(X)
    np.testing.assert_allclose(explanation.values, X - X.mean(), atol=1e-9)


@pytest.fixture(scope="module")
def forest():
    return LGBMClassifier(**SMALL).fit(TRAIN, LEVELS[classes(Y, 3)])


@pytest.fixture(scope="module")
def in_all_ways():
    """Tables, trees computed for each row, and trees that read missing numbers in another way."""
    whole = TRAIN.assign(b=TRAIN["b"].fillna(0.0))
    first = LGBMClassifier(**SMALL).fit(whole, LEVELS[classes(Y, 3)])
    both = LGBMClassifier(**SMALL).fit(TRAIN, LEVELS[classes(Y, 3)], init_model=first)
    contributions = assert_exact(both, max_table_bytes=40_000)
    assert contributions.n_trees_by_tables >= 3
    assert contributions.n_trees_by_quadrature >= 3
    assert contributions.n_trees_by_lightgbm >= 3
    return contributions


def test_trees_beyond_all_bounds_are_left_to_lightgbm(forest, monkeypatch):
    monkeypatch.setattr(_plan, "MOST_NUMBERS", 100)
    assert assert_exact(forest, max_table_bytes=0).n_trees_by_lightgbm == 24
    monkeypatch.setattr(_plan, "MOST_ROWS", 10)
    assert assert_exact(forest).n_trees_by_lightgbm == 24


def test_all_ways_at_once(in_all_ways):
    many, few = in_all_ways.explain(TEST), in_all_ways.explain(TEST[:20])
    assert few.meta["trees"]["quadrature"] == 0
    assert sum(few.meta["trees"].values()) == sum(many.meta["trees"].values()) == 48
    np.testing.assert_allclose(few.values, many.values[:20], atol=1e-6)


def test_batches_and_threads_change_no_digit(forest):
    contributions = TreeContributions(forest)
    whole = contributions.explain(TEST).values
    for options in ({"batch_size": 1}, {"batch_size": 7, "n_jobs": 2}, {"n_jobs": 2}):
        np.testing.assert_array_equal(contributions.explain(TEST, **options).values, whole)
    np.testing.assert_array_equal(contributions.explain(TEST[::-1]).values, whole[::-1])
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: contributions.explain(TEST).values, range(8)):
            np.testing.assert_array_equal(found, whole)


def test_batches_and_threads_of_all_ways(in_all_ways):
    rows = pd.concat([TEST] * 5)
    whole = in_all_ways.explain(rows).values
    for options in ({"batch_size": 1}, {"batch_size": 700, "n_jobs": 2}):
        np.testing.assert_allclose(in_all_ways.explain(rows, **options).values, whole, atol=1e-6)


@pytest.mark.filterwarnings("error")
def test_round_trips(in_all_ways, tmp_path):
    contributions = in_all_ways
    whole = contributions.explain(TEST).values
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(contributions)).explain(TEST).values, whole)
    joblib.dump(contributions, tmp_path / "tables")
    # as processes of joblib share them
    shared = joblib.load(tmp_path / "tables", mmap_mode="r")
    assert isinstance(shared._tables._trees.shelves[0].table, np.memmap)
    np.testing.assert_array_equal(shared.explain(TEST).values, whole)


def test_later_changes_of_the_model_are_not_seen():
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    for limit, rows in ((2**20, TEST), (0, TEST), (0, TEST[:20])):
        contributions = TreeContributions(model, max_table_bytes=limit)
        before = contributions.explain(rows).values
        model.booster_.set_leaf_output(0, 0, 9.0)
        np.testing.assert_array_equal(contributions.explain(rows).values, before)


def test_what_is_explained_is_as_with_paths(forest):
    by_path, exact = path_contributions(forest, TEST), tree_contributions(forest, TEST)
    for name in ("feature_names", "output_names", "kind", "link"):
        assert getattr(by_path, name) == getattr(exact, name)
    for name in ("data", "base_values"):
        np.testing.assert_allclose(getattr(by_path, name), getattr(exact, name), rtol=1e-12)
    assert list(map(str, by_path.display_data[:, 3])) == list(map(str, exact.display_data[:, 3]))
    assert exact.meta["explanation"] == "tree_shap"
    booster = tree_contributions(forest.booster_, TEST)
    assert booster.output_names == ("0", "1", "2")
    np.testing.assert_array_equal(booster.values, exact.values)


@pytest.mark.parametrize("way", WAYS)
def test_a_frozen_model_is_the_model(forest, way):
    frozen = way(FrozenEstimator(forest), TEST)
    assert frozen.output_names == ("Bonn", "Kiel", "Ulm")
    np.testing.assert_array_equal(frozen.values, way(forest, TEST).values)


def test_predictions_after_a_link():
    poisson = LGBMRegressor(objective="poisson", **SMALL).fit(TRAIN, Y)
    assert tree_contributions(poisson, TEST).additivity_error(poisson.predict(TEST)) < 1e-6


def test_progress(forest, capsys):
    TreeContributions(forest)
    assert capsys.readouterr().err == ""
    TreeContributions(forest, verbose=1)
    assert "24/24" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        *((X, {}, message) for X, message in unfit_tables(TEST)),
        (TEST, {"batch_size": 0}, "`batch_size` must be an integer of at least 1 or None, got 0"),
        (TEST, {"max_table_bytes": -1}, "`max_table_bytes` must be an integer of at least 0, got -1"),
        (TEST, {"max_table_bytes": 1e6}, "`max_table_bytes` must be an integer"),
        (TEST, {"dtype": "float16"}, "`dtype` must be 'float32' or 'float64', got 'float16'"),
    ],
)
def test_bad_input(X, options, message):
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    with pytest.raises(ValueError, match=message):
        tree_contributions(model, X, **options)


def test_models_that_cannot_be_explained():
    for way in WAYS:
        with pytest.raises(TypeError, match="The model must be a tree ensemble of .*, got LinearRegression"):
            way(LinearRegression(), TEST)
        with pytest.raises(TypeError, match="got Pipeline. Give the last step"):
            way(make_pipeline(LGBMRegressor(**SMALL)), TEST)
        with pytest.raises(TypeError, match="got GridSearchCV. Give the best_estimator_ of the search.$"):
            way(GridSearchCV(LGBMRegressor(**SMALL), {"max_depth": [3]}, cv=2).fit(TRAIN, Y), TEST)
        with pytest.raises(NotFittedError):
            way(LGBMRegressor(), TEST)
        with pytest.raises(ValueError, match="The model has linear_tree=True"):
            way(LGBMRegressor(linear_tree=True, **SMALL).fit(TRAIN[["a", "c"]], Y), TEST)
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    model.booster_.set_leaf_output(0, 0, np.nan)
    with pytest.raises(ValueError, match="NaN or infinite values in 1 of 120 leaves"):
        TreeContributions(model)
