"""LambdaPathDisplay and TrainingDisplay: curves, bands, marks."""

from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from estimators import ALL
from sklearn.datasets import make_classification

mpl.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from skrationale.plotting import LambdaPathDisplay, TrainingDisplay  # noqa: E402


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def legend(ax):
    drawn = ax.get_legend()
    return [] if drawn is None else [text.get_text() for text in drawn.get_texts()]


def step(value, **more):
    return {"jacobian_lambda": value, "validation_loss": 1 + value, "standard_error": 0.5} | more


def test_path_of_an_estimator():
    path = [step(0.1, selected=True, seconds=3.0), step(0.0, selected=False, seconds=2.0)]
    d = LambdaPathDisplay.from_estimator(SimpleNamespace(lambda_path_=path))
    curve, chosen = d.ax_.get_lines()
    assert curve.get_xydata().tolist() == [[0, 1], [0.1, 1.1]]
    assert list(chosen.get_xdata()) == [0.1, 0.1]
    assert legend(d.ax_) == ["± standard error", "chosen: 0.1"]
    (band,) = d.ax_.collections
    assert band.get_paths()[0].get_extents().bounds == pytest.approx((0, 0.5, 0.1, 1.1))
    assert d.ax_.get_xscale() == "symlog"
    assert (d.ax_.get_xlabel(), d.ax_.get_ylabel()) == ("jacobian_lambda", "validation loss")
    assert len(d.axes_) == 1


def test_measures_in_one_unit_share_a_panel():
    path = [
        {"x_lambda": v, "teacher_score": v, "formula_score": v / 2, "formula_score_std": 0.1, "norm": 5.0}
        for v in (0.1, 0.2)
    ]
    d = LambdaPathDisplay.from_estimator(SimpleNamespace(lambda_path_=path))
    assert d.panels == [["teacher_score", "formula_score"], ["norm"]]
    assert legend(d.axes_[0]) == ["teacher score", "formula score", "± standard deviation over folds"]
    assert legend(d.axes_[1]) == []
    assert d.axes_[1].get_ylabel() == "norm"
    assert (d.axes_[0].get_xlabel(), d.axes_[1].get_xlabel()) == ("", "x_lambda")
    assert d.ax_.get_xscale() == "log"
    figure, axes = plt.subplots(1, 3)
    d.plot(axes[0])
    assert list(d.axes_) == [axes[0]]
    assert d.ax_.get_xlabel() == "x_lambda"
    d.plot(axes[1:])
    assert d.ax_ is axes[1]
    assert len(figure.axes) == 3
    assert len(plt.get_fignums()) == 2
    with pytest.raises(ValueError, match=r"`ax` must be .* 2 Axes, one per panel; got 3"):
        d.plot(axes)
    one = LambdaPathDisplay.from_estimator(SimpleNamespace(lambda_path_=path), measures=["norm"])
    assert list(one.measures) == ["norm"]


def test_path_of_a_search_takes_the_best_candidate_of_each_value():
    results = {
        "param_model__reg_lambda": np.ma.array([1, 1, 0.1, 0.1, 9], mask=[0, 0, 0, 0, 1], dtype=object),
        "mean_test_score": np.array([0.2, 0.6, 0.9, np.nan, 0.99]),
        "std_test_score": np.array([0.1, 0.2, 0.3, 0.4, 0.5]),
        "mean_test_other": np.arange(5.0),
    }
    d = LambdaPathDisplay.from_cv_results(results, "model__reg_lambda", measures=["mean_test_score"])
    assert d.ax_.get_lines()[0].get_xydata().tolist() == [[0.1, 0.9], [1, 0.6]]
    assert d.errors["mean_test_score"].tolist() == [0.3, 0.2]
    again = LambdaPathDisplay.from_cv_results(results, "param_model__reg_lambda")
    assert list(again.measures) == ["mean_test_score", "mean_test_other"]
    with pytest.raises(ValueError, match=r"`param` must be one of \['model__reg_lambda'\], got 'alpha'"):
        LambdaPathDisplay.from_cv_results(results, "alpha")
    with pytest.raises(ValueError, match="`measures` must be one of .*'mean_test_other'.*got 'mean_test_x'"):
        LambdaPathDisplay.from_cv_results(results, "model__reg_lambda", measures=["mean_test_x"])


