"""DependenceDisplay: cells against contributions, boxes of levels, and a second column as colour."""

import datetime
from decimal import Decimal

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from skrationale import SmoothMLPRegressor  # noqa: E402
from skrationale.explanation import Explanation  # noqa: E402
from skrationale.explanation.dependence import dependence, partner  # noqa: E402
from skrationale.explanation.wording import has_levels  # noqa: E402
from skrationale.plotting import BeeswarmDisplay, DependenceDisplay  # noqa: E402

RNG = np.random.default_rng(0)
N = 300


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def make(**changes):
    """Column "a" contributes more where "b" is high; "a" has missing cells, "city" is a category."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, N))
    a[:30] = np.nan
    city = rng.choice(["Ulm", "Bonn", "Kiel"], N, p=[0.5, 0.3, 0.2]).astype(object)
    city[-10:] = None
    codes = np.array([{"Ulm": 2.0, "Bonn": 0.0, "Kiel": 1.0, None: np.nan}[name] for name in city])
    typed = np.column_stack([a.astype(object), b.astype(object), city])
    values = np.column_stack([np.nan_to_num(a) * (1 + (b > 0)), 0.1 * b, np.nan_to_num(codes)])
    parts = {
        "data": np.column_stack([a, b, codes]),
        "display_data": typed,
        "feature_names": ["a", "b", "city"],
        "output_names": ">50K",
        "link": "logit",
    }
    return Explanation(values, 0.5, **(parts | changes))


NUMBERED = np.random.default_rng(0).choice([2020, 2010, 2015], N)
LEVELS = {
    "numbers": pd.Categorical(NUMBERED, categories=[2020, 2010, 2015]),
    "intervals": pd.cut(NUMBERED, [2000, 2012, 2018, 2030]),
    "periods": pd.Categorical(pd.PeriodIndex([str(year) for year in NUMBERED], freq="Y")),
}


@pytest.mark.parametrize("name", LEVELS)
def test_levels_that_are_no_texts_are_levels(name):
    table = pd.DataFrame({"year": LEVELS[name], "b": np.random.default_rng(1).normal(size=N)})
    model = SmoothMLPRegressor(hidden_layer_sizes=(4,), max_epochs=2, jacobian_lambda=0.1, random_state=0)
    e = model.fit(table, table["b"] + (NUMBERED == 2010)).explain(table)
    levels = {str(level) for level in LEVELS[name].categories}
    grouped = e.grouped({"other": ["b"]}, table)
    for known in (e, e[10:], Explanation.from_json(e.to_json()), Explanation.concat([e[:9], e[9:]]), grouped):
        assert set(dependence(known, 0, 8).levels) == levels
        assert dependence(known, 1, 8).levels == ()
    display = DependenceDisplay.from_explanation(e, feature="year")
    lines = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert {line.rsplit(" (", 1)[0] for line in lines} == levels
    swarm = BeeswarmDisplay.from_explanation(e)
    assert levels <= {text.get_text() for text in swarm.ax_.texts}


def test_truth_values_days_and_numbers_of_other_types_are_no_levels():
    cells = np.empty((2, 5), dtype=object)
    cells[0] = True, datetime.date(2024, 1, 1), pd.Timedelta("1D"), Decimal("0.5"), np.int64(7)
    cells[1] = False, datetime.date(2024, 1, 3), pd.NaT, Decimal("0.1"), None
    data = [[1.0, 19723, 1, 0.5, 7], [0.0, 19725, np.nan, 0.1, np.nan]]
    e = Explanation(np.zeros((2, 5)), 0.0, data=data, display_data=cells)
    assert not any(has_levels(e, j) for j in range(5))
    truth = Explanation(np.zeros((2, 1)), 0.0, data=[[0], [1]], display_data=[[np.False_], [np.True_]])
    assert not has_levels(truth, 0)
    spans = np.array([["1"], ["2"]], dtype="m8[D]")  # numpy's own, which are whole numbers to Python
    shown = np.empty((2, 1), dtype=object)
    shown[:, 0] = list(spans[:, 0])
    assert not has_levels(Explanation(np.zeros((2, 1)), 0.0, data=[[1], [2]], display_data=shown), 0)
    assert has_levels(Explanation([[0.0], [0]], 0.0, data=[[0], [1]], display_data=[[7], [9]]), 0)


def test_numbers_in_other_units_are_no_levels():
    raw = np.random.default_rng(0).normal(50, 10, size=(N, 1))
    for data, shown in (
        ((raw - 50) / 10, raw),
        (raw, raw.round(1)),
        (raw, raw.round()),
        (raw, raw.astype(np.float32)),
        (raw.round(), 2.54 * raw.round()),
    ):
        e = Explanation(np.zeros((N, 1)), 0.0, data=data, display_data=shown)
        assert not has_levels(e, 0)
        assert dependence(e, 0, 8).levels == ()


@pytest.mark.parametrize("n", [3, 60, N])
def test_whole_numbers_from_zero_are_levels_of_a_category(n):
    store = np.random.default_rng(0).integers(0, 4, N)
    table = pd.DataFrame({"store": pd.Categorical(store), "b": np.random.default_rng(1).normal(size=N)})
    model = SmoothMLPRegressor(hidden_layer_sizes=(4,), max_epochs=2, jacobian_lambda=0.1, random_state=0)
    e = model.fit(table, table["b"] + (store == 2)).explain(table[:n])
    assert set(dependence(e, 0, 8).levels) == set(map(str, store[:n]))


def legend(display):
    found = display.ax_.get_legend()
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def offsets(display):
    return np.vstack(
        [np.asarray(c.get_offsets()) for c in display.ax_.collections if c.get_label() != "rows"]
    )


def test_every_row_is_a_point_at_its_cell_and_contribution():
    e = make()
    display = DependenceDisplay.from_explanation(e, feature="b")
    assert display.feature_ == "b"
    assert display.color_by_ is None
    points = display.ax_.collections[-1].get_offsets()
    assert np.array_equal(np.asarray(points), np.column_stack([e.data[:, 1], e.values[:, 1]]))
    assert display.ax_.get_xlabel() == "b"
    assert display.ax_.get_ylabel() == "contribution to log-odds of >50K"
    assert legend(display) == ["rows"]


def test_the_strongest_column_is_drawn_unless_one_is_named():
    e = make()
    strongest = e.top(1)[0]
    assert DependenceDisplay.from_explanation(e).feature_ == strongest
    assert DependenceDisplay.from_explanation(e, feature=1).feature_ == "b"


def test_missing_cells_are_hollow_and_left_of_all_others():
    display = DependenceDisplay.from_explanation(make(), feature="a")
    assert legend(display) == ["rows", "missing a"]
    (hollow,) = (c for c in display.ax_.collections if c.get_label() == "missing a")
    assert len(hollow.get_facecolor()) == 0
    assert len(hollow.get_offsets()) == 30
    assert np.asarray(hollow.get_offsets())[:, 0].max() < np.nanmin(make().data[:, 0])
    assert len(offsets(display)) == N


def test_density_counts_the_rows():
    display = DependenceDisplay.from_explanation(make(), feature="b")
    (area,) = (c for c in display.ax_.collections if c.get_label() == "rows")
    corners = area.get_paths()[0].vertices
    counts, edges = np.histogram(make().data[:, 1], bins=40)
    assert corners[:, 0].min() == pytest.approx(edges[0])
    assert corners[:, 1].max() == pytest.approx(0.14)
    middle = (edges[counts.argmax()] + edges[counts.argmax() + 1]) / 2
    high = corners[corners[:, 1] > 0.13, 0]
    assert high.min() <= middle <= high.max()
    low = make().values[:, 1].min()
    low_point = display.ax_.transAxes.inverted().transform(display.ax_.transData.transform((0, low)))
    assert low_point[1] > 0.14, "points do not lie on the density"


def test_levels_of_a_category_are_boxes_the_commonest_first():
    e = make()
    display = DependenceDisplay.from_explanation(e, feature="city")
    city = e.display_data[:, 2]
    counts = {name: sum(cell == name for cell in city) for name in ("Ulm", "Bonn", "Kiel")}
    names = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert names == [*(f"{name} ({count})" for name, count in counts.items()), "missing (10)"]
    assert display.ax_.get_ylabel() == "city"
    own = e.values[city == "Kiel", 2]
    assert display.ax_.patches[2].get_x() == pytest.approx(np.quantile(own, 0.25))
    few = DependenceDisplay.from_explanation(e, feature="city", max_display=2)
    rest = counts["Bonn"] + counts["Kiel"]
    names = [text.get_text() for text in few.ax_.get_yticklabels()]
    assert names == [f"Ulm ({counts['Ulm']})", f"2 other levels ({rest})", "missing (10)"]


def test_truth_values_are_a_category():
    e = Explanation([[1.0], [2], [3]], 0.0, data=[[0], [1], [1]], display_data=[[False], [True], [True]])
    display = DependenceDisplay.from_explanation(e)
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == ["True (2)", "False (1)"]


def test_a_second_column_colours_the_points():
    e = make()
    chosen = DependenceDisplay.from_explanation(e, feature="a", color_by="auto")
    assert chosen.color_by_ == "b"
    assert chosen.figure_.axes[1].get_ylabel() == "b"
    named = DependenceDisplay.from_explanation(e, feature="b", color_by="city")
    assert legend(named) == ["rows", "Ulm", "Bonn", "Kiel", "others or missing"]
    assert named.ax_.get_legend().get_title().get_text() == "colour: city"
    none = DependenceDisplay.from_explanation(e, feature="b", color_by="auto")
    assert none.color_by_ is None


@pytest.mark.parametrize("seed", range(5))
def test_chance_chooses_no_second_column(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 73))
    assert partner(Explanation(rng.normal(size=(60, 73)), 0.0, data=X), 0) is None


def test_attributes_and_formulas_are_drawn_too():
    for kind in ("attribute", "formula"):
        display = DependenceDisplay.from_explanation(make(kind=kind), feature="a")
        assert display.ax_.get_xlabel() == "a"
    assert type(make().plot("dependence", feature="b")) is DependenceDisplay


def test_an_estimator_explains_the_rows():
    class Explainer:
        def explain(self, X):
            return make()[:X]

    assert len(offsets(DependenceDisplay.from_estimator(Explainer(), 40, feature="b"))) == 40
    with pytest.raises(TypeError, match="`estimator` must have a method `explain`, got object"):
        DependenceDisplay.from_estimator(object(), [[1]])


def test_one_row_says_what_shows_more():
    display = DependenceDisplay.from_explanation(make()[50])
    assert "waterfall" in display.ax_.get_xlabel()


@pytest.mark.parametrize(
    ("e", "chosen", "match"),
    [
        (make(), {"feature": "c"}, r"`feature` must be a column, one of 'a', 'b', 'city', .*got 'c'"),
        (make(), {"feature": 3}, "or its position; got 3"),
        (make(), {"feature": True}, "got True"),
        (make(), {"color_by": "c"}, "`color_by` must be a column"),
        (make()[:0], {}, "needs at least one row"),
        (make(data=None, display_data=None), {}, "cells of 'a' are not known"),
        (make(mask=np.ones((N, 3), bool), kind="rationale"), {}, "use a rationale display"),
        (Explanation(np.ones((2, 3, 2)), 0.0), {}, "a dependence display shows one output"),
    ],
)
def test_it_refuses_what_it_cannot_draw(e, chosen, match):
    with pytest.raises(ValueError, match=match):
        DependenceDisplay.from_explanation(e, **chosen)
    assert plt.get_fignums() == []


def test_cells_as_typed_do_without_numbers():
    e = Explanation([[1.0], [2], [3]], 0.0, display_data=[[1.5], [None], [3]])
    assert dependence(e, 0, 5).numbers == pytest.approx([1.5, np.nan, 3], nan_ok=True)
