"""SymbolicDistiller: teachers become formulas."""

import itertools
import math
import pickle
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
import sympy as sp
from estimators import black_box
from seeds import SEED
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skrationale import Formula, SmoothMLPClassifier, SmoothMLPRegressor, SymbolicDistiller
from skrationale._task import Task
from skrationale.formula.program import Program, symbols
from skrationale.serving import serving_copy
from skrationale.symbolic import Engine, EngineError
from skrationale.symbolic._distillation import Data
from skrationale.symbolic._front import ScoredFormula
from skrationale.symbolic._selection import choose_share, choose_teacher, near_best
from skrationale.symbolic._targets import constant_loss, row_losses

RNG = np.random.RandomState(SEED)
X = RNG.uniform(-2, 2, (200, 3))
PRODUCT = 3 * X[:, 0] * X[:, 1] + X[:, 2]
LINE = 2 * X[:, 0] - X[:, 2]
LABELS = np.array(["no", "perhaps", "yes"])[np.digitize(LINE, [-1.0, 1.0])]
SMOOTH = {"hidden_layer_sizes": (16, 16), "max_epochs": 40, "jacobian_lambda": 0.001, "random_state": SEED}
SHORT = {"niterations": 20, "population_size": 80, "n_searches": 2, "maxsize": 15, "random_state": SEED}


class Oracle(RegressorMixin, BaseEstimator):
    """A teacher that answers by a function of the rows."""

    def __init__(self, function=None):
        self.function = function

    def fit(self, X, y, sample_weight=None):
        self.n_features_in_ = X.shape[1]  # fitted
        return self

    def predict(self, X):
        return self.function(np.asarray(X, dtype=float))


def product(X):
    return 3 * X[:, 0] * X[:, 1] + X[:, 2]


def nonsense(X):
    return np.sin(40 * X[:, 0]) * np.cos(31 * X[:, 1])


def distil(teacher, X=X, y=PRODUCT, sample_weight=None, **settings):
    if not isinstance(teacher, (SmoothMLPRegressor, SmoothMLPClassifier)):
        settings.setdefault("jacobian_lambda", "auto")
    return SymbolicDistiller(teacher, **SHORT | settings).fit(X, y, sample_weight=sample_weight)


@pytest.mark.parametrize("rows", [np.ones((60, 2)), np.column_stack([np.ones(60), np.full(60, np.nan)])])
def test_columns_that_say_nothing_leave_the_mean(rows):
    y = RNG.normal(size=60)
    found = distil(DummyRegressor(), rows, y)
    assert found.formula_.complexity == 1
    np.testing.assert_allclose(found.predict(rows), y.mean(), atol=1e-6)


@pytest.fixture(scope="module")
def regressor():
    return distil(SmoothMLPRegressor(**SMOOTH), jacobian_lambda=0.001)


@pytest.fixture(scope="module")
def of_three_classes():
    return distil(SmoothMLPClassifier(**SMOOTH), y=LABELS, jacobian_lambda=0.001, teacher_weight=1)


# --- what is found ---------------------------------------------------------------------------------


def test_a_planted_formula_is_found(regressor):
    X_new = RNG.uniform(-2, 2, (300, 3))
    assert regressor.score(X_new, product(X_new)) > 0.99
    assert regressor.formula_.variables == ("x0", "x1", "x2")
    assert regressor.predict(X_new).dtype == np.float64
    # what the network lacks, 0.2 % of the variance at most, its formula lacks; `y` itself gives the law
    law = distil(SmoothMLPRegressor(**SMOOTH), jacobian_lambda=0.001, teacher_weight=0).formula_
    assert law.complexity <= 7
    np.testing.assert_allclose(law.predict(X_new), product(X_new), rtol=1e-6, atol=1e-6)


def test_the_formula_is_the_prediction_to_the_last_digit(regressor):
    formula, X_new = regressor.formula_, RNG.uniform(-3, 3, (100, 3))
    prediction = regressor.predict(X_new)
    np.testing.assert_allclose(formula.predict(X_new), prediction, rtol=1e-9)
    by_sympy = sp.lambdify(sp.symbols("x0:3", real=True), formula.sympy(), "numpy")
    np.testing.assert_allclose(by_sympy(*X_new.T), prediction, rtol=1e-9)
    import torch

    rows = torch.from_numpy(formula.variable_values(X_new))
    np.testing.assert_allclose(formula.to_torch().double()(rows).detach().numpy(), prediction, rtol=1e-9)


