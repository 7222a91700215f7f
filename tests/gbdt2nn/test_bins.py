"""Bins of a teacher's columns: what the teacher takes for the same shares a bin, and nothing else."""

import pickle

import numpy as np
import pytest
from lightgbm import LGBMRegressor
from sklearn.frozen import FrozenEstimator

from skrationale import GBDT2NNStudent
from skrationale.gbdt2nn import path_contributions
from skrationale.gbdt2nn._bins import TeacherBins
from skrationale.teachers import ColumnSplits, bins_of
from skrationale.teachers.lightgbm import LightGBMTeacher

CODES = np.array(
    [-(2.0**31) - 1, -1e10, -1.5, -1, -0.99, -0.5, -1e-40, -0.0, 0, 1e-40, 0.5, 0.99, 1, 1.5, 2.999, 3.5]
    + [4.5, 5, 31, 32, 2.0**31 - 1, 2.0**31, 2.0**31 + 1, 2.0**32 + 1, 1e10, 2.0**64 + 1, 1e300, np.nan]
)
NOUGHT, ZERO = int(np.flatnonzero(CODES == 0)[0]), (CODES > -1) & (CODES < 1)


@pytest.fixture(
    scope="module",
    params=[({}, 0), ({}, 200), ({"use_missing": False}, 200), ({"zero_as_missing": True}, 200)],
    ids=["no missing", "missing", "missing not used", "zero as missing"],
)
def model(request):
    """Trees on a numeric column of five categories, -0.5 among them, some of them missing."""
    settings, n_missing = request.param
    rng = np.random.RandomState(0)
    matrix, other = rng.randint(0, 5, 800).astype(float), rng.normal(size=800)
    y = np.array([0.0, 3, -2, 5, 1])[matrix.astype(int)] + other
    matrix[matrix == 0] -= rng.choice([0, 0.5], (matrix == 0).sum())
    matrix[:n_missing] = np.nan
    trees = LGBMRegressor(n_estimators=10, num_leaves=6, min_data_per_group=5, cat_smooth=1, n_jobs=1)
    X = np.column_stack([matrix, other])
    return trees.set_params(verbose=-1, **settings).fit(X, y, categorical_feature=[0]), X, y


def test_codes_of_a_category_are_cut_as_the_teacher_cuts_them(model):
    trees, *_ = model
    teacher = LightGBMTeacher(trees)
    rows = np.column_stack([CODES, np.zeros(len(CODES))])
    bins = TeacherBins(teacher.splits(), [None, None], 1000)
    (of_matrix,) = (column for column in bins.categorical if column.column == 0)
    found, answers = of_matrix.encode(CODES), trees.predict(rows)
    # of five levels one may be in no set of a split, as all that is unknown
    assert len(np.unique(answers)) >= 5
    for code in np.unique(found):
        assert len(np.unique(answers[found == code])) == 1
    assert len(np.unique(found)) == len(np.unique(answers))
    assert (found[ZERO] == found[NOUGHT]).all()
    assert not (found[~ZERO] == found[NOUGHT]).any()


@pytest.mark.parametrize("codes", [None, np.array([2.0, 0.0, np.nan, 3.0, 1.0, np.nan])])
def test_one_row_has_the_bins_it_has_among_others(model, codes):
    bins = TeacherBins(LightGBMTeacher(model[0]).splits(), [codes, None], 1000)
    cells = CODES if codes is None else np.array([0.0, 1, 2, 3, 4, -1, np.nan])
    rows = np.column_stack([cells, np.resize([0.0, 1e-40, -1e-36, np.nan, -0.7, 2.0], len(cells))])
    pickled = pickle.dumps(bins)
    one_by_one = np.vstack([bins.encode(row[None]) for row in rows])
    assert bins.columns.tolist() == [1, 0]  # numbers first
    assert pickle.dumps(bins) == pickled
    np.testing.assert_array_equal(one_by_one, bins.encode(rows))


def test_paths_follow_the_cut_codes(model):
    trees, *_ = model
    rows = np.column_stack([CODES, np.zeros(len(CODES))])
    explanation = path_contributions(trees, rows)
    assert explanation.additivity_error(trees.predict(rows)) < 1e-9
    values = explanation.values[:, 0]
    np.testing.assert_allclose(values[ZERO], values[NOUGHT])


def test_a_student_answers_alike_to_codes_that_are_one_to_its_teacher(model):
    trees, X, y = model
    settings = {"hidden_layer_sizes": (4,), "max_epochs": 1, "n_synthetic": 10, "random_state": 0}
    student = GBDT2NNStudent(FrozenEstimator(trees), **settings).fit(X, y)
    rows = np.column_stack([CODES, np.zeros(len(CODES))])
    answers = student.predict(rows)
    assert len(np.unique(answers[ZERO])) == 1
    assert not np.isin(answers[~ZERO], answers[ZERO]).any()


def test_a_column_of_empty_sets_has_one_bin():
    nothing = np.zeros(0)
    bins = bins_of([ColumnSplits(nothing, nothing, (frozenset(),), np.ones(1), "NaN")])[0]
    assert bins.n_bins == 1
    assert bins.encode(np.array([0.0, 5.0, -1.0, np.nan])).tolist() == [0, 0, 0, 0]
    assert bins.bin_of(3.0) == bins.bin_of(np.nan) == 0
    assert bins.left_of(frozenset()).tolist() == [False]
