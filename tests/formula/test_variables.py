import numpy as np
import pandas as pd
import pytest

from skrationale.formula.variables import Variable, make_variables, variable_values
from skrationale.tabular import TableReader


def read(table):
    reader = TableReader().fit(table)
    return reader, reader.transform(table)


def test_numbers_missing_values_and_levels_become_variables():
    table = pd.DataFrame(
        {
            "age": [30.0, None, 50.0, 70.0],
            "city": ["Ulm", "Bonn", None, "Ulm"],
            "old": [False, False, True, True],
        }
    )
    reader, matrix = read(table)
    variables = make_variables(reader, matrix)
    labels = ["age", "missing(age)", "missing(city)", '[city = "Bonn"]', '[city = "Ulm"]', "old"]
    assert [variable.label for variable in variables] == labels
    expected = [
        [30, 0, 0, 0, 1, 0],
        [50, 1, 0, 1, 0, 0],
        [50, 0, 1, 0, 0, 1],
        [70, 0, 0, 0, 1, 1],
    ]
    np.testing.assert_array_equal(variable_values(variables, matrix), expected)
    assert all(variables[i].column == j for i, j in enumerate([0, 0, 1, 1, 1, 2]))


def test_what_is_the_same_in_all_rows_is_left_out():
    table = pd.DataFrame(
        {"one": [1.0, 1, 1], "none": [np.nan] * 3, "same": ["a"] * 3, "gap": [2.0, np.nan, 2.0]}
    )
    assert [variable.label for variable in make_variables(*read(table))] == ["missing(gap)"]


def test_two_levels_need_one_variable():
    variables = make_variables(*read(pd.DataFrame({"sex": ["f", "m", "f"]})))
    assert [variable.label for variable in variables] == ['[sex = "m"]']


def test_most_frequent_levels_by_weight():
    table = pd.DataFrame({"c": list("aaabbcd")})
    reader, matrix = read(table)
    assert [v.level for v in make_variables(reader, matrix, max_levels=2)] == ["a", "b"]
    weights = np.array([1.0, 1, 1, 1, 1, 0, 9])
    assert [v.level for v in make_variables(reader, matrix, 2, weights)] == ["a", "d"]
    assert [v.level for v in make_variables(reader, matrix, 9, weights)] == ["a", "b", "d"]


def test_unseen_levels_are_none_of_the_levels():
    reader, matrix = read(pd.DataFrame({"c": ["a", "b", "c"]}))
    values = variable_values(
        make_variables(reader, matrix), reader.transform(pd.DataFrame({"c": ["z", "b"]}))
    )
    np.testing.assert_array_equal(values, [[0, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize(
    ("level", "label"),
    [('U"l\\m\n', r'[c = "U\"l\\m\n"]'), (3, "[c = 3]"), (True, "[c = True]"), ("ü", '[c = "ü"]')],
)
def test_labels_of_levels(level, label):
    assert Variable(0, "c", "level", level=level).label == label


def test_a_fill_of_nan_keeps_values_missing():
    assert np.isnan(Variable(0, "x", "number", fill=np.nan).values(np.array([[np.nan]])))[0]
