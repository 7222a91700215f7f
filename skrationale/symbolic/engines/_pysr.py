"""PySR as an engine: Julia runs in a process of its own, and only text comes back."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import sympy as sp

from ...formula.parsing import parse
from ...formula.program import symbols
from ._base import Engine, EngineError, check_operators

PROGRAM = Path(__file__).with_name("_pysr_search.py")
PROBE_SECONDS = 20
"""How long importing PySR may take once Julia is prepared. Not measured."""
GRACE_SECONDS = 60
"""How much longer than its own time limit a search may take, for the start of Julia, before it is ended. Not
measured."""
SMALLEST_MAXSIZE = 7
"""PySR refuses a smaller one; longer expressions than asked for are left out afterwards."""
TOURNAMENT = 15
"""PySR's own default of how many expressions a tournament takes from a population."""
JULIA_OPERATORS = {
    "aq": "aq(a, b) = a / sqrt(one(b) + b * b)",
    "logabs": "logabs(a) = log(abs(a))",
    "sqrtabs": "sqrtabs(a) = sqrt(abs(a))",
}
OF_THE_DISTILLER = (
    *("binary_operators", "unary_operators", "operators"),
    *("maxsize", "niterations", "population_size", "timeout_in_seconds"),
)
OF_THE_ADAPTER = ("tempdir", "extra_sympy_mappings")
INSTALL = "pip install 'skrationale[pysr]'"
FIRST_IMPORT = (
    "Run `python -c 'import pysr'` once in a terminal with a network connection: the first import "
    "installs Julia and prepares it. Or use engine='operon', which does not need Julia."
)


