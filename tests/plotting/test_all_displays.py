"""All ten displays on wide, narrow and small tables: texts stay within the figure and do not meet."""

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.transforms import Affine2D, Bbox  # noqa: E402

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

LONG = "a_name_of_exactly_39_letters_as_in_bank"
CLASSES = [f"{LONG[:-2]}_{k}" for k in range(7)]
CASES = {
    "14 columns": {"d": 14},
    "73 columns": {"d": 73},
    "1 row": {"n": 1},
    "7 classes": {"k": 7},
    "39 letters": {"long": True},
}


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def explanation(n=60, d=8, k=1, long=False, **changes):
    rng = np.random.default_rng(0)
    data = rng.normal(size=(n, d))
    typed = data.astype(object)
    typed[:, 0] = rng.choice(["Ulm", "Bonn", LONG, "Kiel"], n)
    data[:, 0] = [["Ulm", "Bonn", LONG, "Kiel"].index(cell) for cell in typed[:, 0]]
    typed[::9, 1], data[::9, 1] = None, np.nan
    values = (
        rng.normal(size=(n, d) if k == 1 else (n, d, k))
        * np.linspace(2, 0.1, d)[(None, slice(None)) + (None,) * (k > 1)]
    )
    names = [f"{LONG[:-3]}_{j:02d}" if long else f"column_{j}" for j in range(d)]
    parts = {
        "data": data,
        "display_data": typed,
        "feature_names": names,
        "index": [f"row {i}" for i in range(n)],
    }
    parts |= {"output_names": CLASSES[:k] if k > 1 else "yes", "link": "softmax" if k > 1 else "logit"}
    return Explanation(values, 0.3, **(parts | changes))


def rationale(n=60, d=8, k=1, long=False):
    mask = np.random.default_rng(1).random((n, d)) < np.linspace(0.9, 0.0, d)
    given = explanation(n, d, 1, long)
    return Explanation(mask * 0.8, 0, mask=mask, kind="rationale", feature_names=given.feature_names)


def attributes(n=60, d=8, k=1, long=False):
    relevance = np.random.default_rng(2).uniform(-1, 1, (k, d))
    names = [f"{LONG[:-3]}_{j:02d}" for j in range(d)] if long else None
    rules = {f"attribute_{j}": f"{LONG} > 1.25 and {LONG} <= 3" for j in range(3)}
    outputs = CLASSES[:k] if k > 1 else ["prediction"]
    return AttributeTableDisplay(relevance, attribute_names=names, output_names=outputs, rules=rules)


def fidelity(n=60, d=8, k=1, long=False):
    rng = np.random.default_rng(3)
    if k > 1:
        scores, other = rng.normal(size=(2, n, k))
        return FidelityDisplay(scores, other, output_names=CLASSES)
    if long:
        labels = rng.choice(CLASSES, (2, n))
        return FidelityDisplay(labels[0], labels[1])
    scores, other = 1e5 * rng.normal(size=(2, n))
    return FidelityDisplay(
        scores, scores + other, values=rng.normal(size=(n, d)), teacher_values=rng.normal(size=(n, d))
    )


def lambdas(n=60, d=8, k=1, long=False):
    found = [1e-3] if n == 1 else np.geomspace(1e-6, 10, d)
    name = LONG if long else "valid_loss"
    return LambdaPathDisplay(
        found, {name: np.linspace(1e5, 1, len(found)), "n_used": range(len(found))}, chosen=1e-3
    )


def pareto(n=60, d=8, k=1, long=False):
    n = min(n, 40)
    names = [" + ".join([LONG if long else "x"] * (i + 1)) for i in range(n)]
    return ParetoDisplay(
        range(1, n + 1), 1e6 / np.arange(1, n + 1), labels=names, y_larger_is_better=False, chosen=0
    )


