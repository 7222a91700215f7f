"""Estimators inside of other packages: a real fit, predictions and, where they are asked for, reasons.

Packages that are not installed are skipped. What ran is printed with its version (`pytest -s`); the table of
docs/howto/works_with.rst is made of that.
"""

import functools
import importlib
import importlib.metadata
import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skrationale import (
    FLINTClassifier,
    FLINTRegressor,
    GBDT2NNStudent,
    RationaleClassifier,
    RationaleDistiller,
    RationaleRegressor,
    SmoothMLPClassifier,
    SmoothMLPRegressor,
    explain_pipeline,
)

RAN = []
QUICK = {"hidden_layer_sizes": (8,), "max_epochs": 5, "random_state": 0}
TREES = {"n_estimators": 10, "num_leaves": 7, "verbose": -1, "n_jobs": 1}
NUMBERS = load_diabetes(return_X_y=True, as_frame=True)
LABELS = load_breast_cancer(return_X_y=True, as_frame=True)
LABELS = LABELS[0].iloc[:, :8], LABELS[1]
RNG = np.random.default_rng(0)
N = 240
TABLE = pd.DataFrame(
    {
        "age": RNG.normal(50, 10, N),
        "city": RNG.choice(["Bonn", "Rome", "Ulm"], N),
        "sent": pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 700, N), unit="D"),
    }
)
TARGET = TABLE["age"] / 10 + (TABLE["city"] == "Ulm") + TABLE["sent"].dt.month / 4
SERIES = pd.Series(
    np.sin(np.arange(120) / 4) + RNG.normal(0, 0.1, 120),
    index=pd.period_range("2015-01", periods=120, freq="M"),
    name="sales",
)

pytestmark = pytest.mark.filterwarnings("ignore")


def smooth(**more):
    return SmoothMLPRegressor(**QUICK, jacobian_lambda=0.01, **more)


def student(**more):
    return GBDT2NNStudent(LGBMRegressor(**TREES), n_synthetic=100, **QUICK, **more)


def neighbour(module, distribution, what):
    """Skip without the package; note what ran, with its version."""

    def decorate(test):
        @functools.wraps(test)
        def run(*args, **kwargs):
            package = pytest.importorskip(module)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                test(package, *args, **kwargs)
            version = importlib.metadata.version(distribution)
            RAN.append((distribution, version, what))
            print(f"{distribution} {version}: {what}")

        given = inspect.signature(test)  # pytest asks for all but the package
        run.__signature__ = given.replace(parameters=list(given.parameters.values())[1:])
        return run

    return decorate


def assert_adds_up(explanation, predictions):
    assert explanation.additivity_error(np.asarray(predictions)) < 1e-5


@neighbour("sktime", "sktime", "`make_reduction` of regressors, a forecast, reasons of lags grouped")
def test_sktime(package):
    reduction = importlib.import_module("sktime.forecasting.compose").make_reduction
    from sklearn.compose import TransformedTargetRegressor

    for model in (
        RationaleRegressor(max_features=3, **QUICK),
        FLINTRegressor(n_attributes=3, **QUICK),
        smooth(),
        TransformedTargetRegressor(student()),
    ):
        forecaster = reduction(model, window_length=6, strategy="recursive").fit(SERIES)
        assert np.isfinite(forecaster.predict(fh=range(1, 13))).all()
    lags = np.lib.stride_tricks.sliding_window_view(SERIES.to_numpy(), 7)[:, :6]
    inner = reduction(smooth(), window_length=6, strategy="recursive").fit(SERIES).estimator_
    explanation = inner.explain(lags)
    whole = explanation.grouped({"sales": explanation.feature_names})
    assert whole.feature_names == ("sales",)
    assert_adds_up(whole, inner.predict(lags))


@pytest.mark.parametrize("name", ["student", "smooth", "rationale", "flint", "rekd"])
@neighbour("optuna_integration", "optuna-integration", "`SkorchPruningCallback`, every family")
def test_optuna(package, name):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    X, y = NUMBERS
    makers = {
        "student": lambda **more: student(early_stopping=True, **more),
        "smooth": smooth,
        "rationale": lambda **more: RationaleRegressor(**QUICK, **more),
        "flint": lambda **more: FLINTRegressor(n_attributes=3, **QUICK, **more),
        "rekd": lambda **more: RationaleDistiller(Ridge(), **QUICK, **more),
    }

    def objective(trial):
        callback = package.SkorchPruningCallback(trial, "valid_loss")
        lr = 10 ** -(1 + trial.number % 4)
        model = makers[name](lr=lr, callbacks=[callback]).fit(X, y)
        return min(row["valid_loss"] for row in model.history_ if "valid_loss" in row)

    pruner = optuna.pruners.MedianPruner(n_startup_trials=1)
    study = optuna.create_study(pruner=pruner, sampler=optuna.samplers.RandomSampler(0))
    study.optimize(objective, n_trials=6, n_jobs=1)
    states = {trial.state.name for trial in study.trials}
    assert states == {"COMPLETE", "PRUNED"}


