"""Laws without noise: products, sums of few terms, and views of a smooth teacher with fewer arguments."""

import numpy as np
import pandas as pd
import pytest
import sympy as sp
from seeds import SEED
from sklearn.ensemble import RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.tree import DecisionTreeRegressor

from skrationale import SmoothMLPRegressor, SymbolicDistiller
from skrationale.formula.program import Program, symbols
from skrationale.formula.tree import with_leading_ones
from skrationale.symbolic import OperonEngine, _views
from skrationale.symbolic._budget import SearchBudget
from skrationale.symbolic._operators import holds_only
from skrationale.symbolic._product_laws import product_law
from skrationale.symbolic._refit import round_constants
from skrationale.symbolic._search import Searcher
from skrationale.symbolic._sum_laws import CLOSE, N_FITTED, _pairs, sum_law
from skrationale.symbolic._targets import Target
from skrationale.symbolic._views import View, find_views

V = a, b, c, d = symbols(4)
RNG = np.random.RandomState(SEED)
X = RNG.uniform(1.0, 4.0, (400, 4))
SIGNED = X * RNG.choice([-1, 1], X.shape)
ONES = np.ones(len(X))
ALL = ["+", "-", "*", "/", "square", "sqrt", "sin", "cos", "exp", "log"]


def values(expr, rows=X):
    return Program(expr, V)(rows)


def is_multiple(one, other, rows=X):
    ratio = values(one, rows) / values(other, rows)
    return np.ptp(ratio) < 1e-9 * np.abs(ratio).max()


# --- products -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("law", "rows"),
    [
        (3 * a * b, X),
        (a / (b**2 * c), X),
        (a**5 / c, SIGNED),
        (sp.sqrt(a * b / c), X),
        (a * sp.sin(b), X),
        (a * sp.exp(-b) / d, X),
        (a * (b - c) / (b * c), X),
        (b * c / (1 + d), X),
        (a * c / (c**2 - b**2), X),
    ],
)
def test_a_product_is_found(law, rows):
    assert is_multiple(product_law(rows, values(law, rows), V, ALL), law, rows)


def test_squares_of_a_sum_and_a_difference_are_joined():
    wide = X * [1, 1, 1, 9]
    law = a / sp.sqrt(d**2 - b**2)
    assert product_law(wide, values(law, wide), V, ALL) == law


@pytest.mark.parametrize(
    ("law", "operators"),
    [
        (a / b, ["*", "+", "aq"]),
        (sp.sqrt(a) * b, ["*", "/"]),
        (a * sp.sin(b), ["*", "/", "cos"]),
        (a * (b + c), ["*", "-"]),
        (a * b, ["+", "/"]),
        (sp.Float(3.0) + 0 * a, ALL),
        (a * b + c, ALL),
    ],
)
def test_a_product_holds_only_operators_at_hand(law, operators):
    assert product_law(X, np.broadcast_to(values(law), len(X)), V, operators) is None


def test_a_root_without_sqrt_is_one_of_a_size():
    found = product_law(X, values(sp.sqrt(a / b)), V, ["*", "/", "sqrtabs"])
    assert found == sp.sqrt(sp.Abs(a / b))


def test_a_product_is_seen_through_a_little_noise_and_not_in_noise():
    y = values(a * b / c) * (1 + 0.003 * RNG.normal(size=len(X)))
    assert product_law(X, y, V, ALL) == a * b / c
    assert product_law(X, RNG.normal(size=len(X)), V, ALL) is None


def test_rows_of_zero_do_not_hide_a_product():
    y, rows = values(a * b), X.copy()
    y[50:60] = 0.0
    assert product_law(X, y, V, ALL) is None  # zeros that a product of positive numbers never gives
    rows[50:60, 0] = 0.0
    assert product_law(rows, y, V, ALL) == a * b


def test_the_same_column_in_two_units_hides_no_product():
    pounds = X.copy()
    pounds[:, 3] = 2.2 * X[:, 0]
    assert is_multiple(product_law(pounds, values(a * b), V, ALL), a * b)


@pytest.mark.parametrize("scale", [1e-60, 1e60])
def test_a_product_of_columns_of_any_size(scale):
    assert product_law(X * scale, values(a * b * c) * scale, V, ["*", "/"]) == a * b * c


# --- sums -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "law",
    [
        2 * a + 3 * b * c - 1,
        a * sp.cos(b) + c**2,
        1 / (1 / a + b / c),
        sp.sqrt(a**2 + b**2 + 3 * c**2),
        sp.exp(-(a**2) / (2 * b**2)) / b,
        1 / (sp.exp(a) + sp.exp(-a)),
        -sp.exp(-a / 2) / b,
    ],
)
def test_a_sum_is_found(law):
    arguments = dict(zip(V[:3], X.T, strict=False))
    found = sum_law(arguments, values(law), ALL)
    np.testing.assert_allclose(values(found), values(law), rtol=1e-6)
    new = RNG.uniform(1.0, 4.0, (100, 4))
    np.testing.assert_allclose(values(found, new), values(law, new), rtol=1e-6)


