import numpy as np
import pandas as pd
import pytest

from skrationale.explanation import Explanation
from skrationale.metrics import explanation_fidelity, noise_stability, seed_stability, top_k_agreement


def of(*rows, **settings):
    return Explanation(rows, 0.0, **settings)


def test_top_k_agreement_by_hand():
    a, b = of([4.0, -3.0, 2.0, 0.0], [1.0, 2.0, 3.0, 4.0]), of([0.0, 3.0, -4.0, 1.0], [1.0, 2.0, 3.0, 4.0])
    assert top_k_agreement(a, b, k=1) == 0.5
    assert top_k_agreement(a, b, k=2) == 0.75
    assert top_k_agreement(a, b, k=9) == 1.0
    assert top_k_agreement(a, a) == 1.0


def test_every_output_is_compared():
    rng = np.random.default_rng(0)
    a, b = (Explanation(values, 0.0) for values in rng.normal(size=(2, 9, 5, 3)))
    each = [top_k_agreement(a.for_output(j), b.for_output(j), 2) for j in range(3)]
    assert top_k_agreement(a, b, 2) == pytest.approx(np.mean(each))


def test_seed_stability_by_hand():
    a, b, c = of([3.0, 4.0, 0.0]), of([4.0, 3.0, 0.0]), of([-3.0, 4.0, 0.0])
    got = seed_stability([a, b, c], k=1)
    assert set(got) == {"top_k_agreement", "spearman", "cosine"}
    assert got["top_k_agreement"] == pytest.approx(1 / 3)
    assert got["spearman"] == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert got["cosine"] == pytest.approx((24 + 7 + 0) / 75)
    same = seed_stability([a, a])
    assert same == pytest.approx(dict.fromkeys(same, 1.0))


def test_zero_reasons_are_alike_only_to_each_other():
    assert seed_stability([of([0.0, 0.0]), of([0.0, 0.0])])["cosine"] == 1.0
    assert seed_stability([of([0.0, 0.0]), of([1.0, 0.0])])["cosine"] == 0.0


@pytest.mark.parametrize("k", [1e-300, 1e-165, 1.0, 1e155, 1e300])
def test_cosines_know_no_units(k):
    values = np.random.default_rng(0).normal(size=(5, 4))
    e = Explanation(k * values, 0.0)
    assert seed_stability([e, e])["cosine"] == pytest.approx(1.0, rel=1e-12)
    assert explanation_fidelity(k * values, values)["cosine"] == pytest.approx(1.0, rel=1e-12)
    assert seed_stability([e, Explanation(-values, 0.0)])["cosine"] == pytest.approx(-1.0, rel=1e-12)


def test_columns_and_outputs_must_be_the_same():
    values = np.ones((2, 2, 2))
    e = Explanation(values, 0.0, feature_names=["a", "b"], output_names=["yes", "no"])
    for changes, words in (
        (
            {"feature_names": ["b", "a"]},
            "the same columns in the same order. Got 'a' where the other one has 'b'",
        ),
        ({"feature_names": ["a", "c"]}, "the same columns. Got 'b' where the other one has 'c'"),
        ({"output_names": ["no", "yes"]}, "the same outputs in the same order. Got 'yes'"),
    ):
        names = {"feature_names": ["a", "b"], "output_names": ["yes", "no"]} | changes
        other = Explanation(values, 0.0, **names)
        for measure in (lambda a, b: seed_stability([a, b]), top_k_agreement, explanation_fidelity):
            with pytest.raises(ValueError, match=words):
                measure(e, other)
            assert measure(e, e) is not None
    with pytest.raises(TypeError, match="values and teacher_values must be an Explanation. Got ndarray"):
        explanation_fidelity(e, values)


