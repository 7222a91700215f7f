"""Tables that hold a plan of how to make them, and no rows yet."""

from __future__ import annotations

from typing import Any

MADE_BY = {
    ("polars", "LazyFrame"): "call .collect() first",
    ("duckdb", "DuckDBPyRelation"): "call .df() first, or .pl()",
    ("duckdb", "DuckDBPyConnection"): "call .df() first, or .pl()",
    ("dask", "DataFrame"): "call .compute() first",
    ("dask", "Series"): "call .compute() first",
    ("pyspark", "DataFrame"): "call .toPandas() first",
}
"""What makes rows of them, by the package and the name of the type; modules of a package may have moved."""


def refuse_without_rows(name: str, table: Any) -> None:
    """Raise a TypeError for a plan instead of a table, which says how to carry it out."""
    kind = type(table)
    package = kind.__module__.lstrip("_").partition(".")[0]
    words = MADE_BY.get((package, kind.__name__))
    if words is not None:
        raise TypeError(
            f"{name} is a {kind.__name__} of {package}, which holds no rows yet: {words}. For tables larger "
            "than memory see fit_batches and explain_dataset."
        )
