"""Pages by templates: they are escaped and static, and look as the stored ones, which somebody looked at."""

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from jinja2 import UndefinedError

import skrationale
from skrationale.explanation import Explanation
from skrationale.writing import (
    CARD_CSS,
    PAGE_CSS,
    Bar,
    Bold,
    Folded,
    Name,
    Note,
    Table,
    Titled,
    document,
    joined,
    render,
)

PACKAGE = Path(skrationale.__file__).parent
TEMPLATES = sorted(PACKAGE.rglob("templates/*.html"))
PAGES = Path(__file__).with_name("pages")
HOSTILE = "<script>alert(1)</script>\"&'"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&amp;&#39;"
INLINE = {"b", "i", "a", "sup"}


# --- what a browser makes of a page ---------------------------------------------------------------------


class Reader(HTMLParser):
    """Tags with their attributes, and text between them."""

    def __init__(self, page):
        super().__init__()
        self.found = [["text", ""]]
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found += [["open", tag, sorted(attrs)], ["text", ""]]

    def handle_endtag(self, tag):
        self.found += [["close", tag], ["text", ""]]

    def handle_data(self, data):
        self.found[-1][1] += data


def seen(page):
    """Whitespace is one blank, and none beside tags that start a line or a cell; style is left out."""
    found = Reader(re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)).found
    out = []
    for i, one in enumerate(found):
        if one[0] != "text":
            out.append(one)
            continue
        text = re.sub(r"\s+", " ", one[1])
        if i == 0 or found[i - 1][1] not in INLINE:
            text = text.lstrip()
        if i == len(found) - 1 or found[i + 1][1] not in INLINE:
            text = text.rstrip()
        if text:
            out.append(["text", text])
    return out


def several_outputs():
    return Explanation(
        np.arange(24.0).reshape(3, 4, 2) - 10,
        0.5,
        data=[[1, 2, np.nan, 4]] * 3,
        display_data=[[HOSTILE, 2, None, True]] * 3,
        feature_names=[HOSTILE, "b", "c", "d"],
        output_names=[HOSTILE, "dog"],
        formula=HOSTILE,
        link="softmax",
        index=["first", HOSTILE, "third"],
    )


def test_a_page_looks_as_it_was_stored(tmp_path):
    path = tmp_path / "page.html"
    several_outputs().write_html(path, title="Rows & <reasons>")
    assert seen(path.read_text(encoding="utf-8")) == seen((PAGES / "several_outputs.html").read_text("utf-8"))


def test_cards_look_as_they_were_stored():
    names, values = [f"column {j}" for j in range(12)], [[*np.linspace(-2, 3.5, 12)]]
    one = Explanation(values, 0.25, feature_names=names, output_names=">50K", link="logit")
    assert seen(one._repr_html_()) == seen((PAGES / "one_row.html").read_text("utf-8"))
    mask = [[True, False, True], [False] * 3]
    parts = {"mask": mask, "kind": "rationale", "feature_names": ["a", "b", "c"]}
    some = Explanation([[0.9, 0, 0.6], [0, 0, 0]], 0, **parts)
    assert seen(some._repr_html_()) == seen((PAGES / "rationale.html").read_text("utf-8"))


def test_the_comparison_sees_what_a_reader_sees():
    assert seen("<p>a <b>b</b></p>\n<p>c</p>") == seen("<p>\na\n<b>b</b>\n</p><p>c</p>")
    assert seen("<p>a <b>b</b></p>") != seen("<p>a<b>b</b></p>")
    assert seen('<p class="x">a</p>') != seen("<p>a</p>")


