"""Parquet explained into parquet: the numbers of `explain`, whole files or none, and nothing twice."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
import tracemalloc
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from conftest import mixed_table, target_of
from estimators import ALL, FAST, FLINT, TREES
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from skrationale import (
    BatchExplainer,
    DatasetSummary,
    FLINTClassifier,
    FLINTRegressor,
    GBDT2NNStudent,
    RationaleClassifier,
    TextRationaleClassifier,
    TreeContributions,
    _explaining,
    explain_dataset,
    explain_jobs,
)
from skrationale.batches import _source, run
from skrationale.serving import serving_copy

N_COPIES = 8
COLUMNS = ["age", "city", "grade", "member", "visits", "idle"]


def assert_explained(folder, model, X, *, kept=None, bound=1e-6):
    """Compare all columns of written parts with `explain` of the rows in memory."""
    explanation = model.explain(X)
    got = pd.read_parquet(folder)
    assert len(got) == len(X)
    if kept is not None:
        pd.testing.assert_frame_equal(got[list(kept)].reset_index(drop=True), kept.reset_index(drop=True))
    values = explanation.values.reshape(len(X), len(explanation.feature_names), -1)
    scale = np.nanmax(np.abs(values))
    for k, output in enumerate(explanation.output_names):
        suffix = "" if values.shape[2] == 1 else f".{output}"
        for j, name in enumerate(explanation.feature_names):
            column = got[f"reason.{name}{suffix}"]
            assert column.dtype == np.float32
            np.testing.assert_allclose(column, values[:, j, k], rtol=0, atol=bound * scale)
    return got, explanation


@pytest.fixture(scope="module")
def rows():
    """The mixed table and its score, some times over, with a column that no model reads."""
    table, score = mixed_table()
    many = pd.concat([table.sample(frac=1, random_state=i) for i in range(N_COPIES)])
    return many.assign(key=np.arange(len(many))).reset_index(drop=True), table, score


@pytest.fixture(scope="module")
def student(rows):
    _, table, score = rows
    return GBDT2NNStudent(LGBMClassifier(**TREES), **FAST).fit(table, score > np.median(score))


@pytest.fixture(scope="module")
def data(rows, tmp_path_factory):
    """Two files of several row groups, of 1,920 rows."""
    many, folder = rows[0], tmp_path_factory.mktemp("data")
    many[:1200].to_parquet(folder / "a.parquet", row_group_size=500)
    many[1200:].to_parquet(folder / "b.parquet", row_group_size=250)
    return folder


def test_a_folder_is_explained_as_its_rows_in_memory(student, data, rows, tmp_path):
    summary = explain_dataset(student, data, tmp_path / "out", keep=["key", "city"])
    X = pd.read_parquet(data)
    got, explanation = assert_explained(
        tmp_path / "out", student, X[rows[1].columns], kept=X[["key", "city"]]
    )
    np.testing.assert_allclose(got["score"], student.decision_function(X[rows[1].columns]), atol=1e-5)
    assert got.columns.tolist() == ["key", "city", "score", *(f"reason.{name}" for name in rows[1].columns)]
    assert sorted(os.listdir(tmp_path / "out")) == ["part-00000.parquet", "part-00001.parquet"]
    assert (summary.rows, summary.n_parts, summary.n_parts_before) == (1920, 2, 0)
    np.testing.assert_allclose(summary.mean_abs, explanation.mean_abs(), rtol=1e-6)
    assert summary.top(3) == explanation.top(3)
    said = json.loads(ds.dataset(tmp_path / "out").schema.metadata[b"skrationale"])
    assert (said["kind"], said["link"], said["output_names"]) == ("additive", "logit", ["True"])
    np.testing.assert_allclose(said["base_values"], explanation.base_values[0])
    assert summary.to_frame().loc["age", "True"] == summary.mean_abs[0]


@pytest.mark.parametrize("batch_rows", [7, 300, 500, 65_536])
def test_batches_of_any_size_say_the_same(student, data, rows, tmp_path, batch_rows):
    explain_dataset(student, data, tmp_path / "out", batch_rows=batch_rows)
    assert_explained(tmp_path / "out", student, rows[0][rows[1].columns])
    sizes = [g.num_rows for g in ds.dataset(tmp_path / "out").get_fragments().__next__().row_groups]
    assert sizes == [batch_rows] * (1200 // batch_rows) + [1200 % batch_rows] * (1200 % batch_rows > 0)


@pytest.mark.parametrize("form", ["file", "list", "pattern", "dataset", "path"])
def test_sources_of_any_form(student, data, tmp_path, form):
    forms = {
        "file": str(data / "a.parquet"),
        "list": [str(data / "b.parquet"), data / "a.parquet"],
        "pattern": str(data / "*.parquet"),
        "dataset": ds.dataset(data),
        "path": data,
    }
    explain_dataset(student, forms[form], tmp_path / "out", keep=["key"])
    keys = pd.read_parquet(tmp_path / "out")["key"]
    expected = np.arange(1200 if form == "file" else 1920)
    assert keys.tolist() == (np.roll(expected, 720).tolist() if form == "list" else expected.tolist())


def test_names_of_folders_are_columns(student, rows, tmp_path):
    """A column that stands in the names of folders is read as pandas reads it."""
    for city, part in rows[0].groupby("city"):
        (tmp_path / "in" / f"city={city}").mkdir(parents=True)
        part.drop(columns="city").to_parquet(tmp_path / "in" / f"city={city}" / "x.parquet")
    explain_dataset(student, tmp_path / "in", tmp_path / "out", keep=["city"])
    X = pd.read_parquet(tmp_path / "in")
    assert X["city"].nunique() == 3
    assert_explained(tmp_path / "out", student, X[rows[1].columns], kept=X[["city"]])


def test_batches_that_lack_what_others_have(rows, tmp_path):
    """Cells of one type, all missing in a batch, or booleans of which some are missing."""
    table, score = rows[1].assign(member=rows[1]["member"].astype(object)), rows[2]
    table.loc[::9, "member"] = None
    student = GBDT2NNStudent(LGBMRegressor(**TREES), **FAST).fit(table, score)
    table.loc[:99, "city"] = None
    table.loc[:99, "grade"] = None
    table.loc[:99, "age"] = np.nan
    table.loc[50:149, "member"] = None
    table.to_parquet(tmp_path / "x.parquet")
    explain_dataset(student, tmp_path / "x.parquet", tmp_path / "out", batch_rows=50)
    assert_explained(tmp_path / "out", student, pd.read_parquet(tmp_path / "x.parquet"))


def test_words_as_dictionaries_or_not_and_other_orders_of_levels(student, rows, tmp_path):
    table = rows[1]
    other = table.assign(
        city=table["city"].astype(pd.CategoricalDtype(["Ulm", "Rome", "Bonn", "Köln"])),
        grade=table["grade"].astype(object),
    )
    (tmp_path / "in").mkdir()
    table.to_parquet(tmp_path / "in" / "a.parquet")
    for form in (table, other):
        name = "plain" if form is table else "other"
        form.to_parquet(tmp_path / f"{name}.parquet", row_group_size=100)
        explain_dataset(student, tmp_path / f"{name}.parquet", tmp_path / name)
    assert_explained(tmp_path / "other", student, table)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "plain"), pd.read_parquet(tmp_path / "other"))


DIFFERENT = {
    "whole numbers first": lambda age: np.round(np.nan_to_num(age)).astype("int64"),
    "pandas' whole numbers first": lambda age: pd.Series(np.round(age), dtype="Int64").array,
    "booleans first": lambda age: age > 50,
    "nothing first": lambda age: None,
    "short numbers first": lambda age: age.astype("float32"),
}


@pytest.mark.parametrize("make", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_files_of_different_types_lose_nothing(student, rows, tmp_path, make):
    first, second = rows[0][:60], rows[0][60:160]
    first = first.assign(age=make(first["age"].to_numpy()))
    (tmp_path / "x").mkdir()
    first.to_parquet(tmp_path / "x/0.parquet")
    second.to_parquet(tmp_path / "x/1.parquet")
    explain_dataset(student, tmp_path / "x", tmp_path / "out", batch_rows=50, keep=["age"])
    both = pd.concat([first.assign(age=first["age"].astype(float)), second])
    assert_explained(tmp_path / "out", student, both[COLUMNS], kept=both[["age"]])


def test_files_without_rows_say_nothing_of_types(student, rows, tmp_path):
    (tmp_path / "x").mkdir()
    pd.DataFrame({name: [] for name in COLUMNS}).to_parquet(tmp_path / "x/0.parquet")
    rows[0][:50].to_parquet(tmp_path / "x/1.parquet")
    explain_dataset(student, tmp_path / "x", tmp_path / "out")
    assert_explained(tmp_path / "out", student, rows[0].loc[:49, COLUMNS])


def test_text_and_numbers_are_no_one_column(student, rows, tmp_path):
    (tmp_path / "x").mkdir()
    rows[0][:50].to_parquet(tmp_path / "x/0.parquet")
    rows[0][:50].assign(age="old").to_parquet(tmp_path / "x/1.parquet")
    with pytest.raises(ValueError, match=r"Column 'age' has several types: double in .*0\.parquet'.*string"):
        explain_dataset(student, tmp_path / "x", tmp_path / "out")


def test_types_of_pandas_with_missing_cells(rows, tmp_path):
    table = rows[1].convert_dtypes().astype({"grade": "category"})
    table.loc[3:9, "visits"] = pd.NA
    table.loc[5:130, "member"] = pd.NA
    student = GBDT2NNStudent(LGBMRegressor(**TREES), **FAST).fit(table, rows[2])
    table.to_parquet(tmp_path / "x.parquet", row_group_size=50)
    explain_dataset(student, tmp_path / "x.parquet", tmp_path / "out", batch_rows=60)
    assert_explained(tmp_path / "out", student, pd.read_parquet(tmp_path / "x.parquet"))


def test_columns_of_any_type_are_kept(student, rows, tmp_path):
    n = len(rows[1])
    others = {
        "list": pa.array([[i, i + 1] for i in range(n)]),
        "struct": pa.array([{"a": i, "b": "x"} for i in range(n)]),
        "time": pa.array(pd.date_range("2026", periods=n, tz="UTC")),
        "map": pa.array([[("k", i)] for i in range(n)], pa.map_(pa.string(), pa.int64())),
    }
    table = pa.Table.from_pandas(rows[1])
    for name, column in others.items():
        table = table.append_column(name, column)
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=100)
    explain_dataset(student, tmp_path / "x.parquet", tmp_path / "out", keep=list(others), batch_rows=70)
    got = pq.read_table(tmp_path / "out")
    for name, column in others.items():
        assert got.column(name).combine_chunks().equals(column), name


def test_memory_does_not_grow_with_the_rows(student, data, rows, tmp_path):
    peaks = []
    for n_copies in (1, 6):
        source = tmp_path / str(n_copies)
        source.mkdir()
        for i in range(n_copies):
            (source / f"{i}.parquet").symlink_to(data / "a.parquet")
        tracemalloc.start()
        explain_dataset(student, source, tmp_path / f"out-{n_copies}", batch_rows=600)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0] + 50_000
    tracemalloc.start()
    student.explain(pd.concat([rows[0][:1200]] * 6)[rows[1].columns])
    assert tracemalloc.get_traced_memory()[1] > 2 * peaks[1]
    tracemalloc.stop()


def test_the_index_of_a_frame_is_a_column_like_others(student, rows, tmp_path):
    table = rows[1]
    table.assign(name=np.arange(len(table)) * 2).set_index(["name", "age"]).to_parquet(tmp_path / "x.parquet")
    explain_dataset(student, tmp_path / "x.parquet", tmp_path / "out", keep=["name"])
    got, _ = assert_explained(tmp_path / "out", student, table)
    assert got["name"].tolist() == (np.arange(len(table)) * 2).tolist()


def test_columns_may_have_other_names(student, rows, tmp_path):
    names = [f"{name} 2" for name in rows[1].columns]
    other = rows[1].set_axis(names, axis=1)[names[::-1]]
    other.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(
        ValueError, match=r"do not have the column\(s\) \['age', .*give these names as `columns`"
    ):
        explain_dataset(student, tmp_path / "x.parquet", tmp_path / "out")
    explain_dataset(student, tmp_path / "x.parquet", tmp_path / "out", columns=names)
    got = pd.read_parquet(tmp_path / "out")
    assert got.columns.tolist() == ["score", *(f"reason.{name}" for name in names)]
    np.testing.assert_allclose(got["reason.age 2"], student.explain(rows[1]).values[:, 0], atol=1e-6)


def test_a_model_of_an_array_asks_for_names(tmp_path):
    X = np.random.default_rng(0).normal(size=(80, 2))
    student = GBDT2NNStudent(LGBMRegressor(**TREES), **FAST).fit(X, X[:, 0])
    pd.DataFrame(X, columns=["u", "v"]).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(
        ValueError, match="`columns` is None, but the model was fitted to 2 columns without names"
    ):
        explain_dataset(student, tmp_path / "x.parquet", tmp_path / "out")
    with pytest.raises(ValueError, match="`columns` has 1 names, expected 2"):
        explain_dataset(student, tmp_path / "x.parquet", tmp_path / "out", columns=["u"])
    explain_dataset(student, tmp_path / "x.parquet", tmp_path / "out", columns=["u", "v"])
    got = pd.read_parquet(tmp_path / "out")
    np.testing.assert_allclose(got[["reason.u", "reason.v"]], student.explain(X).values, atol=1e-6)


def test_the_largest_reasons_alone(student, data, rows, tmp_path):
    explain_dataset(student, data, tmp_path / "out", top=2)
    values = student.explain(rows[0][rows[1].columns]).values
    got, order = pd.read_parquet(tmp_path / "out"), np.argsort(-np.abs(values), axis=1, kind="stable")[:, :2]
    assert got.columns.tolist() == ["score", "reason_1", "reason_1_value", "reason_2", "reason_2_value"]
    for place in range(2):
        found = np.take_along_axis(values, order, axis=1)[:, place]
        np.testing.assert_allclose(got[f"reason_{place + 1}_value"], found, atol=1e-6)
        names = rows[1].columns.to_numpy()[order[:, place]]
        assert (got[f"reason_{place + 1}"].astype(object) == names).mean() > 0.999  # but for ties
    whole = explain_dataset(student, data, tmp_path / "all")
    assert DatasetSummary.of(tmp_path / "out").mean_abs.tolist() == whole.mean_abs.tolist()


# --- jobs, killed and done -----------------------------------------------------------------------


def test_long_files_are_cut_at_row_groups(student, data, tmp_path, monkeypatch):
    monkeypatch.setattr(_source, "ROWS_OF_A_JOB", 600)
    jobs = explain_jobs(student, data, tmp_path / "out", keep=["key"])
    assert [job.rows for job in jobs] == [1000, 200, 720]
    assert [job.identity["source"]["row_groups"] for job in jobs] == [[0, 1], [2, 2], [0, 2]]
    again = [pickle.loads(pickle.dumps(job)) for job in jobs]
    assert max(map(len, map(pickle.dumps, jobs))) < len(pickle.dumps(student)) + 10_000
    with pytest.raises(FileNotFoundError, match="holds no part"):
        DatasetSummary.of(tmp_path / "out")
    assert [run(job) for job in again[::-1]] == [720, 200, 1000]
    assert pd.read_parquet(tmp_path / "out")["key"].tolist() == list(range(1920))
    assert DatasetSummary.of(tmp_path / "out").n_parts == 3


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_a_run_goes_on_where_it_was_interrupted(student, data, tmp_path):
    whole = explain_dataset(student, data, tmp_path / "whole", batch_rows=100)
    jobs = explain_jobs(student, data, tmp_path / "out", batch_rows=100)
    jobs[0]()
    before = os.stat(jobs[0].path).st_mtime_ns

    def interrupt(rows):
        assert [name for name in os.listdir(tmp_path / "out") if name.endswith(".tmp")]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jobs[1](interrupt)
    assert os.listdir(tmp_path / "out") == ["part-00000.parquet"]
    with pytest.raises(ValueError, match="1 of 2 parts are missing"):
        DatasetSummary.of(tmp_path / "out")
    summary = explain_dataset(pickle.loads(pickle.dumps(student)), data, tmp_path / "out", batch_rows=100)
    assert (summary.n_parts_before, summary.rows) == (1, 1920)
    assert os.stat(jobs[0].path).st_mtime_ns == before
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "whole")
    assert summary.mean_abs.tolist() == whole.mean_abs.tolist()


KILLED = """
import pickle, sys, time
job = pickle.load(open(sys.argv[1], "rb"))
job(lambda rows: (print("started", flush=True), time.sleep(60)))
"""


def test_a_killed_job_leaves_nothing_that_looks_finished(student, data, tmp_path):
    job = explain_jobs(student, data / "a.parquet", tmp_path / "out", batch_rows=100)[0]
    (tmp_path / "job.pkl").write_bytes(pickle.dumps(job))
    paths = os.pathsep.join(sys.path)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "job.pkl")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert process.stdout.readline() == b"started\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    (left,) = os.listdir(tmp_path / "out")
    assert left.startswith(".part-00000.parquet.")
    with pytest.raises(FileNotFoundError, match="holds no part"):
        DatasetSummary.of(tmp_path / "out")
    summary = explain_dataset(student, data / "a.parquet", tmp_path / "out", batch_rows=100)
    assert (os.listdir(tmp_path / "out"), summary.rows) == (["part-00000.parquet"], 1200)


@pytest.mark.parametrize(
    ("change", "word"),
    [({"keep": ["key"]}, "keep"), ({"top": 2}, "top"), ({"batch_rows": 99}, "batch_rows")],
)
def test_parts_of_other_settings_are_not_taken_as_done(student, data, tmp_path, change, word):
    explain_dataset(student, data, tmp_path / "out")
    with pytest.raises(FileExistsError, match=rf"other than now: {word}\)"):
        explain_dataset(student, data, tmp_path / "out", **change)
    summary = explain_dataset(student, data, tmp_path / "out", overwrite=True, **change)
    assert summary.n_parts_before == 0
    assert explain_dataset(student, data, tmp_path / "out", **change).n_parts_before == 2


def test_parts_of_another_model_are_not_taken_as_done(student, data, rows, tmp_path):
    jobs = explain_jobs(student, data, tmp_path / "out")
    explain_dataset(student, data, tmp_path / "out")
    other = GBDT2NNStudent(LGBMClassifier(**TREES), **FAST | {"random_state": 1})
    other.fit(rows[1], rows[2] > np.median(rows[2]))
    with pytest.raises(FileExistsError, match=r"other than now: model\)"):
        explain_dataset(other, data, tmp_path / "out")
    explain_dataset(other, data, tmp_path / "out", overwrite=True)
    with pytest.raises(FileExistsError, match=r"other than now: model\)"):
        jobs[0]()
    kept = bytes_of(tmp_path / "out")
    (tmp_path / "out" / "part-00001.parquet").unlink()
    jobs[1]()
    with pytest.raises(ValueError, match="made from different inputs: model"):
        DatasetSummary.of(tmp_path / "out")
    assert bytes_of(tmp_path / "out")["part-00000.parquet"] == kept["part-00000.parquet"]


def test_a_serving_copy_and_memory_maps_are_the_same_model(student, data, tmp_path):
    explain_dataset(student, data, tmp_path / "out")
    joblib.dump(serving_copy(student), tmp_path / "model.joblib")
    for again in (serving_copy(student), joblib.load(tmp_path / "model.joblib", mmap_mode="r")):
        assert explain_dataset(again, data, tmp_path / "out").n_parts_before == 2


def test_changed_data_are_not_taken_as_done(student, rows, tmp_path):
    source = tmp_path / "x.parquet"
    rows[1].to_parquet(source)
    explain_dataset(student, source, tmp_path / "out")
    jobs = explain_jobs(student, source, tmp_path / "later")
    time.sleep(0.01)
    rows[1][::-1].to_parquet(source)
    with pytest.raises(FileExistsError, match=r"other than now: source\)"):
        explain_dataset(student, source, tmp_path / "out")
    with pytest.raises(ValueError, match="has changed since its jobs were made"):
        jobs[0]()
    assert os.listdir(tmp_path / "later") == []


def test_files_can_be_added_but_not_taken_away(student, data, rows, tmp_path):
    (tmp_path / "in").mkdir()
    for name in "ab":
        rows[1].to_parquet(tmp_path / "in" / f"{name}.parquet")
    explain_dataset(student, tmp_path / "in", tmp_path / "out")
    rows[1].to_parquet(tmp_path / "in" / "c.parquet")
    summary = explain_dataset(student, tmp_path / "in", tmp_path / "out")
    assert (summary.n_parts, summary.n_parts_before, summary.rows) == (3, 2, 720)
    (tmp_path / "in" / "c.parquet").unlink()
    with pytest.raises(FileExistsError, match="it belongs to other data"):
        explain_dataset(student, tmp_path / "in", tmp_path / "out")


# --- what is refused -----------------------------------------------------------------------------


def test_other_files_are_never_removed(student, data, rows, tmp_path):
    for name, content in (("note.txt", b"mine"), ("part-00000.parquet", b"no parquet")):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_bytes(content)
        for overwrite in (False, True):
            with pytest.raises(FileExistsError, match=f"is not empty: it holds \\['{name}'\\]"):
                explain_dataset(student, data, folder, overwrite=overwrite)
        assert bytes_of(folder) == {name: content}
    (tmp_path / "foreign").mkdir()
    rows[1].to_parquet(tmp_path / "foreign" / "part-00000.parquet")
    with pytest.raises(FileExistsError, match="did not write"):
        explain_dataset(student, data, tmp_path / "foreign", overwrite=True)
    with pytest.raises(NotADirectoryError, match="which is a file"):
        explain_dataset(student, data, tmp_path / "note" / "note.txt")


def test_source_and_destination_lie_apart(student, rows, tmp_path):
    rows[1].to_parquet(tmp_path / "x.parquet")
    for source in (tmp_path, tmp_path / "x.parquet"):
        with pytest.raises(ValueError, match="`destination` is"):
            explain_dataset(student, source, tmp_path)
    with pytest.raises(ValueError, match="lies inside `source`"):
        explain_dataset(student, tmp_path, tmp_path / "out")
    assert sorted(os.listdir(tmp_path)) == ["x.parquet"]


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"keep": ["nobody"]}, ValueError, r"`keep` names the column\(s\) \['nobody'\], which the data do"),
        ({"keep": "key"}, TypeError, "`keep` must be a list of column names, got 'key'"),
        ({"keep": ["key", "key"]}, ValueError, r"`keep` has \['key'\] more than once"),
        ({"keep": [1]}, TypeError, "`keep` must be a list of column names"),
        ({"columns": ["age", "city"]}, ValueError, "`columns` has 2 names, expected 6"),
        ({"top": 0}, ValueError, "`top` must be an integer from 1 to 6"),
        ({"top": 7}, ValueError, "`top` must be an integer from 1 to 6.*got 7"),
        ({"top": True}, ValueError, "`top` must be an integer"),
        ({"batch_rows": 0}, ValueError, "`batch_rows` must be an integer of at least 1, got 0"),
        ({"overwrite": "yes"}, TypeError, "`overwrite` must be True or False, got 'yes'"),
        ({"source": "nowhere.parquet"}, FileNotFoundError, "`source` is 'nowhere.parquet'"),
        ({"source": "no*.parquet"}, FileNotFoundError, "no file matches it as a pattern"),
        ({"source": []}, ValueError, "`source` is an empty list"),
        ({"source": 3}, TypeError, "`source` must be a path.*got int"),
        ({"source": ds.dataset(pa.table(dict.fromkeys(COLUMNS, [1])))}, TypeError, "expected parquet files"),
        ({"destination": 3}, TypeError, "`destination` must be the path of a folder, got int"),
        ({"destination": "s3://bucket/out"}, ValueError, "expected a folder on this machine"),
        ({"model": LGBMClassifier()}, TypeError, r"is a LGBMClassifier; expected .* TreeContributions"),
        ({"model": GBDT2NNStudent}, TypeError, "`model` is a GBDT2NNStudent; expected a fitted"),
        ({"model": GBDT2NNStudent()}, NotFittedError, "not fitted"),
    ],
)  # fmt: skip
def test_wrong_parameters_are_named(student, data, tmp_path, change, error, match):
    asked = {"model": student, "source": data, "destination": tmp_path / "out"} | change
    with pytest.raises(error, match=match):
        explain_dataset(**asked)
    assert not (tmp_path / "out").exists()


def test_a_kept_column_must_not_look_like_a_reason(student, rows, tmp_path):
    rows[1].assign(score=1.0).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(
        ValueError,
        match=r"`keep` has the column\(s\) \['score'\], but columns of reasons already have these names",
    ):
        explain_dataset(student, tmp_path / "x.parquet", tmp_path / "out", keep=["score"])


def test_names_that_meet_are_refused():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(90, 2)), columns=["x", "x.1"])
    trees = LGBMClassifier(**TREES).fit(X, np.array(["1", "2", "1.1"])[np.arange(90) % 3])
    with pytest.raises(ValueError, match=r"would both be called 'reason.x.1.1'"):
        BatchExplainer(TreeContributions(trees))


def test_no_rows_and_files_that_lack_a_column(student, rows, tmp_path):
    rows[1][:0].to_parquet(tmp_path / "none.parquet")
    with pytest.raises(ValueError, match="`source` holds no rows"):
        explain_dataset(student, tmp_path / "none.parquet", tmp_path / "out")
    rows[1].to_parquet(tmp_path / "a.parquet")
    rows[1].drop(columns="idle").to_parquet(tmp_path / "b.parquet")
    with pytest.raises(
        ValueError, match=r"b.parquet' has no column\(s\) \['idle'\], which the other files have"
    ):
        explain_dataset(student, [tmp_path / "a.parquet", tmp_path / "b.parquet"], tmp_path / "out")


def test_a_student_without_reasons_is_refused(rows, data, tmp_path):
    student = GBDT2NNStudent(LGBMRegressor(**TREES), explanation=None, **FAST).fit(*rows[1:])
    with pytest.raises(ValueError, match="has no contributions"):
        explain_dataset(student, data, tmp_path / "out")


def test_bars_are_shown_on_demand(student, data, tmp_path, capsys):
    explain_dataset(student, data, tmp_path / "silent")
    assert capsys.readouterr().err == ""
    explain_dataset(student, data, tmp_path / "out", verbose=1)
    assert "1.92k/1.92k" in capsys.readouterr().err


# --- one batch -----------------------------------------------------------------------------------


def batch_of(frame):
    return pa.Table.from_pandas(frame).combine_chunks().to_batches()[0]


@pytest.mark.parametrize("kind", [pa.RecordBatch, pa.Table])
def test_batches_of_engines(student, rows, kind):
    explainer = pickle.loads(pickle.dumps(BatchExplainer(student)))
    batch = batch_of(rows[0][:600])
    batch = batch if kind is pa.RecordBatch else pa.Table.from_batches([batch])
    got = explainer(batch)
    assert type(got) is kind
    assert got.schema.equals(explainer.schema, check_metadata=True)
    values = student.explain(rows[0][:600][rows[1].columns]).values
    np.testing.assert_allclose(np.column_stack(got.columns[1:]), values, atol=1e-6)
    none = explainer(batch[:0])
    assert (len(none), none.schema) == (0, explainer.schema)


def test_cells_as_typed_are_not_described_for_files(student, rows, monkeypatch):
    def refuse(*arguments):
        raise AssertionError("cells were described")

    X, explainer = rows[1], BatchExplainer(student)
    with monkeypatch.context() as patch:
        patch.setattr(_explaining, "typed_cells", refuse)
        patch.setattr(_explaining, "display_of_few", refuse)
        assert len(explainer(batch_of(X))) == len(X)
    assert student.explain(X).display_data.shape == X.shape


def test_a_frozen_model_is_the_model_within(student, rows):
    batch = pa.RecordBatch.from_pandas(rows[0][:20])
    assert BatchExplainer(FrozenEstimator(student))(batch).equals(BatchExplainer(student)(batch))


def test_a_kept_column_must_be_the_only_one_of_its_name(student, rows):
    batch = pa.RecordBatch.from_pandas(rows[0][:20], preserve_index=False)
    name = batch.schema.names[0]
    for _ in range(2):
        batch = batch.append_column("id", batch.column(0))
    with pytest.raises(
        ValueError,
        match=r"`keep` names the column\(s\) \['id'\], but the data have more than one column of this name",
    ):
        BatchExplainer(student, keep=["id"])(batch)
    assert name in BatchExplainer(student, keep=[name])(batch).schema.names


def test_schemas_are_known_before_a_batch(student, rows):
    batch = batch_of(rows[0][:10])
    keeping = BatchExplainer(student, keep=["key", "grade"], top=1)
    assert keeping.schema_for(batch.schema) == keeping(batch).schema
    assert (keeping.top, keeping.keep, keeping.model) == (1, ("key", "grade"), student)
    with pytest.raises(
        ValueError, match=r"`keep` is \['key', 'grade'\], but the types of these columns are not known"
    ):
        _ = keeping.schema
    with pytest.raises(
        ValueError, match=r"`keep` names the column\(s\) \['key'\], which the data do not have"
    ):
        keeping.schema_for(batch.schema.remove(batch.schema.get_field_index("key")))
    with pytest.raises(ValueError, match=r"does not have the column\(s\) \['age'\]"):
        BatchExplainer(student)(batch.drop_columns("age")[:0])
    with pytest.raises(TypeError, match="`batch` is a DataFrame"):
        keeping(rows[0])


def test_missing_pyarrow_names_the_extra(student, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"skrationale\[arrow\]"):
        BatchExplainer(student)


# --- all families --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted(rows):
    """Fit an estimator of the house on the mixed table, once."""
    made = {}

    def of(name):
        if name not in made:
            made[name] = ALL[name]()
            made[name].fit(rows[1], target_of(made[name], rows[2]))
        return made[name]

    return of


SOME = [
    "gbdt2nn-classifier",
    "gbdt2nn-poisson-regressor",
    "smooth-mlp-classifier",
    "symbolic-regressor",
    "rationale-classifier",
    "rationale-regressor",
    "rationale-distiller-classifier",
    "flint-classifier",
    "flint-regressor",
]


@pytest.mark.parametrize("name", SOME)
def test_every_family_is_written(fitted, data, rows, tmp_path, name):
    model = fitted(name)
    summary = explain_dataset(model, data, tmp_path / "out", batch_rows=700)
    X = rows[0][rows[1].columns]
    got, explanation = assert_explained(tmp_path / "out", model, X)
    np.testing.assert_allclose(summary.mean_abs, explanation.mean_abs(), rtol=1e-6)
    assert (summary.kind, summary.link) == (explanation.kind, explanation.link)
    names = [f"score.{c}" for c in model.classes_] if name.endswith("classifier") else ["score"]
    if explanation.kind == "rationale":
        names = names if hasattr(model, "classes_") else ["score"]
        scores = model.decision_function(X) if hasattr(model, "classes_") else model.predict(X)
        mask = [[explanation.feature_names[j] for j in np.flatnonzero(row)] for row in explanation.mask]
        assert [list(row) for row in got["mask"]] == mask
    else:
        scores = explanation.scores()
    np.testing.assert_allclose(got[names].to_numpy().reshape(scores.shape), scores, rtol=1e-6, atol=1e-6)
    if explanation.kind == "attribute":
        phi = got[[f"attribute.{each}" for each in explanation.feature_names]]
        np.testing.assert_allclose(phi, explanation.attributes["phi"], rtol=1e-6, atol=1e-6)


def test_a_model_that_refuses_missing_cells_is_never_shown_one(rows, tmp_path):
    table = rows[1][["visits", "idle"]]
    network = make_pipeline(
        PolynomialFeatures(1), MLPRegressor(hidden_layer_sizes=(8,), max_iter=30, random_state=0)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = FLINTRegressor(network, decide_with="interpreter", **FLINT | {"max_epochs": 5})
        model.fit(table, rows[2])
    with pytest.raises(ValueError, match="NaN"):
        model.explain(table.assign(idle=np.nan))
    rows[1].to_parquet(tmp_path / "x.parquet")
    explain_dataset(model, tmp_path / "x.parquet", tmp_path / "out")
    assert_explained(tmp_path / "out", model, table)


def test_the_largest_reasons_of_a_rationale_are_of_its_columns(fitted, data, rows, tmp_path):
    model = fitted("rationale-paper-classifier")
    explain_dataset(model, data, tmp_path / "out", top=6)
    got, explanation = pd.read_parquet(tmp_path / "out"), model.explain(rows[0][rows[1].columns])
    names = got[[f"reason_{place}" for place in range(1, 7)]].astype(object)
    assert (names.notna().sum(axis=1) == explanation.mask.sum(axis=1)).all()
    assert names.isna().any(axis=None)
    found = [set(row.dropna()) for _, row in names.iterrows()]
    assert found == [set(row) for row in got["mask"]]


def test_scores_of_joint_students_are_those_of_the_model(rows, data, tmp_path):
    student = GBDT2NNStudent(LGBMRegressor(**TREES), imitation="joint", **FAST).fit(*rows[1:])
    explain_dataset(student, data, tmp_path / "out")
    X = rows[0][rows[1].columns]
    got, explanation = assert_explained(tmp_path / "out", student, X)
    np.testing.assert_allclose(got["score"], student.predict(X), atol=1e-6)
    assert np.abs(explanation.scores() - student.predict(X)).max() > 1e-3


def test_trees_are_explained_exactly(rows, tmp_path):
    table = rows[0].rename(columns={"visits": "number of visits"}).astype({"city": "category"})
    X = table.drop(columns="key")
    target = np.digitize(X["age"].fillna(0) + 3 * X["number of visits"], [40, 60])
    model = TreeContributions(LGBMClassifier(**TREES).fit(X, target))
    table.to_parquet(tmp_path / "x.parquet", row_group_size=400)
    summary = explain_dataset(model, tmp_path / "x.parquet", tmp_path / "out", keep=["key"], batch_rows=500)
    got = pd.read_parquet(tmp_path / "out")
    explanation = model.explain(X)
    for k, output in enumerate(explanation.output_names):
        columns = [f"reason.{name}.{output}" for name in X.columns]
        np.testing.assert_allclose(got[columns], explanation.values[:, :, k], atol=1e-6)
    scores = got[[f"score.{output}" for output in explanation.output_names]]
    np.testing.assert_allclose(scores, explanation.scores(), atol=1e-9)
    np.testing.assert_allclose(summary.mean_abs, explanation.mean_abs(), rtol=1e-6)
    assert summary.feature_names == tuple(X.columns)
    again = pickle.loads(pickle.dumps(model))
    assert explain_dataset(
        again, tmp_path / "x.parquet", tmp_path / "out", keep=["key"], batch_rows=500
    ).n_parts_before
    with pytest.raises(ValueError, match="`columns` is None"):
        BatchExplainer(TreeContributions(LGBMRegressor(**TREES).fit(X[["age"]].to_numpy(), target)))


@pytest.mark.parametrize("order", [["a b", "a_b", "c"], ["a_b", "a b", "c"]])
def test_names_that_lightgbm_writes_alike_are_asked_for(tmp_path, order):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(90, 3)), columns=["a b", "c", "a_b"])
    trees = TreeContributions(LGBMRegressor(**TREES).fit(X[["a b", "c"]], X["a b"]))
    X[order].to_parquet(tmp_path / "x.parquet")
    names = f"\\['{order[0]}', '{order[1]}'\\]"
    match = f"reads a column 'a_b', but the data have several columns of this name: {names}"
    with pytest.raises(ValueError, match=match):
        explain_dataset(trees, tmp_path / "x.parquet", tmp_path / "out")
    with pytest.raises(ValueError, match=match):
        BatchExplainer(trees)(batch_of(X[order]))
    explain_dataset(trees, tmp_path / "x.parquet", tmp_path / "out", columns=["a b", "c"])
    got = pd.read_parquet(tmp_path / "out")
    np.testing.assert_allclose(
        got[["reason.a b", "reason.c"]], trees.explain(X[["a b", "c"]]).values, atol=1e-6
    )


HASH = """
import pickle, sys
from skrationale.batches._model import Asked
models = pickle.load(open(sys.argv[1], "rb"))
print(*[Asked.of(model).hash() for model in models])
"""


def test_a_model_is_known_again_in_another_process(fitted, rows, data, tmp_path):
    from skrationale.batches._model import Asked

    names = [*SOME, "rationale-trees-classifier", "flint-post-hoc-classifier"]
    models = [fitted(name) for name in names]
    models.append(TreeContributions(LGBMRegressor(**TREES).fit(rows[1][["age", "grade"]], rows[2])))
    hashes = [Asked.of(model).hash() for model in models]
    assert len(set(hashes)) == len(models)
    for model in models[:-1]:
        model.explain(rows[1])
    (tmp_path / "models.pkl").write_bytes(pickle.dumps(models))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "7"}
    found = subprocess.run(
        [sys.executable, "-c", HASH, str(tmp_path / "models.pkl")],
        capture_output=True, text=True, check=True, env=env,
    )  # fmt: skip
    assert found.stdout.split() == hashes


def test_models_of_pictures_and_texts_are_refused(tmp_path):
    settings = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0}
    pictures, y = np.random.RandomState(0).rand(40, 1, 4, 4), np.arange(40) % 2
    pd.DataFrame({"text": ["good", "bad"]}).to_parquet(tmp_path / "x.parquet")
    for model, what in (
        (RationaleClassifier(**settings).fit(pictures, y), "pictures"),
        (
            FLINTClassifier(n_attributes=2, **settings | {"hidden_layer_sizes": (4, 4, 4)}).fit(pictures, y),
            "pictures",
        ),
        (TextRationaleClassifier(**settings).fit(["good", "bad"] * 20, y), "texts"),
    ):
        message = rf"{type(model).__name__} fitted to {what}, .* expected one fitted to a table"
        with pytest.raises(TypeError, match=message):
            BatchExplainer(model)
        for call in (explain_dataset, explain_jobs):
            with pytest.raises(TypeError, match=message):
                call(model, tmp_path / "x.parquet", tmp_path / "out")
