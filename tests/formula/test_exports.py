import ctypes
import math
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import formulas as formulas_package
import numpy as np
import pandas as pd
import pytest
import schedula
import sympy as sp
import torch
from onnx_runs import facts, feed_of_columns, run_matrix
from onnx_runs import run as run_onnx
from sql_databases import CONNECT, in_database, records

from skrationale.formula._formula import Formula
from skrationale.formula.parsing import parse
from skrationale.formula.program import Program, symbols
from skrationale.formula.variables import make_variables
from skrationale.tabular import TableReader

HOSTILE = [
    "N",
    "E",
    "x y",
    "",
    "1st",
    "select",
    "ümläut",
    "import os",
    "a'b\"c`d]",
    "{v0}",
    "*/ int x; /*",
    "line\nbreak\\",
    '"""\n__import__("os")#',
    "a",
    "a",
    "'; DROP TABLE t; --",
]


databases = pytest.mark.parametrize("database", CONNECT)


def run(source, name="predict"):
    scope = {}
    exec(source, scope)
    return scope[name]


def random_tree(rng, depth, leaves):
    chances = np.array([3.0 if name in ("v0", "v2", "v3") else 1.0 for name in map(str, leaves)])
    chances /= chances.sum()
    if depth == 0 or rng.random() < 0.15:
        if rng.random() < 0.7:
            return leaves[rng.choice(len(leaves), p=chances)]
        value = rng.choice([2.0, -1.5, 0.1, 1e-30, 1e30, 3.0, -7.25, 1e5])
        return sp.Integer(3) if value == 3 else sp.Float(value)

    def one():
        return random_tree(rng, depth - 1, leaves)

    half, third = sp.Rational(1, 2), sp.Rational(1, 3)
    unary = [
        sp.exp,
        sp.log,
        sp.Abs,
        sp.sign,
        sp.tanh,
        lambda a: sp.sin(sp.tanh(a)),
        lambda a: sp.cos(sp.tanh(a) * 3.5),
        lambda a: sp.tan(sp.tanh(a)),
        lambda a: a**2,
        lambda a: a**3,
        lambda a: 1 / a,
        lambda a: a**-2,
        lambda a: a**half,
        lambda a: a**-half,
        lambda a: sp.Abs(a) ** third,
        lambda a: a**1.7,
        lambda a: -a,
        lambda a: sp.log(sp.Abs(a)),
        lambda a: sp.sqrt(sp.Abs(a)),
    ]
    binary = [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a * b,
        lambda a, b: a / b,
        lambda a, b: a**b,
        lambda a, b: a / sp.sqrt(1 + b**2),
        lambda a, b: sp.Max(a, b, evaluate=False) if a != b else a,
        lambda a, b: sp.Min(a, b, evaluate=False) if a != b else a,
    ]
    if rng.random() < 0.4:
        return unary[rng.integers(len(unary))](one())
    return binary[rng.integers(len(binary))](one(), one())


def random_formulas(n, table, seed=0, depth=4):
    """Formulas over all variables of a table that vary on it."""
    reader = TableReader().fit(table)
    variables = make_variables(reader, reader.transform(table))
    rng = np.random.default_rng(seed)
    found = []
    while len(found) < n:
        try:
            expr = random_tree(rng, depth, symbols(len(variables)))
            formula = Formula(expr, variables, reader=reader)
        except (ValueError, TypeError, OverflowError):
            continue
        if expr.free_symbols and np.isfinite(formula.predict(table)).any():
            found.append(formula)
    return found


def steady(formula, table):
    """Rows on which rounding errors stay small."""
    numbers = table.select_dtypes("number").columns
    moved = table.assign(**{name: table[name] * (1 + 1e-13) for name in numbers})
    here, there = formula.predict(table), formula.predict(moved)
    return np.isclose(here, there, rtol=1e-10, atol=0, equal_nan=True)


