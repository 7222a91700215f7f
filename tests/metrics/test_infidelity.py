import numpy as np
import pytest

from skrationale.explanation import Explanation
from skrationale.metrics import infidelity

WEIGHTS = np.array([[4.0, -3.0, 2.0, 1.0], [1.0, 1.0, 0.0, -2.0], [0.0, 5.0, 1.0, 1.0]])


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(50, 4))


def exact(X, k):
    parts = (X - X.mean(0))[:, :, None] * WEIGHTS.T
    return Explanation(parts[:, :, 0], 0.0) if k == 1 else Explanation(parts, 0.0)


def predict(k):
    return lambda table: table @ (WEIGHTS[0] if k == 1 else WEIGHTS.T)


@pytest.mark.parametrize("k", [1, 3])
def test_exact_reasons_have_none(X, k):
    e = exact(X, k)
    assert infidelity(e, predict(k), X, fill="mean") == pytest.approx(0, abs=1e-20)
    for fill in ("mean", "marginal"):
        right = infidelity(e, predict(k), X, fill=fill, normalize=True)
        values = np.random.default_rng(1).permuted(e.values, axis=1)
        assert infidelity(Explanation(values, 0.0), predict(k), X, fill=fill, normalize=True) > right + 0.25
        # of a marginal fill five draws are averaged, and their variance is left
        assert right < (1e-20 if fill == "mean" else 0.3)


def test_by_hand():
    X = np.array([[1.0], [-1.0]])
    e = Explanation([[1.0], [-3.0]], 0.0)
    assert infidelity(e, lambda t: 2 * t[:, 0], X, fill="mean") == 1.0
    assert infidelity(e, lambda t: 2 * t[:, 0], X, fill="mean", normalize=True) == 0.25


def test_more_fills_come_closer(X):
    asked = {"explanation": exact(X, 1), "predict": predict(1), "X": X, "n_perturbations": 4}
    assert infidelity(**asked, n_fills=100) < infidelity(**asked, n_fills=1) / 20


def test_every_size_of_subset_is_asked():
    X = np.random.default_rng(0).normal(size=(200, 4))
    sizes = []
    e = Explanation(np.ones(X.shape), 0.0)

    def counted(table):
        sizes.extend(np.isnan(table).sum(axis=1))
        return np.zeros(len(table))

    infidelity(e, counted, X, fill="missing")
    shares = np.bincount(sizes[200:], minlength=5) / 2000
    np.testing.assert_allclose(shares, [0, 0.25, 0.25, 0.25, 0.25], atol=0.04)


def test_a_constant_model(X):
    def flat(table):
        return np.ones(len(table))

    nothing, something = Explanation(np.zeros(X.shape), 0.0), Explanation(np.ones(X.shape), 0.0)
    assert infidelity(nothing, flat, X, normalize=True) == 0.0
    assert np.isnan(infidelity(something, flat, X, normalize=True))


def test_undefined_values_claim_nothing(X):
    values = exact(X, 1).values.copy()
    values[:, 0] = np.nan
    with_zero = Explanation(np.nan_to_num(values), 0.0)
    assert infidelity(Explanation(values, 0.0), predict(1), X) == infidelity(with_zero, predict(1), X)


def test_seeds(X):
    asked = {"explanation": exact(X, 1), "predict": predict(1), "X": X}
    assert infidelity(**asked) == infidelity(**asked, random_state=0)
    assert infidelity(**asked) != infidelity(**asked, random_state=1)


def test_bad_input(X):
    with pytest.raises(ValueError, match=r"shape \(50, 3\); expected \(50,\), the score .*decision_function"):
        infidelity(exact(X, 1), predict(3), X)
    with pytest.raises(ValueError, match="n_perturbations must be an integer of at least 1. Got True"):
        infidelity(exact(X, 1), predict(1), X, n_perturbations=True)
    mask = np.ones(X.shape, dtype=bool)
    with pytest.raises(ValueError, match="kind 'rationale'"):
        infidelity(Explanation(mask * 1.0, 0.0, mask=mask, kind="rationale"), predict(1), X)
