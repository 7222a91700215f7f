import copy
import json
import math
import pickle
import re

import numpy as np
import pandas as pd
import pytest
import sympy as sp

from skrationale.formula._formula import Formula
from skrationale.formula.parsing import parse
from skrationale.formula.program import symbols
from skrationale.formula.tree import complexity
from skrationale.formula.variables import Variable, make_variables
from skrationale.tabular import TableReader

COLUMNS = ["a", "b", "c"]


def make(text, **kwargs):
    return Formula.from_string(text, COLUMNS, **kwargs)


def with_box(text, low, high):
    formula = make(text)
    return Formula(formula.expr, formula.all_variables, reader=formula.reader, box=[low, high])


@pytest.fixture
def mixed():
    """A formula over a number with gaps and a category, and its table."""
    table = pd.DataFrame(
        {
            "age": [30.0, None, 50.0, 70.0],
            "home town": ["Ulm", "Bonn", None, "Köln"],
        }
    )
    reader = TableReader().fit(table)
    matrix = reader.transform(table)
    variables = make_variables(reader, matrix)
    age, gap, no_town, bonn, _, ulm = symbols(6)
    assert [v.kind for v in variables] == ["number", "missing", "missing", "level", "level", "level"]
    expr = 0.5 * age + 3.0 * gap - 2.25 * ulm * age + no_town + bonn**2
    return Formula(expr, variables, reader=reader, output_name="risk", link="logit"), table


def test_predict_fills_missing_values_and_knows_levels(mixed):
    formula, table = mixed
    np.testing.assert_allclose(formula.predict(table), [15 - 67.5, 25 + 3 + 1, 25 + 1, 35])
    new = pd.DataFrame({"age": [10.0], "home town": ["Rome"]})
    np.testing.assert_allclose(formula.predict(new), [5])
    assert formula.predict_codes(formula.reader.transform(table)).dtype == np.float64


def test_text_shows_the_names_of_the_table(mixed):
    formula, _ = mixed
    text = str(formula)
    for part in ("0.5*age", "3*missing(age)", '[`home town` = "Ulm"]', "missing(`home town`)"):
        assert part in text
    assert repr(formula).startswith("Formula('logit(risk) = ")
    levels = ('[home town = "Bonn"]', '[home town = "Ulm"]')
    assert formula.variables == ("age", "missing(age)", "missing(home town)", *levels)
    assert {s.name for s in formula.sympy().free_symbols} == set(formula.variables)


def test_a_column_called_like_a_label_stays_apart():
    table = pd.DataFrame({"age": [1.0, None, 3.0], "missing(age)": [5.0, 6.0, 7.0]})
    reader = TableReader().fit(table)
    _, missing, other = symbols(3)
    formula = Formula(missing - other, make_variables(reader, reader.transform(table)), reader=reader)
    assert formula.variables == ("missing(age)", "missing(age)_2")
    assert len(formula.sympy().free_symbols) == 2
    assert str(formula) == "missing(age) - `missing(age)`"


def test_plain_text_is_read_back_as_the_same_formula():
    text = "a - b*c^2 - (a - b)/(a*c) + 2/sqrt(b) - (-a)^c + max(a, b, 1)^2*min(a, 2) - a/b/c + exp(-a)"
    formula = make(text)
    values = np.random.default_rng(0).uniform(0.5, 3, size=(50, 3))
    np.testing.assert_allclose(make(str(formula)).predict(values), formula.predict(values), rtol=1e-12)
    assert str(make("a - b")) == "a - b"
    assert str(make("1/sqrt(a)")) == "1/sqrt(a)"
    assert str(make("a/(b*c)")) == "a/(b*c)"
    assert str(make("-a^2")) == "-a^2"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a", 1),
        ("-a", 1),
        ("2.5", 1),
        ("-2.5*a", 1),
        ("a + b + c", 5),
        ("a - b", 3),
        ("-a - b", 3),
        ("a/b", 3),
        ("1/a", 2),
        ("a/(b*c)", 5),
        ("a^2", 2),
        ("1/a^2", 2),
        ("a^-1.5", 2),
        ("sqrt(a)", 2),
        ("1/sqrt(a)", 2),
        ("exp(-a)", 2),
        ("max(a, b, c)", 5),
        ("logabs(a)", 3),
        ("aq(a, b)", 5),
        ("sqrt(2)*a", 1),
        ("a/3", 1),
    ],
)
def test_complexity_counts_all_but_constants(text, count):
    assert make(text).complexity == complexity(make(text).expr) == count