def agree(found, wanted, rows):
    """Raise where a row differs; give the number of rows that were compared as finite numbers."""
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(np.asarray(found, float)[rows], wanted[rows], rtol=1e-9, atol=1e-300)
    return np.count_nonzero(np.isfinite(wanted[rows]))


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    n = 100
    data = pd.DataFrame(
        {
            "x": rng.normal(size=n) * 3,
            "y z": rng.uniform(0.1, 2, n).round(3),
            "count": rng.integers(0, 4, n).astype(float),
            "city": rng.choice(["Ulm", "ulm", 'O\'Hara "x"', ""], n).astype(object),
        }
    )
    data.loc[rng.random(n) < 0.15, "x"] = np.nan
    data.loc[rng.random(n) < 0.15, "city"] = None
    return data


@pytest.fixture(scope="module")
def seen(table):
    """The table with a level that was not there at training."""
    data = table.copy()
    data.loc[::17, "city"] = "Rome"
    return data


@pytest.fixture(scope="module")
def formulas(table):
    return random_formulas(60, table)


def test_random_formulas_use_every_operation(formulas):
    kinds = {node.func for formula in formulas for node in sp.preorder_traversal(formula.expr)}
    assert kinds >= {sp.exp, sp.log, sp.sin, sp.cos, sp.tan, sp.tanh, sp.Abs, sp.sign, sp.Max, sp.Min, sp.Pow}


def test_python_and_numpy_agree_with_predict(formulas, seen):
    some_nan = some_infinite = 0
    for formula in formulas:
        wanted, rows = formula.predict(seen), steady(formula, seen)
        assert rows.mean() > 0.6
        function = run(formula.to_python())
        agree([function(row) for row in records(seen)], wanted, rows)
        agree(run(formula.to_numpy())(seen), wanted, rows)
        agree(run(formula.to_numpy("score"), "score")(dict(seen.items())), wanted, rows)
        some_nan += np.isnan(wanted).any()
        some_infinite += np.isinf(wanted).any()
    assert some_nan > 5
    assert some_infinite > 2


def test_torch_agrees_with_predict(formulas, seen):
    compared = 0
    for formula in formulas:
        wanted, rows = formula.predict(seen), steady(formula, seen)
        found = formula.to_torch()(torch.tensor(formula.variable_values(seen)))
        compared += agree(found.detach().numpy(), wanted, rows)
    assert compared > 3000


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore:torch.tensor results are registered")
@pytest.mark.parametrize("text", ["2.5*age + exp(size)", "max(age, size, 1) + age^size", "3.5"])
def test_torch_modules_are_written_down_for_any_number_of_rows(text):
    module = Formula.from_string(text, ["age", "size"]).to_torch()
    few, more = (torch.rand(n, len(module.variables), dtype=torch.float64) for n in (2, 7))
    dynamic = {"values": {0: torch.export.Dim("rows")}}
    exported = torch.export.export(module, (few,), dynamic_shapes=dynamic).module()
    for written in (torch.jit.trace(module, few), exported):
        assert written(more).shape == (7,)
        torch.testing.assert_close(written(more), module(more))


def test_onnx_agrees_with_predict(formulas, seen):
    compared = some_nan = some_infinite = 0
    for formula in formulas:
        wanted, rows = formula.predict(seen), steady(formula, seen)
        found = run_matrix(formula.to_onnx(), formula.reader.transform(seen), "float64")["scores"]
        assert found.shape == (len(seen), 1)
        compared += agree(found[:, 0], wanted, rows)
        some_nan += np.isnan(wanted).any()
        some_infinite += np.isinf(wanted).any()
    assert compared > 3000
    assert some_nan > 5
    assert some_infinite > 2


def test_onnx_takes_raw_columns(formulas, seen):
    compared = 0
    for formula in formulas[:8]:
        graph = formula.to_onnx(inputs="columns")
        feed = feed_of_columns(graph, seen, "float64", missing="nan")  # the empty text is a level here
        found = run_onnx(graph, feed)["scores"][:, 0]
        compared += agree(found, formula.predict(seen), steady(formula, seen))
    assert compared > 300