def test_no_sum_is_found_in_noise_or_with_other_operators():
    arguments = dict(zip(V[:2], X.T, strict=False))
    assert sum_law(arguments, values(a + b) + 0.001 * RNG.normal(size=len(X)), ALL) is None
    assert sum_law(arguments, values(sp.sqrt(a + b**2)), ["+", "*"]) is None
    assert sum_law(arguments, values(1 / (a + b**2)), ["+", "*", "exp"]) is None
    assert sum_law(arguments, values(a + b), ["*"]) is None
    assert sum_law(arguments, values(a + b) * 0 + 3.0, ALL) is None


def test_terms_that_are_the_same_hide_no_sum():
    flags = np.column_stack([X[:, :2], X[:, 2:] > 2.5]).astype(float)
    law = a * b + 3 * c + 2 * d
    found = sum_law(dict(zip(V, flags.T, strict=True)), values(law, flags), ALL)
    np.testing.assert_allclose(values(found, flags), values(law, flags), rtol=1e-6)


def test_a_small_constant_that_matters_stays():
    rows = np.exp(RNG.uniform(-4, 4, (400, 4)))
    law = sp.sqrt(a**2 + 0.05)
    found = sum_law({a: rows[:, 0]}, values(law, rows), ["+", "*", "sqrt"])
    np.testing.assert_allclose(values(found, rows), values(law, rows), rtol=1e-6)


@pytest.mark.parametrize("m", [6, 64, 65, 150])
def test_pairs_leave_open_what_least_squares_leave(m):
    rng = np.random.RandomState(SEED)
    table = rng.normal(size=(400, m))
    table[:, m // 2] = table[:, 0] + 1e-7 * rng.normal(size=400)  # no usable pair
    table -= table.mean(axis=0)
    table /= np.linalg.norm(table, axis=0)
    for i, j in ((1, m - 1), (1, 2), (m - 2, m - 1)):
        t = table[:, i] - 2 * table[:, j]
        t /= np.linalg.norm(t)
        (found,) = _pairs(table.T @ table, table.T @ t)
        assert found[1:] == (i, j)
        assert abs(found[0]) < 1e-12
    # a term that says nearly all makes a pair with any other: only the best are given
    t = table[:, 1] + np.sqrt(CLOSE / 2) * table[:, 2]
    t /= np.linalg.norm(t)
    found = _pairs(table.T @ table, table.T @ t)
    assert len(found) == min(m - 1, 3 * N_FITTED)
    for open_, i, j in found:
        left = t - table[:, [i, j]] @ np.linalg.lstsq(table[:, [i, j]], t, rcond=None)[0]
        assert open_ == pytest.approx(left @ left, abs=1e-12)


@pytest.mark.parametrize("m", [6, 64, 65, 150])
def test_pairs_say_what_a_given_term_leaves(m):
    rng = np.random.RandomState(SEED)
    table = rng.normal(size=(400, m))
    table[:, 4] = table[:, 0] + 1e-7 * rng.normal(size=400)  # next to the given term nothing is left of it
    table -= table.mean(axis=0)
    table /= np.linalg.norm(table, axis=0)
    for i, j in ((1, m - 1), (1, 2), (2, 3)):
        t = table[:, 0] + table[:, i] - 2 * table[:, j] + np.sqrt(CLOSE) * rng.normal(size=400) / 20
        t -= t.mean()
        t /= np.linalg.norm(t)
        (found,) = _pairs(table.T @ table, table.T @ t, 0)
        left = t - table[:, [0, i, j]] @ np.linalg.lstsq(table[:, [0, i, j]], t, rcond=None)[0]
        assert found == (pytest.approx(left @ left, abs=1e-12), i, j)


def test_laws_are_looked_for_on_more_rows_than_the_engine_sees():
    X = np.random.RandomState(SEED).normal(size=(2000, 7))
    y = X[:, 0] * X[:, 1] * X[:, 6] + X[:, 2] ** 3 - X[:, 4] * X[:, 5]
    budget = SearchBudget(30, 1, 1, 10, 100)
    operators = {"binary_operators": ["+", "-", "*"], "unary_operators": ["sin", "exp", "square", "sqrtabs"]}
    searcher = Searcher(OperonEngine(), operators, budget, X)
    target = Target(y / y.std(), np.ones(2000))
    searcher.add_sum(target, View(sp.S.One, searcher.variables))
    assert searcher.is_said(target)


def test_few_rows_repeated_are_no_law():
    table = pd.DataFrame(np.tile(RNG.uniform(1, 3, (6, 2)), (20, 1)), columns=["a", "b"])
    y = np.tile(RNG.normal(size=6), 20)
    Counting.begun = 0
    teacher = FrozenEstimator(DecisionTreeRegressor().fit(table, y))
    SymbolicDistiller(teacher, engine=Counting(), niterations=4, random_state=SEED).fit(table, y)
    assert Counting.begun == 0  # nothing is searched either
    assert product_law(table.to_numpy()[:6], y[:6], V[:2], ALL) is None


# --- operators ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expr", "operators"),
    [
        (a * b / c, ["*", "/"]),
        (a**3, ["*"]),
        (a**2 + 3, ["+", "square"]),
        (sp.sqrt(sp.Abs(a - b)), ["-", "sqrtabs"]),
        (sp.log(sp.Abs(a)), ["logabs"]),
        (1 / sp.sqrt(a), ["/", "sqrt"]),
        (a**2.5, ["^"]),
        (2.5 * sp.exp(-a), ["exp"]),
    ],
)
def test_what_an_expression_takes(expr, operators):
    assert holds_only(expr, operators)
    assert not any(holds_only(expr, [name for name in operators if name != missing]) for missing in operators)


