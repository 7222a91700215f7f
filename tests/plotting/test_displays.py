"""The displays: what they draw, refuse and leave alone."""

import sys
import warnings

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from skrationale.explanation import Explanation  # noqa: E402
from skrationale.plotting import BarDisplay, BeeswarmDisplay, WaterfallDisplay  # noqa: E402
from skrationale.plotting._style import readable  # noqa: E402

DISPLAYS = [BarDisplay, WaterfallDisplay, BeeswarmDisplay]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def make(n=1, d=3, k=1, **changes):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(n, d) if k == 1 else (n, d, k))
    return Explanation(values, 0.5, **({"data": rng.normal(size=(n, d))} | changes))


def lines(display):
    return [text.get_text() for text in display.ax_.get_yticklabels()]


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


class Explainer:
    def __init__(self, explanation):
        self.explanation = explanation

    def explain(self, X):
        assert X == "rows"
        return self.explanation


@pytest.mark.parametrize("display", DISPLAYS)
def test_contract_of_a_display(display, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *a, **k: pytest.fail("show was called"))
    e = make()
    figure, axes = plt.subplots(1, 2)
    drawn = display.from_explanation(e, ax=axes[0])
    assert isinstance(drawn, display)
    assert drawn.ax_ is axes[0]
    assert drawn.figure_ is figure
    assert drawn.plot(ax=axes[1]) is drawn
    assert drawn.ax_ is axes[1]
    assert display(e).plot().figure_ is not figure
    assert isinstance(display.from_estimator(Explainer(e), "rows", max_display=2), display)
    kind = display.__name__.removesuffix("Display").lower()
    assert type(e.plot(kind, ax=axes[0], max_display=2)) is display


@pytest.mark.parametrize("display", DISPLAYS)
def test_global_random_state_and_settings_are_left_alone(display):
    def state():
        return np.random.get_state()[1].tolist()  # noqa: NPY002

    before, settings = state(), dict(mpl.rcParams)
    display.from_explanation(make())
    assert state() == before
    assert dict(mpl.rcParams) == settings


@pytest.mark.parametrize("display", DISPLAYS)
@pytest.mark.parametrize(
    "e",
    [
        make(d=1),
        make(d=40),
        make(data=None),
        make(data=[[np.nan, 1, 2]]),
        make(data=[[np.nan] * 3], display_data=[[None, "red", "blue"]]),
        make(data=None, display_data=[[None, "red", 3]]),
        make(feature_names=["a" * 300, "$x^{", "two\nlines"], output_names="a_$b$^"),
        Explanation([[0.0, 0.0]], 0),
        Explanation([[1e12, -1e-12]], 1e12),
    ],
    ids=["one", "many", "no-data", "nan", "category", "typed-only", "names", "zero", "scales"],
)
def test_awkward_explanations_are_drawn_without_warnings(display, e):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = display.from_explanation(e)
        drawn.figure_.canvas.draw()
    assert max(map(len, lines(drawn))) <= 40


@pytest.mark.parametrize("display", [BarDisplay, BeeswarmDisplay])
@pytest.mark.parametrize("n", [0, 200])
def test_other_numbers_of_rows(display, n):
    drawn = display.from_explanation(make(n))
    drawn.figure_.canvas.draw()
    assert len(lines(drawn)) == 3


def test_bar_shows_mean_abs_and_sums_the_rest():
    e = Explanation([[4, 1, -2, 1], [-4, 1, 2, 1]], 0, feature_names=list("abcd"), output_names="y")
    display = BarDisplay.from_explanation(e, max_display=3)
    assert lines(display) == ["a", "c", "sum of 2 other features"]
    assert [bar.get_width() for bar in display.ax_.patches] == [4, 2, 2]
    assert texts(display) == ["4", "2", "2"]
    assert display.ax_.get_xlabel() == "mean |contribution| to y"
    assert display.ax_.get_legend() is None
    top = display.ax_.transData.transform([[0, 0], [0, 2]])[:, 1]
    assert top[0] > top[1], "the strongest feature is at the top"


