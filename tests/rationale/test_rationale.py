"""What one may expect of RationaleClassifier and RationaleRegressor beyond the promises of all estimators."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from seeds import SEED
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from skrationale.datasets import make_syn
from skrationale.rationale._estimator import RationaleClassifier, RationaleRegressor

SWITCH = 10
FAST = {
    "hidden_layer_sizes": (16, 16),
    "max_epochs": 12,
    "lr": 5e-3,
    "weight_decay": 1e-3,
    "device": "cpu",
    "random_state": SEED,
}


def classifier(**changes):
    return RationaleClassifier(**FAST | changes)


def regressor(**changes):
    return RationaleRegressor(**FAST | changes)


def line(n=400, d=6, seed=0):
    """Rows, and a number that is a sum of the first two columns and some noise."""
    rng = np.random.RandomState(seed + SEED)
    X = rng.normal(size=(n, d))
    return X, 2 * X[:, 0] - X[:, 1] + 0.3 * rng.normal(size=n)


def classes(n=400, d=6, seed=0):
    """Rows, and text that tells in which third the number of `line` is."""
    X, number = line(n, d, seed)
    return X, np.array(["low", "mid", "top"])[np.digitize(number, [-1, 1])]


def binary(n=400, d=6, seed=0):
    X, number = line(n, d, seed)
    return X, np.where(number > 0, "yes", "no")


def frame(n=400, seed=0):
    """A table of all kinds of columns, and a label that rests on the first three."""
    rng = np.random.RandomState(seed + SEED)
    table = pd.DataFrame(
        {
            "size": rng.normal(size=n),
            "city": rng.choice(["Bonn", "Köln", "Ulm"], n),
            "grade": pd.Categorical(rng.choice(["low", "high"], n)),
            "count": rng.poisson(4, n).astype(float),
            "constant": 1.0,
        }
    )
    score = table["size"] + 1.5 * (table["city"] == "Ulm") + (table["grade"] == "high").to_numpy()
    table.loc[rng.rand(n) < 0.1, "size"] = np.nan
    return table, np.where(score > 1, "yes", "no")


@pytest.fixture(scope="module")
def syn():
    """A model with the defaults, and other rows with their true masks."""
    X, y, _ = make_syn(4, 4000, random_state=1 + SEED)
    return RationaleClassifier(device="cpu", random_state=SEED).fit(X, y), make_syn(
        4, 4000, random_state=2 + SEED
    )


@pytest.fixture(scope="module")
def mixed_model():
    X, y = frame()
    return classifier(max_features=0.4).fit(X, y), X, y


@pytest.fixture(scope="module")
def three():
    X, y = classes()
    return classifier().fit(X, y), X, y


class TestDefaults:
    def test_true_columns_of_each_row_are_found(self, syn):
        model, (X, y, true) = syn
        mask = model.get_rationale(X)
        assert ((mask & true).sum(axis=1) / true.sum(axis=1)).mean() > 0.90
        assert ((mask & ~true).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)).mean() < 0.15
        assert mask[:, SWITCH].mean() > 0.97
        assert roc_auc_score(y, model.decision_function(X)) > 0.77

    def test_the_audit_calls_them_honest(self, syn):
        model, (X, y, _) = syn
        report = model.audit(X, y, n_refits=0, random_state=SEED)
        assert report.honest
        assert report.findings == ()
        assert report.leak < report.leak_limit
        assert report.own_score == pytest.approx(roc_auc_score(y, model.decision_function(X)))
        assert abs(report.own_score - report.evalx_score) < 0.03
        assert report.evalx_loss < report.constant_loss - 0.1
        assert report.constant_loss == pytest.approx(np.log(2), abs=0.01)
        # true reasons are enough, and more so than random columns
        assert report.sufficiency < report.random_sufficiency / 1.3
        assert report.comprehensiveness > report.random_comprehensiveness > 0

    def test_rows_differ_in_the_number_of_columns_they_need(self, syn):
        model, (X, _, true) = syn
        counts = model.get_rationale(X).sum(axis=1)
        assert counts[true.sum(axis=1) == 3].mean() < 4.2
        assert counts[true.sum(axis=1) == 5].mean() > 4.5

    def test_the_path_says_which_price_was_taken(self, syn):
        model = syn[0]
        prices = [step["sparsity_lambda"] for step in model.lambda_path_]
        assert len(prices) == 20
        assert (np.diff(prices) > 0).all()
        assert prices[-1] == pytest.approx(0.09)
        (taken,) = [step for step in model.lambda_path_ if step["selected"]]
        assert taken["sparsity_lambda"] >= 0.01
        dear = [step for step in model.lambda_path_ if step["sparsity_lambda"] >= 0.01]
        best = min(dear, key=lambda step: step["validation_loss"])
        assert taken["validation_loss"] <= best["validation_loss"] + 0.01 * np.log(2) + 1e-9
        assert all(step["standard_error"] > 0 for step in model.lambda_path_)

    def test_the_history_tells_the_stages(self, syn):
        model = syn[0]
        stages = [row["stage"] for row in model.history_]
        assert list(dict.fromkeys(stages)) == ["screening", "selection", "prediction"]
        assert model.n_iter_ == len(model.history_)
        assert model.device_ == "cpu"
        # 3400 rows in steps of at most 212: 125 epochs make 2000 steps; the second time, with pieces, it ends
        # after a third of them where nothing is gained
        n_epochs = {stage: stages.count(stage) for stage in stages}
        whole = 118 if n_epochs["selection"] in (2 * 118, 118 + 41) else 125
        assert n_epochs["selection"] in (2 * whole, whole + round(0.35 * whole))
        assert n_epochs["screening"] == n_epochs["prediction"] == whole


class TestMaxFeatures:
    @pytest.mark.parametrize("rate", [0.15, 0.5])
    def test_a_rate_is_met_on_new_rows(self, rate):
        X, y, _ = make_syn(4, 1500, random_state=SEED)
        # after few epochs a selector may still give all rows the same columns, and half a column cannot be
        model = classifier(max_features=rate, max_epochs=40).fit(X, y)
        new = make_syn(4, 3000, random_state=3 + SEED)[0]
        assert model.get_rationale(new).mean() == pytest.approx(rate, abs=0.03)
        assert model.mean_n_selected_ == pytest.approx(11 * rate, abs=0.2)

    @pytest.mark.parametrize("k", [1, 3])
    @pytest.mark.parametrize("make", [classifier, regressor])
    def test_a_number_is_exact_in_every_row(self, make, k):
        X, y = line() if make is regressor else classes()
        model = make(max_features=k).fit(X, y)
        assert (model.get_rationale(line(1000, seed=1)[0]).sum(axis=1) == k).all()
        assert model.mean_n_selected_ == pytest.approx(k)
        assert model.selection_frequencies_[0] > 0.5

    @pytest.mark.parametrize("k", [6, 50])
    def test_all_columns_warn_and_use_all_that_vary(self, k):
        X, y = binary()
        X[:, 4] = 2.0
        with pytest.warns(UserWarning, match=f"max_features={k} is no limit for 6 columns"):
            model = classifier(max_features=k).fit(X, y)
        np.testing.assert_array_equal(model.get_rationale(X), np.tile(np.arange(6) != 4, (400, 1)))

    def test_fewer_columns_than_all_do_not_warn(self):
        X, y = binary()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = classifier(max_features=5, max_epochs=2).fit(X, y)
        assert (model.get_rationale(X).sum(axis=1) == 5).all()

    @pytest.mark.parametrize("wanted", [None, 0.9, 4])
    def test_columns_that_never_vary_are_never_selected(self, wanted):
        X, y = binary()
        X[:, 3], X[:, 5] = 7.0, np.nan
        model = classifier(max_features=wanted).fit(X, y)
        new = line(300, seed=1)[0]  # where they vary
        assert not model.get_rationale(new)[:, [3, 5]].any()
        assert (model.feature_importances_[[3, 5]] == 0).all()
        np.testing.assert_array_equal(model.explain(new).values[:, [3, 5]], 0)


class TestMask:
    def test_hidden_cells_may_be_anything(self, mixed_model):
        model, X, _ = mixed_model
        mask = np.random.RandomState(1 + SEED).rand(*X.shape) < 0.5
        expected = model.predict_proba(X, mask=mask)
        for values in (
            {"size": np.nan, "city": "Rome", "grade": "never seen", "count": -1e12, "constant": 8.0},
            {"size": 1e9, "city": None, "grade": None, "count": np.nan, "constant": np.nan},
        ):
            changed = X.astype({"city": object, "grade": object})
            for j, name in enumerate(X.columns):
                changed[name] = changed[name].where(mask[:, j], values[name])
            changed["grade"] = pd.Categorical(changed["grade"], categories=["low", "high", "never seen"])
            np.testing.assert_array_equal(model.predict_proba(changed, mask=mask), expected)
        shown = X.assign(size=X["size"] + 3)
        assert not np.array_equal(model.predict_proba(shown, mask=mask), expected)

    def test_without_a_mask_it_is_the_rationale(self, three):
        model, X, _ = three
        mask = model.get_rationale(X)
        assert mask.dtype == bool
        assert mask.shape == X.shape
        for ask in (model.predict, model.predict_proba, model.decision_function):
            np.testing.assert_array_equal(ask(X), ask(X, mask=mask))
            np.testing.assert_array_equal(ask(X), ask(X, mask=mask.tolist()))
        nothing = np.zeros_like(mask)
        assert not np.array_equal(model.predict_proba(X), model.predict_proba(X, mask=nothing))

    def test_numbers_are_predicted_from_a_mask_too(self):
        X, y = line()
        model = regressor(max_features=2).fit(X, y)
        np.testing.assert_array_equal(model.predict(X), model.predict(X, mask=model.get_rationale(X)))
        mask = np.tile(np.arange(6) == 0, (len(X), 1))
        # from the first column alone its part of the sum follows
        answer = model.predict(X, mask=mask)
        assert np.corrcoef(answer, X[:, 0])[0, 1] > 0.95
        moved = X + 5 * ~mask
        np.testing.assert_array_equal(model.predict(moved, mask=mask), answer)

    def test_rows_without_any_cell_are_predicted_by_frequencies(self, three):
        model, X, y = three
        mask = np.zeros(X.shape, bool)
        mask[0] = model.get_rationale(X[:1])
        answer = model.predict_proba(X, mask=mask)
        frequencies = [(y == label).mean() for label in model.classes_]
        np.testing.assert_allclose(answer[1:], np.tile(frequencies, (len(X) - 1, 1)))
        np.testing.assert_allclose(answer[0], model.predict_proba(X[:1])[0])
        assert answer[0].max() > 0.5

    @pytest.mark.parametrize(
        ("mask", "got"),
        [
            (np.ones((400, 5), bool), r"array of bool of shape \(400, 5\)"),
            (np.ones(400, bool), r"array of bool of shape \(400,\)"),
            (np.ones((1, 6), bool), r"array of bool of shape \(1, 6\)"),
            (np.ones((400, 6)), r"array of float64 of shape \(400, 6\)"),
            (np.ones((400, 6), int), "array of int64"),
        ],
    )
    def test_another_mask_is_refused(self, three, mask, got):
        model, X, _ = three
        for ask in (model.predict, model.predict_proba, model.decision_function):
            with pytest.raises(ValueError, match=rf"mask must be a bool array of shape \(400, 6\).*{got}"):
                ask(X, mask=mask)


class TestScreening:
    def test_columns_of_noise_are_left_out(self):
        X, y = line(500, 24)
        model = regressor(max_epochs=20).fit(X, y)
        assert {0, 1} <= set(model._model.columns)
        assert len(model._model.columns) < 10
        assert not model.get_rationale(X)[:, np.setdiff1d(np.arange(24), model._model.columns)].any()
        assert "screening" in {row["stage"] for row in model.history_}

    @pytest.mark.parametrize(("d", "screening"), [(24, False), (20, True)])
    def test_without_it_all_columns_take_part(self, d, screening):
        X, y = binary(300, d)
        model = classifier(screening=screening, max_epochs=3).fit(X, y)
        assert model._model.columns.tolist() == list(range(d))
        assert "screening" not in {row["stage"] for row in model.history_}

    def test_as_many_columns_are_left_as_a_row_shall_have(self):
        X, y = binary(300, 24)
        model = classifier(max_features=9, max_epochs=8).fit(X, y)
        assert len(model._model.columns) >= 9


class TestTargets:
    def test_three_classes_with_text_labels(self, three):
        model, X, y = three
        assert model.classes_.tolist() == ["low", "mid", "top"]
        assert model.score(X, y) > 0.75
        assert model.predict_proba(X).shape == model.decision_function(X).shape == (400, 3)
        np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
        np.testing.assert_array_equal(model.predict(X), model.classes_[model.predict_proba(X).argmax(axis=1)])
        assert set(model.predict(X)) == set(model.classes_)
        assert model.selection_frequencies_[0] > 0.5

    def test_one_class_needs_no_columns(self):
        X, _ = line(200)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = classifier().fit(X, np.full(200, "yes"))
        assert set(model.predict(X)) == {"yes"}
        np.testing.assert_array_equal(model.predict_proba(X), np.ones((200, 1)))
        assert not model.get_rationale(X).any()
        assert model.mean_n_selected_ == 0
        assert model.empty_rate_ == 1
        assert (model.feature_importances_ == 0).all()
        assert model.history_ == []

    def test_a_constant_number_needs_no_columns(self):
        X, _ = line(200)
        model = regressor().fit(X, np.full(200, 3.5))
        np.testing.assert_allclose(model.predict(X), 3.5)
        assert not model.get_rationale(X).any()
        assert not hasattr(model, "class_frequencies_")

    def test_without_a_column_that_varies_the_frequencies_are_predicted(self):
        y = np.repeat([0, 1, 2], [30, 60, 90])
        model = classifier().fit(np.ones((180, 2)), y)
        np.testing.assert_allclose(model.predict_proba(np.ones((2, 2))), [[1 / 6, 1 / 3, 1 / 2]] * 2)
        model = classifier().fit(np.ones((90, 2)), y[:90])
        np.testing.assert_allclose(model.predict_proba(np.ones((1, 2))), [[1 / 3, 2 / 3]])

    @pytest.mark.parametrize("make", [classifier, regressor])
    def test_twenty_rows_are_few_but_enough(self, make):
        X, y = line(20)
        y = y if make is regressor else y > 0
        model = make(max_epochs=25).fit(X, y)
        assert model.score(X, y) > 0.6
        assert model.lambda_path_ == []  # nothing to compare on
        assert {row["stage"] for row in model.history_} == {"selection", "prediction"}

    def test_numbers_are_predicted_in_the_units_of_the_target(self):
        X, y = line()
        one = regressor(max_features=2).fit(X, y)
        other = clone(one).fit(X, 1024 * y + 512)
        np.testing.assert_allclose(other.predict(X), 1024 * one.predict(X) + 512, rtol=1e-3, atol=1)
        assert one.score(*line(seed=1)) > 0.9


class TestSelect:
    def test_selected_cells_are_kept_and_others_missing(self, mixed_model):
        model, X, _ = mixed_model
        mask = model.get_rationale(X)
        shown = model.select(X)
        assert list(shown.columns) == list(X.columns)
        assert (shown.dtypes == X.dtypes).all()
        assert mask.any()
        assert not mask.all()
        for j, name in enumerate(X.columns):
            assert shown[name][~mask[:, j]].isna().all()
            pd.testing.assert_series_equal(shown[name][mask[:, j]], X[name][mask[:, j]])

    def test_the_index_is_kept(self, mixed_model):
        model, X, _ = mixed_model
        X = X.iloc[:20].set_axis([f"row {i}" for i in range(20)])
        assert list(model.select(X).index) == list(X.index)

    def test_arrays_become_tables(self, three):
        model, X, _ = three
        mask = model.get_rationale(X)
        shown = model.select(X)
        assert list(shown.columns) == ["x0", "x1", "x2", "x3", "x4", "x5"]
        np.testing.assert_array_equal(shown.to_numpy(), np.where(mask, X, np.nan))


class TestSummaries:
    @pytest.mark.parametrize("weighted", [False, True])
    def test_frequencies_are_those_of_training_rows(self, weighted):
        X, y = classes()
        weight = np.random.RandomState(1 + SEED).rand(400) + 0.1 if weighted else np.ones(400)
        model = classifier(max_features=0.4).fit(X, y, sample_weight=weight if weighted else None)
        mask, predicted = model.get_rationale(X), model.predict(X)
        np.testing.assert_allclose(model.selection_frequencies_, np.average(mask, axis=0, weights=weight))
        assert model.mean_n_selected_ == pytest.approx(np.average(mask.sum(axis=1), weights=weight))
        assert model.empty_rate_ == pytest.approx(np.average(~mask.any(axis=1), weights=weight))
        assert model.feature_importances_.sum() == pytest.approx(1)
        np.testing.assert_allclose(
            model.feature_importances_ * model.mean_n_selected_, model.selection_frequencies_
        )
        shares = np.array([weight[predicted == label].sum() for label in model.classes_]) / weight.sum()
        assert (shares > 0).all()
        np.testing.assert_allclose(shares @ model.class_frequencies_, model.selection_frequencies_)
        row = mask[predicted == "top"]
        np.testing.assert_allclose(
            model.class_frequencies_[2], np.average(row, axis=0, weights=weight[predicted == "top"])
        )

    def test_a_class_that_is_never_predicted_has_no_frequencies(self):
        X, y = binary()
        y = y.copy()
        y[:2] = "rare"
        model = classifier(max_epochs=5).fit(X, y)
        assert "rare" not in model.predict(X)
        assert np.isnan(model.class_frequencies_).all(axis=1).tolist() == [False, True, False]

    def test_explanations_say_which_cells_are_used_and_how_much_they_were_wanted(self, three):
        model, X, _ = three
        explanation = model.explain(X)
        mask = model.get_rationale(X)
        assert explanation.kind == "rationale"
        assert explanation.link == "softmax"
        np.testing.assert_array_equal(explanation.mask, mask)
        logits = model._model.logits(X)
        np.testing.assert_allclose(explanation.values, np.where(mask, expit(logits), 0))
        assert (explanation.values[mask] > 0.5).all()
        assert explanation.meta["rate"] == mask.mean()
        nothing = model.decision_function(X[:1], mask=np.zeros((1, 6), bool))
        np.testing.assert_allclose(explanation.meta["base_scores"], nothing[0])
        assert explanation.output_names == ("prediction",)
        np.testing.assert_array_equal(explanation.data, X)

    @pytest.mark.parametrize("wanted", [2, 0.3, 0.99])
    def test_wanted_columns_are_wanted_with_more_than_one_half(self, wanted):
        X, y = binary()
        model = classifier(max_features=wanted, max_epochs=5).fit(X, y)
        explanation = model.explain(X)
        np.testing.assert_array_equal(explanation.values > 0.5, explanation.mask)
        np.testing.assert_array_equal(explanation.values > 0, explanation.mask)
        assert explanation.base_values == pytest.approx(explanation.meta["base_scores"][0])


class TestParameters:
    @pytest.mark.parametrize(
        ("fill", "relaxation"),
        [("marginal", "gumbel"), ("zero", "soft"), ("mean", "soft"), ("token", "soft"), ("token", "gumbel")],
    )
    def test_all_fills_and_gates_find_what_matters(self, fill, relaxation):
        X, y = line()
        model = regressor(fill=fill, relaxation=relaxation, max_features=2).fit(X, y)
        assert model.score(X, y) > 0.8
        assert model.selection_frequencies_[:2].min() > 0.5

    def test_fills_and_gates_make_a_difference(self):
        X, y = binary()
        changes = [{}, {"fill": "zero"}, {"fill": "token"}, {"relaxation": "gumbel"}]
        answers = [classifier(max_epochs=3, **change).fit(X, y).explain(X).values for change in changes]
        assert all(not np.array_equal(answers[i], answers[j]) for i in range(4) for j in range(i))

    def test_a_learnt_fill_is_not_what_it_was_at_first(self):
        X, y = binary()
        models = [classifier(preset="paper", fill=fill).fit(X, y) for fill in ("zero", "token")]
        for model in models:  # the paper has zeros, whatever is asked
            np.testing.assert_array_equal(model._model.fill, np.zeros(6))
        np.testing.assert_array_equal(models[0].predict_proba(X), models[1].predict_proba(X))

    def test_a_dearer_column_is_used_less(self):
        X = line()[0]
        y = X @ [2.0, 1.0, 0.5, 0.3, 0.0, 0.0]  # of the variance 75 %, 19 %, 5 %, 2 %
        models = [regressor(sparsity_lambda=value, screening=False).fit(X, y) for value in (0.001, 0.1, 0.4)]
        counts = [model.mean_n_selected_ for model in models]
        assert counts[0] > counts[1] + 0.5 > counts[2] + 1
        for model, value in zip(models, (0.001, 0.1, 0.4), strict=True):
            assert [step["sparsity_lambda"] for step in model.lambda_path_] == [value]

    def test_columns_may_cost_nothing(self):
        X, y = binary()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = classifier(sparsity_lambda=0.0, max_epochs=2).fit(X, y)
        assert [step["sparsity_lambda"] for step in model.lambda_path_] == [0.0]

    def test_a_price_that_no_column_is_worth_warns(self):
        X, y = binary()
        with pytest.warns(UserWarning, match="No column is selected in any row"):
            model = classifier(sparsity_lambda=50.0).fit(X, y)
        assert model.empty_rate_ == 1
        assert model.mean_n_selected_ == 0
        assert (model.feature_importances_ == 0).all()
        answer = model.predict_proba(X)
        assert (answer == answer[0]).all()

    def test_without_early_stopping_all_rows_are_used_to_the_end(self, three):
        X, y = binary()
        stopped, whole = (classifier(early_stopping=value, max_epochs=6).fit(X, y) for value in (True, False))
        last = [[row for row in model.history_ if row["stage"] == "prediction"] for model in (stopped, whole)]
        assert "valid_loss" in last[0][0]
        assert "valid_loss" not in last[1][0]
        assert len(last[1]) == 6  # as many as in the second stage
        # what comes before is the same
        np.testing.assert_array_equal(stopped.get_rationale(X), whole.get_rationale(X))
        assert not np.array_equal(stopped.predict_proba(X), whole.predict_proba(X))
        assert whole.score(X, y) > 0.8

    def test_few_epochs_without_improvement_stop_the_last_stage(self):
        X, y = binary()
        y = np.random.RandomState(SEED).permutation(y)
        model = classifier(max_epochs=15, n_iter_no_change=2).fit(X, y)
        assert [row["stage"] for row in model.history_].count("prediction") < 15

    def test_numbers_are_seen_in_pieces_where_that_is_clearly_better(self):
        rng = np.random.RandomState(SEED)
        X = rng.uniform(-1, 1, (2600, 3))
        smooth, steps = X[:, 0] + rng.normal(size=2600), np.sign(np.sin(12 * X[:, 0])) + X[:, 1]
        settings = {"weight_decay": "auto", "max_epochs": 12}
        models = {name: regressor(**settings).fit(X, y) for name, y in (("x", smooth), ("steps", steps))}
        assert models["x"]._model.encoder.n_pieces == 0
        assert models["steps"]._model.encoder.n_pieces > 0
        assert models["steps"].score(X, steps) > 0.8
        few = regressor(**settings).fit(X[:500], steps[:500])
        assert few._model.encoder.n_pieces == 0  # not tried

    def test_categories_have_no_pieces_to_try(self):
        X = pd.DataFrame(np.random.RandomState(SEED).choice(list("abc"), (2600, 2)))
        y = (X[0] == "a").astype(float)
        model = regressor(weight_decay="auto", max_epochs=3).fit(X, y)
        assert [row["stage"] for row in model.history_].count("selection") == 3

    @pytest.mark.parametrize(("decay", "n_paths"), [("auto", 3), (0.003, 1)])
    def test_a_given_decay_leaves_nothing_to_compare(self, decay, n_paths):
        X, y = binary(400, 24)
        model = classifier(weight_decay=decay, max_epochs=4).fit(X, y)
        stages = [row["stage"] for row in model.history_]
        assert stages.count("selection") == 4 * n_paths
        assert stages.count("screening") == 4

    def test_validation_rows_are_as_many_as_asked(self):
        X, y = binary(60)
        assert classifier(validation_fraction=0.1, max_epochs=2).fit(X, y).lambda_path_ == []
        assert len(classifier(validation_fraction=0.5, max_epochs=2).fit(X, y).lambda_path_) == 2

    def test_callbacks_are_called_in_all_stages(self):
        from skorch.callbacks import Callback

        class Count(Callback):
            n = 0

            def on_epoch_end(self, net, **kwargs):
                self.n += 1

        X, y = binary()
        counter = Count()
        model = classifier(callbacks=[counter], max_epochs=3).fit(X, y)
        assert counter.n == model.n_iter_


class TestPaper:
    def test_predictions_are_made_without_noise(self):
        X, y = binary()
        model = classifier(preset="paper", max_features=0.5).fit(X, y)
        first = model.predict_proba(X)
        np.testing.assert_array_equal(model.predict_proba(X), first)
        np.testing.assert_array_equal(clone(model).fit(X, y).predict_proba(X), first)
        assert model.score(X, y) > 0.8
        assert {row["stage"] for row in model.history_} == {"selection"}
        # the mask is that of logits, not of a rate
        np.testing.assert_array_equal(model.get_rationale(X), model._model.logits(X) > 0)

    @pytest.mark.filterwarnings("ignore:No column is selected")
    def test_the_target_moves_the_mean_number(self):
        X, y, _ = make_syn(4, 1000, random_state=SEED)
        settings = {"preset": "paper", "sparsity_lambda": 1.0}
        models = [classifier(max_features=rate, **settings).fit(X, y) for rate in (0.2, 0.9)]
        counts = [model.mean_n_selected_ for model in models]
        assert counts[0] + 2 < counts[1]

    @pytest.mark.filterwarnings("ignore:No column is selected")
    def test_its_rate_is_a_tenth_unless_another_is_given(self):
        X, y = binary()
        models = [
            classifier(preset="paper", max_features=rate, max_epochs=2).fit(X, y) for rate in (None, 0.1, 0.3)
        ]
        values = [model._model.logits(X) for model in models]
        np.testing.assert_array_equal(values[0], values[1])
        assert not np.array_equal(values[0], values[2])

    def test_a_number_is_exact(self):
        X, y = classes()
        model = classifier(preset="paper", max_features=2).fit(X, y)
        assert (model.get_rationale(X).sum(axis=1) == 2).all()

    def test_hidden_cells_are_without_influence(self):
        X, y = line()
        model = regressor(preset="paper", max_features=0.5, early_stopping=False).fit(X, y)
        mask = np.random.RandomState(SEED).rand(*X.shape) < 0.5
        np.testing.assert_array_equal(
            model.predict(np.where(mask, X, 1e6), mask=mask), model.predict(X, mask=mask)
        )
        assert "valid_loss" not in model.history_[0]


class TestWeights:
    def test_rows_without_weight_have_no_influence(self):
        X, y = classes()
        kept = np.random.RandomState(1 + SEED).rand(400) < 0.7
        X[~kept] = 50.0
        weighted = classifier().fit(X, y, sample_weight=kept.astype(float))
        left_out = classifier().fit(X[kept], y[kept])
        np.testing.assert_array_equal(weighted.get_rationale(X), left_out.get_rationale(X))
        np.testing.assert_allclose(weighted.predict_proba(X), left_out.predict_proba(X), rtol=1e-6)
        np.testing.assert_allclose(weighted.selection_frequencies_, left_out.selection_frequencies_)

    def test_weights_are_relative(self):
        X, y = binary()
        weight = np.random.RandomState(1 + SEED).randint(1, 4, 400).astype(float)
        one, other = (classifier(max_epochs=3).fit(X, y, sample_weight=weight * unit) for unit in (1, 8))
        np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))

    def test_a_class_of_more_weight_is_predicted_more_often(self):
        X, y = binary()
        y = np.where(np.random.RandomState(1 + SEED).rand(400) < 0.25, np.where(y == "yes", "no", "yes"), y)
        plain = classifier().fit(X, y)
        weighted = classifier().fit(X, y, sample_weight=np.where(y == "yes", 5, 1))
        order = np.concatenate([np.arange(400), *[np.flatnonzero(y == "yes")] * 4])
        repeated = classifier().fit(X[order], y[order])
        shares = [(model.predict(X) == "yes").mean() for model in (plain, weighted, repeated)]
        assert shares[1] > shares[0] + 0.2
        assert shares[1] == pytest.approx(shares[2], abs=0.15)
        means = [model.predict_proba(X)[:, 1].mean() for model in (plain, weighted, repeated)]
        assert means[1] > means[0] + 0.15
        assert means[1] == pytest.approx(means[2], abs=0.08)

    def test_weights_reach_the_selection(self):
        X, _ = line()
        # the first half of the rows rests on one column, the other on another one
        half = np.arange(400) < 200
        y = np.where(half, X[:, 0], X[:, 3])
        for rows, column in ((half, 0), (~half, 3)):
            model = regressor(max_features=1).fit(X, y, sample_weight=np.where(rows, 20.0, 1.0))
            assert model.selection_frequencies_.argmax() == column
            assert model.selection_frequencies_[column] > 0.7
