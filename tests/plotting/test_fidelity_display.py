"""FidelityDisplay: points, identity line, R2, tables of classes, and whom it asks."""

import matplotlib as mpl
import numpy as np
import pytest
from sklearn.datasets import load_iris, make_classification
from sklearn.linear_model import LogisticRegression

mpl.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from estimators import ALL  # noqa: E402

from skrationale.metrics import explanation_fidelity, prediction_fidelity  # noqa: E402
from skrationale.plotting import FidelityDisplay  # noqa: E402


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def points(ax):
    return np.vstack([np.asarray(collection.get_offsets()) for collection in ax.collections])


def said(ax):
    return [text.get_text() for text in ax.texts] + [ax.get_title(loc="left")]


def test_points_are_teacher_against_student_with_the_line_where_they_agree():
    d = FidelityDisplay.from_predictions(
        [0.0, 1.5, 2.0], [0, 1, 2], unit="price in $", names=("net", "trees")
    )
    assert np.array_equal(points(d.ax_), [[0, 0], [1, 1.5], [2, 2]])
    (line,) = d.ax_.get_lines()
    assert np.array_equal(*line.get_data())
    assert d.r2_ == pytest.approx(1 - 0.25 / 2)
    assert said(d.ax_) == ["$R^2$ = 0.875"]
    assert (d.ax_.get_xlabel(), d.ax_.get_ylabel()) == (r"trees: price in \$", r"net: price in \$")
    assert len(d.axes_) == 1
    assert d.ax_.get_xlim() == d.ax_.get_ylim()


def test_numbers_are_those_of_the_metrics():
    rng = np.random.default_rng(0)
    teacher, values = rng.normal(size=(40, 3)) + [0, 5, 9], rng.normal(size=(40, 4, 3))
    scores, own = teacher + rng.normal(size=(40, 3)) / 3, values + rng.normal(size=(40, 4, 3)) / 3
    d = FidelityDisplay.from_predictions(
        scores, teacher, values=own, teacher_values=values, output_names=["_a", "$b", "c" * 200]
    )
    assert d.r2_ == pytest.approx(prediction_fidelity(scores, teacher)["prediction_r2"])
    assert d.explanation_r2_ == pytest.approx(explanation_fidelity(own, values)["explanation_r2"])
    assert [len(points(ax)) for ax in d.axes_] == [120, 480]
    d.figure_.canvas.draw()
    texts = [text.get_text() for text in d.ax_.get_legend().get_texts()]
    assert texts[:2] == [" _a", r"\$b"]
    assert len(texts[2]) == 20
    faces = [tuple(c.get_facecolor()[0]) for c in d.ax_.collections]
    assert len(set(faces)) == 3


def test_axes_given_are_the_only_ones_used():
    reasons = {"values": np.eye(3), "teacher_values": np.eye(3)}
    figure, axes = plt.subplots(1, 3)
    d = FidelityDisplay.from_predictions([1, 2, 3], [1, 2, 4], **reasons, ax=axes[:2])
    assert list(d.axes_) == list(axes[:2])
    assert d.figure_ is figure
    one = FidelityDisplay([1, 2, 3], [1, 2, 4], **reasons).plot(axes[2])
    assert list(one.axes_) == [axes[2]]
    assert one.ax_ is axes[2]
    assert plt.get_fignums() == [figure.number]
    assert len(figure.axes) == 3
    with pytest.raises(ValueError, match="`ax` must be one Axes.* or 2 Axes, one per panel; got 3"):
        one.plot(axes)


