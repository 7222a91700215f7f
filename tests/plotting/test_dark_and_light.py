"""Displays in matplotlib's dark and light styles: what is written or drawn stands out."""

import re

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.colors import to_rgb  # noqa: E402

from skrationale.explanation import Explanation  # noqa: E402
from skrationale.plotting import (  # noqa: E402
    AttributeTableDisplay,
    BarDisplay,
    BeeswarmDisplay,
    DependenceDisplay,
    FidelityDisplay,
    LambdaPathDisplay,
    ParetoDisplay,
    RationaleDisplay,
    TrainingDisplay,
    WaterfallDisplay,
)
from skrationale.plotting._levels import LEVELS  # noqa: E402
from skrationale.plotting._style import OTHERS, OUTPUTS, readable  # noqa: E402
from skrationale.writing import BAD, CARD_CSS, GOOD, GREY, NEGATIVE, POSITIVE, SIZE  # noqa: E402

RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(40, 3))
MASK = RNG.random((40, 3)) < 0.6
LABELS = RNG.choice(["no", "yes"], 40)
MADE = {
    "attributes": lambda: AttributeTableDisplay([[0.5, -0.2], [np.nan, np.nan]]),
    "bar": lambda: BarDisplay(Explanation(RNG.normal(size=(9, 4, 6)), 0.0)),
    "beeswarm": lambda: BeeswarmDisplay(swarm()),
    "dependence": lambda: DependenceDisplay(swarm(), feature=0, color_by=1),
    "levels": lambda: DependenceDisplay(swarm(), feature=1, color_by=0),
    "path": lambda: LambdaPathDisplay(
        [0.1, 1.0], {"a": [1, 2], "b": [2, 1]}, panels=[["a", "b"]], chosen=1.0
    ),
    "points": lambda: FidelityDisplay(NUMBERS[:, 0], NUMBERS[:, 1]),
    "labels": lambda: FidelityDisplay(LABELS, LABELS[::-1]),
    "pareto": lambda: ParetoDisplay([1, 2, 3], [3, 1, 2], labels=["a", "b", "c"]),
    "rationale": lambda: RationaleDisplay(Explanation(MASK * 0.9, 0, mask=MASK, kind="rationale")),
    "training": lambda: TrainingDisplay([{"train_loss": 1 / i, "valid_loss": 1 / i} for i in range(1, 9)]),
    "waterfall": lambda: WaterfallDisplay(Explanation([[1.0, -2.0]], 0.3)),
}


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def swarm():
    typed = np.array([[1.0, "a"], [2.0, "b"], [None, "c"], [3.0, None]] * 10, dtype=object)
    numbers = np.array([[1.0, 0], [2.0, 1], [np.nan, 2], [3.0, np.nan]] * 10)
    return Explanation(NUMBERS[:, :2], 0.0, data=numbers, display_data=typed)


def contrast(one, other):
    """Ratio of luminances of two colours, from 1 to 21."""

    def luminance(colour):
        part = np.array(to_rgb(colour))
        return np.where(part > 0.04, ((part + 0.055) / 1.055) ** 2.4, part / 12.92) @ [0.2126, 0.7152, 0.0722]

    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def texts_and_what_is_behind(ax):
    """Texts of axes with the colour behind them; numbers on dots have that of the dots."""
    behind = plt.rcParams["axes.facecolor"]
    for text in [
        *ax.texts,
        *ax.get_xticklabels(),
        *ax.get_yticklabels(),
        ax.xaxis.label,
        ax.yaxis.label,
        ax.title,
    ]:
        if text.get_text() and text.get_fontweight() != "bold":
            box = text.get_bbox_patch()
            yield text.get_text(), text.get_color(), behind if box is None else box.get_facecolor()


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("name", MADE)
def test_texts_and_marks_stand_out(name, style):
    with plt.style.context(style):
        display = MADE[name]().plot()
        display.figure_.canvas.draw()
        for text, colour, behind in texts_and_what_is_behind(display.ax_):
            assert contrast(colour, behind) >= 4.5, text
        behind = plt.rcParams["axes.facecolor"]
        for line in display.ax_.get_lines():
            assert contrast(line.get_color(), behind) >= 3, line.get_label()
        for collection in display.ax_.collections:
            for colour in [*collection.get_facecolor(), *collection.get_edgecolor()]:
                if colour[3] == 1 and name != "rationale":
                    assert contrast(colour, behind) >= 3, collection.get_label()
        for bar in display.ax_.patches:
            if bar.get_facecolor()[3] == 1:
                assert contrast(bar.get_facecolor(), behind) >= 3
            else:  # an outline, or hatched in the colour of its edge
                assert contrast(bar.get_edgecolor(), behind) >= 3


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_cells_that_were_used_stand_out_of_those_that_were_not(style):
    with plt.style.context(style):
        display = MADE["rationale"]().plot()
        behind = plt.rcParams["axes.facecolor"]
    (image,) = display.ax_.get_images()
    pixels = np.asarray(image.get_array()) / 255
    used = MASK[np.ix_(display.rows_, display.columns_)].T
    assert max(contrast(pixel, behind) for pixel in pixels[~used]) < 1.35
    assert min(contrast(pixel, behind) for pixel in pixels[used]) >= 3
    (patch, *_) = display.ax_.get_legend().legend_handles
    np.testing.assert_allclose(patch.get_facecolor()[:3], pixels[~used][0], atol=0.003)


WHITE, DARK = (
    "#ffffff",
    ("#000000", "#121212", "#14181e"),
)  # of matplotlib, browsers and the theme of the docs
PALETTE = (*OUTPUTS[:-1], OTHERS, *LEVELS, POSITIVE, NEGATIVE, SIZE, GREY, GOOD, BAD)


@pytest.mark.parametrize("colour", PALETTE)
def test_each_colour_of_the_palette_stands_out_of_white_and_black(colour):
    assert contrast(colour, WHITE) >= 3
    assert min(contrast(colour, behind) for behind in DARK) >= 3


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("colour", PALETTE)
def test_texts_in_a_colour_are_readable(colour, style):
    with plt.style.context(style):
        assert contrast(readable(colour), plt.rcParams["figure.facecolor"]) >= 4.5


def test_pale_words_of_pages_are_readable():
    """Words of 75 and 80 % of the ink on white, and on the dark ground of browsers."""
    (share,) = re.findall(r"color-mix\(in srgb, currentColor (\d+)%", CARD_CSS)
    opacity = {float(part) for part in re.findall(r"opacity: (\.\d+)", CARD_CSS)} | {int(share) / 100}
    assert opacity
    for part in opacity:
        for ink, behind in ((0.0, 1.0), (1.0, 18 / 255)):
            mixed = (part * ink + (1 - part) * behind,) * 3
            assert contrast(mixed, (behind,) * 3) >= 4.5
