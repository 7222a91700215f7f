"""What a newcomer meets first: the version, the README, the Makefile and the docstrings."""

import importlib
import inspect
import pydoc
import re
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


def test_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == skrationale.__version__


@pytest.mark.no_cover
def test_readme_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    for example in examples:
        exec(compile(example, "README.md", "exec"), names)
    assert names["student"].score(names["X_test"], names["y_test"]) > 0.9
    assert (names["few"].get_rationale(names["X_test"]).sum(axis=1) == 3).all()
    assert "three columns" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_readme_links_lead_somewhere():
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


@pytest.mark.parametrize("family", ["faithfulness", "flint", "gbdt2nn", "rationale", "symbolic"])
def test_readme_figures_are_those_that_are_stored(family):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(rf"<!-- figures: {family} -->(.*?)<!-- end -->", readme, re.DOTALL)
    rows = [line for line in block.splitlines() if line.startswith("|")]
    stored = (ROOT / f"examples/benchmarks/results/{family}.md").read_text(encoding="utf-8").splitlines()
    assert len(rows) > 6
    assert set(rows) <= set(stored)


@pytest.mark.parametrize(
    "target", ["demo", "test", "test-long", "lint", "format", "docs", "bench", "clean", "help"]
)
def test_makefile_describes_its_targets(target):
    assert re.search(rf"^{target}:.*## \w", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_docstrings_follow_numpydoc():
    validate = pytest.importorskip("numpydoc.validate", reason="numpydoc comes with the extra 'dev'").validate
    faults = {
        (name, *error)
        for name in public_objects()
        for error in validate(name)["errors"]
        if error[0] not in NOT_ASKED and not (error[0] == "GL08" and inspect.getdoc(pydoc.locate(name)))
    }
    assert not faults