# --- escaping ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part",
    [
        Bold(HOSTILE),
        Note(HOSTILE),
        Folded(HOSTILE, "body", is_open=True),
        Folded("summary", HOSTILE, is_open=False),
        Table(HOSTILE, ["", "b"], ["", ""], [["a", "b"]]),
        Table("caption", [HOSTILE, "b"], ["", ""], [["a", "b"]]),
        Table("caption", ["", "b"], ["", ""], [[HOSTILE, "b"]]),
        Table("caption", ["", "b"], ["", "skr-n"], [["a", HOSTILE]]),
        Titled(HOSTILE, "b"),
        Titled("a", HOSTILE),
        Name(HOSTILE, 80),
        Name("a" * 20 + HOSTILE, 10),
    ],
    ids=repr,
)
def test_texts_of_the_user_are_escaped_in_every_part(part):
    for page in (part.__html__(), joined([part]), joined([joined([Note(part)])])):
        assert ESCAPED in page
        assert "<script" not in page


def test_plain_text_is_escaped_where_parts_are_joined():
    assert joined([HOSTILE, Bold("x")]) == f"{ESCAPED}<b>x</b>"


def test_long_names_break_at_underscores_and_are_whole_for_a_pointer():
    assert joined([Name("age", 80)]) == "age"
    assert joined([Name("capital_gain_total", 80)]) == "capital_<wbr>gain_<wbr>total"
    assert joined([Name("capital_gain_total", 9)]) == '<span title="capital_gain_total">capi…otal</span>'
    assert len(joined([Name("x" * 10_000, 20)])) < 300


def test_a_document_is_whole_and_shows_what_would_hide(tmp_path):
    fields = {"heading": HOSTILE, "over_rows": "a\u202eb", "dependences": "", "count": "", "rows": []}
    page = document("explanation/templates/page.html", title="</title>", **fields)
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert page.endswith("</html>\n")
    assert ESCAPED in page
    assert "a\ufffdb" in page
    assert "<title>&lt;/title&gt;</title>" in page


def test_style_goes_into_pages_and_cards_unescaped():
    more = ".skr > p {margin: 0}"
    values = {"title": "", "heading": "", "over_rows": "", "dependences": "", "count": "", "rows": []}
    page = document("explanation/templates/page.html", css=more, **values)
    card = document("explanation/templates/card.html", css=more, heading="", shown="")
    assert f"<style>{PAGE_CSS}{CARD_CSS}{more}</style>" in page
    assert f"<style>{CARD_CSS}{more}</style>" in card


def test_a_field_that_is_missing_is_an_error():
    with pytest.raises(UndefinedError, match="text"):
        render("writing/templates/note.html")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_templates_escape_and_are_static(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\|\s*safe\b|autoescape|Markup", text)
    assert not re.search(
        r"<(script|link|iframe|img)|\bon\w+=|javascript:|//|url\(|@import", text, re.IGNORECASE
    )
    assert not re.search(r"(src|href)=(?!\"#)", text)


def test_all_rooms_with_pages_have_templates():
    assert {path.parts[-3] for path in TEMPLATES} == {
        "explanation",
        "flint",
        "rationale",
        "report",
        "writing",
    }


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_tags_stand_in_templates_alone(path):
    """And only one module says that a text is HTML."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
    }
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and n not in docs]
    tag = re.compile(
        r"</?(a|b|code|details|div|h\d|i|li|ol|p|section|span|sup|table|td|th|tr|ul)( [a-z]+=|>)"
    )
    assert [text for text in texts if isinstance(text, str) and tag.search(text)] == []
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert "Markup" not in names or path == PACKAGE / "writing" / "_html.py"


# --- bars --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bar", "style", "colour"),
    [
        (Bar(1.0, 4.0), "left:0.0%;width:25.0%", "skr-size"),
        (Bar(-1.0, 4.0, two_sided=True), "left:37.5%;width:12.5%", "skr-neg"),
        (Bar(4.0, 4.0, two_sided=True), "left:50.0%;width:50.0%", "skr-pos"),
        (Bar(float("nan"), 4.0), "left:0.0%;width:0.0%", "skr-size"),
        (Bar(1.0, 0.0), "left:0.0%;width:0.0%", "skr-size"),
    ],
)
def test_bars(bar, style, colour):
    assert f'<i class="{colour}" style="{style}">' in bar.__html__()
    assert ("skr-two" in bar.__html__()) == bar.two_sided