def test_masks_are_compared():
    def rationale(*mask):
        return Explanation(np.array(mask) * 0.7, 0.0, mask=np.array(mask), kind="rationale")

    nothing = [False] * 3
    a, b = rationale([True, True, False], nothing), rationale([False, True, True], nothing)
    assert seed_stability([a, b])["jaccard"] == pytest.approx((1 / 3 + 1) / 2)
    assert "jaccard" not in seed_stability([a, Explanation(np.ones((2, 3)), 0.0)])


def test_what_cannot_be_compared():
    with pytest.raises(ValueError, match="at least two. Got 1"):
        seed_stability([of([1.0])])
    with pytest.raises(ValueError, match=r"shape \(1, 1\) and \(1, 2\)"):
        seed_stability([of([1.0]), of([1.0, 2.0])])
    with pytest.raises(TypeError, match="a and b must be an Explanation. Got list"):
        top_k_agreement(of([1.0]), [[1.0]])
    with pytest.raises(ValueError, match="k must be an integer of at least 1. Got 0"):
        top_k_agreement(of([1.0]), of([1.0]), k=0)


def table(n=40):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "a": rng.normal(size=n) * 10,
            "n": rng.integers(0, 100, n),
            "nullable": pd.Series(rng.integers(0, 100, n), dtype="Int64"),
            "flag": rng.random(n) < 0.5,
            "level": pd.Categorical(rng.choice(["u", "v"], n)),
            "text": rng.choice(["u", "v"], n),
            "constant": np.full(n, 0.1),
        }
    )
    frame.loc[3, ["a", "nullable"]] = None
    return frame


def test_noise_is_in_standard_deviations_of_numbers_alone():
    X, seen = table(), []
    before = X.copy(deep=True)

    def explain(frame):
        seen.append(frame)
        return Explanation(np.ones((len(frame), 7)), 0.0)

    noise_stability(explain, X, noise=0.1, n_draws=400)
    pd.testing.assert_frame_equal(X, before)
    pd.testing.assert_frame_equal(seen[0], X)
    noisy = seen[1]
    whole = X.loc[X.index.repeat(400)].reset_index(drop=True)
    for name in ("flag", "level", "text", "constant"):
        pd.testing.assert_series_equal(noisy[name], whole[name])
    assert noisy.dtypes.astype(str).to_dict() == X.dtypes.astype(str).to_dict() | {
        "n": "float64",
        "nullable": "Float64",
    }
    for name in ("a", "n", "nullable"):
        pd.testing.assert_series_equal(noisy[name].isna(), whole[name].isna())
        moved = (noisy[name] - whole[name]).dropna().astype(float)
        assert moved.std() == pytest.approx(0.1 * X[name].std(ddof=0), rel=0.03)


def test_sensitivity_of_linear_reasons_is_their_slope():
    X = np.random.default_rng(0).normal(size=(30, 3)) * [1.0, 10.0, 100.0]
    spread = X.std(axis=0)
    got = noise_stability(lambda t: Explanation(3 * t / spread, 0.0), X)
    assert got["max_sensitivity"] == pytest.approx(3.0)
    steep = noise_stability(lambda t: Explanation(np.sign(t), 0.0), X)
    assert steep["max_sensitivity"] > 0.5
    assert steep["cosine"] < 1
    flat = noise_stability(lambda t: Explanation(np.ones(t.shape), 0.0), X)
    assert flat["max_sensitivity"] == 0
    assert flat["cosine"] == pytest.approx(1)


def test_sensitivity_is_that_of_the_worst_draw():
    X = np.random.default_rng(0).normal(size=(30, 1))
    X /= X.std()
    slopes = np.random.default_rng(1).uniform(1, 2, size=(600, 1))

    def explain(array):
        return Explanation(X * 0 if len(array) == 30 else (array - X.repeat(20, 0)) * slopes, 0.0)

    got = noise_stability(explain, X, n_draws=20)["max_sensitivity"]
    assert got == pytest.approx(slopes.reshape(30, 20).max(1).mean())