@neighbour("mapie", "MAPIE", "`SplitConformalRegressor`, coverage of intervals")
def test_mapie(package):
    conformal = importlib.import_module("mapie.regression").SplitConformalRegressor
    X, y = NUMBERS
    model = student().fit(X[:200], y[:200])
    intervals = conformal(model, confidence_level=0.9, prefit=True).conformalize(X[200:320], y[200:320])
    _, bounds = intervals.predict_interval(X[320:])
    low, high = np.squeeze(bounds).T
    assert 0.75 < np.mean((low <= y[320:]) & (y[320:] <= high)) <= 1
    assert_adds_up(model.explain(X), model.predict(X))


@neighbour("crepes", "crepes", "`WrapRegressor` and `WrapClassifier`, intervals and prediction sets")
def test_crepes(package):
    X, y = NUMBERS
    wrapped = package.WrapRegressor(smooth())
    wrapped.fit(X[:200], y[:200])
    wrapped.calibrate(X[200:320], y[200:320])
    bounds = wrapped.predict_int(X[320:], confidence=0.9)
    assert 0.75 < np.mean((bounds[:, 0] <= y[320:]) & (y[320:] <= bounds[:, 1])) <= 1
    X, y = LABELS
    labels = package.WrapClassifier(RationaleClassifier(**QUICK))
    labels.fit(X[:300], y[:300])
    labels.calibrate(X[300:450], y[300:450])
    assert len(labels.predict_set(X[450:])) == len(X) - 450
    assert labels.learner.explain(X).mask.any()


@neighbour("fairlearn", "fairlearn", "`ExponentiatedGradient` with weights; a frozen teacher is warned of")
def test_fairlearn(package):
    reductions = importlib.import_module("fairlearn.reductions")
    from sklearn.frozen import FrozenEstimator

    X, y = LABELS
    group = (X.iloc[:, 0] > X.iloc[:, 0].median()).astype(int)

    def gap(predicted):
        return abs(predicted[group == 1].mean() - predicted[group == 0].mean())

    model = GBDT2NNStudent(LGBMClassifier(**TREES), n_synthetic=100, **QUICK)
    plain = gap(model.fit(X, y).predict(X))
    fair = reductions.ExponentiatedGradient(model, reductions.DemographicParity(), max_iter=6)
    fair.fit(X, y, sensitive_features=group)
    assert gap(np.asarray(fair.predict(X, random_state=0))) < 0.8 * plain
    frozen = GBDT2NNStudent(FrozenEstimator(LGBMClassifier(**TREES).fit(X, y)), n_synthetic=100, **QUICK)
    with pytest.warns(UserWarning, match="The teacher is frozen, so sample_weight"):
        reductions.ExponentiatedGradient(frozen, reductions.DemographicParity(), max_iter=2).fit(
            X, y, sensitive_features=group
        )


@neighbour("skrub", "skrub", "`TableVectorizer` with text and dates, reasons grouped to the raw columns")
def test_skrub(package):
    pipeline = make_pipeline(package.TableVectorizer(), smooth()).fit(TABLE, TARGET)
    explanation = explain_pipeline(pipeline, TABLE)
    assert explanation.feature_names == tuple(TABLE.columns)
    assert_adds_up(explanation, pipeline.predict(TABLE))
    assert len(explain_pipeline(pipeline, TABLE, grouped=False).feature_names) > 5


@neighbour("imblearn", "imbalanced-learn", "`Pipeline` with over-sampling, `BalancedBaggingClassifier`")
def test_imbalanced_learn(package):
    X, y = LABELS
    pipelines = importlib.import_module("imblearn.pipeline")
    settings = {**QUICK, "max_epochs": 80, "jacobian_lambda": 0.01}
    sampler = importlib.import_module("imblearn.over_sampling").RandomOverSampler(random_state=0)
    pipeline = pipelines.make_pipeline(sampler, SmoothMLPClassifier(**settings)).fit(X, y)
    assert pipeline.score(X, y) > 0.8
    assert pipeline[-1].explain(X).values.shape == X.shape
    bagging = importlib.import_module("imblearn.ensemble").BalancedBaggingClassifier
    bag = bagging(FLINTClassifier(n_attributes=3, **QUICK), n_estimators=2, random_state=0).fit(X, y)
    assert bag.score(X, y) > 0.5