def test_printed_constants_are_those_of_the_formula(regressor):
    # constants were rounded to the digits that count, so that what is printed is the formula
    printed = Formula.from_string(str(regressor.formula_), ["x0", "x1", "x2"])
    np.testing.assert_allclose(printed.predict(X), regressor.predict(X), rtol=1e-5, atol=1e-4)


def test_the_front(regressor):
    front = regressor.equations_
    assert list(front.columns[:6]) == [
        *("complexity", "loss", "score", "equation", "sympy_format", "lambda_format")
    ]
    assert (np.diff(front["complexity"]) > 0).all()
    assert (np.diff(front["loss"]) < 0).all()
    assert front["complexity"].max() <= SHORT["maxsize"]
    assert front["complexity"][0] == 1
    assert regressor.pareto_front_[-1].complexity == front["complexity"].iloc[-1]
    assert regressor.formula_ in regressor.pareto_front_
    assert front["r2"].iloc[-1] > 0.99
    np.testing.assert_array_equal(front["lambda_format"].iloc[-1](X), regressor.pareto_front_[-1].predict(X))


def test_another_row_of_the_front(regressor):
    other = pickle.loads(pickle.dumps(regressor))
    assert other.set_formula(0) is other
    assert other.formula_ == other.pareto_front_[0]
    np.testing.assert_array_equal(other.predict(X), other.formula_.predict(X))
    explanation = other.explain(X[:5])
    assert explanation.formula == f"prediction = {other.formula_}"
    assert explanation.additivity_error(other.predict(X[:5])) < 1e-9
    n = len(other.pareto_front_)
    for wrong in (n, -1, [0, 0], [], 0.7, [0.9], True, [True], np.array([True]), "0", ["0"], "2*x0", None):
        with pytest.raises(
            ValueError, match="index must hold 1 integers, one per output, of at least 0 and below"
        ):
            other.set_formula(wrong)
    for right in (0, np.int32(0), [0], (0,), np.array(0), np.array([0])):
        assert other.set_formula(right).formula_ == other.pareto_front_[0]
    with pytest.raises(Exception, match="not fitted"):
        SymbolicDistiller().set_formula(0)


@pytest.mark.parametrize("rule", ["best", "accuracy", "score"])
def test_the_rule_of_choice(regressor, rule):
    model = distil(
        SmoothMLPRegressor(**SMOOTH), model_selection=rule, jacobian_lambda=0.001, teacher_weight=0
    )
    front = model.equations_
    if rule == "accuracy":
        assert model.formula_ == model.pareto_front_[-1]
    elif rule == "score":
        assert model.formula_ == model.pareto_front_[front["score"].argmax()]
    else:
        good = front[front["loss"] <= 1.5 * max(front["loss"].min(), 1e-12)]
        assert model.formula_ == model.pareto_front_[good["score"].idxmax()]


@pytest.mark.parametrize("maxsize", [1, 2, 3])
@pytest.mark.parametrize("n_searches", [1, 4])
def test_very_short_formulas(maxsize, n_searches):
    model = distil(LinearRegression(), maxsize=maxsize, n_searches=n_searches, niterations=4)
    assert model.equations_["complexity"].max() <= maxsize
    assert np.isfinite(model.predict(X)).all()


def test_operators_are_respected():
    model = distil(LinearRegression(), binary_operators=("+", "*"), unary_operators=(), teacher_weight=0)
    for formula in model.pareto_front_:
        assert not formula.expr.atoms(sp.Function)
        assert all(power.exp.is_Integer for power in formula.expr.atoms(sp.Pow))
    with pytest.raises(ValueError, match="Did you mean 'sin'"):
        distil(None, unary_operators=("sine",))


# --- three classes ---------------------------------------------------------------------------------


def test_one_formula_for_each_class(of_three_classes):
    model = of_three_classes
    assert [formula.output_name for formula in model.formulas_] == ["no", "perhaps", "yes"]
    assert model.fidelity(X)["same_class"] > 0.94
    assert len(model.equations_) == len(model.pareto_front_) == 3
    np.testing.assert_array_equal(
        model.decision_function(X), np.column_stack([f.predict(X) for f in model.formulas_])
    )
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    with pytest.raises(AttributeError, match="3 formulas, one per class; expected the attribute `formulas_`"):
        model.formula_  # noqa: B018
    lines = model.explain(X[:3]).formula.splitlines()
    assert [line.split(" = ")[0] for line in lines] == ["no", "perhaps", "yes"]


