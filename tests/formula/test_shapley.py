"""Shapley values of formulas, against a sum over all subsets written out."""

import itertools
import math
import warnings

import numpy as np
import pytest
import sympy as sp

from skrationale._batches import in_batches
from skrationale.explanation import Explanation
from skrationale.formula._formula import Formula
from skrationale.formula.program import Program, symbols
from skrationale.formula.shapley import FormulaShapley, TermsShapley, restore_additivity

V = symbols(6)
a, b, c, d, e, f = V
RNG = np.random.default_rng(0)
ROWS, BACKGROUND = RNG.normal(size=(7, 6)), RNG.normal(size=(11, 6))
PLAYERS = np.arange(6)


def shapley_values(
    terms, variables, players, n_players, values, background, *, batch_size=None, labels=(), **settings
):
    """Values (n, d) of all rows, in batches, with their base and the largest standard error."""
    shapley = TermsShapley(terms, variables, players, n_players, background, **settings)
    size = batch_size or shapley.rows_at_once
    result, error, undefined, _ = in_batches(
        lambda rows: shapley.shapley_values(values[rows]), len(values), size
    )
    shapley.warn(undefined, labels)
    return result, shapley.base, float(error.max(initial=0.0))


def brute_force(expr, players, n_players, rows, background):
    """The definition: every subset of all players, every background row, the whole formula."""
    program = Program(expr, V)

    def worth(subset, row):
        hybrid = np.where(np.isin(players, subset), row, background)
        return program(hybrid).mean()

    result = np.zeros((len(rows), n_players))
    for i, row in enumerate(rows):
        for player in range(n_players):
            others = [other for other in range(n_players) if other != player]
            for size in range(n_players):
                weight = math.factorial(size) * math.factorial(n_players - size - 1)
                for subset in itertools.combinations(others, size):
                    gain = worth([*subset, player], row) - worth(subset, row)
                    result[i, player] += weight / math.factorial(n_players) * gain
    return result


