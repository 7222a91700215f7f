import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from seeds import SEED
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrationale import GBDT2NNStudent

FAST = {"hidden_layer_sizes": (32, 32), "max_epochs": 15, "n_synthetic": 0, "random_state": SEED}


def regressor(**parameters):
    return LGBMRegressor(
        **{
            "n_estimators": 40,
            "num_leaves": 15,
            "verbose": -1,
            "n_jobs": 1,
            "min_child_samples": 5,
            **parameters,
        }
    )


def classifier(**parameters):
    return LGBMClassifier(
        **{
            "n_estimators": 30,
            "num_leaves": 7,
            "verbose": -1,
            "n_jobs": 1,
            "min_child_samples": 5,
            **parameters,
        }
    )


@pytest.fixture(scope="module")
def friedman():
    rng = np.random.RandomState(SEED)
    X = rng.rand(1200, 5)
    return X, 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 5 * X[:, 3]


@pytest.fixture(scope="module")
def student(friedman):
    X, y = friedman
    return GBDT2NNStudent(
        regressor(n_estimators=100), hidden_layer_sizes=(64, 64), max_epochs=60, random_state=SEED
    ).fit(X[:900], y[:900])


def test_the_student_agrees_with_its_teacher_on_new_rows(student, friedman):
    X, y = friedman
    fidelity = student.fidelity(X[900:], y[900:])
    assert fidelity["prediction_r2"] > 0.98
    assert fidelity["explanation_r2"] > 0.97
    assert fidelity["top1_agreement"] > 0.85
    assert fidelity["score"] > fidelity["teacher_score"] - 0.02


def test_a_second_seed_is_as_good(student, friedman):
    X, y = friedman
    other = GBDT2NNStudent(student.teacher, hidden_layer_sizes=(64, 64), max_epochs=60, random_state=1 + SEED)
    other.fit(X[:900], y[:900])
    first, second = (m.fidelity(X[900:])["prediction_r2"] for m in (student, other))
    assert abs(first - second) < 0.01


def test_imitating_reasons_is_what_makes_them_faithful(student, friedman):
    X, y = friedman
    careless = GBDT2NNStudent(
        student.teacher,
        hidden_layer_sizes=(64, 64),
        max_epochs=60,
        random_state=SEED,
        explanation_lambda=1e-9,
    ).fit(X[:900], y[:900])
    assert careless.fidelity(X[900:])["explanation_r2"] < student.fidelity(X[900:])["explanation_r2"] - 0.2


def test_irrelevant_columns_get_no_reason(student, friedman):
    assert student.feature_importances_.sum() == pytest.approx(1)
    assert student.feature_importances_[4] < 0.02
    assert student.feature_importances_[:4].min() > 0.05


def test_additivity_is_exact_in_small_and_large_tables(student, friedman):
    X = friedman[0]
    for rows in (X[:300], X):
        assert student.explain(rows).additivity_error(student.predict(rows)) < 1e-12


def test_small_tables_in_float64_agree_with_large_ones_in_float32(student, friedman):
    X = friedman[0]
    np.testing.assert_allclose(student.predict(X)[:300], student.predict(X[:300]), atol=1e-4)
    assert not np.array_equal(student.predict(X)[:300], student.predict(X[:300]))


@pytest.mark.parametrize("imitation", ["joint", "independent"])
def test_the_papers_schemes_explain_beside_the_score(imitation, friedman):
    X, y = friedman
    model = GBDT2NNStudent(regressor(), imitation=imitation, **FAST | {"max_epochs": 60}).fit(X, y)
    explanation = model.explain(X)
    assert explanation.meta["imitation"] == imitation
    assert 1e-5 < explanation.additivity_error(model.predict(X)) < 0.5
    assert model.fidelity(X)["explanation_r2"] > 0.7


