"""Contributions against background rows are Shapley values by their definition, for every model and row."""

import pickle
from itertools import combinations
from math import factorial

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

from skrationale import Explanation, TreeContributions, tree_contributions
from skrationale.teachers.lightgbm import LINKS, LightGBMTeacher
from skrationale.trees import _interventional, _pairs, _pairs_tree
from skrationale.trees._pairs import of_leaf, of_sparse_pairs
from skrationale.trees._states import nodes_and_weights

SMALL = {"n_estimators": 8, "num_leaves": 15, "min_child_samples": 3, "verbose": -1, "n_jobs": 1}
TRAIN, TEST, Y = train_and_test(SEED)
NUMBERS = ["a", "b", "c"]
ROWS, OTHERS = TEST[:12], TEST[30:45]


def by_definition(model, X, background):
    """Shapley values (n, d, K) of the mean raw score of rows with all cells but some from the background."""
    teacher = LightGBMTeacher(model)
    n, b, d = len(X), len(background), X.shape[1]
    tables = [pd.DataFrame(table) for table in (X, background)]
    if "city" in tables[0]:
        dtype = pd.CategoricalDtype(LEVELS)
        tables = [table.astype({"city": dtype}) for table in tables]
    both = pd.concat(tables, ignore_index=True)
    coalitions = [set(some) for size in range(d + 1) for some in combinations(range(d), size)]
    own, others = np.repeat(np.arange(n), b), n + np.tile(np.arange(b), n)
    mixed = {}
    for j, name in enumerate(both.columns):
        at = np.concatenate([own if j in chosen else others for chosen in coalitions])
        mixed[name] = both.iloc[at, j].reset_index(drop=True)
    mixed = pd.DataFrame(mixed)
    raw = teacher.raw_scores(mixed if isinstance(X, pd.DataFrame) else mixed.to_numpy())
    means = raw.reshape(len(coalitions), n, b, -1).mean(axis=2)
    scores = dict(zip(map(frozenset, coalitions), means, strict=True))
    values = np.zeros((n, d, teacher.n_outputs))
    for chosen, score in scores.items():
        for j in chosen:
            weight = factorial(len(chosen) - 1) * factorial(d - len(chosen)) / factorial(d)
            values[:, j] += weight * (score - scores[chosen - {j}])
    return values, scores[frozenset()][0]


def assert_exact(model, X=ROWS, background=OTHERS, limits=(2**29, 0)):
    """Compare with the definition in both precisions, by tables and by pairs; give the last."""
    expected, base = by_definition(model, X, background)
    scores = LightGBMTeacher(model).raw_scores(X)
    scale = max(np.abs(expected).max(), np.abs(base).max())
    for limit in limits:
        for dtype, bound in (("float32", 2e-6), ("float64", 1e-12)):
            contributions = TreeContributions(
                model, background=background, dtype=dtype, max_table_bytes=limit
            )
            explanation = contributions.explain(X)
            values = explanation.values.reshape(expected.shape)
            assert np.abs(values - expected).max() <= bound * scale
            np.testing.assert_allclose(contributions.base_values, base, atol=1e-12 * scale)
        assert np.abs(explanation.scores().reshape(scores.shape) - scores).max() <= 1e-12 * scale
    return contributions


@pytest.mark.parametrize("objective", LINKS)
def test_every_objective(objective):
    model = of_objective(objective, TRAIN, Y, **SMALL)
    contributions = assert_exact(model)
    assert contributions.n_trees_by_pairs == LightGBMTeacher(model).n_trees


