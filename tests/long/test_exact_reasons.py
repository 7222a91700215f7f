"""Contributions from tables, without them, and of matrices, are LightGBM's on random models and tables."""

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from forests import classes
from lightgbm import LGBMClassifier, LGBMRegressor
from seeds import SEED

from skrationale import TreeContributions, tree_interactions
from skrationale.teachers.lightgbm import LightGBMTeacher


def random_table(rng):
    """Numbers of many sizes, zeros, missing cells and categories, and a target that depends on all."""
    n, d = int(rng.choice([60, 300, 1500])), int(rng.choice([1, 2, 5, 12, 45]))
    X = pd.DataFrame(rng.normal(size=(n, d)) * 10.0 ** rng.integers(-3, 4, d)).add_prefix("c")
    y = np.tanh(X.to_numpy()) @ rng.normal(size=d) + rng.normal(size=n)
    for name in X:
        kind = rng.integers(6)
        if kind == 0:
            matrix = rng.integers(0, rng.choice([2, 5, 40, 300]), n)
            X[name], y = pd.Categorical(matrix), y + rng.normal(size=300)[matrix]
        elif kind == 1:
            X.loc[rng.random(n) < 0.3, name] = np.nan
        elif kind == 2:
            X[name] = X[name].round()
        elif kind == 3:
            X.loc[rng.random(n) < 0.5, name] = 0.0
    return X, y


def random_model(rng, X, y):
    settings = {
        "n_estimators": int(rng.integers(1, 12)),
        "num_leaves": int(rng.choice([2, 7, 31, 127])),
        "min_child_samples": int(rng.choice([1, 5, 20])),
        "learning_rate": float(rng.choice([0.05, 0.5])),
        "zero_as_missing": bool(rng.random() < 0.2),
        "use_missing": bool(rng.random() < 0.85),
        "max_bin": int(rng.choice([15, 255, 5000])),
        "boosting_type": str(rng.choice(["gbdt", "dart"])),
        "extra_trees": bool(rng.random() < 0.2),
    }
    settings |= {
        "min_child_weight": 0.0,
        "cat_smooth": 1.0,
        "min_data_per_group": 1,
        "n_jobs": 1,
        "verbose": -1,
    }
    k, weight = int(rng.choice([1, 2, 4])), rng.random(len(X)) ** 4
    if k == 1:
        return LGBMRegressor(**settings).fit(X, y, sample_weight=weight)
    return LGBMClassifier(**settings).fit(X, classes(y, k), sample_weight=weight)


@pytest.mark.parametrize("seed", range(SEED, SEED + 200))
def test_random_models(seed):
    rng = np.random.default_rng(seed)
    X, y = random_table(rng)
    try:
        model = random_model(rng, X, y)
    except lgb.basic.LightGBMError as error:
        pytest.skip(f"LightGBM fails to fit: {error}")
    rows = X.sample(100, replace=True, random_state=0).reset_index(drop=True)
    for name in rows:
        rows.loc[rng.random(100) < 0.1, name] = np.nan
    expected, base = LightGBMTeacher(model).shap_contributions(rows)
    expected = expected.transpose(0, 2, 1)
    scale = max(np.abs(expected).max(), np.abs(base).max())
    for limit in (2**29, 20_000, 0):
        for dtype, bound in (("float32", 2e-6), ("float64", 1e-12)):
            contributions = TreeContributions(model, max_table_bytes=limit, dtype=dtype)
            values = contributions.explain(rows).values.reshape(expected.shape)
            assert np.abs(values - expected).max() <= bound * scale
            assert np.abs(contributions.base_values - base).max() <= 1e-12 * scale
    for dtype, bound in (("float32", 2e-6), ("float64", 1e-12)):
        matrices = tree_interactions(model, rows, dtype=dtype).values
        np.testing.assert_array_equal(matrices, matrices.swapaxes(1, 2))
        assert np.abs(matrices.sum(axis=2).reshape(expected.shape) - expected).max() <= bound * scale