@pytest.mark.parametrize("parameters", [{"explanation": None}, {"explanation_lambda": 0.0}])
def test_a_student_without_reasons_predicts_and_refuses_to_explain(parameters, friedman):
    X, y = friedman
    model = GBDT2NNStudent(regressor(), **FAST | {"max_epochs": 60} | parameters).fit(X, y)
    fidelity = model.fidelity(X, y)
    assert fidelity["prediction_r2"] > 0.9
    assert "explanation_r2" not in fidelity
    assert not hasattr(model, "feature_importances_")
    with pytest.raises(ValueError, match=r"no contributions.*explanation_lambda > 0"):
        model.explain(X)


@pytest.mark.parametrize(
    "objective", ["regression", "regression_l1", "huber", "poisson", "gamma", "quantile"]
)
def test_objectives_predict_in_the_units_of_the_target(objective, friedman):
    X, y = friedman
    y = np.exp(y / 10)
    model = GBDT2NNStudent(regressor(objective=objective), **FAST).fit(X, y)
    explanation = model.explain(X)
    logarithmic = objective in ("poisson", "gamma")
    assert explanation.link == ("log" if logarithmic else "identity")
    predictions = model.predict(X)
    assert explanation.additivity_error(np.log(predictions) if logarithmic else predictions) < 1e-9
    teacher = model.teacher_.predict(X)
    assert np.corrcoef(predictions, teacher)[0, 1] > 0.9
    assert abs(predictions.mean() / teacher.mean() - 1) < 0.05


def test_one_vs_all_probabilities_sum_to_one(friedman):
    X, y = friedman
    labels = np.digitize(y, [10, 15])
    model = GBDT2NNStudent(classifier(objective="multiclassova"), **FAST).fit(X, labels)
    assert model.explain(X).link == "logit"
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    assert model.explain(X).additivity_error(model.decision_function(X)) < 1e-6


def test_classes_may_be_text_and_more_than_two(friedman):
    X, y = friedman
    labels = np.array(["low", "mid", "top"])[np.digitize(y, [10, 15])]
    model = GBDT2NNStudent(classifier(), **FAST | {"max_epochs": 40}).fit(X, labels)
    assert list(model.classes_) == ["low", "mid", "top"]
    assert model.explain(X).output_names == ("low", "mid", "top")
    assert model.explain(X).values.shape == (1200, 5, 3)
    fidelity = model.fidelity(X, labels)
    assert fidelity["same_class"] > 0.85
    assert fidelity["kl"] < 0.5


@pytest.mark.parametrize("link", ["identity", "log", "logit", "softmax"])
def test_labels_can_be_learnt_beside_the_teacher(link, friedman):
    X, y = friedman
    teachers = {
        "identity": (regressor(), y),
        "log": (regressor(objective="poisson"), y),
        "logit": (classifier(), y > 14),
        "softmax": (classifier(), np.digitize(y, [10, 15])),
    }
    teacher, target = teachers[link]
    model = GBDT2NNStudent(teacher, label_lambda=0.5, **FAST).fit(X, target)
    losses = [epoch["train_label"] for epoch in model.history_]
    assert losses[-1] < losses[0]


def test_the_path_can_be_imitated_instead(friedman):
    X, y = friedman
    model = GBDT2NNStudent(regressor(), explanation="path", **FAST | {"max_epochs": 60}).fit(X, y)
    assert model.teacher_explain(X).meta["explanation"] == "path"
    assert model.fidelity(X)["explanation_r2"] > 0.7
    raw = model.teacher_.predict(X)
    for kind in ("path", "tree_shap"):
        assert model.teacher_explain(X, kind).additivity_error(raw) < 1e-9
    with pytest.raises(ValueError, match="must be 'tree_shap', 'path', 'permutation' or None. Got 'saabas'"):
        model.teacher_explain(X, "saabas")


