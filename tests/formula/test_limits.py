"""Formulas of any text end soon: read, written, evaluated and simplified, or refused with the bound."""

import copy
import json
import math
import pickle
import signal
import time

import numpy as np
import pytest
import sympy as sp

from skrationale.formula._building import MAX_DEPTH, MAX_NODES, postorder
from skrationale.formula._formula import Formula
from skrationale.formula.exports._names import unique_names
from skrationale.formula.parsing import MAX_BRACKETS, MAX_SIGNS
from skrationale.formula.program import symbols

SECONDS = 10.0  # of the processor; on a quiet one each of these takes less than 2
ROWS = np.array([[0.3, 1.2], [2.5, 0.4], [-0.7, 0.9]])
DIALECTS = ["sqlite", "postgres", "mysql", "sqlserver", "bigquery", "duckdb", "snowflake", "spark"]


def nest(pattern, n, inner="a"):
    for _ in range(n):
        inner = pattern.format(inner)
    return inner


def make(text):
    return Formula.from_string(text, ["a", "b"])


def writers(formula):
    """All that a formula can be turned into."""
    return {
        "str": lambda: str(formula),
        "repr": lambda: repr(formula),
        "latex": formula.latex,
        "latex of notebooks": formula._repr_latex_,
        "sympy": formula.sympy,
        "python": formula.to_python,
        "numpy": formula.to_numpy,
        "c": formula.to_c,
        **{dialect: lambda dialect=dialect: formula.to_sql(dialect) for dialect in DIALECTS},
        "excel": formula.to_excel,
        "torch": formula.to_torch,
        "dict": lambda: Formula.from_dict(json.loads(json.dumps(formula.to_dict()))),
        "pickle": lambda: pickle.loads(pickle.dumps(formula)),
        "copy": lambda: copy.deepcopy(formula),
        "hash": lambda: hash(formula),
        "complexity": lambda: formula.complexity,
        "predict": lambda: formula.predict(ROWS),
        "warnings": lambda: formula.domain_warnings(ROWS),
        "simplify": formula.simplify,
        "simplify all digits": lambda: formula.simplify(None),
    }


def in_time(work):
    """Do it, and give its result or the bound that it named; refuse what took long."""

    def stop(*_):
        raise TimeoutError(f"took more than {SECONDS} s of the processor")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        return work()
    except ValueError as error:
        words = str(error)
        if not any(bound in words for bound in ("at most", "nested more than", "no function TANH")):
            raise
        return words
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


DEEP = {
    "powers": "square({})", "powers of sums": "square({}+a)", "products": "b*({}+a)",
    "differences": "a-b*({})",
    "exponentials": "a-exp({})", "sines": "sin({}+1)", "mixed": "tanh(a*{}+b)", "quotients": "a/(b+{})",
    "inverses": "1/({}+1)", "bars": "abs({}*a-b)", "roots": "sqrt({}+a)", "logarithms": "logabs({}+a)",
    "extremes": "max({}*a,b)", "both extremes": "max(min({}*a,b),sin(a))", "symbolic powers": "(a+{})^b",
    "raised": "b^({}+1)", "aq": "aq({},b)", "signs": "sign({}+a)", "cube roots": "cbrt({}+a)",
    "minus": "neg({}-b)", "real powers": "powabs({}+b,1.5)", "tangents": "tan({})",
}  # fmt: skip
WIDE = {
    "equal terms": "+".join(["a*b"] * 5000),
    "sines": "+".join(f"{i}.5*sin({i}*a)" for i in range(150)),
    "powers": "-".join(f"a^{i}" for i in range(1, 400)),
    "factors": "*".join(f"(a+{i})" for i in range(1, 300)),
    "divisions": "/".join(f"(a+{i})" for i in range(1, 300)),
    "extreme": f"max({','.join(f'a*{i}' for i in range(1, 300))})",
    "extremes": "+".join(f"max(a,{i})" for i in range(1, 200)),
    "fractions": "+".join(f"a/{i}" for i in range(3, 900)),
    "signs": "-" * 20_000 + "a",
}


