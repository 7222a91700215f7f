"""Models in files without code, and without their teachers."""

import importlib
import json
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
import skops.io
from catboost import CatBoostClassifier, CatBoostRegressor
from estimators import QUICK, QUICK_SEARCH, QUICK_TREES
from lightgbm import LGBMClassifier, LGBMRegressor
from seeds import SEED
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier, XGBRFRegressor

import skrationale
from skrationale import (
    FLINTClassifier,
    FLINTRegressor,
    Formula,
    GBDT2NNStudent,
    RationaleClassifier,
    RationaleDistiller,
    RationaleRegressor,
    SmoothMLPClassifier,
    SmoothMLPRegressor,
    SymbolicDistiller,
    SymbolicDistillerCV,
    TextRationaleClassifier,
    TextRationaleDistiller,
    TextRationaleRegressor,
    as_teacher,
)
from skrationale.serving import FOREST_TYPES, TRUSTED_TYPES, load, save, serving_copy
from skrationale.symbolic import OperonEngine

XGB = {"n_estimators": 3, "n_jobs": 1}
CAT = {"iterations": 3, "verbose": 0, "thread_count": 1, "allow_writing_files": False}
COMBINING = {
    "cat_features": ["city", "kind"],
    "iterations": 40,
    "max_ctr_complexity": 3,
    "combinations_ctr": "Borders",
}
FLINT = {"n_attributes": 2, **QUICK}


def table():
    rng = np.random.RandomState(SEED)
    frame = pd.DataFrame(rng.normal(size=(120, 2)), columns=["a", "b"])
    frame["city"] = pd.Categorical(rng.choice(["Ulm", "Bonn", "Kiel"], 120))
    frame["kind"] = rng.choice(["x", "y"], 120)
    frame.loc[::9, "kind"] = None
    return frame


X = table()
NUMBERS = X[["a", "b"]]
Y = (X["a"] + (X["city"] == "Ulm") * (X["kind"] == "x")).to_numpy()
LABELS = np.array(["no", "perhaps", "yes"])[np.digitize(Y, np.quantile(Y, [0.33, 0.66]))]
IMAGES = np.random.RandomState(0).rand(40, 1, 6, 6).astype(np.float32)


def student(teacher, **params):
    return GBDT2NNStudent(teacher, **QUICK | params)


def boosted(model):
    return FrozenEstimator(as_teacher(model.booster_, classes=getattr(model, "classes_", None)))


