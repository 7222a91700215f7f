"""The adapter to PySR, with and without PySR and Julia.

Three kinds: failures, for which a stand-in takes the place of the package pysr; contract tests, in which
all of the real class runs but the call into Julia (no search run, nothing about accuracy follows); and one
search from end to end wherever a probe finds Julia.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from sklearn.base import clone

from skrationale import SmoothMLPRegressor, SymbolicDistiller
from skrationale.formula.program import Program, symbols
from skrationale.symbolic.engines import _pysr
from skrationale.symbolic.engines._base import EngineError
from skrationale.symbolic.engines._pysr import PySREngine

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(50, 3))
T = 2.5 * Z[:, 0] * Z[:, 1] + np.sin(Z[:, 2])
WEIGHTS = RNG.uniform(0.5, 2, len(T))
SETTINGS = {
    "binary_operators": ["+", "*", "^", "aq"],
    "unary_operators": ["sin", "logabs"],
    "maxsize": 12,
    "niterations": 5,
    "population_size": 20,
    "timeout_in_seconds": 30,
    "random_state": 7,
}
# how Julia writes a hall of fame, here by hand; v2 comes in no row
FRONT = """Complexity,Loss,Equation
1,6.9,"-0.12f0"
5,0.51,"(v0 * v1) * 2.5000002"
9,0.11,"aq(v0, v1) + (sin(v0) ^ 2.0)"
11,0.1,"(logabs(v1) * -1.5e-1) + sin(v0 * 0.5)"
13,0.05,"((v0 * v1) * 2.5) + sin(v0 + v1 + v0 + 1.0)"
"""


def fake_pysr(monkeypatch, folder, fit):
    """Put a package pysr first on the path, whose fit is the given code."""
    lines = "\n".join(f"        {line}" for line in fit.splitlines())
    folder.joinpath("pysr.py").write_text(
        "import os, subprocess, sys, time\n"
        "class PySRRegressor:\n"
        "    def __init__(self, **parameters): pass\n"
        f"    def fit(self, X, y, weights=None, variable_names=None):\n{lines}\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(folder)


def heartbeat(file):
    """Code that starts a process which writes on and on, and then hangs."""
    beat = f"import time\nwhile True:\n open({str(file)!r}, 'a').write('.')\n time.sleep(0.02)"
    return f"subprocess.Popen([sys.executable, '-c', {beat!r}])\ntime.sleep(600)"


def beats_on(file):
    size = file.stat().st_size
    time.sleep(0.3)
    return file.stat().st_size > size


def test_nothing_is_imported_and_objects_are_plain():
    engine = PySREngine({"populations": 3})
    assert clone(engine).get_params() == {"engine_params": {"populations": 3}}
    assert pickle.loads(pickle.dumps(engine)).engine_params == {"populations": 3}
    engine.available()
    assert not {"pysr", "juliacall", "juliapkg"} & set(sys.modules)


def test_without_pysr_the_fix_comes_at_once(monkeypatch):
    monkeypatch.setattr(_pysr, "find_spec", lambda name: None)
    start = time.perf_counter()
    with pytest.raises(EngineError, match=r"pip install 'skrationale\[pysr\]'") as error:
        PySREngine().search(Z, T, **SETTINGS)
    assert time.perf_counter() - start < 0.5
    assert "engine='operon'" in str(error.value)


def test_without_julia_the_fix_comes_soon(monkeypatch, tmp_path):
    tmp_path.joinpath("pysr.py").write_text("raise Exception('could not find Julia 1.10')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    start = time.perf_counter()
    with pytest.raises(EngineError, match="could not find Julia 1.10") as error:
        PySREngine().search(Z, T, **SETTINGS)
    assert time.perf_counter() - start < 2
    assert "import pysr" in str(error.value)
    assert "engine='operon'" in str(error.value)
    assert "pysr" not in sys.modules


def test_a_later_installation_of_julia_is_noticed(monkeypatch, tmp_path):
    module = tmp_path / "pysr.py"
    module.write_text("raise Exception('could not find Julia 1.10')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert "could not find Julia" in PySREngine().available()
    module.write_text("# starts", encoding="utf-8")
    assert PySREngine().available() is None


def test_a_probe_that_hangs_is_a_reason_too(monkeypatch, tmp_path):
    tmp_path.joinpath("pysr.py").write_text("import time; time.sleep(60)", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(_pysr, "PROBE_SECONDS", 0.5)
    assert "takes longer than 0.5 s" in PySREngine().available()


def test_a_search_that_hangs_is_ended_with_all_it_started(monkeypatch, tmp_path):
    fake_pysr(monkeypatch, tmp_path, heartbeat(tmp_path / "beat"))
    monkeypatch.setattr(_pysr, "GRACE_SECONDS", 1)
    with pytest.raises(EngineError, match="did not keep its time limit and was stopped after 2 s"):
        PySREngine().search(Z, T, **SETTINGS | {"timeout_in_seconds": 1})
    assert (tmp_path / "beat").stat().st_size > 0
    assert not beats_on(tmp_path / "beat")


@pytest.mark.skipif(os.name != "posix", reason="sends a POSIX signal")
def test_a_search_ends_when_its_parent_is_killed(monkeypatch, tmp_path):
    beat = f"while True:\n open({str(tmp_path / 'beat')!r}, 'a').write('.')\n time.sleep(0.02)"
    fake_pysr(monkeypatch, tmp_path, beat)
    code = (
        "import numpy as np\n"
        "from skrationale.symbolic.engines._pysr import PySREngine\n"
        f"PySREngine().search(np.ones((50, 3)), np.ones(50), **{SETTINGS!r})"
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    paths = os.pathsep.join(path or "." for path in sys.path)
    environment = os.environ | {"PYTHONPATH": paths, "TMPDIR": str(temporary)}
    parent = subprocess.Popen([sys.executable, "-c", code], env=environment)
    try:
        deadline = time.perf_counter() + 30
        while not (tmp_path / "beat").exists() and time.perf_counter() < deadline:
            time.sleep(0.05)
        assert beats_on(tmp_path / "beat")
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    time.sleep(0.3)
    assert not beats_on(tmp_path / "beat")
    assert os.listdir(temporary) == []


def test_a_crash_is_reported_with_its_last_lines(monkeypatch, tmp_path):
    fit = "print('ERROR: LoadError: out of memory', file=sys.stderr, flush=True)\nos._exit(3)"
    fake_pysr(monkeypatch, tmp_path, fit)
    with pytest.raises(EngineError, match="exit status 3") as error:
        PySREngine().search(Z, T, **SETTINGS)
    assert str(error.value).endswith("ERROR: LoadError: out of memory")


def test_nothing_is_left_behind(monkeypatch, tmp_path):
    fake_pysr(monkeypatch, tmp_path, "raise ValueError('no')")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    tmp_path.joinpath("temporary").mkdir()
    monkeypatch.chdir(tmp_path / "temporary")
    with pytest.raises(EngineError, match="ValueError: no"):
        PySREngine().search(Z, T, **SETTINGS)
    assert os.listdir(tmp_path / "temporary") == []


@pytest.mark.parametrize(
    ("engine_params", "error", "message"),
    [
        ({"maxsize": 3}, ValueError, "must not hold 'maxsize': give it to the distiller"),
        ({"tempdir": "/"}, ValueError, "must not hold 'tempdir': it is set here"),
        ({"logger_spec": object()}, TypeError, "must hold plain data"),
        ([1], ValueError, r"must be a dict or None\. Got \[1\]"),
    ],
)
def test_engine_params_are_checked_before_anything_starts(engine_params, error, message, monkeypatch):
    with pytest.raises(error, match=message):
        PySREngine(engine_params).search(Z, T, **SETTINGS)
    monkeypatch.setattr(PySREngine, "available", lambda self: None)
    monkeypatch.setattr(SmoothMLPRegressor, "fit", lambda *arguments: pytest.fail("training began"))
    with pytest.raises(error, match=message):
        SymbolicDistiller(SmoothMLPRegressor(), engine=PySREngine(engine_params)).fit(Z, T)


def test_unknown_operators_are_refused():
    with pytest.raises(ValueError, match="'unary_operators' .* Got 'sine'. Did you mean 'sin'"):
        PySREngine().search(Z, T, **SETTINGS | {"unary_operators": ["sine"]})
    with pytest.raises(ValueError, match="It belongs to 'unary_operators'"):
        PySREngine().search(Z, T, **SETTINGS | {"binary_operators": ["+", "sin"]})


JULIACALL = """
class Sink:
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Sink()
    def __getitem__(self, key):
        return Sink()
    def __call__(self, *args, **kwargs):
        raise RuntimeError("the stand-in for juliacall was called: there is no Julia here")
