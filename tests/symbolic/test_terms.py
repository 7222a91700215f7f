"""Pools of terms: pursuit by products of terms chooses what projections of whole columns choose."""

import numpy as np
import pytest
import sympy as sp

from skrationale.formula.program import symbols
from skrationale.symbolic._terms import COLLINEAR, TermPool, values_of

V = x, y, z = symbols(3)
TERMS = [
    x,
    y,
    z,
    x * y,
    x * z,
    y * z,
    x**2,
    sp.sin(x),
    sp.exp(y),
    sp.cos(2 * z),
    1e6 * x + y,
    sp.sqrt(sp.Abs(z)),
]


def by_projection(terms, X, t, weights, steps):
    """The term at each step that explains most, with the parts of earlier ones taken out of all columns."""
    root = np.sqrt(weights)
    columns = values_of(terms, V, X) / np.abs(values_of(terms, V, X)).max(axis=0)
    left = (columns - np.average(columns, axis=0, weights=weights)) * root[:, None]
    rest = (t - np.average(t, weights=weights)) * root
    norms, chosen = (left**2).sum(axis=0), []
    for _ in range(steps):
        sizes = (left**2).sum(axis=0)
        gain = np.where(sizes > COLLINEAR * norms, (rest @ left) ** 2 / np.maximum(sizes, 1e-300), 0)
        gain[chosen] = 0
        chosen.append(int(gain.argmax()))
        direction = left[:, chosen[-1]] / np.sqrt(sizes[chosen[-1]])
        rest = rest - direction * (direction @ rest)
        left = left - np.outer(direction, direction @ left)
    return [terms[i] for i in chosen]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weighted", [False, True])
def test_products_choose_what_projections_choose(seed, weighted):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(300, 3))
    weights = rng.integers(0, 3, 300).astype(float) if weighted else np.ones(300)
    pool = TermPool(V, X)
    pool.add(TERMS)
    terms = list(pool._columns)
    for _ in range(3):  # the second and third target find the products made
        t = rng.normal(size=len(terms)) @ values_of(terms, V, X).T + rng.normal(size=300)
        found = pool.pursue(t, weights, 1000)[-1]
        assert found == by_projection(terms, X, t, weights, len(found))
        assert len(found) > 6


def test_products_follow_the_pool_and_the_weights():
    rng = np.random.default_rng(0)
    X, t = rng.normal(size=(300, 3)), rng.normal(size=300)
    pool, weights = TermPool(V, X), [np.ones(300), rng.random(300)]
    for new in (TERMS[:4], TERMS[4:]):
        pool.add(new)
        for own in (*weights, weights[0]):
            fresh = TermPool(V, X)
            fresh.add(pool._columns)
            assert pool.pursue(t, own, 40) == fresh.pursue(t, own, 40)


def test_exact_laws_are_pursued_to_their_last_term():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3))
    pool = TermPool(V, X)
    pool.add(TERMS)
    t = values_of([x * y + 0.01 * sp.sin(x)], V, X)[:, 0]
    assert pool.pursue(t, np.ones(500), 1000) == [[x * y], [x * y, sp.sin(x)]]


@pytest.mark.parametrize("weighted", [False, True])
def test_sums_of_many_choices_are_those_of_least_squares(weighted):
    rng = np.random.default_rng(0)
    X, t = rng.normal(size=(300, 3)), rng.normal(size=300)
    weights = rng.integers(0, 3, 300).astype(float) if weighted else np.ones(300)
    pool = TermPool(V, X)
    near = sp.sin(x + 1e-13 * z)
    pool.add([*TERMS, near])
    terms = list(pool._columns)
    choices = [[terms[i] for i in rng.permutation(len(terms))[:m]] for m in range(8) for _ in range(20)]
    choices += [[sp.sin(x), near], [x, sp.sin(x), y, near], terms]
    root = np.sqrt(weights)
    for terms, found in zip(choices, pool.fit(choices, t, weights), strict=True):
        A = np.column_stack([np.ones(300), *(values_of([term], V, X)[:, 0] for term in terms)])
        A /= np.abs(A).max(axis=0)
        expected = A @ np.linalg.lstsq(A * root[:, None], t * root, rcond=1e-10)[0]
        np.testing.assert_allclose(pool.values(found), expected, atol=1e-9)
        assert list(found.terms) == terms


def test_a_law_with_a_small_term_is_exact_by_products(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3))
    pool = TermPool(V, X)
    pool.add(TERMS)
    t = values_of([3 * x * y + 1e-4 * sp.sin(x) + 50], V, X)[:, 0]
    monkeypatch.setattr(np.linalg, "lstsq", None)
    (found,) = pool.fit([[x * y, sp.sin(x), x]], t, np.ones(500))
    np.testing.assert_allclose(pool.values(found), t, atol=1e-11)


def test_terms_that_hardly_vary_get_no_wild_weight():
    rng = np.random.default_rng(0)
    X, t = rng.normal(size=(500, 3)), rng.normal(size=500)
    one, root = sp.sin(x) ** 2 + sp.cos(x) ** 2, sp.sqrt(1.3 + x + sp.Abs(x))
    for term, weights in ((sp.sqrt(one), np.ones(500)), (root, (X[:, 0] < 0).astype(float))):
        pool = TermPool(V, X)
        pool.add([term])
        (chosen,) = pool._columns
        (found,) = pool.fit([[chosen]], t, weights)
        assert np.abs(found.coefficients).max() < 1


def test_offsets_cost_no_digits():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3)) + [1e6, 0, 0]
    pool = TermPool(V, X)
    pool.add([x, y])
    t = 1e-4 * (X[:, 0] - 1e6) + X[:, 1]
    (found,) = pool.fit([[x, y]], t, np.ones(500))
    np.testing.assert_allclose(found.coefficients[1:], [1e-4, 1], rtol=1e-7)


def test_without_terms_there_is_the_mean():
    for pool in (TermPool((), np.empty((4, 0))), TermPool(V, np.ones((4, 3)))):
        (found,) = pool.fit([[]], np.array([1.0, 2, 3, 6]), np.ones(4))
        assert found.expression() == pytest.approx(3)
        assert pool.fit([], np.arange(4.0), np.ones(4)) == []
