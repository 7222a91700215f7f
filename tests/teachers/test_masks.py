import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostRegressor
from forests import (
    BOOSTINGS,
    classes,
    of_labels,
    of_objective,
    stopped_early,
    train_and_test,
    without_rows_of_a_class,
)
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.ensemble import RandomForestRegressor
from xgboost import XGBClassifier

from skrationale.gbdt2nn import path_contributions
from skrationale.teachers import _masks, paths
from skrationale.teachers._masks import LeafMasks, are_faster
from skrationale.teachers._upwards import JoinedTrees
from skrationale.teachers.lightgbm import LINKS, LightGBMTeacher
from skrationale.trees.reading import forest_of, model_rows

SMALL = {"n_estimators": 8, "num_leaves": 15, "min_child_samples": 5, "verbose": -1, "n_jobs": 1}
GROWN = {"num_leaves": 200, "min_child_samples": 1, "min_child_weight": 0.0}

TRAIN, TEST, Y = train_and_test(0)
NUMBERS = ["a", "b", "c"]


def masks_of(model):
    teacher = LightGBMTeacher(model)
    forest = JoinedTrees.of(teacher.trees())
    return LeafMasks.of(teacher.trees(), forest, teacher.n_features), teacher, forest


def assert_same_leaves(model, X=TEST):
    masks, teacher, forest = masks_of(model)
    codes = model_rows(teacher, X).codes
    np.testing.assert_array_equal(masks.leaves(codes), teacher.leaves(codes) + forest.first_leaf)
    return masks


@pytest.mark.parametrize("objective", LINKS)
def test_rows_reach_the_leaves_that_lightgbm_says(objective):
    assert_same_leaves(of_objective(objective, TRAIN, Y, **SMALL))


@pytest.mark.parametrize(
    "extra",
    [
        *BOOSTINGS,
        {"num_leaves": 2},
        GROWN | {"num_leaves": 32},
    ],
    ids=str,
)
def test_every_way_of_boosting(extra):
    masks = assert_same_leaves(LGBMRegressor(**SMALL | extra).fit(TRAIN, Y))
    assert masks._masks.dtype == np.uint32


@pytest.mark.parametrize("n_leaves", [33, 63, 64])
def test_trees_of_up_to_64_leaves(n_leaves):
    model = LGBMRegressor(**SMALL | GROWN | {"num_leaves": n_leaves}).fit(TRAIN, Y)
    assert (
        model.booster_.trees_to_dataframe().groupby("tree_index")["threshold"].count().max() == n_leaves - 1
    )
    assert assert_same_leaves(model)._masks.dtype == np.uint64


def test_trees_of_one_leaf_among_others():
    model = without_rows_of_a_class(TRAIN, Y)
    assert 1 in JoinedTrees.of(LightGBMTeacher(model).trees()).n_leaves
    assert_same_leaves(model)


@pytest.mark.parametrize("rows", [slice(0, 0), slice(0, 1), slice(3, None, 5)])
def test_any_number_of_rows(rows):
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    masks, teacher, forest = masks_of(model)
    codes = model_rows(teacher, TEST).codes
    expected = teacher.leaves(codes) + forest.first_leaf
    np.testing.assert_array_equal(masks.leaves(codes[rows]), expected[rows])


def test_chunks_join(monkeypatch):
    monkeypatch.setattr(_masks, "CELLS_AT_ONCE", 50)
    assert_same_leaves(LGBMRegressor(**SMALL).fit(TRAIN, Y))


def test_extreme_numbers_and_codes():
    X = TEST.copy()
    X["a"], X["c"] = np.resize([np.inf, -np.inf, 1e-36, -1e-36, np.nan, 1e300], (2, len(X)))
    masks, teacher, forest = masks_of(LGBMRegressor(**SMALL).fit(TRAIN, Y))
    codes = model_rows(teacher, TEST).codes
    codes[:, 0], codes[:, 2] = X["a"], X["c"]
    codes[:, 3] = np.resize([-1.0, 99.0, np.nan, 0.7, -0.5, 2.0], len(X))
    np.testing.assert_array_equal(masks.leaves(codes), teacher.leaves(codes) + forest.first_leaf)


