"""The renderings as HTML: static, escaped, whole."""

from html.parser import HTMLParser

import numpy as np
import pytest

from skrationale.explanation import Explanation
from skrationale.explanation.wording import rank, unit
from skrationale.writing import format_cell, format_number, shorten

HOSTILE = "<script>alert(1)</script>\"&'"
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Checker(HTMLParser):
    """Collect tags and text, and see that every tag is closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        assert not {"src", "href"} & {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def static(text):
    assert "<script" not in text.lower()
    assert "http" not in text
    assert "@import" not in text
    assert "url(" not in text
    return Checker(text)


def page_of(e, tmp_path, **parameters):
    e.write_html(tmp_path / "page.html", **parameters)
    return (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.fixture
def hostile():
    rng = np.random.default_rng(0)
    return Explanation(
        rng.normal(size=(3, 4, 2)),
        0.1,
        data=[[1, 2, np.nan, 4]] * 3,
        display_data=[[HOSTILE, 2, None, True]] * 3,
        feature_names=[HOSTILE, "b", "c", "d"],
        output_names=[HOSTILE, "dog"],
        formula=HOSTILE,
        link="softmax",
    )


def test_every_string_of_the_user_is_escaped(hostile, tmp_path):
    page = page_of(hostile, tmp_path, title=HOSTILE)
    for text in (
        page,
        hostile._repr_html_(),
        hostile[0]._repr_html_(),
        hostile[0].for_output(0)._repr_html_(),
    ):
        assert HOSTILE in static(text).text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&amp;&#39;" in text


def test_page_is_a_whole_document(hostile, tmp_path):
    page = page_of(hostile, tmp_path)
    assert page.startswith('<!doctype html>\n<html lang="en">')
    tags = static(page).tags
    assert all(tags.count(tag) == 1 for tag in ("html", "head", "body", "main", "h1"))
    assert page.partition("</head>")[0].count("<title>") == 1, "pictures have titles too"
    assert '<meta charset="utf-8">' in page
    assert "<title>Explanation</title>" in page


def test_page_shows_as_many_rows_as_asked(tmp_path):
    e = Explanation(np.ones((30, 2)), 0)
    assert static(page_of(e, tmp_path)).tags.count("details") == 20
    some = page_of(e, tmp_path, max_rows=3)
    assert static(some).tags.count("details") == 3
    assert "3 of 30 rows." in some
    assert static(page_of(e, tmp_path, max_rows=0)).tags.count("details") == 0


def test_card_of_many_rows_ranks_features():
    e = Explanation(np.tile(np.arange(14.0), (3, 1)), 0)
    text = static(e._repr_html_()).text
    assert text.index("x13") < text.index("x12")
    assert "sum of 5 other features" in text
    assert text.index("sum of 5 other features") < text.index("Show all 14 features") < text.index("x4")
    assert "3 rows, 14 features, 1 output (output)" in text


def test_features_that_contribute_nothing_share_one_line():
    e = Explanation(np.eye(14)[:3] * [[1.0], [2.0], [3.0]], 0)
    assert "sum of 11 other features" in static(e._repr_html_()).text
    assert "sum of 13 other features" in static(e[0]._repr_html_()).text


def test_card_of_one_row_tells_value_contribution_and_score():
    e = Explanation(
        [[0.25, -1.5, 1e-17]],
        0.5,
        data=[[39, np.nan, 2]],
        display_data=[[39, None, "Bachelors"]],
        output_names=">50K",
        link="logit",
    )
    text = static(e._repr_html_()).text
    for word in ("39", "missing", "Bachelors", "+0.25", "−1.50", "base value", "0.5", "−0.75", "32.1%"):
        assert word in text
    assert "log-odds of >50K" in text
    assert "e−17" not in text


@pytest.mark.parametrize(
    ("link", "k", "word"),
    [("softmax", 2, "probability 50.0%"), ("log", 1, "prediction"), ("identity", 1, "score")],
)
def test_card_names_the_prediction(link, k, word):
    values = np.zeros((1, 2)) if k == 1 else np.zeros((1, 2, k))
    assert word in static(Explanation(values, 0.0, link=link)._repr_html_()).text


def test_card_of_a_rationale_lists_only_what_was_used():
    e = Explanation(
        [[0.9, 0, 0.6], [0, 0, 0]],
        0,
        mask=[[True, False, True], [False] * 3],
        kind="rationale",
        feature_names=["age", "hidden", "hours"],
    )
    text = static(e[0]._repr_html_()).text
    assert "hidden" not in text
    assert "uses 2 of 3 features" in text
    assert "score" not in text
    assert "none of 3 features" in static(e[1]._repr_html_()).text
    assert "50%" in static(e._repr_html_()).text


def test_awkward_explanations_render(tmp_path):
    rng = np.random.default_rng(0)
    for e in (
        Explanation(np.zeros((0, 2)), 0),
        Explanation([[0.0]], 0),
        Explanation([[np.nan, 1.0]], 0, link="logit"),
        Explanation(np.full((2, 3), np.nan), 0),
        Explanation(rng.normal(size=(1, 30, 40)), 0, link="softmax"),
        Explanation([[1e9, 1e-9]], 2000.0, link="log", feature_names=["a" * 500, "b"]),
    ):
        static(e._repr_html_())
        static(page_of(e, tmp_path))
    assert "30 other outputs not shown" in Explanation(rng.normal(size=(1, 3, 40)), 0)._repr_html_()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0.0, "0"),
        (-0.123456, "−0.1235"),
        (1234567.8, "1,234,568"),
        (float("nan"), "undefined"),
        (float("-inf"), "−∞"),
    ],
)
def test_format_number(number, words):
    assert format_number(number) == words


def test_format_number_hides_noise_and_shows_signs():
    assert format_number(1e-17, scale=1) == "0"
    assert format_number(1e-17) == "1e−17"
    assert format_number(2, sign=True) == "+2"


@pytest.mark.parametrize(
    ("cell", "words"), [(None, "missing"), (np.nan, "missing"), (True, "True"), (np.int8(3), "3"), ("x", "x")]
)
def test_format_cell(cell, words):
    assert format_cell(cell) == words


def test_words():
    assert shorten("a b\n c", 10) == "a b c"
    assert len(shorten("x" * 100, 20)) == 20
    shown, rest = rank(np.array([1.0, 3.0, 3.0, 0.0]), 3)
    assert (shown.tolist(), rest.tolist()) == ([1, 2], [0, 3])
    assert unit(Explanation([[1.0]], 0, link="log", output_names="y")) == "raw score (log scale) of y"