def training(n=60, d=8, k=1, long=False):
    stages = [LONG if long else f"stage {i}" for i in range(3)]
    return TrainingDisplay(
        [
            {"train_loss": 1e5 / (i + 1), "valid_loss": 2e5 / (i + 1), "stage": stages[3 * i // n]}
            for i in range(n)
        ]
    )


MADE = {
    "attributes": attributes,
    "bar": lambda **case: BarDisplay(explanation(**case)),
    "beeswarm": lambda **case: BeeswarmDisplay(explanation(**case).for_output(0)),
    "dependence": lambda **case: DependenceDisplay(explanation(**case).for_output(0), feature=1, color_by=0),
    "dependence of a category": lambda **case: DependenceDisplay(
        explanation(**case).for_output(0), feature=0, color_by=2
    ),
    "fidelity": fidelity,
    "lambda path": lambdas,
    "pareto": pareto,
    "rationale": lambda **case: RationaleDisplay(rationale(**case)),
    "training": training,
    "waterfall": lambda **case: WaterfallDisplay(explanation(**case)[0].for_output(0)),
}


def texts(figure):
    """Texts that are seen, with what they say and their boxes in pixels."""
    renderer = figure.canvas.get_renderer()
    for text in figure.findobj(mpl.text.Text):
        if text.get_visible() and text.get_text().strip():
            axes = text.axes
            if axes is None or axes.get_visible():
                yield text, text.get_window_extent(renderer)


def ticks(axis):
    low, high = sorted(axis.get_view_interval())
    for tick in [*axis.get_major_ticks()]:
        place = tick.get_loc()
        if low - 1e-9 <= place <= high + 1e-9:
            for text in (tick.label1, tick.label2):
                if text.get_visible() and text.get_text():
                    yield text


def along(text):
    """Box of a text in pixels, its sides along and across what is written."""
    box, angle = text.get_window_extent(), text.get_rotation()
    text.set_rotation(0)
    straight = text.get_window_extent()
    text.set_rotation(angle)
    middle = Affine2D().rotate_deg(-angle).transform([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2])
    half = np.array([straight.width, straight.height]) / 2
    return Bbox([middle - half, middle + half])


def test_boxes_of_aslant_labels_meet_where_the_labels_do():
    figure = plt.figure(figsize=(4, 2))
    for gap, meet in ((0.02, True), (0.08, False)):
        pair = [figure.text(x, 0.2, "a name", rotation=45, rotation_mode="anchor") for x in (0.1, 0.1 + gap)]
        boxes = [along(text) for text in pair]
        assert boxes[0].overlaps(boxes[1]) == meet
        assert pair[0].get_window_extent().overlaps(pair[1].get_window_extent())


def drawn_ticks(figure):
    """Labels of ticks within the limits; those outside are not drawn."""
    return {id(t) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for t in ticks(axis)}


def every_tick(figure):
    found = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                found |= {id(tick.label1), id(tick.label2)}
            found.add(id(axis.offsetText))
    return found


@pytest.mark.no_cover
@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", MADE)
def test_texts_stay_within_the_figure_and_labels_of_ticks_do_not_meet(name, case, style):
    with plt.style.context(style):
        display = MADE[name](**CASES[case]).plot()
        figure = display.figure_
        figure.canvas.draw()
        whole = figure.bbox
        shown, of_ticks = drawn_ticks(figure), every_tick(figure)
        for text, box in texts(figure):
            if id(text) in of_ticks - shown:
                continue
            inside = whole.x0 - 1 <= box.x0 and box.x1 <= whole.x1 + 1
            inside = inside and whole.y0 - 1 <= box.y0 and box.y1 <= whole.y1 + 1
            assert inside, (text.get_text(), box.bounds, whole.bounds)
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                labels = list(ticks(axis))
                boxes = [along(text) for text in labels]
                for i, box in enumerate(boxes):
                    for j in range(i):
                        assert not box.overlaps(boxes[j]), (labels[i].get_text(), labels[j].get_text())