@neighbour("dalex", "dalex", "`Explainer`: importances and break-down of a row")
def test_dalex(package):
    X, y = NUMBERS
    model = student().fit(X, y)
    explainer = package.Explainer(model, X, y, verbose=False)
    assert len(explainer.model_parts(N=100, B=1).result) == X.shape[1] + 2
    parts = explainer.predict_parts(X.iloc[[0]], type="break_down").result
    assert parts["contribution"].iloc[-1] == pytest.approx(model.predict(X[:1])[0], rel=1e-6)


@neighbour("shap", "shap", "`to_shap`, and shap's own permutation explainer of a student")
def test_shap(package):
    X, y = NUMBERS
    model = student().fit(X, y)
    own = model.explain(X[:20])
    assert np.allclose(own.to_shap().values, own.values)
    found = package.Explainer(model.predict, X[:50], seed=0)(X[:5])
    assert np.allclose(found.values.sum(1) + found.base_values, model.predict(X[:5]), atol=1e-6)


@neighbour("interpret", "interpret-core", "`PartialDependence` of a model as a black box")
def test_interpret(package):
    X, y = NUMBERS
    blackbox = importlib.import_module("interpret.blackbox")
    model = smooth().fit(X, y)
    dependence = blackbox.PartialDependence(model, X)
    assert len(dependence.explain_global().data(0)["scores"]) > 1


@neighbour("lime", "lime", "`LimeTabularExplainer` of a row")
def test_lime(package):
    tabular = importlib.import_module("lime.lime_tabular")
    X, y = LABELS
    model = RationaleClassifier(**QUICK).fit(X.to_numpy(), y)
    explainer = tabular.LimeTabularExplainer(X.to_numpy(), random_state=0)
    found = explainer.explain_instance(X.to_numpy()[0], model.predict_proba, num_features=3, num_samples=200)
    assert len(found.as_list()) == 3


@neighbour("category_encoders", "category_encoders", "`TargetEncoder` and `OneHotEncoder`, reasons grouped")
def test_category_encoders(package):
    table = TABLE.drop(columns="sent")
    for encoder in (package.TargetEncoder(), package.OneHotEncoder(use_cat_names=True)):
        pipeline = make_pipeline(encoder, smooth()).fit(table, TARGET)
        explanation = explain_pipeline(pipeline, table)
        assert explanation.feature_names == ("age", "city")
        assert_adds_up(explanation, pipeline.predict(table))


@neighbour("feature_engine", "feature-engine", "`DatetimeFeatures` and `OneHotEncoder`, reasons grouped")
def test_feature_engine(package):
    dates = importlib.import_module("feature_engine.datetime").DatetimeFeatures()
    encoder = importlib.import_module("feature_engine.encoding").OneHotEncoder()
    table = TABLE.assign(city=TABLE["city"].astype(object))
    pipeline = make_pipeline(dates, encoder, smooth()).fit(table, TARGET)
    explanation = explain_pipeline(pipeline, table)
    assert set(explanation.feature_names) == set(TABLE.columns)
    assert_adds_up(explanation, pipeline.predict(table))


@neighbour("mlxtend", "mlxtend", "`SequentialFeatureSelector` and `StackingCVRegressor`")
def test_mlxtend(package):
    X, y = NUMBERS
    selector = importlib.import_module("mlxtend.feature_selection").SequentialFeatureSelector
    found = selector(smooth(), k_features=2, cv=2).fit(X.iloc[:, :4], y)
    assert len(found.k_feature_idx_) == 2
    stacking = importlib.import_module("mlxtend.regressor").StackingCVRegressor
    stack = stacking([smooth(), RationaleRegressor(**QUICK)], Ridge(), cv=2, random_state=0)
    assert np.isfinite(stack.fit(X.to_numpy(), y.to_numpy()).predict(X.to_numpy())).all()