def test_onnx_in_float32_is_computed_in_float64():
    formula = Formula.from_string("(age + 1)^2 - age^2 - 2*age", ["age", "idle"])
    found = run_matrix(formula.to_onnx(dtype="float32"), [[30000.0, np.nan]])["scores"]
    assert found.dtype == np.float32
    assert found[0, 0] == 1


def test_onnx_of_a_constant_and_its_metadata():
    formula = Formula.from_string("2.5", ["age"], output_name="odds", link="logit")
    graph = formula.to_onnx()
    assert run_matrix(graph, np.zeros((3, 1)), "float64")["scores"].tolist() == [[2.5]] * 3
    known = facts(graph)
    assert (known["output_names"], known["link"], known["formula"]) == (["odds"], "logit", 2.5)
    with pytest.raises(ValueError, match="dtype must be"):
        formula.to_onnx(dtype="double")


def test_sympy_agrees_with_predict(table):
    for formula in random_formulas(25, table, seed=5, depth=3):
        wanted, rows = formula.predict(table), steady(formula, table)
        values = formula.variable_values(table)
        names = [sp.Symbol(label, real=True) for label in formula.variables]
        for i in np.flatnonzero(rows & all_steps_finite(formula, table))[:4]:
            value = formula.sympy().subs(dict(zip(names, map(sp.Float, values[i]), strict=True))).evalf(30)
            assert float(value) == pytest.approx(wanted[i], rel=1e-9, abs=1e-300)


def all_steps_finite(formula, table):
    """Rows on which every part of the tree has a finite value."""
    values = formula.variable_values(table)
    names = [s for s in symbols(len(formula.all_variables)) if s in formula.expr.free_symbols]
    parts = [node for node in sp.preorder_traversal(formula.expr) if not node.is_number]
    return np.all([np.isfinite(Program(node, names)(values)) for node in parts], axis=0)


def agree_where_finite(found, formula, table):
    """Where all steps are finite, numbers must agree; elsewhere there may be no number."""
    wanted, rows, finite = formula.predict(table), steady(formula, table), all_steps_finite(formula, table)
    compared = 0
    for i in np.flatnonzero(rows):
        number = isinstance(found[i], int | float) and math.isfinite(found[i])
        assert number or not finite[i]
        if number:
            assert found[i] == pytest.approx(wanted[i], rel=1e-9, abs=1e-300)
        compared += number
    return compared


@databases
def test_data_bases_agree_with_predict(formulas, seen, database):
    compared = [agree_where_finite(in_database(f, seen, database), f, seen) for f in formulas]
    assert sum(compared) > 3000


def test_text_for_postgresql_means_the_same_in_duckdb(formulas, seen):
    compared = [
        agree_where_finite(in_database(f, seen, "duckdb", "postgres"), f, seen) for f in formulas[:20]
    ]
    assert sum(compared) > 1000


def in_excel(formula, table, cells=None):
    """Evaluate with the package formulas; errors are None."""
    text = formula.to_excel(cells)
    function = formulas_package.Parser().ast(text)[1].compile()
    of_cell = {f"{chr(ord('A') + j)}2": name for j, name in enumerate(table.columns)}
    if cells is not None:
        of_cell = {cell: name for name, cell in cells.items()}
    found = []
    for row in records(table):
        values = [row[of_cell[cell]] for cell in function.inputs]
        result = function(*(schedula.EMPTY if value is None else value for value in values))
        result = np.asarray(result, dtype=object).ravel()[0]
        is_number = isinstance(result, int | float | np.number)
        found.append(float(result) if is_number else None)
    return found