def test_formulas_of_classes_are_set_together(of_three_classes):
    model = pickle.loads(pickle.dumps(of_three_classes))
    model.set_formula([0, 1, 0])
    assert model.formulas_ == [front[i] for front, i in zip(model.pareto_front_, [0, 1, 0], strict=True)]
    with pytest.raises(
        ValueError, match="index must hold 3 integers, one per output, of at least 0 and below"
    ):
        model.set_formula(0)
    with pytest.raises(ValueError, match=r"Got \[0, True, 0\] instead"):
        model.set_formula([0, True, 0])


# --- the share of the teacher ----------------------------------------------------------------------


def test_auto_never_follows_a_bad_teacher():
    bad = FrozenEstimator(Oracle(nonsense).fit(X, PRODUCT))
    auto, direct = distil(bad), distil(bad, teacher_weight=0.0)
    assert auto.teacher_weight_ == 0.0
    assert [step["teacher_weight"] for step in auto.selection_] == [1.0, 0.5, 0.0]
    losses = [step["loss"] for step in auto.selection_]
    assert losses[2] == min(losses) < losses[1] < losses[0]
    assert auto.score(X, PRODUCT) > 0.99
    assert direct.score(X, PRODUCT) > 0.99
    assert direct.teacher_weight_ == 0.0


def test_auto_follows_a_teacher_that_knows_better_than_noisy_data():
    rng = np.random.RandomState(1 + SEED)
    noisy = PRODUCT + rng.normal(0, 4, len(X))
    model = distil(FrozenEstimator(Oracle(product).fit(X, noisy)), y=noisy, teacher_weight=1)
    assert model.score(X, PRODUCT) > 0.999
    assert model.equations_["fidelity_r2"].iloc[-1] > 0.999
    assert model.equations_["r2"].iloc[-1] < 0.9
    assert model.teacher_weight_ == 1.0


@pytest.mark.parametrize("share", [0.0, 0.25, 1])
def test_the_target_is_the_mixture_asked_for(share):
    teacher = FrozenEstimator(Oracle(lambda X: 5 * X[:, 1]).fit(X, LINE))
    model = distil(teacher, y=LINE, teacher_weight=share)
    expected = share * 5 * X[:, 1] + (1 - share) * LINE
    np.testing.assert_allclose(model.predict(X), expected, atol=0.02)
    assert len(model.selection_) == 1


def test_a_teacher_that_says_nothing_leaves_direct_search():
    model = distil(DummyRegressor())
    assert model.teacher_weight_ == 0.0
    assert model.score(X, PRODUCT) > 0.99


def test_classes_of_a_teacher_that_says_nothing():
    y = np.where(LINE > 0, "yes", "no")
    model = distil(DummyClassifier(strategy="constant", constant="no"), y=y)
    assert model.teacher_weight_ == 0.0
    assert model.score(X, y) > 0.9


# --- teachers --------------------------------------------------------------------------------------

