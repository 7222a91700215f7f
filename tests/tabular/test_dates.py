"""Dates, times and spans of time become numbers, and their reasons go back to them."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skrationale import (
    DateParts,
    GBDT2NNStudent,
    RationaleClassifier,
    SmoothMLPRegressor,
    explain_pipeline,
    make_report,
)

N = 60
RNG = np.random.default_rng(0)
START = pd.Timestamp("2023-12-30")
TABLE = pd.DataFrame(
    {
        "sent": START + pd.to_timedelta(RNG.integers(0, 400, N), unit="D"),
        "city": RNG.choice(["Ulm", "Bonn"], N),
        "sent_at": (START + pd.to_timedelta(RNG.integers(0, 10**6, N), unit="s")).tz_localize(
            "Europe/Berlin"
        ),
        "waited": pd.to_timedelta(RNG.integers(0, 100, N), unit="h"),
        "month": pd.period_range("2024-01", periods=N, freq="M"),
        "born": [datetime.date(1950 + i, 3, 1 + i % 28) for i in range(N)],
        "opens": [datetime.time(6 + i % 4, 30) for i in range(N)],
        "size": RNG.normal(size=N),
    }
)
TABLE.loc[[2, 5], ["sent", "born", "opens", "waited", "size"]] = None
Y = TABLE["sent"].dt.month.fillna(0) + (TABLE["city"] == "Ulm")
QUICK = {"hidden_layer_sizes": (4,), "max_epochs": 2, "random_state": 0}


def test_parts_are_those_that_python_says():
    made = DateParts().fit_transform(TABLE)
    assert list(made.columns[:6]) == [
        "sent_days",
        "sent_year",
        "sent_month",
        "sent_day",
        "sent_weekday",
        "city",
    ]
    for i in (0, 1, 10, 59):
        sent, at, born = TABLE["sent"][i], TABLE["sent_at"][i], TABLE["born"][i]
        assert made["sent_days"][i] == (sent - pd.Timestamp(1970, 1, 1)).days
        assert (made["sent_year"][i], made["sent_month"][i], made["sent_day"][i]) == (
            sent.year,
            sent.month,
            sent.day,
        )
        assert made["sent_weekday"][i] == sent.weekday()
        assert made["sent_at_hour"][i] == pytest.approx(at.hour + at.minute / 60 + at.second / 3600)
        assert made["waited_days"][i] == TABLE["waited"][i] / pd.Timedelta(days=1)
        assert (made["born_year"][i], made["born_weekday"][i]) == (born.year, born.weekday())
        assert made["opens_hours"][i] == TABLE["opens"][i].hour + 0.5
        assert made["month_month"][i] == TABLE["month"][i].month
    assert made.loc[2, ["sent_days", "sent_year", "born_day", "opens_hours", "waited_days"]].isna().all()
    pd.testing.assert_series_equal(made["city"], TABLE["city"])
    assert "born_hour" not in made
    assert made.columns.tolist() == DateParts().fit(TABLE).get_feature_names_out().tolist()


@pytest.mark.parametrize(
    "model",
    [
        GBDT2NNStudent(n_synthetic=40, **QUICK),
        SmoothMLPRegressor(jacobian_lambda=0.1, **QUICK),
        RationaleClassifier(max_features=2, **QUICK),
    ],
    ids=["student", "smooth", "rationale"],
)
def test_reasons_go_back_to_the_date(model):
    target = np.where(Y > 6, "late", "early") if isinstance(model, RationaleClassifier) else Y
    with pytest.raises(
        TypeError, match=r"Column 'sent' of X has dtype datetime64.*skrationale\.DateParts\(\)"
    ):
        clone(model).fit(TABLE, target)
    pipeline = make_pipeline(DateParts(), model).fit(TABLE, target)
    found = explain_pipeline(pipeline, TABLE)
    assert found.feature_names == tuple(TABLE.columns)
    every = explain_pipeline(pipeline, TABLE, grouped=False)
    parts = [
        j
        for j, name in enumerate(every.feature_names)
        if name in DateParts().fit(TABLE).input_to_outputs_["sent"]
    ]
    assert len(parts) == 5
    np.testing.assert_allclose(found.values[:, 0], every.values[:, parts].sum(1), rtol=1e-12, atol=1e-12)
    assert found.display_data[0, 0] == TABLE["sent"][0]
    assert found.data[0, 0] == (TABLE["sent"][0] - pd.Timestamp(1970, 1, 1)).days
    if found.kind != "rationale" and not isinstance(model, GBDT2NNStudent):
        assert found.additivity_error(pipeline.predict(TABLE)) < 1e-6


def test_a_report_shows_the_date(tmp_path):
    pipeline = make_pipeline(DateParts(), SmoothMLPRegressor(jacobian_lambda=0.1, **QUICK)).fit(TABLE, Y)
    report = make_report([pipeline], TABLE, Y, tmp_path / "report.html")
    assert set(report.tables["importances"].index) == set(TABLE.columns)
    examples = report.tables["examples"]
    assert list(map(str, examples["cell born"])) == list(map(str, TABLE["born"][examples.index]))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(str(day.date()) in page for day in TABLE["sent"][examples.index].dropna())


def test_polars_and_missing_dates_at_predict():
    frame = pl.DataFrame({"sent": [datetime.datetime(2024, 2, 29, 12), None], "n": [1, 2]})
    parts = DateParts(["hour", "year"]).fit(frame)
    assert parts.transform(frame)["sent_hour"].tolist()[0] == 12.0
    missing = parts.transform(pd.DataFrame({"sent": [None], "n": [3]}))
    assert missing[["sent_hour", "sent_year"]].isna().all(axis=None)
    assert list(missing.columns) == ["sent_hour", "sent_year", "n"]


DAYS = [datetime.date(1, 1, 1), None, datetime.date(2024, 2, 29), datetime.date(9999, 12, 31)]
MOMENTS = [datetime.datetime(2024, 2, 29, 23, 30), None]
ARROW = {
    "with a zone": (MOMENTS, ("timestamp", "us", "Europe/Berlin"), {"day": 1, "month": 3, "hour": 0.5}),
    "in UTC": (MOMENTS, ("timestamp", "ns", "UTC"), {"day": 29, "month": 2, "hour": 23.5}),
    "without a zone": (MOMENTS, ("timestamp", "s"), {"day": 29, "hour": 23.5, "days": 19782 + 23.5 / 24}),
    "days": (DAYS, ("date32",), {"days": [-719162, None, 19782, 2932896], "year": [1, None, 2024, 9999]}),
    "days in ms": (DAYS, ("date64",), {"days": [-719162, None, 19782, 2932896], "weekday": [0, None, 3, 4]}),
    "missing": ([None, None], ("timestamp", "us", "Europe/Berlin"), {"year": np.nan}),
    "spans": ([datetime.timedelta(hours=6), None], ("duration", "us"), {"days": 0.25}),
    "times of day": ([datetime.time(6, 30), None], ("time64", "us"), {"hours": 6.5}),
}


@pytest.mark.parametrize(("cells", "kind", "expected"), ARROW.values(), ids=ARROW.keys())
def test_columns_of_arrow_are_read_as_those_of_pandas(cells, kind, expected):
    pa = pytest.importorskip("pyarrow")
    made = getattr(pa, kind[0])(*kind[1:])
    column = pd.Series(
        pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array(cells, type=made)])),
        index=range(5, 5 + len(cells)),
    )
    table = pd.DataFrame({"t": column, "n": 1})
    found = DateParts().fit_transform(table)
    for part, numbers in expected.items():
        values = numbers if isinstance(numbers, list) else [numbers, None]
        np.testing.assert_allclose(found[f"t_{part}"], np.array(values, dtype=np.float64), rtol=1e-12)
    assert found.index.tolist() == table.index.tolist()
    plain = table.assign(t=pd.Series(cells, dtype=object, index=table.index))
    if len(kind) < 3:
        pd.testing.assert_frame_equal(DateParts().fit(table).transform(plain), found)


def test_a_pipeline_of_zoned_dates_of_arrow_is_explained():
    pytest.importorskip("pyarrow")
    table = TABLE[["sent_at", "size"]]
    arrow = table.astype({"sent_at": "timestamp[us, tz=Europe/Berlin][pyarrow]"})
    pipeline = make_pipeline(DateParts(), SmoothMLPRegressor(jacobian_lambda=0.1, **QUICK)).fit(table, Y)
    found, expected = explain_pipeline(pipeline, arrow), explain_pipeline(pipeline, table)
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(found.data, expected.data)


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda: DateParts(parts=("week",)).fit(TABLE), ValueError, "'parts' parameter of DateParts .* Got"),
        (lambda: DateParts(parts="year").fit(TABLE), ValueError, "'parts' parameter"),
        (lambda: DateParts().fit(np.ones((2, 2))), TypeError, "needs a DataFrame.* Got ndarray"),
        (lambda: DateParts().fit(TABLE.assign(sent_year=1)), ValueError, "two columns 'sent_year'"),
        (lambda: DateParts().fit(TABLE).transform(TABLE[["sent"]]), ValueError, "expected .*as at fit"),
        (
            lambda: DateParts().fit(TABLE).transform(TABLE.assign(sent="2024-01-01")),
            TypeError,
            "'sent' of X held dates at fit, but has dtype str now, with the cell '2024-01-01'",
        ),
    ],
)
def test_what_is_wrong_is_named(act, error, words):
    with pytest.raises(error, match=words):
        act()