@pytest.mark.no_cover
def test_excel_agrees_with_predict(formulas, seen):
    compared = [agree_where_finite(in_excel(f, seen), f, seen) for f in formulas[:20]]
    assert sum(compared) > 1000


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("-n^2", 3, -9),
        ("-n^2*n", -2, 8),
        ("n - n^2", 3, -6),
        ("(-n)^2", 3, 9),
        ("(n^2)^n", 3, 729),
        ("n^(n^2)", 2, 16),
        ("n^(1/3)", -8, None),
        ("n^0.6", 3, 3**0.6),
        ("(-8)^n", 3, -512),
        ("(-8)^n", 0.5, None),
        ("1/n", 0, None),
        ("log(n)", -1, None),
        ("max(n, 1e-7)", 2, 2),
        ("2.5e-8*n", 4, 1e-7),
    ],
)
def test_excel_traps_of_powers_and_signs(text, value, expected):
    (found,) = in_excel(Formula.from_string(text, ["n"]), pd.DataFrame({"n": [value]}), {"n": "B7"})
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-12))


def test_excel_says_what_it_cannot_hold():
    long = " + ".join(f"{i + 0.5}*sin({i + 0.25}*n)" for i in range(300))
    with pytest.raises(ValueError, match="at most 8192"):
        Formula.from_string(long, ["n"]).to_excel()
    with pytest.raises(ValueError, match="at most 64"):
        Formula.from_string("sin(" * 70 + "n" + ")" * 70, ["n"]).to_excel()
    with pytest.raises(ValueError, match="1e-310"):
        Formula.from_string("1e-310*n", ["n"]).to_excel()
    with pytest.raises(ValueError, match="255"):
        level_formula("x" * 256)[1].to_excel()
    formula = Formula.from_string("n", ["n", "m"])
    assert formula.to_excel({"n": "'My data'!$B$2"}) == "=IF(ISBLANK('My data'!$B$2),NA(),'My data'!$B$2)"
    for cells, word in (({"n": "A2)+1"}, "such as"), ({"z": "A2"}, "'z'"), ({"m": "A2"}, "'n'")):
        with pytest.raises(ValueError, match=word):
            formula.to_excel(cells)
    wide = Formula.from_string("c30", [f"c{j}" for j in range(40)])
    assert "ISBLANK(AE2)" in wide.to_excel()


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("1/n", 2, 0.5),
        ("n/4", 2, 0.5),
        ("1/n", 0, None),
        ("log(n)", 100, math.log(100)),
        ("max(n, 3) - min(n, 1)", 2, 2),
        ("sign(n)/(sign(n) + sign(n^2))", 5, 0.5),
        ("-n^2", 3, -9),
        ("3 - -2*n", 3, 9),
        ("2^n", 0.5, 2**0.5),
        ("n^0.3", 2, 2**0.3),
    ],
)
@databases
def test_traps_of_integers_signs_and_logarithms_in_sql(text, value, expected, database):
    (found,) = in_database(Formula.from_string(text, ["n"]), pd.DataFrame({"n": [value]}), database)
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-12))


@pytest.mark.parametrize("text", ["a^b", "(a/b)^c", "-a^b", "powabs(a, b)", "2^a", "a^-b + c", "b^1.5"])
def test_powers_of_what_is_missing_are_missing_everywhere(text):
    nan = np.nan
    table = pd.DataFrame({"a": [nan, 1, nan, 2, 1.5], "b": [0, nan, nan, 3, 2], "c": [0.0, 0, 1, 2, 0]})
    formula = Formula.from_string(text, ["a", "b", "c"])
    wanted = formula.predict(table)
    lacks = table[list(formula.variables)].isna().any(axis=1)
    np.testing.assert_array_equal(np.isnan(wanted), lacks)
    agree(written_everywhere(formula, table), np.array([wanted] * 8), slice(None))


def written_everywhere(formula, table):
    """Scores of Python, numpy, torch, ONNX, C, both databases and Excel; NaN for NULL and errors."""
    function, numbers = run(formula.to_python()), formula.reader.transform(table)
    found = [
        [function(row) for row in records(table)],
        run(formula.to_numpy())(table),
        formula.to_torch()(torch.tensor(formula.variable_values(table))).detach().numpy(),
        run_matrix(formula.to_onnx(), numbers, "float64")["scores"][:, 0],
        compiled(formula)(c_rows(formula, table)),
        *(in_database(formula, table, database) for database in CONNECT),
        in_excel(formula, table),
    ]
    return [np.array(scores, dtype=float) for scores in found]