CLASSIFIERS = {
    "decision_function alone": LinearSVC(),
    "forest": RandomForestClassifier(20, random_state=SEED),
    "neighbours": KNeighborsClassifier(),
    "logistic": LogisticRegression(),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_any_classifier_may_teach(name, n_classes):
    y = LABELS if n_classes == 3 else np.where(LINE > 0, "yes", "no")
    model = distil(CLASSIFIERS[name], y=y, teacher_weight=1, model_selection="accuracy")
    assert model.score(X, y) > 0.8
    assert np.isfinite(model.decision_function(X)).all()
    assert model.fidelity(X)["same_class"] > 0.8


def test_log_odds_are_what_is_distilled():
    y = np.where(LINE + np.random.RandomState(3 + SEED).normal(0, 2, len(X)) > 0, "yes", "no")
    model = distil(LogisticRegression(), y=y, teacher_weight=1, niterations=4)
    scores = model.teacher_.decision_function(X)
    assert np.abs(scores).max() < 8  # else they are clipped
    np.testing.assert_allclose(model.decision_function(X), scores, rtol=1e-3, atol=1e-3)


def test_a_pipeline_over_text_columns_may_teach(mixed):
    table, score = mixed
    teacher = black_box(HistGradientBoostingRegressor)
    model = distil(teacher, table, score)
    assert model.score(table, score) > 0.7
    assert '[city = "Ulm"]' in model.formula_.variables
    frozen = distil(FrozenEstimator(clone(teacher).fit(table, score)), table, score)
    assert str(frozen.formula_) == str(model.formula_)
    with pytest.raises(Exception, match="not fitted"):
        distil(FrozenEstimator(clone(teacher)), table, score)


def test_weights_need_a_teacher_that_knows_them():
    weights = np.ones(len(X))
    with pytest.raises(ValueError, match="sample_weight was given, but the teacher KNeighborsRegressor"):
        distil(KNeighborsRegressor(), sample_weight=weights)
    fitted = FrozenEstimator(KNeighborsRegressor().fit(X, PRODUCT))
    assert distil(fitted, sample_weight=weights).score(X, PRODUCT) > 0.8


def test_weights_count():
    half = X[:, 2] > 0
    y = np.where(half, X[:, 0], -X[:, 0])
    for side, sign in ((half, 1.0), (~half, -1.0)):
        weights = np.where(side, 1.0, 1e-3)
        model = distil(LinearRegression(), y=y, sample_weight=weights, maxsize=1, teacher_weight=0)
        np.testing.assert_allclose(model.predict(X), sign * X[:, 0], atol=0.1)


def test_rows_of_weight_zero_are_as_if_they_were_not_there():
    weights = (np.arange(len(X)) < 150).astype(float)
    spoiled = np.where(weights > 0, PRODUCT, 1e6)
    with_zeros = distil(LinearRegression(), y=spoiled, sample_weight=weights)
    without = distil(LinearRegression(), X[:150], PRODUCT[:150], sample_weight=np.ones(150))
    np.testing.assert_allclose(with_zeros.predict(X), without.predict(X), rtol=1e-6)


@pytest.mark.parametrize("teacher", [LinearRegression(), FrozenEstimator(LinearRegression().fit(X, LINE))])
def test_a_lambda_is_for_smooth_teachers(teacher):
    with pytest.raises(
        ValueError, match="jacobian_lambda=0.1 is only for smooth teachers that this estimator fits itself"
    ):
        distil(teacher, jacobian_lambda=0.1)
    assert not hasattr(distil(teacher, y=LINE, jacobian_lambda=None, niterations=4), "lambda_")


def test_whose_lambda_it_is():
    teacher = SmoothMLPRegressor(**SMOOTH | {"max_epochs": 5, "jacobian_lambda": 0.5})
    quick = {"niterations": 4, "n_searches": 1, "teacher_weight": 1, "maxsize": 3}
    assert distil(teacher, jacobian_lambda=None, **quick).lambda_ == 0.5
    assert distil(teacher, jacobian_lambda=0.2, **quick).lambda_ == 0.2
    auto = distil(teacher, jacobian_lambda="auto", **quick)
    assert len(auto.lambda_path_) > 3
    assert auto.lambda_ in [step["jacobian_lambda"] for step in auto.lambda_path_]
    assert teacher.jacobian_lambda == 0.5


def test_a_teacher_without_scores_is_refused():
    with pytest.raises(ValueError, match="gave scores of shape .* not finite"):
        distil(FrozenEstimator(Oracle(lambda X: np.log(X[:, 0])).fit(X, LINE)))


@pytest.mark.parametrize("y", [LABELS, LINE > 0], ids=["text", "booleans"])
def test_without_a_teacher_text_and_booleans_are_classes(y):
    model = SymbolicDistiller(
        jacobian_lambda=0.01, niterations=8, n_searches=1, maxsize=5, population_size=60, random_state=SEED
    )
    model.fit(X, y)
    assert isinstance(model.teacher_, SmoothMLPClassifier)
    assert model.score(X, y) > 0.7


# --- reasons ---------------------------------------------------------------------------------------


def test_reasons_are_the_shapley_values_of_the_definition(regressor):
    rows, d = X[:4], 3
    background = regressor._background
    expected = np.zeros((len(rows), d))
    for order in itertools.permutations(range(d)):
        for i, row in enumerate(rows):
            hybrid = background.copy()
            before = regressor.predict(hybrid).mean()
            for j in order:
                hybrid[:, j] = row[j]
                after = regressor.predict(hybrid).mean()
                expected[i, j] += (after - before) / math.factorial(d)
                before = after
    explanation = regressor.explain(rows)
    np.testing.assert_allclose(explanation.values, expected, atol=1e-9)
    assert explanation.base_values == pytest.approx(regressor.predict(background).mean())
    assert explanation.kind == "formula"
    assert explanation.meta["standard_error"] == 0
    assert explanation.additivity_error(regressor.predict(rows)) < 1e-9


def test_importances(regressor, of_three_classes):
    assert regressor.feature_importances_.sum() == pytest.approx(1)
    assert regressor.feature_importances_.argmin() == 2
    assert of_three_classes.feature_importances_.argmax() == 0


def test_fidelity_compares_with_the_teacher(regressor):
    report = regressor.fidelity(X, PRODUCT)
    assert report["score"] > 0.99
    assert report["teacher_score"] == pytest.approx(regressor.teacher_.score(X, PRODUCT))


def test_rows_without_a_value_are_announced(regressor):
    model = pickle.loads(pickle.dumps(regressor))
    x0 = symbols(3)[0]
    front, i = model._fronts.rows[0], model._fronts.chosen[0]
    from dataclasses import replace

    broken = replace(front[i], formula=front[i].formula.with_expr(sp.log(x0)))
    model._fronts.rows[0] = (*front[:i], broken, *front[i + 1 :])
    with pytest.warns(RuntimeWarning, match=f"no finite value on {(X[:, 0] <= 0).sum()} of 200 rows"):
        prediction = model.predict(X)
    np.testing.assert_array_equal(np.isnan(prediction), X[:, 0] <= 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        regressor.predict(X)


# --- effort ----------------------------------------------------------------------------------------


def test_rows_made_for_the_teacher(mixed):
    model = distil(FrozenEstimator(Oracle(product).fit(X, PRODUCT)), n_synthetic=100)
    assert model.score(X, PRODUCT) > 0.99
    direct = distil(FrozenEstimator(Oracle(nonsense).fit(X, PRODUCT)), n_synthetic=100, teacher_weight=0)
    assert direct.score(X, PRODUCT) > 0.99
    table, score = mixed
    pipeline = distil(black_box(HistGradientBoostingRegressor), table, score, n_synthetic=50)
    assert pipeline.score(table, score) > 0.7


def test_only_the_most_useful_variables_are_searched():
    wide = np.random.RandomState(4 + SEED).normal(size=(300, 30))
    y = 2 * wide[:, 17] - wide[:, 4] ** 2
    model = distil(LinearRegression(), wide, y, max_variables=4, teacher_weight=0, niterations=10)
    assert set(model.formula_.variables) == {"x4", "x17"}
    assert len(model.formula_.all_variables) == 4
    assert model.score(wide, y) > 0.99
    assert model.explain(wide).values.shape == wide.shape


@pytest.mark.parametrize("teacher", [LinearRegression(), SmoothMLPRegressor(random_state=SEED)])
def test_the_clock_is_that_of_the_whole_fit(teacher):
    noise, seconds = np.random.RandomState(SEED).normal(size=len(X)), 3.0  # without it a law ends the search
    y = np.sin(2 * X[:, 0]) * np.exp(X[:, 1]) + noise
    model = SymbolicDistiller(teacher, timeout_in_seconds=seconds, random_state=SEED)
    start = time.perf_counter()
    model.fit(X, y)
    # the bound above is for machines that do other things beside it
    assert 0.8 * seconds < time.perf_counter() - start < 10 * seconds
    assert not hasattr(model, "_deadline")
    assert not hasattr(model.teacher_, "_deadline")
    assert np.isfinite(model.predict(X)).all()


def test_several_outputs_share_the_clock_and_the_rounds():
    y = np.digitize(np.sin(3 * X[:, 0]) + X[:, 1], [-1, 1])
    teacher, seen = DecisionTreeClassifier(max_depth=4, random_state=SEED), []

    class Counting(Squares):
        def search(self, Z, t, **settings):
            seen.append((settings["niterations"], settings["timeout_in_seconds"]))
            return super().search(Z, t, **settings)

    SymbolicDistiller(teacher, engine=Counting(), niterations=300, n_searches=1, teacher_weight=1).fit(X, y)
    assert seen == [(100, None)] * 3
    seen.clear()
    settings = {"timeout_in_seconds": 30, "n_searches": 1, "teacher_weight": 1, "random_state": SEED}
    SymbolicDistiller(FrozenEstimator(teacher.fit(X, y)), engine=Counting(), **settings).fit(X, y)
    assert [time for _, time in seen] == pytest.approx([9, 13.5, 27], rel=0.1)  # this engine takes none of it


@pytest.mark.parametrize("n_rows", [1, 2, 5, 9, 12])
def test_few_rows(n_rows):
    model = distil(LinearRegression(), X[:n_rows], LINE[:n_rows], teacher_weight=1)
    np.testing.assert_allclose(model.predict(X[:n_rows]), LINE[:n_rows], atol=0.5)
    assert model.explain(X[:n_rows]).additivity_error(model.predict(X[:n_rows])) < 1e-9


def test_a_constant_target_is_a_constant_formula():
    for teacher in (LinearRegression(), SmoothMLPRegressor(**SMOOTH | {"max_epochs": 2})):
        model = distil(teacher, y=np.full(len(X), 3.5), jacobian_lambda=None)
        assert str(model.formula_) == "3.5"
        assert len(model.pareto_front_) == 1
        np.testing.assert_array_equal(model.explain(X).values, 0)


def test_many_classes_in_few_rows():
    y = np.repeat([f"class {i:02d}" for i in range(13)], 5)[:60]
    model = distil(
        RandomForestClassifier(5, random_state=SEED), X[:60], y, niterations=2, maxsize=3, n_searches=1
    )
    assert len(model.formulas_) == 12


def test_one_seed_one_formula(regressor):
    again = distil(SmoothMLPRegressor(**SMOOTH), jacobian_lambda=0.001)
    assert again.formula_ == regressor.formula_
    assert again.pareto_front_ == regressor.pareto_front_
    assert again.selection_ == regressor.selection_


def test_two_threads_find_the_same_formula(regressor):
    from skrationale.symbolic import OperonEngine

    engine = OperonEngine(n_threads=2)
    assert (
        distil(SmoothMLPRegressor(**SMOOTH), jacobian_lambda=0.001, engine=engine).formula_
        == regressor.formula_
    )


def test_a_grid_point_costs_one_teacher_and_its_searches(monkeypatch):
    from skrationale.smooth import base as smooth_base

    trained, searched = [], []

    class Counting(Squares):
        def search(self, Z, t, **settings):
            searched.append(settings["niterations"])
            return super().search(Z, t, **settings)

    def train_path(module, data, validation, lambdas, *rest):
        trained.append(lambdas)
        return original(module, data, validation, lambdas, *rest)

    original = smooth_base.train_path
    monkeypatch.setattr(smooth_base, "train_path", train_path)
    teacher = SmoothMLPRegressor(**SMOOTH | {"max_epochs": 2})
    model = SymbolicDistiller(teacher, engine=Counting(), **SHORT)
    GridSearchCV(model, {"jacobian_lambda": [0.0, 0.01, 0.1]}, cv=2).fit(X, np.sin(9 * X[:, 0]))
    n_fits = 3 * 2 + 1
    assert sorted(trained[:6]) == [(0.0,), (0.0,), (0.01,), (0.01,), (0.1,), (0.1,)]
    assert len(trained) == n_fits
    # 20 rounds: 12 % for y, 12 % for the teacher, 61 % for the better of them, 15 % for what is left
    assert searched == [2, 2, 12, 3] * n_fits


# --- engines ---------------------------------------------------------------------------------------


class Squares(Engine):
    """An engine by a user: it knows one shape only."""

    name = "squares"

    def __init__(self, power=2):
        self.power = power

    def search(self, Z, t, **settings):
        return [v**self.power for v in symbols(Z.shape[1])]


class Failing(Squares):
    def search(self, Z, t, **settings):
        raise EngineError("out of order")


def test_an_engine_of_the_user():
    y = 2 * X[:, 1] ** 3 + 1
    model = distil(LinearRegression(), y=y, engine=Squares(3), teacher_weight=0)
    assert model.score(X, y) > 0.999999
    assert model.formula_.variables == ("x1",)
    assert model.get_params()["engine__power"] == 3
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))


