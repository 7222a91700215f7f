"""Agreement with rationales that people marked, in ERASER's definitions."""

import numpy as np
import pytest

from skrationale.metrics import rationale_agreement, rationale_erasure


def bits(text):
    return [sign == "1" for sign in text]


def test_tokens_and_runs():
    found = rationale_agreement([bits("1100110000")], [bits("1110000011")])
    assert found["token_precision"] == 0.5
    assert found["token_recall"] == pytest.approx(2 / 5)
    assert found["token_f1"] == pytest.approx(4 / 9)
    # the first run covers two of three tokens of the first true one, the second run none
    assert found["iou_f1"] == pytest.approx(0.5)
    assert found["n_texts"] == 1
    assert rationale_agreement([bits("11000")], [bits("11111")])["iou_f1"] == 0  # 2 of 5 are too few
    assert rationale_agreement([bits("11100")], [bits("11111")])["iou_f1"] == 1


def test_means_over_texts_with_a_truth_and_scores():
    masks, truth = [bits("10"), bits("11"), bits("00")], [bits("10"), bits("00"), bits("01")]
    found = rationale_agreement(masks, truth, [[0.9, 0.1], [0.5, 0.5], [0.8, 0.2]])
    assert found["token_f1"] == found["iou_f1"] == 0.5
    assert found["auprc"] == pytest.approx((1.0 + 0.5) / 2)
    assert found["n_texts"] == 2


def test_erasure_looks_at_the_class_that_the_whole_text_predicts():
    found = rationale_erasure([[0.2, 0.8], [0.9, 0.1]], [[0.2, 0.8], [0.5, 0.5]], [[0.6, 0.4], [0.9, 0.1]])
    assert found == pytest.approx({"sufficiency": 0.2, "comprehensiveness": 0.2})


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="masks has 1 texts and truth 2"):
        rationale_agreement([[True]], [[True], [False]])
    for scores, words in (
        ([], "scores has 0 texts and truth 1; expected the same number of both"),
        (
            [[1.0]],
            r"scores\[0\] must hold 2 finite numbers, one for each token. Got an array of shape \(1,\)",
        ),
        ([[np.nan, 1]], r"scores\[0\] must hold 2 finite numbers.* shape \(2,\) with others"),
    ):
        with pytest.raises(ValueError, match=words):
            rationale_agreement([[True, False]], [[True, False]], scores)
    with pytest.raises(ValueError, match="text 0 has 1 tokens in masks and 2 in truth"):
        rationale_agreement([[True]], [[True, False]])
    with pytest.raises(TypeError, match=r"truth\[0\] must hold booleans. Got an array of int64"):
        rationale_agreement([[True]], [[1]])
    with pytest.raises(ValueError, match="marks no token in any text"):
        rationale_agreement([[True]], [[False]])
    with pytest.raises(ValueError, match=r"shapes \(2,\)"):
        rationale_erasure(np.ones(2), np.ones(2), np.ones(2))
