"""ParetoDisplay: the front, its names, error bars, and keys of a search."""

from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

mpl.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from skrationale.plotting import ParetoDisplay  # noqa: E402


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def line(display):
    (drawn,) = display.ax_.get_lines()
    return drawn


def brute_front(x, y):
    """All positions that no other one beats, where larger is better in both."""
    return [
        i
        for i in range(len(x))
        if not any(x[j] >= x[i] and y[j] >= y[i] and (x[j], y[j]) != (x[i], y[i]) for j in range(len(x)))
    ]


@pytest.mark.parametrize("larger", [(a, b) for a in (False, True) for b in (False, True)])
def test_front_is_what_no_other_one_beats(larger):
    x, y = np.random.default_rng(0).normal(size=(2, 60))
    d = ParetoDisplay(x, y, x_larger_is_better=larger[0], y_larger_is_better=larger[1]).plot()
    signs = [1 if wanted else -1 for wanted in larger]
    assert sorted(d.front_) == brute_front(signs[0] * x, signs[1] * y)
    assert np.array_equal(line(d).get_xdata(), np.sort(x[d.front_]))
    assert np.array_equal(line(d).get_ydata(), y[d.front_])
    assert line(d).get_drawstyle() == ("steps-pre" if larger[0] else "steps-post")
    words = ["more is better" if wanted else "less is better" for wanted in larger]
    assert (d.ax_.get_xlabel(), d.ax_.get_ylabel()) == (f"x ({words[0]})", f"y ({words[1]})")
    assert sum(len(c.get_offsets()) for c in d.ax_.collections) == 60


def test_points_of_the_front_are_numbered_and_named():
    labels = ["_one", "$two$", "three", "four" * 60]
    d = ParetoDisplay([1, 2, 3, 4], [1, 3, 2, 5], labels=labels, chosen=1).plot()
    assert d.front_.tolist() == [0, 1, 3]
    assert legend(d)[:2] == ["1 (y 1): _one", r"2 (y 3): \$two\$ (chosen)"]
    assert legend(d)[2].replace("\n", "").replace(" ", "") == "3(y5):" + "four" * 60, (
        "whole, on several lines"
    )
    assert max(map(len, legend(d)[2].split("\n"))) < 110
    numbers = {text.get_text(): text.get_position() for text in d.ax_.texts}
    assert numbers == {"1": (1, 1), "2": (2, 3), "3": (4, 5)}
    d.figure_.canvas.draw()


def test_chosen_off_the_front_is_named_too():
    d = ParetoDisplay([1, 2, 3], [1, 3, 2], labels=list("abc"), chosen=2).plot()
    assert legend(d) == ["1 (y 1): a", "2 (y 3): b", "chosen: c"]
    ring = d.ax_.collections[2]
    assert ring.get_offsets().tolist() == [[3, 2]]


def test_numbers_do_not_hide_each_other():
    x = np.concatenate([np.linspace(0, 1, 30), [1.001, 1.002]])
    d = ParetoDisplay(x, x, labels=[f"c{i}" for i in range(32)]).plot()
    d.figure_.canvas.draw()
    places = d.ax_.transData.transform([text.get_position() for text in d.ax_.texts])
    gaps = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    assert 8 <= len(places) <= 12
    assert gaps[np.triu_indices(len(places), 1)].min() > 14
    assert legend(d)[-1] == f"and {32 - len(places)} more"
    assert legend(d)[0] == "1 (y 0): c0"


def test_names_stand_below_the_axis_and_within_the_figure():
    labels = [" + ".join(f"{k}.25 * column_{k}" for k in range(3 * i + 1)) for i in range(8)]
    d = ParetoDisplay(range(8), range(8), labels=labels, y_name="loss").plot()
    d.figure_.canvas.draw()
    box, whole = d.ax_.get_legend().get_window_extent(), d.figure_.bbox
    assert box.y1 < d.ax_.xaxis.label.get_window_extent().y0
    assert whole.y0 <= box.y0
    assert box.x1 <= whole.x1
    assert d.ax_.get_window_extent().height > 200
    assert "(loss 7):" in legend(d)[-1]


def test_missing_measures_are_left_out_and_one_point_will_do():
    d = ParetoDisplay([1, np.nan, 3], [1, 9, np.nan], x_error=[0.1, 0.1, 0.1]).plot()
    d.figure_.canvas.draw()
    assert d.front_.tolist() == [0]


def test_error_bars_are_as_long_as_said():
    d = ParetoDisplay([1, 2], [1, 2], y_error=[0.25, np.nan]).plot()
    (bars,) = [c for c in d.ax_.collections if hasattr(c, "get_segments")]
    assert [segment[:, 1].tolist() for segment in bars.get_segments()] == [[0.75, 1.25], [2, 2]]


def test_measures_of_different_size_have_a_logarithmic_axis():
    d = ParetoDisplay([1, 2], [0.001, 10]).plot()
    assert (d.ax_.get_xscale(), d.ax_.get_yscale()) == ("linear", "log")