class Version:
    major, minor, patch = 1, 11, 0
class JuliaMain(Sink):
    VERSION = Version
    def seval(self, text):
        return Sink()
Main = JuliaMain()
class AnyValue: pass
class VectorValue(AnyValue): pass
class JuliaError(Exception): pass
def convert(kind, value):
    raise RuntimeError("the stand-in for juliacall was called: there is no Julia here")
"""
RECORDED = """
import json, runpy, sys
from pathlib import Path
import pysr
import numpy as np
here = Path(__file__).parent

class Recorded(pysr.PySRRegressor):
    def __init__(self, **parameters):
        super().__init__(run_id="recorded", **parameters)
    def _run(self, X, y, runtime_params, weights, seed, parallelism, **rest):
        file = self.get_equation_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text((here / "front.csv").read_text())
        np.savez(here / "reached.npz", X=X, y=y, weights=np.ones(0) if weights is None else weights)
        names = ["maxsize", "niterations", "population_size", "timeout_in_seconds", "random_state",
                 "deterministic", "verbosity", "progress", "temp_equation_file", "input_stream",
                 "populations", "tournament_selection_n", "elementwise_loss", "precision"]
        reached = {name: getattr(self, name) for name in names}
        reached |= {"seed": seed, "parallelism": parallelism, "names": list(self.feature_names_in_)}
        reached |= {"operators": {str(k): v for k, v in runtime_params.operators.items()}}
        reached |= {"constraints": repr(runtime_params.constraints), "folder": str(self.output_directory_)}
        (here / "reached.json").write_text(json.dumps(reached))
        self.equations_ = self.get_hof()
        return self