@pytest.mark.parametrize("k", [1, 3, 7])
def test_a_long_bar_of_other_features_does_not_make_the_named_ones_short(k):
    e = Explanation(np.ones((4, 73) if k == 1 else (4, 73, k)), 0)
    display = BarDisplay.from_explanation(e)
    axes = display.figure_.axes[: max(k // 7 * k, 1)]
    for ax in axes:
        ends = [
            max(bar.get_x() + bar.get_width() for bar in bars) for bars in zip(*ax.containers, strict=True)
        ]
        assert ends[-1] <= 2 * ends[0]
    if k < 7:
        assert axes[0].texts[-1].get_text() == f"▸ {64 * k}"
    assert (
        "longer than shown" in axes[0].get_xlabel() or "longer than shown" in display.figure_.get_supxlabel()
    )


def test_bar_stacks_outputs():
    display = BarDisplay.from_explanation(make(5, k=3, output_names=["x", "y", "z"], link="softmax"))
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["x", "y", "z"]
    assert len(display.ax_.patches) == 9
    one = BarDisplay.from_explanation(make(5, k=3, output_names=["x", "y", "z"]), output="y")
    assert len(one.ax_.patches) == 3


def test_bar_of_many_outputs_groups_the_weak():
    display = BarDisplay.from_explanation(make(5, k=12), ax=plt.subplots()[1])
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert len(legend) == 8
    assert legend[-1] == "5 other outputs"
    whole = make(5, k=12).mean_abs().sum()
    assert sum(bar.get_width() for bar in display.ax_.patches) == pytest.approx(whole)


def test_waterfall_goes_from_base_to_score():
    e = Explanation(
        [[1.0, -3.0, 0.25, 0.25]],
        0.5,
        data=[[39, 1, np.nan, 2]],
        display_data=[[39, "Bachelors", None, 2]],
        feature_names=["age", "education", "hours", "gain"],
        output_names=">50K",
        link="logit",
    )
    display = WaterfallDisplay.from_explanation(e, max_display=4)
    assert lines(display) == [
        "score",
        "education = Bachelors",
        "age = 39",
        "hours = missing",
        "gain = 2",
        "base value",
    ]
    assert texts(display) == ["−1.00", "−3.00", "+1.00", "+0.25", "+0.25", "0.50"]
    assert display.ax_.get_xlabel() == "log-odds of >50K"
    bars = display.ax_.patches
    assert bars[-1].get_x() == 0.5, "the last bar starts at the base"
    assert bars[0].get_x() + bars[0].get_width() == pytest.approx(-1), "the first ends at the score"
    short = WaterfallDisplay.from_explanation(e, max_display=2)
    assert lines(short) == ["score", "education = Bachelors", "sum of 3 other features", "base value"]
    assert texts(short)[2] == "+1.5"
    assert display.ax_.get_title() == "probability 26.9%"


def test_a_waterfall_of_one_of_several_classes_tells_its_probability():
    e = Explanation(
        np.zeros((1, 2, 4)), [[0, 1, 0, 0]], output_names=list("abcd"), link="softmax", index=["r"]
    )
    shown = WaterfallDisplay.from_explanation(e, output="b")
    assert shown.ax_.get_title() == "row r: probability 47.5%"
    assert WaterfallDisplay(e.for_output("b")).plot().ax_.get_title() == "row r"


def test_bars_of_many_classes_stand_side_by_side_on_one_scale():
    e = make(5, d=14, k=7)
    display = BarDisplay.from_explanation(e)
    panels = [ax for ax in display.figure_.axes if ax.get_visible()]
    assert [ax.get_title() for ax in panels] == list(e.output_names)
    assert len({ax.get_xlim() for ax in panels}) == 1
    shown = np.array([[bar.get_width() for bar in ax.patches] for ax in panels]).T
    sizes = e.mean_abs()[np.argsort(-e.mean_abs().sum(axis=1))]
    np.testing.assert_allclose(shown[:-1], sizes[:9])
    np.testing.assert_allclose(shown[-1], np.minimum(sizes[9:].sum(axis=0), 1.5 * sizes[:9].max()))
    assert lines(display)[-1] == "sum of 5 other features"


@pytest.mark.parametrize("display", [BarDisplay, WaterfallDisplay])
def test_the_sum_of_others_is_pale_and_hatched_below_a_gap(display):
    drawn = display.from_explanation(make(d=40))
    bars = drawn.ax_.patches
    assert [bar.get_hatch() for bar in bars] == [None] * 9 + ["////"]
    assert bars[-1].get_facecolor()[3] < 0.5
    middles = [bar.get_y() + bar.get_height() / 2 for bar in bars]
    assert np.allclose(np.diff(middles)[:-1], 1)
    assert np.diff(middles)[-1] > 1.2
    assert np.diff(drawn.ax_.get_yticks())[8 + (display is WaterfallDisplay)] > 1.2


def test_waterfall_keeps_the_value_of_a_long_name():
    e = make(feature_names=["a" * 90, "b", "c"], data=[[5, 6, 7]])
    assert any(line.endswith("… = 5") or line.endswith("a = 5") for line in lines(e.plot("waterfall")))


@pytest.mark.parametrize(
    ("e", "match"),
    [
        (make(4), r"one row, got an explanation of 4 rows.*explanation\[i\]"),
        (make(0), "got an explanation of 0 rows"),
        (make(k=2, output_names=["cat", "dog"]), r"explanation of 2: .*for_output\(name\).*'cat', 'dog'"),
        (make(mask=np.ones((1, 3), bool), kind="rationale"), "kind 'rationale': use a bar display"),
        (Explanation([[1, np.nan]], 0), "got NaN for 'x1'"),
    ],
)
def test_waterfall_refuses(e, match):
    with pytest.raises(ValueError, match=match):
        WaterfallDisplay.from_explanation(e)
    assert plt.get_fignums() == [], "nothing is left half drawn"


def test_beeswarm_refuses_several_outputs():
    with pytest.raises(ValueError, match=r"a beeswarm shows one output.*for_output.*'output0', 'output1'"):
        BeeswarmDisplay.from_explanation(make(5, k=2))


def points(display):
    return np.vstack([collection.get_offsets() for collection in display.ax_.collections])


def test_beeswarm_is_deterministic_and_keeps_to_its_lines():
    e = make(300)
    first, again = (points(BeeswarmDisplay.from_explanation(e)) for _ in range(2))
    assert np.array_equal(first, again)
    assert len(first) == 900
    away = np.abs(first[:, 1] - np.round(first[:, 1]))
    assert 0.05 < away.max() < 0.4
    assert np.allclose(np.sort(first[:, 0]), np.sort(e.values.ravel()))


def test_beeswarm_hollows_missing_cells_and_names_levels():
    e = make(
        4,
        d=2,
        data=[[1, 0], [2, 1], [np.nan, 0], [3, np.nan]],
        display_data=[[1, "a"], [2, "b"], [None, "a"], [3, None]],
    )
    display = BeeswarmDisplay.from_explanation(e)
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["missing"]
    sizes = [len(collection.get_offsets()) for collection in display.ax_.collections]
    assert sizes == [2, 2, 1, 3]
    hollow = display.ax_.collections[0]
    assert len(hollow.get_facecolor()) == 0
    assert len(hollow.get_edgecolor()) == 1
    assert sorted(texts(display)) == ["a", "b"]
    assert np.array_equal(np.sort(display.ax_.collections[-1].get_array()), [0, 0.5, 1])
    assert [text.get_text() for text in display.figure_.axes[1].get_yticklabels()] == ["low", "high"]
    assert display.figure_.axes[1].get_ylabel() == "feature value"


def test_beeswarm_names_the_commonest_levels_over_their_clusters():
    rng = np.random.default_rng(0)
    names, shares = ["Ulm", "Bonn", "Kiel", "Jena", "Trier", None], [0.3, 0.25, 0.2, 0.1, 0.05, 0.1]
    levels = rng.choice(names, 400, p=shares)
    places = dict(zip(names, [3.0, -2.0, 2.9, 3.1, 0.0, 0.5], strict=True))
    worth = np.array([places[level] for level in levels]) + 0.1 * rng.normal(size=400)
    cells = np.column_stack([levels, np.ones(400)])
    e = Explanation(np.column_stack([worth, rng.normal(size=400) / 9]), 0, display_data=cells)
    display = BeeswarmDisplay.from_explanation(e)
    display.figure_.canvas.draw()
    names = {text.get_text(): text for text in display.ax_.texts}
    assert set(names) == {"Ulm", "Bonn", "Kiel", "Jena"}, "the four commonest"
    boxes = {name: text.get_window_extent() for name, text in names.items()}
    axes = display.ax_.get_window_extent()
    for name, box in boxes.items():
        assert axes.x0 <= box.x0 < box.x1 <= axes.x1 + 1
        assert sum(box.overlaps(other) for other in boxes.values()) == 1, "itself"
        colour = mpl.colors.to_hex(names[name].get_color())
        (own,) = (
            c
            for c in display.ax_.collections
            if colour in [readable(mpl.colors.to_hex(face)) for face in c.get_facecolor()]
        )
        assert np.sort(np.asarray(own.get_offsets())[:, 0]) == pytest.approx(np.sort(worth[levels == name]))
    assert abs(names["Bonn"].xy[0] + 2) < 0.2, "over its cluster, where there is room"
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["no order", "missing"]


def test_beeswarm_without_data_has_no_colour_bar():
    display = BeeswarmDisplay.from_explanation(make(5, data=None))
    assert len(display.figure_.axes) == 1
    assert display.ax_.get_legend() is None


@pytest.mark.parametrize("display", DISPLAYS)
def test_bad_parameters_are_named(display):
    with pytest.raises(TypeError, match="`explanation` must be an Explanation, got list"):
        display.from_explanation([1])
    with pytest.raises(ValueError, match="`max_display` must be an integer of at least 1, got 0"):
        display.from_explanation(make(), max_display=0)
    with pytest.raises(TypeError, match="`estimator` must have a method `explain`, got object"):
        display.from_estimator(object(), [[1]])


@pytest.mark.parametrize("display", DISPLAYS)
def test_missing_matplotlib_names_the_extra(display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"skrationale\[plot\]"):
        display.from_explanation(make())
