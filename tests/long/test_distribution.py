"""What is uploaded at a release: it is built, checked, and installed into an environment of its own."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import numpy as np
from skrationale import Explanation, FLINTClassifier, GBDT2NNStudent

X = np.random.default_rng(0).normal(size=(200, 3))
y = X[:, 0] + X[:, 1] ** 2
student: GBDT2NNStudent = GBDT2NNStudent(max_epochs=2, random_state=0, class_weight=None).fit(X, y)
network: FLINTClassifier = FLINTClassifier(max_epochs=2, class_weight="balanced")
explanation: Explanation = student.explain(X)
scores: np.ndarray = explanation.scores()
print(scores.shape, student.predict(X).shape)
"""


def run(*command, cwd):
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    pytest.importorskip("build", reason="build comes with the extra 'dev'")
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    return sorted(folder.iterdir())


def test_wheel_and_source_are_well_formed(built):
    wheel, source = sorted(built, key=lambda path: path.suffix != ".whl")
    assert source.name.endswith(".tar.gz")
    assert "PASSED" in run(
        sys.executable, "-m", "twine", "check", "--strict", wheel, source, cwd=wheel.parent
    )
    names = zipfile.ZipFile(wheel).namelist()
    assert "skrationale/py.typed" in names
    assert all(name.startswith(("skrationale/", "skrationale-")) for name in names)


def test_the_wheel_works_in_a_fresh_environment_and_its_types_are_seen(built, tmp_path):
    wheel = next(path for path in built if path.suffix == ".whl")
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    run(sys.executable, "-m", "venv", tmp_path / "fresh", cwd=tmp_path)
    python = tmp_path / "fresh" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "-c", ROOT / ".ci/constraints.txt", wheel, "mypy", cwd=tmp_path)
    assert run(python, "program.py", cwd=tmp_path).split() == ["(200,)", "(200,)"]
    assert "Success" in run(python, "-m", "mypy", "program.py", cwd=tmp_path)
    wrong = PROGRAM.replace("explanation: Explanation =", "explanation: int =")
    (tmp_path / "wrong.py").write_text(wrong, encoding="utf-8")
    done = subprocess.run(
        [str(python), "-m", "mypy", "wrong.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert "Incompatible types in assignment" in done.stdout