@pytest.mark.parametrize(
    "extra",
    [
        *BOOSTINGS,
        {"num_leaves": 63, "min_child_samples": 1, "min_child_weight": 0.0},
        {"data_sample_strategy": "goss"},
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


@pytest.mark.filterwarnings("ignore:X has only unknown levels")
@pytest.mark.parametrize(
    ("X", "background"), [(TRAIN, TEST), (TEST, TRAIN), (TEST, TEST[:1]), (TEST[:1], TRAIN)]
)
def test_levels_and_missing_numbers_that_are_new(X, background):
    # one level of the second table, and missing numbers of its first column
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    assert_exact(model, X[:14], background[:14])


def test_other_order_of_levels_in_the_background():
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    other = OTHERS.assign(city=OTHERS["city"].cat.set_categories(LEVELS[::-1]))
    expected = TreeContributions(model, background=OTHERS).explain(ROWS).values
    np.testing.assert_array_equal(TreeContributions(model, background=other).explain(ROWS).values, expected)
    assert_exact(model, background=other)


@pytest.mark.filterwarnings("ignore:X has only unknown levels")
def test_a_row_that_stands_twice_counts_twice():
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    twice = OTHERS.iloc[[0, 0, 0, 1, 2]]
    assert_exact(model, background=twice)


def test_six_columns():
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(400, 6)).round(2)
    X[rng.random(X.shape) < 0.1] = np.nan
    y = np.nan_to_num(X[:, 0] * X[:, 1] + X[:, 2] * X[:, 3] * X[:, 4]) + (X[:, 5] > 0)
    assert_exact(LGBMRegressor(**SMALL | {"num_leaves": 31}).fit(X, y), X[:8], X[8:18])


def test_values_are_those_of_shap():
    shap = pytest.importorskip("shap")
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(500, 12)).round(2)
    models = [
        LGBMRegressor(**SMALL | {"num_leaves": 31}).fit(X, X[:, 0] * X[:, 1] + X[:, 2:].sum(axis=1)),
        LGBMClassifier(**SMALL).fit(X, X[:, 0] * X[:, 1] + X[:, 2] > 0),
        LGBMClassifier(**SMALL).fit(X, classes(X[:, 0] * X[:, 1] + X[:, 2], 3)),
    ]
    for model in models:
        explainer = shap.TreeExplainer(model, data=X[:50], feature_perturbation="interventional")
        expected = explainer.shap_values(X[50:90]).reshape(40, 12, -1)
        for limit in (2**29, 0):
            own = TreeContributions(model, background=X[:50], dtype="float64", max_table_bytes=limit)
            values = own.explain(X[50:90]).values.reshape(expected.shape)
            # shap adds up in float32
            assert np.abs(values - expected).max() <= 1e-6 * np.abs(expected).max()
            np.testing.assert_allclose(own.base_values, explainer.expected_value, atol=1e-6)


def test_early_stopping():
    booster = stopped_early(TRAIN, Y + np.random.default_rng(SEED).normal(size=N) * 0.2)
    assert assert_exact(booster).n_trees_by_pairs == booster.best_iteration


@pytest.mark.parametrize("model", [LGBMRegressor(**SMALL), LGBMClassifier(**SMALL)])
def test_trees_of_one_leaf(model):
    contributions = assert_exact(model.fit(TRAIN, np.full(N, 3)))
    assert not contributions.explain(TEST).values.any()


def test_trees_of_one_leaf_among_others():
    contributions = assert_exact(without_rows_of_a_class(TRAIN, Y))
    assert not contributions.explain(TEST).values[:, :, 2].any()


def test_columns_that_no_split_is_on():
    X = TRAIN[["c"]].assign(constant=1.0, a=TRAIN["a"], empty=np.nan)
    model = LGBMRegressor(**SMALL).fit(X, Y)
    assert not assert_exact(model, X[:9], X[9:20]).explain(X).values[:, [1, 3]].any()


