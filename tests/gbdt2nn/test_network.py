import numpy as np
import pandas as pd
import pytest
import torch
from lightgbm import LGBMRegressor

from skrationale.gbdt2nn._bins import TeacherBins
from skrationale.gbdt2nn._inference import EXACT_ROWS, CompiledNetwork
from skrationale.gbdt2nn._losses import explanation_loss, label_loss, score_loss
from skrationale.gbdt2nn._network import BinNetwork, StudentNetwork, running_sum
from skrationale.teachers import MISSING_BIN, ColumnSplits
from skrationale.teachers.lightgbm import LightGBMTeacher

NO_SETS = {"category_sets": (), "set_gains": np.array([])}


def splits(thresholds, missing_type="None", gains=None):
    thresholds = np.array(thresholds, dtype=float)
    gains = np.ones(len(thresholds)) if gains is None else np.array(gains, dtype=float)
    return ColumnSplits(thresholds, gains, missing_type=missing_type, **NO_SETS)


def test_a_value_on_the_threshold_goes_left():
    bins = TeacherBins([splits([1.0, 2.0])], [None], 255)
    values = np.array([[0.5], [1.0], [1.0000001], [2.0], [2.5], [np.nan]])
    assert bins.encode(values)[:, 0].tolist() == [1, 1, 2, 2, 3, 1]  # NaN is read as 0.0


@pytest.mark.parametrize(
    ("kind", "of_nan", "of_zero"), [("NaN", MISSING_BIN, 2), ("Zero", MISSING_BIN, 0), ("None", 2, 2)]
)
def test_missing_values_are_read_as_the_teacher_reads_them(kind, of_nan, of_zero):
    bins = TeacherBins([splits([-1.0, 1.0], kind)], [None], 255)
    assert bins.encode(np.array([[np.nan], [0.0], [1e-36]]))[:, 0].tolist() == [of_nan, of_zero, of_zero]


def test_the_splits_of_largest_gain_are_kept():
    bins = TeacherBins([splits([1.0, 2.0, 3.0], gains=[1.0, 5.0, 4.0])], [None], 2)
    assert bins.numeric[0].thresholds.tolist() == [2.0, 3.0]
    assert bins.numeric[0].gains.tolist() == [5.0, 4.0]


def test_levels_that_no_split_tells_apart_share_a_bin():
    column = ColumnSplits(
        np.array([]), np.array([]), (frozenset({0, 1}), frozenset({3})), np.array([2.0, 1.0]), "None"
    )
    bins = TeacherBins([splits([]), column], [None, None], 255)
    assert bins.columns.tolist() == [1]
    matrix = np.array([[0, c] for c in (0, 1, 2, 3, 4, -1, np.nan)], dtype=float)
    a, b, other, c, *rest = bins.encode(matrix)[:, 0]
    assert a == b
    assert len({a, other, c}) == 3
    assert set(rest) == {other}


@pytest.fixture(scope="module")
def model():
    """A teacher over every kind of column, and its bins."""
    rng = np.random.RandomState(0)
    n = 800
    X = pd.DataFrame(
        {
            "with_nan": np.where(rng.rand(n) < 0.2, np.nan, rng.normal(size=n)),
            "without_nan": rng.normal(size=n),
            "city": pd.Categorical(rng.choice(list("abcdefgh"), n)),
            "unused": 1.0,
        }
    )
    y = X["without_nan"] + X["with_nan"].fillna(2) * (X["city"].cat.codes % 3)
    teacher = LightGBMTeacher(
        LGBMRegressor(n_estimators=60, min_child_samples=5, verbose=-1, n_jobs=1).fit(X, y)
    )
    return teacher, TeacherBins(teacher.splits(), [None] * 4, 255), X


def test_nothing_the_teacher_sees_is_lost(model):
    """Rows of equal bins have equal teacher scores: each value moves freely within its bin."""
    teacher, bins, X = model
    rng = np.random.RandomState(1)
    matrix = X.assign(city=X["city"].cat.codes).to_numpy(dtype=float)
    moved = matrix.copy()
    for j in (0, 1):
        thresholds = np.concatenate([[-9.0], bins.numeric[j].thresholds, [9.0]])
        place = np.clip(np.searchsorted(thresholds, matrix[:, j]), 1, len(thresholds) - 1)
        low, high = thresholds[place - 1], thresholds[place]
        moved[:, j] = np.where(
            np.isnan(matrix[:, j]), np.nan, high - (high - low) * rng.rand(len(matrix)) * 0.99
        )
    moved[:, 3] = rng.normal(size=len(matrix))
    np.testing.assert_array_equal(bins.encode(moved), bins.encode(matrix))
    assert np.nanmax(np.abs(moved - matrix)) > 0.5
    table = X.assign(with_nan=moved[:, 0], without_nan=moved[:, 1], unused=moved[:, 3])
    np.testing.assert_array_equal(teacher.raw_scores(table), teacher.raw_scores(X))


