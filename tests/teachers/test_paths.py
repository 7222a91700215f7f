import subprocess
import sys

import numpy as np
import pytest
from forests import (
    BOOSTINGS,
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

from skrationale.gbdt2nn import path_contributions
from skrationale.teachers.lightgbm import LINKS, LightGBMTeacher
from skrationale.teachers.paths import LeafTable, _check_sums

SMALL = {"n_estimators": 8, "num_leaves": 7, "verbose": -1, "n_jobs": 1, "random_state": 0}


TRAIN, TEST, Y = train_and_test(0)


def assert_adds_up(model, X=TEST):
    teacher = LightGBMTeacher(model)
    values, base = LeafTable(teacher).contributions(X)
    raw = teacher.raw_scores(X)
    assert values.shape == (len(X), teacher.n_outputs, teacher.n_features)
    assert np.abs(base + values.sum(-1) - raw).max() <= 1e-9 * max(1, np.abs(raw).max())
    expected = teacher.shap_contributions(X[:2])[1]
    np.testing.assert_allclose(base, expected, rtol=1e-9, atol=1e-9)
    return values, base


@pytest.mark.parametrize("objective", LINKS)
def test_every_objective_adds_up_to_the_base_of_tree_shap(objective):
    model = of_objective(objective, TRAIN, Y, **SMALL)
    assert LightGBMTeacher(model).objective == objective
    assert assert_adds_up(model)[0].any()


@pytest.mark.parametrize(
    "extra",
    [
        *BOOSTINGS,
        {"num_leaves": 255, "min_child_samples": 1, "min_child_weight": 0.0},
        {"subsample": 0.5, "subsample_freq": 1},
        {"data_sample_strategy": "goss"},
        {"reg_lambda": 50.0},
        {"path_smooth": 5.0},
    ],
    ids=str,
)
def test_every_way_of_boosting_adds_up(extra):
    assert_adds_up(LGBMRegressor(**SMALL | extra).fit(TRAIN, Y))


@pytest.mark.parametrize(
    "extra", [{"is_unbalance": True}, {"sigmoid": 2.0}, {"boosting_type": "dart"}], ids=str
)
@pytest.mark.parametrize("labels", [Y > 0.7, classes(Y, 3)], ids=["binary", "one-vs-all"])
def test_classifiers_add_up(extra, labels):
    assert_adds_up(of_labels(labels, TRAIN, **SMALL | extra))


def test_sample_weights_and_targets_far_from_zero():
    weight = np.random.default_rng(0).random(N)
    assert_adds_up(LGBMRegressor(**SMALL).fit(TRAIN, 2e5 + 1e4 * Y, sample_weight=weight))


def test_early_stopping():
    noise = Y + np.random.default_rng(0).normal(size=N) * 0.5
    booster = stopped_early(TRAIN, noise)
    values, base = assert_adds_up(booster)
    np.testing.assert_allclose(base + values.sum(-1)[:, 0], booster.predict(TEST), atol=1e-9)


@pytest.mark.parametrize("model", [LGBMRegressor(**SMALL), LGBMClassifier(**SMALL)])
def test_trees_of_one_leaf_contribute_to_the_base_alone(model):
    values, base = assert_adds_up(model.fit(TRAIN, np.full(N, 3)))
    assert not values.any()
    np.testing.assert_allclose(base, model.predict(TEST[:1], raw_score=True))


def test_trees_of_one_leaf_among_others():
    booster = without_rows_of_a_class(TRAIN, Y)
    assert [tree["num_leaves"] == "1" for tree in LightGBMTeacher(booster).trees()[:3]] == [
        False,
        False,
        True,
    ]
    values, _ = assert_adds_up(booster)
    assert not values[:, 2].any()


def reference(model, X):
    """Walk every row down every tree of `dump_model`, as the definition says."""
    tables = []
    for tree in model.booster_.dump_model()["tree_info"]:
        leaves = {}

        def value(node):
            if "leaf_value" in node:
                return node["leaf_value"], node["leaf_count"]
            (a, m), (b, n) = value(node["left_child"]), value(node["right_child"])
            return (a * m + b * n) / (m + n), m + n

        def walk(node, reasons, leaves=leaves):
            if "leaf_value" in node:
                leaves[node["leaf_index"]] = reasons
                return
            for child in (node["left_child"], node["right_child"]):
                step = np.zeros(X.shape[1])
                step[node["split_feature"]] = value(child)[0] - value(node)[0]
                walk(child, reasons + step)

        walk(tree["tree_structure"], np.zeros(X.shape[1]))
        tables.append(leaves)
    picked = model.predict(X, pred_leaf=True)
    return sum(np.array([leaves[leaf] for leaf in picked[:, t]]) for t, leaves in enumerate(tables))


@pytest.mark.parametrize("extra", [{}, {"num_leaves": 63, "min_child_samples": 1}], ids=str)
def test_values_are_those_of_the_definition(extra):
    model = LGBMRegressor(**SMALL | extra).fit(TRAIN, Y)
    np.testing.assert_allclose(path_contributions(model, TEST).values, reference(model, TEST), atol=1e-12)


def test_wide_tables_use_a_sparse_table():
    X = np.random.default_rng(0).normal(size=(N, 150))
    model = LGBMRegressor(**SMALL).fit(X, X[:, 0] + X[:, 100])
    assert LeafTable(LightGBMTeacher(model)).table.__class__.__name__ == "csr_matrix"
    np.testing.assert_allclose(path_contributions(model, X).values, reference(model, X), atol=1e-12)


def test_a_tree_deeper_than_the_recursion_limit():
    n_leaves = 3000
    X = np.arange(n_leaves, dtype=np.float64).reshape(-1, 1)
    explanation = path_contributions(chain(n_leaves), X)
    np.testing.assert_allclose(explanation.values, X - X.mean(), atol=1e-9)


def test_permuted_columns_have_permuted_reasons():
    # rounding of sums in another order may break ties between columns: few, clear splits
    order = ["city", "c", "a", "b"]
    params = SMALL | {"n_estimators": 3, "num_leaves": 4}
    here = path_contributions(LGBMRegressor(**params).fit(TRAIN, Y), TEST)
    there = path_contributions(LGBMRegressor(**params).fit(TRAIN[order], Y), TEST[order])
    np.testing.assert_allclose(there.to_frame()[list(TEST)], here.to_frame(), atol=1e-9)


def test_close_to_tree_shap_and_zero_for_columns_without_splits():
    X = np.random.default_rng(0).normal(size=(1000, 4))
    X[:, 3] = 1.0
    model = LGBMRegressor(**SMALL | {"n_estimators": 60}).fit(X, X[:, 0] + 2 * X[:, 1])
    values = path_contributions(model, X).values
    shap = LightGBMTeacher(model).shap_contributions(X)[0][:, 0]
    assert 1 - ((values - shap) ** 2).sum() / ((shap - shap.mean()) ** 2).sum() > 0.97
    importance = np.abs(values).mean(axis=0)
    assert importance[2] < 0.01 * importance.sum()
    assert (values[:, 3] == 0).all()


def test_order_and_number_of_rows_at_once_do_not_matter():
    model = LGBMClassifier(**SMALL).fit(TRAIN, classes(Y, 3))
    whole = path_contributions(model, TEST)
    order = np.random.default_rng(0).permutation(len(TEST))
    assert np.array_equal(path_contributions(model, TEST.iloc[order]).values, whole.values[order])
    assert np.array_equal(path_contributions(model, TEST, batch_size=7, n_jobs=1).values, whole.values)
    assert np.array_equal(path_contributions(model, TEST[3:4]).values, whole.values[3:4])


def test_explanation_of_a_table():
    model = LGBMClassifier(**SMALL).fit(TRAIN, np.where(Y > 0.5, "yes", "no"))
    explanation = path_contributions(model, TEST)
    assert explanation.values.shape == TEST.shape
    assert (explanation.kind, explanation.link, explanation.output_names) == ("additive", "logit", ("yes",))
    assert explanation.feature_names == ("a", "b", "c", "city")
    positive = model.predict_proba(TEST)[:, 1]
    assert explanation.additivity_error(np.log(positive / (1 - positive))) < 1e-9
    assert explanation.display_data[2, 3] == TEST["city"].iloc[2]
    # codes as at fit: sorted levels of the training table, -1 for the level it did not have
    matrix = TEST["city"].cat.set_categories(sorted(LEVELS[:4])).cat.codes.to_numpy(float)
    matrix[TEST["city"].isna()] = np.nan
    np.testing.assert_array_equal(explanation.data[:, 3], matrix)


def test_explanations_of_classes_regressors_and_boosters():
    model = LGBMClassifier(**SMALL).fit(TRAIN, LEVELS[classes(Y, 3)])
    explanation = path_contributions(model, TEST)
    assert explanation.values.shape == (N, 4, 3)
    assert explanation.output_names == ("Bonn", "Kiel", "Ulm")
    assert explanation.additivity_error(model.predict(TEST, raw_score=True)) < 1e-9
    booster = path_contributions(model.booster_, TEST)
    assert booster.output_names == ("0", "1", "2")
    assert np.array_equal(booster.values, explanation.values)
    poisson = LGBMRegressor(objective="poisson", **SMALL).fit(TRAIN, Y)
    explanation = path_contributions(poisson, TEST)
    assert (explanation.link, explanation.output_names) == ("log", ("prediction",))
    assert explanation.additivity_error(np.log(poisson.predict(TEST))) < 1e-9


def test_names_of_arrays():
    columns = ["a", "b", "c"]
    model = LGBMRegressor(**SMALL).fit(TRAIN[columns], Y)
    assert path_contributions(model, TEST[columns].to_numpy()).feature_names == tuple(columns)
    spaced = TRAIN[columns].add_suffix(" 1")
    assert path_contributions(LGBMRegressor(**SMALL).fit(spaced, Y), spaced).feature_names[0] == "a 1"
    model = LGBMRegressor(**SMALL).fit(TRAIN[columns].to_numpy(), Y)
    assert path_contributions(model, TEST[columns].to_numpy().tolist()).feature_names == ("x0", "x1", "x2")


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        *((X, {}, message) for X, message in unfit_tables(TEST)),
        (TEST, {"batch_size": 0}, "`batch_size` must be an integer of at least 1 or None, got 0"),
    ],
)
def test_bad_input(X, options, message):
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    with pytest.raises(ValueError, match=message):
        path_contributions(model, X, **options)