@pytest.mark.no_cover
@pytest.mark.parametrize("depth", [17, 45])
@pytest.mark.parametrize("name", DEEP)
def test_deep_formulas_are_written_in_time_or_refused(name, depth):
    formula = in_time(lambda: make(nest(DEEP[name], depth)))
    if not isinstance(formula, Formula):
        assert "at most" in formula or "nested more than" in formula
        return
    written = {way: in_time(work) for way, work in writers(formula).items()}
    assert written["pickle"] == written["copy"] == written["dict"] == formula
    np.testing.assert_array_equal(written["dict"].predict(ROWS), written["predict"])


@pytest.mark.no_cover
@pytest.mark.parametrize("name", WIDE)
def test_wide_formulas_are_written_in_time_or_refused(name):
    formula = in_time(lambda: make(WIDE[name]))
    assert isinstance(formula, Formula)
    written = {way: in_time(work) for way, work in writers(formula).items()}
    assert written["pickle"] == written["copy"] == written["dict"] == formula


@pytest.mark.parametrize("name", ["powers of sums", "products", "mixed", "quotients", "bars", "aq", "sines"])
def test_what_is_written_grows_with_the_formula_alone(name):
    small, large = (make(nest(DEEP[name], depth)) for depth in (6, 12))
    few, many = (len(str(formula.sympy())) for formula in (small, large))
    for write in ("to_python", "to_numpy", "to_c", "to_sql", "latex", "__str__"):  # in SQLite
        growth = len(getattr(large, write)()) / len(getattr(small, write)())
        assert growth < 2 * many / few, write


@pytest.mark.parametrize("name", ["mixed", "quotients", "sines", "bars", "aq", "differences"])
def test_large_formulas_mean_what_their_text_says(name):
    text = nest(DEEP[name], 45)
    formula = make(text)
    scope = {
        "sin": math.sin, "tanh": math.tanh, "abs": abs, "exp": math.exp,
        "aq": lambda x, y: x / math.hypot(1, y),
    }  # fmt: skip
    for row, found in zip(ROWS, formula.predict(ROWS), strict=True):
        wanted = eval(compile(text, "text", "eval"), scope | {"a": row[0], "b": row[1]})
        assert found == pytest.approx(wanted, rel=1e-9)
        python = {}
        exec(formula.to_python(), python)
        assert python["predict"](dict(zip("ab", row, strict=True))) == pytest.approx(wanted, rel=1e-9)
    for other in (make(str(formula)), Formula.from_dict(formula.to_dict()), formula.simplify(None)):
        np.testing.assert_allclose(other.predict(ROWS), formula.predict(ROWS), rtol=1e-9)


@pytest.mark.parametrize("name", ["sines", "factors", "divisions", "extreme", "fractions"])
def test_wide_formulas_mean_what_their_text_says(name):
    formula = make(WIDE[name])
    python, columns = {}, {}
    exec(formula.to_python(), python)
    exec(formula.to_numpy(), columns)
    wanted = formula.predict(ROWS)
    found = [python["predict"](dict(zip("ab", row, strict=True))) for row in ROWS]
    np.testing.assert_allclose(found, wanted, rtol=1e-9)
    np.testing.assert_allclose(columns["predict"](dict(zip("ab", ROWS.T, strict=True))), wanted, rtol=1e-9)
    np.testing.assert_allclose(make(str(formula)).predict(ROWS), wanted, rtol=1e-9)