def test_terms_and_intercept():
    formula = make("2.5*a - b*c + 4 - exp(a + 1)")
    assert set(map(formula.show, formula.terms)) == {"2.5*a", "-b*c", "-exp(1 + a)"}
    assert formula.intercept == 4
    assert (make("a*b").terms, make("a*b").intercept) == ((make("a*b").expr,), 0.0)
    assert (make("3").terms, make("3").intercept) == ((), 3.0)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a/b", r"\frac{\text{a}}{\text{b}}"),
        ("2.5*a/b", r"2.5 \frac{\text{a}}{\text{b}}"),
        ("-1/a^2", r"-\frac{1}{\text{a}^{2}}"),
        ("(a + b)^2", r"\left(\text{a} + \text{b}\right)^{2}"),
        ("1.23456e-7*a", r"1.23 \cdot 10^{-7} \cdot \text{a}"),
        ("sqrtabs(a)", r"\sqrt{\left|\text{a}\right|}"),
        ("a - 3*b", r"\text{a} - 3 \cdot \text{b}"),
    ],
)
def test_latex(text, latex):
    assert make(text).latex() == latex


def test_latex_is_drawn_by_matplotlib():
    from matplotlib.mathtext import MathTextParser

    odd = ["a_b", "50% $", "x^2 {y}", "ü~\\`", "", "#&"]
    text = " + ".join(f"`{name.replace('`', '``')}`^{i}" for i, name in enumerate(odd, start=2))
    formulas = [
        Formula.from_string(text, odd, output_name="a_b{"),
        make("max(a, 1e-9)/exp(b) - sign(c)*tanh(a)/sqrt(b*1e20) + tan(a)*log(b)*sin(c)*cos(a)*abs(b)"),
    ]
    for formula in formulas:
        drawn = MathTextParser("path").parse(formula._repr_latex_().replace(r"\displaystyle ", ""))
        assert drawn.width > 100


def test_a_formula_never_changes():
    formula = make("a")
    with pytest.raises(AttributeError, match="is immutable"):
        formula.expr = sp.Integer(1)
    with pytest.raises(AttributeError, match="is immutable"):
        del formula.link
    with pytest.raises(ValueError, match="read-only"):
        with_box("a", [0, 0, 0], [1, 1, 1]).box[0, 0] = 5


def test_pickle_copy_and_json_give_the_same_formula(mixed):
    odd = with_box("0.1*a + 1e-30*b^(1/3) - c^2.5*max(a, b, 0.3) + sign(a)/7", [0, 0, 0], [1, 2, 3])
    for formula in (odd, mixed[0]):
        copies = [
            pickle.loads(pickle.dumps(formula)),
            copy.deepcopy(formula),
            Formula.from_dict(json.loads(json.dumps(formula.to_dict(), allow_nan=False))),
        ]
        for again in copies:
            assert again == formula
            assert hash(again) == hash(formula)
            assert str(again) == str(formula)
            assert (again.link, again.output_name) == (formula.link, formula.output_name)
            matrix = np.abs(np.random.default_rng(0).normal(size=(5, 3)))
            np.testing.assert_array_equal(again.predict_codes(matrix), formula.predict_codes(matrix))
            np.testing.assert_array_equal(again.box, formula.box)


