"""What an engine is: a search for expressions, with one set of operator names for all engines."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Any, ClassVar

import numpy as np
import sympy as sp
from sklearn.base import BaseEstimator

BINARY_OPERATORS = ("+", "-", "*", "/", "^", "max", "min", "aq")
UNARY_OPERATORS = (
    *("sin", "cos", "tan", "tanh", "exp", "log", "sqrt", "abs", "sign", "square", "cube"),
    *("logabs", "sqrtabs"),
)
"""Names are PySR's; three are total, so that a formula has a value for each row:
``aq(a, b) = a / sqrt(1 + b^2)``, ``logabs(a) = log|a|`` (at 0: minus infinity), ``sqrtabs(a) = sqrt|a|``."""


class EngineError(RuntimeError):
    """An engine that cannot be used here, or a search that failed; the message says what to do."""


class Engine(BaseEstimator, metaclass=ABCMeta):
    """A search for expressions that describe a target.

    For an engine of your own, derive a class from this one, set its name and what it supports, and write
    `search`. Settings of the engine are parameters of ``__init__``, as in any scikit-learn estimator. Then
    `clone` and `get_params` work, and settings can be searched as ``engine__setting``. An engine stores
    nothing from a search, so it can be pickled before and after.

    Attributes
    ----------
    name : str
        Name of the engine in messages and reports.
    supports_weights : bool
        Whether `search` uses weights. If not, it gets rows that are drawn by their weight, and no weights.
    default_niterations, default_population_size : int
        Defaults if you set none.

    Examples
    --------
    >>> import numpy as np
    >>> from skrationale.formula.program import symbols
    >>> class Lines(Engine):
    ...     name = "lines"
    ...
    ...     def search(self, Z, t, **settings):
    ...         return [slope * v for v, slope in zip(symbols(Z.shape[1]), (Z.T @ t) / (Z**2).sum(axis=0))]
    >>> Lines().search(np.array([[1.0], [2.0]]), np.array([3.0, 6.0]))
    [3.0*v0]
    """

    name: str = "engine"
    supports_weights: bool = False
    default_niterations: int = 100
    default_population_size: int = 500
    _parameter_constraints: ClassVar[dict[str, Any]] = {}

    def available(self) -> str | None:
        """Check whether a search can start here; this never raises an error.

        Returns
        -------
        str or None
            None if it can, otherwise the reason in words, and what to do.
        """
        return None

    def check_settings(self) -> None:
        """Raise an error for a setting of this engine that cannot be; it names the setting.

        It is called before anything is trained. An engine of your own may do so too.
        """
        self._validate_params()

    def check_operators(self, binary_operators: Sequence[str], unary_operators: Sequence[str]) -> None:
        """Raise a `ValueError` for an operator that the engine does not have.

        Parameters
        ----------
        binary_operators, unary_operators : sequence of str
            The operators to check.
        """
        check_operators(binary_operators, unary_operators)

    @abstractmethod
    def search(
        self,
        Z: np.ndarray,
        t: np.ndarray,
        *,
        weights: np.ndarray | None,
        binary_operators: Sequence[str],
        unary_operators: Sequence[str],
        maxsize: int,
        niterations: int,
        population_size: int,
        timeout_in_seconds: float | None,
        random_state: int,
    ) -> list[sp.Expr]:
        """Search for expressions, from short and rough to long and exact.

        Parameters
        ----------
        Z : ndarray of shape (n, p)
            Columns of finite numbers, standardised, float64.
        t : ndarray of shape (n,)
            Target, standardised, float64.
        weights : ndarray of shape (n,) or None
            Positive weights of the rows, of mean 1; None unless `supports_weights`.
        binary_operators : sequence of str
            From `BINARY_OPERATORS`; an operator that the engine does not have raises a `ValueError`.
        unary_operators : sequence of str
            Among `UNARY_OPERATORS`.
        maxsize : int
            Largest number of nodes in an expression, as the engine counts them.
        niterations : int
            Effort, in rounds of the engine: the same effort gives the same result.
        population_size : int
            Number of expressions in the population.
        timeout_in_seconds : float or None
            Wall-clock time after which the search stops and returns what it has found.
        random_state : int
            Seed. The same seed, without a timeout, gives the same expressions.

        Returns
        -------
        list of sympy.Expr
            At least one, in the symbols ``v0, v1, ...`` of :func:`symbols`, in the order of the columns.

        Raises
        ------
        EngineError
            If the engine cannot be used here, or fails.
        ValueError
            If an operator is not known to the engine.
        """

    def begin(
        self,
        Z: np.ndarray,
        t: np.ndarray,
        *,
        weights: np.ndarray | None,
        binary_operators: Sequence[str],
        unary_operators: Sequence[str],
        maxsize: int,
        population_size: int,
        random_state: int,
    ) -> RunningSearch:
        """Start a search that runs in parts.

        Parameters
        ----------
        Z, t, weights, binary_operators, unary_operators, maxsize, population_size, random_state : object
            As in `search`.

        Returns
        -------
        RunningSearch
            Each part is a new search, unless the engine can continue the search before it.
        """
        settings = {
            "weights": weights,
            "binary_operators": binary_operators,
            "unary_operators": unary_operators,
            "maxsize": maxsize,
            "population_size": population_size,
        }
        return RunningSearch(self, Z, t, random_state, settings)


class RunningSearch:
    """A search that is run in parts; here each of them begins anew, with another seed.

    Parameters
    ----------
    engine : Engine
        Who searches.
    Z : ndarray of shape (n, p)
        Columns.
    t : ndarray of shape (n,)
        Target.
    random_state : int
        Seed of the seeds of the parts.
    settings : dict
        The other parameters of :meth:`Engine.begin`.

    Examples
    --------
    >>> import numpy as np
    >>> from skrationale.symbolic import OperonEngine
    >>> Z = np.random.RandomState(0).normal(size=(50, 1))
    >>> settings = {"binary_operators": ["+", "*"], "unary_operators": [], "maxsize": 5, "weights": None}
    >>> search = OperonEngine().begin(Z, Z[:, 0] ** 2, population_size=20, random_state=0, **settings)
    >>> len(search.run(2)) > 0 and len(search.run(3)) > 0
    True
    """

    goes_on = False
    """Whether a part continues the one before it."""

    def __init__(
        self, engine: Engine, Z: np.ndarray, t: np.ndarray, random_state: int, settings: dict[str, Any]
    ) -> None:
        self.engine, self.Z, self.t = engine, Z, t
        self.settings, self.seeds = settings, np.random.RandomState(random_state)

    def run(self, niterations: int, timeout_in_seconds: float | None = None) -> list[sp.Expr]:
        """Run a part of the search.

        Parameters
        ----------
        niterations : int
            Its rounds.
        timeout_in_seconds : float, default=None
            Wall clock of this part.

        Returns
        -------
        list of sympy.Expr
            As `Engine.search` gives them.
        """
        return self.engine.search(
            self.Z,
            self.t,
            niterations=niterations,
            timeout_in_seconds=timeout_in_seconds,
            random_state=int(self.seeds.randint(2**31 - 1)),
            **self.settings,
        )


def did_you_mean(name: str, known: Collection[str]) -> str:
    """Suggest the known name that is most like a mistyped one.

    Returns
    -------
    str
        Such as ``" Did you mean 'sin'?"``, or "" when none is like it.

    Examples
    --------
    >>> did_you_mean("sine", UNARY_OPERATORS)
    " Did you mean 'sin'?"
    """
    close = get_close_matches(str(name).lower(), known, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def check_operators(
    binary_operators: Sequence[str],
    unary_operators: Sequence[str],
    known: tuple[Collection[str], Collection[str]] = (BINARY_OPERATORS, UNARY_OPERATORS),
) -> None:
    """Refuse operators that nobody, or that one engine, knows.

    Parameters
    ----------
    binary_operators, unary_operators : sequence of str
        The operators to check.
    known : pair of collections of str, default=(BINARY_OPERATORS, UNARY_OPERATORS)
        The binary and the unary operators there are.

    Raises
    ------
    ValueError
        If an operator is not known, stands in the wrong list, or there is no binary one.

    Examples
    --------
    >>> check_operators(["+", "*"], ["sin"])
    >>> check_operators(["+"], ["sine"])
    Traceback (most recent call last):
    ...
    ValueError: The 'unary_operators' parameter must hold only 'sin', ... Got 'sine'. Did you mean 'sin'?
    """
    asked = {"binary_operators": binary_operators, "unary_operators": unary_operators}
    for (parameter, operators), names, others in zip(asked.items(), known, known[::-1], strict=True):
        if isinstance(operators, str):
            raise ValueError(f"The {parameter!r} parameter must be a list of str. Got {operators!r} instead.")
        for operator in operators:
            if operator not in names:
                other = next(name for name in asked if name != parameter)
                hint = f" It belongs to {other!r}." if operator in others else did_you_mean(operator, names)
                expected = ", ".join(map(repr, names))
                raise ValueError(
                    f"The {parameter!r} parameter must hold only {expected}. Got {operator!r}.{hint}"
                )
    if not len(binary_operators):
        raise ValueError("The 'binary_operators' parameter must hold at least one operator. Got none.")