def test_labels_are_counted():
    teacher = ["cat", "cat", "dog", "$eel$"]
    d = FidelityDisplay.from_predictions(["cat", "dog", "dog", "dog"], teacher)
    assert d.r2_ == 0.5
    assert said(d.ax_) == ["1", "1", "1", "1", "50.0% same class"]
    ticks = [text.get_text() for text in d.ax_.get_xticklabels()]
    assert ticks == [r"\$eel\$", "cat", "dog"]
    counted = {text.get_position() for text in d.ax_.texts if text.get_text() == "1"}
    assert counted == {(1, 1), (1, 2), (2, 2), (0, 2)}
    (image,) = d.ax_.get_images()
    deep = 1 - np.asarray(image.get_array()).min(axis=2)  # by student, teacher
    assert deep[2, 0] > deep[2, 1] > deep[0, 0] == pytest.approx(0), "shares of the teacher's class"
    assert deep[1, 1] > 0.3
    assert not np.allclose(image.get_array()[1, 1], image.get_array()[2, 1]), "agreement has its colour"
    many = FidelityDisplay.from_predictions([str(i) for i in range(40)], [str(i) for i in range(40)])
    assert list(many.ax_.get_xticks()) == []


def test_long_classes_are_whole_and_no_labels_of_ticks_meet():
    classes = ["a price far above that of the street", "below the median", "above"]
    d = FidelityDisplay.from_predictions(classes * 5, classes * 4 + classes[::-1])
    d.figure_.canvas.draw()
    ticks = [text.get_text().replace("\n", " ") for text in d.ax_.get_yticklabels()]
    assert ticks == sorted(classes)
    large = FidelityDisplay.from_predictions([-71000.0, 388000.0], [-60000.0, 399000.0])
    large.figure_.canvas.draw()
    assert "200,000" in [text.get_text() for text in large.ax_.get_yticklabels()]
    for ax in (d.ax_, large.ax_):
        page = ax.figure.bbox
        low, high = ax.get_xlim()  # as those of y; ticks beyond are not drawn
        for labels, places in (
            (ax.get_xticklabels(), ax.get_xticks()),
            (ax.get_yticklabels(), ax.get_yticks()),
        ):
            drawn = [text for text, at in zip(labels, places, strict=True) if low <= at <= high]
            boxes = [text.get_window_extent() for text in drawn]
            assert len(boxes) > 1
            assert all(page.x0 <= box.x0 and box.x1 <= page.x1 and box.y0 >= page.y0 for box in boxes)
            assert all(sum(box.overlaps(other) for other in boxes) == 1 for box in boxes)


def test_many_points_are_thinned_and_that_is_said():
    n = 30_000
    d = FidelityDisplay.from_predictions(np.arange(n), np.arange(n) + 1)
    assert len(points(d.ax_)) == 20_000
    assert d.ax_.get_title(loc="right") == "20,000 of 30,000 points"
    assert points(d.ax_)[-1].tolist() == [n, n - 1]


@pytest.mark.parametrize(
    ("scores", "teacher", "r2"),
    [([1.0], [1.0], 1.0), ([], [], np.nan), ([1, 1], [2, 2], np.nan), ([1, np.nan, 2], [1, 5, 2], 1.0)],
)
def test_few_equal_or_missing_numbers(scores, teacher, r2):
    d = FidelityDisplay.from_predictions(scores, teacher)
    d.figure_.canvas.draw()
    assert d.r2_ == pytest.approx(r2, nan_ok=True)


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        (([1, 2], [1]), ValueError, r"`scores` has shape \(2,\), expected \(1,\)"),
        (([[[1]]], [[[1]]]), ValueError, "`scores` has shape"),
        ((["a"], [1]), TypeError, "`scores` must be an array of numbers"),
        (([1], [1], [[1]], None), ValueError, "`values` and `teacher_values` must be given together"),
        (([1], [1], [[1]], [[1, 2]]), ValueError, "`values` has shape"),
        (([1], [1], [[1], [2]], [[1], [2]]), ValueError, r"expected \(1, d\)"),
    ],
)
def test_bad_input_is_named(given, error, match):
    with pytest.raises(error, match=match):
        FidelityDisplay(*given[:2], **dict(zip(("values", "teacher_values"), given[2:], strict=False)))


X, y = make_classification(200, 5, random_state=0)
BEFORE = LogisticRegression().fit(X, y)


