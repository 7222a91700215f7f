"""Pipelines and searches are explained by the columns of the raw table."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skrationale import (
    FLINTRegressor,
    GBDT2NNStudent,
    RationaleRegressor,
    SmoothMLPRegressor,
    explain_pipeline,
    make_report,
)

QUICK = {"hidden_layer_sizes": (4,), "max_epochs": 2, "random_state": 0}
N = 60
RNG = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "age": RNG.normal(size=N),
        "city": RNG.choice(["Bonn", "Ulm", "Rome"], N),
        "kind": RNG.choice(list("pq"), N),
    },
    index=[f"row {i}" for i in range(N)],
)
Y = X["age"] + (X["city"] == "Ulm")


def encoded(pandas=True):
    columns = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["city", "kind"]), remainder=StandardScaler()
    )
    return columns.set_output(transform="pandas") if pandas else columns


MODELS = {
    "student": GBDT2NNStudent(Ridge(), explanation="permutation", n_synthetic=40, **QUICK),
    "smooth": SmoothMLPRegressor(jacobian_lambda=0.1, **QUICK),
    "rationale": RationaleRegressor(max_features=2, **QUICK),
    "flint": FLINTRegressor(n_attributes=3, **QUICK),
}


@pytest.mark.parametrize("pandas", [True, False])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_reasons_are_those_of_the_raw_columns(model, pandas):
    pipeline = make_pipeline(encoded(pandas), clone(model)).fit(X, Y)
    found = explain_pipeline(pipeline, X)
    assert found.feature_names == ("age", "city", "kind")
    assert found.display_data[:, 1].tolist() == X["city"].tolist()
    if found.kind != "rationale":
        assert found.additivity_error(pipeline.predict(X)) < 1e-6
    whole = explain_pipeline(pipeline, X, grouped=False)
    assert whole.feature_names == tuple(pipeline[:-1].get_feature_names_out())
    np.testing.assert_allclose(found.values.sum(1), whole.values.sum(1), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.values[:, 1], whole.values[:, :3].sum(1), rtol=1e-9, atol=1e-12)
    assert list(found.index) == list(whole.index) == list(X.index)
    for rows in (X[::-1], X.sample(frac=1, random_state=0).reset_index(drop=True).sort_values("age")):
        turned = explain_pipeline(pipeline, rows)
        assert list(turned.index) == list(rows.index)
        assert turned.display_data[:, 1].tolist() == rows["city"].tolist()
        assert turned[np.arange(5)].grouped({"all": ["age", "city", "kind"]}, rows[:5]).values.shape[:2] == (
            5,
            1,
        )


def test_columns_of_arrays_are_known_by_place():
    rows = np.random.default_rng(0).normal(size=(200, 3))
    model = clone(MODELS["smooth"]).set_params(max_epochs=30)
    swap = make_column_transformer((StandardScaler(), [1, 0]))
    pipeline = make_pipeline(swap, model).fit(rows, 5 * rows[:, 0] + 0.5 * rows[:, 1])
    found = explain_pipeline(pipeline, rows)
    assert found.feature_names == ("x0", "x1")
    assert found.mean_abs()[0] > 4 * found.mean_abs()[1]
    np.testing.assert_array_equal(found.data, rows[:, :2])
    whole = explain_pipeline(pipeline, rows, grouped=False)
    assert whole.feature_names == ("standardscaler__x1", "standardscaler__x0")
    np.testing.assert_array_equal(whole.values[:, ::-1], found.values)
    frame = pd.DataFrame(rows)  # names that are no strings
    np.testing.assert_array_equal(explain_pipeline(pipeline, frame).values, found.values)
    assert explain_pipeline(pipeline, frame).feature_names == ("0", "1")


def test_a_step_may_leave_rows_out():
    shorter = FunctionTransformer(lambda rows: rows[:-1].to_numpy(), feature_names_out="one-to-one")
    model = clone(MODELS["smooth"]).fit(X[["age"]].to_numpy(), Y)
    pipeline = Pipeline([("shorter", shorter.fit(X[["age"]])), ("model", model)])
    found = explain_pipeline(pipeline, X[["age"]], grouped=False)
    assert (len(found), found.index) == (N - 1, None)


def test_searches_and_frozen_and_nested_pipelines_are_opened():
    smooth = clone(MODELS["smooth"])
    inner = make_pipeline(StandardScaler().set_output(transform="pandas"), smooth)
    search = GridSearchCV(
        make_pipeline(encoded(), inner), {"pipeline__smoothmlpregressor__lr": [0.01, 0.02]}, cv=2
    )
    search.fit(X, Y)
    found = explain_pipeline(FrozenEstimator(search), X)
    assert found.feature_names == ("age", "city", "kind")
    assert found.additivity_error(search.predict(X)) < 1e-6
    alone = clone(smooth).fit(X, Y)
    np.testing.assert_array_equal(explain_pipeline(alone, X).values, alone.explain(X).values)
    place = explain_pipeline(alone, X, grouped={"place": ["city", "kind"]})
    assert place.feature_names == ("age", "place")


def test_what_cannot_be_explained_or_traced_says_so():
    with pytest.raises(TypeError, match="last step is an estimator with explanations. Got Ridge instead"):
        explain_pipeline(make_pipeline(encoded(), Ridge()).fit(X, Y), X)
    with pytest.raises(NotFittedError):
        explain_pipeline(make_pipeline(encoded(), SmoothMLPRegressor()), X)
    mixed = make_pipeline(encoded(), PCA(2), clone(MODELS["smooth"])).fit(X, Y)
    with pytest.raises(ValueError, match="PCA makes 'pca0' from no single column; give a dict"):
        explain_pipeline(mixed, X)
    assert explain_pipeline(mixed, X, grouped=False).feature_names == ("pca0", "pca1")


def test_a_report_shows_raw_columns_or_says_why_not(tmp_path):
    smooth = clone(MODELS["smooth"])
    models = {
        "traced": make_pipeline(encoded(False), clone(smooth)).fit(X, Y),
        "mixed": make_pipeline(encoded(), PCA(2), clone(smooth)).fit(X, Y),
    }
    report = make_report(models, X, Y, tmp_path / "report.html")
    shares = report.tables["importances"]
    assert shares["traced"].dropna().index.tolist() == sorted(
        X.columns, key=lambda name: -shares["traced"][name]
    )
    assert set(shares["mixed"].dropna().index) == {"pca0", "pca1"}
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "not to the columns of X: PCA makes" in text
    plain = make_report(models, X, Y, tmp_path / "report.html", grouped=False).tables["importances"]
    assert len(plain["traced"].dropna()) == 6
    named = make_report(
        [models["traced"]], X, Y, tmp_path / "report.html", grouped={"place": ["onehotencoder__city_Ulm"]}
    )
    assert "place" in named.tables["importances"].index
    with pytest.raises(TypeError, match="grouped must be a bool, or a dict"):
        make_report(models, X, Y, tmp_path / "report.html", grouped="auto")