MODELS = {
    "lightgbm": lambda: student(LGBMClassifier(**QUICK_TREES)).fit(X, LABELS),
    "lightgbm numbers": lambda: student(LGBMRegressor(**QUICK_TREES)).fit(X, Y),
    "monotone": lambda: student(
        LGBMRegressor(monotone_constraints=[1, 0], **QUICK_TREES), monotone="teacher"
    ).fit(NUMBERS, Y),
    "booster": lambda: student(boosted(LGBMRegressor(**QUICK_TREES).fit(NUMBERS, Y))).fit(NUMBERS, Y),
    "booster classifier": lambda: student(boosted(LGBMClassifier(**QUICK_TREES).fit(NUMBERS, LABELS))).fit(
        NUMBERS, LABELS
    ),
    "xgboost": lambda: student(XGBClassifier(enable_categorical=True, **XGB)).fit(X, LABELS),
    "xgboost numbers": lambda: student(XGBRegressor(**XGB)).fit(NUMBERS, Y),
    "xgboost forest": lambda: student(XGBRFRegressor(**XGB)).fit(NUMBERS, Y),
    "xgboost forest of classes": lambda: student(XGBRFClassifier(**XGB)).fit(NUMBERS, LABELS_AS_CODES),
    "catboost": lambda: student(CatBoostClassifier(cat_features=["city"], max_ctr_complexity=1, **CAT)).fit(
        X[["a", "city"]], LABELS
    ),
    "catboost that combines": lambda: student(CatBoostRegressor(**CAT | COMBINING)).fit(X, COMBINED),
    "forest": lambda: student(RandomForestClassifier(3, max_depth=3)).fit(NUMBERS, LABELS),
    "histograms": lambda: student(HistGradientBoostingClassifier(max_iter=3)).fit(NUMBERS, LABELS),
    "permutation": lambda: student(LogisticRegression(), explanation="permutation").fit(NUMBERS, LABELS),
    "frozen": lambda: student(FrozenEstimator(LGBMRegressor(**QUICK_TREES).fit(NUMBERS, Y))).fit(NUMBERS, Y),
    "array": lambda: student(LGBMRegressor(**QUICK_TREES)).fit(NUMBERS.to_numpy(), Y),
    "rationale": lambda: RationaleClassifier(**QUICK).fit(X, LABELS),
    "rationale of trees": lambda: RationaleDistiller(LGBMRegressor(**QUICK_TREES), **QUICK).fit(X, Y),
    "audited": lambda: RationaleDistiller(RationaleRegressor(**QUICK), **QUICK).fit(NUMBERS, Y),
    "smooth": lambda: SmoothMLPClassifier(**QUICK).fit(X, LABELS),
    "symbolic": lambda: SymbolicDistiller(
        SmoothMLPRegressor(**QUICK), engine=OperonEngine(), **QUICK_SEARCH
    ).fit(X, Y),
    "symbolic of trees": lambda: SymbolicDistiller(LGBMRegressor(**QUICK_TREES), **QUICK_SEARCH).fit(
        NUMBERS, Y
    ),
    "symbolic cv": lambda: SymbolicDistillerCV(
        SmoothMLPRegressor(**QUICK), jacobian_lambdas=(0.0, 0.01), **QUICK_SEARCH
    ).fit(NUMBERS, Y),
    "flint": lambda: FLINTClassifier(**FLINT).fit(X, LABELS),
    "flint of a network": lambda: FLINTRegressor(
        MLPRegressor(hidden_layer_sizes=(4,), max_iter=5), **FLINT
    ).fit(NUMBERS, Y),
    "flint of another network": lambda: FLINTRegressor(
        MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, solver="sgd"), **FLINT
    ).fit(NUMBERS, Y),
    "flint of a student": lambda: FLINTRegressor(
        student(LGBMRegressor(**QUICK_TREES), hidden_layer_sizes=(4, 4)), **FLINT
    ).fit(X, Y),
    "flint of images": lambda: FLINTClassifier(**FLINT | {"hidden_layer_sizes": (2, 2, 4)}).fit(
        IMAGES, IMAGES[:, 0, :3].sum((1, 2)) > 9
    ),
}
KINDS_OF_TEXTS = (TextRationaleClassifier, TextRationaleDistiller, TextRationaleRegressor)
"""They are asked about texts, in tests/texts."""
LABELS_AS_CODES = np.unique(LABELS, return_inverse=True)[1]
COMBINED = ((X["city"] == "Ulm") == (X["kind"] == "x")).to_numpy(dtype=float)
"""What neither column says alone."""


def rows_of(model):
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        return X[list(names)]
    return NUMBERS.to_numpy() if model.n_features_in_ == 2 else IMAGES


@pytest.fixture(scope="module")
def fitted():
    found: dict = {}

    def get(name):
        if name not in found:
            found[name] = MODELS[name]()
        return found[name]

    return get


every = pytest.mark.parametrize("name", MODELS)


