"""Real tables: from a local folder when they are there, else from OpenML."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

TaskName = Literal["regression", "binary", "multiclass"]


@dataclass(frozen=True, eq=False)
class Table:
    """A table with its target.

    Parameters
    ----------
    X : DataFrame of shape (n, d)
        Rows; categorical columns have the dtype ``category``.
    y : Series of shape (n,)
        Floats for regression, 0 and 1 for two classes, integers for more.
    task : {"regression", "binary", "multiclass"}
        Kind of the target.
    name : str
        Name of the data set.
    """

    X: pd.DataFrame
    y: pd.Series
    task: TaskName
    name: str


class _Source(NamedTuple):
    task: TaskName
    data_id: int | None  # of OpenML
    positive: str = ""  # OpenML's label of the class that is 1 here
    left_out: tuple[str, ...] = ()  # columns that leak the outcome, or only name the row


SOURCES = {
    "adult": _Source("binary", 1590, ">50K"),
    "airfoil": _Source("regression", 44957),
    "auto_mpg": _Source("regression", 196),
    # V12 is OpenML's name of duration, which is known only when the outcome is
    "bank_marketing": _Source("binary", 1461, "2", ("duration", "V12")),
    "bike_sharing_hour": _Source("regression", 42712),
    "california_housing": _Source("regression", 44977),
    "concrete": _Source("regression", 44959),
    "covertype_50k": _Source("multiclass", 1596),
    "credit_g": _Source("binary", 31, "bad"),
    "diamonds": _Source("regression", 42225),
    "energy_heating": _Source("regression", 44960),
    "flights_delay_80k": _Source("binary", None),
    "higgs_small": _Source("binary", 23512, "1"),
    "kin8nm": _Source("regression", 189),
    "naval_compressor": _Source("regression", 44969),
    "power_plant": _Source("regression", None),
    "telco_churn": _Source("binary", 42178, "Yes", ("customerID",)),
    "titanic": _Source("binary", 40945, "1", ("name", "ticket", "boat", "body", "home.dest")),
    "wine_quality_red": _Source("regression", 44972),
    "yacht": _Source("regression", 42370),
}


def fetch_table(name: str, *, data_home: str | os.PathLike[str] | None = None) -> Table:
    """Load a real table from a local folder, or from OpenML if the folder does not have it.

    Parameters
    ----------
    name : str
        One of adult, airfoil, auto_mpg, bank_marketing, bike_sharing_hour, california_housing,
        concrete, covertype_50k, credit_g, diamonds, energy_heating, flights_delay_80k, higgs_small,
        kin8nm, naval_compressor, power_plant, telco_churn, titanic, wine_quality_red, yacht.
    data_home : path-like, default=None
        Folder of ``<name>.csv.gz``, whose last column is the target, and its card ``<name>.json``, which
        lists ``categorical_columns``. None: the folder in the environment variable ``SKRATIONALE_DATA``, or
        ``~/skrationale_data`` if it is not set.

    Returns
    -------
    Table
        With the attributes `X`, `y`, `task` and `name`. Columns that leak the outcome (``duration``
        of bank_marketing, ``boat`` and ``body`` of titanic) are left out.

    Raises
    ------
    ValueError
        If the name is not known, or the data are not as described.
    FileNotFoundError
        If a card is missing, or a table without a known OpenML id is not in the folder.
    OSError
        If OpenML cannot be reached.

    Notes
    -----
    Tables on OpenML may differ from a local file in rows and columns: on OpenML covertype has 581,012 rows,
    higgs 98,050, and titanic 1,309. scikit-learn keeps downloads in its own cache.

    Examples
    --------
    >>> from skrationale.datasets import fetch_table
    >>> table = fetch_table("adult")  # doctest: +SKIP
    >>> table.task, table.X.shape  # doctest: +SKIP
    ('binary', (48842, 14))
    """
    if name not in SOURCES:
        raise ValueError(f"name is {name!r}; expected one of {', '.join(SOURCES)}.")
    source = SOURCES[name]
    folder = Path(data_home or os.environ.get("SKRATIONALE_DATA") or "~/skrationale_data").expanduser()
    path = folder / f"{name}.csv.gz"
    X, y = _read_local(path) if path.exists() else _download(name, source, folder)
    X = X.drop(columns=[column for column in source.left_out if column in X])
    return Table(X, y.astype("float64" if source.task == "regression" else "int64"), source.task, name)


def _read_local(path: Path) -> tuple[pd.DataFrame, pd.Series]:
    import pandas as pd

    card_path = path.with_name(path.name.replace(".csv.gz", ".json"))
    if not card_path.exists():
        raise FileNotFoundError(f"{path.name} has no card; expected {card_path.name} beside it.")
    card: dict[str, Any] = json.loads(card_path.read_text(encoding="utf-8"))
    X = pd.read_csv(path)
    y = X.pop(X.columns[-1])
    categorical = card.get("categorical_columns")
    if categorical is None or not set(categorical) <= set(X.columns):
        raise ValueError(
            f"categorical_columns of {card_path.name} is {categorical!r}; expected a list of columns of "
            f"{path.name}: {', '.join(map(str, X.columns))}."
        )
    return X.astype(dict.fromkeys(categorical, "category")), y


def _download(name: str, source: _Source, folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    advice = f"Put {name}.csv.gz (last column: the target) and its card {name}.json into {folder}."
    if source.data_id is None:
        raise FileNotFoundError(
            f"{name} is not in {folder}, and this package has no OpenML id for it. {advice}"
        )
    from sklearn.datasets import fetch_openml

    try:
        bunch = fetch_openml(data_id=source.data_id, as_frame=True)
    except OSError as error:
        raise OSError(
            f"{name} is not in {folder}, and the download from OpenML failed: {error}. {advice}"
        ) from error
    X, y = bunch.data, bunch.target
    texts = X.select_dtypes(exclude=["number", "bool", "category"]).columns
    X = X.astype(dict.fromkeys(texts, "category"))
    if source.task == "binary":
        y = y.astype(str)
        labels = sorted(set(y))
        if source.positive not in labels:
            raise ValueError(f"The target of {name} holds {labels}; expected {source.positive!r} among them.")
        y = y == source.positive
    return X, y
