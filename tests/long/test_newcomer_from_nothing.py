"""The commands of the quick start for one's own table, run as written in a copy of the checkout."""

import re
import shutil
import subprocess
from pathlib import Path

from sklearn.datasets import load_breast_cancer

ROOT = Path(__file__).parents[2]


def test_the_commands_lead_from_nothing_to_a_plot(tmp_path):
    text = (ROOT / "docs" / "quickstart.rst").read_text(encoding="utf-8")
    section = text.split("Your own table\n")[1].split("\n\n\n")[0]
    commands = re.findall(r"^   \$ (.+)$", section, re.MULTILINE)
    assert 1 <= len(commands) <= 5
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("skrationale", "examples"):
        ignored = shutil.ignore_patterns("__pycache__", "benchmarks", "gallery")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    table = load_breast_cancer(as_frame=True).frame.rename(columns={"target": "churn"})
    table.to_csv(tmp_path / "customers.csv", index=False)
    for command in commands:
        run = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert run.returncode == 0, (command, run.stderr)
    assert (tmp_path / "reasons.png").stat().st_size > 10_000