def test_what_is_not_a_number_has_no_power_in_duckdb():
    formula = Formula.from_string("(exp(a) - exp(b))^(a - b)", ["a", "b"])
    table = pd.DataFrame({"a": [1000.0, 3.0], "b": [1000.0, 2.0]})
    assert np.isnan(formula.predict(table)[0])
    assert in_database(formula, table, "duckdb") == [None, pytest.approx(formula.predict(table)[1])]


def test_after_a_division_by_zero_databases_give_null_where_predict_goes_on():
    table = pd.DataFrame({"x": [7.0, 7.0], "y": [-0.0, 2.0]})
    for text, wanted in (("max(x/y, 1)", [1.0, 3.5]), ("sign(x/y)", [-1.0, 1.0])):
        formula = Formula.from_string(text, ["x", "y"])
        np.testing.assert_array_equal(formula.predict(table), wanted)
        for database in CONNECT:
            assert in_database(formula, table, database) == [None, wanted[1]]


a, b, c = symbols(3)
KEEP = {"evaluate": False}
UNTIDY = [
    sp.Mul(a, sp.Pow(sp.Mul(b, c, **KEEP), -1, **KEEP), **KEEP),
    sp.Mul(a, sp.Pow(sp.Mul(b, sp.Pow(c, -1), **KEEP), -1, **KEEP), **KEEP),
    sp.Add(a, sp.Mul(-1, sp.Add(b, c), **KEEP), **KEEP),
    sp.Add(a, sp.Mul(-1, sp.Mul(-1, b, **KEEP), **KEEP), **KEEP),
    sp.Add(a, sp.Add(sp.Mul(-1, b), c, **KEEP), **KEEP),
    sp.Mul(a, sp.Add(b, -c), sp.Float(-2.5), **KEEP),
    sp.Pow(sp.Pow(a, 2, **KEEP), b, **KEEP),
    sp.Pow(sp.Mul(-1, a), 2, **KEEP),
    sp.Pow(sp.Float(-2.0), sp.Integer(2) + 0 * a, **KEEP) * a,
    sp.Mul(sp.sign(a), sp.Pow(sp.Add(sp.sign(b), sp.sign(c)), -1, **KEEP), **KEEP),
    sp.Pow(sp.Float(2.5), sp.Mul(-1, a), **KEEP),
    sp.exp(sp.Mul(-1, sp.Pow(a, 2), **KEEP), **KEEP),
    sp.Mul(sp.Float(1 / 3), sp.Float(1 / 3), sp.Float(-1.2345678912345678e-4), a, **KEEP),
    sp.Mul(sp.Pow(a, 0, **KEEP), sp.Pow(1, b, **KEEP), c, **KEEP),
]


@pytest.mark.parametrize("expr", UNTIDY, ids=str)
def test_brackets_of_trees_that_sympy_did_not_tidy(expr):
    table = pd.DataFrame({"a": [2, 3], "b": [5, -1], "c": [1, -3]})
    reader = TableReader().fit(table)
    formula = Formula(expr, make_variables(reader, reader.transform(table)), reader=reader)
    wanted = formula.predict(table)
    assert np.isfinite(wanted).all()
    np.testing.assert_allclose([run(formula.to_python())(row) for row in records(table)], wanted, rtol=1e-12)
    np.testing.assert_allclose(run(formula.to_numpy())(table), wanted, rtol=1e-12)
    for database in CONNECT:
        np.testing.assert_allclose(in_database(formula, table, database), wanted, rtol=1e-12)
    np.testing.assert_allclose(in_excel(formula, table), wanted, rtol=1e-12)
    np.testing.assert_allclose(compiled(formula)(c_rows(formula, table)), wanted, rtol=1e-12)
    again = Formula.from_string(str(formula), ["a", "b", "c"])
    np.testing.assert_allclose(again.predict(table), wanted, rtol=1e-12)
    assert Formula.from_dict(formula.to_dict()) == formula


