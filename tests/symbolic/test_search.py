"""From terms to a front: pools of terms, refitted constants, rounding, dominance and selection."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import sympy as sp

from skrationale import SymbolicDistiller
from skrationale._deadline import Deadline
from skrationale.formula.program import Program, symbols
from skrationale.formula.tree import complexity
from skrationale.symbolic import Formula
from skrationale.symbolic._budget import SearchBudget, SearchClock
from skrationale.symbolic._distillation import Data, make_fronts, with_exchanged_column
from skrationale.symbolic._front import (
    LEAST_LOSS,
    MODEL_SELECTIONS,
    ScoredFormula,
    choose,
    pareto,
    scores,
    table,
)
from skrationale.symbolic._refit import free_constants, refit_constants, round_constants
from skrationale.symbolic._rows import most_useful, rows_between
from skrationale.symbolic._search import ROUGH, Searcher
from skrationale.symbolic._targets import Target
from skrationale.symbolic._terms import TermPool, finite_values, split_terms
from skrationale.symbolic.engines._base import Engine
from skrationale.tabular import TableReader

V = x, y, z = symbols(3)
RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, size=(200, 3))
ONES = np.ones(len(X))
WEIGHTS = RNG.uniform(0, 3, len(X))


def values(expr):
    return Program(expr, V)(X)


# --- terms -----------------------------------------------------------------------------------------


def test_terms_without_their_coefficients():
    assert set(split_terms(2.5 * x * y - sp.sin(z) / 3 + 4)) == {x * y, sp.sin(z)}
    assert split_terms(sp.Float(3.0)) == []
    assert split_terms(-x) == [x]


def test_values_are_finite_or_none():
    np.testing.assert_array_equal(finite_values(x * y, V, X), X[:, 0] * X[:, 1])
    assert finite_values(sp.log(x), V, X) is None
    assert finite_values(1 / (x - sp.Float(X[0, 0])), V, X) is None
    assert finite_values(sp.sqrt(sp.Integer(-1)) * x, V, X) is None
    assert finite_values(sp.Float("1e400") * x, V, X) is None


@pytest.mark.parametrize("weights", [ONES, WEIGHTS])
def test_weights_of_terms_are_those_of_least_squares(weights):
    terms = [x * y, sp.sin(z), 1000 * sp.exp(x)]
    pool = TermPool(V, X)
    pool.add(terms)
    t = RNG.normal(size=len(X))
    found = pool.fit([split_terms(sp.Add(*terms))], t, weights)[0].expression()
    A = np.column_stack([ONES, *(values(term) for term in terms)])
    root = np.sqrt(weights)
    expected = A @ np.linalg.lstsq(A * root[:, None], t * root, rcond=None)[0]
    np.testing.assert_allclose(values(found), expected, atol=1e-9)


def test_terms_that_say_the_same_do_no_harm():
    pool = TermPool(V, X)
    pool.add([x, y, x + 1e-13 * y])
    terms = [x, y, *split_terms(x + 1e-13 * y)]
    (found,) = pool.fit([terms], 3 * X[:, 0], ONES)
    np.testing.assert_allclose(values(found.expression()), 3 * X[:, 0], atol=1e-9)
    assert len(pool.pursue(3 * X[:, 0], ONES, 30)) == 1


def test_terms_without_values_are_left_out():
    pool = TermPool(V, X)
    pool.add([sp.log(x) + y, sp.exp(sp.exp(sp.exp(5 * x)))])
    assert pool.covers([y])
    assert not pool.covers([sp.log(x)])
    assert pool.pursue(X[:, 1], ONES, 10) == [[y]]
    assert TermPool(V, X).pursue(X[:, 1], ONES, 10) == []


@pytest.mark.parametrize("cost_aware", [False, True])
@pytest.mark.parametrize("weights", [ONES, WEIGHTS])
def test_planted_terms_are_pursued_in_the_order_of_what_they_explain(weights, cost_aware):
    pool = TermPool(V, X)
    pool.add([x, y, z, x * y, y * z, sp.sin(x), sp.exp(z), z**2, sp.sqrt(sp.Abs(y))])
    t = values(9 * z**2 + 3 * x * y + 0.5 * y + 7)
    choices = pool.pursue(t, weights, 30, cost_aware=cost_aware)
    assert choices == [[z**2], [z**2, x * y], [z**2, x * y, y]]
    np.testing.assert_allclose(values(pool.fit(choices, t, weights)[-1].expression()), t, atol=1e-9)


@pytest.mark.parametrize("maxsize", [1, 2, 3, 5, 9, 30])
def test_pursuit_stays_below_the_largest_size(maxsize):
    pool = TermPool(V, X)
    pool.add([x, y, z, x * y, y * z, x * z, sp.sin(x), sp.exp(z), z**2, sp.sqrt(sp.Abs(y))])
    t = RNG.normal(size=len(X)) + X[:, 1]
    choices = pool.pursue(t, ONES, maxsize)
    assert choices
    assert [len(choice) for choice in choices] == list(range(1, len(choices) + 1))
    assert max(complexity(found.expression()) for found in pool.fit(choices, t, ONES)) <= maxsize


def test_rows_of_weight_zero_do_not_count():
    pool = TermPool(V, X)
    pool.add([x, y])
    t = np.where(np.arange(len(X)) < 100, X[:, 0], 50 * X[:, 1])
    weights = (np.arange(len(X)) < 100).astype(float)
    assert pool.pursue(t, weights, 1) == [[x]]
    assert pool.fit([[x]], t, weights)[0].expression().coeff(x) == pytest.approx(1)


# --- constants -------------------------------------------------------------------------------------

TREES = [
    2.5 * x * y - 0.5,
    sp.sin(2.3 * x + 0.2) * 1.7,
    x / sp.sqrt(1 + 0.3 * y**2),
    sp.exp(-0.7 * sp.Abs(x)) * y**2,
    sp.tanh(1.5 * z) - sp.cos(0.4 * x) * sp.log(3.0 + y**2),
    sp.Max(0.4 * x, y, 0.1) + sp.Min(x, 1.2 * z),
    (2 + y**2) ** (0.3 * x),
    (2.5 + y**2) ** 1.5,
    sp.tan(0.3 * x) * sp.sign(y) + sp.Rational(1, 3) * z,
    (1.1 + sp.exp(0.2 * x) + y**2) ** -0.5,
]


@pytest.mark.parametrize("expr", TREES, ids=str)
def test_constants_become_parameters_and_come_back(expr):
    changed, parameters, theta = free_constants(expr)
    assert len(parameters) == len(theta) > 0
    assert not changed.atoms(sp.Float)
    np.testing.assert_allclose(Program(changed, V, parameters)(X, theta), values(expr), rtol=1e-14)
    back = changed.xreplace(dict(zip(parameters, map(sp.Float, theta.tolist()), strict=True)))
    np.testing.assert_allclose(values(back), values(expr), rtol=1e-14)


@pytest.mark.parametrize("expr", TREES, ids=str)
def test_derivatives_by_parameters(expr):
    changed, parameters, theta = free_constants(expr)
    program = Program(changed, V, parameters)
    found, jacobian = program.jacobian(X, theta)
    np.testing.assert_array_equal(found, program(X, theta))
    for j, step in enumerate(np.eye(len(theta)) * 1e-6):
        slope = (program(X, theta + step) - program(X, theta - step)) / 2e-6
        np.testing.assert_allclose(jacobian[:, j], slope, rtol=1e-5, atol=1e-6)


def test_planted_constants_are_found():
    t = values(1.8 * sp.sin(2.3 * x) + 0.4)
    found = refit_constants(sp.Float(1.0) * sp.sin(sp.Float(2.0) * x) + sp.Float(0.0001), V, X, t, ONES)
    constants = sorted(map(float, found.atoms(sp.Float)))
    np.testing.assert_allclose(constants, [0.4, 1.8, 2.3], rtol=1e-6)


def test_a_rough_refit_ends_early():
    t = values(1.8 * sp.sin(2.3 * x)) + RNG.normal(size=len(X))

    def lost(tolerance):
        fitted = refit_constants(sp.Float(1.0) * sp.sin(sp.Float(1.9) * x), V, X, t, ONES, tolerance)
        return np.mean((values(fitted) - t) ** 2)

    best = lost(1e-12)
    assert best <= lost(ROUGH) <= (1 + 10 * ROUGH) * best < 0.99 * lost(0.9)


def test_weights_count_when_constants_are_fitted():
    half = np.arange(len(X)) < 100
    t = np.where(half, 2.0, 5.0) * X[:, 0]
    expr = sp.Float(1.5) * x
    assert float(refit_constants(expr, V, X, t, half.astype(float)).coeff(x)) == pytest.approx(2.0)
    assert 2 < float(refit_constants(expr, V, X, t, ONES).coeff(x)) < 5


@pytest.mark.parametrize(
    ("expr", "t"),
    [
        (sp.Float(2.0) * x, 2 * X[:, 0]),
        (x * y, X[:, 0]),
        (sp.log(sp.Float(0.5) * x), X[:, 0]),
        (sp.Add(*(sp.Float(1 + i / 100) * x**i for i in range(1, 40))), X[:, 0]),
    ],
    ids=["as good as can be", "no constants", "no values", "too many constants"],
)
def test_what_cannot_be_improved_stays(expr, t):
    assert refit_constants(expr, V, X, t, ONES) == expr


def test_a_refit_never_makes_it_worse():
    t = RNG.normal(size=len(X))
    for expr in TREES:
        before, after = values(expr), values(refit_constants(expr, V, X, t, WEIGHTS))
        assert np.average((after - t) ** 2, weights=WEIGHTS) <= np.average((before - t) ** 2, weights=WEIGHTS)


@pytest.mark.parametrize("under", [2 * x**2 - 0.3, 5 - 0.1 * x**2], ids=["constant", "factor"])
def test_a_refit_leaves_a_formula_a_value_for_each_row(under):
    rows = X[2 * X[:, 0] ** 2 > 0.5]
    t = Program(y / sp.sqrt(under), V)(rows)
    assert np.isfinite(t).all()
    total = y / sp.sqrt(1 + (sp.Float(0.9) * x) ** 2)
    fitted = refit_constants(total, V, rows, t, np.ones(len(rows)))
    far = np.column_stack([np.linspace(-100, 100, 2001), np.ones(2001)])
    assert np.isfinite(Program(fitted, V)(far)).all()
    error = np.mean((Program(fitted, V)(rows) - t) ** 2)
    assert error <= np.mean((Program(total, V)(rows) - t) ** 2)


def test_rounding_shortens_numbers_and_leaves_values_as_they_are():
    noise = RNG.normal(size=len(X))
    t = values(1.2345678 * x + 0.333333 * sp.sin(2.3456789 * y)) + noise
    expr = 1.2345678912 * x + 0.33333333333 * sp.sin(2.3456789 * y) + 1e-3
    rounded = round_constants(expr, V, X, t, ONES)
    assert all(len(f"{float(number):.15g}") <= 10 for number in rounded.atoms(sp.Float))
    assert 0 < np.std(values(rounded) - values(expr)) < 1e-7 * np.std(t)


def test_rounding_keeps_digits_that_count():
    t = values(1.234567 * x + 1e6)
    rounded = round_constants(1.234567 * x + 1e6 + 0.0, V, X, t, ONES)
    assert np.mean((values(rounded) - t) ** 2) < 1e-9 * np.var(t)
    assert float(rounded.coeff(x)) == 1.234567
    long = sp.Float(2.9999999987) * x + sp.Float(1.0)
    assert round_constants(long, V, X, values(3 * x), ONES) == 3.0 * x + 1.0
    exact = sp.Float(1.23456789012345) * x + sp.Float(9.87654321098765)
    np.testing.assert_allclose(
        values(round_constants(exact, V, X, values(exact), ONES)), values(exact), atol=1e-5
    )


def test_constants_that_others_can_stand_in_for_are_held_fixed():
    factor, slope, constant = sp.symbols("f s c", real=True)
    start = {factor: sp.Float(2.0), slope: sp.Float(0.5), constant: sp.Float(1.5)}
    shape = sp.Mul(factor, sp.sin(x), slope * y + constant, evaluate=False)
    t = values(3 * sp.sin(x) * (y + 2))
    fitted = refit_constants(shape.xreplace(start), V, X, t, ONES)
    np.testing.assert_allclose(values(fitted), t, atol=1e-9)
    numbers = {float(number) for number in fitted.atoms(sp.Float)}
    assert len(numbers & set(map(float, start.values()))) == 1
    flat = sp.exp(sp.Float(-1000.0) * (x + sp.Float(50.0)) ** 2)
    assert refit_constants(flat, V, X, t, ONES) == flat


# --- the front -------------------------------------------------------------------------------------


def row(text, loss):
    return ScoredFormula(Formula.from_string(text, ["a", "b"]), loss, 0.0, 0.0)


FRONT = [row("a", 1.0), row("a + b", 0.5), row("a + b + a*b", 0.11), row("a + b + a*b + sin(a*b)", 0.1)]


def test_a_front_holds_no_row_that_a_smaller_one_beats():
    assert [r.formula.complexity for r in FRONT] == [1, 3, 7, 12]
    beaten = [
        row("a*b", 0.6),
        row("b", 1.2),
        row("sin(a) + b", 0.5),
        row("a^2", math.nan),
        row("b^2", math.inf),
    ]
    assert pareto([*beaten, *FRONT[::-1]]) == tuple(FRONT)
    assert pareto([]) == ()


def test_scores_are_pysrs():
    expected = [0.0]
    for small, large in zip(FRONT, FRONT[1:], strict=False):
        steps = large.formula.complexity - small.formula.complexity
        expected.append(-(math.log(large.loss) - math.log(small.loss)) / steps)
    np.testing.assert_allclose(scores(FRONT), expected)
    exact = [row("a", 1.0), row("a + b", 0.0)]
    np.testing.assert_allclose(scores(exact), [0.0, -math.log(LEAST_LOSS) / 2])


def test_three_ways_to_choose():
    assert choose(FRONT, "accuracy") == 3
    assert choose(FRONT, "best") == 2
    steep = [row("a", 1.0), row("a + b", 0.2), row("a + b + a*b", 0.15)]
    assert choose(steep, "score") == 1
    assert choose(steep, "best") == 1
    steep[2] = row("a + b + a*b", 0.13)
    assert choose(steep, "score") == 1
    assert choose(steep, "best") == 2
    for rule in ("best", "accuracy", "score"):
        assert choose(FRONT[:1], rule) == 0
        assert choose([row("a", 0.0)], rule) == 0


def test_the_table_has_pysrs_columns_and_ours():
    frame = table(FRONT)
    assert list(frame.columns) == [
        *("complexity", "loss", "score", "equation", "sympy_format", "lambda_format"),
        *("fidelity_r2", "r2", "warnings"),
    ]
    assert frame["equation"][1] == "a + b"
    assert frame["sympy_format"][1] == sp.Symbol("a", real=True) + sp.Symbol("b", real=True)
    np.testing.assert_allclose(frame["lambda_format"][1](np.array([[1.0, 2.0]])), [3.0])
    np.testing.assert_allclose(frame["score"], scores(FRONT))


# --- searches --------------------------------------------------------------------------------------


class Recorder(Engine):
    """Finds what it is told to find, and remembers what it was asked."""

    def __init__(self, finds=(), supports_weights=False):
        self.finds = finds
        self.supports_weights = supports_weights
        self.calls = []

    def search(self, Z, t, **settings):
        self.calls.append(SimpleNamespace(Z=Z, t=t, **settings))
        return list(self.finds)


def search_in_turn(searcher, target, rng=None):
    rng = rng or np.random.RandomState(0)
    for turn in range(searcher.budget.n_searches):
        share = searcher.budget.rest if turn else searcher.budget.whole
        searcher.go_on(searcher.begin(target, turn, rng), share)


def searcher(engine, X=X, clock=None, **effort):
    settings = {
        "maxsize": 20,
        "n_searches": 1,
        "niterations": 10,
        "population_size": 20,
        "max_rows": 1000,
    }
    operators = {"binary_operators": ["+", "*"], "unary_operators": []}
    return Searcher(engine, operators, SearchBudget(**settings | effort), X, clock)


def best_loss(found, target):
    return min(target.loss(finite_values(expr, V, X)) for expr in found)


def test_what_an_engine_finds_is_put_into_the_columns_units():
    big = X * [1000.0, 1.0, 0.001] + [5000.0, 0.0, 0.0]
    t = np.sin(3 * X[:, 0])
    target = Target((t - t.mean()) / t.std(), ONES)
    engine = Recorder([sp.sin(3.4 * x)])
    search = searcher(engine, big)
    search_in_turn(search, target)
    (call,) = engine.calls
    np.testing.assert_allclose(call.Z.std(axis=0), 1)
    np.testing.assert_allclose(call.Z[:, 0].mean(), 0, atol=1e-9)
    np.testing.assert_allclose([call.t.mean(), call.t.std()], [0, 1], atol=1e-9)
    found = search.candidates(target)
    losses = [target.loss(finite_values(expr, V, big)) for expr in found]
    assert min(losses) < 1e-6  # 3.4 / sd was refitted
    assert all(complexity(expr) <= 20 for expr in found)


def test_searches_share_their_rounds_and_look_for_what_is_left():
    standard = (X - X.mean(axis=0)) / X.std(axis=0)
    target = Target(np.sin(standard[:, 0]) * standard[:, 1], ONES)
    for finds, rounds in [([x * y**2], [85, 7, 7]), ([sp.sin(x) * y], [85])]:
        engine = Recorder(finds)
        search = searcher(engine, standard, n_searches=3, niterations=100, maxsize=30)
        search_in_turn(search, target)
        assert [call.niterations for call in engine.calls] == rounds
        sizes = [call.maxsize for call in engine.calls]
        assert sizes == [30, 20, 20][: len(sizes)]
    # the last engine explains all with its first search: nothing is left for others
    assert min(target.loss(finite_values(expr, V, standard)) for expr in search.candidates(target)) < 1e-12


def test_nothing_is_searched_that_known_terms_say():
    engine = Recorder([x])
    target = Target(values(x * y + 2 * z), ONES)
    search = searcher(engine)
    search_in_turn(search, target)
    assert engine.calls == []
    assert best_loss(search.candidates(target), target) < 1e-12


def test_few_rows_are_fitted_without_a_search():
    engine = Recorder()
    search = searcher(engine, X[:9])
    target = Target(X[:9, 1] ** 2, ONES[:9])
    search_in_turn(search, target)
    assert engine.calls == []
    losses = [target.loss(finite_values(expr, V, X[:9])) for expr in search.candidates(target)]
    assert min(losses) < 1e-12


def test_weights_go_to_the_engine_or_become_rows():
    knows, knows_not = Recorder(supports_weights=True), Recorder()
    weights = np.where(np.arange(len(X)) < 50, 3.0, 1.0)
    t = X[:, 0] + X[:, 1] ** 3
    for engine in (knows, knows_not):
        search_in_turn(searcher(engine), Target(t, weights))
    assert len(knows.calls[0].Z) == len(X)
    assert sorted(set(knows.calls[0].weights)) == pytest.approx([1 / 1.5, 3 / 1.5])
    # whole weights are copies
    assert knows_not.calls[0].weights is None
    assert len(knows_not.calls[0].Z) == 50 * 3 + 150
    copies = pd.DataFrame(knows_not.calls[0].Z).value_counts()
    assert (copies == 3).sum() == 50


def test_rows_of_broken_weights_are_drawn():
    engine = Recorder()
    weights = np.where(np.arange(len(X)) < 20, 17.3, 0.1)
    search_in_turn(searcher(engine), Target(X[:, 0] + X[:, 1] ** 3, weights))
    assert engine.calls[0].weights is None
    assert len(np.unique(engine.calls[0].Z[:, 0])) < 50


def test_no_more_rows_than_allowed():
    for engine in (Recorder(), Recorder(supports_weights=True)):
        for weights in (ONES, WEIGHTS + 0.1):
            search_in_turn(searcher(engine, max_rows=30), Target(X[:, 0] + X[:, 1] ** 3, weights))
        assert [len(call.Z) for call in engine.calls] == [30, 30]


def test_a_spent_clock_ends_the_searches():
    target = Target(X[:, 0] + X[:, 1] ** 3, ONES)
    engine = Recorder([sp.sin(x)])
    search_in_turn(searcher(engine, n_searches=4, clock=SearchClock(Deadline(1e-9))), target)
    assert engine.calls == []
    engine = Recorder([sp.sin(x)])
    search_in_turn(searcher(engine, n_searches=4, clock=SearchClock(Deadline(60.0), 2)), target)
    first, *others = [call.timeout_in_seconds for call in engine.calls]
    # half of the time is that of the other output
    assert first == pytest.approx(60 * 0.85 / 2, rel=0.02)
    assert others == pytest.approx(3 * [60 * 0.05 / (2 - 0.85)], rel=0.2)


def test_searches_of_all_outputs_share_what_they_find():
    engine = Recorder([sp.sin(x)])
    settings = {"niterations": 10, "n_searches": 1, "maxsize": 10, "engine": engine}
    model = SymbolicDistiller(**settings)
    one, two = Searcher.all_of(model, X, 2, Deadline(None))
    search_in_turn(one, Target(values(sp.exp(x) + y**3), ONES))
    assert [call.niterations for call in engine.calls] == [5]
    assert best_loss(two.candidates(Target(values(sp.sin(x)), ONES)), Target(values(sp.sin(x)), ONES)) < 1e-12


def test_expressions_without_values_are_dropped():
    engine = Recorder([sp.log(x), sp.sqrt(x), sp.log(sp.Float(-1.0)) * y, x * y])
    search = searcher(engine)
    target = Target(values(x * y), ONES)
    search_in_turn(search, target)
    found = search.candidates(target)
    assert best_loss(found, target) < 1e-12
    assert not any(expr.has(sp.log) for expr in found)


# --- rows ------------------------------------------------------------------------------------------


def test_the_most_useful_variables():
    wide = RNG.normal(size=(300, 12))
    t = 3 * wide[:, 7] + wide[:, 2] ** 2
    np.testing.assert_array_equal(most_useful(wide, t[:, None], np.ones(300), 2), [2, 7])
    np.testing.assert_array_equal(most_useful(wide, t[:, None], np.ones(300), 12), np.arange(12))


@pytest.mark.parametrize("as_array", [True, False])
def test_rows_between_neighbours(as_array):
    frame = pd.DataFrame({"a": X[:, 0], "b": np.where(X[:, 1] > 1.5, np.nan, X[:, 1])})
    frame_or_array = frame.to_numpy() if as_array else frame.assign(c=np.where(X[:, 2] > 0, "u", "v"))
    reader = TableReader().fit(frame_or_array)
    made = rows_between(frame_or_array, reader, 70, np.random.RandomState(0))
    assert type(made) is type(frame_or_array)
    assert made.shape == (70, frame_or_array.shape[1])
    matrix, old = reader.transform(made), reader.transform(frame_or_array)
    assert (np.nanmin(matrix, axis=0) >= np.nanmin(old, axis=0)).all()
    assert (np.nanmax(matrix, axis=0) <= np.nanmax(old, axis=0)).all()
    assert not set(matrix[:, 0]) & set(old[:, 0])
    again = rows_between(frame_or_array, reader, 70, np.random.RandomState(0))
    np.testing.assert_array_equal(reader.transform(again), matrix)


# --- formulas that fail beside the training rows ---------------------------------------------------


def fronts_of(*candidates, noise=0.0):
    """Front from candidates for the target x, on rows where y is nearly x."""
    rng = np.random.RandomState(0)
    x_values = rng.uniform(0, 10, 300)
    rows = np.column_stack([x_values, x_values + 1 + rng.uniform(size=300), np.ones(300)])
    scores = x_values[:, None] + noise * rng.normal(size=(300, 1))
    data = Data(rows, scores, scores, np.ones(300))
    shift, scale = scores.mean(), scores.std()
    fake = SimpleNamespace(
        variables=V, candidates=lambda target, V, is_good: [(expr - shift) / scale for expr in candidates]
    )
    template = Formula.from_string("a", ["a", "b", "c"])
    return make_fronts(fake, data, data, template, 0, [1.0], np.random.RandomState(0))[1.0]


def test_a_formula_with_a_pole_beside_the_rows_is_left_out_if_another_is_nearly_as_good():
    pole = x + sp.Float(1e-3) / (y - x - sp.Float(0.9))
    assert not any("/" in str(row.formula) for row in fronts_of(x, pole, noise=0.1))
    # without a rival it stays
    assert "/" in str(fronts_of(sp.Float(2.0) * y, pole)[-1].formula)


def test_rows_with_one_column_exchanged():
    made = with_exchanged_column(X, np.random.RandomState(0))
    assert len(made) == 2000
    known = {tuple(row) for row in X}
    assert all(set(column) <= set(X[:, j]) for j, column in enumerate(made.T))
    assert 0.9 < np.mean([tuple(row) not in known for row in made]) < 1
    distances = (made[:, None] != X[None]).sum(axis=2).min(axis=1)
    assert distances.max() == 1


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_scores_and_choice_do_not_depend_on_the_unit_of_the_target(unit):
    scaled = [replace(row, loss=unit**2 * row.loss) for row in FRONT]
    np.testing.assert_allclose(scores(scaled), scores(FRONT))
    for rule in MODEL_SELECTIONS:
        assert choose(scaled, rule) == choose(FRONT, rule)


@pytest.mark.parametrize("unit", [1e-100, 1e20, 1e100])
def test_constants_are_fitted_in_any_unit_of_the_target(unit):
    t = unit * values(1.5 * x + 2 * sp.sin(y))
    fitted = refit_constants(unit * (1.1 * x + 2.5 * sp.sin(y)), V, X, t, ONES)
    np.testing.assert_allclose(values(fitted), t, rtol=0, atol=1e-6 * t.std())


def test_columns_that_formulas_cannot_hold_are_named():
    for unit in (1e-80, 1e80):
        with pytest.raises(ValueError, match="Column 'x1' of X holds numbers up to"):
            SymbolicDistiller(random_state=0).fit(np.column_stack([X, unit * X[:, 0]])[:, [0, -1]], X[:, 0])


@pytest.mark.parametrize("power", [-1000, -100, 100, 900])
def test_useful_columns_and_rows_between_do_not_depend_on_units(power):
    scaled = np.ldexp(X, [power, 0, 0])
    t = values(x + sp.sin(y))[:, None]
    np.testing.assert_array_equal(most_useful(scaled, np.ldexp(t, power // 2), ONES, 2), [0, 1])
    reader = TableReader().fit(X)
    usual, found = (rows_between(table, reader, 50, np.random.RandomState(0)) for table in (X, scaled))
    np.testing.assert_array_equal(found, np.ldexp(usual, [power, 0, 0]))
