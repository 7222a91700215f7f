"""What a newcomer meets first: the version, the README and the quick start."""

import re
import tomllib
from pathlib import Path

import pytest

import skrationale

ROOT = Path(__file__).parents[1]


def test_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == skrationale.__version__


def test_readme_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    names = {}
    exec(compile(example, "README.md", "exec"), names)
    assert names["student"].score(names["X_test"], names["y_test"]) > 0.9
    assert (tmp_path / "reasons.html").stat().st_size > 1000


def test_readme_links_lead_somewhere():
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


@pytest.mark.parametrize("target", ["demo", "test", "test-long", "lint", "format", "bench", "clean", "help"])
def test_makefile_describes_its_targets(target):
    assert re.search(rf"^{target}:.*## \w", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
