"""Reasons of any model by permutation, against sums over all coalitions."""

import itertools
import math
import pickle

import numpy as np
import pandas as pd
import pytest
from seeds import SEED
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from skrationale.tabular import TableReader
from skrationale.teachers import PermutationWalks, ScoreTeacher, TeacherTable, bins_of, teacher_for
from skrationale.teachers import _permutation as permutation

RNG = np.random.RandomState(SEED)
X = RNG.randint(0, 4, size=(60, 3)) + 0.5 * RNG.rand(60, 3)
WEIGHT = RNG.randint(1, 4, 60).astype(float)
CITIES = pd.DataFrame(
    {
        "size": np.where(RNG.rand(60) < 0.2, np.nan, X[:, 0]),
        "city": pd.Series(np.where(X[:, 1] > 2, "Ulm", "Bonn"), dtype=object).where(X[:, 1] > 1, None),
        "grade": pd.Categorical(np.array(["low", "mid", "top", "mid"])[X[:, 2].astype(int)]),
        "member": RNG.rand(60) < 0.5,
    }
)


def teacher_of(model, table):
    return ScoreTeacher(model, TeacherTable(reader=TableReader().fit(table)))


def brute_force(teacher, row, background, shares):
    """Interventional Shapley values (K, d) of a row, by their definition."""
    d, worth = len(row), {}
    for known in itertools.chain(*(itertools.combinations(range(d), k) for k in range(d + 1))):
        rows = background.copy()
        rows[:, list(known)] = row[list(known)]
        worth[frozenset(known)] = shares @ teacher.scores(teacher.form.of_matrix(rows))
    values = np.zeros((len(worth[frozenset()]), d))
    for known, value in worth.items():
        for j in set(range(d)) - known:
            chance = math.factorial(len(known)) * math.factorial(d - len(known) - 1) / math.factorial(d)
            values[:, j] += chance * (worth[known | {j}] - value)
    return values


def regression():
    model = make_pipeline(PolynomialFeatures(3, interaction_only=True), LinearRegression())
    return model.fit(X, X[:, 0] * X[:, 1] + X[:, 2] - X.prod(axis=1)), X


