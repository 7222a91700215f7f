"""Rules read off regression trees: right, exact as printed, and in the user's words."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skrationale.flint._rule_text import number_between
from skrationale.flint._rule_trees import RuleTrees
from skrationale.flint._rules import Rule, RuleColumns, fit_rule
from skrationale.tabular import TableReader


def people(n=1500, seed=0):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n).astype(float),
            "hours": rng.integers(10, 80, n),
            "city": rng.choice(["Ulm", "Bonn", "Rome", "Oslo"], n),
            "married": rng.random(n) < 0.5,
            "noise": rng.normal(size=n),
        }
    )
    table.loc[rng.random(n) < 0.15, "age"] = np.nan
    table.loc[rng.random(n) < 0.15, "city"] = None
    return table


def read(table):
    reader = TableReader().fit(table)
    matrix = reader.transform(table)
    return RuleColumns(reader, matrix, reader.display(table)), matrix


def rule_of(table, values, **parameters):
    columns, matrix = read(table)
    return fit_rule(columns, matrix, np.asarray(values, dtype=float), **parameters)


def number(text):
    return float(text.replace("−", "-").replace(",", ""))


def select(table, rule):
    """Apply a printed rule by hand."""
    chosen = np.ones(len(table), dtype=bool)
    for condition in rule.conditions:
        text = condition.removesuffix(" (or missing)")
        name = next(name for name in table.columns if re.search(rf"\b{name}\b", text))
        column = table[name]
        missing = column.isna().to_numpy()
        what = text.replace(name, "_", 1)
        if between := re.fullmatch(r"(\S+) < _ <= (\S+)", what):
            holds = (column > number(between[1])) & (column <= number(between[2]))
        elif above := re.fullmatch(r"_ > (\S+)", what):
            holds = column > number(above[1])
        elif below := re.fullmatch(r"_ <= (\S+)", what):
            holds = column <= number(below[1])
        elif what in ("_ is missing", "_ is not missing"):
            holds = missing == (what == "_ is missing")
        elif what in ("_ is true", "_ is false"):
            holds = column == (what == "_ is true")
        elif what.startswith("_ is none of "):
            holds = ~column.isin(what.removeprefix("_ is none of ").split(", ")) & ~missing
        elif what.startswith("_ is not "):
            holds = (column != what.removeprefix("_ is not ")) & ~missing
        else:
            holds = column == what.removeprefix("_ is ")
        chosen &= np.asarray(holds, dtype=bool) | (missing & condition.endswith(" (or missing)"))
    return chosen


TRUTHS = {
    "age > 47 and hours > 40": lambda t: (t.age > 47) & (t.hours > 40),
    "30 < age <= 47": lambda t: (t.age > 30) & (t.age <= 47),
    "age is missing": lambda t: t.age.isna(),
    "age is not missing": lambda t: ~t.age.isna(),
    "age > 47 (or missing) and hours > 40": lambda t: ~(t.age <= 47) & (t.hours > 40),
    "age <= 47": lambda t: t.age <= 47,
    "city is Ulm and married is true": lambda t: (t.city == "Ulm") & t.married,
    "city is none of Rome, Ulm (or missing)": lambda t: ~t.city.isin(["Ulm", "Rome"]),
    "city is not Ulm": lambda t: ~t.city.isin(["Ulm"]) & ~t.city.isna(),
    "city is missing": lambda t: t.city.isna(),
    "city is not missing": lambda t: ~t.city.isna(),
    "married is false": lambda t: ~t.married,
}


@pytest.mark.parametrize("expected", TRUTHS)
def test_known_rules_are_found_and_worded(expected):
    table = people()
    values = TRUTHS[expected](table)
    rule = rule_of(table, 2.0 * values)
    assert set(rule.conditions) == set(re.split(" and ", expected))
    assert rule.text == " and ".join(rule.conditions)
    assert rule.r2 > 0.99
    assert rule.is_short_rule
    assert rule.mean == pytest.approx(2.0)
    assert rule.share == pytest.approx(values.mean())
    np.testing.assert_array_equal(select(table, rule), values)


@pytest.mark.parametrize("seed", range(6))
def test_a_printed_rule_selects_the_rows_of_the_leaf(seed):
    table = people(900, seed)
    rng = np.random.default_rng(seed)
    level = table.city.map({"Ulm": 1.0, "Bonn": 0.3}).fillna(rng.random())
    age = table.age.fillna(rng.integers(20, 70))
    values = age * level + 30 * table.noise * table.married + rng.random() * table.hours
    rule = rule_of(table, values, random_state=seed)
    chosen = select(table, rule)
    assert len(rule.conditions) > 1
    assert rule.share == pytest.approx(chosen.mean())
    assert rule.mean == pytest.approx(values[chosen].mean())
    assert rule.mean > values.mean() + values.std()


def test_levels_are_refused_together_with_missing():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"city": rng.choice(["Ulm", "Rome", *(f"c{i}" for i in range(12)), None], 2000)})
    values = ~table.city.isin(["Ulm", "Rome"]) & ~table.city.isna()
    rule = rule_of(table, values)
    assert rule.conditions == ("city is none of Rome, Ulm",)
    np.testing.assert_array_equal(select(table, rule), values)


def test_missing_is_named_only_where_the_column_has_missing_values():
    table = people().dropna()
    rule = rule_of(table, (table.age > 47) & (table.city != "Ulm"))
    assert set(rule.conditions) == {"age > 47", "city is not Ulm"}


def test_pruning_leaves_no_idle_condition():
    table = people()
    values = (table.hours > 40) + 0.01 * np.random.default_rng(1).random(len(table))
    assert rule_of(table, values).text == "hours > 40"


@pytest.mark.parametrize(
    ("low", "high", "preferred", "expected"),
    [
        (47, 48, 47.5, "47"),
        (0.1, 0.2, 0.15, "0.1"),
        (0, 1, 0.5, "0"),
        (-3, 5, 4, "0"),
        (-3, -2, -2.5, "−3"),
        (99.5, 104, 100.2, "100"),
        (9.6, 10.2, 9.9, "10"),
        (123456.7, 123456.9, 123456.8, "123,456.8"),
        (1e-9, 2e-9, 1.5e-9, "1e−9"),
        (1e20, 3e20, 2e20, "2e+20"),
        (5, math.inf, 5.25, "5"),
    ],
)
def test_thresholds_are_short(low, high, preferred, expected):
    assert number_between(low, high, preferred) == expected


def test_thresholds_part_numbers_that_hardly_differ():
    rng = np.random.default_rng(0)
    for scale in 10.0 ** rng.uniform(-12, 18, 200):
        low = scale * rng.normal()
        high = low + abs(low) * 10.0 ** -rng.integers(1, 15)
        assert low <= number(number_between(low, high, (low + high) / 2)) < high
        assert low <= number(number_between(low, np.nextafter(low, np.inf), low)) <= low


def test_numbers_beyond_float32_are_read():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.choice([1e300, -1e300, 5e7, 5e7 + 1], 400)})
    rule = rule_of(table, table.x > 1e200)
    assert rule.r2 > 0.99
    np.testing.assert_array_equal(select(table, rule), table.x > 1e200)


def test_constant_attribute():
    table = people(50)
    rule = rule_of(table, np.full(50, 0.3))
    assert (rule.text, rule.conditions, rule.share) == ("always", (), 1.0)
    assert rule.mean == pytest.approx(0.3)
    assert math.isnan(rule.r2)
    assert not rule.is_short_rule
    assert "no short rule" in str(rule)


@pytest.mark.parametrize("n", [1, 2, 7, 12, 39])
def test_few_rows(n):
    table = people(120).dropna()[:n]
    rule = rule_of(table, np.random.default_rng(0).random(n))
    assert not rule.is_short_rule
    np.testing.assert_allclose(rule.share, select(table, rule).mean())


def test_twenty_rows_with_a_clear_rule():
    table = pd.DataFrame({"x": np.arange(20.0)})
    rule = rule_of(table, table.x >= 10)
    assert rule.text == "x > 9"
    assert 0.5 < rule.r2 <= 1


def test_r2_is_of_rows_the_tree_did_not_see():
    table = people(2000)
    rule = rule_of(table, np.random.default_rng(3).random(2000), max_depth=8)
    assert rule.r2 < 0.05
    assert str(rule) == "There is no short rule (depth 8 explains nothing on unseen rows)."


def test_sentences():
    rule = Rule("x > 1", 0.499, 1.5, 0.002, 5, ("x > 1",))
    assert str(rule) == "There is no short rule (depth 5 explains 49% on unseen rows)."
    rule = Rule("x > 1", 0.5, 1.5, 0.002, 5, ("x > 1",))
    assert str(rule) == "x > 1 (R2 0.50 on unseen rows; mean 1.5 in under 1% of rows)"


def test_weights_stand_for_repeated_rows():
    table = people(2000)
    low = table.hours <= 40
    values = np.where(low, table.married, table.age.fillna(0) > 50)
    weight = np.where(low, 0.0, 1.0 + table.married)
    rule = rule_of(table, values, sample_weight=weight)
    assert rule.text == "age > 50"
    inside = ~low & (table.age > 50)
    assert rule.share == pytest.approx(weight[inside].sum() / weight.sum())
    assert rule_of(table, values).text != "age > 50"


def test_heavy_rows_decide_the_fit_and_its_r2():
    table = people(2000)
    heavy = np.random.default_rng(0).random(2000) < 0.3
    values = np.where(heavy, table.hours > 40, table.married)
    assert rule_of(table, values, max_depth=1).text == "married is true"
    rule = rule_of(table, values, max_depth=1, sample_weight=np.where(heavy, 1000.0, 1.0))
    assert rule.text == "hours > 40"
    assert rule.r2 > 0.95


def test_rules_are_repeatable_and_rows_can_be_limited():
    table = people(1000)
    values = table.noise + 3 * table.married
    assert rule_of(table, values, random_state=4) == rule_of(table, values, random_state=4)
    few = rule_of(table, values, max_rows=100)
    assert few != rule_of(table, values)
    assert few.share == pytest.approx(select(table, few).mean())


def test_columns_of_a_mixed_table():
    table = people(200)
    columns, matrix = read(table)
    tree_inputs = columns.transform(matrix)
    assert tree_inputs.dtype == np.float32
    assert tree_inputs.shape == (200, 1 + 1 + 5 + 1 + 1)
    np.testing.assert_array_equal(np.isnan(tree_inputs[:, 0]), table.age.isna())
    np.testing.assert_array_equal(tree_inputs[:, 2:7].sum(axis=1), 1)
    np.testing.assert_array_equal(tree_inputs[:, 6], table.city.isna())
    unseen = matrix.copy()
    unseen[:, 2] = -1
    assert not columns.transform(unseen)[:, 2:7].any()


def test_only_frequent_levels_get_a_column():
    levels = np.repeat([f"l{i:02d}" for i in range(30)], np.arange(1, 31))
    table = pd.DataFrame({"c": levels})
    columns, matrix = read(table)
    tree_inputs = columns.transform(matrix)
    assert tree_inputs.shape[1] == 20
    np.testing.assert_array_equal(tree_inputs.any(axis=1), levels >= "l10")


def test_columns_without_anything_to_split_on():
    table = pd.DataFrame({"c": [None] * 50, "x": [np.nan] * 50})
    assert rule_of(table, np.arange(50.0)).text == "always"
    reader = TableReader().fit(pd.DataFrame({"c": ["a"]}))
    unseen = np.full((50, 1), -1.0)
    assert fit_rule(RuleColumns(reader, unseen), unseen, np.arange(50.0)).text == "always"


def test_zeros_and_ones_are_booleans_only_if_typed_so():
    flags = np.random.default_rng(0).integers(0, 2, 200)
    for cells, expected in ((flags, "f is 1"), (flags > 0, "f is true"), (pd.array(flags > 0), "f is true")):
        table = pd.DataFrame({"f": cells})
        assert rule_of(table, flags).text == expected


def test_names_and_levels_are_kept_but_on_one_line():
    names = ["a\n  b", "<b>'\"&", ""]
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(400, 3)), columns=names)
    table["c"] = rng.choice(["x, y", "z"], 400)
    for j, expected in enumerate(["a b > 0", "<b>'\"& > 0", '"" > 0']):
        values = table.iloc[:, j] > 0
        text = rule_of(table, values).text
        assert text.startswith(expected.removesuffix("0"))
    assert rule_of(table, table.c == "x, y").text in ('c is "x, y"', "c is not z")


def test_bad_input_is_named():
    columns, matrix = read(people(50))
    with pytest.raises(ValueError, match=r"matrix has 2 columns; expected 5"):
        fit_rule(columns, matrix[:, :2], np.ones(50))
    with pytest.raises(ValueError, match=r"values has shape \(49,\); expected \(50,\)"):
        fit_rule(columns, matrix, np.ones(49))
    with pytest.raises(ValueError, match="values holds NaN"):
        fit_rule(columns, matrix, np.full(50, np.nan))
    with pytest.raises(ValueError, match="sample_weight"):
        fit_rule(columns, matrix, np.ones(50), sample_weight=np.zeros(50))
    with pytest.raises(ValueError, match="display"):
        RuleColumns(TableReader().fit(people(50)), matrix, np.zeros((3, 5), dtype=object))


def test_quick_rules_are_leaf_means():
    table = people(800)
    columns, matrix = read(table)
    tree_inputs = columns.transform(matrix)
    values = np.column_stack([table.hours > 40, table.age.isna(), table.noise]).astype(float)
    trees = RuleTrees(tree_inputs, 3, 10, 0)
    fitted = trees.fit_values(values)
    assert fitted.shape == values.shape
    np.testing.assert_allclose(fitted[:, :2], values[:, :2])
    np.testing.assert_allclose(fitted.mean(axis=0), values.mean(axis=0))
    assert len(np.unique(fitted[:, 2])) <= 8
    part = RuleTrees(tree_inputs, 3, 10, 0, max_rows=300).fit_values(values)
    assert part.shape == values.shape
    assert not np.array_equal(part, fitted)
    with pytest.raises(ValueError, match="values"):
        trees.fit_values(values[:5])


def test_quick_rules_are_as_good_as_those_of_scikit_learn():
    X, _ = load_digits(return_X_y=True)
    values = np.log1p(
        np.exp(StandardScaler().fit_transform(X) @ np.random.RandomState(0).normal(size=(64, 4)))
    )
    fitted = RuleTrees(X.astype(np.float32), 5, 8, 0).fit_values(values)
    tree = DecisionTreeRegressor(max_depth=5, min_samples_leaf=8, random_state=0)
    theirs = np.column_stack([tree.fit(X, column).predict(X) for column in values.T])
    assert r2_score(values, fitted) > r2_score(values, theirs) - 0.01


@pytest.mark.parametrize(("scale", "shift"), [(3.0, 0.0), (1e-3, 0.0), (1.0, 5.0)])
def test_quick_rules_do_not_depend_on_unit_and_origin_of_a_column(scale, shift):
    rng = np.random.RandomState(0)
    X, values = rng.normal(size=(700, 3)).astype(np.float32), rng.rand(700, 2)
    usual, moved = (RuleTrees(rows, 4, 5, 0).fit_values(values) for rows in (X, X * scale + shift))
    np.testing.assert_array_equal(moved, usual)


@pytest.mark.parametrize("cells", [0.0, np.nan], ids=["constant", "missing"])
def test_quick_rules_of_columns_that_do_not_vary_are_means(cells):
    values = np.random.RandomState(0).rand(300, 2)
    fitted = RuleTrees(np.full((300, 2), cells, dtype=np.float32), 4, 5, 0).fit_values(values)
    np.testing.assert_allclose(fitted, np.tile(values.mean(axis=0), (300, 1)))


@pytest.mark.parametrize("power", [-1000, -100, 100, 900])
def test_the_unit_of_a_column_does_not_matter(power):
    table = people(600)[["age", "hours"]].fillna(40)
    values = (table.age > 47) + 0.5 * (table.hours > 40)
    tree_inputs = [columns.transform(matrix) for columns, matrix in map(read, (table, table * 2.0**power))]
    np.testing.assert_array_equal(*tree_inputs)
    usual, scaled = rule_of(table, values), rule_of(table * 2.0**power, values)
    assert scaled.r2 == pytest.approx(usual.r2)
    assert (scaled.share, scaled.mean) == (usual.share, usual.mean)
    np.testing.assert_array_equal(select(table * 2.0**power, scaled), select(table, usual))


def test_numbers_closer_than_a_ten_millionth_are_told_apart():
    table = pd.DataFrame({"x": 1e-9 * np.arange(200.0)})
    rule = rule_of(table, table.x > 1e-7)
    assert rule.r2 > 0.99
    np.testing.assert_array_equal(select(table, rule), table.x > 1e-7)
