"""Figures from the stored results of the benchmarks: whole pages, and single tables by a directive.

The stored files are in Markdown; what is used of it is headings, tables, images, paragraphs and code spans.
The index of ``findings`` becomes a table in the same way.
"""

import re
import shutil
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

DOCS = Path(__file__).parents[1]
RESULTS = DOCS.parent / "examples" / "benchmarks" / "results"
FINDINGS = DOCS.parent / "findings" / "README.md"
UNDERLINES = {1: "=", 2: "-", 3: "~"}
TITLES = {
    "gbdt2nn": "GBDT2NN students",
    "exact": "Exact reasons",
    "teachers": "Teachers of all libraries",
    "faithfulness": "Faithfulness",
    "monotone": "Monotone students",
    "stream": "Students of streams",
    "serving": "Serving",
    "symbolic": "Formulas",
    "symbolic_classes": "Formulas of classes",
    "symbolic_time": "Formulas in time",
    "jacobian_cost": "Cost of the Jacobian penalty",
    "rationale": "Rationales",
    "flint": "FLINT",
    "growth": "Growth of time and memory",
    "scale": "Tables beyond memory",
    "sparse": "Sparse tables",
    "training": "The training loop",
    "speed": "Speed against an earlier commit",
    "text": "Rationales of texts",
    "images": "Rationales of pictures",
    "feynman": "Laws of physics",
}


MANY = 8  # columns from which the cells of a table may break, so that it fits
FIRST = {
    # by page: what a figure says, the heading of its table, a pattern of its row, and its column
    "gbdt2nn": (
        "R2 of the reasons of a student against those of its LightGBM, adult",
        "The default student on test rows, mean ± standard deviation over seeds",
        r"^adult \|",
        "reasons R2",
    ),
    "exact": (
        "time of LightGBM's own TreeSHAP, against ours, adult",
        "Cost of a row, one thread, 300 trees of 31 leaves",
        r"^adult \| LightGBM pred_contrib",
        "against ours",
    ),
    "teachers": (
        "R2 of the reasons of a student against those of its CatBoost, adult",
        "Students",
        r"^adult \| CatBoost",
        "explanation_r2",
    ),
    "faithfulness": (
        "comprehensiveness of a student's reasons, adult; high is good",
        "judged by the student",
        r"^adult \| student's reasons \| marginal",
        "comprehensiveness",
    ),
    "monotone": (
        "rows in which the student of a constrained teacher breaks a constraint, concrete",
        "Students of constrained teachers on test rows, mean ± standard deviation over seeds",
        r"^concrete \| 'teacher'",
        "rows broken",
    ),
    "stream": (
        "MB of memory for a student of 600,000 rows that come in batches",
        "Adult, 600,000 rows in batches of 20,000",
        r"^stream \|",
        "memory_mb",
    ),
    "serving": (
        "µs for one row with its reasons, as ONNX, adult",
        "Cost of a row, one thread",
        r"^adult \| ONNX, float32 \| 1 \|",
        "us_a_row",
    ),
    "symbolic": (
        "data sets on which a short formula from a smooth teacher is better than one from the labels",
        "Ours against others, model_selection='best'",
        r"^r2 \| direct",
        "sets above",
    ),
    "symbolic_classes": (
        "AUROC of a formula that predicts who leaves a telephone company",
        "telco_churn",
        r"^formula \|",
        "AUROC",
    ),
    "symbolic_time": (
        "accuracy of formulas for the three classes of iris",
        "Iris, three classes; 5 seeds",
        r"^",
        "accuracy",
    ),
    "feynman": (
        "formulas of the Feynman lectures found exactly by ours, without noise",
        "Laws without noise",
        r"^ours \|",
        "solved",
    ),
    "jacobian_cost": (
        "time of a training step with the default penalty, against none",
        "A training step",
        r"^256 \| 8 \| default",
        "ratio",
    ),
    "rationale": (
        "percent of the relevant columns found / of the chosen ones that are wrong, Syn4",
        "TPR / FDR in percent, beside published figures",
        r"^Syn4 \|",
        "ours",
    ),
    "flint": ("accuracy from a few attributes, digits", "tables", r"^digits \| by design \|", "interpreter"),
    "scale": (
        "MB of memory to explain two million rows",
        "Memory and speed",
        r"^GBDT2NNStudent \| 2000000 \| explain_dataset \|",
        "MB over imports",
    ),
    "speed": (
        "times as fast as in an earlier commit, explaining one row of a DataFrame",
        "CPU seconds, one thread",
        r"^explain, one row of a DataFrame",
        "times as fast",
    ),
    "growth": (
        "memory to fit a student to a million rows of 30 columns, as times the table",
        "Time and memory of a student, one thread",
        r"^1000000 \| 30 \|",
        "fit, times the table",
    ),
    "sparse": (
        "MB of memory to fit a student to a sparse table of 100,000 rows and 2,000 columns",
        "100,000 rows of 2,000 one-hot columns",
        r"^0 \| default \|",
        "fit, MB",
    ),
    "images": (
        "share of the tiles that decide which are found in scenes of 16 tiles",
        "Scenes of 4 x 4 tiles with known truth, 1,000 new scenes; 3 seeds",
        r"^needle, chosen \|",
        "true positive rate",
    ),
    "training": (
        "time of an epoch, against a plain loop, 10,000 rows",
        "Training engine: time of an epoch",
        r"^10000 x 20 \|",
        "ours / plain",
    ),
    "text": (
        "accuracy from a tenth of the words of a review",
        "IMDB, 12,000 training and 4,000 test reviews; 3 seeds",
        r"^10 % of the words",
        "accuracy",
    ),
}