def test_running_sum_is_a_cumulative_sum():
    for m in (1, 2, 5, 16, 17):
        x = torch.randn(3, m, 4, dtype=torch.float64)
        torch.testing.assert_close(running_sum(x), x.cumsum(1))


def test_the_look_up_is_the_thermometer_product(model):
    """The table's rows are the indicators ``x > t`` times the weights, as in a plain first layer."""
    _, bins, _ = model
    layer = BinNetwork(bins, (6,), 1).embedding
    table = layer.table()
    weights = (layer.thresholds * layer.threshold_scale)[1]
    n = len(bins.numeric[1].thresholds)
    for k in (0, 1, n // 2, n):
        row = table[bins.stride + 1 + k]
        above = (torch.arange(weights.shape[0]) < k).float()
        torch.testing.assert_close(row, above @ weights)
    assert table.shape[0] == 2 * bins.stride + bins.categorical[0].n_bins


def test_compiled_networks_equal_their_modules(model):
    _, bins, X = model
    network = BinNetwork(bins, (16, 8), 3)
    matrix = X.assign(city=X["city"].cat.codes).to_numpy(dtype=float)
    encoded = bins.encode(matrix)
    compiled = CompiledNetwork.from_module(network)
    with torch.no_grad():
        expected = network(torch.from_numpy(encoded)).numpy()
    assert len(encoded) > EXACT_ROWS
    np.testing.assert_allclose(compiled(encoded, device="cpu"), expected, atol=1e-5)
    np.testing.assert_allclose(compiled(encoded[:100], device="cpu"), expected[:100], atol=1e-5)
    np.testing.assert_allclose(compiled(encoded, device="cpu", exact=True), expected, atol=1e-5)
    assert compiled(encoded[:0], device="cpu").shape == (0, 3)
    np.testing.assert_array_equal(compiled(encoded, device="cuda:99"), compiled(encoded, device="cpu"))


@pytest.mark.parametrize(
    ("scheme", "additive", "networks"),
    [("additive", True, 1), ("joint", False, 1), ("independent", False, 2)],
)
def test_schemes(model, scheme, additive, networks):
    _, bins, _ = model
    module = StudentNetwork(bins, (8,), 2, scheme)
    assert len(module.networks) == networks
    scores, reasons = module(torch.from_numpy(bins.encode(np.zeros((5, 4)))))
    assert scores.shape == (5, 2)
    assert reasons.shape == (5, 2, 3)
    assert torch.allclose(scores, reasons.sum(-1)) is additive


def test_losses():
    weight = torch.tensor([1.0, 3.0])
    scores, wanted = torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [0.0]])
    assert score_loss(scores, wanted, weight) == (1 + 3 * 4) / 4
    variants = torch.stack([scores, scores + 1], dim=1)
    assert score_loss(variants, torch.zeros(2, 2, 1), weight) == ((1 + 4) / 2 + 3 * (4 + 9) / 2) / 4
    reasons = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])
    assert explanation_loss(reasons, torch.zeros(2, 1, 2), torch.tensor([2.0, 0.0])) == 5
    assert explanation_loss(reasons, torch.zeros(2, 1, 2), torch.zeros(2)) == 0
    assert label_loss(scores, torch.tensor([1.0, 0.0]), weight, "identity") == 3
    half = label_loss(torch.zeros(2, 1), torch.tensor([1.0, 0.0]), weight, "logit")
    assert half == pytest.approx(np.log(2))
    third = label_loss(torch.zeros(2, 3), torch.tensor([1.0, 2.0]), weight, "softmax")
    assert third == pytest.approx(np.log(3))
    assert label_loss(torch.zeros(2, 1), torch.tensor([2.0, 2.0]), weight, "log") == 1
