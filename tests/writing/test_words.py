"""Words and numbers for people."""

import numpy as np
import pandas as pd
import pytest

from skrationale.writing import (
    count_of,
    decimals,
    format_cell,
    format_column,
    format_number,
    format_share,
    is_missing,
    join_names,
    plural,
    sentence,
)


@pytest.mark.parametrize(
    ("names", "words"),
    [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c", "d", "e"], "a, b, c, d and 1 other")],
)
def test_names_are_joined(names, words):
    assert join_names(names) == words


def test_long_names_are_shortened_where_they_are_joined():
    assert max(map(len, join_names(["x" * 100, "y" * 100]).split(" and "))) == 40


def test_counts_and_plurals():
    assert [count_of(n, "row") for n in (0, 1, 2, 1000)] == ["0 rows", "1 row", "2 rows", "1,000 rows"]
    assert plural("column", 1) == "column"


def test_sentences_keep_the_letters_of_names():
    assert sentence("contribution to BMI") == "Contribution to BMI"


def test_small_shares_are_not_written_as_none():
    assert [format_share(part) for part in (0.0, 0.004, 0.005, 1.0)] == ["0%", "under 1%", "0%", "100%"]


def test_marks_of_missing_cells():
    times = [np.datetime64("NaT"), np.timedelta64("NaT"), pd.NaT]
    assert all(is_missing(cell) for cell in [None, float("nan"), np.float32("nan"), pd.NA, *times])
    known = [0, "", False, "nan", 10**400, np.timedelta64(0, "D"), np.datetime64("2024-02-29"), [None]]
    assert not any(is_missing(cell) for cell in known)


def test_decimals():
    assert [decimals(x) for x in (-0.126, 2.0, float("nan"))] == ["−0.13", "2.00", ""]
    assert decimals(0.5, sign=True) == "+0.50"


def test_a_column_has_one_number_of_decimals():
    assert format_column([0.1, 20.25, 3]) == ["0.10", "20.25", "3.00"]
    assert format_column([1234.5, 2.5e-13, -7]) == ["1,234", "0", "−7"]
    assert format_column([0.012, 0.0003], sign=True) == ["+0.0120", "+0.0003"]
    assert format_column([1e-9, 5e-10]) == ["1e−09", "5e−10"]
    assert format_column([]) == []
    assert format_column([float("inf"), 1.5]) == ["∞", "1.5"]
    assert format_column([5.0, -0.0001]) == ["5.000", "0.000"], "no negative nought"


def test_years_have_no_separators_and_large_numbers_have():
    assert [format_cell(cell) for cell in (2015, 9999.0, 12345, True)] == ["2015", "9999", "12,345", "True"]
    assert format_number(1234.5) == "1,234"
