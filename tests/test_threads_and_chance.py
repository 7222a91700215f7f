"""Fits side by side and fits without a seed: none disturbs another, and no global state is touched."""

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch
from conftest import target_of
from estimators import ALL, FAMILIES, known_parameters
from joblib import parallel_config
from sklearn.base import clone
from sklearn.model_selection import cross_val_predict
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_contracts import reasons

from skrationale import FLINTRegressor, RationaleDistiller, RationaleRegressor

pytestmark = [pytest.mark.usefixtures("frequent_turns"), pytest.mark.no_cover]
SHORT = {
    "max_epochs": 3,
    "n_synthetic": 20,
    "niterations": 1,
    "maxsize": 5,
    "n_estimators": 5,
    "n_attributes": 3,
}
N_ROWS = 120
VARIANTS = (
    "gbdt2nn-path-classifier",
    "symbolic-black-box-regressor",
    "rationale-rate-regressor",
    "rationale-trees-classifier",
    "flint-post-hoc-classifier",
)
MIXED = [f"{family}-{task}" for family in FAMILIES for task in ("classifier", "regressor")] + list(VARIANTS)


def short(name, random_state):
    model = ALL[name]()
    known = known_parameters(model, SHORT)
    if "teacher__max_epochs" in model.get_params():
        known["teacher__max_epochs"] = SHORT["max_epochs"]
    return model.set_params(**known, random_state=random_state)


def global_states():
    """All states of chance, and what else a fit might change for the whole process."""
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002
    return {
        "python": random.getstate(),
        "numpy": (kind, keys.tobytes(), *rest),
        "torch": torch.get_rng_state().numpy().tobytes(),
        "threads": torch.get_num_threads(),
        "errors": np.geterr(),
        "dtype": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
    }


@pytest.fixture
def usual_threads(family):
    """What torch may use: two threads where fits are light, for two on busy cores cost much more."""
    before, number = torch.get_num_threads(), 2 if family in ("gbdt2nn", "smooth-mlp", "rationale") else 1
    torch.set_num_threads(number)
    yield number
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def rows(mixed):
    return mixed[0][:N_ROWS], mixed[1][:N_ROWS]


def answers(model, X):
    return [getattr(model, "predict_proba", model.predict)(X), reasons(model, X[:20]).values]


def assert_same(found, expected, what):
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=str(what))


@pytest.fixture(scope="module")
def alone(rows):
    """Each estimator and seed fitted once by itself, with its answers."""
    found: dict = {}

    def get(name, seed):
        if (name, seed) not in found:
            model = short(name, seed)
            model.fit(rows[0], target_of(model, rows[1]))
            found[name, seed] = model, answers(model, rows[0])
        return found[name, seed]

    return get


def fit_at_once(jobs, rows, n_threads=4):
    """Fit (name, seed) in threads that start together; give the answers, and torch's threads in each."""
    barrier = Barrier(n_threads)

    def work(job):
        if jobs.index(job) < n_threads:
            barrier.wait(60)
        model = short(*job)
        model.fit(rows[0], target_of(model, rows[1]))
        return answers(model, rows[0]), torch.get_num_threads()

    with ThreadPoolExecutor(n_threads) as pool:
        return list(zip(*pool.map(work, jobs), strict=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_fits_at_once_are_those_of_one_after_the_other_to_the_bit(family, alone, rows, usual_threads):
    jobs = [(f"{family}-{task}", seed) for task in ("classifier", "regressor") for seed in (0, 1)]
    expected = [alone(*job)[1] for job in jobs]
    before = global_states()
    found, threads = fit_at_once(jobs, rows)
    assert global_states() == before
    assert set(threads) == {usual_threads}
    for job, got, wanted in zip(jobs, found, expected, strict=True):
        assert_same(got, wanted, job)


def test_fits_of_all_families_at_once_do_not_disturb_each_other(alone, rows):
    jobs = [(name, 0) for name in MIXED]
    expected = [alone(*job)[1] for job in jobs]
    before = global_states()
    found, _ = fit_at_once(jobs, rows)
    assert global_states() == before
    for job, got, wanted in zip(jobs, found, expected, strict=True):
        assert_same(got, wanted, job)


@pytest.mark.parametrize("name", MIXED)
def test_one_model_answers_several_threads_as_it_answers_one(name, alone, rows):
    model, _ = alone(name, 0)
    parts = [rows[0][start : start + 20] for start in (0, 20, 40)]
    expected = [answers(model, part) for part in parts]
    before = global_states()
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda part: answers(model, part), parts * 2))
    assert global_states() == before
    for got, wanted in zip(found, expected * 2, strict=True):
        assert_same(got, wanted, name)


