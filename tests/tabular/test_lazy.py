"""Plans without rows say which call makes rows of them; frames of polars come back as frames of polars."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skrationale import Explanation, RationaleRegressor, SmoothMLPRegressor
from skrationale.tabular import as_frame_or_array, read_target

TABLE = pl.DataFrame(
    {"age": [1.0, 2.0, None, 4.0] * 10, "city": ["Ulm", "Bonn", None, "Rome"] * 10, "n": list(range(40))}
).with_columns(pl.col("n").cast(pl.Int8))


def dask_frame():
    dask = pytest.importorskip("dask.dataframe")
    return dask.from_pandas(TABLE.to_pandas(), npartitions=2)


class DataFrame:
    """As one of Spark's calls itself."""


DataFrame.__module__ = "pyspark.sql.classic.dataframe"
PLANS = {
    "polars": (lambda: TABLE.lazy(), r"LazyFrame of polars.* \.collect\(\)"),
    "duckdb": (lambda: duckdb.sql("select 1.0 as a, 2.0 as b"), r"DuckDBPyRelation of duckdb.* \.df\(\)"),
    "executed": (lambda: duckdb.connect().execute("select 1"), r"DuckDBPyConnection of duckdb.* \.df\(\)"),
    "dask": (dask_frame, r"DataFrame of dask.* \.compute\(\)"),
    "spark": (DataFrame, r"DataFrame of pyspark.* \.toPandas\(\)"),
}


@pytest.mark.parametrize(("make", "words"), PLANS.values(), ids=PLANS.keys())
def test_a_plan_says_which_call_makes_rows_of_it(make, words):
    plan = make()
    with pytest.raises(TypeError, match="X is a " + words):
        as_frame_or_array(plan)
    with pytest.raises(TypeError, match="y is a " + words):
        read_target(plan)
    with pytest.raises(TypeError, match="X is a " + words):
        SmoothMLPRegressor().fit(plan, np.arange(40.0))


def test_a_target_that_is_a_plan_is_refused_in_fit_too():
    with pytest.raises(TypeError, match="y is a LazyFrame"):
        SmoothMLPRegressor().fit(TABLE, TABLE.lazy().select("n"))


def test_what_a_rationale_selects_of_polars_is_polars():
    model = RationaleRegressor(max_features=1, hidden_layer_sizes=(4,), max_epochs=2, random_state=0)
    model.fit(TABLE, TABLE["n"])
    for rows in (TABLE, TABLE[:1]):
        found, mask = model.select(rows), model.get_rationale(rows)
        assert isinstance(found, pl.DataFrame)
        assert found.schema == TABLE.schema
        kept = ~np.array([[cell is None for cell in row] for row in found.rows()])
        there = ~np.array([[cell is None for cell in row] for row in rows.rows()])
        np.testing.assert_array_equal(kept, mask & there)
        assert rows.filter(pl.Series(mask[:, 2]))["n"].to_list() == found["n"].drop_nulls().to_list()
    assert isinstance(model.select(TABLE.to_pandas()), pd.DataFrame)


EXPLAINED = Explanation(
    [[[1.0, 2.0], [3.0, np.nan]]] * 2,
    [0.0, 0.5],
    data=[[1.0, 0.0], [2.0, np.nan]],
    display_data=[[1, "a"], [2, None]],
    feature_names=["n", "city"],
    output_names=["yes", "no"],
    index=["first", "second"],
)


@pytest.mark.parametrize("backend", ["polars", "pyarrow"])
def test_frames_of_other_packages_hold_the_same(backend):
    kind = {"polars": pl.DataFrame, "pyarrow": pa.Table}[backend]
    wide = EXPLAINED.to_frame(backend=backend)
    assert isinstance(wide, kind)
    columns = wide.to_dict(as_series=False) if backend == "polars" else wide.to_pydict()
    assert list(columns) == ["row", "yes: n", "yes: city", "no: n", "no: city"]
    assert columns["row"] == ["first", "second"]
    assert (columns["yes: city"], columns["no: n"]) == ([3.0, 3.0], [2.0, 2.0])
    assert np.isnan(columns["no: city"]).all()
    tidy = EXPLAINED.to_frame(long=True, backend=backend)
    columns = tidy.to_dict(as_series=False) if backend == "polars" else tidy.to_pydict()
    assert list(columns) == ["row", "output", "feature", "value", "data"]
    assert columns["data"] == ["1", "a", "1", "a", "2", None, "2", None]
    assert columns["value"][:3] == [1.0, 3.0, 2.0]
    plain = Explanation([[1.0, -2.0]], 0.0).to_frame(backend=backend)
    assert (plain.columns if backend == "polars" else plain.column_names) == ["x0", "x1"]


def test_wrong_backends_and_names_are_named():
    with pytest.raises(ValueError, match=r"`backend` must be one of .*got 'spark'"):
        EXPLAINED.to_frame(backend="spark")
    twice = Explanation([[1.0, 2.0]], 0.0, feature_names=["a", "a"])
    with pytest.raises(
        ValueError,
        match="Two columns of the table would have the name 'a', which backend='polars' does not allow",
    ):
        twice.to_frame(backend="polars")
    assert twice.to_frame().shape == (1, 2)
