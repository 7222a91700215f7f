"""Teachers know their columns by name: asked in another order they give the same answers and reasons."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from estimators import QUICK, QUICK_SEARCH
from lightgbm import Booster, LGBMRegressor
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrationale import (
    FLINTRegressor,
    GBDT2NNStudent,
    RationaleDistiller,
    RationaleRegressor,
    SmoothMLPRegressor,
    SymbolicDistiller,
)
from skrationale.gbdt2nn import path_contributions
from skrationale.plotting import FidelityDisplay
from skrationale.report import make_report
from skrationale.tabular import TableReader
from skrationale.teachers import arranged, column_order, names_at_fit

N = 150
NET = QUICK | {"hidden_layer_sizes": (8,)}
BRIEF = NET | {"weight_decay": 1e-3, "early_stopping": False, "audit_teacher": False}
SHORT = QUICK_SEARCH | {"maxsize": 5, "teacher_weight": 1}
TREES = {"n_estimators": 20, "num_leaves": 7, "learning_rate": 0.3, "verbose": -1, "n_jobs": 1}


@pytest.fixture(scope="module")
def rows():
    rng = np.random.RandomState(0)
    X = pd.DataFrame(rng.normal(size=(N, 3)) * [1, 2, 3] + [0, 5, -5], columns=["a", "b", "c"])
    X["city"] = pd.Categorical(rng.choice(["Bonn", "Ulm"], N))
    X["size"] = pd.Categorical(rng.choice(["L", "M", "S"], N))
    y = X["a"] + 0.5 * (X["b"] - 5) + 2 * (X["city"] == "Ulm") - (X["size"] == "S")
    return X, y.to_numpy()


ORDER = ["size", "b", "city", "a", "c"]
NUMBERS = ["a", "b", "c"]


@pytest.fixture(scope="module")
def trees(rows):
    X, y = rows
    return LGBMRegressor(**TREES).fit(X, y)


class TestTreesThatTeachANetwork:
    @pytest.fixture(scope="class")
    @staticmethod
    def student(rows, trees):
        X, y = rows
        student = GBDT2NNStudent(
            FrozenEstimator(trees), hidden_layer_sizes=(32,), max_epochs=30, random_state=0
        )
        return student.fit(X[ORDER], y)

    def test_the_student_learns_what_its_teacher_says(self, rows, trees, student):
        X, y = rows
        assert student.score(X[ORDER], y) > trees.score(X, y) - 0.1
        fidelity = student.fidelity(X[ORDER], y)
        assert fidelity["teacher_score"] == pytest.approx(trees.score(X, y))
        assert fidelity["explanation_r2"] > 0.9

    def test_the_scores_of_the_teacher_are_its_predictions(self, rows, trees, student):
        X, _ = rows
        table = student._teacher_rows(X[ORDER])
        assert list(table) == list(X)
        np.testing.assert_allclose(student._adapter.scores(table)[:, 0], trees.predict(X))

    @pytest.mark.parametrize("kind", ["tree_shap", "path"])
    def test_reasons_of_the_teacher_have_the_students_order(self, rows, trees, student, kind):
        X, _ = rows
        shown = student.teacher_explain(X[ORDER], kind)
        assert shown.feature_names == tuple(ORDER)
        assert shown.additivity_error(trees.predict(X)) < 1e-9
        shap = trees.predict(X, pred_contrib=True)[:, :-1]
        own = path_contributions(trees, X).values if kind == "path" else shap
        np.testing.assert_allclose(shown.values, own[:, [list(X).index(name) for name in ORDER]])

    def test_each_bin_is_one_of_its_column(self, rows, student):
        X, _ = rows
        reasons = student.explain(X[ORDER]).to_frame()
        truth = X["a"] - X["a"].mean()
        assert np.corrcoef(reasons["a"], truth)[0, 1] > 0.9
        assert reasons["c"].abs().mean() < 0.25 * reasons["a"].abs().mean()

    def test_a_student_may_be_pickled_and_shown(self, rows, trees, student, tmp_path):
        import pickle

        X, y = rows
        copy = pickle.loads(pickle.dumps(student))
        assert copy.fidelity(X[ORDER]) == student.fidelity(X[ORDER])
        display = FidelityDisplay.from_estimator(copy, X[ORDER])
        np.testing.assert_allclose(np.ravel(display.teacher_scores), trees.predict(X))
        tables = make_report({"student": student}, X[ORDER], y, tmp_path / "report.html").tables
        assert tables["summary"].loc["teacher of student", "score"] == pytest.approx(trees.score(X, y))


def teachers(X, y):
    """Fitted teachers that know the names of three columns of numbers."""
    named = X[NUMBERS]
    return {
        "trees": LGBMRegressor(**TREES).fit(named, y),
        "linear": LinearRegression().fit(named, y),
        "pipeline": make_pipeline(StandardScaler(), LinearRegression()).fit(named, y),
        "pipeline-of-trees": make_pipeline("passthrough", LGBMRegressor(**TREES)).fit(named, y),
        "search": GridSearchCV(LGBMRegressor(**TREES), {"num_leaves": [3]}, cv=2).fit(named, y),
        "vote": VotingRegressor([("trees", LGBMRegressor(**TREES))]).fit(named, y),
        "smooth": SmoothMLPRegressor(jacobian_lambda=0.01, **NET).fit(named, y),
        "rationale": RationaleRegressor(weight_decay=1e-3, early_stopping=False, **NET).fit(named, y),
        "twice-frozen": FrozenEstimator(LGBMRegressor(**TREES).fit(named, y)),
    }


@pytest.fixture(scope="module")
def known(rows):
    return teachers(*rows)


NAMES = ["trees", "linear", "pipeline", "pipeline-of-trees", "search", "vote", "smooth", "rationale"]
NAMES.append("twice-frozen")


@pytest.mark.parametrize("name", NAMES)
def test_any_named_teacher_is_asked_by_name(rows, known, name):
    X, y = rows
    teacher, turned = known[name], X[["c", "a", "b"]]
    expected = teacher.predict(X[NUMBERS])
    for student in (
        RationaleDistiller(FrozenEstimator(teacher), **BRIEF),
        SymbolicDistiller(FrozenEstimator(teacher), n_synthetic=20, **SHORT),
    ):
        student.fit(turned, y)
        np.testing.assert_allclose(student._adapter.scores(student._teacher_rows(turned))[:, 0], expected)
        fidelity = student.fidelity(turned, y)
        assert fidelity["teacher_score"] == pytest.approx(teacher.score(X[NUMBERS], y))
        shown = FidelityDisplay.from_estimator(student, turned)
        np.testing.assert_allclose(np.ravel(shown.teacher_scores), expected)


@pytest.mark.parametrize("name", ["trees", "smooth", "rationale"])
def test_what_a_teacher_selects_comes_back_in_the_students_order(rows, known, name, monkeypatch):
    from skrationale.rationale._form import TableForm

    X, y = rows
    fits = []
    monkeypatch.setattr(TableForm, "fit", lambda *args: fits.append(args[-1]))
    logits = []
    for columns in (NUMBERS, ["c", "a", "b"]):
        RationaleDistiller(FrozenEstimator(known[name]), **BRIEF).fit(X[columns], y)
        logits.append(pd.DataFrame(fits[-1].logits, columns=columns))
        selected = fits[-1].columns
        if name == "rationale" and selected is not None:
            chosen = known[name].get_rationale(X[NUMBERS]).any(axis=0)
            assert {columns[j] for j in selected} == {NUMBERS[j] for j in np.flatnonzero(chosen)}
    np.testing.assert_allclose(logits[1][NUMBERS], logits[0])


@pytest.mark.parametrize("name", ["smooth", "rationale"])
def test_reasons_of_a_teacher_come_back_in_the_students_order(rows, known, name):
    X, y = rows
    turned = X[["c", "a", "b"]]
    kind = SymbolicDistiller if name == "smooth" else RationaleDistiller
    settings = SHORT if name == "smooth" else BRIEF
    student = kind(FrozenEstimator(known[name]), **settings).fit(turned, y)
    there, here = known[name].explain(X[NUMBERS]), student._teacher_reasons(turned)
    assert here.feature_names == ("c", "a", "b")
    pd.testing.assert_frame_equal(here.to_frame()[NUMBERS], there.to_frame())
    np.testing.assert_array_equal(here.data, turned)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0),
        lambda: make_pipeline(
            StandardScaler(), MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0)
        ),
        lambda: SmoothMLPRegressor(jacobian_lambda=0.01, **NET),
    ],
    ids=["mlp", "pipeline", "smooth"],
)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_a_given_network_is_asked_by_name(rows, make, tmp_path):
    X, y = rows
    network, turned = make().fit(X[NUMBERS], y), X[["c", "a", "b"]]
    model = FLINTRegressor(FrozenEstimator(network), n_attributes=2, **NET).fit(turned, y)
    np.testing.assert_allclose(model.predict_model(turned), network.predict(X[NUMBERS]), rtol=1e-6)
    tables = make_report({"flint": model}, turned, y, tmp_path / "report.html").tables
    score = tables["summary"].loc["teacher of flint", "score"]
    assert score == pytest.approx(network.score(X[NUMBERS], y))
    with pytest.raises(
        ValueError, match="'d', on which the predictor .* was not fitted, and lacks its column 'b'"
    ):
        FLINTRegressor(FrozenEstimator(network), **NET).fit(turned.rename(columns={"b": "d"}), y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda X: X.rename(columns={"b": "B"}),
            "has column 'B', on which .* lacks its column 'b'; expected",
        ),
        (lambda X: X[["c", "a"]], "X lacks column 'b', on which the teacher .* was fitted"),
        (lambda X: X.assign(d=1.0), "X has column 'd', on which the teacher .* was not fitted; expected"),
    ],
    ids=["renamed", "fewer", "more"],
)
@pytest.mark.parametrize("kind", [GBDT2NNStudent, RationaleDistiller, SymbolicDistiller])
def test_other_names_are_refused_by_the_first_that_differs(rows, known, kind, change, message):
    X, y = rows
    for name in ("trees",) if kind is GBDT2NNStudent else ("trees", "linear"):
        with pytest.raises(ValueError, match=message):
            kind(FrozenEstimator(known[name])).fit(change(X[NUMBERS]), y)


class TestNames:
    """What counts as the same name, and what as none."""

    X = pd.DataFrame(np.arange(12.0).reshape(4, 3))

    def trees(self, names):
        X = pd.DataFrame(np.random.RandomState(0).normal(size=(60, len(names))), columns=names)
        return LGBMRegressor(**TREES).fit(X, X.iloc[:, 0])

    def test_names_that_lightgbm_has_changed_match(self):
        model = self.trees(["a b", "c"])
        assert names_at_fit(model) == ["a_b", "c"]
        assert column_order(model, ["a b", "c"]) is None
        assert column_order(model, ["c", "a b"]).tolist() == [1, 0]
        student_made = self.trees(["a_b", "c__d_"])  # of "a:b" and "c[]d "
        assert column_order(student_made, ["c[,d]", "a:b"]).tolist() == [1, 0]

    def test_names_that_lightgbm_cannot_tell_apart_are_refused(self):
        with pytest.raises(ValueError, match="more than one column 'a_b', so the columns of the teacher"):
            column_order(self.trees(["a_b", "a_b_2"]), ["a:b", "a b"])

    def test_exact_names_are_exact_elsewhere(self):
        model = LinearRegression().fit(pd.DataFrame({"a b": [1.0, 2], "c": [0.0, 1]}), [1, 2])
        with pytest.raises(ValueError, match="'a_b', on which the teacher LinearRegression was not fitted"):
            column_order(model, ["a_b", "c"])

    def test_numbers_as_names_are_names_where_both_have_them(self):
        model = self.trees([7, 3])
        assert column_order(model, [3, 7]).tolist() == [1, 0]
        assert column_order(self.trees([0, 1]), [1, 0]).tolist() == [1, 0]
        with pytest.raises(ValueError, match="'8', on which"):
            column_order(model, [7, 8])

    def test_columns_that_are_only_counted_have_no_names(self):
        assert column_order(self.trees([0, 1]), ["a", "b"]) is None
        assert column_order(self.trees(["a", "b"]), [0, 1]) is None
        array = LGBMRegressor(**TREES).fit(np.random.RandomState(0).normal(size=(60, 2)), np.arange(60))
        assert column_order(array, ["a", "b"]) is None
        assert column_order(array.booster_, ["a", "b"]) is None
        assert column_order(self.trees(["a", "b"]), None) is None
        assert column_order(LinearRegression().fit(self.X.to_numpy(), np.arange(4)), list("abc")) is None

    @pytest.mark.parametrize("names", [[7, 3], [1, 0], [("g", "a"), ("g", "b")]], ids=str)
    def test_names_that_scikit_learn_forgets_are_told_of(self, names):
        X = self.X.iloc[:, :2].set_axis(pd.Index(names), axis=1)
        model = LinearRegression().fit(X, np.arange(4))
        with pytest.warns(
            UserWarning, match="LinearRegression has no column names .* reads columns by position"
        ):
            assert column_order(model, list(X)) is None
        student = RationaleDistiller(FrozenEstimator(model), **BRIEF)
        with pytest.warns(UserWarning, match="the teacher LinearRegression has no column names"):
            student.fit(X, np.arange(4.0))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for known in (["a", "b"], [0, 1], None):
                assert column_order(model, known) is None

    def test_boosters_have_names_too(self, rows, trees):
        X, _ = rows
        assert names_at_fit(trees.booster_) == list(X)
        copy = Booster(model_str=trees.booster_.model_to_string())
        assert [list(X)[j] for j in column_order(copy, ORDER).argsort()] == ORDER

    def test_the_same_name_twice(self):
        model = SimpleNamespace(feature_names_in_=["a", "a", "b"])
        assert column_order(model, ["a", "a", "b"]) is None
        with pytest.raises(ValueError, match="X has more than one column 'a'"):
            column_order(model, ["a", "b", "a"])
        with pytest.raises(ValueError, match="X has column 'a' 1 times, the teacher SimpleNamespace 2 times"):
            column_order(model, ["a", "b", "b"])

    def test_a_transformer_that_picks_columns_may_have_more_to_pick_from(self):
        X = self.X.set_axis(["a", "b", "c"], axis=1)
        picks = make_pipeline(ColumnTransformer([("n", "passthrough", ["b", "a"])]), LinearRegression())
        picks.fit(X[["a", "b"]], np.arange(4))
        assert column_order(picks, ["c", "b", "a"]) is None
        assert column_order(picks, ["b", "a"]).tolist() == [1, 0]

    def test_models_of_the_package_remember_numbers(self):
        X = pd.DataFrame(np.random.RandomState(0).normal(size=(30, 2)), columns=[5, 2])
        model = SmoothMLPRegressor(jacobian_lambda=0.01, **NET).fit(X, X[5])
        assert names_at_fit(model) == ["5", "2"]
        student = SymbolicDistiller(FrozenEstimator(model), **SHORT).fit(X[[2, 5]], X[5])
        scores = student._adapter.scores(student._teacher_rows(X[[2, 5]]))
        np.testing.assert_array_equal(scores[:, 0], model.predict(X))

    def test_a_table_named_like_an_array_keeps_its_names(self):
        X = pd.DataFrame(np.random.RandomState(0).normal(size=(60, 2)), columns=["x0", "x1"])
        assert list(TableReader().fit(X).to_frame(X.to_numpy())) == ["x0", "x1"]
        first = GBDT2NNStudent(LGBMRegressor(**TREES), n_synthetic=0, **NET).fit(X, X["x0"])
        second = GBDT2NNStudent(FrozenEstimator(first.teacher_), n_synthetic=0, **NET)
        second.fit(X[["x1", "x0"]], X["x0"])
        assert second.fidelity(X[["x1", "x0"]], X["x0"])["teacher_score"] > 0.8


@pytest.mark.parametrize(
    ("columns", "other"),
    [([0, 1], [1, 0]), ([3, 5], [5, 3]), ([3, 5], [3, 6]), (["a", 1], [1, "a"])],
    ids=["counted", "numbers", "another", "mixed"],
)
def test_predictions_on_columns_named_by_numbers_in_another_order_are_refused(columns, other):
    X = pd.DataFrame(np.random.RandomState(0).normal(size=(30, 2)), columns=columns)
    if "a" in columns:  # scikit-learn takes no mixture of names
        with pytest.raises(TypeError, match="string names"):
            SmoothMLPRegressor(jacobian_lambda=0.01, **NET).fit(X, X[1])
        return
    model = SmoothMLPRegressor(jacobian_lambda=0.01, **NET).fit(X, X[columns[0]])
    wrong = X.set_axis(other, axis=1)
    for ask in (model.predict, model.explain, lambda rows: model.score(rows, X[columns[0]])):
        with pytest.raises(
            ValueError, match=r"X has column '\d' where column '\d' was at fit; expected the columns"
        ):
            ask(wrong)
    model.predict(X)
    model.predict(X.to_numpy())
    model.predict(X.set_axis(list(map(str, columns)), axis=1))


def test_counted_columns_are_positions_for_predictions():
    X = pd.DataFrame(np.random.RandomState(0).normal(size=(30, 2)))
    model = SmoothMLPRegressor(jacobian_lambda=0.01, **NET).fit(X, X[0])
    np.testing.assert_array_equal(model.predict(X.set_axis([4, 9], axis=1)), model.predict(X))


class TestOthersThatTakeAModelAndATable:
    def test_paths_are_refused_in_another_order(self, rows, trees):
        X, _ = rows
        with pytest.raises(ValueError, match="X has column 'size' where the model was fitted on 'a'"):
            path_contributions(trees, X[ORDER])
        with pytest.raises(ValueError, match="lacks its column 'a'"):
            path_contributions(trees, X.rename(columns={"a": "A"}))

    def test_paths_of_columns_that_lightgbm_has_named(self):
        X = np.random.RandomState(0).normal(size=(60, 2))
        model = LGBMRegressor(**TREES).fit(X, X[:, 0])
        table = pd.DataFrame(X, columns=["Column_1", "Column_0"])
        with pytest.raises(ValueError, match="'Column_1' where the model was fitted on 'Column_0'"):
            path_contributions(model, table)
        made = GBDT2NNStudent(LGBMRegressor(**TREES), n_synthetic=0, **NET)
        hostile = pd.DataFrame(X, columns=["a:b", "c d"])
        made.fit(hostile, X[:, 0])
        assert path_contributions(made.teacher_, hostile).feature_names == ("a:b", "c d")

    @pytest.mark.parametrize("name", ["trees", "linear", "vote"])
    def test_a_report_asks_models_by_name(self, rows, known, name, tmp_path):
        X, y = rows
        model, turned = known[name], X[["c", "a", "b"]]
        tables = make_report({"model": model}, turned, y, tmp_path / "report.html").tables
        assert tables["summary"].loc["model", "score"] == pytest.approx(model.score(X[NUMBERS], y))
        with pytest.raises(ValueError, match="'model' cannot predict X: "):
            make_report({"model": model}, turned.rename(columns={"b": "d"}), y, tmp_path / "report.html")

    def test_a_table_in_order_stays_what_it_is(self, rows, known):
        X, _ = rows
        table = X[NUMBERS]
        assert arranged(known["linear"], table) is table
        assert arranged(known["vote"], table.to_numpy()).shape == (N, 3)
        pd.testing.assert_frame_equal(arranged(known["vote"], table[["c", "b", "a"]]), table)
