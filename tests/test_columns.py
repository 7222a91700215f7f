"""Every way to ask an estimator about rows refuses columns of another type, and warns of unknown levels."""

import inspect

import numpy as np
import pandas as pd
import pytest
from estimators import QUICK, QUICK_TREES
from lightgbm import LGBMClassifier

from skrationale import (
    FLINTClassifier,
    GBDT2NNStudent,
    RationaleClassifier,
    RationaleDistiller,
    SmoothMLPClassifier,
    SymbolicDistiller,
)
from skrationale.gbdt2nn import path_contributions

RNG = np.random.RandomState(0)
X = pd.DataFrame({"size": RNG.normal(size=120), "city": RNG.choice(["Bonn", "Ulm"], 120)})
Y = np.where(X["size"] + (X["city"] == "Ulm") > 0.5, "yes", "no")
SMOOTH = QUICK | {"jacobian_lambda": 0.0}
SHORT = {"niterations": 2, "population_size": 20, "n_searches": 1, "maxsize": 6, "random_state": 0}
MODELS = {
    "gbdt2nn": lambda: GBDT2NNStudent(LGBMClassifier(**QUICK_TREES), n_synthetic=10, **QUICK),
    "smooth": lambda: SmoothMLPClassifier(**SMOOTH),
    "symbolic": lambda: SymbolicDistiller(SmoothMLPClassifier(**SMOOTH), jacobian_lambda=None, **SHORT),
    "rationale": lambda: RationaleClassifier(**QUICK),
    "distiller": lambda: RationaleDistiller(RationaleClassifier(**QUICK), audit_teacher=False, **QUICK),
    "flint": lambda: FLINTClassifier(n_attributes=3, max_epochs=2, random_state=0),
    "post hoc": lambda: FLINTClassifier(SmoothMLPClassifier(**SMOOTH), n_attributes=3, max_epochs=2),
}
ASKED = (
    "predict",
    "predict_proba",
    "decision_function",
    "explain",
    "fidelity",
    "score",
    "get_rationale",
    "select",
    "audit",
    "transform",
    "describe",
    "disagreement",
    "predict_model",
    "predict_interpretable",
    "teacher_explain",
)
OTHER = {
    "text of digits": (X.assign(size=X["size"].astype(str)), ValueError, "'size' of X was numeric at fit"),
    "numbers": (X.assign(city=1.0), ValueError, "'city' of X held 'Bonn', 'Ulm' at fit, but holds numbers"),
    "dates": (X.assign(size=pd.Timestamp("2020-01-01")), TypeError, "'size' of X has dtype datetime64"),
    "complex": (X.assign(size=X["size"] + 0j), TypeError, "'size' of X has dtype complex"),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
def test_columns_of_another_type_are_refused_and_unknown_levels_warned_of(make):
    model = make().fit(X, Y)
    asked = [name for name in ASKED if hasattr(model, name)]
    assert len(asked) > 4
    for name in asked:
        method = getattr(model, name)
        # of all methods audit needs the target
        more = (Y,) if name in ("score", "audit") else ()
        assert "X" in inspect.signature(method).parameters
        for table, error, text in OTHER.values():
            with pytest.raises(error, match=text):
                method(table, *more)
        if name != "audit":  # takes its time
            with pytest.warns(UserWarning, match=r"only unknown levels in column\(s\) 'city' \('Bonn |'Ulm "):
                method(X.assign(city=X["city"] + " "), *more)


BESIDE = {
    "symbolic of LightGBM": lambda: SymbolicDistiller(
        LGBMClassifier(**QUICK_TREES), jacobian_lambda=None, **SHORT
    ),
}


@pytest.mark.parametrize("name", ["gbdt2nn", "distiller", "symbolic of LightGBM"])
def test_fidelity_reads_a_table_often_but_warns_once(name):
    model = (MODELS | BESIDE)[name]().fit(X, Y)
    with pytest.warns(UserWarning, match="only unknown levels") as caught:
        model.fidelity(X.assign(city="Rome"))
    assert sum("only unknown levels" in str(one.message) for one in caught) == 1


def test_paths_of_trees_are_checked_too():
    table = X.assign(city=X["city"].astype("category"))
    model = LGBMClassifier(**QUICK_TREES).fit(table, Y)
    with pytest.raises(TypeError, match="'size' of X has dtype datetime64"):
        path_contributions(model, table.assign(size=pd.Timestamp("2020-01-01")))
    with pytest.warns(UserWarning, match=r"only unknown levels in column\(s\) 'city' \('Ulm '"):
        path_contributions(model, table.assign(city=pd.Categorical(["Ulm "] * 120)))
