import math

import numpy as np
import pytest
import sympy as sp

from skrationale.formula.parsing import parse
from skrationale.formula.program import Program, symbols

v = symbols(2)
NAMES = {"a": v[0], "b": v[1]}
A = np.array([-2.5, -1.0, 0.3, 4.0])
B = np.array([0.7, -3.0, 2.0, 0.1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-a^2", -(A**2)),
        ("2^-1 * a", A / 2),
        ("-2^2*a", -4 * A),
        ("2^3^2 - 500 + a", 12 + A),
        ("a - b - 1", A - B - 1),
        ("a / b / 2", A / B / 2),
        ("a--b", A + B),
        ("+a", A),
        ("1.5f0*a + .5 + 2.", 1.5 * A + 2.5),
        ("1e-5*a + 1E2", 1e-5 * A + 100),
        ("a**2.0", A**2),
        ("(a + b) * (a - b)", A**2 - B**2),
        ("sin(a) + cos(b) * tan(a)", np.sin(A) + np.cos(B) * np.tan(A)),
        ("tanh(a) + exp(b)", np.tanh(A) + np.exp(B)),
        ("log(square(a)) + abs(b)", np.log(A**2) + np.abs(B)),
        ("sign(a) * cube(b)", np.sign(A) * B**3),
        ("inv(a) + neg(b)", 1 / A - B),
        ("max(a, b, 0.5)", np.maximum(np.maximum(A, B), 0.5)),
        ("min(a, 3, 0.5)", np.minimum(A, 0.5)),
        ("pow(a, 2)", A**2),
        ("powabs(a, 1.5)", np.abs(A) ** 1.5),
        ("aq(a, b)", A / np.sqrt(1 + B**2)),
        ("logabs(a) + sqrtabs(b)", np.log(np.abs(A)) + np.sqrt(np.abs(B))),
        ("log1p(b^2)", np.log1p(B**2)),
        ("cbrt(a)", np.cbrt(A)),
        ("safe_log(b^2) + safe_sqrt(a^2) + safe_pow(a, 3)", np.log(B**2) + np.abs(A) + A**3),
    ],
)
def test_means_what_mathematics_means(text, expected):
    value = Program(parse(text, NAMES), v)(np.column_stack([A, B]))
    np.testing.assert_allclose(value, expected, rtol=1e-12)


@pytest.mark.parametrize("text", ["log(a)", "sqrt(a)", "safe_log(a)", "a^0.3"])
def test_what_is_undefined_is_nan(text):
    assert np.isnan(Program(parse(text, NAMES), v)(np.array([[-1.0, 0.0]]))).all()


def test_odd_names_stand_in_backticks():
    names = {"x y": v[0], "a`b": v[1], "sin": v[1], "ümläut": v[0]}
    assert parse("`x y` - `a``b`", names) == v[0] - v[1]
    assert parse("sin(sin) + ümläut", names) == sp.sin(v[1]) + v[0]


@pytest.mark.parametrize(
    ("text", "position", "word"),
    [
        ("a + c", 5, "'c'"),
        ("a +", 4, "the end"),
        ("", 1, "the end"),
        ("(a", 3, "the end"),
        ("a b", 3, "'b'"),
        ("2a", 2, "'a'"),
        ("a $ b", 3, "'\\$'"),
        ("__import__('os')", 12, '"\'"'),
        ("a.__class__", 2, "'\\.'"),
        ("lambda: 0", 7, "':'"),
        ("open(a)", 1, "'open'"),
        ("a + sin(a, b)", 5, "'sin'"),
        ("max(a)", 1, "'max'"),
        ("a + 1e999", 5, "'1e999'"),
        ("v0", 1, "'v0'"),
    ],
)
def test_errors_name_position_and_word(text, position, word):
    with pytest.raises(ValueError, match=rf"Position {position} .*{word}"):
        parse(text, NAMES)


@pytest.mark.parametrize("text", ["1/0", "log(0)", "9^9^9^9", "exp(1e300)", "(-8)^(1/3)", "a*(1e200*1e200)"])
def test_constants_without_a_value_are_errors_and_end_soon(text):
    with pytest.raises(ValueError, match="holds a value that is not a finite number"):
        parse(text, NAMES)


def test_deep_nesting_is_an_error_not_a_crash():
    for text in ("(" * 5000 + "a", "a^" * 5000 + "a"):
        with pytest.raises(ValueError, match="nested"):
            parse(text, NAMES)
    assert parse("-" * 5000 + "a", NAMES) == v[0]


def test_numbers_are_read_exactly():
    for value in (0.1, 1 / 3, 1e-30, 1.2345678901234567e30, 5e-324):
        assert float(parse(repr(value), {})) == value


def test_extremes_of_hard_terms_are_not_compared():
    text = "max(sin(a*b)^3 + tanh(exp(a)) - b^2*cos(a^3), log(abs(a*b - sin(b^2))) + 2*a, min(a, b*a^2))"
    value = float(Program(parse(text, NAMES), v)(np.array([[0.5, 0.25]]))[0])
    a, b = 0.5, 0.25
    first = math.sin(a * b) ** 3 + math.tanh(math.exp(a)) - b**2 * math.cos(a**3)
    second = math.log(abs(a * b - math.sin(b**2))) + 2 * a
    assert value == pytest.approx(max(first, second, min(a, b * a**2)), rel=1e-12)
