"""The estimators that keep the promises of the package: a new family joins by adding its lines here."""

from lightgbm import LGBMClassifier, LGBMRegressor

from skrationale import GBDT2NNStudent

TREES = {
    "n_estimators": 20,
    "num_leaves": 7,
    "learning_rate": 0.3,
    "min_child_samples": 5,
    "verbose": -1,
    "n_jobs": 1,
}
FAST = {"hidden_layer_sizes": (32, 32), "max_epochs": 20, "n_synthetic": 200, "random_state": 0}

CLASSIFIERS = {
    "gbdt2nn": lambda: GBDT2NNStudent(LGBMClassifier(**TREES), **FAST),
    "gbdt2nn-path": lambda: GBDT2NNStudent(LGBMClassifier(**TREES), explanation="path", **FAST),
    "gbdt2nn-default-teacher": lambda: GBDT2NNStudent(**FAST),
}
REGRESSORS = {
    "gbdt2nn": lambda: GBDT2NNStudent(LGBMRegressor(**TREES), **FAST),
    "gbdt2nn-poisson": lambda: GBDT2NNStudent(LGBMRegressor(objective="poisson", **TREES), **FAST),
}
ALL = {f"{name}-classifier": make for name, make in CLASSIFIERS.items()} | {
    f"{name}-regressor": make for name, make in REGRESSORS.items()
}
