"""The way of a newcomer: from nothing to a plot of reasons of one's own CSV file, as the quick start says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.datasets import load_diabetes, load_wine

ROOT = Path(__file__).parents[1]
QUICKSTART = (ROOT / "docs" / "quickstart.rst").read_text(encoding="utf-8")
COMMANDS = re.findall(
    r"^   \$ (.+)$", QUICKSTART.split("Your own table\n")[1].split("\n\n\n")[0], re.MULTILINE
)


def test_five_commands_are_enough():
    assert 1 <= len(COMMANDS) <= 5
    assert COMMANDS[-1].endswith(" examples/own_table.py customers.csv churn")


@pytest.mark.no_cover
@pytest.mark.parametrize(("load", "measure"), [(load_diabetes, "R2"), (load_wine, "accuracy")])
def test_the_last_command_makes_a_plot_of_reasons(load, measure, tmp_path):
    pytest.importorskip("matplotlib")
    table = load(as_frame=True).frame.iloc[::4]
    table.assign(note="text", empty=None).to_csv(tmp_path / "customers.csv", index=False)
    _, script, file, _ = COMMANDS[-1].split()
    command = [sys.executable, str(ROOT / script), file, "target"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"{measure} on held-out rows: student ")
    assert (tmp_path / "reasons.png").stat().st_size > 10_000
    assert "Why this target?" in (tmp_path / "reasons.html").read_text(encoding="utf-8")


def test_a_wrong_column_is_named_with_those_that_exist(tmp_path):
    (tmp_path / "customers.csv").write_text("age,churn\n30,no\n")
    command = [sys.executable, str(ROOT / "examples" / "own_table.py"), "customers.csv", "chrun"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "no column 'chrun'; the columns are ['age', 'churn']" in run.stderr