@pytest.mark.no_cover
@every
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_with_and_without_its_teacher_a_model_answers_as_before(fitted, name, tmp_path):
    model, rows = fitted(name), rows_of(fitted(name))
    whole = load(save(model, tmp_path / "model.skops", trusted=FOREST_TYPES), trusted=FOREST_TYPES)
    served = load(save(serving_copy(model), tmp_path / "served.skops"))
    for again in (whole, served):
        np.testing.assert_array_equal(again.predict(rows), model.predict(rows))
        np.testing.assert_array_equal(again.explain(rows).values, model.explain(rows).values)
    if hasattr(model, "fidelity"):
        assert whole.fidelity(rows) == model.fidelity(rows)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_lists_hold_what_models_hold_and_nothing_else(fitted):
    found = {"skrationale._absent.AbsentTeacher"}
    texts = [kind(**QUICK).fit(["good", "bad"] * 10, [0, 1] * 10) for kind in KINDS_OF_TEXTS]
    pixels = np.random.RandomState(0).rand(20, 6, 6)
    pictures = RationaleClassifier(grid=2, max_epochs=1).fit(pixels, [0, 1] * 10)
    for model in (*map(fitted, MODELS), *texts, pictures):
        found |= set(skops.io.get_untrusted_types(data=skops.io.dumps(model)))
    assert found == {*TRUSTED_TYPES, *FOREST_TYPES}
    assert not set(TRUSTED_TYPES) & set(FOREST_TYPES)
    assert len({*TRUSTED_TYPES, *FOREST_TYPES}) == len(TRUSTED_TYPES) + len(FOREST_TYPES)
    assert skrationale.TRUSTED_TYPES is TRUSTED_TYPES


def test_trusted_types_are_our_own_but_for_what_steps_of_training_hold():
    for name in TRUSTED_TYPES:
        module, _, kind = name.rpartition(".")
        assert isinstance(getattr(importlib.import_module(module), kind), type)
    others = [name for name in TRUSTED_TYPES if not name.startswith("skrationale.")]
    assert [name.rpartition(".")[2] for name in others] == ["AdamOptimizer", "SGDOptimizer"]
    assert not {"functools.partial", "builtins.getattr"} & {*TRUSTED_TYPES, *FOREST_TYPES}
    assert not any("pysr" in name.lower() or "WrappedModule" in name for name in TRUSTED_TYPES)


def test_a_student_with_its_teacher_needs_the_types_of_forests(fitted, tmp_path):
    path = tmp_path / "model.skops"
    with pytest.raises(
        ValueError, match=r"not trusted: .*lightgbm.basic.Booster.*serving_copy.*FOREST_TYPES"
    ):
        save(fitted("lightgbm"), path)
    assert not path.exists()
    save(fitted("lightgbm"), path, trusted=FOREST_TYPES)
    with pytest.raises(ValueError, match=r"model.skops' holds types that are not trusted: .*LGBMClassifier"):
        load(path)
    with pytest.raises(TypeError, match="trusted must be a list of names of types. Got 'numpy.dtype'"):
        load(path, trusted="numpy.dtype")


def test_what_skops_cannot_write_is_refused_and_the_file_stays(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "model.skops"
    save(Formula.from_string("2*a", ["a"]), path)
    before = path.read_bytes()
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    wrapped = FLINTRegressor(network, **FLINT).fit(NUMBERS.to_numpy(), Y)
    dates = pd.Categorical(pd.date_range("2020-01-01", periods=4))[np.arange(120) % 4]
    dated = RationaleRegressor(**QUICK).fit(NUMBERS.assign(day=dates), Y)
    for model in (wrapped, dated):
        with pytest.raises(
            ValueError, match="skops cannot write or cannot read again, such as a torch module"
        ):
            save(model, path, trusted=["pandas.Timestamp"])
    with pytest.raises(ValueError, match=r"not trusted: \['pandas.Timestamp'\]"):
        save(dated, path)
    with pytest.raises(TypeError, match="estimator of this package, a Formula, .* Got Ridge instead"):
        save(Ridge().fit(NUMBERS, Y), path)
    with pytest.raises(ValueError, match="not fitted"):
        save(GBDT2NNStudent(), path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        save(Formula.from_string("2*a", ["a"]), tmp_path / "none" / "model.skops")
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["model.skops"]


def test_types_that_could_run_code_are_refused(tmp_path):
    model = make_pipeline(StandardScaler(), RationaleRegressor(**QUICK)).fit(NUMBERS, Y)
    model[0].with_mean = print
    with pytest.raises(ValueError, match=r"not trusted: \['builtins.print'\]. Expected only the types in"):
        save(model, tmp_path / "model.skops")


def test_other_files_are_refused_in_words(tmp_path):
    text, other, damaged = (tmp_path / name for name in ("text.skops", "other.skops", "damaged.skops"))
    text.write_text("no model")
    skops.io.dump(Ridge().fit(NUMBERS, Y), other)
    damaged.write_bytes(save(Formula.from_string("2*a", ["a"]), damaged).read_bytes()[:-40])
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Formula.from_string("2*a", ["a"])))
    for path in (text, other, damaged, tmp_path / "model.pkl"):
        with pytest.raises(ValueError, match=f"{path.name}' was not written by .*save, or is damaged"):
            load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.skops")


