import numpy as np
import pandas as pd
import pytest
from forests import classes, of_labels, of_objective, stopped_early, train_and_test, without_rows_of_a_class
from lightgbm import LGBMClassifier, LGBMRegressor

from skrationale.gbdt2nn import path_contributions
from skrationale.teachers import _masks, paths
from skrationale.teachers._masks import LeafMasks, are_faster
from skrationale.teachers._upwards import JoinedTrees
from skrationale.teachers.lightgbm import LINKS, LightGBMTeacher
from skrationale.trees.reading import model_rows

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
        {"zero_as_missing": True},
        {"use_missing": False},
        {"boosting_type": "dart"},
        {"boosting_type": "rf", "subsample": 0.6, "subsample_freq": 1},
        {"extra_trees": True, "max_cat_to_onehot": 1},
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


def refused(make):
    return masks_of(make())[0] is None


def test_what_masks_cannot_say_is_left_to_lightgbm(monkeypatch):
    assert refused(lambda: LGBMRegressor(**SMALL | GROWN).fit(TRAIN, Y))
    assert refused(lambda: LGBMRegressor(**SMALL).fit(TRAIN, np.full(len(TRAIN), 3)))
    first = LGBMRegressor(**SMALL).fit(TRAIN[NUMBERS].fillna(0.0), Y)
    assert refused(lambda: LGBMRegressor(**SMALL).fit(TRAIN[NUMBERS], -Y, init_model=first))
    monkeypatch.setattr(_masks, "MOST_BYTES", 100)
    assert refused(lambda: LGBMRegressor(**SMALL).fit(TRAIN, Y))


@pytest.mark.parametrize("decides", [True, False])
def test_a_column_with_thresholds_and_sets(decides, monkeypatch):
    monkeypatch.setattr(paths, "are_faster", lambda *_: decides)
    codes = np.abs(TRAIN[["a", "c"]].to_numpy() * 4).round()
    models = [LGBMRegressor(min_data_per_group=1, cat_smooth=1, **SMALL) for _ in range(2)]
    models[0].fit(codes, Y)
    models[1].fit(codes, -Y, categorical_feature=[0])
    both = [LightGBMTeacher(model).trees() for model in models]
    forest = JoinedTrees.of(sum(both, []))
    assert LeafMasks.of(sum(both, []), forest, 2) is None
    for model in models:
        raw = model.predict(codes, raw_score=True)
        assert path_contributions(model, codes).additivity_error(raw) < 1e-9


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


def test_many_rows_on_one_thread_need_no_walks(monkeypatch):
    model = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    many = pd.concat([TEST] * (20_000 // len(TEST)), ignore_index=True)
    expected = path_contributions(model, TEST).values
    walked = []
    walk = LightGBMTeacher.leaves
    monkeypatch.setattr(
        LightGBMTeacher, "leaves", lambda self, X, **kw: walked.append(len(X)) or walk(self, X, **kw)
    )
    np.testing.assert_array_equal(path_contributions(model, many).values[: len(TEST)], expected)
    assert not walked
    path_contributions(model, TEST.iloc[:10])
    path_contributions(model, many, n_jobs=64)
    assert sum(walked) == 10 + len(many)


def test_when_masks_are_taken():
    size = {"n_trees": 300, "n_nodes": 9000, "n_columns": 14}
    assert are_faster(10_000, **size, n_threads=1)
    assert not are_faster(1000, **size, n_threads=1)
    assert not are_faster(10**6, **size, n_threads=8)
    assert not are_faster(10**6, **size | {"n_columns": 200}, n_threads=1)
