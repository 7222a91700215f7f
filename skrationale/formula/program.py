"""Evaluate an expression tree over columns, in numpy or torch, and differentiate it by its parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add, mul
from typing import Any

import numpy as np
import sympy as sp

from ._building import postorder, short_text

FUNCTIONS: dict[Any, str] = {
    sp.exp: "exp",
    sp.log: "log",
    sp.sin: "sin",
    sp.cos: "cos",
    sp.tan: "tan",
    sp.tanh: "tanh",
    sp.Abs: "abs",
    sp.sign: "sign",
}
"""Functions of one argument that a formula may hold, beside sums, products, powers, `Max` and `Min`."""
_MOST_CELLS = 2_000_000
"""Rows times steps whose values are kept together: 16 MB of float64. Not measured."""


def symbols(n: int, letter: str = "v") -> tuple[sp.Symbol, ...]:
    """Give the internal symbols ``v0, v1, ...``, which stand for real numbers."""
    return tuple(sp.Symbol(f"{letter}{i}", real=True) for i in range(n))


def _unknown(node: sp.Basic) -> ValueError:
    return ValueError(f"A formula cannot hold {node.func.__name__}, as in {short_text(node)}.")


class Program:
    """An expression as a list of steps, each done once however often its result is used.

    Parameters
    ----------
    expr : sympy.Expr
        Sums, products, powers, `Max`, `Min` and the functions in `FUNCTIONS`.
    variables : sequence of p sympy.Symbol
        Symbols in the order of the columns.
    parameters : sequence of k sympy.Symbol, default=()
        Symbols whose values are given with each call, and by which `jacobian` differentiates.

    Raises
    ------
    ValueError
        When `expr` holds anything else, such as an unknown symbol.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = symbols(2)
    >>> Program(x * y + 1, (x, y))(np.array([[2.0, 3.0]]))
    array([7.])
    """

    def __init__(
        self, expr: sp.Expr, variables: Sequence[sp.Symbol], parameters: Sequence[sp.Symbol] = ()
    ) -> None:
        self._columns = {symbol: j for j, symbol in enumerate(variables)}
        self._parameters = {symbol: j for j, symbol in enumerate(parameters)}
        self._steps: list[tuple[str, Any]] = []
        self._position: dict[sp.Basic, int] = {}
        self._sweep: list[tuple[int, list[tuple[int, int]]]] | None = None
        self._result = self._add(sp.sympify(expr))

    def _add(self, expr: sp.Basic) -> int:
        """Append the steps of a tree of any depth, arguments first; return where its result will be."""
        for node in postorder(expr) if expr not in self._position else ():
            if node.args and node not in self._position and not node.is_number:
                self._append(node, self._operation(node))
        return self._at(expr)

    def _append(self, node: sp.Basic, step: tuple[str, Any]) -> None:
        self._position[node] = len(self._steps)
        self._steps.append(step)
        self._sweep = None

    def _at(self, node: sp.Basic) -> int:
        """Say where a result will be; columns, parameters and numbers get their step when first asked for."""
        found = self._position.get(node)
        if found is not None:
            return found
        if node in self._columns:
            self._append(node, ("column", self._columns[node]))
        elif node in self._parameters:
            self._append(node, ("parameter", self._parameters[node]))
        elif node.is_number:
            self._append(node, ("constant", float(node)))
        else:
            raise _unknown(node)
        return len(self._steps) - 1

    def _operation(self, node: sp.Basic) -> tuple[str, Any]:
        """Give the step of a node whose arguments have theirs."""
        if isinstance(node, sp.Pow) and node.exp.is_number and float(node.exp):
            return "power", (self._at(node.base), float(node.exp))
        if node.func is sp.Pow or isinstance(node, (sp.Add, sp.Mul, sp.Max, sp.Min)):
            return node.func.__name__.lower(), [self._at(argument) for argument in node.args]
        if node.func in FUNCTIONS:
            return FUNCTIONS[node.func], self._at(node.args[0])
        raise _unknown(node)

    @property
    def steps(self) -> list[tuple[str, Any]]:
        """What is done, in order: a name, and a number or the positions of the arguments' steps."""
        return self._steps

    @property
    def result(self) -> int:
        """Position of the step that gives the value."""
        return self._result

    def __call__(self, X: Any, theta: Any = ()) -> Any:
        """Evaluate rows.

        Parameters
        ----------
        X : ndarray or torch.Tensor of shape (n, p)
            Columns in the order of the variables.
        theta : sequence or Tensor of shape (k,), default=()
            Values of the parameters.

        Returns
        -------
        ndarray or torch.Tensor of shape (n,)
            Values; NaN or infinite where the expression has none.
        """
        with np.errstate(all="ignore"):
            value = self._values(X, theta)[self._result]
            # a constant becomes a column; where torch writes down a graph, `len` would fix its rows
            rows = X.shape[0]
            return value + (np.zeros(rows) if isinstance(X, np.ndarray) else X.new_zeros(rows))

    def parts(self, nodes: Sequence[sp.Expr], X: np.ndarray) -> list[np.ndarray]:
        """Evaluate parts of the expression, and other trees of the same symbols.

        Parameters
        ----------
        nodes : sequence of k sympy.Expr
            What to evaluate.
        X : ndarray of shape (n, p)
            Columns in the order of the variables.

        Returns
        -------
        list of k ndarray of shape (n,)
            Values of each.
        """
        positions = [self._add(node) for node in nodes]
        # few rows at a time, since all steps are kept while they run
        size = max(_MOST_CELLS // max(len(self._steps), 1), 1)
        blocks: list[list[np.ndarray]] = [[] for _ in nodes]
        with np.errstate(all="ignore"):
            for start in range(0, len(X), size):
                rows = X[start : start + size]
                values = self._values(rows, ())
                for block, position in zip(blocks, positions, strict=True):
                    block.append(values[position] + np.zeros(len(rows)))
        return [np.concatenate([np.zeros(0), *block]) for block in blocks]

    def _values(self, X: Any, theta: Any) -> list[Any]:
        if isinstance(X, np.ndarray):
            xp: Any = np
            constant: Any = np.float64
        else:
            import torch as xp

            def constant(value: float) -> Any:
                return xp.tensor(value, dtype=X.dtype, device=X.device)

        values: list[Any] = []
        for name, payload in self._steps:
            if name == "column":
                value = X[:, payload]
            elif name == "parameter":
                value = theta[payload]
            elif name == "constant":
                value = constant(payload)
            elif name == "power":
                value = xp.sqrt(values[payload[0]]) if payload[1] == 0.5 else values[payload[0]] ** payload[1]
            elif name == "sign":  # torch's own gives 0 for NaN
                value = xp.where(
                    values[payload] == values[payload], xp.sign(values[payload]), values[payload]
                )
            elif name == "pow":
                value = _pow(xp, values[payload[0]], values[payload[1]])
            elif isinstance(payload, int):
                value = getattr(xp, name)(values[payload])
            else:
                function = {"add": add, "mul": mul, "max": xp.maximum, "min": xp.minimum}[name]
                value = reduce(function, [values[i] for i in payload])
            values.append(value)
        return values

    def values(self, X: np.ndarray, theta: np.ndarray) -> list[Any]:
        """Evaluate all steps: the value of each is a number or an array of shape (n,)."""
        with np.errstate(all="ignore"):
            return self._values(X, theta)

    def jacobian(
        self, X: np.ndarray, theta: np.ndarray, values: list[Any] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Evaluate rows and their derivatives by the parameters, in one sweep back.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Columns in the order of the variables.
        theta : ndarray of shape (k,)
            Values of the parameters.
        values : list, default=None
            What the method `values` gave for both; None: it is asked.

        Returns
        -------
        values : ndarray of shape (n,)
        derivatives : ndarray of shape (n, k)
        """
        with np.errstate(all="ignore"):
            values = self._values(X, theta) if values is None else values
            slopes: list[Any] = [None] * len(values)
            slopes[self._result] = np.ones(len(X))
            result = np.zeros((len(X), len(theta)))
            for i, moved in self._moved():
                (name, payload), own = self._steps[i], slopes[i]
                if own is None:  # of another tree
                    continue
                if name == "parameter":
                    result[:, payload] = own
                for k, j in moved:
                    slope = _slope(name, payload, values, i, k)
                    part = own if slope is None else own * slope
                    slopes[j] = part if slopes[j] is None else slopes[j] + part
            return values[self._result] + np.zeros(len(X)), result

    def _moved(self) -> list[tuple[int, list[tuple[int, int]]]]:
        """List the steps that parameters move, from the last one on.

        Each comes with those of its arguments that move: which one it is, and its step.
        """
        if self._sweep is None:
            found: dict[int, list[tuple[int, int]]] = {}
            for i, (name, payload) in enumerate(self._steps):
                moved = [(k, j) for k, j in enumerate(_arguments(name, payload)) if j in found]
                if moved or name == "parameter":
                    found[i] = moved
            self._sweep = list(found.items())[::-1]
        return self._sweep


def _pow(xp: Any, a: Any, b: Any) -> Any:
    """Give a power in numpy or torch; both take ``nan**0`` and ``1**nan`` for 1, here they are NaN."""
    # most numbers cannot hide what is missing
    if (isinstance(b, float) and (b < 0 or b > 0)) or (isinstance(a, float) and (a < 1 or a > 1)):
        return a**b
    missing = (a != a) | (b != b)
    if xp is np and not np.count_nonzero(missing):  # which torch cannot ask while it writes down a graph
        return a**b
    return xp.where(missing, a + b, a**b)


def _arguments(name: str, payload: Any) -> Sequence[int]:
    """Give the positions of the steps that a step takes values of."""
    if name in ("column", "parameter", "constant"):
        return ()
    if name == "power":
        return payload[:1]
    return (payload,) if isinstance(payload, int) else payload


def _slope(name: str, payload: Any, values: list[Any], i: int, k: int) -> Any:
    """Give the derivative of step i by its argument k; None where it is 1."""
    if name == "add":
        return None
    value, arguments = values[i], [values[j] for j in _arguments(name, payload)]
    if name == "mul":
        return reduce(mul, arguments[:k] + arguments[k + 1 :])
    x = arguments[k]
    if name in ("max", "min"):
        return x == value
    if name == "power":
        return payload[1] * x ** (payload[1] - 1)
    if name == "pow":
        base, power = arguments
        return value * np.log(base) if k else power * _pow(np, base, power - 1)
    return _SLOPES[name](x, value)


_SLOPES: dict[str, Callable[[Any, Any], Any]] = {
    "exp": lambda x, value: value,
    "log": lambda x, value: 1 / x,
    "sin": lambda x, value: np.cos(x),
    "cos": lambda x, value: -np.sin(x),
    "tan": lambda x, value: 1 + value**2,
    "tanh": lambda x, value: 1 - value**2,
    "abs": lambda x, value: np.sign(x),
    "sign": lambda x, value: 0.0,
}
"""Derivative of a function of one argument, by the argument and the value."""
