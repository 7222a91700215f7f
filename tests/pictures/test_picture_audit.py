"""The audit of pictures sets rationales beside simple rules, and finds what masks tell."""

import math

import numpy as np
import pytest
from picture_scenes import DIGITS, Y

from skrationale import RationaleClassifier, RationaleRegressor
from skrationale.rationale.picture._audit import contrasts, largest

QUICK = {"hidden_layer_sizes": (8, 8), "max_epochs": 6, "random_state": 0}
WAYS = [
    "all patches, EVAL-X",
    "all patches, model",
    "rationale, model",
    "rationale, refit on masks of other pictures",
    "rationale, told its own masks",
    "rationale, EVAL-X",
    "random patches, EVAL-X",
    "most contrast, EVAL-X",
    "occlusion, EVAL-X",
    "constant",
]


@pytest.fixture(scope="module")
def model():
    return RationaleClassifier(max_features=5, **QUICK).fit(DIGITS[:900], Y[:900])


@pytest.fixture(scope="module")
def report(model):
    return model.audit(DIGITS[900:1500], Y[900:1500], n_refits=2, random_state=0)


def test_all_ways_to_show_patches_are_side_by_side(report, model):
    assert list(report.scores) == WAYS
    assert report.scores["rationale, model"][0] == pytest.approx(model.score(DIGITS[900:1500], Y[900:1500]))
    assert all(row[3] == 600 for row in report.scores.values())
    assert report.scores["rationale, EVAL-X"][0] > report.scores["random patches, EVAL-X"][0] + 0.05
    assert report.mask_bits == pytest.approx(math.log2(math.comb(16, 5)))
    assert report.mask_only["random patches"] < 0.2
    assert 0 < report.stability < 1
    assert report.chance_stability == pytest.approx(0.2, abs=0.02)
    frame = report.to_frame()
    assert len(frame) == len(WAYS) + 3
    assert "from as many random ones" in report.verdict
    assert "the reason" not in str(report).lower()
    assert "<table" in report._repr_html_()


def test_it_is_the_same_with_a_seed(report, model):
    again = model.audit(DIGITS[900:1500], Y[900:1500], n_refits=2, random_state=0)
    assert again.scores == report.scores
    assert again.stability == report.stability


def test_masks_that_are_a_code_are_found(model, monkeypatch):
    """Masks that draw the label, wherever they are, tell a predictor more than their pixels."""
    inner = type(model._model)
    labels = iter([Y[900:1500]])
    drawn = np.random.RandomState(0).permutation(600)

    def code(self, matrix):
        mask = np.zeros((len(matrix), 16), bool)
        mask[np.arange(len(matrix)), next(labels)[drawn]] = True
        return mask

    monkeypatch.setattr(inner, "mask", code)
    report = model.audit(DIGITS[900:1500], Y[900:1500], n_refits=0, random_state=0)
    assert {"leak", "telling"} <= set(report.findings)
    assert report.mask_only["rationale"] > 0.95
    assert "masks reveal something beyond the pixels" in report.verdict


def test_numbers_and_two_classes():
    light = DIGITS.mean(axis=(1, 2))
    model = RationaleRegressor(max_features=0.3, **QUICK).fit(DIGITS[:900], light[:900])
    report = model.audit(DIGITS[900:1200], light[900:1200], n_refits=0, random_state=0)
    assert report.metric == "R2"
    assert report.scores["constant"][:2] == pytest.approx((0, 1))
    assert report.mask_bits == 16
    assert math.isnan(report.stability)
    model = RationaleClassifier(max_features=3, **QUICK).fit(DIGITS[:900], Y[:900] > 4)
    report = model.audit(DIGITS[900:1200], Y[900:1200] > 4, n_refits=0, random_state=0)
    assert report.metric == "AUROC"
    assert report.scores["constant"][0] == 0.5


def test_what_cannot_be_audited_is_refused(model):
    with pytest.raises(ValueError, match="50 pictures; expected at least 100"):
        model.audit(DIGITS[:50], Y[:50])
    with pytest.raises(ValueError, match="n_refits is 1"):
        model.audit(DIGITS, Y, n_refits=1)
    constant = RationaleClassifier(**QUICK).fit(DIGITS[:50], np.zeros(50, int))
    with pytest.raises(ValueError, match="nothing to audit"):
        constant.audit(DIGITS[:200], np.zeros(200, int))


def test_patches_of_most_contrast():
    x = np.zeros((1, 2, 4, 4))
    x[0, 1, :2, 2:] = [[0, 1], [0, 1]]
    x[0, 0, 2:, :2] = 5
    groups = np.tile(np.repeat([[0, 0, 1, 1], [2, 2, 3, 3]], 2, axis=0).ravel(), 2)
    found = contrasts(x, groups, 4)
    np.testing.assert_allclose(found, [[0, x[0, :, :2, 2:].std(), 2.5, 0]])
    np.testing.assert_array_equal(largest(found, np.array([2])), [[False, True, True, False]])
    np.testing.assert_array_equal(largest(np.zeros((1, 3)), np.array([1])), [[True, False, False]])
