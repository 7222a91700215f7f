"""The plots of shap work on what `to_shap` gives."""

import datetime
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from skrationale.explanation import Explanation

mpl.use("Agg")
shap = pytest.importorskip("shap")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def explanation(k=1, n=30):
    rng = np.random.default_rng(0)
    data = rng.normal(size=(n, 4))
    data[:, 1] = rng.integers(0, 3, n)
    data[::5, 1:3] = np.nan
    typed = data.astype(object)
    typed[:, 1] = [None if np.isnan(code) else ["red", "green", "blue"][int(code)] for code in data[:, 1]]
    return Explanation(
        rng.normal(size=(n, 4) if k == 1 else (n, 4, k)),
        0.5,
        data=data,
        display_data=typed,
        feature_names=["age", "colour", "hours", "gain"],
        output_names=[f"class {i}" for i in range(k)],
        link="logit" if k == 1 else "softmax",
    )


def one_output(source):
    if source == "single":
        return explanation().to_shap()
    if source == "for_output":
        return explanation(k=3).for_output("class 1").to_shap()
    return explanation(k=3).to_shap()[:, :, 0]


@pytest.mark.parametrize("source", ["single", "for_output", "sliced"])
@pytest.mark.parametrize("plot", ["bar", "beeswarm", "heatmap", "scatter", "waterfall", "force", "bar_row"])
@pytest.mark.filterwarnings("ignore")
def test_plots_of_shap(plot, source):
    e = one_output(source)
    if plot == "bar_row":
        shap.plots.bar(e[0], show=False)
    elif plot == "waterfall":
        shap.plots.waterfall(e[0], show=False)
        labels = " ".join(text.get_text() for text in plt.gca().get_yticklabels())
        assert "colour" in labels
    elif plot == "force":
        shap.plots.force(e[0], matplotlib=True, show=False)
    elif plot == "scatter":
        for column in ("age", "colour", "hours"):
            shap.plots.scatter(e[:, column], color=e[:, "hours"], show=False)
    else:
        getattr(shap.plots, plot)(e, show=False)
    plt.gcf().canvas.draw()


def test_waterfall_of_shap_shows_what_the_user_typed():
    shap.plots.waterfall(explanation()[1].to_shap()[0], show=False)
    labels = {text.get_text() for text in plt.gca().get_yticklabels()}
    assert any(
        label.endswith("= colour") and label.split()[0] in {"red", "green", "blue"} for label in labels
    )


def test_arrays_are_writable_copies():
    e = explanation()
    converted = e.to_shap()
    before = e.values[0, 0]
    converted.values[0, 0] = 99
    assert e.values[0, 0] == before
    assert converted.data.dtype == np.float64
    assert converted.display_data[1, 1] in ("red", "green", "blue")
    assert converted.feature_names == list(e.feature_names)
    assert explanation(k=3).to_shap().output_names == ["class 0", "class 1", "class 2"]


def test_cells_that_shap_cannot_print_are_made_printable():
    cells = [[None, pd.NA, datetime.date(2020, 1, 2), True, "red", np.int8(3)]]
    converted = Explanation(np.ones((1, 6)), 0, display_data=cells, data=np.zeros((1, 6))).to_shap()
    assert np.isnan(converted.display_data[0, :2].astype(float)).all()
    assert converted.display_data[0, 2:].tolist() == ["2020-01-02", True, "red", 3]
    shap.plots.waterfall(converted[0], show=False)
    shap.plots.bar(converted[0], show=False)


@pytest.mark.filterwarnings("ignore")
def test_without_data():
    converted = Explanation([[1.0, 2.0], [3.0, 4.0]], 0).to_shap()
    shap.plots.bar(converted, show=False)
    assert converted.data is None


def test_missing_shap_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(ImportError, match=r"skrationale\[shap\]"):
        explanation().to_shap()