FORMULAS = {
    "one column": 3 * sp.sin(a),
    "product of columns": -2 * a * sp.exp(b) * sp.cos(c),
    "quotient": a / sp.sqrt(1 + b**2),
    "inside a function": sp.tanh(a + b * c),
    "product of functions": sp.sin(a + b) * sp.cos(c - d) * e,
    "common columns": sp.sin(a + b) * (b + c) * sp.Abs(a),
    "maximum": sp.Max(a, b) * sp.Min(c, d),
    "all six": sp.tanh(a + b + c + d + e * f),
    "a sum": 1.5 + a * b - sp.sin(c) + sp.exp(d / 2) * e + sp.log(1 + f**2),
    "a number": sp.Float(2.5),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_same_as_brute_force(name):
    expr = FORMULAS[name]
    values, base, error = shapley_values(sp.Add.make_args(expr), V, PLAYERS, 6, ROWS, BACKGROUND)
    np.testing.assert_allclose(values, brute_force(expr, PLAYERS, 6, ROWS, BACKGROUND), atol=1e-12)
    np.testing.assert_allclose(values.sum(axis=1) + base, Program(expr, V)(ROWS), atol=1e-12)
    assert base == pytest.approx(Program(expr, V)(BACKGROUND).mean(), abs=1e-12)
    assert error == 0.0


def test_variables_of_one_column_switch_together():
    expr = a * b + sp.sin(c + d) * e + 2 * f
    players = np.array([3, 0, 1, 1, 0, 3])
    values, base, _ = shapley_values(sp.Add.make_args(expr), V, players, 5, ROWS, BACKGROUND)
    np.testing.assert_allclose(values, brute_force(expr, players, 5, ROWS, BACKGROUND), atol=1e-12)
    np.testing.assert_array_equal(values[:, [2, 4]], 0.0)


def test_levels_of_one_category_are_one_player():
    levels = np.eye(3)[RNG.integers(0, 3, 40)]
    expr = 2 * a - b + 5 * a * b
    table = np.column_stack([levels[:, :2], np.zeros((40, 4))])
    values, base, _ = shapley_values(
        sp.Add.make_args(expr), V, np.array([0, 0, 1, 2, 3, 4]), 5, table[:10], table
    )
    # no row has two levels: the product is 0 everywhere, also between rows
    expected = (2 * table[:, 0] - table[:, 1])[:10]
    np.testing.assert_allclose(values[:, 0], expected - base, atol=1e-12)
    assert base == pytest.approx((2 * table[:, 0] - table[:, 1]).mean())


@pytest.mark.parametrize("max_players", [10, 2])
def test_neither_batches_nor_the_order_of_rows_change_anything(max_players):
    terms = [sp.tanh(a + b * c), a * sp.exp(d) * sp.sin(e + f)]
    rows = RNG.normal(size=(60, 6))
    order = RNG.permutation(60)
    settings = {"max_players": max_players}
    whole = shapley_values(terms, V, PLAYERS, 6, rows, BACKGROUND, **settings)
    parts = shapley_values(terms, V, PLAYERS, 6, rows, BACKGROUND, batch_size=7, **settings)
    mixed = shapley_values(terms, V, PLAYERS, 6, rows[order], BACKGROUND, batch_size=13, **settings)
    np.testing.assert_allclose(parts[0], whole[0], atol=1e-10)
    np.testing.assert_allclose(mixed[0], whole[0][order], atol=1e-10)
    assert parts[1:] == pytest.approx(whole[1:], abs=1e-10)


def test_sampled_values_are_near_the_exact_ones_and_add_up():
    expr = sp.tanh(a * b + c * d + e * f) * sp.exp(a / 3)
    exact, base, _ = shapley_values([expr], V, PLAYERS, 6, ROWS, BACKGROUND)
    sampled, same_base, error = shapley_values([expr], V, PLAYERS, 6, ROWS, BACKGROUND, max_players=5)
    assert same_base == base
    assert 1e-4 < error < 0.05
    assert np.abs(sampled - exact).max() < 4 * error
    assert np.abs(sampled - exact).max() > 1e-6
    np.testing.assert_allclose(sampled.sum(axis=1) + base, Program(expr, V)(ROWS), atol=1e-9)


def test_the_seed_decides_the_sample():
    expr = sp.tanh(a * b + c * d + e * f)

    def sample(seed):
        return shapley_values([expr], V, PLAYERS, 6, ROWS, BACKGROUND, max_players=3, random_state=seed)[0]

    np.testing.assert_array_equal(sample(1), sample(1))
    assert np.abs(sample(1) - sample(2)).max() > 1e-6


def test_additive_with_twelve_columns_in_a_term():
    variables = symbols(12)
    rows, background = RNG.normal(size=(5, 12)), RNG.normal(size=(20, 12))
    expr = sp.tanh(sp.Add(*variables))
    values, base, error = shapley_values([expr], variables, np.arange(12), 12, rows, background)
    np.testing.assert_allclose(values.sum(axis=1) + base, Program(expr, variables)(rows), atol=1e-9)
    assert error > 0


def test_a_term_without_a_value_between_rows_warns_and_leaves_other_terms_alone():
    # fine in each row, for a + b > 0 there, but not where a comes from one row and b from another
    rows, background = np.zeros((2, 6)), np.zeros((3, 6))
    rows[:, :3] = [[-3.0, 4.0, 1.0], [2.0, 2.0, 2.0]]
    background[:, :3] = [[2.0, -1.0, 0.0], [1.0, 0.5, 0.0], [3.0, 0.0, 0.0]]
    labels = ["age", "missing(age)", "x", "y", "z", "u"]
    with pytest.warns(RuntimeWarning, match=r"term log\(age \+ missing\(age\)\) are NaN in 1 of 2 rows"):
        values, base, _ = shapley_values(
            [sp.log(a + b), 2 * c], V, PLAYERS, 6, rows, background, labels=labels
        )
    assert np.isfinite(base)
    assert np.isnan(values[0, :2]).all()
    assert np.isfinite(values[1]).all()
    np.testing.assert_array_equal(values[:, 2], [2.0, 4.0])


def test_no_warning_when_all_is_defined():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values, *_ = shapley_values([sp.log(a**2 + 1) * b], V, PLAYERS, 6, ROWS, BACKGROUND)
    assert np.isfinite(values).all()


def test_no_rows_and_no_terms():
    values, base, _ = shapley_values([a * b], V, PLAYERS, 6, ROWS[:0], BACKGROUND)
    assert values.shape == (0, 6)
    assert base == pytest.approx((BACKGROUND[:, 0] * BACKGROUND[:, 1]).mean())
    nothing, base, _ = shapley_values([], V, PLAYERS, 6, ROWS, BACKGROUND)
    np.testing.assert_array_equal(nothing, np.zeros((7, 6)))
    assert base == 0.0


def test_terms_are_evaluated_one_by_one():
    expr = 1.5 + a * b - sp.sin(c)
    terms = sp.Add.make_args(expr)
    values = np.column_stack(Program(expr, V).parts(terms, ROWS))
    assert values.shape == (7, 3)
    np.testing.assert_allclose(values.sum(axis=1), Program(expr, V)(ROWS), atol=1e-12)
    np.testing.assert_allclose(values[:, terms.index(a * b)], ROWS[:, 0] * ROWS[:, 1])
    assert Program(expr, V).parts([], ROWS) == []


@pytest.mark.parametrize(
    "expr", [a * b + c, a * b * c + 0.3 * a - 2, (a + b) * c, a * b - a * sp.sqrt(b**2 + 1)]
)
def test_sums_are_exact_to_the_rounding_of_the_largest_value_around_outliers(expr):
    rows = np.random.default_rng(1).normal(size=(60, 6))
    rows[5, 0], rows[17, 1] = 1e15, -1e15
    formula = Formula.from_string("v0", [f"v{j}" for j in range(6)]).with_expr(expr)
    shapley = FormulaShapley([formula], 6, rows)
    values, base = shapley.shapley_values(rows)[0], shapley.base
    scores = formula.predict(rows)
    explanation = Explanation(values[:, :, 0], base[0])
    assert explanation.additivity_error(scores) < 1e-15
    for i in range(60):
        largest = max(np.abs(values[i]).max(), abs(base[0]), abs(scores[i]))
        assert abs(math.fsum([base[0], *values[i, :, 0], -scores[i]])) <= 2e-16 * largest


def test_what_is_no_rounding_is_not_hidden():
    values = np.array([[1.0, 2.0], [1e16, -3e16], [np.nan, 1.0]])
    restore_additivity(values, 0.0, np.array([3.5, 4.0 - 2e16, 1.0]), np.array([3.0, 4e16, 1.0]))
    np.testing.assert_array_equal(values, [[1.0, 2.0], [1e16, -3e16 + 4], [np.nan, 1.0]])


def test_what_lacks_beyond_the_largest_numbers_stays_lacking():
    values = np.array([[1e308, -1e308, -1e308], [0.1, 0.2, 0.0]])
    before = values.copy()
    restore_additivity(values, 1.0, np.array([-1.1e308, 1.3]), np.array([1e308, 1.0]))
    np.testing.assert_array_equal(values, before)