def cells(line: str) -> list[str]:
    """Split a row of a table."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def inline(text: str) -> str:
    """Turn marks within a line from Markdown into reStructuredText."""
    text = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", text.replace("\\", "\\\\"))
    return re.sub(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])", r"*\1*", text)


def to_table(
    lines: list[str], columns: list[str] | None = None, rows: str | None = None, style: str = "results"
) -> list[str]:
    """Make a list-table, of some columns, and of the rows whose text contains a pattern."""
    head, *body = [cells(line) for line in lines if not re.fullmatch(r"[|\s:-]+", line)]
    unknown = set(columns or ()) - set(head)
    if unknown:
        raise ValueError(f"no column {sorted(unknown)}; there are {head}")
    kept = [head.index(name) for name in columns or head]
    if rows is not None:
        body = [row for row in body if re.search(rows, " | ".join(row))]
        if not body:
            raise ValueError(f"no row matches {rows!r}")
    many = " many" if len(kept) >= MANY else ""
    out = [".. list-table::", "   :header-rows: 1", f"   :class: {style}{many}", ""]
    for row in [head, *body]:
        for mark, j in zip(["   * - ", *["     - "] * len(kept)], kept, strict=False):
            out.append((mark + inline(row[j])).rstrip())
    return [*out, ""]


def blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Split a file into headings, tables, images and paragraphs."""

    def kind(line: str) -> str:
        if line.startswith("#"):
            return "heading"
        if line.startswith("|"):
            return "table"
        return "image" if line.startswith("![") else "text" if line.strip() else "blank"

    for name, lines in groupby(text.splitlines(), kind):
        if name != "blank":
            yield name, list(lines)


def tables_of(name: str) -> dict[str, list[str]]:
    """Map headings of a stored file to the first table under each; a second one is ``heading #2``."""
    heading, found = "", {}
    for kind, lines in blocks((RESULTS / f"{name}.md").read_text(encoding="utf-8")):
        if kind == "heading":
            heading = lines[0].lstrip("# ")
        elif kind == "table":
            key, number = heading, 1
            while key in found:
                number += 1
                key = f"{heading} #{number}"
            found[key] = lines
    return found