def test_a_sum_is_what_its_terms_add_up_to():
    numbers = np.random.default_rng(0).normal(size=1000).round(3)
    formula = make("".join(f"{number:+}*a" for number in numbers))
    np.testing.assert_allclose(formula.predict(ROWS), numbers.sum() * ROWS[:, 0], rtol=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        nest("square({})", 20, "3"), nest("square({})", 60, "3"), nest("square({})", 60, "2*a"),
        nest("cube({})", 90, "(3*a)"), "(2*a)^900000", "(2*a)^9007199254740991", "(a/3)^(-99999999)",
        "*".join(["9007199254740990"] * 1200), "*".join(["7^30"] * 3000), "9^9^9^9", "2^(2^1000)",
        "inv(0)", "a/0", "0^(-1)", "a/(1-1)",
    ],
)  # fmt: skip
def test_powers_of_numbers_end_soon(text):
    start = time.process_time()
    try:
        said = str(make(text))
    except ValueError as error:
        said = str(error)
        if "not a finite number" not in said:
            raise
    assert len(said) < 1000
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize(
    "text", ["1/3", "square(1/3)", "2^0.5", "cbrt(27)", "aq(3, 4)", "1e300*1e-300", "inv(7)"]
)
def test_numbers_alone_keep_their_value(text):
    value = {"1/3": 1 / 3, "square(1/3)": 1 / 9, "2^0.5": 2**0.5, "cbrt(27)": 3, "aq(3, 4)": 3 / 17**0.5,
             "1e300*1e-300": 1, "inv(7)": 1 / 7}[text]  # fmt: skip
    assert make(f"{text} + 0*a").predict(ROWS)[0] == pytest.approx(value, rel=1e-15)
    assert make("a^(1/3)").expr == symbols(1)[0] ** sp.Rational(1, 3)


def test_each_bound_is_named():
    a = symbols(1)[0]
    like = make("a")
    for text, match in (
        ("a" + " " * MAX_SIGNS, f"{MAX_SIGNS + 1:,} characters; it may have at most {MAX_SIGNS:,}"),
        (nest("({})", MAX_BRACKETS + 1), f"nested more than {MAX_BRACKETS} deep"),
        (nest("cbrt({}+a)", 30), f"parts; it may have at most {MAX_NODES:,}"),
        (nest("aq(a,{})", 90), f"deep; it may be nested at most {MAX_DEPTH} deep"),
    ):
        with pytest.raises(ValueError, match=match):
            make(text)
    deep = a
    for _ in range(3000):
        deep = sp.sin(deep, evaluate=False)
    with pytest.raises(ValueError, match=f"nested 3000 deep; it may be nested at most {MAX_DEPTH}"):
        like.with_expr(deep)
    shared = a
    for _ in range(100):
        shared = sp.Add(sp.sin(shared, evaluate=False), sp.cos(shared, evaluate=False), evaluate=False)
    with pytest.raises(ValueError, match="has more than 10.15 parts"):
        like.with_expr(shared)
    tower = sp.Integer(9)
    for _ in range(6):
        tower = sp.Pow(9, tower, evaluate=False)
    with pytest.raises(ValueError, match="not a finite real number"):
        like.with_expr(a + tower)
    bounds = (Formula.__doc__, Formula.from_string.__doc__)
    assert all(f"{MAX_NODES:,} parts" in text and f"{MAX_DEPTH} deep" in text for text in bounds)
    assert f"{MAX_SIGNS:,} characters" in bounds[1]
    assert f"{MAX_BRACKETS} deep" in bounds[1]
    with pytest.raises(ValueError, match="too long for SQL: it needs more than 1000000 characters"):
        make(nest("max({}*a,b)", 30)).to_sql("postgres")
    with pytest.raises(ValueError, match="too long for Excel: it needs more than 8192 characters"):
        make(nest("(a+{})^b", 20)).to_excel()


def test_expansion_is_not_tried_where_it_would_explode():
    formula = make(nest("square({}+1)", 20))
    start = time.process_time()
    simple = formula.simplify()
    assert time.process_time() - start < SECONDS
    np.testing.assert_allclose(simple.predict(ROWS * 0), formula.predict(ROWS * 0), rtol=1e-9)
    assert str(make("(a + 1)*a - a^2").simplify()) == "a"