@neighbour("sklego", "scikit-lego", "`GroupedPredictor` and `EstimatorTransformer`")
def test_sklego(package):
    meta = importlib.import_module("sklego.meta")
    table = TABLE.drop(columns="sent")
    grouped = meta.GroupedPredictor(smooth(), groups=["city"]).fit(table, TARGET)
    assert np.isfinite(grouped.predict(table)).all()
    X, y = NUMBERS
    made = meta.EstimatorTransformer(student()).fit(X, y).transform(X)
    assert made.shape == (len(X), 1)


@neighbour("skforecast", "skforecast", "`ForecasterRecursive` with lags, reasons of the lags")
def test_skforecast(package):
    recursive = importlib.import_module("skforecast.recursive").ForecasterRecursive
    series = pd.Series(SERIES.to_numpy(), index=SERIES.index.to_timestamp(), name="sales").asfreq("MS")
    try:
        forecaster = recursive(regressor=student(), lags=6)
    except TypeError:
        forecaster = recursive(estimator=student(), lags=6)
    forecaster.fit(series)
    assert np.isfinite(forecaster.predict(steps=6)).all()
    lags, target = forecaster.create_train_X_y(series)
    model = getattr(forecaster, "regressor", None) or forecaster.estimator
    assert_adds_up(model.explain(lags), model.predict(lags))


@neighbour("cleanlab", "cleanlab", "`CleanLearning` finds labels that were flipped")
def test_cleanlab(package):
    X, y = LABELS
    flipped = y.to_numpy().copy()
    wrong = RNG.permutation(len(y))[:20]
    flipped[wrong] = 1 - flipped[wrong]
    learner = importlib.import_module("cleanlab.classification").CleanLearning
    model = GBDT2NNStudent(LGBMClassifier(**TREES), n_synthetic=100, **QUICK)
    found = learner(model, cv_n_folds=3, seed=0).find_label_issues(X, flipped)
    assert found["is_label_issue"][wrong].mean() > 0.3


@neighbour("polars", "polars", "fit, predict, `select` and `to_frame` of polars frames")
def test_polars(package):
    X, y = NUMBERS
    frame = package.from_pandas(X)
    model = RationaleRegressor(max_features=2, **QUICK).fit(frame, package.Series("y", y.to_numpy()))
    assert isinstance(model.select(frame), package.DataFrame)
    assert isinstance(model.explain(frame).to_frame(backend="polars"), package.DataFrame)
    np.testing.assert_array_equal(model.predict(frame), model.predict(X))


@neighbour("duckdb", "duckdb", "a relation by `.df()`, and what is said without it")
def test_duckdb(package):
    X, y = NUMBERS
    relation = package.sql("select * from X")
    with pytest.raises(TypeError, match=r"call \.df\(\) first"):
        smooth().fit(relation, y)
    model = smooth().fit(relation.df(), y)
    assert_adds_up(model.explain(relation.df()), model.predict(X))


@neighbour("narwhals", "narwhals", "a frame of polars or pandas, unwrapped by `to_native`")
def test_narwhals(package):
    X, y = NUMBERS
    frame = package.from_native(X)
    model = smooth().fit(frame.to_native(), y)
    np.testing.assert_array_equal(model.predict(frame), model.predict(X))


@neighbour("joblib", "joblib", "`Memory` knows a fitted model that was pickled")
def test_joblib(package):
    import pickle
    import tempfile

    calls = []
    X, y = NUMBERS
    with tempfile.TemporaryDirectory() as folder:

        @package.Memory(folder, verbose=0).cache
        def ask(model, rows):
            calls.append(1)
            return model.predict(rows)

        model = student().fit(X, y)
        first, second = ask(model, X), ask(pickle.loads(pickle.dumps(model)), X)
    assert (first == second).all()
    assert len(calls) == 1


@neighbour("skl2onnx", "skl2onnx", "a pipeline that ends in a student, as one ONNX graph")
def test_skl2onnx(package):
    from sklearn.preprocessing import StandardScaler

    from skrationale.serving import register_skl2onnx

    register_skl2onnx()
    X, y = NUMBERS
    pipeline = make_pipeline(StandardScaler(), student()).fit(X.to_numpy(), y)
    types = importlib.import_module("skl2onnx.common.data_types")
    graph = package.to_onnx(pipeline, initial_types=[("X", types.FloatTensorType([None, X.shape[1]]))])
    assert len(graph.graph.output) > 1


def test_at_least_fifteen_packages_ran():
    if len({name for name, _, _ in RAN}) < 15:
        pytest.skip("fewer than 15 of the packages are installed")
    assert all(version for _, version, _ in RAN)
