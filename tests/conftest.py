import sys

import numpy as np
import pandas as pd
import pytest
from seeds import SEED


def pytest_report_header():
    return f"SKRATIONALE_TESTS_SEED: {SEED}"


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def frequent_turns():
    """Threads that take turns often meet in the middle of things."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def pytest_runtest_setup():
    """What draws from the global generator draws the same in any order of tests."""
    np.random.seed(SEED)  # noqa: NPY002


@pytest.fixture(scope="session")
def mixed():
    """The mixed table and its score."""
    return mixed_table()


def mixed_table():
    """A table of numbers, text, categories, booleans and missing values; y depends on all but `idle`."""
    rng = np.random.RandomState(SEED)
    n = 240
    table = pd.DataFrame(
        {
            "age": rng.normal(40, 10, n),
            "city": rng.choice(["Bonn", "Köln", "Ulm"], n),
            "grade": pd.Categorical(rng.choice(["low", "mid", "high"], n)),
            "member": rng.rand(n) < 0.5,
            "visits": rng.poisson(3, n),
            "idle": rng.normal(size=n),
        }
    )
    score = (
        (table["age"] - 40) / 10
        + 1.5 * (table["city"] == "Ulm")
        - (table["grade"] == "low").to_numpy()
        + table["member"]
        + 0.3 * table["visits"]
    ).to_numpy()
    table.loc[rng.rand(n) < 0.1, "age"] = np.nan
    table.loc[rng.rand(n) < 0.1, "city"] = None
    table.loc[rng.rand(n) < 0.1, "grade"] = np.nan
    return table, score


def target_of(estimator, score):
    """A target for the estimator's task: three text labels, or positive numbers."""
    from sklearn.base import is_classifier

    if is_classifier(estimator):
        return np.array(["no", "perhaps", "yes"])[np.digitize(score, np.quantile(score, [0.33, 0.66]))]
    return np.exp(0.3 * score)