@pytest.mark.parametrize(("off", "n_targets"), [(0.05, 1), (0.15, 2)])
def test_the_teacher_is_searched_for_unless_it_leaves_nothing_open(off, n_targets):
    """What a teacher leaves open, off^2 of the variance, is what it may take away of the noise."""
    searched = []

    class Counting(Squares):
        def search(self, Z, t, **settings):
            searched.append((settings["niterations"], round(float(np.abs(t).mean()), 6)))
            return super().search(Z, t, **settings)

    y = np.arctan(2 * X[:, 0]) + X[:, 2]
    answer = lambda X: (  # noqa: E731
        np.arctan(2 * X[:, 0]) + X[:, 2] + off * y.std() * np.sqrt(2) * np.sin(99 * X[:, 1])
    )
    distil(FrozenEstimator(Oracle(answer).fit(X, y)), y=y, engine=Counting())
    rounds, targets = zip(*searched, strict=True)
    assert rounds == (2, 2, 12, 3)
    assert len(set(targets[:2])) == n_targets


def test_a_failing_engine_leaves_no_trace():
    model = SymbolicDistiller(LinearRegression(), engine=Failing())
    with pytest.raises(EngineError, match="out of order"):
        model.fit(X, np.sin(9 * X[:, 0]))
    assert vars(model).keys() == vars(SymbolicDistiller()).keys()


