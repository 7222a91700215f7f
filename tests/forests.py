"""Tables and LightGBM models on which reasons of forests are tested."""

import lightgbm as lgb
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor

LEVELS = np.array(["Ulm", "Bonn", "Kiel", "Jena", "Rom"])
N = 300
BOOSTINGS = [
    {"zero_as_missing": True},
    {"use_missing": False},
    {"boosting_type": "dart"},
    {"boosting_type": "rf", "subsample": 0.6, "subsample_freq": 1},
    {"extra_trees": True, "max_cat_to_onehot": 1},
]
"""Ways of boosting that read cells or weigh trees each in their own way."""


def train_and_test(seed):
    """Two tables and the target of the first; the second has missing values and a level that are new."""
    train, test = table(seed), table(seed + 1, n_levels=5)
    test.loc[::7, "a"] = np.nan
    return train, test, target(train)


def table(seed, n_levels=4):
    """Numbers with zeros and missing values, and a category with missing ones."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 3)).round(2)
    X[rng.random((N, 3)) < 0.1] = 0.0
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    frame.loc[rng.random(N) < 0.2, "b"] = np.nan
    frame["city"] = pd.Categorical(rng.choice(LEVELS[:n_levels], N))
    frame.loc[rng.random(N) < 0.1, "city"] = np.nan
    return frame


def target(X):
    """Numbers between 0 and 1, which all objectives take."""
    y = X["a"] * (1 + X["c"]) + 2 * (X["b"] > 0) + X["city"].isin(["Ulm", "Kiel"])
    return ((y - y.min() + 0.1) / (y.max() - y.min() + 0.2)).to_numpy()


def classes(y, k):
    """Classes of equal size."""
    return np.digitize(y, np.quantile(y, np.arange(1, k) / k))


def of_objective(objective, X, y, **params):
    """Fit a model of any objective."""
    if objective.startswith("multiclass"):
        return LGBMClassifier(objective=objective, **params).fit(X, classes(y, 3))
    if objective == "binary":
        return LGBMClassifier(**params).fit(X, classes(y, 2))
    return LGBMRegressor(objective=objective, **params).fit(X, y)


def of_labels(labels, X, **params):
    """Fit a model of two classes, or one for each of several."""
    objective = {} if labels.dtype == bool else {"objective": "multiclassova"}
    return LGBMClassifier(**params | objective).fit(X, labels)


def stopped_early(X, y):
    """Train a Booster that has more trees than it predicts with."""
    params = {"verbose": -1, "num_threads": 1, "num_leaves": 7, "early_stopping_round": 3, "metric": "l2"}
    data = lgb.Dataset(X[:200], y[:200], free_raw_data=False)
    held_out = data.create_valid(X[200:], y[200:])
    booster = lgb.train(params, data, 100, valid_sets=[held_out], keep_training_booster=True)
    assert 0 < booster.best_iteration < booster.num_trees()
    return booster


def without_rows_of_a_class(X, y):
    """Train a Booster of three classes, the last of which has no rows, and so no splits."""
    params = {"objective": "multiclassova", "num_class": 3, "verbose": -1, "num_threads": 1}
    return lgb.train(params, lgb.Dataset(X, classes(y, 2)), 5)


def chain(n_leaves, n_columns=1):
    """A Booster of one tree, whose leaf of number i has the value i; with one column, x = i reaches it.

    Split i asks the columns in turn, and sends what is at most i to leaf i.
    """
    inner = np.arange(n_leaves - 1)
    arrays = {
        "split_feature": inner % n_columns,
        "internal_value": inner * 0,
        **dict.fromkeys(("split_gain", "internal_weight"), inner * 0 + 1),
        **dict.fromkeys(("leaf_weight", "leaf_count"), [1] * n_leaves),
        "threshold": inner + 0.5,
        "decision_type": inner * 0 + 2,
        "left_child": ~inner,
        "right_child": [*inner[1:], ~(n_leaves - 1)],
        "leaf_value": range(n_leaves),
        "internal_count": n_leaves - inner,
    }
    fields = [f"{name}={' '.join(map(str, values))}" for name, values in arrays.items()]
    fields = [f"num_leaves={n_leaves}\nnum_cat=0", *fields, "is_linear=0\nshrinkage=1\n\n\nend of trees\n"]
    head = (
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
        f"max_feature_idx={n_columns - 1}\nobjective=regression\n"
        f"feature_names={' '.join(f'Column_{j}' for j in range(n_columns))}\n"
        f"feature_infos={' '.join([f'[0:{n_leaves - 1}]'] * n_columns)}\n"
    )
    return lgb.Booster(model_str=head + "\nTree=0\n" + "\n".join(fields))


def unfit_tables(X):
    """Tables that a model of `X` cannot read, with what the error says."""
    return [
        (X[["a", "b"]], "X has 2 features, but the model was fitted on 4"),
        (X[["b", "a", "c", "city"]], "column 'b' where the model was fitted on 'a'"),
        (X.assign(a=X["city"]), "X has 2 categorical .* the model was fitted on 1 category"),
        (X.replace({"a": {0.0: np.inf}}), "infinity"),
    ]


def bytes_of_tables(trees):
    """Memory of the tables of trees, without the rows of zeros."""
    return sum(shelf.table[:-1].nbytes for shelf in trees.shelves)
