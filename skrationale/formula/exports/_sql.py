"""A formula as an expression of SQL."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

import sympy as sp

from .._plain_data import plain_level
from ..tree import float_or_none
from ._names import Leaf, leaves, unique_names
from ._printer import ATOM, Printer, may_hide_missing

if TYPE_CHECKING:
    from .._formula import Formula

Dialect = Literal["sqlite", "postgres", "mysql", "sqlserver", "bigquery", "duckdb", "snowflake", "spark"]


def _doubled(left: str, right: str) -> Callable[[str], str]:
    """Quote by doubling the closing sign."""
    return lambda text: left + text.replace(right, right * 2) + right


def _escaped(quote: str) -> Callable[[str], str]:
    """Quote with backslashes, as in C."""

    def write(text: str) -> str:
        for sign, code in (("\\", "\\\\"), (quote, "\\" + quote), ("\n", "\\n"), ("\r", "\\r")):
            text = text.replace(sign, code)
        return quote + text + quote

    return write


def _mysql_text(text: str) -> str:
    return _doubled("'", "'")(text.replace("\\", "\\\\"))


def _sqlserver_text(text: str) -> str:
    # a backslash at the end of a line would join it with the next
    for end in ("\r\n", "\n"):
        text = text.replace(f"\\{end}", f"\\\0{end}")
    return " + ".join(_doubled("N'", "'")(piece) for piece in text.split("\0"))


def _with_exponent(value: float) -> str:
    text = repr(value)
    return text if "e" in text else f"{text}E0"


def _ascii_lower(name: str) -> str:
    return "".join(sign.lower() if sign.isascii() else sign for sign in name)


@dataclass(frozen=True)
class _Language:
    """How a dialect writes names, texts, types and functions.

    `taken` are names that mean something else where a table has no such column, and names with equal
    `read_as` are one name to the database. `nan` is what is not a number and yet no NULL, where cells may be
    that; such databases take it for larger than all numbers.
    """

    double: str = "DOUBLE"
    number: Callable[[float], str] = repr
    nan: str = ""
    identifier: Callable[[str], str] = _doubled('"', '"')
    text: Callable[[str], str] = _doubled("'", "'")
    same_text: str = "{0} = {1}"
    booleans: tuple[str, str] = ("FALSE", "TRUE")
    functions: dict[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    extremes_skip_null: bool = False
    taken: frozenset[str] = frozenset()
    read_as: Callable[[str], str] = str.casefold


_CALLED_BY_NAME = frozenset(
    ("current_date", "current_time", "current_timestamp", "current_user", "localtime", "session_user", "user")
)
"""Functions that DuckDB and Spark call by their name alone, quoted or not."""

_LANGUAGES: dict[str, _Language] = {
    "sqlite": _Language(
        double="REAL",
        # in double quotes, the name of a column that is not there would be read as a text
        identifier=_doubled("`", "`"),
        taken=frozenset(("rowid", "oid", "_rowid_")),
        read_as=_ascii_lower,
        same_text="{0} = {1} COLLATE BINARY",
        booleans=("0", "1"),
        functions={"max": "MAX", "min": "MIN"},
    ),
    "postgres": _Language(
        double="DOUBLE PRECISION",
        nan="CAST('NaN' AS DOUBLE PRECISION)",
        extremes_skip_null=True,
        taken=frozenset(("ctid", "xmin", "xmax", "cmin", "cmax", "tableoid")),
        # longer names are cut
        read_as=lambda name: name.encode("utf-8", "replace")[:63].decode("utf-8", "ignore"),
    ),
    "mysql": _Language(
        identifier=_doubled("`", "`"),
        text=_mysql_text,
        # texts are compared without regard to case and trailing blanks by default
        same_text="CONVERT({0} USING utf8mb4) COLLATE utf8mb4_0900_bin = {1}",
        without=("tanh",),
        taken=frozenset(("_rowid",)),
    ),
    "sqlserver": _Language(
        double="FLOAT",
        # else an exact decimal, and a power of it would be rounded to its few digits
        number=_with_exponent,
        identifier=_doubled("[", "]"),
        text=_sqlserver_text,
        same_text="{0} COLLATE Latin1_General_100_BIN2 = {1}",
        booleans=("0", "1"),
        functions={"log": "LOG"},
        without=("tanh",),
        extremes_skip_null=True,
    ),
    "bigquery": _Language(double="FLOAT64", identifier=_escaped("`"), text=_escaped("'")),
    "duckdb": _Language(
        nan="CAST('NaN' AS DOUBLE)",
        extremes_skip_null=True,
        taken=_CALLED_BY_NAME
        | {"rowid", "localtimestamp", "current_catalog", "current_role", "current_schema"},
    ),
    "snowflake": _Language(text=_mysql_text, read_as=str),
    "spark": _Language(
        number=lambda value: f"{value!r}D",  # else an exact decimal
        nan="CAST('NaN' AS DOUBLE)",
        identifier=_doubled("`", "`"),
        text=_escaped("'"),
        extremes_skip_null=True,
        taken=_CALLED_BY_NAME | {"_metadata"},  # of files
    ),
}
_FUNCTIONS = {"log": "LN", "max": "GREATEST", "min": "LEAST", "pow": "POWER"}


def _can_be_null(node: sp.Expr) -> bool:
    """Tell whether a tree holds a division, a root or a logarithm, which may have no value."""
    return node.has(sp.log) or any(
        (float_or_none(power.exp) or -1.0) < 0 or not float(power.exp).is_integer()
        for power in node.atoms(sp.Pow)
        if not power.is_number
    )


class _SqlPrinter(Printer):
    language = "SQL"

    def __init__(self, names: dict[sp.Symbol, str], dialect: str, may_be_null: set[sp.Symbol]) -> None:
        super().__init__(names)
        self._dialect = dialect
        self._language = _LANGUAGES[dialect]
        self._may_be_null = may_be_null
        self.functions = _FUNCTIONS | self._language.functions

    def number(self, value: float) -> str:
        return self._language.number(value)

    def product(self, node: sp.Expr) -> tuple[str, int]:
        # numbers side by side are multiplied here: as exact decimals they would be rounded, or have too many
        # digits
        numbers = [factor for factor in node.args if factor.is_number]
        whole = math.prod(map(float, numbers))
        if node.is_Mul and len(numbers) > 1 and 0 < abs(whole) < math.inf:
            rest = [factor for factor in node.args if not factor.is_number]
            node = sp.Mul(sp.Float(whole), *rest, evaluate=False)
        return super().product(node)

    def power(self, base: sp.Expr, exponent: sp.Expr) -> tuple[str, int]:
        if not (self._language.nan and may_hide_missing(base, exponent)):
            return super().power(base, exponent)
        texts = [
            f"NULLIF({self.text(part)}, {self._language.nan})" if part.args else self.text(part)
            for part in (base, exponent)
        ]
        return f"{self.functions['pow']}({', '.join(texts)})", ATOM

    def divide(self, above: str, below: sp.Expr) -> str:
        return f"{above}/NULLIF({self.text(below)}, {self.number(0.0)})"

    def call(self, word: str, argument: sp.Expr) -> tuple[str, int]:
        if word in self._language.without:
            raise ValueError(f"{self._dialect} has no function {word.upper()}, which the formula needs.")
        text = f"{self.functions.get(word, word.upper())}({self.text(argument)})"
        # some give an integer, and a quotient of integers is rounded
        return (f"CAST({text} AS {self._language.double})" if word == "sign" else text), ATOM

    def extreme(self, word: str, node: sp.Expr) -> tuple[str, int]:
        texts = [self.text(argument) for argument in node.args]
        text = f"{self.functions[word]}({', '.join(texts)})"
        found = list(zip(texts, node.args, strict=True))
        tests = []
        if self._language.extremes_skip_null:
            tests = [f"({own}) IS NULL" for own, tree in found if self._is_null_somewhere(tree)]
        if self._language.nan and word == "min":  # the largest of all is never the least
            tests += [
                f"({own}) = {self._language.nan}" for own, tree in found if tree.args and not tree.is_number
            ]
        if tests:
            return f"(CASE WHEN {' OR '.join(tests)} THEN NULL ELSE {text} END)", ATOM
        return text, ATOM

    def _is_null_somewhere(self, tree: sp.Expr) -> bool:
        return _can_be_null(tree) or bool(tree.free_symbols & self._may_be_null)


def _literal(level: Any, language: _Language) -> str:
    if isinstance(level, str):
        return language.text(level)
    if isinstance(level, bool):
        return language.booleans[level]
    return language.number(level) if isinstance(level, float) else repr(level)


def _same(column: str, level: Any, language: _Language) -> str:
    pattern = language.same_text if isinstance(level, str) else "{0} = {1}"
    return pattern.format(column, _literal(level, language))


def _leaf(leaf: Leaf, levels: Any, language: _Language) -> str:
    variable = leaf.variable
    column = language.identifier(variable.name)
    number = f"CAST({column} AS {language.double})"
    if language.nan:
        number = f"NULLIF({number}, {language.nan})"
    if variable.kind == "number":
        fill = language.number(float(variable.fill))
        return number if math.isnan(variable.fill) else f"COALESCE({number}, {fill})"
    if variable.kind == "missing":
        # a name that is no column may be the table's, and a whole row is not NULL: as a text it is an error
        first = None if levels is None or not len(levels) else levels[0]
        cell = f"({_same(column, first, language)})" if isinstance(first, str) else column
        if language.nan and levels is None:
            cell = number
        test = f"{cell} IS NULL"
    else:
        test = _same(column, plain_level(variable.level, variable.name), language)
    # as a cast, since 1.0 is an exact decimal in some, with few digits after a division
    one, zero = map(language.number, (1.0, 0.0))
    return f"CAST(CASE WHEN {test} THEN {one} ELSE {zero} END AS {language.double})"


def _check_names(formula: Formula, found: Sequence[Leaf], dialect: str) -> None:
    """Raise a ValueError for names that the database would read as something else."""
    language = _LANGUAGES[dialect]
    columns: dict[str, list[str]] = {}
    for name in unique_names(formula.reader.feature_names):
        columns.setdefault(language.read_as(name), []).append(name)
    for leaf in found:
        name = leaf.variable.name
        if "\0" in leaf.variable.label + str(leaf.variable.level):
            raise ValueError(f"SQL cannot hold the character NUL, as in {leaf.variable.label!r}.")
        if language.read_as(name) in language.taken:
            raise ValueError(
                f"{dialect} gives the name {name!r} a special meaning if a table has no such column; "
                "rename the column."
            )
        others = columns[language.read_as(name)]
        if len(others) > 1:
            raise ValueError(
                f"{dialect} reads {others[0]!r} and {others[1]!r} as the same column name; rename one "
                "of these columns."
            )


def to_sql(self: Formula, dialect: Dialect = "sqlite") -> str:
    """Write an SQL expression, for use after ``SELECT``.

    Parameters
    ----------
    dialect : {"sqlite", "postgres", "mysql", "sqlserver", "bigquery", "duckdb", "snowflake", "spark"}
        The database. The tests of this project run the expressions for "sqlite" and "duckdb"; those for
        "postgres" and "spark" were run once; the others are written from the manuals. PostgreSQL does not
        accept booleans as numbers, and also stops if a number is too small for it.

    Returns
    -------
    str
        The expression reads columns of numbers and text with the same names. A missing cell is NULL (in
        DuckDB, PostgreSQL and Spark also NaN). If the table does not have a column, the database raises an
        error. If all steps of the formula have finite values, the result is that of `predict`. If a step has
        none, the result is that of `predict`, NULL or infinite, or the database stops with an error, as most
        do for logarithms and roots of negative numbers. So a division by exactly 0, and all that is computed
        from it, is NULL, even if `predict` continues with infinity: ``max(x/y, 1)`` may be 1 there. In MySQL
        the backslash in text is an escape character, as by default.

    Raises
    ------
    ValueError
        If the dialect has no function for an operation (``TANH`` in MySQL and SQL Server), cannot hold a name
        or a level, would read a name as something else (``rowid`` in SQLite and DuckDB, ``user`` in DuckDB
        and Spark), or does not distinguish two columns apart (``age`` and ``AGE`` in most).

    Examples
    --------
    >>> from skrationale import Formula
    >>> Formula.from_string("2.5/age", ["age"]).to_sql()
    '2.5/NULLIF(CAST(`age` AS REAL), 0.0)'
    """
    if dialect not in _LANGUAGES:
        raise ValueError(f"`dialect` must be one of {get_args(Dialect)}, got {dialect!r}.")
    found = leaves(self)
    _check_names(self, found, dialect)
    language = _LANGUAGES[dialect]
    levels = self.reader.levels
    names = {leaf.symbol: _leaf(leaf, levels[leaf.variable.column], language) for leaf in found}
    without_fill = {leaf.symbol for leaf in found if math.isnan(leaf.variable.fill)}
    return _SqlPrinter(names, dialect, without_fill).text(self.expr)
