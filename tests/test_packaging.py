"""What a newcomer meets first: the version, the README, the Makefile and the docstrings."""

import ast
import importlib
import inspect
import pydoc
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import skrationale

ROOT = Path(__file__).parents[1]
ROOMS = (
    "",
    ".batches",
    ".datasets",
    ".flint",
    ".formula",
    ".gbdt2nn",
    ".metrics",
    ".plotting",
    ".rationale",
    ".report",
) + (".serving", ".smooth", ".symbolic")
# a second paragraph, neighbours, an example
NOT_ASKED = {"ES01", "SA01", "EX01"}


def public_objects():
    """Dotted names of public functions, classes and their own methods; set_fit_request is scikit-learn's."""
    for room in ROOMS:
        module = importlib.import_module(f"skrationale{room}")
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing):
                yield f"{module.__name__}.{name}"
            for member in vars(thing) if inspect.isclass(thing) else ():
                attribute = getattr(thing, member)
                if not member.startswith(("_", "set_")) and (
                    callable(attribute) or isinstance(attribute, property)
                ):
                    yield f"{module.__name__}.{name}.{member}"


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_versions_agree():
    assert PROJECT["version"] == skrationale.__version__
    assert f"\nversion: {skrationale.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_conda_recipe_has_the_version_and_the_dependencies_of_the_project():
    recipe = (ROOT / "conda" / "recipe.yaml").read_text(encoding="utf-8")
    assert f'version: "{PROJECT["version"]}"' in recipe
    needs = [entry.split(";")[0].strip() for entry in PROJECT["dependencies"] if "pyoperon" not in entry]
    needs = {entry.replace(">=", " >=").replace("torch ", "pytorch ") for entry in needs}
    listed = set(
        re.findall(r"^    - (\S+ >=\S+)$", recipe.split("  run:")[1].split("tests:")[0], re.MULTILINE)
    )
    assert listed - {"python >=3.11"} == needs


def test_types_are_for_users_too():
    assert (ROOT / "skrationale" / "py.typed").exists()


README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.no_cover
def test_readme_example_runs_and_prints_what_is_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    example, shown = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", README, re.DOTALL).groups()
    names = {}
    exec(compile(example, "README.md", "exec"), names)
    printed = capsys.readouterr().out.splitlines()
    assert names["student"].score(names["X_test"], names["y_test"]) > 0.9
    # the last digits depend on the machine
    assert len(printed) == len(shown.splitlines()) == 2
    assert sorted(ast.literal_eval(printed[0])) == sorted(ast.literal_eval(shown.splitlines()[0]))
    assert ast.literal_eval(printed[1]) == pytest.approx(ast.literal_eval(shown.splitlines()[1]), abs=0.03)
    assert "student" in (tmp_path / "report.html").read_text(encoding="utf-8")


def source_of(link, urls):
    """The file of the project that an address of its own shows."""
    if link.startswith(urls["Documentation"]):
        page = link.removeprefix(urls["Documentation"]).split("#")[0]
        return ROOT / "docs" / page.replace(".html", ".rst")
    return ROOT / re.sub(r"^/(blob|tree)/main/", "", link.removeprefix(urls["Source"]))


def test_readme_links_are_absolute_and_lead_somewhere():
    links = re.findall(r"""(?:\]\(|src="|srcset="|href=")([^)"]+)""", README)
    own = [
        link
        for link in links
        if link.startswith((PROJECT["urls"]["Documentation"], PROJECT["urls"]["Source"]))
    ]
    assert all(link.startswith("https://") for link in links)
    assert len(own) >= 10
    for link in own:
        assert source_of(link, PROJECT["urls"]).exists(), link


@pytest.mark.parametrize("name", ["CITATION.cff", "conda/recipe.yaml", "docs/conf.py"])
def test_addresses_agree(name):
    assert PROJECT["urls"]["Documentation"] in (ROOT / name).read_text(encoding="utf-8")


def test_readme_is_one_page():
    rows = [line for line in README.splitlines() if line.startswith("|") and not line.startswith("| ---")]
    assert len(README.split()) <= 700
    assert len(rows) <= 15


def test_readme_figures_are_those_that_are_stored():
    table = README.split("## Figures")[1].split("## Install")[0]
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| `(\w+)\.py` \|$", table, re.MULTILINE)
    assert len(rows) >= 5
    for figures, script in rows:
        stored = (ROOT / f"examples/benchmarks/results/{script}.md").read_text(encoding="utf-8")
        found = re.findall(r"\d[\d.]*(?: [±/] [\d.]+|x)?", figures)
        assert found
        for figure in found:
            assert figure in stored, (figure, script)


@pytest.mark.parametrize(
    "target",
    [
        "demo",
        "test",
        "coverage",
        "test-long",
        "lint",
        "format",
        "docs",
        "bench",
        "bench-compare",
        "clean",
        "help",
    ],
)
def test_makefile_describes_its_targets(target):
    assert re.search(rf"^{target}:.*## \w", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_two_commits_are_compared_by_name():
    command = ["make", "--dry-run", "bench-compare", "BASE=main", "HEAD=topic"]
    steps = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "continuous --factor 1.3 'main' 'topic'" in steps
    assert "touch main" not in steps
    plain = subprocess.run(command[:3], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "continuous --factor 1.3 'HEAD~1' 'HEAD'" in plain


def test_docstrings_follow_numpydoc():
    validate = pytest.importorskip("numpydoc.validate", reason="numpydoc comes with the extra 'dev'").validate
    faults = {
        (name, *error)
        for name in public_objects()
        for error in validate(name)["errors"]
        if error[0] not in NOT_ASKED and not (error[0] == "GL08" and inspect.getdoc(pydoc.locate(name)))
    }
    assert not faults