def test_a_file_of_another_version_says_so(fitted, tmp_path):
    path = save(fitted("rationale"), tmp_path / "model.skops")
    written = rewritten(path, tmp_path / "newer.skops", lambda text: text)
    with pytest.warns(UserWarning, match="was pickled by skrationale 9.9.9"):
        load(written)
    moved = rewritten(
        path, tmp_path / "moved.skops", lambda text: text.replace("units._rule", "units._rules")
    )
    message = "moved.skops' holds types that are not trusted|written by skrationale 9.9.9"
    with pytest.raises(ValueError, match=message):
        load(moved, trusted=["skrationale.rationale._rules.MaskRule"])


def rewritten(path, target, change):
    """Copy a file as version 9.9.9 would have written it."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith(".json"):
                text = data.decode().replace(json.dumps(skrationale.__version__)[1:-1], "9.9.9")
                data = change(text).encode()
            new.writestr(name, data)
    return target


def test_a_copy_to_serve_is_of_what_is_inside(fitted):
    model = fitted("lightgbm numbers")
    pipeline = make_pipeline("passthrough", model)
    search = GridSearchCV(student(LGBMRegressor(**QUICK_TREES)), {"lr": [1e-3]}, cv=2).fit(NUMBERS, Y)
    assert not hasattr(serving_copy(pipeline)[-1], "teacher_")
    assert pipeline[-1] is model
    assert hasattr(model, "teacher_")
    for outer in (FrozenEstimator(model), search):
        assert type(serving_copy(outer)) is GBDT2NNStudent
    assert "AbsentTeacher(estimator_type='regressor'" in repr(serving_copy(model))
    twice = serving_copy(serving_copy(model))
    assert twice.teacher.name == "LGBMRegressor"
    with pytest.raises(AttributeError, match="is a serving copy without its teacher"):
        twice.teacher_explain(X)
    with pytest.raises(AttributeError, match="object has no attribute 'nothing'"):
        twice.nothing  # noqa: B018
    with pytest.raises(TypeError, match="must be an estimator of this package, .* Got Ridge instead"):
        serving_copy(make_pipeline(StandardScaler(), Ridge()).fit(NUMBERS, Y))


def test_flint_of_a_student_leaves_its_teacher_out(fitted):
    model = fitted("flint of a student")
    served = serving_copy(model)
    assert not hasattr(served.predictor_, "teacher_")
    assert hasattr(model.predictor_, "teacher_")
    assert len(pickle.dumps(served)) < len(pickle.dumps(model))
    np.testing.assert_array_equal(served.predict(X), model.predict(X))


def test_a_served_model_loads_no_library_of_trees(fitted, tmp_path):
    save(serving_copy(fitted("lightgbm numbers")), tmp_path / "model.skops")
    code = f"""
import sys
import pandas as pd
from skrationale.serving import load
model = load({str(tmp_path / "model.skops")!r})
row = pd.DataFrame([[0.5, -1.0, "Ulm", "x"]], columns=["a", "b", "city", "kind"])
model.predict(row), model.explain(row)
print(*{{"lightgbm", "xgboost", "catboost"}} & sys.modules.keys())
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_reports_take_models_without_their_teachers(fitted, tmp_path):
    served = serving_copy(fitted("lightgbm numbers"))
    report = skrationale.make_report({"served": served}, X, Y, tmp_path / "report.html")
    assert report.tables["summary"].index.tolist() == ["served"]
    missing = report.tables["missing"].set_index("figure")["reason"]
    assert missing["prediction_r2"] == "it has no teacher"
