"""Models in MLflow, with and without their reasons."""

import numpy as np
import pandas as pd
import pytest
from estimators import QUICK, QUICK_TREES
from lightgbm import LGBMClassifier, LGBMRegressor
from seeds import SEED
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrationale import (
    TRUSTED_TYPES,
    FLINTClassifier,
    FLINTRegressor,
    GBDT2NNStudent,
    RationaleClassifier,
    SmoothMLPRegressor,
    TextRationaleClassifier,
)
from skrationale.serving import mlflow_model, serving_copy

mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed")
PINNED = {"pip_requirements": ["skrationale"]}  # else MLflow looks for them in a process of its own


@pytest.fixture(scope="module")
def table():
    rng = np.random.RandomState(SEED)
    X = pd.DataFrame(rng.normal(size=(80, 2)), columns=["age", "b c"])
    X["city"] = rng.choice(["Ulm", "Bonn"], 80)
    X.index = [f"row {i}" for i in range(80)]
    return X, (X["age"] + (X["city"] == "Ulm")).to_numpy()


def labels(y, n):
    return np.array(["no", "perhaps", "yes"])[np.digitize(y, np.quantile(y, np.arange(1, n) / n))]


def test_several_classes_have_reasons_each(table):
    X, y = table
    student = GBDT2NNStudent(LGBMClassifier(**QUICK_TREES), **QUICK).fit(X, labels(y, 3))
    found = mlflow_model(serving_copy(student)).predict(None, X)
    explanation = student.explain(X)
    assert len(found.columns) == 1 + 3 * (2 + 3)
    assert found.index.equals(X.index)
    assert (found["prediction"] == student.predict(X)).all()
    np.testing.assert_array_equal(
        found[["score.no", "score.perhaps", "score.yes"]], student.decision_function(X)
    )
    for k, label in enumerate(student.classes_):
        for j, name in enumerate(X.columns):
            np.testing.assert_array_equal(found[f"reason.{label}.{name}"], explanation.values[:, j, k])
        reasons = found.filter(like=f"reason.{label}.").sum(axis=1)
        np.testing.assert_allclose(found[f"base.{label}"] + reasons, found[f"score.{label}"], atol=1e-9)


@pytest.mark.parametrize(
    "make",
    [
        lambda X, y: SmoothMLPRegressor(**QUICK).fit(X, y),
        lambda X, y: RationaleClassifier(**QUICK).fit(X, labels(y, 2)),
        lambda X, y: FLINTRegressor(n_attributes=2, **QUICK).fit(X, y),
    ],
    ids=["smooth", "rationale", "flint"],
)
def test_one_output_has_no_name(make, table):
    X = table[0]
    model = make(*table)
    found = mlflow_model(model).predict(None, X)
    assert found.columns.tolist() == [
        "prediction",
        "score",
        "base",
        "reason.age",
        "reason.b c",
        "reason.city",
    ]
    np.testing.assert_array_equal(found.iloc[:, 3:], model._explain_columns(X).values)
    scores = model.decision_function(X) if hasattr(model, "classes_") else model.predict(X)
    np.testing.assert_array_equal(found["score"], scores)


def test_a_rationale_of_several_classes_has_one_set_of_reasons(table):
    X, y = table
    model = RationaleClassifier(**QUICK).fit(X, labels(y, 3))
    found = mlflow_model(model).predict(None, X)
    names = ["no", "perhaps", "yes"]
    both = [f"{what}.{name}" for name in names for what in ("score", "base")]
    assert found.columns.tolist() == ["prediction", *both, *(f"reason.{name}" for name in X.columns)]
    explanation = model.explain(X)
    np.testing.assert_array_equal(found[[f"score.{name}" for name in names]], model.decision_function(X))
    np.testing.assert_array_equal(
        found[[f"base.{name}" for name in names]].iloc[0], explanation.meta["base_scores"]
    )
    np.testing.assert_array_equal(found.filter(like="reason."), explanation.values)


def test_models_of_pictures_and_texts_are_refused():
    pictures, y = np.random.RandomState(SEED).rand(40, 1, 4, 4), np.arange(40) % 2
    flint = FLINTClassifier(n_attributes=2, **QUICK | {"hidden_layer_sizes": (4, 4, 4)})
    for kind in (RationaleClassifier(**QUICK), flint):
        with pytest.raises(
            TypeError, match=f"a table, .* Got {type(kind).__name__} fitted to pictures instead"
        ):
            mlflow_model(kind.fit(pictures, y))
    texts = TextRationaleClassifier(**QUICK)
    with pytest.raises(TypeError, match="Got TextRationaleClassifier fitted to texts instead"):
        mlflow_model(texts.fit(["good", "bad"] * 10, [0, 1] * 10))


def test_a_pipeline_has_the_names_behind_its_steps(table):
    X, y = table
    numbers = X[["age", "b c"]]
    model = make_pipeline(StandardScaler(), SmoothMLPRegressor(**QUICK)).fit(numbers, y)
    found = mlflow_model(model).predict(None, numbers)
    assert found.columns.tolist()[3:] == ["reason.age", "reason.b c"]
    np.testing.assert_array_equal(found["prediction"], model.predict(numbers))
    nameless = make_pipeline(FunctionTransformer(np.asarray), SmoothMLPRegressor(**QUICK)).fit(numbers, y)
    assert mlflow_model(nameless).predict(None, numbers).columns.tolist()[3:] == ["reason.x0", "reason.x1"]


def test_what_has_no_reasons_is_refused(table):
    with pytest.raises(TypeError, match="Pipeline that ends with one. Got Ridge instead"):
        mlflow_model(make_pipeline(StandardScaler(), Ridge()))
    with pytest.raises(ValueError, match="not fitted"):
        mlflow_model(SmoothMLPRegressor())


@pytest.mark.filterwarnings("ignore:.*input example was not provided", "ignore:.*Inferred schema")
def test_reasons_come_through_the_registry(table, tmp_path):
    X, y = table
    model = mlflow_model(SmoothMLPRegressor(**QUICK).fit(X, y))
    mlflow.pyfunc.save_model(tmp_path / "model", python_model=model, **PINNED)
    again = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    pd.testing.assert_frame_equal(again.predict(X), model.predict(None, X))


def test_the_flavour_for_scikit_learn_takes_the_trusted_types(table, tmp_path):
    import mlflow.sklearn

    X, y = table
    model = serving_copy(GBDT2NNStudent(LGBMRegressor(**QUICK_TREES), **QUICK).fit(X, y))
    mlflow.sklearn.save_model(model, tmp_path / "model", skops_trusted_types=TRUSTED_TYPES, **PINNED)
    assert (tmp_path / "model" / "model.skops").exists()
    again = mlflow.sklearn.load_model(str(tmp_path / "model"))
    np.testing.assert_array_equal(again.explain(X).values, model.explain(X).values)
    served = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    np.testing.assert_array_equal(served.predict(X), model.predict(X))