def test_best_of_a_search_has_a_lambda():
    results = {"param_a": [1.0, 2.0, 3.0], "mean_test_score": [0.1, 0.7, 0.5], "params": []}
    d = LambdaPathDisplay.from_cv_results(results, "a")
    assert legend(d.ax_) == ["best: 2"]
    assert d.chosen == 2
    masked = results | {"param_a": np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0])}
    assert LambdaPathDisplay.from_cv_results(masked, "a").chosen == 3


@pytest.mark.parametrize(
    ("lambdas", "scale"),
    [([0.0], "linear"), ([0.5], "linear"), ([-1, 1], "linear"), ([0, 0], "linear"), ([1, 2], "log")],
)
def test_any_lambdas(lambdas, scale):
    d = LambdaPathDisplay(lambdas, {"$a$ " + "b" * 200: [np.nan] * len(lambdas)}, chosen=lambdas[0]).plot()
    d.figure_.canvas.draw()
    assert d.ax_.get_xscale() == scale
    assert d.ax_.get_ylabel().startswith(r"\$a\$")
    assert len(d.ax_.get_ylabel()) < 32


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ({"lambdas": []}, ValueError, "`lambdas` must be one or more finite numbers"),
        ({"lambdas": [1, np.nan]}, ValueError, "`lambdas` must be one or more finite numbers"),
        ({"measures": {}}, ValueError, "`measures` is empty"),
        ({"measures": [1, 2]}, TypeError, "`measures` must be a dict, got list"),
        ({"measures": {"a": [1]}}, ValueError, r"`measures\['a'\]` has shape \(1,\), expected \(2,\)"),
        ({"errors": {"b": [1, 2]}}, ValueError, r"`errors` must name measures among \['a'\], got \['b'\]"),
        ({"panels": [["c"]]}, ValueError, "`panels` must name measures"),
        ({"panels": []}, ValueError, "`panels` must be lists of measures"),
    ],
)
def test_bad_paths_are_named(given, error, match):
    with pytest.raises(error, match=match):
        LambdaPathDisplay(**({"lambdas": [1, 2], "measures": {"a": [1, 2]}} | given))


def test_estimators_without_a_path():
    with pytest.raises(TypeError, match="`estimator` must be fitted and have a `lambda_path_`, got object"):
        LambdaPathDisplay.from_estimator(object())
    with pytest.raises(ValueError, match="no lambdas were compared"):
        LambdaPathDisplay.from_estimator(SimpleNamespace(lambda_path_=[]))
    with pytest.raises(ValueError, match=r"`measures` must be among \['validation_loss'\], got \['n'\]"):
        LambdaPathDisplay.from_estimator(SimpleNamespace(lambda_path_=[step(0.1)]), measures=["n"])


def rows(n, stage=None, **more):
    named = {} if stage is None else {"stage": stage}
    return [{"epoch": i + 1, "lr": 0.1, "train_loss": 1 + 1 / (i + 1)} | named | more for i in range(n)]


def test_losses_of_one_stage():
    history = [row | {"valid_loss": v} for row, v in zip(rows(4), [3.0, 1.5, 2.0, np.nan], strict=True)]
    d = TrainingDisplay(history).plot()
    train, valid, mark = d.ax_.get_lines()
    assert train.get_xydata().tolist() == [[i + 1, 1 + 1 / (i + 1)] for i in range(4)]
    assert valid.get_ydata()[:3].tolist() == [3, 1.5, 2]
    assert mark.get_xydata().tolist() == [[2, 1.5]]
    assert legend(d.ax_) == ["training loss", "validation loss", "lowest: 1.5, epoch 2"]
    assert len(d.ax_.texts) == 0
    assert d.ax_.get_yscale() == "linear"


def test_stages_are_bands_with_names_and_curves_stop_between_them():
    history = rows(30, "$screen$") + rows(20, "selection") + rows(20, "selection")
    history += [row | {"valid_loss": 2.0 - i / 50} for i, row in enumerate(rows(30, "p" * 200))]
    d = TrainingDisplay(history).plot()
    d.figure_.canvas.draw()
    named = {text.get_text(): text.xy[0] for text in d.ax_.texts}
    assert list(named)[:2] == [r"\$screen\$", "selection"]
    assert list(named.values()) == [15.5, 50.5, 85.5]
    assert max(map(len, named)) <= 24
    (band,) = d.ax_.patches
    assert (band.get_x(), band.get_x() + band.get_width()) == (30.5, 70.5)
    train = d.ax_.get_lines()[0].get_xdata()
    assert np.flatnonzero(np.isnan(train)).tolist() == [30, 51, 72], "three gaps between four runs"
    assert legend(d.ax_)[-1] == f"lowest: {2 - 29 / 50:.2f}, epoch 100"