def test_cross_validation_by_threads_is_that_without(rows):
    X, y = rows[0][["age", "visits", "idle"]].fillna(0.0), rows[1]
    model = RationaleRegressor((8,), max_epochs=3, random_state=0)
    expected = cross_val_predict(model, X, y, cv=3)
    with parallel_config("threading", n_jobs=3):
        np.testing.assert_array_equal(cross_val_predict(model, X, y, cv=3), expected)


# --- without a seed ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_without_any_seed_global_chance_is_left_alone_too(name, rows):
    model = short(name, None)
    seeds = [key for key in model.get_params() if key.rpartition("__")[2] == "random_state"]
    model.set_params(**dict.fromkeys(seeds))
    before = global_states()
    model.fit(rows[0], target_of(model, rows[1]))
    answers(model, rows[0][:20])
    assert global_states() == before
    assert all(model.get_params()[key] is None for key in seeds)


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"symbolic"}))  # whose formulas may be the same
def test_no_seed_is_new_chance_each_time_whatever_the_global_seed(family, rows):
    predictions = []
    for _ in range(2):
        np.random.seed(0)  # noqa: NPY002
        torch.manual_seed(0)
        model = short(f"{family}-regressor", None)
        predictions.append(model.fit(rows[0], target_of(model, rows[1])).predict(rows[0]))
    assert not np.array_equal(*predictions)


@pytest.mark.parametrize(
    "make",
    [
        lambda teacher: RationaleDistiller(teacher, max_epochs=2, random_state=0),
        lambda teacher: FLINTRegressor(teacher, max_epochs=2, random_state=0),
    ],
    ids=["distiller", "flint"],
)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_one_seed_serves_a_teacher_that_has_none(make, rows):
    X, y = rows[0][["visits", "idle"]], rows[1]
    teacher = make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(4,), max_iter=3))
    before = global_states()
    first, second = (make(clone(teacher)).fit(X, y) for _ in range(2))
    assert global_states() == before
    np.testing.assert_array_equal(first.predict(X), second.predict(X))
    other = make(teacher).set_params(random_state=1).fit(X, y)
    assert not np.array_equal(first.predict(X), other.predict(X))
    assert teacher[-1].random_state is None


def test_functions_without_a_seed_leave_global_chance_alone(rows, tmp_path):
    from skrationale.datasets import make_additive, make_syn
    from skrationale.explanation import Explanation
    from skrationale.flint._describe import column_importance
    from skrationale.metrics import comprehensiveness, infidelity, noise_stability
    from skrationale.report import make_report
    from skrationale.tabular import TableEncoder
    from skrationale.training import hold_out

    X, y = rows[0][["visits", "idle"]].to_numpy(dtype=float), rows[1]
    model = RationaleRegressor((4,), max_features=1, max_epochs=2, random_state=0).fit(X, y)
    explanation = model.explain(X[:30])
    before = global_states()
    make_syn(1, 20)
    make_additive(20)
    hold_out(y, 0.2, False, None)
    TableEncoder(numeric="quantile").fit(np.arange(12_000.0)[:, None])
    column_importance(lambda table: table[:, :1], X, random_state=None)
    comprehensiveness(explanation, model.predict, X[:30], background=X, random_state=None)
    infidelity(Explanation(X, 0.0), lambda table: table.sum(axis=1), X, random_state=None)
    noise_stability(model.explain, X[:30], random_state=None)
    model.audit(X, y, n_refits=0, random_state=None)
    make_report([model], X, y, tmp_path / "report.html", n_rows=20, random_state=None)
    assert global_states() == before
    first, second = (make_additive(20)[0] for _ in range(2))
    assert not np.array_equal(first, second)