def test_codes_of_a_category():
    rng = np.random.default_rng(SEED)
    codes, other = rng.integers(0, 5, 800).astype(float), rng.normal(size=800)
    y = np.array([0.0, 3, -2, 5, 1])[codes.astype(int)] + other
    codes[:200] = np.nan
    trees = LGBMRegressor(min_data_per_group=5, cat_smooth=1, **SMALL)
    trees.fit(np.column_stack([codes, other]), y, categorical_feature=[0])
    asked = np.array([-1e10, -1.0, -0.5, 0, 0.99, 2.999, 4.5, 5, 31, 2.0**32 + 1, np.nan])
    rows = np.column_stack([asked, rng.normal(size=len(asked))])
    assert_exact(trees, rows, rows[::-1])


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_trees_that_read_a_column_in_another_way(n_outputs):
    whole, rows, others = TRAIN[NUMBERS].fillna(0.0), ROWS[NUMBERS], OTHERS[NUMBERS]
    kind, y = (LGBMRegressor, Y) if n_outputs == 1 else (LGBMClassifier, classes(Y, n_outputs))
    first = kind(**SMALL).fit(whole, y)
    both = kind(**SMALL).fit(TRAIN[NUMBERS], y[::-1], init_model=first)
    contributions = assert_exact(both, rows, others, limits=(0, 2**29))
    assert contributions.n_trees_by_tables + contributions.n_trees_by_pairs == 16 * n_outputs
    assert 0 < contributions.n_trees_by_pairs <= 8 * n_outputs


def test_a_column_that_is_split_as_numbers_and_as_a_category():
    codes = np.abs(TRAIN[["a", "c"]].to_numpy() * 4).round()
    models = [LGBMRegressor(min_data_per_group=1, cat_smooth=1, **SMALL) for _ in range(2)]
    models[0].fit(codes, Y)
    models[1].fit(codes, -Y, categorical_feature=[0])
    (head, *trees), (_, *others) = (model.booster_.model_to_string().split("\nTree=") for model in models)
    head = "\n".join(line for line in head.split("\n") if not line.startswith("tree_sizes="))
    trees[-1] = trees[-1].split("end of trees")[0]
    both = lgb.Booster(model_str="\nTree=".join([head, *trees, *others]))
    contributions = assert_exact(both, codes[:12], codes[12:30], limits=(0, 2**29))
    assert 0 < contributions.n_trees_by_pairs <= 8


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
    ways = [
        TreeContributions(model, background=X[:30], max_table_bytes=m, dtype="float64") for m in (2**29, 0)
    ]
    tables, pairs = (own.explain(X[30:]) for own in ways)
    np.testing.assert_allclose(tables.values, pairs.values, atol=1e-14)
    scores = LightGBMTeacher(model).raw_scores(X[30:])
    np.testing.assert_allclose(tables.scores().reshape(scores.shape), scores, atol=1e-12)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_some_trees_without_tables(share):
    model = LGBMClassifier(**SMALL).fit(TRAIN, classes(Y, 3))
    whole = TreeContributions(model, background=OTHERS, dtype="float64")
    limit = int(share * bytes_of_tables(whole._tables._trees[0]))
    contributions = assert_exact(model, limits=(limit,))
    tables, pairs = contributions.n_trees_by_tables, contributions.n_trees_by_pairs
    assert tables > 0
    assert pairs > 0
    assert bytes_of_tables(contributions._tables._trees[0]) <= limit
    assert contributions.explain(TEST).meta["trees"] == {"tables": tables, "pairs": pairs}
    # many rows share what few rows are computed by
    np.testing.assert_allclose(contributions.explain(TEST).values, whole.explain(TEST).values, atol=1e-14)