def level_formula(level, name="c"):
    table = pd.DataFrame({name: [level, "other", "third"]})
    reader = TableReader().fit(table)
    variables = make_variables(reader, reader.transform(table))
    position = [variable.level for variable in variables].index(level)
    return table, Formula(symbols(len(variables))[position] * 2.5 + 1, variables, reader=reader)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_and_no_level_becomes_code(name):
    table, formula = level_formula(name, name)
    wanted = [3.5, 1.0, 1.0]
    np.testing.assert_allclose(formula.predict(table), wanted)
    np.testing.assert_allclose([run(formula.to_python())(row) for row in records(table)], wanted)
    np.testing.assert_allclose(run(formula.to_numpy())(table), wanted)
    for database in CONNECT if name else ["sqlite"]:  # no name in DuckDB
        np.testing.assert_allclose(in_database(formula, table, database), wanted)
    np.testing.assert_allclose(in_excel(formula, table), wanted)
    assert Formula.from_dict(formula.to_dict()) == formula
    assert formula.to_c().count("*/") == 1
    assert formula.latex().count("{") == formula.latex().count("}")


def test_all_odd_names_at_once():
    n = len(HOSTILE)
    X = np.random.default_rng(1).normal(size=(20, n))
    table = pd.DataFrame(X, columns=HOSTILE)
    reader = TableReader().fit(table)
    expr = sum(((i + 1.5) * s for i, s in enumerate(symbols(n))), sp.Float(1.0))
    formula = Formula(expr, make_variables(reader, X), reader=reader)
    unique = [*HOSTILE[:14], "a_2", HOSTILE[15]]
    assert formula.variables == tuple(unique)
    wanted = X @ (np.arange(n) + 1.5) + 1
    named = pd.DataFrame(X, columns=unique)
    np.testing.assert_allclose(formula.predict(table), wanted)
    np.testing.assert_allclose([run(formula.to_python())(row) for row in records(named)], wanted)
    np.testing.assert_allclose(run(formula.to_numpy())(named), wanted)
    np.testing.assert_allclose(in_database(formula, named, "sqlite"), wanted)
    np.testing.assert_allclose(compiled(formula)(X), wanted)
    again = Formula.from_string(str(formula), HOSTILE)
    np.testing.assert_allclose(again.predict(table), wanted, rtol=1e-5)