# --- views ----------------------------------------------------------------------------------------


def slopes_of(law):
    return np.column_stack([np.broadcast_to(values(sp.diff(law, v)), len(X)) for v in V])


@pytest.mark.parametrize(
    ("law", "view"),
    [
        (d * sp.exp(a * b / c), View(d, (a * b / c,))),
        (sp.sin((a - b) * c) / d**2, View(d**-2, (c * (a - b),))),
        (sp.exp(a + b + c + d), View(sp.S.One, (a + b + c + d,))),
    ],
)
def test_fewer_arguments_are_seen_by_slopes_that_are_nearly_right(law, view):
    noisy = slopes_of(law) * (1 + 0.01 * RNG.normal(size=X.shape))
    ends, between = find_views(X, values(law), noisy, V, ALL)
    (argument,), (wanted,) = ends[0].arguments, view.arguments
    assert {sp.simplify(argument / wanted), sp.simplify(argument * wanted)} & {1, -1}
    assert sp.simplify(ends[0].factor / view.factor) in (1, -1)
    assert all(len(each.arguments) > 1 for each in between)


def test_no_view_where_every_column_stands_alone_or_operators_forbid_it():
    law = sp.sin(a) + sp.exp(b) + sp.log(c) + d**3
    assert find_views(X, values(law), slopes_of(law), V, ALL) == ([], [])
    product = sp.exp(a * b) + sp.sin(c) + d**3
    assert find_views(X, values(product), slopes_of(product), V, ["+", "/"]) == ([], [])


def test_a_factor_that_is_a_root_needs_one_of_the_operators_at_hand():
    law = sp.sqrt(c) * sp.sin(a * b)
    ends, _ = find_views(X, values(law), slopes_of(law), V, ["*", "sin", "sqrtabs"])
    assert ends[0].factor == sp.sqrt(sp.Abs(c))


@pytest.mark.no_cover
@pytest.mark.parametrize("dtype", ["int64", "Int64"])
def test_slopes_do_not_depend_on_the_type_of_a_column(dtype, monkeypatch):
    rng = np.random.RandomState(SEED)
    table = pd.DataFrame({name: rng.randint(10, 40, 300) for name in "ab"}).astype(dtype)
    numbers = table.to_numpy(float)
    y = numbers[:, 0] * numbers[:, 1] / 100 + np.sin(numbers[:, 0] / 5)
    seen = []
    original = _views.find_views
    monkeypatch.setattr(_views, "find_views", lambda *args: (seen.append(args[2]), original(*args))[1])
    teacher = SmoothMLPRegressor(random_state=SEED, max_epochs=60, jacobian_lambda=0)
    SymbolicDistiller(teacher, niterations=2, n_searches=1, random_state=SEED).fit(table, y)
    true = np.column_stack([numbers[:, 1] / 100 + np.cos(numbers[:, 0] / 5) / 5, numbers[:, 0] / 100])
    (slopes,) = seen
    assert abs(np.median(slopes[:, 1]) - np.median(true[:, 1])) < 0.1 * np.median(true[:, 1])


# --- the whole ------------------------------------------------------------------------------------


class Counting(OperonEngine):
    """Counts how often a search begins."""

    begun = 0

    def begin(self, *args, **settings):
        type(self).begun += 1
        return super().begin(*args, **settings)


def frame(n, seed):
    rng = np.random.RandomState(seed)
    columns = {name: rng.uniform(1, 3, n) for name in ("load", "time", "rate")}
    return pd.DataFrame(columns | {"city": rng.choice(["Bonn", "Ulm"], n)})