def by_integral(codes, others, m):
    """The mean integral (m, n) over t that defines the contributions of a leaf of value 1."""
    t, weights = nodes_and_weights((m + 1) // 2)
    own, other = (1 - (some[:, None] >> np.arange(m) & 1) for some in (codes, others))
    terms = own[:, None, :, None] * t + other[:, :, None] * (1 - t)
    change = own[:, None] - other
    rest = [np.delete(terms, i, axis=2).prod(axis=2) @ weights for i in range(m)]
    return np.stack([(change[..., i] * rest[i]).mean(axis=1) for i in range(m)])


@pytest.mark.parametrize("m", [1, 2, 3, 8, 30, 53])
def test_one_leaf(m):
    rng = np.random.default_rng(SEED)
    bits = rng.random((30, m)) < min(0.5, 1.5 / m)
    codes = np.append(bits @ 2 ** np.arange(m), 2**m - 1)
    own, others = codes[:16], codes[10:]
    expected = by_integral(own, others, m)
    assert expected.any()
    shares = np.full(len(others), 1 / len(others))
    np.testing.assert_allclose(of_leaf(own, others, shares, m), expected, atol=1e-14)
    paths, two = np.ones((m, 2), dtype=bool), np.array([2.0, -0.5])
    found = of_sparse_pairs(np.stack([own, own]), np.stack([others, others]), shares, paths, two)
    np.testing.assert_allclose(found, 1.5 * expected, atol=1e-14)


def test_a_few_pairs_at_a_time(monkeypatch):
    model = LGBMClassifier(**SMALL).fit(TRAIN, classes(Y, 3))
    own = TreeContributions(model, background=OTHERS, max_table_bytes=0)
    whole = own.explain(TEST).values
    for name, few in (("all", 2**30), ("none", 0)):
        monkeypatch.setattr(_pairs_tree, "FEW_PAIRS", few)
        for numbers in (1, 5000):
            monkeypatch.setattr(_pairs_tree, "NUMBERS", numbers)
            monkeypatch.setattr(_pairs, "NUMBERS", numbers)
            np.testing.assert_allclose(own.explain(TEST).values, whole, atol=1e-14, err_msg=name)


@pytest.mark.parametrize(("n_columns", "limit"), [(30, 53), (53, 53), (54, 53)])
def test_paths_of_many_columns(n_columns, limit):
    booster = chain(n_columns + 1, n_columns)
    rng = np.random.default_rng(SEED)
    X = 100.0 * (rng.random((12, n_columns)) > 2 / n_columns)
    if n_columns > limit:
        with pytest.raises(
            ValueError, match="splits on 54 columns. With `background`, at most 53 .* `max_table_b"
        ):
            TreeContributions(booster, background=X)
        return
    explanation = TreeContributions(booster, background=X[:5], dtype="float64").explain(X)
    assert explanation.meta["trees"] == {"tables": 0, "pairs": 1}
    assert explanation.additivity_error(booster.predict(X)) < 1e-13
    # leaf i is reached by rows that pass i splits and fail the next one
    passes = X > 50
    expected = np.zeros((len(X), n_columns))
    for leaf in range(n_columns + 1):
        m = min(leaf + 1, n_columns)
        fails = ~passes[:, :m].copy()
        if leaf < n_columns:
            fails[:, leaf] ^= True
        codes = fails @ 2 ** np.arange(m)
        expected[:, :m] += leaf * by_integral(codes, codes[:5], m).T
    np.testing.assert_allclose(explanation.values, expected, atol=1e-12)


@pytest.fixture(scope="module")
def forest():
    return LGBMClassifier(**SMALL).fit(TRAIN, LEVELS[classes(Y, 3)])


def test_batches_and_threads(forest):
    rows = pd.concat([TEST] * 40)
    for limit, bound in ((2**29, 0), (0, 1e-14)):
        contributions = TreeContributions(forest, background=OTHERS, max_table_bytes=limit)
        whole = contributions.explain(rows).values
        for options in ({"batch_size": 1000, "n_jobs": 2}, {"n_jobs": 2}):
            values = contributions.explain(rows, **options).values
            np.testing.assert_allclose(values, whole, rtol=0, atol=bound)
        np.testing.assert_allclose(contributions.explain(TEST).values, whole[:N], rtol=0, atol=bound)


@pytest.mark.filterwarnings("error")
def test_round_trips(forest, tmp_path):
    contributions = TreeContributions(forest, background=OTHERS, max_table_bytes=20_000)
    assert contributions.n_trees_by_tables > 0
    assert contributions.n_trees_by_pairs > 0
    whole = contributions.explain(TEST).values
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(contributions)).explain(TEST).values, whole)
    joblib.dump(contributions, tmp_path / "tables")
    shared = joblib.load(tmp_path / "tables", mmap_mode="r")
    np.testing.assert_array_equal(shared.explain(TEST).values, whole)


