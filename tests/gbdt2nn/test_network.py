import numpy as np
import pandas as pd
import pytest
import torch
from lightgbm import LGBMRegressor

from skrationale.gbdt2nn._bins import TeacherBins
from skrationale.gbdt2nn._inference import EXACT_ROWS, CompiledNetwork
from skrationale.gbdt2nn._look_up import look_up
from skrationale.gbdt2nn._losses import explanation_loss, label_loss, score_loss
from skrationale.gbdt2nn._network import BinNetwork, StudentNetwork, factors_of
from skrationale.gbdt2nn._sums import BLOCK, RunningSums
from skrationale.teachers import MISSING_BIN, ColumnSplits, NumericBins
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


@pytest.mark.parametrize("missing", [0.25, 0.0])
@pytest.mark.parametrize("sizes", [[1], [3, 1, 2], [14, 1, 13, 15, 16, 30, 255, 1, 47, 2], [255, 255]])
def test_sums_over_thresholds_are_cumulative_sums_of_each_column(sizes, missing):
    rng = np.random.default_rng(0)
    bins = [NumericBins(j, np.arange(float(m)), np.ones(m), "NaN") for j, m in enumerate(sizes)]
    factors = [rng.integers(1, 9, size=m) / 8 for m in sizes]
    sums = RunningSums(bins, factors, missing=missing).double()
    vectors = torch.randn(sums.n_rows, 3, dtype=torch.float64, requires_grad=True)
    expected = []
    start = 0
    for m, scale in zip(sizes, factors, strict=True):
        own = vectors[start : start + m + 2]
        above = (own[2:] * torch.from_numpy(scale)[:, None]).cumsum(0)
        expected += [missing * own[:1], torch.zeros(1, 3), above]
        start += m + 2
    joined = torch.cat(expected)
    torch.testing.assert_close(sums(vectors), joined)
    weights = torch.randn(joined.shape, dtype=torch.float64)
    ours, theirs = (
        torch.autograd.grad((x * weights).sum(), vectors, retain_graph=True)[0]
        for x in (sums(vectors), joined)
    )
    torch.testing.assert_close(ours, theirs)
    assert sums.n_rows < sum(sizes) + 2 * len(sizes) + BLOCK  # no padding of short columns


def test_the_look_up_is_the_thermometer_product(model):
    """The table's rows are the indicators ``x > t`` times the weights, as in a plain first layer."""
    _, bins, _ = model
    layer = BinNetwork(bins, (6,), 1).embedding
    table = layer.table()
    first, second = (column.n_bins for column in bins.numeric)
    factors = torch.as_tensor(factors_of(bins.numeric)[0][1], dtype=torch.float32)[:, None]
    weights = layer.thresholds[first + 2 : first + second] * factors
    n = len(bins.numeric[1].thresholds)
    for k in (0, 1, n // 2, n):
        torch.testing.assert_close(table[first + 1 + k], weights[:k].sum(0), atol=1e-6, rtol=1e-5)
    assert len(table) == first + second + bins.categorical[0].n_bins


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


@pytest.mark.parametrize("n_vectors", [50, 40_000, 70_000])
def test_gradients_of_a_look_up_are_those_of_torch(n_vectors):
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(n_vectors, 5, generator=generator, requires_grad=True)
    encoded = torch.randint(0, n_vectors, (300, 4), generator=generator, dtype=torch.int32)
    encoded[:50, 2] = encoded[0, 2]  # some vectors are taken often, others never
    encoded[0, 0] = n_vectors - 1
    slopes = torch.randn(300, 5, generator=generator)
    bag = torch.nn.functional.embedding_bag
    found, expected = (
        (outputs, torch.autograd.grad(outputs, table, slopes)[0])
        for outputs in (look_up(table, encoded), bag(encoded, table, mode="sum"))
    )
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)