def test_integer_weights_are_repeated_rows(friedman):
    X, y = friedman[0][:150], friedman[1][:150]
    weight = np.random.RandomState(SEED).randint(0, 4, 150)
    teacher = FrozenEstimator(regressor().fit(*friedman))
    full_batch = FAST | {"batch_size": 1000, "max_epochs": 30, "label_lambda": 0.5, "explanation": "path"}
    weighted = GBDT2NNStudent(teacher, **full_batch).fit(X, y, sample_weight=weight)
    repeated = GBDT2NNStudent(teacher, **full_batch).fit(np.repeat(X, weight, 0), np.repeat(y, weight))
    ignored = GBDT2NNStudent(teacher, **full_batch).fit(X, y)
    same = np.abs(weighted.predict(X) - repeated.predict(X)).max()
    assert same < 1e-3
    assert np.abs(weighted.predict(X) - ignored.predict(X)).max() > 50 * same


def test_early_stopping_holds_rows_out_and_stops(friedman):
    X, y = friedman
    model = GBDT2NNStudent(
        regressor(), early_stopping=True, n_iter_no_change=2, **FAST | {"max_epochs": 200, "lr": 0.02}
    ).fit(X, y)
    assert "valid_loss" in model.history_[0]
    assert model.n_iter_ < 200
    with pytest.raises(ValueError, match="'validation_fraction' parameter, 0.999, leaves no row of 50"):
        model.set_params(validation_fraction=0.999).fit(X[:50], y[:50])


def test_synthetic_rows_are_swapped_cells_labelled_by_the_teacher(friedman):
    from skrationale.gbdt2nn._synthetic import n_copies, swap_cells

    X = friedman[0].copy()
    X[::7, 1] = np.nan
    swapped = swap_cells(X, 0.3, np.random.RandomState(SEED))
    changed = (swapped != X) & ~(np.isnan(swapped) & np.isnan(X))
    assert changed.mean() == pytest.approx(0.3, abs=0.02)
    for j in range(X.shape[1]):
        assert np.isin(swapped[:, j][~np.isnan(swapped[:, j])], X[:, j]).all()
    weight = np.zeros(len(X))
    weight[5] = 1
    only = swap_cells(X, 1.0, np.random.RandomState(SEED), weight)
    np.testing.assert_array_equal(only, np.tile(X[5], (len(X), 1)))
    assert [n_copies("auto", n) for n in (10, 1_000, 10_000, 10**6)] == [100, 100, 10, 4]
    assert [n_copies(k, 100) for k in (0, 1, 100, 101)] == [0, 1, 1, 2]


def test_one_class_and_constant_targets(friedman):
    X, y = friedman
    model = GBDT2NNStudent(**FAST).fit(X, np.full(len(X), "only"))
    assert set(model.predict(X[:5])) == {"only"}
    np.testing.assert_array_equal(model.predict_proba(X[:5]), np.ones((5, 1)))
    constant = GBDT2NNStudent(regressor(), **FAST).fit(X, np.full(len(X), 7.0))
    np.testing.assert_allclose(constant.predict(X), 7.0)
    assert (constant.explain(X).values == 0).all()
    assert constant.fidelity(X)["prediction_r2"] == 1.0
    assert constant.n_iter_ == 0


