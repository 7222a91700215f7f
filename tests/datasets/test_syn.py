import math

import numpy as np
import pytest

from skrationale.datasets import make_syn

NUMBERS = range(1, 7)
TRUE = {1: {1, 2}, 2: {3, 4, 5, 6}, 3: {7, 8, 9, 10}}  # columns counted from 1, as in the papers
SWITCHED = {4: (1, 2), 5: (1, 3), 6: (2, 3)}


def rule(number, row):
    """Give the pure problem, 1 to 3, that holds in a row."""
    return SWITCHED[number][int(row[10] >= 0)] if number in SWITCHED else number


def exponent(number, row):
    """Compute U of one row by its formula."""
    x = dict(enumerate(row.tolist(), start=1))
    which = rule(number, row)
    if which == 1:
        return x[1] * x[2]
    if which == 2:
        return x[3] ** 2 + x[4] ** 2 + x[5] ** 2 + x[6] ** 2 - 4
    return -10 * math.sin(0.2 * x[7]) + abs(x[8]) + x[9] + math.exp(-x[10]) - 2.4


def exponents(number, X):
    return np.array([exponent(number, row) for row in X])


@pytest.mark.parametrize("number", NUMBERS)
def test_mask_names_the_columns_of_the_branch_and_the_switch(number):
    X, _, mask = make_syn(number, 300, n_features=13, random_state=0)
    assert mask.dtype == bool
    assert mask.shape == X.shape
    assert 0 < (X[:, 10] < 0).sum() < 300
    for row, true in zip(X, mask, strict=True):
        assert set(true.nonzero()[0] + 1) == TRUE[rule(number, row)] | ({11} if number in SWITCHED else set())


@pytest.mark.parametrize("number", NUMBERS)
def test_labels_follow_the_published_probability(number):
    X, y, _ = make_syn(number, 40_000, random_state=number)
    assert y.dtype.kind == "i"
    assert set(y.tolist()) == {0, 1}
    U = exponents(number, X)
    with np.errstate(over="ignore"):
        p = 1 / (1 + np.exp(U))
    for rows in np.array_split(np.argsort(U), 10):
        error = np.sqrt((p[rows] * (1 - p[rows])).sum()) / len(rows)
        assert abs(y[rows].mean() - p[rows].mean()) < 4 * error + 1e-3


@pytest.mark.parametrize("number", NUMBERS)
def test_regression_without_noise_is_the_exponent_and_hidden_cells_do_not_move_it(number):
    X, y, mask = make_syn(number, 500, n_features=14, regression=True, noise=0.0, random_state=0)
    assert y.dtype == float
    np.testing.assert_allclose(exponents(number, X), y)
    rng = np.random.default_rng(1)
    np.testing.assert_allclose(exponents(number, np.where(mask, X, rng.normal(size=X.shape))), y)
    for j in range(11):  # and every true cell does, or the mask would name too many
        rows = mask[:, j]
        changed = X.copy()
        changed[:, j] = -X[:, j] if j == 10 else X[:, j] + 0.7
        moved = ~np.isclose(exponents(number, changed), y)
        assert not moved[~rows].any()
        assert moved[rows].all()


@pytest.mark.parametrize("rho", [0.0, 0.7, -0.5])
def test_correlation_falls_with_the_distance_of_columns(rho):
    X, _, _ = make_syn(3, 40_000, correlation=rho, random_state=0)
    distance = abs(np.subtract.outer(range(11), range(11)))
    np.testing.assert_allclose(np.cov(X, rowvar=False), rho**distance, atol=0.03)
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=0.03)


def test_further_columns_are_idle():
    X, y, mask = make_syn(6, 3000, n_features=100, correlation=0.3, random_state=0)
    assert X.shape == mask.shape == (3000, 100)
    assert y.shape == (3000,)
    assert (mask.sum(axis=1) == 5).all()
    assert not mask[:, 11:].any()
    np.testing.assert_allclose(X.std(axis=0), 1, atol=0.08)


def test_noise_is_a_standard_deviation_and_moves_no_label():
    X, y, _ = make_syn(2, 10_000, regression=True, noise=0.8, random_state=0)
    rest = y - exponents(2, X)
    assert rest.std() == pytest.approx(0.8, rel=0.05)
    assert abs(rest.mean()) < 0.04
    np.testing.assert_array_equal(
        make_syn(2, noise=0.0, random_state=0)[1], make_syn(2, noise=5.0, random_state=0)[1]
    )


def test_seed_repeats_and_leaves_the_global_state_alone():
    before = str(np.random.get_state())  # noqa: NPY002
    first, second = make_syn(5, 50, random_state=3), make_syn(5, 50, random_state=3)
    assert str(np.random.get_state()) == before  # noqa: NPY002
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[0], make_syn(5, 50, random_state=4)[0])
    np.testing.assert_array_equal(first[0], make_syn(1, 50, regression=True, random_state=3)[0])  # X is first


@pytest.mark.parametrize(
    "bad",
    [
        {"number": 0},
        {"number": 7},
        {"n_samples": 0},
        {"n_features": 10},
        {"correlation": 1.0},
        {"correlation": -1.0},
        {"correlation": float("nan")},
        {"noise": -0.1},
    ],
)
def test_bad_parameters_are_named(bad):
    (name, value), *_ = bad.items()
    with pytest.raises(ValueError, match=f"^{name} is {value}; expected .*\\.$"):
        make_syn(**{"number": 1, **bad})