class PySREngine(Engine):
    """Search with PySR [1]_, which needs Julia; without Julia only `search` fails.

    One seed gives one set of expressions: PySR then works in one thread. For a faster search that is
    not repeatable, give ``engine_params={"parallelism": "multithreading"}``.

    Parameters
    ----------
    engine_params : dict, default=None
        Keywords of ``pysr.PySRRegressor``, such as ``{"populations": 15, "parsimony": 0.001}``: plain data
        only. They replace the settings of this class. Some of them, such as `elementwise_loss`, are Julia
        code that is run: do not use settings from people whom you do not trust. Operators, sizes, numbers of
        iterations and the time limit are parameters of the distiller, not of the engine.

    References
    ----------
    .. [1] Cranmer, "Interpretable machine learning for science with PySR and SymbolicRegression.jl",
       arXiv:2305.01582, 2023.

    Examples
    --------
    >>> from skrationale.symbolic.engines._pysr import PySREngine
    >>> PySREngine({"populations": 15}).get_params()
    {'engine_params': {'populations': 15}}
    """

    name = "pysr"
    supports_weights = True
    default_niterations = 100
    default_population_size = 27

    def __init__(self, engine_params: Mapping[str, Any] | None = None) -> None:
        self.engine_params = engine_params

    def available(self) -> str | None:
        """Check whether PySR and Julia can start here, by importing them in another process.

        A success is remembered. After a failure the next call checks again, because PySR may have been
        installed.

        Returns
        -------
        str or None
            None if they can, otherwise the reason in words, and what to do.
        """
        try:
            if find_spec("pysr") is None:
                return f"PySR is not installed. Install it: {INSTALL}. {FIRST_IMPORT}"
            _probe(tuple(sys.path))
        except Exception as error:
            return f"PySR is installed but does not start: {error}. {FIRST_IMPORT}"
        return None

    def check_settings(self) -> None:  # noqa: D102
        given = self.engine_params
        if given is not None and not isinstance(given, Mapping):
            raise ValueError(
                f"The 'engine_params' parameter of PySREngine must be a dict or None. Got {given!r}."
            )
        for key in given or ():
            if key in OF_THE_DISTILLER or key in OF_THE_ADAPTER:
                place = "give it to the distiller" if key in OF_THE_DISTILLER else "it is set here"
                raise ValueError(
                    f"The 'engine_params' parameter of PySREngine must not hold {key!r}: {place}."
                )
        _as_json(given or {})

    def search(  # noqa: D102
        self,
        Z: np.ndarray,
        t: np.ndarray,
        *,
        weights: np.ndarray | None = None,
        binary_operators: Sequence[str],
        unary_operators: Sequence[str],
        maxsize: int,
        niterations: int,
        population_size: int,
        timeout_in_seconds: float | None = None,
        random_state: int,
    ) -> list[sp.Expr]:
        self.check_settings()
        check_operators(binary_operators, unary_operators)
        parameters = {
            "binary_operators": [JULIA_OPERATORS.get(name, name) for name in binary_operators],
            "unary_operators": [JULIA_OPERATORS.get(name, name) for name in unary_operators],
            "maxsize": max(maxsize, SMALLEST_MAXSIZE),
            "niterations": niterations,
            "population_size": population_size,
            "timeout_in_seconds": timeout_in_seconds,
            "random_state": random_state,
        }
        text = _as_json(parameters | _own_settings(parameters, self.engine_params))
        reason = self.available()
        if reason:
            raise EngineError(reason)
        with TemporaryDirectory(prefix="skrationale-pysr-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            (folder / "parameters.json").write_text(text, encoding="utf-8")
            np.savez(folder / "data.npz", Z=Z, t=t, weights=np.ones(0) if weights is None else weights)
            limit = None if timeout_in_seconds is None else timeout_in_seconds + GRACE_SECONDS
            _run(folder, limit)
            return _expressions(folder / "equations.csv", Z.shape[1], maxsize)


def _own_settings(parameters: Mapping[str, Any], given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Join our settings, for a silent and repeatable search, and those of the user, which win."""
    given = dict(given or {})
    settings: dict[str, Any] = {
        "parallelism": "serial",
        "deterministic": given.get("parallelism", "serial") == "serial",
        "temp_equation_file": True,
        "progress": False,
        "verbosity": 0,
        "input_stream": "devnull",
        "tournament_selection_n": min(TOURNAMENT, parameters["population_size"]),
    }
    if "^" in parameters["binary_operators"]:  # powers of constants or single columns, as PySR advises
        given["constraints"] = {"^": (-1, 1)} | dict(given.get("constraints") or {})
    return settings | given


def _as_json(parameters: Mapping[str, Any]) -> str:
    def plain(value: Any) -> Any:
        if isinstance(value, (np.generic, np.ndarray)):
            return value.tolist()
        raise TypeError(
            "The 'engine_params' parameter of PySREngine must hold plain data: numbers, text, lists and "
            f"dicts. Got {value!r}."
        )

    return json.dumps(parameters, default=plain)


def _environment() -> dict[str, str]:
    """Let another Python process find what this one finds, and not ask the network."""
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return os.environ | {"PYTHONPATH": paths, "PYTHON_JULIAPKG_OFFLINE": "yes"}


@cache
def _probe(path: tuple[str, ...]) -> None:
    """Import PySR in another process; raise with the reason if that fails (which is not remembered)."""
    try:
        run = subprocess.run(
            [sys.executable, "-P", "-c", "import pysr"],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EngineError(f"importing it takes longer than {PROBE_SECONDS} s") from None
    if run.returncode:
        lines = run.stderr.strip().splitlines() or [f"exit status {run.returncode}"]
        raise EngineError(lines[-1].rstrip("."))


def _run(folder: Path, limit: float | None) -> None:
    """Run the search; `EngineError` if it fails, or is not over within `limit` seconds."""
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", str(PROGRAM), str(folder)],
            env=_environment(),
            stdin=subprocess.PIPE,  # breaks when this process ends: then the search ends too
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            raise EngineError(
                f"PySR did not keep its time limit and was stopped after {limit:g} s.{_tail(log)}"
            ) from None
        finally:
            _end(process)
    refused = folder / "refused.json"
    if refused.exists():
        raise TypeError(f"PySR refused 'engine_params': {json.loads(refused.read_text(encoding='utf-8'))}")
    if code or not (folder / "equations.csv").exists():
        raise EngineError(f"PySR's search failed with exit status {code}.{_tail(log)}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started."""
    if process.poll() is None:
        if os.name == "posix":
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()


def _tail(log: Path, n_lines: int = 15) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-n_lines:]
    return " Its last lines:\n" + "\n".join(lines) if lines else " It printed nothing."


def _expressions(file: Path, n_variables: int, maxsize: int) -> list[sp.Expr]:
    """Read the equations, shortest first; longer ones than asked for are left out."""
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    names = {str(symbol): symbol for symbol in symbols(n_variables)}
    found = []
    for row in rows:
        if float(row["complexity"]) > maxsize:
            continue
        try:
            found.append(parse(row["equation"], names))
        except ValueError as error:
            raise EngineError(f"PySR's equation {row['equation']!r} cannot be read: {error}") from error
    if not found:
        raise EngineError(f"PySR found no expression of at most {maxsize} nodes.")
    return found