def classes():
    model = RandomForestClassifier(5, max_depth=4, random_state=SEED).fit(X, (X[:, 0] * X[:, 1]) // 4)
    return model, X


def mixed():
    steps = make_column_transformer((OneHotEncoder(), ["city", "grade"]), remainder="passthrough")
    product = np.where(CITIES["city"] == "Ulm", 3.0, 1.0) * CITIES["member"] + CITIES["size"].fillna(9)
    trees = DecisionTreeRegressor(max_depth=5, random_state=SEED)
    return make_pipeline(steps, trees).fit(CITIES, product), CITIES


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
@pytest.mark.parametrize("make", [regression, classes, mixed])
def test_pairs_are_unbiased(make, weight):
    model, table = make()
    teacher = teacher_of(model, table)
    matrix = teacher.form.reader.transform(table)
    walks = PermutationWalks(teacher, matrix, weight, SEED)
    rows, rng = matrix[:5], np.random.RandomState(SEED)
    truth = np.stack([brute_force(teacher, row, walks.background, walks.shares) for row in rows])
    scores = teacher.scores(teacher.form.of_matrix(rows))
    pairs = walks.sample(np.tile(rows, (300, 1)), rng).reshape(300, 5, *truth.shape[1:])
    error = pairs.std(axis=0) / 300**0.5
    assert (np.abs(pairs.mean(axis=0) - truth) < 5 * error + 1e-9).all()
    np.testing.assert_allclose(pairs.sum(axis=-1), np.tile(scores - walks.base, (300, 1, 1)), atol=1e-10)
    mean = np.average(teacher.scores(teacher.form.of_matrix(matrix)), axis=0, weights=weight)
    np.testing.assert_allclose(walks.base, mean)
    known = 1 - ((walks.explain(rows) - truth) ** 2).sum() / (truth**2).sum()
    assert known > 0.9


def test_a_walk_adds_up_to_the_change_of_the_score():
    model, _ = regression()
    walks = PermutationWalks(teacher_of(model, X), X, None, SEED)
    orders = np.argsort(RNG.rand(20, 3), axis=1)
    starts = np.arange(20)
    steps = walks._walk(X[:20], starts, orders)[:, 0]
    change = model.predict(X[:20]) - model.predict(walks.background[starts])
    np.testing.assert_allclose(steps.sum(axis=1), change, atol=1e-10)


def test_a_sum_over_columns_is_explained_with_hardly_any_noise():
    model = LinearRegression().fit(X, X @ [1.0, -2.0, 0.5])
    walks = PermutationWalks(teacher_of(model, X), X, None, SEED)
    expected = (X - X.mean(axis=0)) * model.coef_
    np.testing.assert_allclose(walks.sample(X, RNG)[:, 0], expected, atol=1e-6)


def test_batches_and_other_rows_change_nothing(monkeypatch):
    model, table = mixed()
    teacher = teacher_of(model, table)
    matrix = teacher.form.reader.transform(table)
    walks = PermutationWalks(teacher, matrix, None, SEED)
    whole = walks.explain(matrix), walks.sample(matrix, np.random.RandomState(SEED))
    np.testing.assert_allclose(walks.explain(matrix[7:9]), whole[0][7:9], atol=1e-12)
    monkeypatch.setattr(permutation, "CELLS", 40 * 2 * 4 * 4)
    other = PermutationWalks(teacher, matrix, None, SEED)
    np.testing.assert_allclose(other.explain(matrix), whole[0], atol=1e-12)
    np.testing.assert_allclose(other.sample(matrix, np.random.RandomState(SEED)), whole[1], atol=1e-12)
    again = pickle.loads(pickle.dumps(walks))
    np.testing.assert_array_equal(again.explain(matrix), whole[0])
    assert not np.allclose(PermutationWalks(teacher, matrix, None, 1 + SEED).explain(matrix), whole[0])


@pytest.mark.parametrize("weight", [None, np.repeat([0.0, 1.0], 30)], ids=["alike", "weighted"])
def test_a_large_table_gives_some_of_its_rows(weight, monkeypatch):
    monkeypatch.setattr(permutation, "BACKGROUND_ROWS", 20)
    model, _ = regression()
    walks = PermutationWalks(teacher_of(model, X), X, weight, SEED)
    assert walks.background.shape == (20, 3)
    assert walks.shares.sum() == pytest.approx(1)
    found = (walks.background[:, None] == X[30 if weight is not None else 0 :]).all(axis=2).any(axis=1)
    assert found.all()


def test_rows_reach_the_model_in_their_own_types():
    seen = []

    class Model(LinearRegression):
        def fit(self, X, y):
            self.n_features_in_ = X.shape[1]
            return self

        def predict(self, X):
            seen.append(X)
            return np.zeros(len(X))

    teacher = teacher_of(Model().fit(CITIES, None), CITIES)
    PermutationWalks(teacher, teacher.form.reader.transform(CITIES), None, SEED)
    pd.testing.assert_frame_equal(seen[0], CITIES)
    for table in seen:
        assert (table.dtypes == CITIES.dtypes).all()
        assert set(table["city"]) <= {"Ulm", "Bonn", None}


def test_columns_are_parted_between_values_or_at_quantiles():
    model, _ = regression()
    teacher = teacher_of(model, X)
    few = np.array([[1.0, np.nan, 5.0], [2.0, 3.0, 5.0], [4.0, 3.0, 5.0], [2.0, 3.0, 5.0]])
    found = teacher.splits(few, None, 255)
    assert [column.thresholds.tolist() for column in found] == [[1.5, 3.0], [3.0], []]
    many = np.tile(np.arange(1000.0)[:, None], 3)
    weight = np.where(many[:, 0] < 500, 3.0, 1.0)
    thresholds = teacher.splits(many, weight, 7)[0].thresholds
    assert len(thresholds) == 7
    assert np.abs(np.searchsorted(thresholds, [166, 499]) - [2, 6]).max() <= 1
    assert len(np.unique(np.searchsorted(teacher.splits(many, None, 255)[0].thresholds, many[:, 0]))) == 256


def test_each_level_has_a_bin_and_rare_ones_share_that_of_missing_cells():
    model, table = mixed()
    teacher = teacher_of(model, table)
    matrix = teacher.form.reader.transform(table)
    bins = {one.column: one for one in bins_of(teacher.splits(matrix, None, 255))}
    assert bins[2].n_bins == 4
    assert len(set(bins[2].encode(np.array([0.0, 1.0, 2.0])))) == 3
    one = {one.column: one for one in bins_of(teacher.splits(matrix, None, 1))}[2]
    often = np.bincount(matrix[:, 2].astype(int)).argmax()
    rest = one.encode(np.array([code for code in range(3) if code != often] + [np.nan]))
    assert one.encode(np.array([float(often)]))[0] not in rest
    assert len(set(rest)) == 1


@pytest.mark.parametrize(
    ("model", "link", "n_outputs"),
    [
        (SVC(random_state=SEED), "softmax", 3),
        (LogisticRegression(max_iter=500), "softmax", 3),
        (LinearRegression(), "identity", 1),
    ],
)
def test_scores_are_those_of_the_ruler(model, link, n_outputs):
    model.fit(X, X[:, 0] // 1.5)
    teacher = teacher_of(model, X)
    assert (teacher.task.link, teacher.n_outputs, teacher.n_features) == (link, n_outputs, 3)
    np.testing.assert_array_equal(teacher.scores(X), teacher_for(model).scores(X))


def test_a_constant_has_no_reasons():
    model = LinearRegression().fit(X, np.full(60, 0.1))
    walks = PermutationWalks(teacher_of(model, X), X, WEIGHT, SEED)
    assert walks.base == model.predict(X[:1])
    assert (walks.explain(X) == 0).all()
