import numpy as np
import pytest

from skrationale.metrics import explanation_fidelity, prediction_fidelity


def test_prediction_r2_is_that_of_scikit_learn():
    from sklearn.metrics import r2_score

    rng = np.random.RandomState(0)
    teacher = rng.normal(size=50)
    student = teacher + 0.3 * rng.normal(size=50)
    weight = rng.rand(50)
    got = prediction_fidelity(student, teacher, sample_weight=weight)["prediction_r2"]
    assert got == pytest.approx(r2_score(teacher, student, sample_weight=weight))


def test_classifier_fidelity_counts_the_class_and_the_divergence():
    p = np.array([[0.9, 0.1], [0.2, 0.8]])
    q = np.array([[0.9, 0.1], [0.6, 0.4]])
    got = prediction_fidelity([1.0, 0.0], [1.0, 0.5], probabilities=q, teacher_probabilities=p)
    assert got["same_class"] == 0.5
    assert got["kl"] == pytest.approx((0.2 * np.log(0.2 / 0.6) + 0.8 * np.log(0.8 / 0.4)) / 2)


def test_kl_of_an_impossible_class_stays_finite():
    got = prediction_fidelity([0.0], [0.0], probabilities=[[1.0, 0.0]], teacher_probabilities=[[0.5, 0.5]])
    assert np.isfinite(got["kl"])
    assert got["kl"] > 1


def test_constant_teacher():
    assert prediction_fidelity([3.0, 3.0], [3.0, 3.0])["prediction_r2"] == 1.0
    assert np.isnan(prediction_fidelity([3.0, 4.0], [3.0, 3.0])["prediction_r2"])


@pytest.mark.parametrize("n", [2, 3, 7, 1000])
@pytest.mark.parametrize("constant", [3.7, 0.1, 1 / 3, -1e12 / 7, 1e-9])
def test_rounding_is_no_variation(n, constant):
    teacher, weight = np.full(n, constant), np.random.default_rng(0).random(n)
    for sample_weight in (None, weight):
        near, far = teacher * (1 + 4e-16), teacher * (1 + 1e-6)
        found = [
            prediction_fidelity(scores, teacher, sample_weight=sample_weight)["prediction_r2"]
            for scores in (teacher, near, far)
        ]
        assert found[:2] == [1.0, 1.0]
        assert np.isnan(found[2])
    columns = explanation_fidelity(np.column_stack([far, far]), np.column_stack([teacher, 2 * teacher]))
    assert np.isnan(columns["column_r2"])
    weight = np.append(np.ones(4), 0.0)
    few = np.array([1e-3, 2e-3, 3e-3, 4e-3, 1e13])  # what has no weight says nothing about rounding
    assert prediction_fidelity(few + 1e-4, few, sample_weight=weight)["prediction_r2"] == pytest.approx(0.992)
    varying = constant * (1 + 1e-9 * np.arange(n))  # small, but more than rounding
    assert prediction_fidelity(varying, varying + 1e-13 * constant)["prediction_r2"] > 0.99


def test_explanation_fidelity_of_the_teacher_itself_is_perfect_and_of_zero_is_none():
    rng = np.random.RandomState(0)
    values = rng.normal(size=(40, 5))
    same = explanation_fidelity(values, values)
    assert set(same) == {
        "explanation_r2",
        "column_r2",
        "cosine",
        "top1_agreement",
        "top3_agreement",
        "spearman",
    }
    assert all(value == pytest.approx(1.0) for value in same.values())
    none = explanation_fidelity(np.zeros((40, 5)), values)
    assert none["explanation_r2"] < 0.01
    assert none["cosine"] == 0.0


def test_top_agreement_counts_rows():
    teacher = [[3.0, 1.0, 0.0, 0.0], [1.0, 2.0, 3.0, 0.0]]
    student = [[-2.0, 3.0, 0.0, 0.0], [1.0, 2.0, -3.0, 0.0]]
    got = explanation_fidelity(student, teacher)
    assert got["top1_agreement"] == 0.5
    assert got["top3_agreement"] == 1.0


def test_many_outputs_are_rows_of_their_own():
    rng = np.random.RandomState(0)
    teacher, student = rng.normal(size=(2, 30, 4, 3))
    stacked = explanation_fidelity(
        student.transpose(0, 2, 1).reshape(-1, 4), teacher.transpose(0, 2, 1).reshape(-1, 4)
    )
    assert explanation_fidelity(student, teacher) == pytest.approx(stacked)


def test_integer_weights_repeat_rows():
    rng = np.random.RandomState(0)
    teacher, student = rng.normal(size=(2, 20, 4))
    weight = rng.randint(0, 4, size=20)
    repeated = explanation_fidelity(np.repeat(student, weight, 0), np.repeat(teacher, weight, 0))
    assert explanation_fidelity(student, teacher, sample_weight=weight) == pytest.approx(repeated)


def test_rows_without_reasons_do_not_count_in_the_ranks():
    got = explanation_fidelity([[1.0, 0.0], [5.0, 1.0]], [[1.0, 0.0], [0.0, 0.0]])
    assert got["top1_agreement"] == 1.0
    assert got["explanation_r2"] < 0


@pytest.mark.parametrize("function", [prediction_fidelity, explanation_fidelity])
def test_shapes_must_agree(function):
    with pytest.raises(ValueError, match=r"\(3, 2\); expected .*\(2, 2\)"):
        function(np.zeros((3, 2)), np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"sample_weight has shape \(3,\); expected \(2,\)"):
        function(np.zeros((2, 2)), np.zeros((2, 2)), sample_weight=np.ones(3))
