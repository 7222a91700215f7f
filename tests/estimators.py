"""The estimators that keep the promises of the package: a new family joins by adding its lines here."""

from lightgbm import LGBMClassifier, LGBMRegressor
from seeds import SEED
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier, XGBRegressor

from skrationale import (
    FLINTClassifier,
    FLINTRegressor,
    GBDT2NNStudent,
    RationaleClassifier,
    RationaleDistiller,
    RationaleRegressor,
    SmoothMLPClassifier,
    SmoothMLPRegressor,
    SymbolicDistiller,
)
from skrationale.symbolic import Engine
from skrationale.tabular import TableEncoder

TREES = {
    "n_estimators": 20,
    "num_leaves": 7,
    "learning_rate": 0.3,
    "min_child_samples": 5,
    "verbose": -1,
    "n_jobs": 1,
}
XGBOOST = {"n_estimators": 20, "max_depth": 3, "enable_categorical": True, "n_jobs": 1}
FAST = {"hidden_layer_sizes": (32, 32), "max_epochs": 20, "n_synthetic": 200, "random_state": SEED}
SMOOTH = {"hidden_layer_sizes": (16, 16), "max_epochs": 20, "jacobian_lambda": 0.01, "random_state": SEED}
SMOOTH_AUTO = SMOOTH | {"jacobian_lambda": "auto", "jacobian_lambdas": (0.0, 0.01)}
SHORT = {
    "niterations": 12,
    "population_size": 60,
    "n_searches": 1,
    "maxsize": 12,
    "jacobian_lambda": None,
    "random_state": SEED,
}
FLINT = {
    "hidden_layer_sizes": (16, 16),
    "n_attributes": 6,
    "lr": 5e-3,
    "max_epochs": 30,
    "random_state": SEED,
}
RATIONALE = {
    "hidden_layer_sizes": (16, 16),
    "max_epochs": 15,
    "lr": 5e-3,
    "weight_decay": 1e-3,
    "random_state": SEED,
}


QUICK = {"hidden_layer_sizes": (4,), "max_epochs": 2, "random_state": 0}
QUICK_SEARCH = {"niterations": 1, "n_searches": 1, "maxsize": 3, "random_state": 0}
QUICK_TREES = {"n_estimators": 3, "num_leaves": 4, "verbose": -1, "n_jobs": 1}
"""For tests of what is read and refused, where nothing need be learnt."""


class OneHot(TransformerMixin, BaseEstimator):
    """The encoder that a user might put before trees: any table becomes numbers."""

    def fit(self, X, y=None):
        self.encoder_ = TableEncoder(numeric="none").fit(X)
        return self

    def transform(self, X):
        return self.encoder_.transform(X)


def black_box(trees):
    return make_pipeline(OneHot(), trees(max_iter=15, max_leaf_nodes=7, random_state=SEED))


class InterruptedEngine(Engine):
    """An engine during whose search the user loses patience."""

    name = "interrupted"

    def search(self, Z, t, **settings):
        raise KeyboardInterrupt


