"""What networks over words compute at rest is what they were trained to compute, in fewer steps."""

import numpy as np
import torch

from skrationale.rationale.text._network import WordSelector
from skrationale.rationale.text._store import TextStore
from skrationale.training import generator_of
from skrationale.units import TextUnits

TEXTS = ["a b c d e f g", "", "c", "g f e d c b a a a", "b a"]


def selector(n_words):
    module = WordSelector(n_words, 4, 2, 0.0, generator_of(0)).double()
    with torch.no_grad():
        for i, parameter in enumerate(module.parameters()):
            parameter.normal_(generator=generator_of(i))
    return module


def test_a_selector_at_rest_multiplies_each_different_word_once(monkeypatch):
    units = TextUnits.of(TEXTS)
    module, store = selector(len(units.words)), TextStore.of(units, units.codes)
    words = store.batch(torch.arange(len(TEXTS)))[0]
    trained = module.train()(words).detach().numpy()
    rows = []
    monkeypatch.setattr(torch.Tensor, "__matmul__", lambda x, w: rows.append(len(x)) or torch.matmul(x, w))
    monkeypatch.setattr("skrationale.rationale.text._network.BLOCK", 1)
    with torch.no_grad():
        at_rest = module.eval()(words).numpy()
    np.testing.assert_allclose(at_rest, trained, atol=1e-12)
    assert np.ptp(trained) > 0.1
    assert sum(rows) == len(units.words) == 7 < len(units.codes)
