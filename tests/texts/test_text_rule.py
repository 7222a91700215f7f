"""Masks of texts: thresholds, best units, and few runs."""

from itertools import product

import numpy as np
import pytest

from skrationale.rationale.text._rule import TextRule, best_runs
from skrationale.units import TextUnits

TEXTS = ["a b c d e", "f", "", "g h i", "j k l m n o p"]


@pytest.fixture
def logits():
    return np.random.RandomState(0).randn(16)


def test_a_share_is_a_mean_over_texts(logits):
    units = TextUnits.of(TEXTS)
    for rate in (0.1, 0.4, 0.75):
        rule = TextRule.fitted(units, logits, np.ones(5), rate, None, 0.0)
        share = units.shares(rule(units, logits)).mean()
        finer = units.shares(logits > rule.threshold - 0.35).mean()
        assert share <= rate < finer + 0.2
        np.testing.assert_array_equal(rule(units, logits), rule.excess(units, logits) > 0)
    assert TextRule.fitted(units, logits, np.ones(5), 1.0, None, 0.0)(units, logits).all()


def test_no_logit_lies_on_a_threshold(logits):
    """Read again, a logit may have other last bits."""
    units = TextUnits.of(TEXTS)
    for rate in (0.1, 0.4, 0.75):
        plain = TextRule.fitted(units, logits, np.ones(5), rate, None, 0.0)
        rule = plain.apart_from(logits)
        np.testing.assert_array_equal(rule(units, logits), plain(units, logits))
        assert np.abs(logits - rule.threshold).min() > 1e-3


def test_weights_of_texts_count(logits):
    units = TextUnits.of(TEXTS)
    last = TextRule.fitted(units, logits, np.array([0, 0, 0, 0, 1.0]), 3 / 7, None, 0.0)
    assert last(units, logits)[-7:].sum() == 3


@pytest.mark.parametrize("contiguity", [0.0, 0.7])
def test_so_many_units_are_exact(logits, contiguity):
    units = TextUnits.of(TEXTS)
    rule = TextRule(k=3, contiguity=contiguity)
    counts = np.bincount(units.unit_texts, rule(units, logits), 5)
    assert counts.tolist() == [3, 1, 0, 3, 3]
    if not contiguity:
        np.testing.assert_array_equal(rule(units, logits), rule.excess(units, logits) > 0)
        best = np.sort(np.argsort(-logits[-7:])[:3])
        np.testing.assert_array_equal(np.flatnonzero(rule(units, logits)[-7:]), best)


def test_equal_logits_take_the_first():
    units = TextUnits.of(["a b c"])
    assert TextRule(k=2)(units, np.zeros(3)).tolist() == [True, True, False]


def test_runs_are_the_best_of_all_masks():
    rng = np.random.RandomState(0)
    sizes = [6, 0, 1, 5, 6]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    excess = rng.randn(18)
    for cost in (0.0, 0.4, 1.5):
        mask = best_runs(excess, offsets, cost)
        for start, end in zip(offsets, offsets[1:], strict=False):
            part = excess[start:end]

            def gain(shown, part=part, cost=cost):
                return part @ shown - cost * np.abs(np.diff([0, *shown, 0])).sum()

            best = max(gain(np.array(shown, float)) for shown in product([0, 1], repeat=len(part)))
            assert gain(mask[start:end].astype(float)) == pytest.approx(best)


def test_a_cost_of_changes_keeps_the_share_with_fewer_runs(logits):
    rng = np.random.RandomState(1)
    units = TextUnits.of([" ".join("w" * 60)] * 20)
    values = rng.randn(1200)
    runs = {}
    for cost in (0.0, 1.0):
        rule = TextRule.fitted(units, values, np.ones(20), 0.2, None, cost)
        mask = rule(units, values)
        assert abs(mask.mean() - 0.2) < 0.02
        runs[cost] = sum((np.diff(np.r_[0, part, 0]) == 1).sum() for part in units.split(mask))
    assert runs[1.0] < 0.7 * runs[0.0]