def test_student_of_trees_shows_what_its_fidelity_says():
    model = ALL["gbdt2nn-classifier"]().fit(X, y)
    d, expected = FidelityDisplay.from_estimator(model, X), model.fidelity(X)
    assert d.r2_ == pytest.approx(expected["prediction_r2"])
    assert d.explanation_r2_ == pytest.approx(expected["explanation_r2"])
    assert d.ax_.get_xlabel() == "teacher: log-odds of 1"
    assert np.allclose(points(d.ax_)[:, 1], model.decision_function(X))
    assert len(FidelityDisplay.from_estimator(model, X, reasons=False).axes_) == 1


def test_flint_compares_interpreter_and_predictor():
    model = ALL["flint-classifier"]().fit(X, y)
    d = FidelityDisplay.from_estimator(model, X)
    assert d.r2_ == pytest.approx((model.predict_model(X) == model.predict_interpretable(X)).mean())
    assert d.ax_.get_ylabel() == "interpreter: class"
    numbers = ALL["flint-regressor"]().fit(X, X[:, 0])
    d = FidelityDisplay.from_estimator(numbers, X)
    assert np.allclose(points(d.ax_), np.c_[numbers.predict_model(X), numbers.predict_interpretable(X)])


class Student:
    """A distiller as far as the display knows it."""

    def __init__(self, teacher, model, classes=None):
        self.teacher_ = teacher
        self.predict, self.predict_proba = model.predict, model.predict_proba
        self.decision_function = model.decision_function
        if classes is not None:
            self.classes_ = classes


def test_any_distiller_is_asked_through_its_teacher():
    d = FidelityDisplay.from_estimator(Student(BEFORE, BEFORE, BEFORE.classes_), X)
    teacher, student = points(d.ax_).T
    most = np.log(9999)  # of a probability of 0.9999
    assert np.allclose(teacher, np.clip(BEFORE.decision_function(X), -most, most))
    assert np.array_equal(student, teacher)
    assert d.ax_.get_xlabel() == "teacher: log-odds of 1"
    iris = load_iris()
    model = LogisticRegression(max_iter=500).fit(iris.data, iris.target)
    d = FidelityDisplay.from_estimator(Student(model, model, iris.target_names), iris.data)
    assert len(points(d.ax_)) == 450
    assert d.r2_ == 1
    assert np.abs(points(d.ax_)[:, 0].reshape(3, 150).sum(axis=0)).max() < 1e-9, "less the mean of each row"
    assert [t.get_text() for t in d.ax_.get_legend().get_texts()] == ["setosa", "versicolor", "virginica"]


@pytest.mark.parametrize("name", ["rationale-distiller-classifier", "symbolic-regressor"])
def test_real_distillers_show_reasons_of_both(name):
    target = y if "classifier" in name else X[:, 0] * 2 + X[:, 1]
    model = ALL[name]().fit(X, target)
    d, expected = FidelityDisplay.from_estimator(model, X), model.fidelity(X)
    assert len(d.axes_) == 2
    assert d.explanation_r2_ == pytest.approx(expected["explanation_r2"], nan_ok=True)
    assert d.r2_ == pytest.approx(expected["prediction_r2"], abs=0.05)


def test_without_a_teacher_there_is_nothing_to_draw():
    with pytest.raises(
        TypeError, match="`estimator` must be fitted and have a `teacher_`.*LogisticRegression"
    ):
        FidelityDisplay.from_estimator(BEFORE, X)


@pytest.mark.parametrize(
    ("hidden", "unit"),
    [(("predict_proba",), "log-odds of 1"), (("predict_proba", "decision_function"), "class")],
)
def test_teachers_are_asked_for_what_they_can_say(hidden, unit):
    class Shy:
        def __getattr__(self, name):
            if name in hidden or name.startswith("__"):
                raise AttributeError(name)
            return getattr(BEFORE, name)

    d = FidelityDisplay.from_estimator(Student(Shy(), BEFORE, BEFORE.classes_), X)
    assert d.ax_.get_xlabel() == f"teacher: {unit}"
    assert d.labels is (unit == "class")
    assert d.r2_ == 1
    if not d.labels:
        assert np.array_equal(points(d.ax_)[:, 0], BEFORE.decision_function(X))