def test_later_changes_are_not_seen():
    model, others = LGBMRegressor(**SMALL).fit(TRAIN, Y), OTHERS.copy()
    for limit in (2**29, 0):
        contributions = TreeContributions(model, background=others, max_table_bytes=limit)
        before = contributions.explain(ROWS).values
        model.booster_.set_leaf_output(0, 0, 9.0)
        others["a"] = 0.0
        np.testing.assert_array_equal(contributions.explain(ROWS).values, before)


def test_what_is_explained(forest):
    explanation = tree_contributions(forest, ROWS, background=OTHERS)
    assert explanation.meta == {
        "explanation": "interventional_tree_shap",
        "model": "teacher",
        "trees": {"tables": 0, "pairs": 24},
        "background_rows": 15,
    }
    assert explanation.output_names == ("Bonn", "Kiel", "Ulm")
    assert Explanation.from_json(explanation.to_json()).meta == explanation.meta
    whole = TreeContributions(forest, background=OTHERS)
    assert repr(whole) == "TreeContributions(24 trees by tables, 0 by pairs, with 15 background rows)"
    one = TreeContributions(forest, background=OTHERS[:1])
    assert repr(one) == "TreeContributions(24 trees by tables, 0 by pairs, with 1 background row)"
    assert (whole.n_trees_by_tables, whole.n_trees_by_quadrature, whole.n_trees_by_lightgbm) == (24, 0, 0)
    assert whole.n_background_rows == 15
    path_dependent = TreeContributions(forest)
    assert (path_dependent.n_background_rows, path_dependent.n_trees_by_pairs) == (0, 0)
    assert np.abs(path_dependent.explain(ROWS).values - explanation.values).max() > 0.01


def test_tables_are_built_for_many_rows_only(forest):
    few = tree_contributions(forest, pd.concat([TEST] * 3), background=OTHERS)
    many = tree_contributions(forest, pd.concat([TEST] * 4), background=OTHERS)
    assert few.meta["trees"] == {"tables": 0, "pairs": 24}
    assert many.meta["trees"] == {"tables": 24, "pairs": 0}
    np.testing.assert_allclose(few.values[:N], many.values[:N], atol=1e-6)


def test_many_background_rows(forest):
    others = pd.concat([TEST, TRAIN] * 20)
    assert len(others) > 10_000
    explanation = TreeContributions(forest, background=others, dtype="float64").explain(ROWS)
    once = TreeContributions(forest, background=pd.concat([TEST, TRAIN]), dtype="float64").explain(ROWS)
    np.testing.assert_allclose(explanation.values, once.values, atol=1e-14)
    assert explanation.meta["background_rows"] == len(others)


def test_too_many_pairs(forest, monkeypatch):
    leaves = 24 * 15
    monkeypatch.setattr(_interventional, "MOST_PAIRS", 100 * leaves)
    TreeContributions(forest, background=TEST)
    TreeContributions(forest, background=TEST[:100], max_table_bytes=0)
    message = "`background` must have at most 100 distinct rows for 360 leaves .* `max_table_bytes`"
    with pytest.raises(ValueError, match=message):
        TreeContributions(forest, background=TEST, max_table_bytes=0)


@pytest.mark.parametrize(
    ("background", "message"),
    [
        *((table, message) for table, message in unfit_tables(TEST)),
        (OTHERS[:0], r"0 (sample|row)"),
        (OTHERS.iloc[0], "got 1D array"),
        (100, "got scalar"),
        ("kmeans", "got 0D array"),
    ],
)
def test_bad_background(forest, background, message):
    message = f"(?s)`background` must be rows .*{message}"
    with pytest.raises((ValueError, TypeError), match=message):
        TreeContributions(forest, background=background)
    with pytest.raises((ValueError, TypeError), match=message):
        tree_contributions(forest, ROWS, background=background)


def test_bad_rows_are_not_said_to_be_background(forest):
    with pytest.raises(ValueError, match="^X has 2 features"):
        tree_contributions(forest, ROWS[["a", "b"]], background=OTHERS)
