"""Descriptions of attributes: right numbers, readable text, static and escaped HTML."""

import math
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from skrationale.flint._describe import Descriptions, column_importance, describe
from skrationale.tabular import TableReader

HOSTILE = '<b>it\'s</b> "x" & y'


def softplus(z):
    return np.log1p(np.exp(z))


def table_of(n=800, seed=0):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n).astype(float),
            "hours": rng.integers(10, 80, n),
            "city": rng.choice(["Ulm", "Bonn", "Rome"], n),
            HOSTILE: rng.choice(["<i>a</i>", "b"], n),
            "married": rng.random(n) < 0.5,
        }
    )
    table.loc[rng.random(n) < 0.1, "age"] = np.nan
    return table


def phi_of(matrix):
    """Give three attributes that live, one that is never relevant, and one that is dead."""
    age = np.nan_to_num(matrix[:, 0], nan=18)
    return np.column_stack(
        [
            3.0 * ((age > 47) & (matrix[:, 1] > 40)),
            1.0 + (matrix[:, 3] == 0),
            2.0 * np.sin(matrix[:, 1] * 7.0) ** 2 + 0.5 * (matrix[:, 2] == 1),
            1e-3 * (matrix[:, 2] == 2),
            np.full(len(matrix), 0.2),
        ]
    )


WEIGHTS = np.array([[1.0, -0.2, -1.0, 0.1, 0.0], [-1.0, 0.9, 0.2, 0.0, 0.0], [-0.8, 0.0, 1.1, 0.0, 0.0]])
NAMES = ["a0", HOSTILE, "a2", "a3", "a4"]


def parts_of(table, weights=WEIGHTS):
    reader = TableReader().fit(table)
    matrix = reader.transform(table)
    phi = phi_of(matrix)
    explained = (phi @ weights.T).argmax(axis=1)
    alpha = phi * weights[explained]
    relevance = alpha / np.maximum(np.abs(alpha).max(axis=1, keepdims=True), 1e-12)
    categorical = np.array([levels is not None for levels in reader.levels])
    importance, direction = column_importance(phi_of, matrix, categorical=categorical)
    return {
        "phi": phi,
        "relevance": relevance,
        "explained": explained,
        "weights": weights,
        "output_names": ["yes", HOSTILE, "maybe"][: len(weights)],
        "attribute_names": NAMES,
        "reader": reader,
        "matrix": matrix,
        "display": reader.display(table),
        "importance": importance,
        "direction": direction,
    }


def described(parts, **changes):
    parts = parts | changes
    return describe(parts.pop("phi"), **parts)


@pytest.fixture(scope="module")
def table():
    return table_of()


@pytest.fixture(scope="module")
def parts(table):
    return parts_of(table)


@pytest.fixture(scope="module")
def descriptions(parts):
    return described(parts)


