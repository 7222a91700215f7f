"""The demo: all four families on one table and on one page, within two minutes."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS = 120


def test_demo_puts_four_families_on_one_page_in_two_minutes(tmp_path):
    start = time.perf_counter()
    command = [sys.executable, str(ROOT / "examples" / "quickstart.py")]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    assert run.returncode == 0, run.stderr
    page = (tmp_path / "reports" / "quickstart.html").read_text(encoding="utf-8")
    for name in ("student", "formula", "rationale", "attributes"):
        assert name in page
        assert f"fitting {name}" in run.stdout
    assert "epoch/s" not in run.stderr  # no bar where nobody watches
    assert seconds < SECONDS