class TestTeacher:
    def test_refused_teachers_say_why(self, friedman):
        X, y = friedman
        cases = [
            (make_pipeline(StandardScaler(), regressor()), y, TypeError, "got Pipeline"),
            ("lightgbm", y, ValueError, "'teacher' parameter"),
            (regressor(linear_tree=True), y, ValueError, "linear_tree=True"),
            (regressor(objective=lambda a, b: (b - a, a * 0 + 1)), y, ValueError, "custom objective"),
            (classifier(), y, ValueError, "give a regressor as teacher"),
            (regressor(), np.full(len(y), "a"), ValueError, "give a classifier as teacher"),
            (FrozenEstimator(regressor().fit(X[:, :3], y)), y, ValueError, "teacher expects 3"),
            (
                FrozenEstimator(classifier().fit(X, y > 14)),
                np.full(len(y), "a"),
                ValueError,
                "not among the classes of the fitted model",
            ),
        ]
        for teacher, target, kind, text in cases:
            with pytest.raises(kind, match=text):
                GBDT2NNStudent(teacher, **FAST).fit(X, target)

    def test_an_unfitted_frozen_teacher(self, friedman):
        from sklearn.exceptions import NotFittedError

        with pytest.raises(NotFittedError):
            GBDT2NNStudent(FrozenEstimator(regressor()), **FAST).fit(*friedman)

    def test_a_frozen_teacher_is_used_as_it_is(self, friedman):
        X, y = friedman
        teacher = regressor().fit(X, y)
        before = teacher.predict(X)
        model = GBDT2NNStudent(FrozenEstimator(teacher), **FAST).fit(X[:200], y[:200])
        assert model.teacher_ is teacher
        np.testing.assert_array_equal(teacher.predict(X), before)

    def test_a_frozen_teacher_may_name_and_order_levels_differently(self):
        rng = np.random.RandomState(SEED)
        city = rng.choice(["a", "b", "c", "d"], 400)
        size = rng.choice(["S", "M", "L"], 400)
        y = (city == "b") * 2.0 - (city == "d") + np.select([size == "M", size == "L"], [1.0, 2.0])
        X = pd.DataFrame(
            {
                "city": pd.Categorical(city, categories=["d", "c", "b", "a"]),
                "size": pd.Categorical(size, categories=["S", "M", "L"], ordered=True),
            }
        )
        teacher = regressor(min_child_samples=2, cat_smooth=0, min_data_per_group=1).fit(X, y)
        some = X[X["city"] != "a"].astype({"city": str, "size": str})
        model = GBDT2NNStudent(FrozenEstimator(teacher), **FAST | {"max_epochs": 60, "n_synthetic": 400})
        model.fit(some, y[some.index])
        np.testing.assert_allclose(
            model._adapter.scores(model._teacher_rows(X))[:, 0],
            teacher.predict(X),
            rtol=1e-12,
        )
        assert model.fidelity(some)["prediction_r2"] > 0.95
        with pytest.raises(ValueError, match="expected columns of the types at its fit"):
            model.fit(some.assign(city=1.0), y[some.index])

    def test_the_default_teacher_follows_the_target(self, friedman):
        X, y = friedman
        for target, kind in (
            (y, LGBMRegressor),
            (y > 14, LGBMClassifier),
            (y.astype(int) % 3, LGBMClassifier),
        ):
            student = GBDT2NNStudent(**FAST | {"max_epochs": 1}).fit(X[:200], target[:200])
            assert isinstance(student.teacher_, kind)
            assert student.teacher_.get_params()["n_estimators"] == 300


def test_a_device_that_is_not_there(student, friedman):
    import torch

    if torch.cuda.is_available():
        pytest.skip("a GPU is here")
    with pytest.raises(ValueError, match="device.*cuda"):
        GBDT2NNStudent(device="cuda", **FAST).fit(*friedman)


def test_verbose_and_callbacks(capfd, friedman):
    from skorch.callbacks import Callback

    class Counter(Callback):
        epochs = 0

        def on_epoch_end(self, net, **kwargs):
            type(self).epochs += 1

    X, y = friedman
    GBDT2NNStudent(regressor(), **FAST).fit(X, y)
    assert capfd.readouterr() == ("", "")
    GBDT2NNStudent(regressor(), verbose=1, callbacks=[Counter()], **FAST).fit(X, y)
    assert Counter.epochs == FAST["max_epochs"]
    assert "15/15" in capfd.readouterr().err