def to_page(name: str, text: str) -> str:
    """Turn a stored file into a page."""
    out = [":html_theme.sidebar_secondary.remove:", "", f".. _results-{name}:", ""]  # tables need the room
    for kind, lines in blocks(text):
        if kind == "heading":
            for line in lines:
                level = len(line) - len(line.lstrip("#"))
                title = inline(TITLES.get(name, name) if level == 1 else line.lstrip("# "))
                out += ["", title, UNDERLINES[level] * len(title), ""]
        elif kind == "table":
            out += to_table(lines)
        elif kind == "image":
            alt, path = re.fullmatch(r"!\[(.*)\]\((.*)\)", lines[0]).groups()
            out += [f".. image:: {path}", f"   :alt: {alt}", ""]
        else:
            out += [*map(inline, lines), ""]
    return "\n".join(out) + "\n"


def write_pages(app: Sphinx) -> None:
    """Write a page for each stored file, and leave alone those that have not changed."""
    folder = DOCS / "generated" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {}
    for path in sorted(RESULTS.glob("*.md")):
        wanted[folder / f"{path.stem}.rst"] = to_page(path.stem, path.read_text(encoding="utf-8"))
    for page in folder.glob("*.rst"):
        if page not in wanted:
            page.unlink()
    for page, text in wanted.items():
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
    for picture in RESULTS.glob("*.png"):
        shutil.copyfile(picture, folder / picture.name)


class Results(SphinxDirective):
    """A table of the stored results: ``.. results:: file | heading``."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Any]] = {
        "columns": directives.unchanged,
        "rows": directives.unchanged,
        "optional": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        """Read the table and parse it as a list-table."""
        name, heading = (part.strip() for part in self.arguments[0].split("|", 1))
        self.env.note_dependency(str(RESULTS / f"{name}.md"))
        if "optional" in self.options and not (RESULTS / f"{name}.md").exists():
            return self.parse_text_to_nodes(f"*No figures are stored yet: {name}, {heading}.*")
        tables = tables_of(name)
        if heading not in tables:
            raise self.error(f"{name}.md has no table under {heading!r}; there are {list(tables)}")
        columns = self.options.get("columns")
        try:
            lines = to_table(
                tables[heading],
                [column.strip() for column in columns.split("|")] if columns else None,
                self.options.get("rows"),
            )
        except ValueError as error:
            raise self.error(f"{name}.md, {heading!r}: {error}") from None
        return self.parse_text_to_nodes("\n".join(lines))


def headline(name: str) -> tuple[str, str]:
    """Return what the first figure of a stored file says, and the figure as it is stored."""
    words, heading, pattern, column = FIRST[name]
    head, _, *body = tables_of(name)[heading]
    (row,) = (cells(line) for line in body if re.search(pattern, " | ".join(cells(line))))
    return words, row[cells(head).index(column)]


class Headlines(SphinxDirective):
    """All pages of stored results, each with its first figure: ``.. headlines::``."""

    def run(self) -> list[nodes.Node]:
        """Write a list-table with a link to each page."""
        out = [".. list-table::", "   :header-rows: 1", "   :class: wrap headlines", ""]
        out += ["   * - page", "     - figure", "     - what it is"]
        stored = {path.stem for path in RESULTS.glob("*.md")}
        for name in [*(known for known in TITLES if known in stored), *sorted(stored - set(TITLES))]:
            self.env.note_dependency(str(RESULTS / f"{name}.md"))
            words, figure = headline(name) if name in FIRST else ("", "")
            link = f":doc:`{TITLES.get(name, name)} </generated/benchmarks/{name}>`"
            out += [f"   * - {link}", f"     - {inline(figure)}".rstrip(), f"     - {inline(words)}".rstrip()]
        return self.parse_text_to_nodes("\n".join([*out, ""]))


class Findings(SphinxDirective):
    """The index of surprising behaviour of other libraries, from ``findings/README.md``."""

    def run(self) -> list[nodes.Node]:
        """Read the only table of that file and parse it as a list-table."""
        self.env.note_dependency(str(FINDINGS))
        (table,) = (lines for kind, lines in blocks(FINDINGS.read_text(encoding="utf-8")) if kind == "table")
        return self.parse_text_to_nodes("\n".join(to_table(table, style="wrap scripts")))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive, and write the pages before anything is read."""
    app.add_directive("results", Results)
    app.add_directive("findings", Findings)
    app.add_directive("headlines", Headlines)
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