def test_missing_cells_do_not_move():
    X = np.array([[np.nan, 1.0], [2.0, 2.0], [3.0, 3.0]])
    spread = np.nanstd(X, axis=0)
    got = noise_stability(lambda t: Explanation(np.nan_to_num(t) / spread, 0.0), X)
    assert got["max_sensitivity"] == pytest.approx(1.0)
    alone = np.array([[np.nan], [1.0], [2.0]])
    got = noise_stability(lambda t: Explanation(np.nan_to_num(t) * 2, 0.0), alone)
    assert got["max_sensitivity"] == pytest.approx(2 * 2 * 0.5 / 3)


def test_arrays_keep_their_kind_and_many_outputs_work():
    seen = []

    def explain(array):
        seen.append(array)
        return Explanation(np.stack([array, 2 * array], axis=2), 0.0)

    for dtype, expected in (("float32", "float32"), ("int64", "float64")):
        X = np.arange(12).reshape(6, 2).astype(dtype)
        X.setflags(write=False)
        got = noise_stability(explain, X)
        assert seen[-1].dtype == expected
        assert got["max_sensitivity"] == pytest.approx(np.sqrt(5) * X[:, 0].std(), rel=1e-3)


def test_batches_and_seeds(monkeypatch):
    X = np.random.default_rng(0).normal(size=(30, 3))

    def explain(array):
        return Explanation(np.sin(3 * array), 0.0)

    got = noise_stability(explain, X)
    assert got == noise_stability(explain, X, random_state=0)
    assert got != noise_stability(explain, X, random_state=1)
    monkeypatch.setattr("skrationale.metrics._stability.MAX_ROWS", 35)
    assert noise_stability(explain, X) == pytest.approx(got)


def test_bad_noise():
    X = np.random.default_rng(0).normal(size=(5, 2))

    def explain(array):
        return Explanation(array, 0.0)

    for noise in (0, -1, np.nan, np.inf, "much"):
        with pytest.raises(ValueError, match="noise must be a positive number. Got"):
            noise_stability(explain, X, noise=noise)
    with pytest.raises(ValueError, match="n_draws must be an integer of at least 1. Got 0"):
        noise_stability(explain, X, n_draws=0)
    for fixed in (np.ones((4, 2)), np.eye(2, dtype=bool), pd.DataFrame({"a": ["x", "y"]})):
        with pytest.raises(ValueError, match="no numeric column with different values"):
            noise_stability(explain, fixed)
    with pytest.raises(TypeError, match="what explain returns must be an Explanation. Got ndarray"):
        noise_stability(lambda array: array, X)
    with pytest.raises(ValueError, match="explain gave 4 rows; expected 5"):
        noise_stability(lambda array: Explanation(array[:4], 0.0), X)
    with pytest.raises(ValueError, match=r"explain gave values of shape \(25, 1\); expected \(25, 2\)"):
        noise_stability(lambda array: Explanation(array[:, : 2 if len(array) == 5 else 1], 0.0), X)


@pytest.mark.parametrize("power", [-1000, 1000])
def test_noise_fits_columns_of_any_unit(power):
    X, seen = np.random.default_rng(0).normal(size=(20, 2)), []

    def explain(rows):
        seen.append(rows)
        return Explanation(np.ones(rows.shape), 0.0)

    for numbers in (X, np.ldexp(X, [power, 0])):
        noise_stability(explain, numbers, noise=0.1, random_state=0)
    np.testing.assert_array_equal(seen[3], np.ldexp(seen[1], [power, 0]))


def test_noise_stability_of_each_row_has_the_figures_as_means():
    X = np.random.RandomState(0).normal(size=(30, 3))

    def explain(table):
        values = np.stack([table**2, table], axis=2)
        return Explanation(values, 0.0)

    whole, rows = (noise_stability(explain, X, n_draws=4, per_row=per_row) for per_row in (False, True))
    for name, value in whole.items():
        assert rows[name].shape == (30,)
        assert rows[name].mean() == pytest.approx(value, rel=1e-12)