def test_equality_is_by_tree_and_variables():
    assert make("a + b") == make("b + a")
    assert make("a") != make("b")
    assert make("a") != Formula.from_string("a", ["a", "b"])
    filled = Formula(make("a").expr, [Variable(0, "a", "number", fill=1.0)], reader=make("a").reader)
    assert make("a") != filled
    assert make("a") != "a"


def test_plain_data_is_not_code():
    data = make("a").to_dict()
    for evil in ("__import__('os')", ["eval", "a"], ["__class__"], [], None, True):
        with pytest.raises(ValueError, match="A formula cannot hold"):
            Formula.from_dict({**data, "expr": evil})


@pytest.mark.parametrize(
    "expr", [sp.oo, sp.nan, sp.I * symbols(1)[0], sp.exp(sp.Float(1e30)) * symbols(1)[0], sp.zoo]
)
def test_numbers_without_a_value_are_refused(expr):
    with pytest.raises(ValueError, match="has no value"):
        Formula(expr, make("a").all_variables, reader=make("a").reader)


def test_other_trees_are_refused():
    a = symbols(1)[0]
    for expr in (sp.gamma(a), sp.Symbol("v0"), symbols(4)[3]):
        with pytest.raises(ValueError, match="cannot hold"):
            Formula(expr, make("a").all_variables, reader=make("a").reader)
    with pytest.raises(TypeError, match="from_string"):
        Formula("a", make("a").all_variables, reader=make("a").reader)
    with pytest.raises(ValueError, match="link"):
        make("a", link="cube")
    with pytest.raises(ValueError, match="box"):
        Formula(a, make("a").all_variables, reader=make("a").reader, box=[[0], [1]])


def test_from_string_names_position_and_word():
    with pytest.raises(ValueError, match=r"Position 5 .*'d'"):
        make("a + d")
    formula = Formula.from_string(
        "`x y`*`1st` - N - `a``b` + dup - dup_2", ["x y", "1st", "N", "a`b", "dup", "dup"]
    )
    np.testing.assert_allclose(formula.predict(np.array([[2.0, 3, 1, 4, 7, 5]])), [3])
    assert math.isnan(make("a + b").predict(np.array([[1.0, np.nan, 0]]))[0])


def test_simplify_rounds_constants():
    formula = make("1.23456*a^2.00001 + 0.000123456*b + 98765.4*c").simplify(3)
    assert set(map(formula.show, formula.terms)) == {"1.23*a^2", "0.000123*b", "98800*c"}
    assert formula.complexity <= 14


@pytest.mark.parametrize(
    "text",
    [
        "a*b + a*c",
        "(a + b)*(a - b) + b^2",
        "2.5*a*(b + c) - 2.5*a*c",
        "max(a*b + a*c, b)",
        "sqrt(a)*sqrt(b)",
        "log(a^2)",
        "1/(1/a + 1/b)",
        "exp(a)*exp(b)",
        "(a + b + c)^40",
        "sin(a)^2 + 3*sin(a) + 2",
        "7.0",
    ],
)
def test_simplify_without_rounding_keeps_values_and_gets_no_worse(text):
    formula = make(text)
    simple = formula.simplify(digits=None)
    assert simple.complexity <= formula.complexity
    values = np.random.default_rng(0).normal(size=(300, 3))
    np.testing.assert_allclose(simple.predict(values), formula.predict(values), rtol=1e-9, atol=1e-9)


def test_simplify_finds_simpler_formulas():
    assert make("a*b + a*c").simplify().complexity == 5
    assert make("(a + b)*(a - b) + b^2").simplify().complexity == 2
    with pytest.raises(ValueError, match="digits"):
        make("a").simplify(0)