def test_axes_given_are_the_only_ones_used():
    figure, axes = plt.subplots(1, 2)
    d = ParetoDisplay([1, 2], [1, 2]).plot(axes[1])
    assert d.ax_ is axes[1]
    assert plt.get_fignums() == [figure.number]
    assert len(figure.axes) == 2
    assert not axes[0].has_data()


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ({"x": [[1]]}, ValueError, r"`x` has shape \(1, 1\)"),
        ({"x": ["a"]}, TypeError, "`x` must be an array of numbers"),
        ({"y": [1, 2, 3]}, ValueError, r"`y` has shape \(3,\), expected \(2,\)"),
        ({"x_error": [1]}, ValueError, "`x_error` has shape"),
        ({"labels": ["a"]}, ValueError, "`labels` has 1 names, expected 2"),
        ({"chosen": True}, ValueError, "`chosen` must be a position below 2, got True"),
        ({"chosen": 2}, ValueError, "`chosen` must be a position below 2, got 2"),
        ({"y": [np.nan, np.nan]}, ValueError, "at least one of the 2 candidates, got NaN"),
    ],
)
def test_bad_input_is_named(given, error, match):
    with pytest.raises(error, match=match):
        ParetoDisplay(**({"x": [1, 2], "y": [1, 2]} | given))


@pytest.fixture(scope="module")
def results():
    X, y = np.random.default_rng(0).normal(size=(2, 40))
    grid = {"alpha": [0.1, 1.0, 10.0], "fit_intercept": [True, False]}
    scoring = {"fit": "r2", "size": lambda model, X, y: -np.abs(model.coef_).sum()}
    return GridSearchCV(Ridge(), grid, scoring=scoring, refit=False, cv=2).fit(X[:, None], y).cv_results_


def test_results_of_a_search(results):
    d = ParetoDisplay.from_cv_results(results, "mean_test_size", "mean_test_fit")
    assert np.array_equal(d.x, results["mean_test_size"])
    assert np.array_equal(d.y_error, results["std_test_fit"])
    assert d.ax_.get_xlabel() == "mean test size (more is better)"
    assert d.labels[:2] == ["alpha=0.1, fit_intercept=True", "alpha=0.1, fit_intercept=False"]
    d = ParetoDisplay.from_cv_results(results, "param_alpha", "mean_test_fit", y_larger_is_better=False)
    assert d.x.tolist() == [0.1, 0.1, 1, 1, 10, 10]
    assert d.x_error is None
    assert (d.ax_.get_xlabel(), d.ax_.get_ylabel()) == (
        "alpha (less is better)",
        "mean test fit (less is better)",
    )


def test_unknown_keys_are_answered_with_those_there_are(results):
    with pytest.raises(
        ValueError, match="`x` must be one of .*'mean_test_fit', 'mean_test_size'.*got 'size'"
    ):
        ParetoDisplay.from_cv_results(results, "size", "mean_test_fit")
    with pytest.raises(ValueError, match="`y` must be one of .*got 'mean_test_score'"):
        ParetoDisplay.from_cv_results(results, "mean_test_fit")
    text = results | {"param_alpha": np.array(["a"] * 6)}
    with pytest.raises(ValueError, match="`x` is 'param_alpha', which must hold numbers"):
        ParetoDisplay.from_cv_results(text, "param_alpha", "mean_test_fit")
    with pytest.raises(TypeError, match="`cv_results` must be a dict, got list"):
        ParetoDisplay.from_cv_results([1], "x")


def test_parameters_that_a_candidate_lacks():
    results = {"params": [{"a": 1}, {"b": 2}], "param_a": np.ma.array([1, 0], mask=[0, 1], dtype=object)}
    d = ParetoDisplay.from_cv_results(results | {"mean_test_score": [0.5, 0.9]}, "param_a")
    assert d.front_.tolist() == [0]
    assert d.labels == ["a=1", "b=2"]


def found(loss):
    return pd.DataFrame(
        {
            "complexity": [1, 3, 5],
            "loss": loss,
            "equation": ["a", "a + b", "a + b*c"],
            "r2": [0.1, 0.9, np.nan],
        }
    )


def test_formulas_that_were_found():
    d = ParetoDisplay.from_estimator(SimpleNamespace(equations_=found([3.0, 2.0, 1.0]), formulas_=["a + b"]))
    assert legend(d) == ["1 (loss 3): a", "2 (loss 2): a + b (chosen)", "3 (loss 1): a + b*c"]
    assert d.ax_.get_ylabel() == "loss (less is better)"
    model = SimpleNamespace(equations_=[found([3.0, 2.0, 1.0]), found([3.0, 4.0, 5.0])], formulas_=["a", "a"])
    d = ParetoDisplay.from_estimator(model, output=1)
    assert d.front_.tolist() == [0]
    assert ParetoDisplay.from_estimator(model, output=0, y="r2").front_.tolist() == [0, 1]
    one = SimpleNamespace(equations_=found([3.0, 2.0, 1.0]), formulas_=["a"])
    for output in (1, False, 0.0):
        with pytest.raises(ValueError, match=f"`output` must be None or 0, .*got {output}"):
            ParetoDisplay.from_estimator(one, output=output)
    for output in (None, 2, True, 1.0):
        with pytest.raises(ValueError, match=r"`output` must be one of 0..1"):
            ParetoDisplay.from_estimator(model, output=output)
    with pytest.raises(ValueError, match="`y` must be one of .*'complexity', 'loss', 'r2'.*got 'equation'"):
        ParetoDisplay.from_estimator(model, output=0, y="equation")
    with pytest.raises(TypeError, match="`estimator` must be fitted and have `equations_`, got Ridge"):
        ParetoDisplay.from_estimator(Ridge())
