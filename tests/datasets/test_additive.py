import numpy as np
import pytest

from skrationale.datasets import make_additive


def test_contributions_are_the_centred_parts_of_the_target():
    X, y, contributions = make_additive(20_000, 7, noise=0.0, random_state=0)
    np.testing.assert_allclose(contributions.sum(axis=1), y)
    np.testing.assert_allclose(contributions.mean(axis=0), 0, atol=0.03)
    assert (contributions[:, :5].std(axis=0) > 0.3).all()
    assert not contributions[:, 5:].any()
    np.testing.assert_allclose(contributions[:, 0], 2 * X[:, 0])


def test_a_contribution_depends_on_its_own_column_alone():
    X, _, contributions = make_additive(500, random_state=0)
    for j in range(5):
        order = np.argsort(X[:, j])
        assert abs(np.diff(contributions[order, j])).sum() < 10


def test_seed_noise_and_few_columns():
    first, second = make_additive(random_state=3), make_additive(random_state=3)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    _, y, contributions = make_additive(5000, 2, noise=0.5, random_state=0)
    assert contributions.shape == (5000, 2)
    assert np.std(y - contributions.sum(axis=1)) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("bad", [{"n_samples": 0}, {"n_features": 0}, {"noise": -1.0}])
def test_bad_parameters_are_named(bad):
    (name, value), *_ = bad.items()
    with pytest.raises(ValueError, match=f"{name} is {value}; expected"):
        make_additive(**bad)