def test_pysr_without_julia_fails_at_once_with_the_way_out(monkeypatch):
    from skrationale.symbolic import PySREngine

    if PySREngine().available() is None:
        monkeypatch.setattr(PySREngine, "available", lambda self: "no Julia. Or use engine='operon'.")
    model = SymbolicDistiller(engine="pysr")
    start = time.perf_counter()
    with pytest.raises(EngineError, match="engine='pysr' cannot be used: .*Julia.* use engine='operon'"):
        model.fit(X, PRODUCT)
    assert time.perf_counter() - start < 2
    assert vars(model).keys() == vars(SymbolicDistiller()).keys()


def test_a_pickle_needs_no_engine(tmp_path, regressor):
    file = tmp_path / "model.pickle"
    file.write_bytes(pickle.dumps(regressor))
    code = f"""
import pickle, sys
sys.modules["pyoperon"] = sys.modules["pysr"] = sys.modules["juliacall"] = None  # cannot be imported
import numpy as np
model = pickle.loads(open({str(file)!r}, "rb").read())
rows = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]])
print(*model.predict(rows).tolist(), model.explain(rows).values.sum())
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rows = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0]])
    expected = [*regressor.predict(rows).tolist(), regressor.explain(rows).values.sum()]
    np.testing.assert_allclose(list(map(float, run.stdout.split())), expected, rtol=1e-12)


def test_text_of_numbers_and_huge_values():
    y = 1e12 * PRODUCT + 1e14
    model = distil(FrozenEstimator(Oracle(lambda X: 1e12 * product(X) + 1e14).fit(X, y)), y=y)
    assert model.score(X, y) > 0.99
    tiny = distil(LinearRegression(), 1e-9 * X + 5, LINE, teacher_weight=0)
    assert tiny.score(1e-9 * X + 5, LINE) > 0.9
    assert Program(tiny.formula_.expr, symbols(3))(1e-9 * X + 5) == pytest.approx(tiny.predict(1e-9 * X + 5))


# --- what is nearly best ---------------------------------------------------------------------------


def test_nearly_the_most_accurate():
    assert near_best([1.0, 1.019, 1.021], 1.0) == [0, 1]
    # an exact law is not given up for a faithful formula; below a millionth of a millionth all is rounding
    assert near_best([0.0015, 0.0, 0.003], 1.0) == [1]
    assert near_best([1e-13, 0.0, 1e-11], 1.0) == [0, 1]
    assert near_best([3.0], 0.0) == [0]


@pytest.mark.parametrize(("long", "share"), [("1.01*a - 0.001*sin(b)", 0.0), ("a + 1e-9*sin(b)", 1.0)])
def test_a_shorter_and_more_accurate_formula_beats_a_more_faithful_one(long, share):
    """Both are nearly the best, so that the first of them would be taken for its fidelity."""
    V = np.random.RandomState(0).normal(size=(200, 2))
    y = V[:, 0] + 0.2 * V[:, 1]
    fronts = {
        weight: (ScoredFormula(Formula.from_string(text, ["a", "b"]), 0.1, 0.9, 0.9),)
        for weight, text in ((1.0, long), (0.0, "1.001*a"))
    }
    valid = Data(V, y[:, None], y[:, None], np.ones(200))
    found, selection = choose_share([fronts], valid, y, Task("identity", 1), "accuracy")
    assert len(near_best([entry["loss"] for entry in selection], 1.0)) == 2
    assert found == share
    assert [entry["selected"] for entry in selection] == [share == 1, share == 0]
    more = (V[:, 0] - 1.001 * V[:, 0] + 0.2 * V[:, 1]) ** 2  # of the least share
    more = (
        row_losses(y, Formula.from_string(long, ["a", "b"]).predict(V)[:, None], Task("identity", 1)) - more
    )
    assert selection[0]["standard_error"] == pytest.approx(more.std() / np.sqrt(200))
    assert selection[1]["standard_error"] == 0


@pytest.mark.parametrize(("worse", "chosen"), [(0.05, 1), (0.6, 0)])
def test_of_teachers_whose_formulas_are_alike_the_best_described_one_is_taken(worse, chosen, monkeypatch):
    """Losses that differ by at most a standard error, here 0.15 and 0.20, are alike."""
    rng = np.random.RandomState(0)
    y, apart = rng.normal(size=200), rng.normal(size=(2, 200))
    apart *= np.sqrt([[1.0], [1 + worse]] / (apart**2).mean(axis=1, keepdims=True))
    said = y + apart
    valids = [
        Data(np.zeros((200, 1)), (formula + off)[:, None], y[:, None], np.ones(200))
        for formula, off in zip(said, (rng.normal(size=200), np.zeros(200)), strict=True)
    ]
    name = "skrationale.symbolic._selection.predict_best_sum"
    monkeypatch.setattr(name, lambda _searcher, fit, *_: said[fit])
    found, measured = choose_teacher([None], [0, 1], valids, y, Task("identity", 1), 1.0)
    assert [entry["formula_loss"] for entry in measured] == pytest.approx([1.0, 1 + worse])
    assert measured[0]["fidelity_r2"] < measured[1]["fidelity_r2"] == 1
    assert found == chosen


def test_one_row_that_is_far_off_makes_no_losses_alike(monkeypatch):
    y = np.zeros(200)
    said = np.stack([np.full(200, 0.1), np.full(200, 0.01)])
    said[1, 0] = 26.0
    valids = [Data(np.zeros((200, 1)), said[[1]].T, y[:, None], np.ones(200))] * 2
    name = "skrationale.symbolic._selection.predict_best_sum"
    monkeypatch.setattr(name, lambda _searcher, fit, *_: said[fit])
    found, measured = choose_teacher([None], [0, 1], valids, y, Task("identity", 1), 1.0)
    more = said[1] ** 2 - said[0] ** 2
    assert measured[1]["formula_loss"] > 2 * measured[0]["formula_loss"]
    assert more.mean() <= more.std() / np.sqrt(200)
    assert found == 0


def test_what_a_constant_loses():
    weights = np.array([1.0, 2.0, 1.0])
    y = np.array([0.0, 1.0, 3.0])
    expected = np.average((y - 1.25) ** 2, weights=weights)
    assert constant_loss(y, Task("identity", 1), weights) == pytest.approx(expected)
    labels, classes = np.array([0, 1, 1]), Task("logit", 1, np.array(["no", "yes"]))
    scores = np.full((3, 1), np.log(3.0))
    expected = np.average(row_losses(labels, scores, classes), weights=weights)
    assert constant_loss(labels, classes, weights) == pytest.approx(expected)
    assert constant_loss(np.zeros(3, int), classes, weights) == 0


@pytest.mark.parametrize("teacher", [SmoothMLPRegressor(**SMOOTH), KNeighborsRegressor()])
def test_a_fresh_process_explains_by_a_formula_without_torch(teacher, tmp_path):
    model = SymbolicDistiller(teacher, jacobian_lambda="auto", n_searches=1, niterations=1, random_state=SEED)
    model, path = serving_copy(model.fit(X, PRODUCT)), tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps((model, X[:3])))
    code = f"""
import pickle, sys
model, rows = pickle.loads(open({str(path)!r}, "rb").read())
found = model.explain(rows).values, model.predict(rows)
print(*{{"torch", "skorch", "lightgbm", "sklearn.metrics", "sklearn.neighbors"}} & sys.modules.keys())
print(pickle.dumps(found).hex())
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported, found = run.stdout.splitlines()
    assert imported == ""
    for one, other in zip(
        pickle.loads(bytes.fromhex(found)), (model.explain(X[:3]).values, model.predict(X[:3])), strict=True
    ):
        np.testing.assert_array_equal(one, other)
