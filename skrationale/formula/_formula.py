"""Formula: one expression tree over the columns of a table, by which everything is evaluated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from .._task import Link
from ..tabular import TableReader
from . import _domain, _plain_data
from ._building import check_tree, replace_symbols
from ._simplify import simplify_tree
from .exports import _c, _excel, _onnx, _python, _sql
from .exports._names import labels, shown_labels
from .exports._text import LatexPrinter, PlainPrinter, latex_text
from .parsing import parse
from .program import Program, symbols
from .tree import complexity, from_lists, to_lists
from .variables import Variable, reader_of, variable_values

LINKS = ("identity", "log", "logit", "softmax")
"""What a formula's value may be."""

if TYPE_CHECKING:
    from .exports._torch import FormulaModule


class Formula:
    """A formula of the columns of a table, in their own units; it is immutable.

    All forms of the formula, here and in other languages, are made from one tree, `expr`. If the formula has
    no value for a row, such as the logarithm of a negative number, `predict` returns NaN or infinity. Two
    formulas are equal if their trees and their variables are equal.

    Parameters
    ----------
    expr : sympy.Expr
        Sums, products, powers, ``Max``, ``Min``, exp, log, sin, cos, tan, tanh, ``Abs`` and sign of numbers
        and of the symbols ``v0`` to ``v{p-1}``.
    variables : sequence of p Variable
        The variables that the symbols stand for; stored as `all_variables`.
    reader : TableReader
        Reads tables.
    output_name : str, default="prediction"
        What is predicted.
    link : {"identity", "log", "logit", "softmax"}, default="identity"
        The function of the prediction that the formula computes; all methods return this score.
    box : array-like of shape (2, p), default=None
        Smallest and largest value of each variable on the training rows.

    Raises
    ------
    ValueError
        If the tree holds anything else or a number that is not finite and real, has more than 50,000 parts
        (each counted as often as it is written), or is nested more than 200 deep.

    Examples
    --------
    >>> import numpy as np
    >>> f = Formula.from_string("2*age^2 - `x y`", ["age", "x y"])
    >>> f.predict(np.array([[3.0, 1.0]]))
    array([17.])
    >>> f.complexity, f.variables
    (4, ('age', 'x y'))
    """

    expr: sp.Expr
    all_variables: tuple[Variable, ...]
    reader: TableReader
    output_name: str
    link: Link
    box: np.ndarray | None
    _program: Program

    def __init__(
        self,
        expr: sp.Expr,
        variables: Sequence[Variable],
        *,
        reader: TableReader,
        output_name: str = "prediction",
        link: Link = "identity",
        box: Any = None,
    ) -> None:
        if isinstance(expr, (int, float)):
            expr = sp.Float(expr)
        check_tree(expr)
        if not isinstance(link, str) or link not in LINKS:
            raise ValueError(f"`link` must be one of {LINKS}, got {link!r}.")
        variables = tuple(variables)
        self.__dict__.update(
            expr=expr,
            all_variables=variables,
            reader=reader,
            output_name=output_name,
            link=link,
            box=None if box is None else _domain.checked_box(box, len(variables)),
            _program=Program(expr, symbols(len(variables))),
        )

    @classmethod
    def from_string(
        cls,
        text: str,
        feature_names: Sequence[str],
        *,
        output_name: str = "prediction",
        link: Link = "identity",
    ) -> Formula:
        """Make a formula over columns of numbers from text, which is parsed and never run.

        Parameters
        ----------
        text : str
            The formula, such as ``2*age^2 - sqrt(`x y`)``; the functions are PySR's operators.
        feature_names : sequence of d str
            Names of the columns of the table. In `text`, put a name that is not an identifier into backticks.
            A repeated name gets a number, such as ``age_2``.
        output_name : str, default="prediction"
            What is predicted.
        link : {"identity", "log", "logit", "softmax"}, default="identity"
            The function of the prediction that the formula computes.

        Returns
        -------
        Formula
            Its score is NaN if a number that it uses is missing.

        Raises
        ------
        ValueError
            If a word cannot be read; the message names it and its position. Also if a limit is exceeded: the
            text may have 50,000 characters and brackets nested 100 deep, and the formula 50,000 parts nested
            200 deep.

        Examples
        --------
        >>> print(Formula.from_string("age / 2 + 1", ["age"]))
        1 + 0.5*age
        """
        reader = reader_of([str(name) for name in feature_names])
        variables = tuple(
            Variable(j, name, "number", fill=math.nan) for j, name in enumerate(reader.feature_names)
        )
        names = dict(zip(labels(variables, reader.feature_names), symbols(len(variables)), strict=True))
        return cls(parse(text, names), variables, reader=reader, output_name=output_name, link=link)

    # evaluation

    def predict(self, X: Any) -> np.ndarray:
        """Compute the score of each row.

        Parameters
        ----------
        X : table of shape (n, d)
            Columns in the order of training. The result is the score: the inverse of the link is not applied.

        Returns
        -------
        ndarray of shape (n,), float64
            Scores; NaN or infinite for rows for which the formula has no value.
        """
        return self.predict_codes(self.reader.transform(X))

    def predict_codes(self, codes: np.ndarray) -> np.ndarray:
        """Compute the score of each row of a table that the reader has encoded; see `predict`.

        Parameters
        ----------
        codes : ndarray of shape (n, d)
            Numbers and codes.

        Returns
        -------
        ndarray of shape (n,)
            Scores.
        """
        return self._program(variable_values(self.all_variables, codes))

    def variable_values(self, X: Any) -> np.ndarray:
        """Compute the values of the variables that the formula uses.

        Parameters
        ----------
        X : table of shape (n, d)
            Columns in the order of training.

        Returns
        -------
        ndarray of shape (n, q), float64
            In the order of `variables`; the input of the module that `to_torch` makes.
        """
        return variable_values(self._used_variables, self.reader.transform(X))

    # what it looks like

    @cached_property
    def _symbols(self) -> tuple[sp.Symbol, ...]:
        """Symbols of the tree, one for each of `all_variables`."""
        return symbols(len(self.all_variables))

    @cached_property
    def _used(self) -> list[int]:
        """Positions of the variables that occur."""
        return [j for j, symbol in enumerate(self._symbols) if symbol in self.expr.free_symbols]

    @property
    def _used_variables(self) -> tuple[Variable, ...]:
        return tuple(self.all_variables[j] for j in self._used)

    @property
    def variables(self) -> tuple[str, ...]:
        """Labels of the q variables that the formula uses, in the order of the columns."""
        return labels(self._used_variables, self.reader.feature_names)

    @property
    def complexity(self) -> int:
        """Number of symbols, numbers and operations, counted by :func:`complexity`."""
        return complexity(self.expr)

    @property
    def terms(self) -> tuple[sp.Expr, ...]:
        """Summands of the tree that are not numbers, in internal symbols."""
        return tuple(term for term in sp.Add.make_args(self.expr) if not term.is_number)

    @property
    def intercept(self) -> float:
        """Sum of the summands that are numbers."""
        return float(sum(float(term) for term in sp.Add.make_args(self.expr) if term.is_number))

    def _named(self, texts: Sequence[str]) -> dict[sp.Symbol, str]:
        return dict(zip(self._symbols, texts, strict=True))

    def show(self, tree: sp.Expr) -> str:
        """Write a tree of internal symbols with the names of the columns.

        Parameters
        ----------
        tree : sympy.Expr
            For example one of `terms`.

        Returns
        -------
        str
            In the same form as ``str(formula)``.
        """
        return self._printer().text(tree)

    def _printer(self) -> PlainPrinter:
        """Return what writes trees of the internal symbols, each part of them once."""
        return PlainPrinter(self._named(shown_labels(self.all_variables, self.reader.feature_names)))

    def __str__(self) -> str:
        return self.show(self.expr)

    def __repr__(self) -> str:
        score = self.output_name if self.link == "identity" else f"{self.link}({self.output_name})"
        return f"Formula({f'{score} = {self}'!r})"

    def _repr_latex_(self) -> str:
        name = latex_text(self.output_name)
        score = name if self.link == "identity" else rf"\mathrm{{{self.link}}}\left({name}\right)"
        return rf"$\displaystyle {score} = {self.latex()}$"

    def latex(self, precision: int = 3) -> str:
        r"""Write the formula in LaTeX, for use in math mode.

        Parameters
        ----------
        precision : int, default=3
            Significant digits of numbers.

        Returns
        -------
        str
            LaTeX text, with names in ``\text{...}``.

        Examples
        --------
        >>> print(Formula.from_string("sqrt(age)/(2 + size_)", ["age", "size_"]).latex())
        \frac{\sqrt{\text{age}}}{2 + \text{size\_}}
        """
        names = [latex_text(label) for label in labels(self.all_variables, self.reader.feature_names)]
        return LatexPrinter(self._named(names), precision).text(self.expr)

    def sympy(self) -> sp.Expr:
        """Return the tree with symbols named by the labels of the variables.

        Returns
        -------
        sympy.Expr
            Real symbols; sympy may put terms in another order.
        """
        names = self._named(labels(self.all_variables, self.reader.feature_names))
        shown = {symbol: sp.Symbol(name, real=True) for symbol, name in names.items()}
        return replace_symbols(self.expr, shown)

    # other formulas

    def with_expr(self, expr: sp.Expr) -> Formula:
        """Return a formula over the same variables with another tree.

        Parameters
        ----------
        expr : sympy.Expr
            In the symbols of `expr`.

        Returns
        -------
        Formula
            With the same names, link and box.
        """
        return Formula(
            expr,
            self.all_variables,
            reader=self.reader,
            output_name=self.output_name,
            link=self.link,
            box=self.box,
        )

    def simplify(self, digits: int | None = 4) -> Formula:
        """Return a tidier formula, with constants of few digits; it is never more complex.

        Parameters
        ----------
        digits : int, default=4
            Significant digits of constants; rounding changes the values a little. None: constants are not
            rounded, and values agree to 1e-9.

        Returns
        -------
        Formula
            Over the same variables.
        """
        if digits is not None and (not isinstance(digits, int | np.integer) or digits < 1):
            raise ValueError(f"`digits` must be an integer of at least 1 or None, got {digits!r}.")
        rows = _domain.formula_rows(self, 200)
        return self.with_expr(simplify_tree(self.expr, self._symbols, rows, digits))

    # trust

    def domain_warnings(self, X: Any = None) -> list[str]:
        """List where the formula may fail: denominators, logarithms, roots, exponentials, untrained ranges.

        Parameters
        ----------
        X : table of shape (n, d), default=None
            Rows to check, in addition to 10,000 rows drawn from the training ranges, each 5 % wider on both
            sides.

        Returns
        -------
        list of str
            Sentences with the original names; empty if nothing was found. Rows are named by the labels of a
            DataFrame, or by numbers from 0.
        """
        return _domain.formula_warnings(self, X)

    # in other languages, each in a file of its own

    def to_torch(self) -> FormulaModule:
        """Make a ``torch.nn.Module``.

        Returns
        -------
        FormulaModule
            Its input is a tensor of shape (n, q) with the values of `variables`, as ``variable_values(X)``
            returns them; its output are scores of shape (n,). Numbers that are neither integers nor exponents
            form a parameter, ``constants``, in float64. The input is converted to the type and device of this
            parameter. Both get gradients.

        Raises
        ------
        ImportError
            If torch is not installed.
        """
        from .exports._torch import FormulaModule

        return FormulaModule(self)

    to_python = _python.to_python
    to_numpy = _python.to_numpy
    to_c = _c.to_c
    to_sql = _sql.to_sql
    to_excel = _excel.to_excel
    to_onnx = _onnx.to_onnx

    # as plain data

    to_dict = _plain_data.to_dict
    from_dict = classmethod(_plain_data.from_dict)

    def __getstate__(self) -> dict[str, Any]:
        # a tree of lists does not depend on the version of sympy
        names = ("variables", "reader", "output_name", "link", "box")
        own = {**self.__dict__, "variables": self.__dict__["all_variables"]}
        return {"expr": to_lists(own["expr"]), **{name: own[name] for name in names}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        inner = {symbol.name: symbol for symbol in symbols(len(state["variables"]))}
        type(self).__init__(self, **{**state, "expr": from_lists(state["expr"], inner)})

    # what never changes

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"A formula is immutable; `{name}` cannot be set.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"A formula is immutable; `{name}` cannot be deleted.")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Formula):
            return NotImplemented
        return self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        # as text, since no NaN equals another
        return self.expr, tuple(map(repr, self.all_variables)), self.reader.feature_names
