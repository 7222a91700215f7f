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
    "symbolic/test_distiller.py::test_one_formula_for_each_class": range(6),
    "smooth/test_smooth_mlp.py::TestLambda": range(4),
    "rationale/test_audit.py::test_hidden_switch_is_found": range(4),
    "rationale/test_audit.py::test_masks_that_fit_no_other_row": range(4),
    "rationale/test_rationale.py::TestDefaults": range(4),
    "rationale/test_rationale.py::TestMaxFeatures": range(4),
    "rationale/test_rationale_distiller.py::TestStudent": range(3),
    "flint/test_flint.py::TestByDesign": range(4),
    "flint/test_images.py::test_attributes_are_raised": range(6),
    "gbdt2nn/test_student.py": range(3),
    "test_contracts.py": range(3),
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