def test_a_table_without_spread_still_gets_the_teachers_score(friedman):
    X, y = friedman
    teacher = FrozenEstimator(regressor().fit(X, y))
    same = np.tile(X[np.argmax(y)], (50, 1))
    model = GBDT2NNStudent(teacher, **FAST | {"max_epochs": 200}).fit(same, y[:50])
    np.testing.assert_allclose(model.predict(same), model.teacher_.predict(same), rtol=0.01)


def test_a_model_fitted_on_a_gpu_answers_without_one(student, friedman):
    import copy

    import torch

    moved, stayed = copy.copy(student), copy.copy(student)
    moved.device_, stayed.device_ = f"cuda:{torch.cuda.device_count()}", "cpu"
    np.testing.assert_array_equal(moved.predict(friedman[0]), stayed.predict(friedman[0]))


def test_many_levels():
    rng = np.random.RandomState(SEED)
    level = rng.randint(0, 500, 3000)
    effect = rng.normal(size=500)
    X = pd.DataFrame({"id": [f"level {k}" for k in level], "x": rng.normal(size=3000)})
    y = effect[level] + X["x"].to_numpy()
    teacher = regressor(n_estimators=100, min_data_per_group=1, cat_smooth=1)
    model = GBDT2NNStudent(teacher, **FAST | {"max_epochs": 60}).fit(X[:2400], y[:2400])
    fidelity = model.fidelity(X[2400:], y[2400:])
    assert fidelity["prediction_r2"] > 0.9
    assert fidelity["score"] > fidelity["teacher_score"] - 0.05


def test_what_was_fitted_decides_and_a_refit_forgets(friedman):
    X, y = friedman
    model = GBDT2NNStudent(regressor(), **FAST).fit(X, y)
    values = model.explain(X).values
    model.set_params(explanation=None, imitation="joint")
    np.testing.assert_array_equal(model.explain(X).values, values)
    assert model.explain(X).meta["imitation"] == "additive"
    model.fit(X, y)
    assert not hasattr(model, "feature_importances_")
    with pytest.raises(ValueError, match="no contributions"):
        model.explain(X)


def test_what_lightgbm_would_misread_is_named(friedman):
    X, y = friedman[0][:200], friedman[1][:200]
    student = GBDT2NNStudent(regressor(), **FAST)
    for unit in (1e-40, 1e-320):
        with pytest.raises(ValueError, match="Column 'x1' of X holds numbers within 1e-35 of 0"):
            student.fit(X * [1, unit, 1, 1, 1], y)
    with pytest.raises(ValueError, match="Column 'x2' of X holds numbers up to 1e.308"):
        student.fit(X / X.max(axis=0) * [1, 1, 1e308, 1, 1], y)
    for unit in (1e-36, 1e39):
        with pytest.raises(ValueError, match="y holds numbers up to .* which LightGBM can learn"):
            student.fit(X, unit * y)
    with pytest.warns(UserWarning, match="32-bit numbers, which changes it by .* of its standard deviation"):
        student.fit(X, y + 1e8)
    with pytest.warns(UserWarning, match="Column 'x0' of X holds numbers within 1e-35 of 0, 50% of those"):
        student.fit(np.where(np.arange(200)[:, None] % 2, X, X * [1e-40, 1, 1, 1, 1]), y)


def test_a_teacher_that_splits_nothing_is_no_secret(friedman):
    X, y = friedman[0][:200], friedman[1][:200]
    poisson = GBDT2NNStudent(regressor(objective="poisson"), **FAST)
    with pytest.warns(UserWarning, match="The teacher predicts the same for all rows although y varies"):
        poisson.fit(X, 1e-9 * y)


def test_labels_far_from_zero_are_learnt_in_the_units_of_scores(friedman):
    X, y = friedman[0][:300], friedman[1][:300].round()
    student = GBDT2NNStudent(regressor(), label_lambda=1.0, **FAST)
    near = student.fit(X, y).predict(X)
    far = student.fit(X, y + 2.0**23).predict(X) - 2.0**23
    np.testing.assert_allclose(far, near, atol=0.02 * y.std())