pysr.PySRRegressor = Recorded
runpy.run_path(PROGRAM, run_name="__main__")
"""


def shadow_julia(folder):
    """Make a folder that shadows juliacall, where the real pysr looks for Julia, by an inert stand-in."""
    if find_spec("pysr") is None:
        pytest.skip("pysr is not installed: pip install pysr")
    package = folder / "juliacall"
    package.mkdir()
    package.joinpath("__init__.py").write_text(JULIACALL, encoding="utf-8")
    return folder


@pytest.fixture
def no_julia(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(shadow_julia(tmp_path))
    monkeypatch.setattr(_pysr, "_probe", lambda path: None)  # has its own test; saves an import of pysr


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Make a folder with a program that replaces the call into Julia by a recorded hall of fame."""
    folder = shadow_julia(tmp_path_factory.mktemp("recorded"))
    program = f"PROGRAM = {str(_pysr.PROGRAM)!r}\n{RECORDED}"
    folder.joinpath("recorded.py").write_text(program, encoding="utf-8")
    return folder


def recorded_search(folder, engine_params=None, front=FRONT, weights=None, **settings):
    """Search with a recorded front; give the expressions, and the settings and arrays PySR had."""
    folder.joinpath("front.csv").write_text(front, encoding="utf-8")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.syspath_prepend(folder)
        monkeypatch.setattr(_pysr, "PROGRAM", folder / "recorded.py")
        found = PySREngine(engine_params).search(Z, T, weights=weights, **SETTINGS | settings)
    return found, json.loads((folder / "reached.json").read_text()), dict(np.load(folder / "reached.npz"))


@pytest.fixture(scope="module")
def plain_search(recorded):
    return recorded_search(recorded, {"populations": 4}, weights=WEIGHTS)


@pytest.fixture(scope="module")
def small_search(recorded):
    return recorded_search(recorded, maxsize=5, population_size=6, random_state=8)


@pytest.fixture(scope="module")
def own_search(recorded):
    engine_params = {
        "parallelism": "multithreading",
        "precision": 64,
        "elementwise_loss": "L1DistLoss()",
        "constraints": {"^": (-1, 3)},
        "populations": np.int64(2),
    }
    return recorded_search(recorded, engine_params)