@pytest.mark.parametrize(
    "text",
    [
        nest("sqrt({}+b)*(a+1)^2", 9), nest("(a+{})^(-4)*(b+2)^4", 6), nest("sin({}+b)*(a+b)^4", 6),
        nest("(a+{}+b)^2.5", 5), nest("(a+b+1+{})^(-4)", 4),
    ],
)  # fmt: skip
def test_expansion_is_not_tried_where_its_terms_would_be_long(text):
    formula = make(text)
    start = time.process_time()
    simple = formula.simplify()
    assert time.process_time() - start < SECONDS
    np.testing.assert_allclose(simple.predict(ROWS), formula.predict(ROWS), rtol=1e-6)


def test_deep_trees_are_compared_and_counted():
    one, other = (make(nest("sin(a*{}+b)", 60)) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one.complexity == 60 * 5
    assert len(postorder(one.expr)) < 400


def test_many_equal_names_are_numbered_in_time():
    start = time.process_time()
    names = unique_names(["age"] * 20_000)
    assert names[:2] + names[-1:] == ("age", "age_2", "age_20000")
    assert time.process_time() - start < SECONDS


def like_dict(**changes):
    return make("2.5*a + sin(b)").to_dict() | changes


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"expr": ["pow", "v0"]}, "operation 'pow' cannot have 1 arguments"),
        ({"expr": ["sin", "v0", "v1"]}, "operation 'sin' cannot have 2 arguments"),
        ({"expr": ["ratio", 1, 0]}, "ratio must have two integers"),
        ({"expr": ["ratio", "1", 2]}, "ratio must have two integers"),
        ({"expr": ["constant", "tau"]}, "constant must be"),
        ({"expr": [["sin"], "v0"]}, "cannot hold the operation"),
        ({"expr": "v7"}, "cannot hold 'v7'"),
        ({"expr": None}, "cannot hold None"),
        ({"expr": True}, "cannot hold True"),
        ({"expr": float("nan")}, "cannot hold the number nan"),
        ({"expr": 10**400}, "not a finite real number"),
        ({"expr": json.loads('["sin", ' * 900 + '"v0"' + "]" * 900)}, "nested too deep"),
        ({"variables": 3}, "'variables'.* must be a list"),
        ({"variables": [{"column": 0}]}, "must be a dict with 'column', 'kind'"),
        ({"variables": [{"column": -1, "kind": "number", "fill": None, "code": 0}]}, "'column' from 0 to 1"),
        ({"variables": [{"column": 5, "kind": "number", "fill": None, "code": 0}]}, "'column' from 0 to 1"),
        ({"variables": [{"column": 0, "kind": "text", "fill": None, "code": 0}]}, "'kind' among"),
        ({"variables": [{"column": 0, "kind": "level", "fill": None, "code": 0}]}, "no level of its column"),
        ({"variables": [{"column": 0, "kind": "number", "fill": "1", "code": 0}]}, "finite number or None"),
        ({"variables": [{"column": 0, "kind": "number", "fill": None, "code": None}]}, "finite number as"),
        ({"feature_names": "ab"}, "'feature_names'.* list of at least one string"),
        ({"feature_names": [1, 2]}, "'feature_names'"),
        ({"levels": [None]}, "'levels'.* list of 2 entries"),
        ({"levels": ["Ulm", None]}, "'levels'.* of the column 'a' must be a list"),
        ({"levels": [[None], None]}, "level of type NoneType"),
        ({"box": [[1.0, 2.0]]}, "'box'.* must be two lists of 2 numbers"),
        ({"box": [["1", "2"], [3, 4]]}, "'box'.* must be two lists"),
        ({"link": ["logit"]}, "`link` must be one of"),
        ({"output_name": 3}, "'output_name'.* must be a string"),
    ],
)
def test_what_to_dict_did_not_write_is_refused_with_a_value_error(changes, match):
    with pytest.raises(ValueError, match=match):
        Formula.from_dict(like_dict(**changes))


def test_missing_entries_are_named():
    for name in like_dict():
        data = like_dict()
        del data[name]
        with pytest.raises(ValueError, match=f"has no entry '{name}'"):
            Formula.from_dict(data)
    with pytest.raises(TypeError, match="`data` must be a dict"):
        Formula.from_dict([1])
