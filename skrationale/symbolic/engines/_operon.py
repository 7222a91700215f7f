"""The embedded engine: Operon, genetic programming in C++ (package pyoperon)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from numbers import Integral, Real
from time import monotonic
from typing import Any, ClassVar

import numpy as np
import sympy as sp
from sklearn.utils._param_validation import Interval

from ..._deadline import Deadline
from ...formula.parsing import parse
from ...formula.program import symbols
from ._base import Engine, EngineError, RunningSearch, check_operators

BINARY = {"+": "add", "-": "sub", "*": "mul", "/": "div", "^": "pow", "aq": "aq"}
UNARY = {name: name for name in ("sin", "cos", "tan", "tanh", "exp", "log", "sqrt", "abs", "square")} | {
    "logabs": "logabs",
    "sqrtabs": "sqrtabs",
}
# max and min are left out: Operon 0.6 evaluates and prints each as the other
INSTALL = (
    "pip install pyoperon (wheels for Linux x86-64 and macOS arm64), or use engine='pysr', which needs Julia"
)
PROBE_SECONDS = 60
"""How long its first import may take. Not measured."""
FIRST_GENERATIONS = 5
"""With a time limit, generations by which it is measured how long one takes. Not measured."""
MOST_GENERATIONS = 10**9
"""Those of a search that its clock ends. Not measured."""
MOST = 2**31 - 1
"""What Operon's integers can hold."""
SHORTEST = 2
"""With a `max_length` of 1 Operon finds nothing and fails."""


@cache
def _probe() -> str | None:
    """Import pyoperon in a process of its own, once: on a CPU that it was not built for it would crash."""
    if find_spec("pyoperon") is None:
        return f"pyoperon is not installed: {INSTALL}."
    try:
        run = subprocess.run(
            [sys.executable, "-c", "import pyoperon.sklearn"],
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"pyoperon could not be tried ({error}): {INSTALL}."
    if run.returncode == 0:
        return None
    last = (run.stderr.strip().splitlines() or [f"exit status {run.returncode}"])[-1]
    return f"pyoperon is installed but does not work here ({last}): {INSTALL}."


class OperonEngine(Engine):
    """Operon's search for expressions with small error and small size [1]_.

    One seed and one number of generations give one set of expressions, whatever `n_threads` is.

    Parameters
    ----------
    optimizer_iterations : int, default=3
        Steps of Levenberg-Marquardt on the constants of a new expression.
    local_search_probability : float, default=0.5
        Share of the new expressions whose constants are fitted, drawn at random. Such steps take most of the
        time of a search.
    max_depth : int, default=10
        Largest depth of an expression.
    n_threads : int, default=1
        Threads of the search.

    References
    ----------
    .. [1] Burlacu, Kronberger, Kommenda, "Operon C++: an efficient genetic programming framework for
       symbolic regression", GECCO 2020 companion.

    Examples
    --------
    >>> from skrationale.symbolic import OperonEngine
    >>> OperonEngine(n_threads=2).get_params()
    {'local_search_probability': 0.5, 'max_depth': 10, 'n_threads': 2, 'optimizer_iterations': 3}
    """

    name = "operon"
    default_niterations = 400
    default_population_size = 100
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "optimizer_iterations": [Interval(Integral, 0, MOST, closed="both")],
        "local_search_probability": [Interval(Real, 0, 1, closed="both")],
        "max_depth": [Interval(Integral, 1, MOST, closed="both")],
        "n_threads": [Interval(Integral, 1, MOST, closed="both")],
    }

    def __init__(
        self,
        *,
        optimizer_iterations: int = 3,
        # Measured on twelve tables with three seeds: mean R2 0.800; with 1.0 0.799, which takes 1.4 times as
        # long; with 0.25 0.793
        local_search_probability: float = 0.5,
        max_depth: int = 10,
        n_threads: int = 1,
    ) -> None:
        self.optimizer_iterations = optimizer_iterations
        self.local_search_probability = local_search_probability
        self.max_depth = max_depth
        self.n_threads = n_threads

    def available(self) -> str | None:  # noqa: D102
        return _probe()

    def check_operators(  # noqa: D102
        self, binary_operators: Sequence[str], unary_operators: Sequence[str]
    ) -> None:
        check_operators(binary_operators, unary_operators, (BINARY, UNARY))

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
        running = self.begin(
            Z,
            t,
            weights=weights,
            binary_operators=binary_operators,
            unary_operators=unary_operators,
            maxsize=maxsize,
            population_size=population_size,
            random_state=random_state,
        )
        return running.run(niterations, timeout_in_seconds)

    def begin(  # noqa: D102
        self,
        Z: np.ndarray,
        t: np.ndarray,
        *,
        weights: np.ndarray | None = None,
        binary_operators: Sequence[str],
        unary_operators: Sequence[str],
        maxsize: int,
        population_size: int,
        random_state: int,
    ) -> RunningSearch:
        self.check_settings()
        self.check_operators(binary_operators, unary_operators)
        reason = self.available()
        if reason:
            raise EngineError(reason)
        from pyoperon.sklearn import SymbolicRegressor

        words = [BINARY[o] for o in binary_operators] + [UNARY[o] for o in unary_operators]
        model = SymbolicRegressor(
            allowed_symbols=",".join([*words, "constant", "variable"]),
            objectives=["r2", "length"],  # one objective gives one expression only
            population_size=population_size,
            pool_size=population_size,
            max_evaluations=sys.maxsize,
            epsilon=0.0,  # else the search ends early, without a word
            max_length=max(maxsize, SHORTEST),
            max_depth=self.max_depth,
            optimizer_iterations=self.optimizer_iterations,
            local_search_probability=self.local_search_probability,
            n_threads=self.n_threads,
            random_state=random_state,
            warm_start=True,
        )
        return OperonSearch(self, Z, t, model)


