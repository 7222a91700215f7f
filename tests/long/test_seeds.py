"""Tests that rest on a fit or a search hold whatever the seed: they are run anew under many."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
RISKY = {
    "symbolic/test_operon_engine.py::test_a_front_from_short_and_rough_to_long_and_exact": range(20),
    "symbolic/test_operon_engine.py::test_expressions_are_no_larger_than_asked_for": range(5),
}
"""Where a test is, and its seeds."""


@pytest.mark.parametrize(("name", "seed"), [(name, seed) for name, seeds in RISKY.items() for seed in seeds])
def test_what_a_test_shows_rests_on_no_seed(name, seed):
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(TESTS / name)],
        cwd=TESTS.parent,
        env=os.environ | {"SKRATIONALE_TESTS_SEED": str(seed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:]