def law_of(table):
    return 2 * table["load"] * np.exp(-table["rate"] * table["time"])


@pytest.fixture(scope="module")
def fitted():
    Counting.begun = 0
    table = frame(500, SEED)
    teacher = SmoothMLPRegressor(max_epochs=60, random_state=SEED)
    model = SymbolicDistiller(
        teacher, jacobian_lambda=0.0001, engine=Counting(), niterations=20, random_state=SEED
    )
    return model.fit(table, law_of(table))


def test_a_law_that_the_network_shows_needs_no_search(fitted):
    new = frame(500, SEED + 1)
    np.testing.assert_allclose(fitted.predict(new), law_of(new), rtol=1e-9)
    assert Counting.begun == 0
    assert str(fitted.formula_) == "2*load*exp(-time*rate)"
    assert fitted.teacher_weight_ == 0.0


def test_a_law_is_explained(fitted):
    new = frame(20, SEED + 1)
    explanation = fitted.explain(new)
    total = explanation.base_values + explanation.values.sum(axis=1)
    np.testing.assert_allclose(total, law_of(new), rtol=1e-9)
    assert (explanation.values[:, 3] == 0).all()


def test_other_teachers_have_no_views(monkeypatch):
    table = frame(300, SEED).drop(columns="city")
    y = law_of(table)
    teacher = FrozenEstimator(RandomForestRegressor(30, random_state=SEED).fit(table, y))
    assert teacher.score(table, y) > 0.9
    monkeypatch.setattr(_views, "find_views", lambda *args: pytest.fail("a forest has no slopes"))
    SymbolicDistiller(teacher, niterations=2, n_searches=1, random_state=SEED).fit(table, y)


def test_the_order_of_rows_does_not_matter_to_the_search_in_a_view():
    class Seeing(OperonEngine):
        def begin(self, Z, t, **settings):
            seen.append((Z, t))

    seen = []
    operators = {"binary_operators": ["+", "*"], "unary_operators": ["sin"]}
    budget = SearchBudget(maxsize=20, n_searches=1, niterations=5, population_size=20, max_rows=2000)
    y = values(d * sp.tanh(a * b) + d * sp.tanh(c))
    order = RNG.permutation(len(X))
    for rows in (np.arange(len(X)), order):
        searcher = Searcher(Seeing(), operators, budget, X[rows])
        searcher.begin_view(Target(y[rows], ONES), View(d, (a * b, c)), np.random.RandomState(SEED))
    for one, other in zip(*seen, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.no_cover
def test_noise_leaves_the_search_to_the_engine():
    table = frame(300, SEED)
    y = law_of(table) * (1 + 0.05 * RNG.normal(size=300))
    teacher = SmoothMLPRegressor(random_state=SEED, max_epochs=60, jacobian_lambda=0.001)
    Counting.begun = 0
    model = SymbolicDistiller(teacher, engine=Counting(), niterations=4, random_state=SEED).fit(table, y)
    assert Counting.begun > 0
    assert np.isfinite(model.predict(table)).all()


# --- how it is written ----------------------------------------------------------------------------


def test_numbers_are_drawn_out_of_sums():
    assert str(with_leading_ones(0.5 / (0.5 * a + 0.25 * b))) == "2.0/(2.0*v0 + v1)"
    for expr in (
        2.0 * a * (0.5 * b + 3.0 * c),
        sp.sqrt(0.25 * a + 2.0 * b),
        sp.sqrt(sp.Abs(-0.25 * a + 2.0 * b)),
        sp.exp(0.5 * a + 2.0),
        (1 - 0.5 * a) ** 2 + 3.0,
        sp.Float(3.0),
    ):
        np.testing.assert_allclose(values(with_leading_ones(expr)), values(expr), rtol=1e-12)


def test_an_exact_formula_loses_what_is_rounding_and_no_other_does():
    dusty = 1.0000000001 / 0.37 * a * (0.37 * b + 0.37 * c) + 1e-17 * d
    law = values(a * (b + c))
    assert round_constants(dusty, V, X, law, ONES) == a * (b + c)
    noisy = law + RNG.normal(size=len(X))
    assert round_constants(dusty, V, X, noisy, ONES).has(d)


def test_a_small_term_of_an_exact_formula_stays():
    expr = 1e8 * a + 5 * b
    found = round_constants(expr, V, X, values(expr), ONES)
    np.testing.assert_allclose(values(found), values(expr), atol=1e-7 * values(expr).std())
    assert found.has(b)


def test_a_formula_is_not_rewritten_to_one_without_values():
    rows = X * 1e60
    expr = (1e-60 * a + 2e-60 * b) ** 6
    found = round_constants(expr, V, rows, values(expr, rows), ONES)
    np.testing.assert_allclose(values(found, rows), values(expr, rows), rtol=1e-6)
