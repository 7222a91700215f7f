"""How far reasons are from adding up, whatever scale the model answers on."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from skrationale.explanation import Explanation

VALUES = np.random.default_rng(0).normal(size=(30, 3))
SUMS = 0.3 + VALUES.sum(axis=1)
RESPONSES = {"identity": lambda s: s, "log": np.exp, "logit": expit}
each_link = pytest.mark.parametrize("link", RESPONSES)


@each_link
def test_scores_and_predictions_both_add_up(link):
    e = Explanation(VALUES, 0.3, link=link)
    predictions = RESPONSES[link](SUMS)
    for scale in ("auto", "response"):
        assert e.additivity_error(predictions, scale=scale) < 1e-12
        assert e[3].additivity_error(predictions[3:4], scale=scale) < 1e-12
    for scale in ("auto", "score"):
        assert e.additivity_error(SUMS, scale=scale) == 0


@each_link
def test_an_error_is_measured_on_the_scale_of_what_was_given(link):
    e = Explanation(VALUES, 0.3, link=link)
    response = RESPONSES[link](SUMS)
    wrong = response.copy()
    wrong[0] += 0.01
    least = np.abs(VALUES).max() if link == "identity" else 1
    assert e.additivity_error(wrong) == pytest.approx(0.01 / max(least, np.abs(wrong).max()))
    assert e.additivity_error(SUMS + 0.01) == pytest.approx(
        0.01 / max(np.abs(SUMS + 0.01).max(), np.abs(VALUES).max())
    )


@pytest.mark.parametrize(("link", "score", "given"), [("log", 3.0, 11.0), ("logit", -0.4, 1e-9)])
def test_what_is_near_to_neither_sum_asks_for_the_scale(link, score, given):
    e = Explanation(np.zeros((30, 1)), score, link=link)
    given = np.full(30, given)  # about as far from the score as from what it stands for
    with pytest.raises(ValueError, match="its scale is not clear.*scale='score'"):
        e.additivity_error(given)
    assert e.additivity_error(given, scale="score") > 0.3
    assert e.additivity_error(given, scale="response") > 0.3


@pytest.mark.parametrize("labels", [[False, True], [0, 1], [0.0, 1.0], [-1, 1], [1, 2]], ids=repr)
def test_labels_are_no_scores(labels):
    labels = np.where(SUMS > 0, labels[1], labels[0])
    e = Explanation(8 * VALUES, 2.4, link="logit")
    with pytest.raises(ValueError, match="only whole numbers, which seem to be labels"):
        e.additivity_error(labels)
    with pytest.raises(TypeError, match="`scores`"):
        e.additivity_error(np.where(SUMS > 0, "yes", "no"))


def test_probabilities_of_several_classes():
    values = np.random.default_rng(1).normal(size=(20, 3, 4))
    scores = values.sum(axis=1)
    many = Explanation(values, 0.0, link="softmax")
    assert many.additivity_error(scores) < 1e-12
    assert many.additivity_error(softmax(scores, axis=1)) < 1e-12
    with pytest.raises(ValueError, match="its scale is not clear"):
        many.for_output(1).additivity_error(softmax(scores, axis=1)[:, 1])
    with pytest.raises(ValueError, match="a single output of a softmax"):
        many.for_output(1).additivity_error(scores[:, 1], scale="response")
    assert many.for_output(1).additivity_error(scores[:, 1]) < 1e-12
    rest = Explanation(values, 0.0, link="logit")
    each = expit(scores)
    for given in (scores, each, each / each.sum(axis=1, keepdims=True)):
        assert rest.additivity_error(given) < 1e-12


def test_an_unknown_scale_is_refused():
    with pytest.raises(ValueError, match="`scale` must be one of"):
        Explanation([[1.0]], 0.0).additivity_error([1.0], scale="log")


@pytest.mark.parametrize("link", ["log", "logit"])
def test_undefined_sums_have_no_error(link):
    e = Explanation([[np.nan], [1.0]], 0.0, link=link)
    assert np.isnan(e.additivity_error(RESPONSES[link](np.array([0.2, 1.0]))))
    assert e[:0].additivity_error([]) == 0