def test_simplify_never_gets_worse_by_rounding():
    for text in ("0.33333333*a", "1.00000001*a - b", "a^0.4999999", "a*b/3"):
        assert make(text).simplify(3).complexity <= make(text).complexity


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1/a", "denominator a changes its sign"),
        ("1/abs(c - 1)^0.5", r"denominator -1 \+ c changes its sign"),
        ("1/(b - c + abs(b - c))", "denominator .* comes close to 0"),
        ("b/(c - 1)^2", r"denominator -1 \+ c changes its sign"),
        ("log(b - 2)", r"log\(-2 \+ b\) is undefined in"),
        ("sqrt(a)", "root of a is undefined in"),
        ("a^1.5", "root of a is undefined in"),
        ("exp(500*b)", "overflows in"),
        ("tan(b)", r"denominator cos\(b\) changes its sign"),
        ("b^a", None),
        ("1/(1 + a^2) + log(b) + sqrt(b) + exp(a) + aq(b, a)", None),
    ],
)
def test_domain_warnings_of_the_training_box(text, words):
    found = with_box(text, [-1, 1, 1], [2, 4, 100]).domain_warnings()
    if words is None:
        assert found == []
    else:
        (sentence,) = found
        assert re.search(words, sentence)


def test_domain_warnings_of_rows():
    formula = with_box("1/a + b", [1, 0, 0], [2, 1, 1])
    assert formula.domain_warnings() == []
    assert formula.domain_warnings(np.array([[1.5, 0.5, 99]])) == []
    found = formula.domain_warnings(np.array([[1.5, 0.5, 0], [5, 0.5, 0], [0, 0.5, 0]]))
    assert found[0] == "a is outside its training range 1 to 2 in 2 of 3 rows (1, 2)."
    assert "comes close to 0" in found[1]
    assert found[2] == "The formula has no finite value in 1 of 3 rows."
    everywhere = with_box("log(a)", [-1, 0, 0], [2, 1, 1]).domain_warnings(np.ones((1, 3)))
    assert len(everywhere) == 1
    assert "log(a) is undefined" in everywhere[0]
    assert make("1/a").domain_warnings() == ["The training range is not known: give X."]
    assert make("1/a").domain_warnings(np.ones((2, 3))) == []


def test_domain_warnings_draw_only_rows_that_can_be():
    table = pd.DataFrame({"c": ["x", "y", "z"], "n": [1.0, 2.0, 3.0]})
    reader = TableReader().fit(table)
    variables = make_variables(reader, reader.transform(table))
    x, y, z, n = symbols(4)
    box = [[0, 0, 0, 1], [1, 1, 1, 3]]
    safe = Formula(n / (1.5 - x - y - z), variables, reader=reader, box=box)
    assert safe.domain_warnings() == []
    pole = Formula(n / (0.5 - x), variables, reader=reader, box=box)
    assert pole.domain_warnings() == [
        'The denominator 0.5 - [c = "x"] changes its sign: the formula has a pole where it is 0.'
    ]


def test_domain_warnings_give_missing_numbers_what_stands_for_them():
    table = pd.DataFrame({"n": [1.0, None, 2.0, 3.0]})
    reader = TableReader().fit(table)
    n, missing = symbols(2)
    box = [[1, 0], [3, 1]]
    variables = make_variables(reader, reader.transform(table))
    assert Formula(1 / (1 + missing * (n - 2)), variables, reader=reader, box=box).domain_warnings() == []


def test_formulas_of_parsed_engine_text_keep_their_tree():
    names = dict(zip(COLUMNS, symbols(3), strict=True))
    expr = parse("aq(a, b) + sqrtabs(c)*max(a, 2)", names)
    assert make("aq(a, b) + sqrtabs(c)*max(a, 2)").expr == expr


def test_warnings_call_rows_by_their_labels():
    formula = with_box("1/a + b", [1, 0, 0], [2, 1, 1])
    new = pd.DataFrame([[1.5, 0.5, 0], [5, 0.5, 0], [9, 0.5, 0]], index=["x", "y", "z"])
    assert formula.domain_warnings(new)[0].endswith("in 2 of 3 rows (y, z).")