def test_runs_of_a_path_are_named_by_their_lambda():
    history = [row for v in (0.0, 0.01) for row in rows(3, jacobian_lambda=v, valid_loss=2.0)]
    d = TrainingDisplay(history).plot()
    assert [text.get_text() for text in d.ax_.texts] == ["λ = 0", "λ = 0.01"]
    assert d.ax_.get_lines()[-1].get_xdata().tolist() == [1, 4]
    assert legend(d.ax_)[-1] == "lowest of each run"


def test_narrow_bands_have_upright_names_and_many_have_none():
    few = TrainingDisplay([row for i in range(8) for row in rows(2, f"a long name {i}")]).plot()
    assert {text.get_rotation() for text in few.ax_.texts} == {90}
    many = TrainingDisplay([row for i in range(40) for row in rows(2, f"stage {i}")]).plot()
    assert len(many.ax_.texts) == 0
    assert len(many.ax_.patches) == 20


def test_losses_of_different_size_have_a_logarithmic_axis():
    assert TrainingDisplay([{"train_loss": v} for v in (100.0, 1.0)]).plot().ax_.get_yscale() == "log"
    assert TrainingDisplay([{"train_loss": v} for v in (100.0, -1.0)]).plot().ax_.get_yscale() == "linear"


def test_curves_are_chosen_by_name_and_one_epoch_is_a_dot():
    d = TrainingDisplay([{"train_loss": 1.0, "train_rule": 2.0, "dur": 1.0}], curves=["train_rule"]).plot()
    assert legend(d.ax_) == ["train_rule"]
    assert d.ax_.get_lines()[1].get_marker() == "."
    with pytest.raises(ValueError, match=r"`curves` must be among \['train_loss'\], got \['dur'\]"):
        TrainingDisplay([{"train_loss": 1.0, "dur": 1.0}], curves=["dur"])


def test_training_is_drawn_on_given_axes():
    figure, axes = plt.subplots(1, 2)
    d = TrainingDisplay(rows(3)).plot(axes[1])
    assert d.ax_ is axes[1]
    assert d.figure_ is figure
    assert len(figure.axes) == 2
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize(
    ("history", "error", "match"),
    [
        ([], ValueError, "`history` is empty: nothing was trained"),
        ({"train_loss": [1]}, TypeError, "`history` must be a sequence of dicts, got dict"),
        ([1.0], TypeError, "`history` must be a sequence of dicts, got float in it"),
        ([{"dur": 1.0}], ValueError, "`curves` must be among"),
    ],
)
def test_bad_histories_are_named(history, error, match):
    with pytest.raises(error, match=match):
        TrainingDisplay(history)


def test_estimators_without_a_history():
    teacher = SimpleNamespace(history_=rows(2))
    with pytest.raises(TypeError, match=r"have a `history_`.*`from_estimator\(estimator.teacher_\)`"):
        TrainingDisplay.from_estimator(SimpleNamespace(teacher_=teacher))
    assert TrainingDisplay.from_estimator(teacher).history == rows(2)


def test_real_fits():
    X, y = make_classification(150, 4, n_informative=3, n_redundant=1, random_state=0)
    model = ALL["rationale-classifier"]().fit(X, y)
    d = TrainingDisplay.from_estimator(model)
    assert len(d.ax_.texts) == len({row["stage"] for row in model.history_})
    path = LambdaPathDisplay.from_estimator(model)
    assert path.chosen == next(s["sparsity_lambda"] for s in model.lambda_path_ if s["selected"])
    assert len(path.ax_.get_lines()[0].get_xdata()) == len(model.lambda_path_)
    smooth = ALL["smooth-mlp-auto-regressor"]().fit(X, X[:, 0])
    assert LambdaPathDisplay.from_estimator(smooth).chosen == smooth.lambda_
    assert len(TrainingDisplay.from_estimator(smooth).ax_.texts) == len(smooth.lambda_path_)
