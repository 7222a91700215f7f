"""AttributeTableDisplay: dots, numbers, rules, and where relevance comes from."""

import matplotlib as mpl
import numpy as np
import pytest
from estimators import ALL
from sklearn.datasets import load_iris

mpl.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from skrationale.explanation import Explanation  # noqa: E402
from skrationale.plotting import AttributeTableDisplay  # noqa: E402
from skrationale.plotting._relevance import mean_relevance  # noqa: E402
from skrationale.writing import NEGATIVE, POSITIVE  # noqa: E402


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def names(display):
    return [text.get_text() for text in display.ax_.get_yticklabels()]


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


def dots(display):
    """Line, column, signed area relative to the largest."""
    found = []
    for collection, sign in zip(display.ax_.collections[-2:], (1, -1), strict=True):
        colour = mpl.colors.to_hex(collection.get_facecolor()[0]) if len(collection.get_facecolor()) else None
        assert colour in (None, POSITIVE if sign > 0 else NEGATIVE)
        for (x, y), size in zip(collection.get_offsets(), collection.get_sizes(), strict=True):
            found.append((int(y), round(x + 0.1), sign * size))
    return sorted(found)


def test_dots_are_relevance_and_the_strongest_is_at_the_top():
    d = AttributeTableDisplay(
        [[0.1, -0.8, 0.0], [0.2, 0.4, 0.05]],
        attribute_names=["a", "b", "c"],
        output_names=["no", "yes"],
        rules={"b": "age > 3"},
    ).plot()
    assert names(d) == ["b", "a", "c"]
    assert d.attributes_.tolist() == [1, 0, 2]
    places = dots(d)
    assert [(line, column) for line, column, _ in places] == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 1)]
    areas = np.array([area for *_, area in places])
    assert areas / areas.max() == pytest.approx([-2, 1, 0.25, 0.5, 0.125])
    assert texts(d) == ["−0.80", "0.40", "0.10", "0.20", "0.00", "0.05", "age > 3"]
    assert [t.get_text() for t in d.ax_.get_xticklabels()] == ["no", "yes"]
    legend = [t.get_text() for t in d.ax_.get_legend().get_texts()]
    assert legend == ["speaks for", "speaks against"]
    assert d.ax_.get_xlabel() == "mean relevance, at most 1"


def test_many_attributes_and_outputs():
    relevance = np.random.default_rng(0).uniform(-1, 1, (20, 100))
    d = AttributeTableDisplay(relevance).plot()
    assert len(names(d)) == 12
    assert d.ax_.get_xlabel().splitlines()[1] == "88 less relevant attributes are left out"
    assert texts(d) == [], "no numbers among so many outputs"
    assert len(dots(d)) == 240
    d.figure_.canvas.draw()


def test_one_attribute_three_classes_and_a_class_without_rows():
    d = AttributeTableDisplay([[0.5], [np.nan], [0.1]]).plot()
    assert texts(d) == ["0.50", "0.10"]
    assert [text.get_text() for text in d.ax_.get_xticklabels()] == ["output0", "output2"]
    assert "No row has the output output1" in d.ax_.get_xlabel()
    assert "a dependence display shows" in d.ax_.get_xlabel()
    assert d.ax_.get_legend() is None, "nothing speaks against"
    assert names(d) == ["attribute_0"]


def test_rules_are_literal_and_take_two_lines_at_most():
    d = AttributeTableDisplay(
        [[1.0]],
        attribute_names=["$n$" + "a" * 200],
        output_names=["$o$" + "b" * 200],
        rules={"$n$" + "a" * 200: "$cost$ > 5 and " * 30},
    ).plot()
    d.figure_.canvas.draw()
    rule = texts(d)[-1]
    assert rule.startswith(r"\$cost\$ > 5 and")
    assert rule.count("\n") == 1
    assert max(map(len, rule.splitlines())) < 120
    assert len(names(d)[0]) < 32
    assert "…" in d.ax_.get_xticklabels()[0].get_text()


def test_axes_given_are_the_only_ones_used():
    figure, axes = plt.subplots(1, 2)
    d = AttributeTableDisplay([[0.5, -0.5]], rules={"attribute_0": "x > 1"}).plot(axes[0])
    assert d.ax_ is axes[0]
    assert len(figure.axes) == 2
    assert plt.get_fignums() == [figure.number]


