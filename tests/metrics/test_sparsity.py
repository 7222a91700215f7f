import numpy as np
import pytest

from skrationale.explanation import Explanation
from skrationale.metrics import entropy, selection_rates, sparsity


def test_sparsity_counts_columns():
    e = Explanation([[10.0, -1.0, 0.09, np.nan], [0.0, 0.0, 0.0, 0.0]], 0.0)
    assert sparsity(e) == 1.0
    assert sparsity(e, threshold=0.1) == 0.5
    assert sparsity(e, threshold=0) == 1.5


def test_of_rationales_the_mask_counts():
    mask = np.array([[True, True, False], [True, False, False]])
    e = Explanation([[0.9, 0.0, 0.0], [0.6, 0.0, 0.0]], 0.0, mask=mask, kind="rationale")
    assert sparsity(e) == 1.5


def test_every_output_is_a_row():
    values = np.random.default_rng(0).normal(size=(5, 4, 3))
    e = Explanation(values, 0.0)
    each = [e.for_output(j) for j in range(3)]
    assert sparsity(e, 0.5) == pytest.approx(np.mean([sparsity(one, 0.5) for one in each]))
    assert entropy(e) == pytest.approx(np.mean([entropy(one) for one in each]))


def test_entropy_by_hand():
    assert entropy(Explanation([[-3.0, 0.0]], 0.0)) == 0.0
    assert entropy(Explanation([[0.0, np.nan]], 0.0)) == 0.0
    assert entropy(Explanation([[-1.0] * 4], 0.0)) == pytest.approx(np.log(4))
    expected = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / 2
    assert entropy(Explanation([[-3.0, 1.0], [5.0, 0.0]], 0.0)) == pytest.approx(expected)


def test_bad_explanations():
    with pytest.raises(ValueError, match=r"threshold must be in \[0, 1\). Got 1"):
        sparsity(Explanation([[1.0]], 0.0), threshold=1)
    for measure in (sparsity, entropy):
        with pytest.raises(TypeError, match="must be an Explanation. Got list"):
            measure([[1.0]])
        with pytest.raises(ValueError, match="explanation has 0 rows"):
            measure(Explanation(np.ones((0, 2)), 0.0))


def test_selection_rates_by_hand():
    mask = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]], dtype=bool)
    true = np.array([[1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]], dtype=bool)
    got = selection_rates(mask, true)
    assert got["tpr"] == pytest.approx(np.mean([0.5, 0.0, 1.0, 1.0, 1.0]))
    assert got["fdr"] == pytest.approx(np.mean([0.5, 0.0, 1.0, 0.0, 0.75]))
    assert got["f1"] == pytest.approx(np.mean([0.5, 0.0, 0.0, 1.0, 0.4]))


def test_selection_rates_of_bad_masks():
    with pytest.raises(TypeError, match="mask must hold booleans. Got an array of int"):
        selection_rates([[1, 0]], [[True, False]])
    with pytest.raises(ValueError, match=r"mask has shape \(1, 2\); expected that of true_mask, \(1, 3\)"):
        selection_rates([[True, False]], [[True, False, True]])