def compiled(formula):
    """Compile the C function; return it as a function of the rows of its arguments."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed: the C function cannot be compiled")
    with tempfile.TemporaryDirectory() as directory:
        source, library = Path(directory) / "f.c", Path(directory) / "f.so"
        source.write_text(formula.to_c())
        command = ["gcc", "-Wall", "-Werror", "-std=c99", "-shared", "-fPIC", source, "-o", library, "-lm"]
        subprocess.run(command, check=True, capture_output=True)
        function = ctypes.CDLL(str(library)).predict
    function.restype = ctypes.c_double
    return lambda rows: [function(*map(ctypes.c_double, row)) for row in rows]


def c_rows(formula, table):
    """Arguments of the C function: numbers as they are, others as their 0 and 1."""
    used = [v for v in formula.all_variables if v.label in formula.variables]
    matrix = formula.reader.transform(table)
    columns, numbers = [], set()
    for variable in used:
        if formula.reader.levels[variable.column] is None:
            if variable.column not in numbers:
                columns.append(matrix[:, variable.column])
            numbers.add(variable.column)
        else:
            columns.append(variable.values(matrix))
    return np.column_stack(columns)


def test_c_agrees_with_predict(formulas, seen):
    compared = 0
    for formula in formulas[:12]:
        wanted, rows = formula.predict(seen), steady(formula, seen)
        compared += agree(compiled(formula)(c_rows(formula, seen)), wanted, rows)
    assert compared > 600


def test_a_constant_formula_can_be_written_everywhere(table):
    reader = TableReader().fit(table)
    formula = Formula(sp.Float(2.5), make_variables(reader, reader.transform(table)), reader=reader)
    assert formula.predict(table).tolist() == [2.5] * 100
    assert run(formula.to_python())({}) == 2.5
    assert run(formula.to_numpy())(table).tolist() == [2.5] * 100
    assert compiled(formula)([()]) == [2.5]
    assert formula.to_torch()(torch.zeros(3, 0)).tolist() == [2.5] * 3
    assert (formula.to_sql(), formula.to_excel(), str(formula)) == ("2.5", "=2.5", "2.5")


@pytest.mark.parametrize("level", [3, 2.5, True, "3"])
def test_levels_keep_their_type(level):
    table = pd.DataFrame({"c": pd.Categorical([level, "b", None, level])})
    reader = TableReader().fit(table)
    variables = make_variables(reader, reader.transform(table))
    position = [variable.level for variable in variables].index(level)
    formula = Formula(symbols(len(variables))[position] * 1.0, variables, reader=reader)
    wanted = [1, 0, 0, 1]
    assert [run(formula.to_python())(row) for row in records(table)] == wanted
    assert run(formula.to_numpy())(table).tolist() == wanted
    for database in CONNECT if isinstance(level, str) else ["sqlite"]:
        assert in_database(formula, table, database) == wanted
    assert in_excel(formula, table) == wanted
    assert Formula.from_dict(formula.to_dict()) == formula


def test_levels_that_cannot_be_written_are_named():
    table = pd.DataFrame({"day": pd.Categorical(pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03"]))})
    reader = TableReader().fit(table)
    variables = make_variables(reader, reader.transform(table))
    formula = Formula(symbols(len(variables))[0] * 1.0, variables, reader=reader)
    assert formula.predict(table).tolist() == [1, 0, 0]
    for write in (formula.to_python, formula.to_sql, formula.to_excel, formula.to_dict):
        with pytest.raises(ValueError, match="'day' has a level of type Timestamp"):
            write()


def test_missing_values_of_all_kinds_are_missing():
    formula = level_formula("a")[1]
    column = pd.array(["a", pd.NA, "b"], dtype="string")
    assert run(formula.to_numpy())({"c": column}).tolist() == [3.5, 1, 1]
    numbers = Formula.from_string("2*n", ["n"])
    result = run(numbers.to_numpy())({"n": pd.array([1, pd.NA], dtype="Int64")})
    np.testing.assert_array_equal(result, [2, np.nan])
    assert math.isnan(run(numbers.to_python())({"n": pd.NA}))


def test_torch_constants_are_trained_and_gradients_flow():
    formula = Formula.from_string("2.5*a^2 + exp(0.5*b) + a/3 + a^1.5", ["a", "unused", "b"])
    module = formula.to_torch()
    assert module.variables == ("a", "b")
    assert sorted(module.constants.tolist()) == pytest.approx([1 / 3, 0.5, 2.5])
    values = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(module, values)
    module(values).sum().backward()
    assert module.constants.grad.shape == (3,)
    assert (module.constants.grad != 0).all()
    again = formula.to_torch()
    again.load_state_dict(module.state_dict())
    assert module(values.float()).dtype == torch.float64


@pytest.mark.parametrize("name", ["a b", "1x", "lambda", "x;", "ü", ""])
def test_names_of_functions_are_checked(name):
    formula = Formula.from_string("a", ["a"])
    for write in (formula.to_python, formula.to_numpy, formula.to_c):
        with pytest.raises(ValueError, match="identifier"):
            write(name)


@pytest.mark.parametrize(
    ("write", "names"),
    [
        ("to_python", "math float type _number _call _max _missing _level abs ValueError __debug__"),
        ("to_numpy", "np float len type _number _missing _absent _power TypeError __debug__"),
        ("to_c", "int double NAN max_of pow_of sqrt y0 fabsf main linux _Bool __func__ constexpr isnan"),
    ],
)
def test_no_function_hides_what_its_source_text_uses(write, names):
    text = "max(a, b) + min(a, b)^a - abs(tan(b/a))*sign(a) + sqrt(exp(a))"
    write_it = getattr(Formula.from_string(text, ["a", "b"]), write)
    called = set(re.findall(r"(?<![.\w])[A-Za-z_]\w*(?=\()", write_it())) - {"predict", "function"}
    assert len(called) >= 5
    for name in called | set(names.split()):
        with pytest.raises(ValueError, match=f"`name` must be .*, got '{name}'"):
            write_it(name)
    for name in ("score", "a", "x", "value", "row", "x0_a", "_"):
        assert f" {name}(" in write_it(name)


def test_quoting_of_each_sql_dialect():
    _, formula = level_formula("it's \\ `x`", 'na"m`e]')
    quoted = {
        "sqlite": ('`na"m``e]`', "'it''s \\ `x`'"),
        "postgres": ('"na""m`e]"', "'it''s \\ `x`'"),
        "duckdb": ('"na""m`e]"', "'it''s \\ `x`'"),
        "snowflake": ('"na""m`e]"', "'it''s \\\\ `x`'"),
        "mysql": ('`na"m``e]`', "'it''s \\\\ `x`'"),
        "spark": ('`na"m``e]`', "'it\\'s \\\\ `x`'"),
        "bigquery": ('`na"m\\`e]`', "'it\\'s \\\\ `x`'"),
        "sqlserver": ('[na"m`e]]]', "N'it''s \\ `x`'"),
    }
    for dialect, (name, level) in quoted.items():
        text = formula.to_sql(dialect)
        assert name in text
        assert level in text
    with pytest.raises(ValueError, match="dialect"):
        formula.to_sql("oracle")
    with pytest.raises(ValueError, match="NUL"):
        Formula.from_string("`a\0`", ["a\0"]).to_sql()


def test_sql_dialects_differ_where_databases_do():
    formula = Formula.from_string("log(n) + max(1/n, 2) + n^1.5", ["n"])
    assert "LOG(" in formula.to_sql("sqlserver")
    assert "LN(" in formula.to_sql("postgres")
    # GREATEST forgets NULL there
    assert "IS NULL THEN NULL ELSE GREATEST(" in formula.to_sql("postgres")
    assert "IS NULL" not in formula.to_sql("bigquery")
    assert "CAST(`n` AS FLOAT64)" in formula.to_sql("bigquery")
    # a power of an exact decimal is rounded to its digits there
    for text in ("2^n", "(-2)^n", "0.5^n", "1e-30*n + 3", "n/7"):
        numbers = re.findall(
            r"(?<![\w.])\d[\w.]*(?:[-+]\d+)?", Formula.from_string(text, ["n"]).to_sql("sqlserver")
        )
        assert numbers
        assert all(re.search(r"[eE][-+]?\d+$", number) for number in numbers)
    assert Formula.from_string("2^n", ["n"]).to_sql("sqlserver") == "POWER(2.0E0, CAST([n] AS FLOAT))"
    with pytest.raises(ValueError, match="mysql has no function TANH"):
        Formula.from_string("tanh(n)", ["n"]).to_sql("mysql")
    assert "--" not in Formula.from_string("3 - (-2)*n - (-(-n))", ["n"]).to_sql()


def test_parse_reads_what_sympy_prints(formulas):
    for formula in formulas[:10]:
        names = {str(s): s for s in symbols(len(formula.all_variables))}
        text = str(formula.expr).replace("Abs", "abs").replace("Max", "max").replace("Min", "min")
        value = formula.with_expr(parse(text, names))
        rng = np.random.default_rng(0)
        matrix = np.column_stack([rng.normal(size=(9, 3)), rng.integers(0, 3, 9)])
        np.testing.assert_allclose(value.predict_codes(matrix), formula.predict_codes(matrix), rtol=1e-8)