def test_explanations_give_relevance_by_class():
    values = [[2.0, -1.0], [1.0, 1.0], [-4.0, 1.0]]
    two = Explanation(values, 0, kind="attribute", link="logit", output_names="yes")
    d = AttributeTableDisplay.from_explanation(two)
    assert d.output_names == ("not yes", "yes")
    assert d.relevance.tolist() == [[1, -0.25], [1, 0.25]]
    numbers = AttributeTableDisplay.from_explanation(Explanation(values, 0, kind="attribute"))
    assert numbers.relevance.tolist() == [[1, pytest.approx((0.5 + 1 + 0.25) / 3)]]
    lower = AttributeTableDisplay.from_explanation(
        Explanation([[2.0, -1.0], [1.0, -1.0]], 0, kind="attribute")
    )
    assert lower.relevance.tolist() == [[1, -0.75]]
    assert [t.get_text() for t in lower.ax_.get_legend().get_texts()] == ["raises", "lowers"]
    three = Explanation(
        [[[1, 0, 0], [2, 1, 0]]], 0, kind="attribute", link="softmax", output_names=["a", "b", "c"]
    )
    d = AttributeTableDisplay.from_explanation(three, rules={"x1": "always"})
    assert d.relevance[0].tolist() == [0.5, 1]
    assert np.isnan(d.relevance[1:]).all()
    assert names(d) == ["x1", "x0"]
    assert texts(d)[-1] == "always"


def test_flint_model_and_its_explanation_agree():
    iris = load_iris()
    for name in ("flint-classifier", "flint-regressor"):
        target = iris.target if "classifier" in name else iris.data[:, 0]
        model = ALL[name]().fit(iris.data, target)
        d = AttributeTableDisplay.from_estimator(model)
        again = AttributeTableDisplay.from_explanation(model.explain(iris.data))
        assert np.allclose(d.relevance, again.relevance, equal_nan=True)
        assert len(d.output_names) == (3 if "classifier" in name else 1)
        described = {one.name: one.rule for one in model.describe()}
        top = d.attribute_names[d.attributes_[0]]
        rule = described[top]
        assert d.rules[top] == (rule.text if rule.is_short_rule else "no short rule")
        assert AttributeTableDisplay.from_estimator(model, rules=False).rules == {}


def test_colours_are_the_signs_of_the_weights_of_a_regressor():
    X = load_iris().data
    model = ALL["flint-regressor"]().fit(X, X[:, 0] - X[:, 2])
    weights = model._model.weights[0]
    d = AttributeTableDisplay.from_estimator(model, rules=False)
    np.testing.assert_array_equal(np.sign(d.relevance[0]), np.sign(weights) * (d.relevance[0] != 0))
    drawn = {line: area > 0 for line, _, area in dots(d)}  # which looks at their colours
    assert drawn == {line: weights[j] > 0 for line, j in enumerate(d.attributes_) if d.relevance[0, j]}
    assert set(drawn.values()) == {True, False}
    assert [t.get_text() for t in d.ax_.get_legend().get_texts()] == ["raises", "lowers"]


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ({"relevance": [1.0]}, ValueError, r"`relevance` has shape \(1,\), expected \(C, J\)"),
        ({"relevance": [["a"]]}, TypeError, "`relevance` must be an array of numbers"),
        ({"attribute_names": ["a", "b"]}, ValueError, "`attribute_names` has 2 names, expected 1"),
        ({"output_names": []}, ValueError, "`output_names` has 0 names, expected 1"),
        ({"rules": ["a"]}, TypeError, "`rules` must be a dict or None, got list"),
        ({"max_display": 0}, ValueError, "`max_display` must be an integer of at least 1, got 0"),
    ],
)
def test_bad_input_is_named(given, error, match):
    with pytest.raises(error, match=match):
        AttributeTableDisplay(**({"relevance": [[1.0]]} | given))


def test_what_has_no_attributes_is_refused():
    with pytest.raises(ValueError, match="got an explanation of kind 'additive': use a bar display"):
        AttributeTableDisplay.from_explanation(Explanation([[1.0]], 0))
    with pytest.raises(TypeError, match="`explanation` must be an Explanation, got int"):
        AttributeTableDisplay.from_explanation(3)
    with pytest.raises(TypeError, match="`estimator` must be a fitted FLINT model.*got object"):
        AttributeTableDisplay.from_estimator(object())
    assert plt.get_fignums() == []


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_relevance_does_not_depend_on_the_unit_of_the_target(unit):
    values = np.array([[1.0, -2.0], [4.0, 1.0], [0.0, 0.0]])
    usual, scaled = (mean_relevance(Explanation(c * values, 0.0, kind="attribute"))[0] for c in (1.0, unit))
    np.testing.assert_allclose(scaled, usual)
    assert usual.max() > 0.4