CLASSIFIERS = {
    "gbdt2nn": lambda: GBDT2NNStudent(LGBMClassifier(**TREES), **FAST),
    "gbdt2nn-path": lambda: GBDT2NNStudent(LGBMClassifier(**TREES), explanation="path", **FAST),
    "gbdt2nn-default-teacher": lambda: GBDT2NNStudent(**FAST),
    "gbdt2nn-xgboost": lambda: GBDT2NNStudent(XGBClassifier(**XGBOOST), **FAST),
    "smooth-mlp": lambda: SmoothMLPClassifier(**SMOOTH),
    "symbolic": lambda: SymbolicDistiller(SmoothMLPClassifier(**SMOOTH), teacher_weight=1, **SHORT),
    "symbolic-black-box": lambda: SymbolicDistiller(
        black_box(HistGradientBoostingClassifier), teacher_weight=0.5, **SHORT
    ),
    "rationale": lambda: RationaleClassifier(**RATIONALE),
    "rationale-paper": lambda: RationaleClassifier(preset="paper", max_features=0.5, **RATIONALE),
    "rationale-distiller": lambda: RationaleDistiller(
        RationaleClassifier(**RATIONALE), audit_teacher=False, **RATIONALE
    ),
    "flint": lambda: FLINTClassifier(**FLINT),
    "flint-post-hoc": lambda: FLINTClassifier(
        make_pipeline(OneHot(), StandardScaler(), MLPClassifier((16,), max_iter=200, random_state=SEED)),
        decide_with="interpreter",
        **FLINT,
    ),
    "rationale-trees": lambda: RationaleDistiller(black_box(HistGradientBoostingClassifier), **RATIONALE),
}
REGRESSORS = {
    "gbdt2nn": lambda: GBDT2NNStudent(LGBMRegressor(**TREES), **FAST),
    "gbdt2nn-poisson": lambda: GBDT2NNStudent(LGBMRegressor(objective="poisson", **TREES), **FAST),
    "gbdt2nn-xgboost": lambda: GBDT2NNStudent(XGBRegressor(objective="count:poisson", **XGBOOST), **FAST),
    "smooth-mlp": lambda: SmoothMLPRegressor(**SMOOTH),
    "smooth-mlp-auto": lambda: SmoothMLPRegressor(**SMOOTH_AUTO),
    "symbolic": lambda: SymbolicDistiller(SmoothMLPRegressor(**SMOOTH), **SHORT),
    "symbolic-black-box": lambda: SymbolicDistiller(black_box(HistGradientBoostingRegressor), **SHORT),
    "rationale": lambda: RationaleRegressor(**RATIONALE),
    "flint": lambda: FLINTRegressor(**FLINT),
    "rationale-rate": lambda: RationaleRegressor(max_features=0.4, relaxation="gumbel", **RATIONALE),
    "rationale-distiller": lambda: RationaleDistiller(
        RationaleRegressor(**RATIONALE), audit_teacher=False, **RATIONALE
    ),
}
ALL = {f"{name}-classifier": make for name, make in CLASSIFIERS.items()} | {
    f"{name}-regressor": make for name, make in REGRESSORS.items()
}
FAMILIES = ("gbdt2nn", "smooth-mlp", "symbolic", "rationale", "rationale-distiller", "flint")
"""Names that have a classifier and a regressor, without their variants."""

GRIDS = {
    "explanation_lambda": [0.1, 1.0],
    "penalty_fraction": [0.5, 1.0],
    "maxsize": [5, 9],
    "sparsity_lambda": [0.02, 0.05],
    "fidelity_lambda": [0.3, 1.0],
}
"""Values to search for parameters that an estimator may have."""

BAD_PARAMETERS = {
    "lr": ("fast", "'lr' parameter .* Got 'fast'"),
    "device": ("abacus", "device.*got 'abacus'"),
    "hidden_layer_sizes": ((0,), "'hidden_layer_sizes' parameter"),
    "jacobian_lambda": (-1.0, "'jacobian_lambda' parameter .* Got -1.0"),
    "jacobian_lambdas": ((1.0, 0.1), "increasing numbers"),
    "sparsity_lambda": ("much", "'sparsity_lambda' parameter .* Got 'much'"),
    "max_features": (1.5, "'max_features' parameter .* Got 1.5"),
    "temperature": ((0.1, 5.0), "'temperature' parameter .* Got"),
    "fidelity_lambda": (-1.0, "'fidelity_lambda' parameter .* Got -1.0"),
    "hidden_layers": ((7,), "'hidden_layers' parameter"),
    "attribute_names": (["a", "a"], "'attribute_names' parameter"),
    "alpha": (2.0, "'alpha' parameter .* Got 2.0"),
    "engine": ("abacus", "'engine' parameter .* Got 'abacus'"),
    "teacher_weight": (1.5, "'teacher_weight' parameter .* Got 1.5"),
    "binary_operators": (["plus"], "'binary_operators' parameter .* Got 'plus'"),
    "unary_operators": (["sine"], r"'unary_operators' parameter .* Did you mean 'sin'\?"),
}
"""A wrong value for parameters that an estimator or its teacher may have, and what the message says."""


BRIEF = {"max_epochs": 3, "teacher__max_epochs": 3, "n_synthetic": 40, "niterations": 2, "maxsize": 6}


def brief(model):
    """Shorten the fit of a model, for tests of all but what is learnt."""
    return model.set_params(**known_parameters(model, BRIEF))


def known_parameters(model, values):
    """Keep the values for parameters that the estimator has, or else its teacher."""
    names = model.get_params()
    asked = {(name if name in names else f"teacher__{name}"): value for name, value in values.items()}
    return {name: value for name, value in asked.items() if name in names}