def refused(model):
    return masks_of(model)[0] is None


@pytest.mark.parametrize("n_leaves", [65, 200])
def test_larger_trees_have_no_masks(n_leaves):
    model = LGBMRegressor(**SMALL | GROWN | {"num_leaves": n_leaves}).fit(TRAIN, Y)
    assert JoinedTrees.of(LightGBMTeacher(model).trees()).n_leaves.max() == n_leaves
    assert refused(model)


def test_what_masks_cannot_say_is_left_to_lightgbm(monkeypatch):
    assert refused(LGBMRegressor(**SMALL).fit(TRAIN, np.full(len(TRAIN), 3)))
    first = LGBMRegressor(**SMALL).fit(TRAIN[NUMBERS].fillna(0.0), Y)
    assert refused(LGBMRegressor(**SMALL).fit(TRAIN[NUMBERS], -Y, init_model=first))
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    assert not refused(model)
    monkeypatch.setattr(_masks, "MOST_BYTES", 100)
    assert refused(model)


@pytest.mark.parametrize(("n_levels", "large"), [(120, False), (400, True)])
def test_columns_of_very_many_levels_have_no_masks(n_levels, large):
    rng = np.random.default_rng(0)
    codes = np.column_stack([rng.integers(n_levels, size=4000), rng.normal(size=4000)]).astype(float)
    y = rng.normal(size=n_levels)[codes[:, 0].astype(int)] + codes[:, 1]
    model = LGBMRegressor(**SMALL, min_data_per_group=1, cat_smooth=1)
    assert refused(model.fit(codes, y, categorical_feature=[0])) == large
    if not large:
        assert_same_leaves(model, codes)


def test_a_column_with_thresholds_and_sets():
    codes = np.abs(TRAIN[["a", "c"]].to_numpy() * 4).round()
    models = [LGBMRegressor(min_data_per_group=1, cat_smooth=1, **SMALL) for _ in range(2)]
    models[0].fit(codes, Y)
    models[1].fit(codes, -Y, categorical_feature=[0])
    both = [tree for model in models for tree in LightGBMTeacher(model).trees()]
    assert LeafMasks.of(both, JoinedTrees.of(both), 2) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda X, y: RandomForestRegressor(5, max_depth=5, random_state=0).fit(X, y),
        lambda X, y: XGBClassifier(n_estimators=5, max_depth=4, random_state=0).fit(X, classes(y, 3)),
        lambda X, y: CatBoostRegressor(5, depth=4, verbose=0, allow_writing_files=False).fit(X, y),
    ],
    ids=["scikit-learn", "XGBoost", "CatBoost"],
)
def test_forests_of_other_libraries(make):
    X = TRAIN[NUMBERS].fillna(0.5).to_numpy()
    teacher = forest_of(make(X, Y), X)
    forest, codes = JoinedTrees.of(teacher.trees()), model_rows(teacher, X).codes
    masks = LeafMasks.of(teacher.trees(), forest, teacher.n_features)
    np.testing.assert_array_equal(masks.leaves(codes), teacher.leaves(codes) + forest.first_leaf)


@pytest.mark.parametrize(
    "make",
    [
        lambda: LGBMRegressor(**SMALL).fit(TRAIN, Y),
        lambda: LGBMClassifier(**SMALL).fit(TRAIN, classes(Y, 3)),
        lambda: of_labels(classes(Y, 3), TRAIN, **SMALL),
        lambda: stopped_early(TRAIN, Y),
        lambda: LGBMRegressor(**SMALL | GROWN).fit(TRAIN, Y),
    ],
    ids=["regression", "softmax", "one-vs-all", "stopped early", "too many leaves"],
)
@pytest.mark.parametrize("batch_size", [None, 7])
def test_path_contributions_are_the_same_to_the_last_bit(make, batch_size, monkeypatch):
    model, found = make(), []
    for decides in (True, False):
        monkeypatch.setattr(paths, "are_faster", lambda *_, d=decides: d)
        found.append(path_contributions(model, TEST, batch_size=batch_size).values)
    np.testing.assert_array_equal(*found)


