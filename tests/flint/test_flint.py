"""What one may expect of FLINT beyond the promises of all estimators."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch
from estimators import CLASSIFIERS
from seeds import SEED
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skrationale.flint._fitting as fitting
from skrationale import FLINTClassifier, FLINTRegressor, RationaleRegressor, SmoothMLPClassifier
from skrationale.flint._losses import Reconstruction, conciseness
from skrationale.flint._relevance import mean_relevance, relevance, relevant
from skrationale.tabular import TableEncoder
from skrationale.training import seeded

FAST = {"n_attributes": 8, "max_epochs": 40, "random_state": SEED, "device": "cpu"}


def halves(load):
    X, y = load(return_X_y=True)
    return train_test_split(X, y, test_size=0.3, random_state=SEED)


@pytest.fixture(scope="module")
def digits():
    X, X_test, y, y_test = halves(load_digits)
    return FLINTClassifier(random_state=SEED).fit(X, y), X_test, y_test


@pytest.fixture(scope="module")
def cancer():
    X, X_test, y, y_test = halves(load_breast_cancer)
    return FLINTClassifier(**FAST).fit(X, y), X_test, y_test


class TestLosses:
    def test_conciseness_is_low_for_few_attributes_that_differ_between_rows(self):
        weight = torch.ones(4)
        own, _ = conciseness(10 * torch.eye(4), weight)
        one_for_all, _ = conciseness(10 * torch.eye(4)[[0, 0, 0, 0]], weight)
        none, _ = conciseness(torch.ones(4, 4), weight)
        assert own < one_for_all - 1
        assert own < none - 1

    def test_conciseness_counts_weights_as_repeated_rows(self):
        phi = torch.rand(3, 5, dtype=torch.float64)
        repeated, _ = conciseness(phi[[0, 1, 1, 2]], torch.ones(4, dtype=torch.float64))
        weighted, _ = conciseness(phi, torch.tensor([0.75, 1.5, 0.75], dtype=torch.float64))
        assert weighted.item() == pytest.approx(repeated.item())

    def test_reconstruction_by_type_of_column(self):
        table = pd.DataFrame({"a": [0.0, 2.0, np.nan, 4.0], "c": ["x", "y", "z", "x"], "constant": 1.0})
        encoder = TableEncoder().fit(table)
        x = encoder.transform(table)
        loss = Reconstruction(encoder, x)
        assert loss.n_columns == 3  # a number, its sign of missing, a category
        ignorant, _ = loss(torch.zeros(4, x.shape[1]), torch.from_numpy(x))
        # of a missing number there is no error; flag and category cost 1 each, whatever is there
        assert ignorant[2].item() == pytest.approx(2 / 3)
        assert ignorant[0].item() == pytest.approx((2 + x[0, 0] ** 2) / 3, rel=1e-5)
        known = torch.from_numpy(np.where(x > 0, 50.0, -50.0).astype(np.float32))
        known[:, encoder.groups == 0] = torch.from_numpy(x[:, encoder.groups == 0])
        known[:, encoder.encoded_names.index("a is missing")] = torch.tensor([-50.0, -50, 50, -50])
        assert loss(known, torch.from_numpy(x))[0].abs().max() < 1e-6


class TestPace:
    def test_large_tables_take_more_rows_a_step_at_a_higher_rate(self, monkeypatch):
        X, y = load_breast_cancer(return_X_y=True)
        small = FLINTClassifier(n_attributes=2, max_epochs=20, random_state=0).fit(X, y)
        monkeypatch.setattr(fitting, "LARGE_ROWS", 400)
        large = FLINTClassifier(n_attributes=2, random_state=0).fit(X, y)
        assert large.n_iter_ == 40  # 2 steps each, and 4000 are asked for
        highest = [max(epoch["lr"] for epoch in model.history_) for model in (small, large)]
        assert highest == pytest.approx([0.003, 0.015], rel=0.05)
        own = FLINTClassifier(n_attributes=2, lr=0.001, max_epochs=20, random_state=0).fit(X, y)
        assert max(epoch["lr"] for epoch in own.history_) == pytest.approx(0.001, rel=0.05)


class TestReading:
    def test_relevance_is_a_share_of_the_largest_contribution(self):
        alpha = np.array([[2.0, -4.0, 1.0], [0.0, 0.0, 0.0]])
        np.testing.assert_allclose(relevance(alpha), [[0.5, -1.0, 0.25], [0, 0, 0]])

    @pytest.mark.parametrize("unit", [1e-12, 1e12])
    def test_relevance_does_not_depend_on_the_unit_of_scores(self, unit):
        alpha = unit * np.array([[2.0, -4.0, 1.0], [1e-12, 0.0, 0.0]])
        np.testing.assert_allclose(relevance(alpha, unit), [[0.5, -1.0, 0.25], [0, 0, 0]])

    def test_with_one_score_what_lowers_it_is_relevant_too(self):
        r = np.array([[0.6, -1.0, 0.25]])
        assert relevant(r, 2, n_outputs=1).tolist() == [[True, True, False]]
        assert relevant(r, 2, n_outputs=3).tolist() == [[True, False, False]]

    def test_a_class_that_is_never_predicted_has_no_relevance(self):
        means = mean_relevance(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 0]), 2)
        np.testing.assert_array_equal(means[0], [0.5, 0.5])
        assert np.isnan(means[1]).all()


class TestByDesign:
    def test_ten_classes(self, digits):
        model, X, y = digits
        figures = model.fidelity(X, y)
        assert figures["same_class"] > 0.95
        assert figures["model_score"] > 0.94
        assert figures["interpreter_score"] > 0.93
        assert model.conciseness(X, [2.0])[2.0] < 2.2
        assert model.n_active_attributes_ == 24
        assert model.score(X, y) == figures["interpreter_score"]

    def test_a_prediction_is_the_sum_of_its_attributes(self, digits):
        model, X, _ = digits
        explanation = model.explain(X)
        assert explanation.kind == "attribute"
        assert explanation.values.shape == (len(X), 24, 10)
        assert explanation.additivity_error(model.decision_function(X)) < 1e-9
        np.testing.assert_array_equal(explanation.data, model.transform(X))
        assert explanation.attributes["names"] == list(model.get_feature_names_out())

    def test_columns_of_the_table_add_up_too(self, cancer):
        model, X, _ = cancer
        explanation = model.explain(X, by="column")
        assert explanation.values.shape == X.shape
        assert explanation.additivity_error(model.decision_function(X)) < 1e-9
        # shuffling the rows of the most important columns changes the score most
        top = np.argsort(-explanation.mean_abs())[:5]
        changed, other = X.copy(), X.copy()
        changed[:, top] = X[::-1, top]
        last = np.argsort(explanation.mean_abs())[:5]
        other[:, last] = X[::-1, last]
        score = model.decision_function
        assert np.abs(score(changed) - score(X)).mean() > 3 * np.abs(score(other) - score(X)).mean()

    def test_attributes_are_not_negative_and_a_table(self, cancer):
        model, X, _ = cancer
        phi = model.transform(X)
        assert phi.shape == (len(X), 8)
        assert (phi >= 0).all()
        frame = clone(model).set_output(transform="pandas").fit(X, X[:, 0] > 14).transform(X)
        assert list(frame.columns) == [f"attribute_{j}" for j in range(8)]

    def test_rules_make_attributes_that_rules_describe(self):
        X, X_test, y, _ = halves(load_breast_cancer)
        medians = []
        for weight in (0.0, 10.0):
            model = FLINTClassifier(rule_lambda=weight, random_state=SEED, n_attributes=8, max_epochs=100)
            told = model.fit(X, y).describe(max_depth=3).to_frame()
            medians.append(told["rule_r2"].median())
        assert medians[1] > medians[0] + 0.03

    def test_the_model_may_decide(self, cancer):
        _, X, y = cancer
        model = FLINTClassifier(decide_with="model", **FAST).fit(X, y)
        np.testing.assert_array_equal(model.predict(X), model.predict_model(X))
        interpreter = FLINTClassifier(decide_with="interpreter", **FAST).fit(X, y)
        np.testing.assert_array_equal(interpreter.predict(X), interpreter.predict_interpretable(X))
        np.testing.assert_array_equal(interpreter.predict_model(X), model.predict(X))
        assert model.explain(X).meta["decides"] == "model"

    def test_disagreement_marks_rows_where_the_two_differ(self, digits):
        model, X, _ = digits
        differ = model.predict_model(X) != model.predict_interpretable(X)
        np.testing.assert_array_equal(model.disagreement(X), differ)
        assert 0 < differ.mean() < 0.06

    def test_global_relevance_is_of_the_rows_assigned_to_a_class(self, digits):
        model, X, _ = digits
        assert model.global_relevance_.shape == (10, 24)
        # on new rows it is about the same
        predicted, r = model.predict_interpretable(X), model.relevance(X)
        new = np.array([r[predicted == c].mean(axis=0) for c in range(10)])
        assert np.abs(new - model.global_relevance_).mean() < 0.08
        assert (model.global_relevance_.max(axis=1) > 0.4).all()

    def test_two_classes_have_one_score(self, cancer):
        model, X, _ = cancer
        explanation = model.explain(X)
        assert explanation.values.shape == (len(X), 8)
        assert explanation.output_names == ("1",)
        assert model.global_relevance_.shape == (2, 8)

    def test_names_are_the_users(self):
        X, y = load_diabetes(return_X_y=True)
        names = ["weight", "pressure", "sugar"]
        model = FLINTRegressor(n_attributes=3, attribute_names=names, max_epochs=5, random_state=SEED).fit(
            X, y
        )
        assert model.explain(X).feature_names == tuple(names)
        assert model.describe_attribute("sugar").name == "sugar"

    def test_numbers(self):
        X, X_test, y, y_test = halves(load_diabetes)
        model = FLINTRegressor(**FAST | {"n_attributes": 6}).fit(X, y)
        figures = model.fidelity(X_test, y_test)
        assert figures["prediction_r2"] > 0.9
        assert figures["interpreter_score"] > 0.3
        assert model.explain(X_test).additivity_error(model.predict(X_test)) < 1e-9
        assert 0.01 < model.disagreement(X).mean() < 0.1

    def test_a_constant_needs_no_attributes(self):
        X = np.random.RandomState(SEED).normal(size=(40, 3))
        model = FLINTRegressor(n_attributes=4).fit(X, np.full(40, 2.5))
        assert (model.predict(X) == 2.5).all()
        assert model.n_active_attributes_ == 0
        assert (model.transform(X) == 0).all()
        assert (model.explain(X, by="column").values == 0).all()
        assert "dead" in str(model.describe()[0])

    @pytest.mark.parametrize(("layers", "n_states"), [("all", 24), ([1], 8), ([-2], 16)])
    def test_hidden_layers_that_are_read(self, layers, n_states):
        X, y = load_breast_cancer(return_X_y=True)
        model = FLINTClassifier(hidden_layer_sizes=(16, 8), hidden_layers=layers, max_epochs=2).fit(X, y)
        assert model._model.interpreter["first.weight"].shape[1] == n_states


class TestDescribing:
    def test_all_attributes_as_a_table(self, digits, tmp_path):
        model, X, _ = digits
        told = model.describe(X)
        frame = told.to_frame()
        assert len(frame) == 24
        assert frame["rule_r2"].median() > 0.4
        told.write_html(tmp_path / "attributes.html")
        page = (tmp_path / "attributes.html").read_text(encoding="utf-8")
        assert "attribute_0" in page
        assert "http" not in page.replace("http://www.w3.org", "")

    def test_one_attribute_without_rows(self, cancer):
        model = cancer[0]
        told = model.describe_attribute(0)
        assert told.index == 0
        assert len(told.prototypes) > 0
        assert set(told.columns["column"]) <= {f"x{j}" for j in range(30)}

    def test_rules_use_the_tables_own_words(self, mixed):
        X, score = mixed
        y = np.where(score > np.median(score), "yes", "no")
        model = FLINTClassifier(**FAST).fit(X, y)
        rules = " ".join(str(rule) for rule in model.describe().to_frame()["rule"])
        assert any(name in rules for name in X.columns)


class TestGivenPredictors:
    @pytest.mark.parametrize("load", [load_breast_cancer, load_digits])
    def test_a_fitted_network_of_scikit_learn(self, load):
        X, X_test, y, y_test = halves(load)
        network = make_pipeline(StandardScaler(), MLPClassifier((64,), max_iter=60, random_state=SEED)).fit(
            X, y
        )
        model = FLINTClassifier(FrozenEstimator(network), random_state=SEED).fit(X, y)
        np.testing.assert_allclose(model.predict_proba(X_test), network.predict_proba(X_test), atol=1e-6)
        np.testing.assert_array_equal(model.predict(X_test), network.predict(X_test))
        assert model.fidelity(X_test)["same_class"] > 0.95
        assert model.explain(X_test).meta == {
            "explained": "interpreter",
            "decides": "model",
            "attribute_base": model.explain(X_test).meta["attribute_base"],
        }

    @pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
    def test_scores_of_all_activations(self, activation):
        X, y = load_diabetes(return_X_y=True)
        network = MLPRegressor(
            hidden_layer_sizes=(16, 9), activation=activation, max_iter=30, random_state=SEED
        ).fit(X, y)
        model = FLINTRegressor(FrozenEstimator(network), **FAST | {"max_epochs": 2}).fit(X, y)
        np.testing.assert_allclose(model.predict_model(X), network.predict(X), rtol=1e-9)
        assert model._model.interpreter["first.weight"].shape[1] == 25

    def test_reasons_by_column_of_a_given_network(self):
        X, y = load_diabetes(return_X_y=True, as_frame=True)
        network = make_pipeline(
            StandardScaler(), MLPRegressor(hidden_layer_sizes=(16,), max_iter=400, random_state=SEED)
        )
        model = FLINTRegressor(network, decide_with="interpreter", **FAST).fit(X, y)
        explanation = model.explain(X[:200], by="column")
        assert explanation.additivity_error(model.predict(X[:200])) < 1e-9
        network.fit(X, y)
        top = explanation.top(1)[0]
        order = network[0].transform(X)[:, X.columns.get_loc(top)][:200].argsort()
        column = explanation.values[order, X.columns.get_loc(top)]
        assert abs(np.corrcoef(column, np.arange(200))[0, 1]) > 0.5

    def test_an_unfitted_one_is_cloned_and_fitted(self):
        X, y = load_breast_cancer(return_X_y=True)
        network = SmoothMLPClassifier(
            hidden_layer_sizes=(8,), max_epochs=5, jacobian_lambda=0.01, random_state=SEED
        )
        model = FLINTClassifier(network, **FAST | {"max_epochs": 5}).fit(X, y)
        assert not hasattr(network, "classes_")
        np.testing.assert_array_equal(model.predict(X), model.predictor_.predict(X))

    @pytest.mark.parametrize("name", ["smooth-mlp", "gbdt2nn", "rationale", "rationale-paper"])
    def test_networks_of_this_package(self, name):
        X, y = load_breast_cancer(return_X_y=True, as_frame=True)
        X = X.iloc[:, :5].assign(size=np.where(X["mean area"] > 600, "large", "small"))
        X.loc[:3, "size"] = ["huge", "a", "zz", None]  # levels that the interpreter never sees
        network = CLASSIFIERS[name]().fit(X, y)
        X, y = X[4:404], y[4:404]  # so many are computed in float64 by all of them
        matrix = network._read(X)
        hidden = network._hidden_states(matrix)
        assert len(hidden) == 2
        score = network.decision_function(X)
        linear = LinearRegression().fit(hidden[-1], score)
        np.testing.assert_allclose(linear.predict(hidden[-1]), score, atol=1e-6)
        model = FLINTClassifier(FrozenEstimator(network), **FAST).fit(X, y)
        np.testing.assert_allclose(model.decision_function(X), score, rtol=1e-6)
        assert model.fidelity(X)["same_class"] > 0.95
        widths = [states.shape[1] for states in hidden]
        assert model._model.interpreter["first.weight"].shape[1] == sum(widths)

    def test_one_that_predicts_a_constant(self):
        X, y = load_diabetes(return_X_y=True)
        network = RationaleRegressor(max_epochs=2, random_state=SEED).fit(np.zeros_like(X), y)
        model = FLINTRegressor(FrozenEstimator(network), **FAST).fit(X, y)
        np.testing.assert_allclose(model.predict(X), y.mean())

    def test_a_torch_module_with_named_layers(self):
        X, y = load_breast_cancer(return_X_y=True)
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        torch.manual_seed(SEED)
        module = torch.nn.Sequential(
            torch.nn.Linear(30, 12), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(12, 2)
        )
        module.train()
        before = pickle.dumps(module.state_dict())
        model = FLINTClassifier(module, hidden_layers=["1"], **FAST).fit(X, y)
        assert module.training
        assert pickle.dumps(module.state_dict()) == before
        assert not module[1]._forward_hooks
        assert not model._model.source.module[1]._forward_hooks
        logits = module.eval()(torch.from_numpy(X).float()).detach().numpy()
        np.testing.assert_allclose(model.decision_function(X), logits[:, 1] - logits[:, 0], atol=1e-5)
        assert model._model.interpreter["first.weight"].shape[1] == 12
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
    def test_a_torch_module_may_write_to_its_input(self, dtype):
        X = np.random.RandomState(SEED).normal(size=(60, 3))
        y, before = np.maximum(X, 0).sum(axis=1), X.copy()
        with seeded(0):
            module = torch.nn.Sequential(
                torch.nn.ReLU(inplace=True),
                torch.nn.Linear(3, 4, dtype=dtype),
                torch.nn.ReLU(),
                torch.nn.Linear(4, 1, dtype=dtype),
            )
        model = FLINTRegressor(module, hidden_layers=["2"], max_epochs=1, random_state=SEED).fit(X, y)
        X.flags.writeable = False
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.predict(X)
            explanation = model.explain(X, by="column")
        np.testing.assert_array_equal(explanation.data, before)
        np.testing.assert_array_equal(X, before)

    @pytest.mark.usefixtures("frequent_turns")
    def test_a_torch_module_answers_several_threads_as_it_answers_one(self):
        X, y = np.random.RandomState(SEED).normal(size=(120, 3)), np.arange(120.0)
        with seeded(0):
            module = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
        model = FLINTRegressor(module, decide_with="interpreter", max_epochs=1, random_state=SEED).fit(X, y)
        rows = [X[i % 100 : i % 100 + 20] for i in range(0, 3000, 10)]
        expected = [model.predict(part) for part in rows]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(model.predict, rows))
        np.testing.assert_array_equal(found, expected)

    def test_a_module_that_draws_is_refused_and_leaves_global_chance_alone(self):
        class Restless(torch.nn.Sequential):
            def forward(self, x):
                return super().forward(x) + torch.rand(1)

        X, y = np.random.RandomState(SEED).normal(size=(40, 3)), np.arange(40.0)
        with seeded(0):
            module = Restless(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
        before = torch.get_rng_state()
        with pytest.raises(ValueError, match="gives different outputs for the same row"):
            FLINTRegressor(module, max_epochs=1, random_state=SEED).fit(X, y)
        assert torch.equal(torch.get_rng_state(), before)

    def test_what_has_no_hidden_layers_is_refused(self):
        X, y = load_breast_cancer(return_X_y=True)
        with pytest.raises(TypeError, match="'predictor' parameter .* Got LogisticRegression"):
            FLINTClassifier(LogisticRegression()).fit(X, y)
        with pytest.raises(TypeError, match="must be a classifier"):
            FLINTClassifier(MLPRegressor()).fit(X, y)
        with pytest.raises(ValueError, match="no layer before its output"):
            FLINTClassifier(torch.nn.Linear(30, 2)).fit(X, y)
        wrong = torch.nn.Sequential(torch.nn.Linear(30, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3))
        with pytest.raises(ValueError, match="gives 3 scores per row; expected 1"):
            FLINTClassifier(wrong).fit(X, y)
        module = torch.nn.Sequential(torch.nn.Linear(30, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
        with pytest.raises(ValueError, match=r"names \['first'\]"):
            FLINTClassifier(module, hidden_layers=["first"]).fit(X, y)
        network = MLPClassifier((4, 4), max_iter=1, random_state=SEED)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it has not converged
            network.fit(X, y)
        for layers in ([True], [2], [0.0], []):
            with pytest.raises(ValueError, match="positions of the predictor's 2 hidden layers. Got"):
                FLINTClassifier(FrozenEstimator(network), hidden_layers=layers).fit(X, y)

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_networks_of_several_targets_are_refused(self):
        X = np.random.RandomState(SEED).normal(size=(60, 3))
        settings = {"hidden_layer_sizes": (4,), "max_iter": 5, "random_state": SEED}
        labels = MLPClassifier(**settings).fit(X, X[:, :2] > 0)
        with pytest.raises(ValueError, match=r"'predictor' parameter .* Got MLPClassifier with 2 targets"):
            FLINTClassifier(FrozenEstimator(labels), **FAST).fit(X, X[:, 0] > 0)
        piped = make_pipeline(StandardScaler(), MLPRegressor(**settings)).fit(X, X[:, :2])
        with pytest.raises(ValueError, match=r"'predictor' parameter .* Got Pipeline with 2 targets"):
            FLINTRegressor(FrozenEstimator(piped), **FAST).fit(X, X[:, 0])

    def test_a_module_that_draws_in_evaluation_is_refused(self):
        class Noisy(torch.nn.Sequential):
            def forward(self, x):
                return super().forward(x) + torch.randn(1)

        X, y = load_breast_cancer(return_X_y=True)
        module = Noisy(torch.nn.Linear(30, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
        with pytest.raises(ValueError, match="different outputs for the same row"):
            FLINTClassifier(module).fit(X, y)

    def test_tables_with_names_and_categories_go_through_a_pipeline(self, mixed):
        from sklearn.compose import make_column_transformer
        from sklearn.impute import SimpleImputer
        from sklearn.preprocessing import OneHotEncoder

        X, score = mixed
        y = np.where(score > np.median(score), "yes", "no")
        columns = make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["city", "grade"]),
            (SimpleImputer(), ["age", "visits", "idle", "member"]),
        )
        network = make_pipeline(
            columns, StandardScaler(), MLPClassifier((16,), max_iter=100, random_state=SEED)
        )
        network.fit(X, y)
        model = FLINTClassifier(FrozenEstimator(network), **FAST).fit(X, y)
        new = X.assign(city=X["city"].where(X.index % 3 > 0, "Rome"))
        np.testing.assert_allclose(model.predict_proba(new), network.predict_proba(new), atol=1e-9)


def test_taus_and_kinds_are_checked(cancer):
    model, X, _ = cancer
    with pytest.raises(ValueError, match=r"taus must be numbers above 1. Got \[0.5\]"):
        model.conciseness(X, [0.5])
    with pytest.raises(ValueError, match="by must be 'attribute' or 'column'. Got 'row'"):
        model.explain(X, by="row")


def test_text_for_numbers_is_refused():
    X = np.arange(40.0).reshape(20, 2)
    with pytest.raises(ValueError, match="FLINTClassifier"):
        FLINTRegressor(max_epochs=1).fit(X, ["a"] * 20)