class Reader(HTMLParser):
    """Collect text, and see that tags are closed in order and lead nowhere."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], set(), ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def static(text):
    assert not [
        word for word in ("http", "<script", "@import", "url(", "<b>it", "<i>a") if word in text.lower()
    ]
    return Reader(text)


# --- column_importance ---------------------------------------------------------------------------


def test_importance_is_that_of_the_formula():
    matrix = np.random.default_rng(0).normal(size=(1000, 3))
    matrix[::5, 1] = np.nan

    def phi(rows):
        missing = np.isnan(rows[:, 1])
        return np.column_stack([2 * rows[:, 0] + rows[:, 2], missing, np.ones(len(rows)), -rows[:, 2]])

    importance, direction = column_importance(phi, matrix)
    np.testing.assert_allclose(importance[:, 0], [0.8, 0, 0.2], atol=0.05)
    np.testing.assert_allclose(importance[:, 1], [0, 1, 0], atol=0.05)
    np.testing.assert_array_equal(importance[:, 2], 0)
    assert direction[0, 0] == pytest.approx(spearmanr(matrix[:, 0], phi(matrix)[:, 0])[0])
    assert direction[2, 3] == pytest.approx(-1)
    assert np.isnan(direction[:, 2]).all()
    assert np.isnan(direction[1, 1])


def test_importance_is_repeatable_bounded_and_leaves_codes_alone():
    matrix = np.random.default_rng(0).normal(size=(3000, 2))
    before, sizes = matrix.copy(), []

    def phi(rows):
        sizes.append(len(rows))
        return rows**2

    first = column_importance(phi, matrix, random_state=3)
    np.testing.assert_equal(first, column_importance(phi, matrix, random_state=3))
    assert not np.array_equal(first[0], column_importance(phi, matrix, random_state=4)[0])
    np.testing.assert_array_equal(matrix, before)
    assert max(sizes) == 5 * 1000
    few = column_importance(phi, matrix, n_repeats=1, max_rows=10)
    assert few[0].shape == (2, 2)


def test_categories_have_no_direction():
    matrix = np.random.default_rng(0).integers(0, 3, size=(100, 2)).astype(float)
    _, direction = column_importance(lambda rows: rows, matrix, categorical=np.array([True, False]))
    assert np.isnan(direction[0]).all()
    assert direction[1, 1] == pytest.approx(1)


def test_one_row_and_one_column():
    importance, direction = column_importance(lambda rows: rows, np.ones((1, 1)))
    assert importance == [[0]]
    assert np.isnan(direction).all()


# --- describe ------------------------------------------------------------------------------------


def test_numbers_of_a_description(parts, descriptions):
    phi, r, explained = parts["phi"], parts["relevance"], parts["explained"]
    d = descriptions[0]
    assert (d.index, d.name, d.active) == (0, "a0", True)
    assert list(d.weights.values()) == [1.0, -1.0, -0.8]
    assert d.relevant_share == pytest.approx((r[:, 0] > 0.5).mean())
    for c, mean in enumerate(d.relevance.values()):
        assert mean == pytest.approx(r[explained == c, 0].mean())
    for q, value in descriptions[2].quantiles.items():
        assert value == pytest.approx(np.quantile(phi[:, 2], q / 100, method="inverted_cdf"))
    assert set(d.columns["column"]) == {"age", "hours"}
    assert d.columns["importance"].is_monotonic_decreasing
    assert (d.columns["direction"] > 0).all()
    assert set(d.rule.conditions) == {"age > 47", "hours > 40"}
    assert d.speaks_for == ("yes",)
    assert d.speaks_against == (HOSTILE,)


def test_a_constant_added_to_all_weights_changes_no_side(parts, descriptions):
    for d, moved in zip(descriptions, described(parts, weights=WEIGHTS + 5.0), strict=True):
        assert (d.speaks_for, d.speaks_against) == (moved.speaks_for, moved.speaks_against)


def test_prototypes_are_the_largest_and_contrast_the_smallest(table, parts, descriptions):
    d = descriptions[0]
    assert list(d.prototypes.columns) == ["a0", "output", *table.columns]
    assert len(d.prototypes) == len(d.contrast) == 3
    of_yes = parts["explained"] == 0
    assert set(d.prototypes["output"]) == {"yes"}
    assert (d.prototypes["a0"] == parts["phi"][of_yes, 0].max()).all()
    assert (d.contrast["a0"] == parts["phi"][of_yes, 0].min()).all()
    assert not set(d.prototypes.index) & set(d.contrast.index)
    typed = table.loc[d.prototypes.index]
    assert typed["city"].tolist() == d.prototypes["city"].tolist()
    assert d.prototypes["hours"].dtype.kind == "i"
    assert d.prototypes["married"].dtype.kind == "b"


def test_prototypes_of_every_output_it_is_relevant_for(parts):
    r = np.full_like(parts["relevance"], 0.9)
    explained = np.arange(len(r)) % 3
    d = described(parts, relevance=r, explained=explained, n_prototypes=2)[2]
    assert d.prototypes["output"].tolist() == ["yes"] * 2 + [HOSTILE] * 2 + ["maybe"] * 2
    d = described(parts, relevance=r * 0, explained=explained * 0 + 1)[2]
    assert set(d.prototypes["output"]) == {HOSTILE}
    assert np.isnan([d.relevance["yes"], d.relevance["maybe"]]).all()


def test_dead_attribute(descriptions):
    d = descriptions["a4"]
    assert not d.active
    assert d.rule is None
    assert len(d.columns) == len(d.prototypes) == len(d.contrast) == 0
    assert str(d) == "a4: dead: it is almost constant over the rows."
    assert "dead" in static(d._repr_html_()).text


def test_text_of_a_description(descriptions):
    first, *rest = str(descriptions[0]).split("\n  ")
    used = f"{descriptions[0].relevant_share:.0%}"
    assert first == f"a0: speaks for yes, against {HOSTILE}; used in {used} of rows."
    assert rest[0].startswith("Values: 0 (10% quantile), ")
    assert rest[1].startswith("Columns, with importance: ")
    assert rest[2].startswith("Rule: ")
    assert "(R2 1.00 on unseen rows; mean 3 in " in rest[2]
    assert "There is no short rule (depth 5 explains " in str(descriptions[2])
    assert "relevant in no row" in str(descriptions[3])


def test_one_output_counts_both_signs(table):
    weights = np.array([[-1.0, 0.0, 0.4, 0.0, 0.0]])
    parts = parts_of(table, weights) | {"output_names": ["price"]}
    descriptions = described(parts)
    d = descriptions[0]
    assert d.relevant_share == pytest.approx((parts["relevance"][:, 0] < -0.5).mean())
    assert d.relevant_share > 0.1
    assert str(d).startswith("a0: lowers the score of price; used in ")
    assert str(descriptions[2]).startswith("a2: raises the score of price; used in ")
    assert "has no weight" in str(descriptions[1])
    assert (d.prototypes["a0"] == 3).all()


def test_weights_of_rows_are_repeated_rows(parts):
    weight = np.random.default_rng(0).integers(0, 3, len(parts["phi"]))
    rows = np.repeat(np.arange(len(weight)), weight)
    by_row = ("phi", "relevance", "explained", "matrix", "display")
    repeated = described(parts, **{name: parts[name][rows] for name in by_row})
    for d, e in zip(described(parts, sample_weight=weight), repeated, strict=True):
        assert d.relevant_share == pytest.approx(e.relevant_share)
        assert d.quantiles == e.quantiles
        np.testing.assert_allclose(list(d.relevance.values()), list(e.relevance.values()))
        assert weight[d.prototypes.index].all()
    assert described(parts, sample_weight=weight)[0].rule.mean == pytest.approx(3)


@pytest.mark.parametrize("n", [1, 2, 4, 20])
def test_few_rows_and_one_column(n):
    table = pd.DataFrame({"x": np.arange(float(n))})
    reader = TableReader().fit(table)
    matrix = reader.transform(table)
    importance, direction = column_importance(lambda rows: rows, matrix)
    descriptions = describe(
        matrix,
        relevance=np.ones((n, 1)),
        explained=np.zeros(n, dtype=int),
        weights=np.ones((1, 1)),
        output_names=["y"],
        reader=reader,
        matrix=matrix,
        display=reader.display(table),
        importance=importance,
        direction=direction,
    )
    assert descriptions[0].name == "attribute 0"
    assert descriptions[0].active == (n > 1)
    assert descriptions[0].prototypes.shape == (min(n, 3) * (n > 1), 3)
    assert len(descriptions[0].contrast) == min(max(n - 3, 0), 3)
    assert static(descriptions._repr_html_()).text
    assert str(descriptions[0])


def test_bad_input_is_named(parts):
    with pytest.raises(ValueError, match=r"weights has shape \(2, 5\); expected \(3, 5\)"):
        described(parts, weights=WEIGHTS[:2])
    with pytest.raises(ValueError, match=r"explained has shape \(3,\); expected \(800,\)"):
        described(parts, explained=np.zeros(3, dtype=int))
    with pytest.raises(ValueError, match=r"attribute_names has shape \(1,\); expected \(5,\)"):
        described(parts, attribute_names=["a"])
    with pytest.raises(ValueError, match=r"tau must be a number above 1. Got 1 instead"):
        described(parts, tau=1)


# --- Descriptions --------------------------------------------------------------------------------


def test_a_sequence_by_position_and_name(descriptions):
    assert len(descriptions) == 5
    assert descriptions[HOSTILE] is descriptions[1]
    assert descriptions[-1].name == "a4"
    assert isinstance(descriptions[1:3], Descriptions)
    assert [d.index for d in descriptions] == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError, match="no attribute is named"):
        descriptions["b"]
    with pytest.raises(IndexError):
        descriptions[5]


def test_frame(descriptions):
    frame = descriptions.to_frame()
    assert frame["name"].tolist() == NAMES
    assert frame["active"].tolist() == [True] * 4 + [False]
    assert frame["speaks_for"].tolist()[:3] == ["yes", HOSTILE, "maybe"]
    assert frame["rule"].tolist()[2] == "no short rule"
    assert frame["rule"].tolist()[4] == ""
    assert frame["rule_r2"][0] > 0.99
    assert math.isnan(frame["rule_r2"][4])
    assert set(frame["top_columns"][0].split(", ")) == {"age", "hours"}


def test_text_table(descriptions):
    lines = repr(descriptions).splitlines()
    assert " ".join(lines[0].split()) == "attribute used in speaks rule for its largest values R2"
    assert len(lines) == 1 + 3 + 2
    assert lines[-2] == "Relevant in no row: a3."
    assert lines[-1] == "Dead (almost constant over the rows): a4."
    assert any("age > 47" in line and "hours > 40" in line and "1.00" in line for line in lines)
    assert repr(Descriptions([])) == "no attributes"


def test_page(descriptions, tmp_path):
    descriptions.write_html(tmp_path / "page.html", title="<script>'s attributes")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = static(text)
    assert text.startswith("<!doctype html>")
    assert {"h1", "table", "details", "summary"} <= page.tags
    assert "<script>'s attributes" in page.text
    assert "3 of 5 attributes are in use." in page.text
    assert page.text.count(HOSTILE) > 3
    assert "There is no short rule" in page.text
    assert "Rows in which it is smallest, for contrast" in page.text
    assert text.count("<details") == 3


def test_cards(descriptions):
    card = static(descriptions[1]._repr_html_())
    assert {"div", "table", "details"} <= card.tags
    assert "Relevant in no row: a3." in static(descriptions._repr_html_()).text
    assert "html" not in card.tags
    assert "<i>a</i>" in card.text
