"""Programs of trees: whole trees, parts of them, and numbers as parameters."""

import numpy as np
import pytest
import sympy as sp
import torch

from skrationale.formula.program import Program, symbols
from skrationale.formula.tree import with_parameters

V = x, y = symbols(2)
KEEP = {"evaluate": False}
ROWS = np.random.default_rng(0).uniform(0.5, 2, size=(5, 2))


def test_other_trees_leave_a_program_what_it_computes():
    program, alone = Program(x * y + 1, V), x * ROWS[0, 0]
    before = program(ROWS)
    parts = program.parts([sp.exp(y), x * y, alone], ROWS)
    np.testing.assert_array_equal(parts[0], np.exp(ROWS[:, 1]))
    np.testing.assert_array_equal(parts[1], ROWS[:, 0] * ROWS[:, 1])
    np.testing.assert_array_equal(program(ROWS), before)


def test_derivatives_are_those_of_the_program_after_other_trees_too():
    (c,) = symbols(1, "c")
    program = Program(c * x, V, (c,))
    expected = program.jacobian(ROWS, np.array([3.0]))
    program._add(sp.sin(y))
    for found, known in zip(program.jacobian(ROWS, np.array([3.0])), expected, strict=True):
        np.testing.assert_array_equal(found, known)


@pytest.mark.parametrize(
    "tree",
    [
        lambda c, d: c * x + d * y + x * y,
        lambda c, d: c * d * sp.sin(d * x) + sp.exp(y) / (c + x**2),
        lambda c, d: sp.Mul(c * x, c * x, d, evaluate=False),  # sympy leaves large products as they are
        lambda c, d: sp.Pow(c * x, c * x, evaluate=False) - sp.tanh(d),
        lambda c, d: sp.Add(c * x, c * x, sp.sqrt(x + d), evaluate=False),
        lambda c, d: sp.Max(c * x, d * y) + sp.Min(c, x) * sp.Abs(d - y) ** 3 + sp.log(c + x) ** -2,
    ],
)
def test_derivatives_are_what_small_steps_show(tree):
    theta, parameters = np.array([1.3, 0.7]), symbols(2, "c")
    program = Program(tree(*parameters), V, parameters)
    values, derivatives = program.jacobian(ROWS, theta)
    np.testing.assert_array_equal(values, program(ROWS, theta))
    for j, step in enumerate(1e-5 * np.eye(2)):
        slope = (program(ROWS, theta + step) - program(ROWS, theta - step)) / 2e-5
        np.testing.assert_allclose(derivatives[:, j], slope, rtol=1e-7, atol=1e-8)
    given = program.jacobian(ROWS, theta, program.values(ROWS, theta))
    np.testing.assert_array_equal(given[1], derivatives)


@pytest.mark.parametrize(
    "tree",
    [
        x**y,
        sp.Mul(sp.Pow(x, 0, **KEEP), y, **KEEP),
        sp.Mul(sp.Pow(1, y, **KEEP), x, **KEEP),
        (x * y) ** sp.sin(y),
    ],
)
def test_a_power_of_what_is_missing_is_missing(tree):
    rows = np.array([[np.nan, 0.0], [1.0, np.nan], [np.nan, np.nan], [2.0, 3.0]])
    program = Program(tree, V)
    for values in (program(rows), program(torch.tensor(rows)).numpy()):
        assert np.isnan(values).tolist() == [True, True, True, False]
    parts = program.parts([tree], rows)[0]
    np.testing.assert_array_equal(parts, program(rows))


def test_parameters_hide_nothing_that_is_missing_in_powers():
    parameters = c, d = symbols(2, "c")
    rows = np.array([[1.5, np.nan], [np.nan, 2.0], [1.5, 2.0]])
    program = Program(x**c + d**y, V, parameters)
    for theta in ([0.0, 1.0], np.array([0.0, 1.0]), np.array([1.0, 2.0])):
        values, derivatives = program.jacobian(rows, np.array(theta))
        np.testing.assert_array_equal(values, program(rows, theta))
        assert np.isnan(values).tolist() == [True, True, False]
        assert np.isfinite(derivatives[2]).all()
    cells = torch.tensor(rows, requires_grad=True)
    theta = torch.tensor([0.0, 1.0], dtype=torch.float64)
    values = program(cells, theta)
    assert values.isnan().tolist() == [True, True, False]
    values[2].backward()
    assert cells.grad[2].isfinite().all()


@pytest.mark.parametrize("evaluate", [True, False])
def test_numbers_become_parameters_unless_they_stay(evaluate):
    tree = sp.Add(2.5 * x**2, sp.Mul(-1, y, evaluate=False), 7, evaluate=False)
    changed, theta = with_parameters(tree, lambda number, is_exponent: is_exponent, evaluate=evaluate)
    assert sorted(theta) == [-1.0, 2.5, 7.0]
    parameters = symbols(len(theta), "c")
    assert changed.free_symbols == {*V, *parameters}
    values = Program(changed, V, parameters)(ROWS, theta)
    np.testing.assert_allclose(values, Program(tree, V)(ROWS), rtol=1e-15)
    same, nothing = with_parameters(tree, lambda number, is_exponent: True, evaluate=False)
    assert same == tree
    assert nothing == []