def test_contract_no_search_run_the_real_class_starts(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(shadow_julia(tmp_path))
    assert PySREngine().available() is None
    assert not {"pysr", "juliacall"} & set(sys.modules)


def test_contract_no_search_run_what_reaches_pysr(plain_search):
    _, got, arrays = plain_search
    np.testing.assert_array_equal(arrays["X"], Z)
    np.testing.assert_array_equal(arrays["y"], T)
    np.testing.assert_array_equal(arrays["weights"], WEIGHTS)
    assert got["names"] == ["v0", "v1", "v2"]
    assert got["operators"] == {
        "2": ["+", "*", "^", "aq(a, b) = a / sqrt(one(b) + b * b)"],
        "1": ["sin", "logabs(a) = log(abs(a))"],
    }
    assert (got["maxsize"], got["niterations"], got["population_size"]) == (12, 5, 20)
    assert (got["timeout_in_seconds"], got["populations"]) == (30, 4)
    assert (got["random_state"], got["deterministic"], got["parallelism"]) == (7, True, "serial")
    assert (got["verbosity"], got["progress"], got["input_stream"]) == (0, False, "devnull")
    assert got["constraints"] == "{'^': (-1, 1)}"
    assert got["elementwise_loss"] is None
    assert got["temp_equation_file"]
    assert not Path(got["folder"]).exists()


def test_contract_no_search_run_the_front_becomes_expressions(plain_search):
    found, *_ = plain_search
    v0, v1, _ = variables = symbols(3)
    expected = [
        sp.Float(-0.12),
        2.5000002 * v0 * v1,
        v0 / sp.sqrt(1 + v1**2) + sp.sin(v0) ** 2,
        -0.15 * sp.log(sp.Abs(v1)) + sp.sin(0.5 * v0),
    ]  # the fifth has 13 nodes, one more than asked for
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(Program(ours, variables)(Z), Program(theirs, variables)(Z), rtol=1e-12)


def test_contract_no_search_run_the_seed_decides_julias_seed(plain_search, small_search, own_search):
    assert plain_search[1]["seed"] == own_search[1]["seed"] != small_search[1]["seed"]


def test_contract_no_search_run_the_user_wins(own_search):
    _, got, arrays = own_search
    assert (got["parallelism"], got["deterministic"], got["precision"]) == ("multithreading", False, 64)
    assert (got["elementwise_loss"], got["constraints"]) == ("L1DistLoss()", "{'^': (-1, 3)}")
    assert got["populations"] == 2
    assert arrays["weights"].size == 0


def test_contract_no_search_run_small_sizes_are_accepted(small_search):
    found, got, _ = small_search
    assert (got["maxsize"], got["population_size"], got["tournament_selection_n"]) == (7, 6, 6)
    assert len(found) == 2


def test_contract_no_search_run_unreadable_equation(recorded):
    with pytest.raises(EngineError, match=r"'gamma\(v0\)' cannot be read"):
        recorded_search(recorded, front='Complexity,Loss,Equation\n3,0.1,"gamma(v0)"\n')


@pytest.mark.usefixtures("no_julia")
def test_contract_no_search_run_unknown_keyword():
    with pytest.raises(TypeError, match=r"`population` is not a valid keyword .* `population"):
        PySREngine({"population": 3}).search(Z, T, **SETTINGS)


@pytest.mark.usefixtures("no_julia")
def test_contract_no_search_run_invalid_value():
    with pytest.raises(EngineError, match="(?s)exit status 1.*tournament_selection_n"):
        PySREngine({"tournament_selection_n": 999, "run_id": "x"}).search(Z, T, **SETTINGS)


def test_end_to_end_recovers_a_formula():
    reason = PySREngine().available()
    if reason:
        pytest.skip(reason)
    rows = np.random.default_rng(0).normal(size=(200, 3))
    target = 2.5 * rows[:, 0] * rows[:, 1] + np.sin(rows[:, 2])
    settings = SETTINGS | {"niterations": 40, "population_size": 27, "timeout_in_seconds": 300}
    engine = PySREngine()
    found = engine.search(rows, target, **settings | {"binary_operators": ["+", "-", "*"]})
    residuals = target - Program(found[-1], symbols(3))(rows)
    assert 1 - residuals.var() / target.var() > 0.999
    assert pickle.loads(pickle.dumps(engine)).get_params() == engine.get_params()
