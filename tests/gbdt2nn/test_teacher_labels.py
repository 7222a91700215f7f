"""What the student is taught: the teacher's own scores and contributions, of real and synthetic rows."""

import numpy as np
import pytest
from forests import LEVELS, classes, train_and_test
from lightgbm import LGBMClassifier, LGBMRegressor
from seeds import SEED
from sklearn.frozen import FrozenEstimator

from skrationale import GBDT2NNStudent
from skrationale.gbdt2nn import _labelling, _labels, _training
from skrationale.trees import _plan, tables

TRAIN, TEST, Y = train_and_test(SEED)
SMALL = {"n_estimators": 12, "num_leaves": 7, "min_child_samples": 3, "verbose": -1, "n_jobs": 1}
FAST = {"hidden_layer_sizes": (8,), "max_epochs": 2, "random_state": SEED}


@pytest.fixture(scope="module")
def teacher():
    return LGBMClassifier(**SMALL).fit(TRAIN, LEVELS[classes(Y, 3)])


def student_of(teacher, X, **parameters):
    y = LEVELS[classes(Y, 3)] if isinstance(teacher, LGBMClassifier) else Y
    return GBDT2NNStudent(FrozenEstimator(teacher), **FAST | {"n_synthetic": 0} | parameters).fit(X, y)


def shap_of(teacher, X):
    """Give contributions (n, K, d) of LightGBM itself."""
    return teacher.predict(X, pred_contrib=True).reshape(len(X), -1, X.shape[1] + 1)[..., :-1]


def no_room_for_tables(monkeypatch):
    made = tables.ForestTables
    monkeypatch.setattr(tables, "ForestTables", lambda teacher, _, dtype: made(teacher, 0, dtype))


@pytest.mark.parametrize("ways", ["tables", "quadrature", "lightgbm"])
@pytest.mark.parametrize("columns", [["a", "b", "c", "city"], ["city", "c", "a", "b"]])
def test_labels_are_the_teachers_own(teacher, columns, ways, monkeypatch):
    if ways != "tables":
        no_room_for_tables(monkeypatch)
    if ways == "lightgbm":
        monkeypatch.setattr(_plan, "MOST_NUMBERS", 1)
    student = student_of(teacher, TRAIN[columns])
    matrix = student._read(TEST[columns])
    labels = _labels.Labels(student._adapter, "tree_shap", student._reader.levels)
    assert getattr(labels._tables, f"by_{ways}") == 36
    scores, values = labels.both(matrix)
    back = [columns.index(name) for name in TRAIN.columns]
    truth = shap_of(teacher, TEST)
    np.testing.assert_allclose(values[..., back], truth, atol=2e-6 * np.abs(truth).max())
    np.testing.assert_allclose(scores, teacher.predict(TEST, raw_score=True), atol=1e-5)


def test_the_teachers_reasons_of_many_rows_keep_all_digits(teacher):
    explanation = student_of(teacher, TRAIN).teacher_explain(TEST)
    np.testing.assert_allclose(
        explanation.values, shap_of(teacher, TEST).transpose(0, 2, 1), rtol=1e-10, atol=1e-12
    )


@pytest.fixture
def explained(monkeypatch):
    """Count the rows for which contributions are asked."""
    rows = []
    original = _labels.Labels.contributions

    def counted(self, matrix):
        rows.append(len(matrix))
        return original(self, matrix)

    monkeypatch.setattr(_labels.Labels, "contributions", counted)
    return rows


@pytest.mark.parametrize("kind", ["tree_shap", "path"])
def test_synthetic_rows_are_explained_too(explained, kind):
    student_of(LGBMRegressor(**SMALL).fit(TRAIN, Y), TRAIN, n_synthetic=900, explanation=kind)
    assert explained == [300] * 4


@pytest.mark.parametrize(("limit", "expected"), [(100, [100]), (1199, [300]), (1200, [300] * 4)])
def test_no_more_rows_are_explained_than_asked(explained, limit, expected):
    teacher = LGBMRegressor(**SMALL).fit(TRAIN, Y)
    student_of(teacher, TRAIN, n_synthetic=900, max_explanation_rows=limit)
    assert explained == expected


def test_few_rows_are_explained_where_no_tables_fit(explained, monkeypatch):
    monkeypatch.setattr(_labels, "ROWS_WITHOUT_TABLES", 200)
    no_room_for_tables(monkeypatch)
    student_of(LGBMRegressor(**SMALL).fit(TRAIN, Y), TRAIN, n_synthetic=900)
    assert explained == [200]


def test_synthetic_rows_are_not_explained_beyond_a_bound_of_memory(explained, monkeypatch):
    monkeypatch.setattr(_labelling, "MOST_BYTES", 3 * 300 * 4 * 4 - 1)
    student_of(LGBMRegressor(**SMALL).fit(TRAIN, Y), TRAIN, n_synthetic=900)
    assert explained == [300]


def test_a_row_that_must_not_be_explained_teaches_its_score_alone(explained):
    student = student_of(LGBMRegressor(**SMALL).fit(TRAIN, Y), TRAIN, explanation=None, n_synthetic=900)
    assert explained == []
    assert "explanation" not in {key for row in student.history_ for key in row}


def test_the_probabilities_of_several_classes_are_learnt(teacher):
    history = student_of(teacher, TRAIN).history_
    assert all(row["train_probability"] > 0 for row in history)
    two = LGBMClassifier(**SMALL).fit(TRAIN, np.median(Y) < Y)
    both = GBDT2NNStudent(FrozenEstimator(two), n_synthetic=0, **FAST).fit(TRAIN, np.median(Y) < Y)
    assert "train_probability" not in both.history_[0]


def test_probabilities_count_the_more_towards_the_end_of_training_and_alike_in_validation(teacher):
    held_out = {"early_stopping": True, "n_iter_no_change": None, "max_epochs": 4}
    history = student_of(teacher, TRAIN, explanation=None, **held_out).history_

    def weights(part):
        return [(row[f"{part}_loss"] - row[f"{part}_score"]) / row[f"{part}_probability"] for row in history]

    first, last = _training.PROBABILITIES, _training.PROBABILITIES_AT_END
    np.testing.assert_allclose(weights("valid"), last, rtol=1e-4)
    np.testing.assert_allclose(weights("train")[:2], first, rtol=1e-4)
    assert first < weights("train")[2] < weights("train")[3] <= last * (1 + 1e-4)


def test_students_of_several_classes_are_wider(teacher):
    several = student_of(teacher, TRAIN, hidden_layer_sizes="auto")
    one = student_of(LGBMRegressor(**SMALL).fit(TRAIN, Y), TRAIN, hidden_layer_sizes="auto")
    widths = [[len(bias) for bias in student._student.networks[0].biases[:-1]] for student in (several, one)]
    assert widths == [list(_training.LAYERS_MANY), list(_training.LAYERS)]
