"""Dask runs the jobs, the fits of a grid, and the training of a teacher; nothing of ours depends on it."""

import operator

import joblib
import numpy as np
import pytest
from conftest import mixed_table
from estimators import FAST, TREES
from lightgbm import LGBMRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from skrationale import DatasetSummary, GBDT2NNStudent, explain_dataset, explain_jobs
from skrationale.batches import run

distributed = pytest.importorskip("distributed", reason="dask comes with the extra 'dask'")


@pytest.fixture(scope="module")
def client():
    """A cluster of two processes, which dask starts by "spawn", with one thread each."""
    import dask

    settings = {
        "distributed.nanny.pre-spawn-environ.OMP_NUM_THREADS": 1,
    }
    with (
        dask.config.set(settings),
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def rows():
    table, score = mixed_table()
    return table, score


def test_jobs_give_the_files_of_one_process(client, rows, tmp_path):
    table, score = rows
    student = GBDT2NNStudent(LGBMRegressor(**TREES), **FAST).fit(table, score)
    (tmp_path / "in").mkdir()
    for i in range(4):
        table.sample(frac=1, random_state=i).to_parquet(tmp_path / "in" / f"{i}.parquet", row_group_size=100)
    settings = {"keep": ["city"], "batch_rows": 90}
    one = explain_dataset(student, tmp_path / "in", tmp_path / "one", **settings)
    jobs = explain_jobs(student, tmp_path / "in", tmp_path / "many", **settings)
    assert client.gather(client.map(run, jobs)) == [len(table)] * 4
    written = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "many").iterdir()} == written
    many = DatasetSummary.of(tmp_path / "many")
    assert (many.mean_abs.tolist(), many.rows) == (one.mean_abs.tolist(), one.rows)
    # again, with all that is done before
    assert client.gather(client.map(operator.call, jobs, pure=False)) == [len(table)] * 4


def test_grids_run_on_dask(client, rows):
    table, score = rows
    grid = {"explanation_lambda": [0.1, 1.0]}
    search = GridSearchCV(GBDT2NNStudent(LGBMRegressor(**TREES), **FAST), grid, cv=2)
    with joblib.parallel_config(backend="dask"):
        search.fit(table, score)
    here = GridSearchCV(search.estimator, grid, cv=2).fit(table, score)
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"], rtol=1e-5
    )


def test_a_teacher_trained_on_dask_teaches(client, rows):
    dask = pytest.importorskip("dask.array", reason="dask comes with the extra 'dask'")
    from lightgbm.dask import DaskLGBMRegressor

    numbers = rows[0][["age", "visits", "idle"]].to_numpy(dtype=np.float64)
    X, y = (dask.from_array(array, chunks=(120, *array.shape[1:])) for array in (numbers, rows[1]))
    model = DaskLGBMRegressor(
        client=client, **{name: value for name, value in TREES.items() if name != "n_jobs"}
    ).fit(X, y)
    local = model.to_local()
    student = GBDT2NNStudent(FrozenEstimator(local), **FAST | {"max_epochs": 60}).fit(numbers, rows[1])
    assert student.fidelity(numbers)["prediction_r2"] > 0.8
    np.testing.assert_allclose(local.predict(numbers), model.predict(X).compute())
