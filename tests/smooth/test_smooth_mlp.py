"""What one may expect of SmoothMLPRegressor and SmoothMLPClassifier beyond the promises of all estimators."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
import torch
from seeds import SEED
from sklearn.base import clone
from sklearn.datasets import load_iris, make_blobs, make_friedman1
from skorch.callbacks import Callback

from skrationale.smooth._estimator import SmoothMLPClassifier, SmoothMLPRegressor
from skrationale.smooth._path import admissible
from skrationale.smooth.base import LAMBDAS, check_lambdas

FAST = {"hidden_layer_sizes": (24, 24), "max_epochs": 40, "random_state": SEED}
GRID = (0.0, 0.01, 0.3)


@pytest.fixture(scope="module")
def waves():
    return make_friedman1(300, n_features=6, noise=1.0, random_state=SEED)


@pytest.fixture(scope="module")
def path(waves):
    """A regressor that was trained along a short path."""
    return SmoothMLPRegressor(jacobian_lambdas=GRID, **FAST).fit(*waves)


def regressor(jacobian_lambda=0.01, **settings):
    return SmoothMLPRegressor(jacobian_lambda=jacobian_lambda, **{**FAST, **settings})


def classifier(jacobian_lambda=0.01, **settings):
    return SmoothMLPClassifier(jacobian_lambda=jacobian_lambda, **{**FAST, **settings})


def blobs(n_classes, names=False, n=240):
    X, y = make_blobs(n, centers=n_classes, n_features=3, cluster_std=1.0, random_state=1 + SEED)
    return X, np.array([f"class {label}" for label in y]) if names else y


class TestLambda:
    def test_a_larger_lambda_gives_a_flatter_network_that_still_predicts(self, waves):
        fits = [regressor(value).fit(*waves) for value in (0, 0.1, 1.0)]
        norms = [fit.mean_grad_norm_ for fit in fits]
        assert norms[0] > 1.05 * norms[1] > 1.1 * norms[2]
        assert [fit.lambda_ for fit in fits] == [0, 0.1, 1.0]
        assert fits[1].score(*waves) > 0.7

    def test_lambda_has_no_unit(self, waves):
        X, y = waves
        one = regressor("auto", jacobian_lambdas=GRID, device="cpu").fit(X, y)
        # powers of two, so that standardising gives the same numbers to the last bit
        other = clone(one).fit(X * 1024, y * 1024)
        assert other.lambda_ == one.lambda_
        assert other.mean_grad_norm_ == pytest.approx(one.mean_grad_norm_, rel=1e-9)
        np.testing.assert_allclose(other.predict(X * 1024), one.predict(X) * 1024, rtol=1e-9)
        metres = regressor(max_epochs=5).fit(X, y)
        millimetres = regressor(max_epochs=5).fit(X * 1000, y * 1000 + 7)
        np.testing.assert_allclose(millimetres.predict(X * 1000), metres.predict(X) * 1000 + 7, rtol=1e-3)

    def test_mean_grad_norm_is_measured_in_standard_units_of_held_out_rows(self, waves):
        X, y = waves
        model = regressor(early_stopping=False, validation_fraction=0.5).fit(X, y)
        step = 1e-5 * X.std(0)
        slopes = [
            (model.predict(X + move) - model.predict(X - move)) / 2e-5 / y.std() for move in np.diag(step)
        ]
        assert model.mean_grad_norm_ == pytest.approx(np.linalg.norm(slopes, axis=0).mean(), rel=1e-4)
        importances = np.abs(slopes).mean(1)
        np.testing.assert_allclose(model.feature_importances_, importances / importances.sum(), rtol=1e-4)

    @pytest.mark.parametrize("penalty", ["jacobian", "lipschitz", "spectral", "hessian", None])
    @pytest.mark.parametrize("make", [regressor, classifier])
    def test_all_penalties_train(self, make, penalty):
        X, y = blobs(5)
        model = make(0.01, penalty=penalty, activation="tanh").fit(X, y)
        assert model.score(X, y) > 0.5
        assert np.isfinite(model.mean_grad_norm_)

    @pytest.mark.parametrize("penalty", ["jacobian", "lipschitz", "spectral"])
    def test_each_gradient_penalty_flattens_a_steep_function(self, penalty):
        X = np.random.RandomState(SEED).uniform(-1, 1, (200, 1))
        y = np.sin(6 * X[:, 0])
        rough, smooth = (regressor(value, penalty=penalty, lr=0.03).fit(X, y) for value in (0, 0.3))
        assert smooth.mean_grad_norm_ < 0.9 * rough.mean_grad_norm_

    def test_the_hessian_penalty_straightens(self):
        X = np.linspace(-1, 1, 200)[:, None]
        y = np.sin(6 * X[:, 0])
        rough, smooth = (regressor(value, penalty="hessian", lr=0.03).fit(X, y) for value in (0, 0.3))

        def bend(model):
            return np.abs(np.diff(model.predict(X), 2)).sum()

        assert bend(smooth) < 0.7 * bend(rough)

    def test_without_a_penalty_there_is_no_path(self, waves):
        model = regressor("auto", penalty=None, max_epochs=3).fit(*waves)
        assert [step["jacobian_lambda"] for step in model.lambda_path_] == [0.0]


class TestPath:
    def test_each_lambda_is_reported_and_one_selected(self, path):
        assert tuple(step["jacobian_lambda"] for step in path.lambda_path_) == GRID
        selected = [step for step in path.lambda_path_ if step["selected"]]
        assert [step["jacobian_lambda"] for step in selected] == [path.lambda_]
        assert selected[0]["admissible"]
        assert selected[0]["mean_grad_norm"] == path.mean_grad_norm_
        for step in path.lambda_path_:
            assert step["validation_loss"] > 0
            assert step["standard_error"] > 0
            assert step["seconds"] > 0
        norms = [step["mean_grad_norm"] for step in path.lambda_path_]
        assert norms[0] > 1.05 * norms[2]
        assert sum(step["n_iter"] for step in path.lambda_path_) == path.n_iter_ == len(path.history_)
        assert {row["jacobian_lambda"] for row in path.history_} == set(GRID)

    def test_the_default_path_rises_from_zero(self, waves):
        model = SmoothMLPRegressor(**{**FAST, "max_epochs": 5}).fit(*waves)
        assert [step["jacobian_lambda"] for step in model.lambda_path_] == list(LAMBDAS)
        assert [step["n_iter"] for step in model.lambda_path_] == [5] + [1] * 8

    def test_at_lambda_gives_what_the_path_recorded(self, path, waves):
        X, y = waves
        predictions = []
        for step in path.lambda_path_:
            model = path.at_lambda(step["jacobian_lambda"])
            assert model.lambda_ == step["jacobian_lambda"]
            assert model.mean_grad_norm_ == step["mean_grad_norm"]
            assert [s["jacobian_lambda"] for s in model.lambda_path_ if s["selected"]] == [model.lambda_]
            assert [s["admissible"] for s in model.lambda_path_] == [
                s["admissible"] for s in path.lambda_path_
            ]
            predictions.append(model.predict(X))
            assert model.explain(X[:5]).additivity_error(predictions[-1][:5]) < 1e-7 * y.std()
        assert np.abs(predictions[0] - predictions[2]).max() > 0.01
        importances = [path.at_lambda(value).feature_importances_ for value in GRID]
        assert not np.array_equal(importances[0], importances[2])
        np.testing.assert_array_equal(path.at_lambda(path.lambda_).predict(X), path.predict(X))
        assert path.at_lambda(0) is not path

    def test_the_losses_of_the_path_are_those_of_the_networks(self, waves):
        X, y = waves
        from sklearn.model_selection import train_test_split

        model = regressor("auto", jacobian_lambdas=GRID, max_epochs=10).fit(X, y)
        seed = int(np.random.RandomState(SEED).randint(2**31 - 1))
        _, held_out = train_test_split(np.arange(len(X)), test_size=0.15, random_state=seed)
        for step in model.lambda_path_:
            residuals = (model.at_lambda(step["jacobian_lambda"]).predict(X) - y)[held_out] / y.std()
            assert step["validation_loss"] == pytest.approx((residuals**2).mean(), rel=1e-4)
            error = (residuals**2).std() / np.sqrt(len(held_out))
            assert step["standard_error"] == pytest.approx(error, rel=1e-4)

    def test_at_another_lambda_says_which_there_are(self, path):
        for wrong in (0.02, False, "0.3", None, [0.3], np.array([0.0, 0.3])):
            with pytest.raises(
                ValueError, match=rf"one of \[0.0, 0.01, 0.3\]. Got {re.escape(repr(wrong))} "
            ):
                path.at_lambda(wrong)

    def test_what_is_within_a_standard_error_of_the_best_is_admissible(self):
        same, clearly_worse = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 3.0, 4.0, 5.0])
        worse_by_chance = np.array([1.9, 1.2, 3.0, 4.0])  # by 0.025, with a standard error of about 0.23
        assert admissible([same, clearly_worse, worse_by_chance, clearly_worse]) == [0, 2]
        assert admissible([clearly_worse, same]) == [1]
        assert admissible([same]) == [0]

    def test_the_standard_error_is_that_of_differences(self):
        # losses spread widely, but one network is worse on each row by the same
        spread = np.array([0.0, 10.0, 20.0, 30.0])
        assert admissible([spread, spread + 0.1]) == [0]

    def test_too_few_rows_to_compare_take_the_usual_lambda(self, waves):
        X, y = waves
        model = regressor("auto", max_epochs=5).fit(X[:60], y[:60])
        assert [step["jacobian_lambda"] for step in model.lambda_path_] == [0.01]
        model = regressor("auto", max_epochs=5, jacobian_lambdas=(0, 0.02, 0.3)).fit(X[:60], y[:60])
        assert len(model.lambda_path_) == 3
        assert model.lambda_ == 0.02
        assert [step["admissible"] for step in model.lambda_path_] == [False, True, False]

    @pytest.mark.parametrize("n_classes", [2, 3, 6])
    @pytest.mark.parametrize("names", [False, True])
    def test_classes(self, n_classes, names):
        X, y = blobs(n_classes, names)
        model = classifier("auto", jacobian_lambdas=GRID).fit(X, y)
        assert model.lambda_ in GRID
        assert model.score(X, y) > 0.85
        assert set(model.predict(X)) <= set(y)
        scores = model.decision_function(X)
        assert scores.shape == ((len(X),) if n_classes == 2 else (len(X), n_classes))
        if n_classes > 2:
            np.testing.assert_allclose(scores.sum(1), 0, atol=1e-10)
        explanation = model.explain(X[:20])
        assert explanation.additivity_error(scores[:20]) < 1e-7

    def test_many_rare_classes_can_still_be_split(self):
        X = np.random.RandomState(SEED).normal(size=(80, 2))
        y = np.arange(80) % 40
        assert classifier("auto", jacobian_lambdas=GRID, max_epochs=2).fit(X, y).classes_.shape == (40,)
        y = np.r_[0, np.ones(79, int)]
        assert classifier(max_epochs=2).fit(X, y).predict(X).shape == (80,)


class TestEarlyStopping:
    def test_the_best_epoch_is_kept(self, waves):
        X, y = waves
        y = y + 10 * np.random.RandomState(1 + SEED).normal(size=len(y))
        model = regressor(0, max_epochs=200, n_iter_no_change=20).fit(X, y)
        losses = [row["valid_loss"] for row in model.history_]
        assert len(losses) < 200
        assert model.lambda_path_[0]["validation_loss"] == pytest.approx(min(losses), rel=1e-3)
        assert losses[-1] > 1.05 * min(losses)

    @pytest.mark.parametrize("jacobian_lambda", [0.01, "auto"])
    def test_without_it_all_epochs_are_run(self, waves, jacobian_lambda):
        settings = {"early_stopping": False, "n_iter_no_change": 1, "jacobian_lambdas": (0.0, 0.1)}
        model = regressor(jacobian_lambda, max_epochs=30, **settings).fit(*waves)
        expected = [30] if jacobian_lambda == 0.01 else [30, 5]
        assert [step["n_iter"] for step in model.lambda_path_] == expected
        assert ("valid_loss" in model.history_[0]) == (jacobian_lambda == "auto")


class InterruptStage(Callback):
    """Ctrl-C in the third epoch of the trainings from a given one on."""

    def __init__(self, stage):
        self.stage, self.started = stage, 0

    def on_train_begin(self, net, **kwargs):
        self.started += 1

    def on_epoch_end(self, net, **kwargs):
        if self.started >= self.stage and len(net.history) == 3:
            raise KeyboardInterrupt


class TestInterrupt:
    @pytest.mark.parametrize("stage", [1, 2])
    def test_early_stopping_keeps_the_best_so_far_and_ends_the_path(self, waves, stage):
        X, y = waves
        model = regressor("auto", jacobian_lambdas=GRID, callbacks=[InterruptStage(stage)])
        with pytest.warns(UserWarning, match="interrupted in epoch 3 of"):
            model.fit(X, y)
        assert len(model.lambda_path_) == stage
        assert np.isfinite(model.predict(X)).all()

    def test_else_it_is_raised_and_nothing_changes(self, path, waves):
        model = pickle.loads(pickle.dumps(path))
        before = model.predict(waves[0])
        model.set_params(early_stopping=False, callbacks=[InterruptStage(2)])
        with pytest.raises(KeyboardInterrupt):
            model.fit(*waves)
        np.testing.assert_array_equal(model.predict(waves[0]), before)


class TestExplain:
    @pytest.mark.parametrize("activation", ["silu", "tanh", "softplus", "relu"])
    def test_reasons_add_up_to_a_tiny_part_of_the_scale(self, waves, activation):
        X, y = waves
        model = regressor(0, activation=activation).fit(X, y * 1e6)
        explanation = model.explain(X)
        assert explanation.additivity_error(model.predict(X)) < 1e-7 * y.std() * 1e6
        base = explanation.base_values
        np.testing.assert_allclose(base, model.predict(X.mean(0)[None])[0], rtol=1e-9)

    def test_a_line_gives_slope_times_distance_from_the_mean(self):
        X = np.random.RandomState(SEED).normal(size=(300, 3)) * [1, 2, 5] + 3
        slopes = np.array([2.0, -1.0, 0.0])
        model = regressor(0, hidden_layer_sizes=(64,), max_epochs=150, activation="tanh").fit(X, X @ slopes)
        expected = (X - X.mean(0)) * slopes
        assert np.abs(model.explain(X).values - expected).mean() < 0.04 * expected.std()

    def test_it_is_the_integral_of_the_gradient(self):
        X = np.random.RandomState(SEED).uniform(-1, 1, (100, 2))
        model = regressor(0, max_epochs=60).fit(X, X[:, 0] * X[:, 1] + X[:, 0] ** 2)
        start, end, values = X.mean(0), X[3], model.explain(X[3:4]).values[0]
        points = (np.arange(2000) + 0.5) / 2000
        on_the_way = start + points[:, None] * (end - start)
        for j in range(2):
            step = np.eye(2)[j] * 1e-5
            slopes = (model.predict(on_the_way + step) - model.predict(on_the_way - step)) / 2e-5
            assert values[j] == pytest.approx(slopes.mean() * (end - start)[j], rel=1e-5)

    @pytest.mark.parametrize("activation", ["silu", "relu"])
    def test_columns_that_never_vary_have_no_part(self, waves, activation):
        X, y = waves
        X = np.c_[X, np.full(len(X), 7.0), np.full(len(X), np.nan)]
        values = regressor(0, activation=activation).fit(X, y).explain(X).values
        assert (values[:, -2:] == 0).all()
        assert np.isfinite(values).all()

    def test_rows_do_not_depend_on_each_other(self, path, waves):
        X = waves[0]
        whole = path.explain(X).values
        order = np.random.RandomState(SEED).permutation(len(X))
        np.testing.assert_allclose(path.explain(X[order]).values, whole[order], atol=1e-12)
        np.testing.assert_allclose(path.explain(X, batch_size=7).values, whole, atol=1e-12)
        np.testing.assert_allclose(path.explain(X[5:6]).values[0], whole[5], atol=1e-12)

    def test_levels_and_missing_values_are_summed_into_their_columns(self, mixed):
        X, score = mixed
        model = regressor().fit(X, score)
        explanation = model.explain(X)
        assert explanation.feature_names == tuple(X.columns)
        assert explanation.values.shape == X.shape
        assert explanation.additivity_error(model.predict(X)) < 1e-6
        by_city = pd.Series(explanation.values[:, 1]).groupby(X["city"].to_numpy()).mean()
        assert by_city["Ulm"] > by_city["Bonn"] + 0.5
        assert model.feature_importances_.shape == (6,)
        assert model.feature_importances_.sum() == pytest.approx(1)
        assert model.feature_importances_.argmin() == 5

    def test_three_classes_have_reasons_each(self):
        X, y = load_iris(return_X_y=True, as_frame=True)
        model = classifier().fit(X, y)
        explanation = model.explain(X)
        assert explanation.values.shape == (150, 4, 3)
        assert explanation.link == "softmax"
        assert explanation.additivity_error(model.decision_function(X)) < 1e-7
        assert explanation.meta["jacobian_lambda"] == 0.01


class TestWeights:
    @pytest.mark.parametrize("make", [regressor, classifier])
    def test_a_whole_weight_is_as_many_rows(self, make):
        rng = np.random.RandomState(SEED)
        X = rng.normal(size=(25, 3))
        y = (X[:, 0] > 0).astype(int) if make is classifier else X[:, 0] ** 2
        weight = rng.randint(0, 4, 25)
        weighted = make(max_epochs=100).fit(X, y, sample_weight=weight)
        repeated = make(max_epochs=100).fit(X.repeat(weight, 0), y.repeat(weight))
        grid = rng.normal(size=(50, 3))
        raw = "decision_function" if make is classifier else "predict"
        np.testing.assert_allclose(getattr(weighted, raw)(grid), getattr(repeated, raw)(grid), atol=1e-6)
        np.testing.assert_allclose(
            weighted.explain(grid).values, repeated.explain(grid).values, atol=1e-6, rtol=0
        )
        assert weighted.mean_grad_norm_ == pytest.approx(repeated.mean_grad_norm_, rel=1e-6)
        np.testing.assert_allclose(weighted.feature_importances_, repeated.feature_importances_, atol=1e-6)

    def test_rows_of_weight_zero_are_left_out(self, waves):
        X, y = waves
        X, y = np.r_[X, X + 100], np.r_[y, 1e6 - y]
        weight = np.arange(len(X)) < len(X) // 2
        ours = regressor(max_epochs=5).fit(X, y, sample_weight=weight)
        expected = regressor(max_epochs=5).fit(X[weight], y[weight]).predict(X)
        np.testing.assert_allclose(ours.predict(X), expected, rtol=1e-6)

    def test_weights_pull(self):
        X = np.random.RandomState(SEED).normal(size=(200, 1))
        y = np.tile([0.0, 1.0], 100)
        weight = np.where(y == 1, 9.0, 1.0)
        mean = regressor().fit(X, y, sample_weight=weight).predict(X).mean()
        assert mean == pytest.approx(0.9, abs=0.05)


class TestChance:
    def test_a_seed_of_numpy_or_none(self, waves):
        X, y = waves
        one = regressor(max_epochs=3, random_state=np.random.RandomState(3 + SEED)).fit(X, y)
        two = regressor(max_epochs=3, random_state=np.random.RandomState(3 + SEED)).fit(X, y)
        np.testing.assert_array_equal(one.predict(X), two.predict(X))
        first, second = (regressor(max_epochs=3, random_state=None).fit(X, y).predict(X) for _ in range(2))
        assert not np.array_equal(first, second)

    def test_global_generators_are_left_alone(self, waves):
        X, y = waves
        np_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
        model = classifier("auto", max_epochs=2, penalty="hessian").fit(*blobs(6))
        model.predict(X[:, :3])
        model.explain(X[:9, :3])
        model.at_lambda(0.0).predict_proba(X[:, :3])
        np.testing.assert_array_equal(np.random.get_state()[1], np_state)  # noqa: NPY002
        assert torch.equal(torch.get_rng_state(), torch_state)


class TestInput:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"jacobian_lambda": -0.1}, "'jacobian_lambda' parameter .* Got -0.1"),
            ({"jacobian_lambda": "much"}, "'jacobian_lambda' parameter .* Got 'much'"),
            ({"jacobian_lambda": np.inf}, "'jacobian_lambda' parameter .* Got inf"),
            (
                {"jacobian_lambdas": [0.1, 0.01]},
                "'jacobian_lambdas' parameter .* increasing .* Got \\[0.1, 0.01",
            ),
            ({"jacobian_lambdas": [-1, 0.01]}, "'jacobian_lambdas' parameter"),
            ({"jacobian_lambdas": []}, "'jacobian_lambdas' parameter"),
            ({"jacobian_lambdas": [0.1, np.nan]}, "'jacobian_lambdas' parameter"),
            ({"penalty": "hope"}, "'penalty' parameter .* Got 'hope'"),
            ({"penalty_fraction": 0}, "'penalty_fraction' parameter"),
            ({"activation": "sine"}, "'activation' parameter"),
            ({"hidden_layer_sizes": ()}, "'hidden_layer_sizes' parameter .* Got \\(\\)"),
            ({"hidden_layer_sizes": (8, 0.5)}, "'hidden_layer_sizes' parameter"),
            ({"max_epochs": 0}, "'max_epochs' parameter"),
            ({"device": "abacus"}, "device.*got 'abacus'"),
        ],
    )
    def test_bad_parameters_are_named(self, waves, settings, message):
        with pytest.raises(ValueError, match=message):
            SmoothMLPRegressor(**settings).fit(*waves)

    def test_lambdas_must_rise(self):
        for lambdas in ([0.1, 0.1], "auto", None, [[0.1]], ["0.1"], [True, False]):
            with pytest.raises(ValueError, match=r"'jacobian_lambdas' parameter of Owner .* Got"):
                check_lambdas("Owner", lambdas)
        check_lambdas("Owner", np.array([0, 1]))

    def test_targets_that_do_not_fit_the_estimator(self, waves):
        X, y = waves
        with pytest.raises(ValueError, match="y holds text.*SmoothMLPClassifier"):
            regressor().fit(X, np.where(y > 10, "yes", "no"))
        with pytest.raises(ValueError, match="Unknown label type: continuous"):
            classifier().fit(X, y)
        with pytest.raises(ValueError, match="at least two classes. Got 1 class"):
            classifier().fit(X, np.ones(len(X), int))

    def test_a_constant_target_needs_no_training(self, waves):
        X, y = waves
        model = SmoothMLPRegressor().fit(X, np.full(len(y), 0.1))
        np.testing.assert_allclose(model.predict(X), 0.1, rtol=1e-12)
        assert (model.explain(X).values == 0).all()
        assert model.n_iter_ == 0
        assert model.mean_grad_norm_ == 0

    def test_read_only_arrays_numbers_as_objects_and_sizes_as_an_array(self, waves):
        X, y = (array.copy() for array in waves)
        X.flags.writeable = y.flags.writeable = False
        model = regressor(max_epochs=3, hidden_layer_sizes=np.array([8, 8])).fit(X, y.astype(object))
        assert model.predict(X).shape == y.shape
        assert model.explain(X).values.shape == X.shape

    def test_callbacks_are_called(self, waves):
        class Count(Callback):
            epochs = 0

            def on_epoch_end(self, net, **kwargs):
                Count.epochs += 1

        model = regressor("auto", jacobian_lambdas=GRID, max_epochs=5, callbacks=[Count()]).fit(*waves)
        assert Count.epochs == model.n_iter_ == 5 + 1 + 1

    def test_a_pickle_holds_arrays_only(self, path, waves):
        text = pickle.dumps(path)
        assert b"torch" not in text
        copy = pickle.loads(text)
        np.testing.assert_array_equal(copy.predict(waves[0]), path.predict(waves[0]))
        np.testing.assert_array_equal(
            copy.at_lambda(0.3).predict(waves[0]), path.at_lambda(0.3).predict(waves[0])
        )