def test_a_model_changed_behind_the_table_is_noticed():
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    leaf_table = LeafTable(LightGBMTeacher(model))
    leaf_table.contributions(TEST)
    model.booster_.set_leaf_output(0, 0, 9.0)
    with pytest.raises(RuntimeError, match="do not add up to the raw score"):
        leaf_table.contributions(TEST)


def test_a_leaf_that_is_not_finite():
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    model.booster_.set_leaf_output(0, 0, np.nan)
    with pytest.raises(ValueError, match="NaN or infinite values in 1 of 56 leaves"):
        path_contributions(model, TEST)


def test_import_is_light():
    code = "import sys, skrationale.teachers.paths; print({'torch', 'lightgbm'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1e12])
def test_sums_are_checked_in_the_units_of_the_target(unit):
    model = LGBMRegressor(**SMALL).fit(TRAIN, unit * Y)
    explanation = path_contributions(model, TEST)
    assert explanation.additivity_error(model.predict(TEST)) < 1e-9
    with pytest.raises(RuntimeError, match="Path contributions do not add up to the raw score"):
        _check_sums(unit * np.ones(3), unit * np.full(3, 1.1), [unit * np.ones(3)], "the raw score")


def test_rounding_of_large_parts_is_no_miss():
    _check_sums(np.full(3, 2e-4), np.full(3, 1e-4), [np.array([1e12])], "the raw score")