class OperonSearch(RunningSearch):
    """A search of Operon; each part goes on from the population of the one before.

    Parameters
    ----------
    engine : OperonEngine
        Who searches.
    Z : ndarray of shape (n, p)
        Columns.
    t : ndarray of shape (n,)
        Target.
    model : pyoperon.sklearn.SymbolicRegressor
        Not fitted yet; it is told to go on from where it was.
    """

    goes_on = True

    def __init__(self, engine: OperonEngine, Z: np.ndarray, t: np.ndarray, model: Any) -> None:
        super().__init__(engine, Z, t, model.random_state, {})
        self.model = model

    def run(self, niterations: int, timeout_in_seconds: float | None = None) -> list[sp.Expr]:  # noqa: D102
        try:
            if timeout_in_seconds is None:
                self._go(niterations)
            else:
                self._go_in_time(niterations, Deadline(timeout_in_seconds))
        except Exception as error:  # of a C++ library: of any type
            raise EngineError(f"Operon's search on {len(self.t)} rows failed: {error}") from error
        return _front(self.model, self.Z.shape[1])

    def _go(self, generations: int, whole_seconds: int | None = None) -> int:
        """Run generations, and count those that were run; each part has a seed of its own."""
        if hasattr(self.model, "is_fitted_"):
            self.model.set_params(random_state=int(self.seeds.randint(2**31 - 1)))
        self.model.set_params(generations=generations, max_time=whole_seconds)
        self.model.fit(self.Z, self.t)
        return int(self.model.stats_["generations"])

    def _go_in_time(self, generations: int, deadline: Deadline) -> None:
        """Run until a time is over: Operon's own clock knows whole seconds alone.

        Its clock runs for all seconds but the last one. The rest is filled with generations, of which it is
        known by then how long they take.
        """
        some, whole = min(FIRST_GENERATIONS, generations), None
        while True:
            start = monotonic()
            done = self._go(some, whole)
            generations -= done
            each, left = (monotonic() - start) / max(done, 1), deadline.left()
            if generations < 1 or left < each:
                return
            whole = int(left - each) or None
            some = min(generations, MOST_GENERATIONS if whole else int(left / each))


def _front(model: Any, n_variables: int) -> list[sp.Expr]:
    """Read the expressions of a fitted model; those that are not finite anywhere are left out."""
    from pyoperon import InfixFormatter

    names = {f"X{j + 1}": symbol for j, symbol in enumerate(symbols(n_variables))}
    found = []
    for row in model.pareto_front_:
        try:
            # not get_model_string, which warns of constants: warnings cannot be silenced in one thread alone
            found.append(parse(InfixFormatter.Format(row["tree"], model.variables_, 17), names))
        except ValueError:  # a constant that overflowed: printed as inf or nan
            continue
    return found
