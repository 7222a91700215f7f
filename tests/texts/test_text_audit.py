"""The audit of texts tells honest masks from planted cheats."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from skrationale import TextRationaleClassifier, TextRationaleRegressor
from skrationale._task import Task
from skrationale.datasets import make_texts
from skrationale.rationale import RationaleAudit
from skrationale.rationale._audit_report import erasures
from skrationale.rationale.text import _audit
from skrationale.rationale.text._audit import TextBench, looks_of
from skrationale.rationale.text._reader import WordReader
from skrationale.units import TextUnits

N = 1000
TEXTS, Y, _ = make_texts(N, n_words=24, n_causes=5, random_state=3)
READER, UNITS = WordReader.fitted(TEXTS, "word", 512, 3, 100)
WORDS = np.array([UNITS.words[code] for code in UNITS.codes])
GOOD, BAD = (np.char.startswith(WORDS, kind) for kind in ("good", "bad"))
LABEL = Y[UNITS.word_texts] == 1
PLACE = (np.arange(len(WORDS)) - UNITS.word_offsets[:-1][UNITS.word_texts]) / UNITS.n_words[UNITS.word_texts]
DRAWN = np.random.RandomState(0).rand(len(WORDS))
FILLERS = ~(GOOD | BAD)
FIRST = np.array([word[-1] < "f" for word in WORDS])

PLANTED = {
    "random words": (DRAWN < 0.15, set()),
    "all that decide": (GOOD | BAD, set()),
    "what speaks for the label alone": (np.where(LABEL, GOOD, BAD), {"leak"}),
    "a code of fillers": (FILLERS & (FIRST == LABEL) & (DRAWN < 0.5), {"leak"}),
    "many or few": (np.where(LABEL, 0.3, 0.05) > DRAWN, {"telling"}),
    "first or last": (np.where(LABEL, PLACE < 0.15, PLACE > 0.85), {"telling"}),
}


class Planted:
    """Stands for the model of an estimator: it shows what was planted, and says nothing itself."""

    reader = READER

    def __init__(self, mask):
        self.planted = mask

    def mask(self, units):
        return self.planted

    def scores(self, units, mask):
        return np.zeros((units.n_texts, 1))


def report(mask):
    model = SimpleNamespace(_model=Planted(mask), _task=Task.of_classes(np.array([0, 1])))
    bench = TextBench(model, UNITS, Y, np.random.RandomState(0))
    figures = bench.losses_and_scores() | erasures(bench.answers) | bench.rates()
    return RationaleAudit(**figures, stability=float("nan"), unit="word", row="text")


@pytest.mark.parametrize("name", PLANTED)
def test_planted_masks_are_told_apart(name, monkeypatch):
    monkeypatch.setattr(_audit, "STEPS", 200)
    mask, expected = PLANTED[name]
    found = report(mask)
    assert {"leak", "telling"} & set(found.findings) >= expected
    if not expected:
        assert not {"leak", "telling", "unsupported"} & set(found.findings)
    if name == "all that decide":
        assert found.honest
        assert "insufficient" not in found.findings
    if expected == {"leak"}:
        assert not found.honest
        assert "not honest" in found.verdict


def test_what_masks_look_like():
    units = TextUnits.of(["a b c d e f g h i j", "a b", ""])
    mask = np.r_[[True, True, False, False, True], np.zeros(7, bool)]
    looks = looks_of(units, mask)
    assert looks.shape == (3, 18)
    places = [0, 0.1, 0.4]
    np.testing.assert_allclose(looks[0, :8], [0.3, 3, 10, np.mean(places), np.std(places), 2, 1.5, 2])
    np.testing.assert_allclose(looks[0, 8:13], [1 / 3, 1 / 3, 0, 0, 1 / 3])
    assert looks[1].tolist() == [0, 0, 2, 0.5] + [0] * 14


@pytest.fixture(scope="module")
def settings():
    return {"hidden_layer_sizes": (8, 8), "max_epochs": 3, "lr": 1e-2, "max_features": 5, "random_state": 0}


def test_a_fitted_model_is_audited_in_words_about_texts(settings):
    model = TextRationaleClassifier(**settings | {"max_epochs": 10}).fit(TEXTS[:600], Y[:600])
    audit = model.audit(TEXTS[600:], Y[600:], n_refits=0, random_state=0)
    assert audit.metric == "AUROC"
    assert audit.mean_columns == 5
    assert np.isnan(audit.exchanged)
    assert "untested" not in audit.findings
    checks = audit.to_frame()["check"].tolist()
    assert {"words in a text", "share of texts without a word"} <= set(checks)
    assert not re.search("column|row", audit.verdict)
    assert "<table" in audit._repr_html_()


def test_numbers_sentences_and_refits(settings):
    texts, y, _ = make_texts(240, n_words=20, regression=True, random_state=1)
    model = TextRationaleRegressor(unit="sentence", **settings | {"max_features": 1}).fit(texts, y)
    audit = model.audit(texts, y, n_refits=2, max_rows=200, random_state=0)
    assert audit.metric == "R2"
    assert audit.n_rows == 200
    assert 0 <= audit.stability <= 1
    assert audit.rate_by_class == {}
    assert "units in a text" in audit.to_frame()["check"].tolist()


@pytest.mark.parametrize(
    ("texts", "y", "options", "message"),
    [
        (TEXTS[:50], Y[:50], {}, "X has 50 texts; expected at least 100"),
        (TEXTS[:200], Y[:199], {}, "X holds 200 texts and y 199 values"),
        (TEXTS[:200], Y[:200] * 7, {}, "not among the classes of the fitted model"),
        (TEXTS[:200], Y[:200], {"n_refits": 1}, "n_refits is 1"),
        (TEXTS[:200], Y[:200], {"max_rows": 10}, "max_rows is 10"),
        (TEXTS[:200], np.zeros(200, int), {}, "at least two labels"),
    ],
)
def test_what_cannot_be_audited_is_refused(settings, texts, y, options, message):
    model = TextRationaleClassifier(**settings | {"max_epochs": 1}).fit(TEXTS[:60], Y[:60])
    with pytest.raises(ValueError, match=message):
        model.audit(texts, y, **options)