@pytest.fixture
def many():
    """Rows enough for masks to be worth it."""
    return pd.concat([TEST] * (20_000 // len(TEST)), ignore_index=True)


@pytest.fixture
def walked(monkeypatch):
    """Numbers of rows that LightGBM sent through its trees."""
    found, walk = [], LightGBMTeacher.leaves
    monkeypatch.setattr(
        LightGBMTeacher, "leaves", lambda self, X, **kw: found.append(len(X)) or walk(self, X, **kw)
    )
    return found


def test_many_rows_on_one_thread_need_no_walks(many, walked, monkeypatch):
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    expected = path_contributions(model, TEST).values
    assert sum(walked) == len(TEST)
    np.testing.assert_array_equal(path_contributions(model, many).values[: len(TEST)], expected)
    assert sum(walked) == len(TEST)
    monkeypatch.setattr(LightGBMTeacher, "threads_for", lambda *_: 64)
    path_contributions(model, many)
    assert sum(walked) == len(TEST) + len(many)


def test_rows_of_all_batches_count(many, walked, monkeypatch):
    model = LGBMClassifier(**SMALL).fit(TRAIN, classes(Y, 3))
    expected = path_contributions(model, many).values
    monkeypatch.setattr("skrationale.gbdt2nn._paths.rows_at_once", lambda *_: 100)
    np.testing.assert_array_equal(path_contributions(model, many).values, expected)
    assert not walked


def test_masks_are_made_once_and_for_numbers_of_64_bits_alone(many, walked, monkeypatch):
    made, of = [], LeafMasks.of
    monkeypatch.setattr(LeafMasks, "of", lambda *given: made.append(of(*given)) or made[-1])
    leaves = paths.LeafTable(LightGBMTeacher(LGBMRegressor(**SMALL).fit(TRAIN, Y)))
    codes = model_rows(leaves.teacher, many).codes
    values = leaves.contributions(codes)[0]
    np.testing.assert_array_equal(leaves.contributions(codes)[0], values)
    assert (len(made), len(walked)) == (1, 0)
    np.testing.assert_array_equal(leaves.contributions(many)[0], values)
    np.testing.assert_array_equal(leaves.contributions(codes.astype(np.float32))[0].shape, values.shape)
    assert (len(made), sum(walked)) == (1, 2 * len(many))
    large = LGBMRegressor(**SMALL | GROWN | {"num_leaves": 65}).fit(TRAIN, Y)
    leaves = paths.LeafTable(LightGBMTeacher(large))
    for _ in range(2):
        leaves.contributions(codes)
    assert [masks is None for masks in made] == [False, True]


def test_when_masks_are_taken():
    size = {"n_trees": 300, "n_nodes": 9000, "n_columns": 14}
    assert are_faster(10_000, **size, n_threads=1)
    assert not are_faster(1000, **size, n_threads=1)
    assert not are_faster(3000, **size, n_threads=1)  # for that there are too many bins to be made
    assert are_faster(3000, **size | {"n_columns": 1}, n_threads=1)
    assert not are_faster(10**6, **size, n_threads=8)
    assert not are_faster(10**6, **size | {"n_columns": 200}, n_threads=1)


@pytest.mark.parametrize(("own", "given", "threads"), [(3, None, 3), (3, 2, 2), (0, None, 5), (-1, None, 5)])
def test_threads_of_lightgbm(own, given, threads, monkeypatch):
    monkeypatch.setattr("skrationale.teachers.lightgbm.effective_n_jobs", lambda n: 5 if n == -1 else n)
    model = LGBMRegressor(**SMALL | {"n_jobs": own}).fit(TRAIN, Y)
    assert LightGBMTeacher(model).threads_for(given) == threads
