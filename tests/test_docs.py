"""The pages of docs/: their code runs, their figures are those stored, and they lead somewhere."""

import importlib.util
import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
RESULTS = ROOT / "examples" / "benchmarks" / "results"
MADE = {"_build", "generated", "gallery"}
PAGES = sorted(path for path in DOCS.rglob("*.rst") if not MADE & set(path.relative_to(DOCS).parts))
CODE = re.compile(r"^( *)\.\. code-block:: python\n((?:\1 +:.*\n)*)\n((?:\1 +.*\n|\s*\n)+)", re.MULTILINE)
FIGURE = re.compile(r"(?<![\w.,])\d+\.\d+(?![\w.]*\d)|(?<![\w.,])\d+ / \d+")
NAMES = [str(path.relative_to(DOCS)) for path in PAGES]


def code_of(page):
    text = page.read_text(encoding="utf-8") + "\n"
    return [textwrap.dedent(match[3]) for match in CODE.finditer(text)]


def measured(page):
    """Prose below headings that begin with "Measured", without options of directives."""
    sections = re.split(r"\n([^\n]+)\n-{5,}\n", page.read_text(encoding="utf-8"))
    found = [
        text
        for title, text in zip(sections[1::2], sections[2::2], strict=True)
        if title.startswith("Measured")
    ]
    return "\n".join(line for line in "\n".join(found).splitlines() if not line.startswith(("..", "   :")))


@pytest.mark.no_cover
@pytest.mark.parametrize("page", [p for p in PAGES if code_of(p)], ids=lambda p: str(p.relative_to(DOCS)))
def test_code_runs(page, tmp_path, monkeypatch):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.chdir(tmp_path)
    names, blocks = {"__name__": page.stem}, code_of(page)
    assert len(blocks) == page.read_text(encoding="utf-8").count(".. code-block:: python")
    for number, code in enumerate(blocks, 1):
        exec(compile(code, f"{page.name}, block {number}", "exec"), names)
    pyplot.close("all")


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("families/gbdt2nn", "gbdt2nn"),
        ("families/symbolic", "symbolic jacobian_cost feynman symbolic_classes"),
        ("families/rationale", "rationale"),
        ("families/flint", "flint"),
        ("comparison", "faithfulness gbdt2nn rationale symbolic"),
    ],
)
def test_figures_are_those_stored(name, files):
    prose = measured((DOCS / name).with_suffix(".rst"))
    stored = "\n".join((RESULTS / f"{file}.md").read_text(encoding="utf-8") for file in files.split())
    figures = FIGURE.findall(prose)
    assert figures
    known = set(FIGURE.findall(stored))
    assert [figure for figure in figures if figure not in known] == []


def test_tables_name_stored_results():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for name, heading, options in re.findall(
            r"\.\. results:: (\w+) \| (.+)\n((?:   :.*\n)*)", text + "\n"
        ):
            path = RESULTS / f"{name}.md"
            if ":optional:" in options and not path.exists():
                continue
            assert re.search(rf"^#+ {re.escape(heading)}$", path.read_text(encoding="utf-8"), re.MULTILINE), (
                page.name,
                heading,
            )


def test_pages_refer_to_pages_and_examples_that_exist():
    for page in PAGES:
        for target in re.findall(r":doc:`(?:[^`<]*<)?([^`>]+)>?`", page.read_text(encoding="utf-8")):
            base = DOCS if target.startswith("/") else page.parent
            path = base / target.lstrip("/")
            if "gallery" in path.parts and path.name != "index":
                path = ROOT / "examples" / "gallery" / path.name
                assert path.with_suffix(".py").exists(), (page.name, target)
            elif not MADE & set(path.relative_to(DOCS).parts):
                assert path.resolve().with_suffix(".rst").exists(), (page.name, target)


def test_every_example_has_a_title_a_picture_and_figures():
    examples = sorted((ROOT / "examples" / "gallery").glob("plot_*.py"))
    assert len(examples) > 10
    for path in examples:
        text = path.read_text(encoding="utf-8")
        assert re.match(r'"""\n.+\n=+\n\n', text), path.name
        assert "plt.show()" in text, path.name
        assert "print(" in text, path.name


@pytest.mark.parametrize("name", NAMES)
def test_pages_name_no_place_of_a_machine(name):
    text = (DOCS / name).read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(?:home|tmp|work|root|usr)/", text)


FINDINGS = ROOT / "findings"
ROWS = (FINDINGS / "README.md").read_text(encoding="utf-8")
INDEX = re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \| `(\w+)` \|$", ROWS, re.M)


def test_index_of_findings_lists_every_script_by_library():
    assert sorted(name for _, name in INDEX) == sorted(path.stem for path in FINDINGS.glob("*.sh"))
    libraries = [entry.split()[0] for entry, _ in INDEX]
    assert libraries == sorted(libraries)


@pytest.mark.parametrize(("libraries", "name"), INDEX, ids=[name for _, name in INDEX])
def test_index_of_findings_names_versions_that_the_script_saw(libraries, name):
    script = (FINDINGS / f"{name}.sh").read_text(encoding="utf-8")
    for library in libraries.split(", "):
        assert re.fullmatch(r"[\w-]+ \d[\d.]*", library), library
        assert library in script, (library, name)


def test_page_of_traps_shows_the_index():
    assert "\n.. findings::\n" in (DOCS / "howto" / "traps.rst").read_text(encoding="utf-8")


def test_glossary_defines_each_term_once():
    text = (DOCS / "glossary.rst").read_text(encoding="utf-8")
    terms = re.findall(r"^   (\S.*)$", text.split(":sorted:")[1], re.MULTILINE)
    assert len(terms) > 20
    assert len(terms) == len(set(terms))


def test_broken_links_of_built_pages_are_found(tmp_path):
    spec = importlib.util.spec_from_file_location("links", DOCS / "_ext" / "links.py")
    links = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(links)
    (tmp_path / "a.html").write_text(
        '<h1 id="top">A</h1><a href="b.html#part">b</a><a href="https://x.org">x</a>'
    )
    (tmp_path / "b.html").write_text('<img src="gone.png"><a href="a.html#top">a</a><a href="#part">here</a>')
    assert links.broken_links(tmp_path) == ["a.html: b.html#part", "b.html: #part", "b.html: gone.png"]
    base = "https://docs.example/latest/"
    text = f'[a]({base}a.html), [b]({base}b.html#nowhere), <img src="{base}c.png">, [d](https://other.example/d.html)'
    assert links.broken_links_from(text, base, tmp_path) == [f"{base}b.html#nowhere", f"{base}c.png"]
