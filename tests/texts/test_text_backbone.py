"""Any network with a tokenizer as backbone: its states select words, and it predicts from these alone."""

import copy
import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from torch import nn

from skrationale import TextRationaleClassifier, TextRationaleDistiller, TextRationaleRegressor
from skrationale.datasets import make_texts
from skrationale.rationale import TextBackbone
from skrationale.rationale.text import _base, _encoder
from skrationale.rationale.text._encoder import Encoder, StateReader
from skrationale.serving import save
from skrationale.units import Pieces, TextUnits, blocks_of
from skrationale.units._pieces import row_starts

N = 1000
TEXTS, Y, TRUTH = make_texts(N + 100, n_words=16, random_state=0)
NEW = TEXTS[N:]
LABELS = np.array(["no", "yes"])[Y]
START, END, PAD = 27, 28, 0


class Layer(nn.Module):
    """Adds to each piece something of itself and of the mean of all."""

    def __init__(self, width):
        super().__init__()
        self.own, self.all = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x, attention):
        mean = (x * attention).sum(1, keepdim=True) / attention.sum(1, keepdim=True)
        return x + torch.tanh(self.own(x) + self.all(mean))


class Reader(nn.Module):
    """Reads letters with their places."""

    def __init__(self, width=16, n_layers=2, length=512):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.vectors, self.places = nn.Embedding(29, width), nn.Embedding(length, width)
        self.layers = nn.ModuleList([Layer(width) for _ in range(n_layers)])
        self.drop = nn.Dropout(0.5)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.normal_(0, 0.3, generator=generator)

    def forward(self, ids, attention):
        mask = attention[..., None].float()
        x = self.vectors(ids) + self.places(torch.arange(ids.shape[1], device=ids.device))
        for layer in self.layers:
            x = self.drop(layer(x, mask))
        return x


def letters(words):
    return [[ord(letter) - 96 for letter in word.lower() if "a" <= letter <= "z"] for word in words]


def backbone(**options):
    settings = {"start_ids": [START], "end_ids": [END], "pad_id": PAD, "max_pieces": 512} | options
    return TextBackbone(Reader(), letters, **settings)


QUICK = {"max_features": 3, "max_epochs": 2, "hidden_layer_sizes": (16, 16), "lr": 1e-2, "random_state": 0}


@pytest.fixture(scope="module")
def model():
    settings = QUICK | {"max_epochs": 6, "backbone_layers": "all"}
    return TextRationaleClassifier(backbone=backbone(), **settings).fit(TEXTS[:N], LABELS[:N])


def test_words_that_decide_are_found(model):
    found = zip(model.get_rationale(NEW, merge=False), TRUTH[N:], strict=True)
    hits = [len({*map(tuple, a.tolist())} & {*map(tuple, b.tolist())}) / len(b) for a, b in found]
    assert np.mean(hits) > 0.8  # by chance 0.2
    assert model.score(NEW, LABELS[N:]) > 0.65
    assert model.audit_ is None  # too few held-out texts


def test_the_given_network_is_not_changed():
    given = backbone()
    given.module.train()
    before = copy.deepcopy(given.module.state_dict())
    model = TextRationaleClassifier(backbone=given, **QUICK).fit(TEXTS[:100], LABELS[:100])
    assert given.module.training
    assert all(torch.equal(value, before[name]) for name, value in given.module.state_dict().items())
    tuned, weights = model._model.encoder.tuned, model._model.predictor
    assert len(tuned) == 8
    assert all(name.startswith("layers.") for name in tuned)
    for i, name in enumerate(tuned):
        assert not np.array_equal(weights[f"tuned.{i}"], before[name].numpy())


def test_selectors_read_the_states_of_the_tuned_network(model):
    """As a network that holds the tuned weights says; other weights give other logits."""
    encoder, units = model._model.encoder, TextUnits.of(NEW)
    whole = backbone()
    with torch.no_grad():
        for name, parameter in whole.module.named_parameters():
            parameter.copy_(encoder.tuned_in(model._model.predictor)[name])
    changed = copy.deepcopy(model)
    changed._model.encoder.backbone.module.load_state_dict(whole.module.state_dict())
    expected = model._model.logits(units)
    np.testing.assert_array_equal(changed._model.logits(units), expected)
    changed._model.predictor["tuned.0"] *= 0.5
    assert not np.array_equal(changed._model.logits(units), expected)
    untuned = copy.deepcopy(model)
    for i, name in enumerate(encoder.tuned):
        untuned._model.predictor[f"tuned.{i}"] = encoder.backbone.module.get_parameter(name).numpy()
    assert np.abs(untuned._model.logits(units) - expected).max() > 1e-3


def test_what_a_fit_says_of_its_texts_is_what_is_served():
    """Selectors are trained on the states that they are served with."""
    model = TextRationaleClassifier(backbone=backbone(), **QUICK | {"max_features": 0.2})
    model.fit(TEXTS[:200], LABELS[:200])
    for each in (model, pickle.loads(pickle.dumps(model))):
        masks = each.mask(TEXTS[:200])
        assert np.mean([mask.mean() for mask in masks]) == pytest.approx(model.mean_share_)
        assert np.mean([mask.sum() for mask in masks]) == pytest.approx(model.mean_n_selected_)
    stages = [row["stage"] for row in model.history_]
    assert stages[0] == "prediction"
    assert stages[-1] == "selection"  # what predicts is not trained on what is selected


def test_wide_networks_are_tuned_in_bfloat16_where_processors_can(monkeypatch):
    kinds = []

    def read(module, parameters, ids, attention):
        states = plain(module, parameters, ids, attention)
        kinds.append((torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")))
        return states

    plain = _encoder.read
    monkeypatch.setattr(_encoder, "read", read)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    for wide in (16, 17):
        kinds.clear()
        monkeypatch.setattr(_encoder, "WIDE", wide)
        model = TextRationaleClassifier(backbone=backbone(), **QUICK).fit(TEXTS[:100], LABELS[:100])
        assert set(kinds) == {(True, wide == 16), (False, False)}
        kinds.clear()
        assert np.isfinite(model.decision_function(NEW)).all()
        assert set(kinds) == {(False, False)}


def test_no_other_word_takes_part(model):
    """With the mask held, hidden words may be any others, move, or be gone: not one bit changes."""
    mask, spans = model.mask(NEW), model.units(NEW)
    expected = model.decision_function(NEW)
    np.testing.assert_array_equal(model.decision_function(NEW, mask=mask), expected)
    rng, others = np.random.RandomState(0), [*" ".join(TEXTS[:50]).split(), "x", "incomprehensibilities"]
    changed, alone = [], []
    for text, shown, at in zip(NEW, mask, spans, strict=True):
        words = [text[start:end] for start, end in at]
        changed.append(
            ", ".join(w if s else others[rng.randint(len(others))] for w, s in zip(words, shown, strict=True))
        )
        alone.append(" ".join(w for w, s in zip(words, shown, strict=True) if s))
    np.testing.assert_array_equal(model.decision_function(changed, mask=mask), expected)
    everything = [np.ones(len(part), bool) for part in model.units(alone)]
    np.testing.assert_array_equal(model.decision_function(alone, mask=everything), expected)
    assert not np.array_equal(model.decision_function(changed), expected)  # the selector reads all


def test_neighbours_in_a_batch_change_no_bit(model):
    long = " ".join(TEXTS[:40])
    together = [NEW[0], long, "", "?!", *NEW[1:30]]
    explanation, alone = model.explain(together), model.explain(NEW[:1])
    np.testing.assert_array_equal(explanation.values[0], alone.values[0])
    np.testing.assert_array_equal(explanation.scores[0], alone.scores[0])
    np.testing.assert_array_equal(model.explain(together[::-1]).scores[::-1], explanation.scores)
    share = (LABELS[:N] == "yes").mean()
    np.testing.assert_allclose(model.predict_proba(["", "42"])[0], [1 - share, share])


def test_pickles_and_clones_answer_alike_and_files_of_skops_are_refused(model, tmp_path):
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.decision_function(NEW), model.decision_function(NEW))
    fresh = clone(model).set_params(max_epochs=1)
    assert fresh.backbone is not model.backbone
    fresh.fit(TEXTS[:60], LABELS[:60])
    pytest.importorskip("skops")
    with pytest.raises(
        ValueError, match="TextRationaleClassifier holds an object that skops cannot write.*torch module"
    ):
        save(model, tmp_path / "model.skops")


def test_a_fit_repeats():
    one, two = (
        TextRationaleClassifier(backbone=backbone(), **QUICK).fit(TEXTS[:80], LABELS[:80]) for _ in range(2)
    )
    np.testing.assert_array_equal(one.decision_function(NEW), two.decision_function(NEW))


def test_states_are_means_of_pieces_in_their_own_text():
    """As one row a text, with nothing around, says; less a mean over the words of the text."""
    own = Encoder.of(backbone(), 0).suited_to(np.array([2, 0, 4, 2, 1]))
    units = TextUnits.of(["ab c", "", "hello brave new world", "12 a", "a"])
    with torch.no_grad():
        states = StateReader(own, {}, units).of(torch.arange(5)).float()
        at = 0
        for i in range(5):
            words = [
                units.words[code] for code in units.codes[units.word_offsets[i] : units.word_offsets[i + 1]]
            ]
            pieces = letters(words)
            ids = torch.tensor([[START, *(piece for word in pieces for piece in word), END]])
            row, place = own.backbone.module(ids, torch.ones_like(ids))[0], 1
            expected = torch.zeros(len(words), 16)
            for j, word in enumerate(pieces):
                mean = row[place : place + len(word)].mean(0) if word else torch.zeros(16)
                expected[j] = 0.01 * nn.functional.layer_norm(mean, (16,))
                place += len(word)
            expected -= expected.sum(0) * len(words) / (len(words) ** 2 + 32**2)
            torch.testing.assert_close(states[at : at + len(words)], expected, atol=2e-5, rtol=0)
            at += len(words)
    assert at == len(states) == 9


@pytest.mark.parametrize("alone", [True, False])
def test_long_texts_are_read_in_parts_cut_at_words(alone):
    rng = np.random.RandomState(0)
    words = ["".join(rng.choice(list("abc"), size)) for size in rng.randint(0, 12, 40)]
    own = backbone(max_pieces=13)
    pieces = Pieces.of(words, own)
    assert np.diff(pieces.offsets).max() == 11
    numbers, offsets = rng.randint(40, size=300), np.array([0, 200, 200, 203, 300])
    counts = np.diff(pieces.offsets)[numbers]
    first = row_starts(counts, offsets, 11)
    assert np.add.reduceat(counts, np.flatnonzero(first)).max() <= 11
    read = {}
    for block in blocks_of(pieces, numbers, offsets, own, alone=alone):
        assert block.ids.shape == block.attention.shape
        assert block.ids.shape[1] <= 13
        for row in np.unique(block.rows):
            here = block.rows == row
            inside = block.ids[row, block.columns[here]]
            length = block.attention[row].sum()
            np.testing.assert_array_equal(block.ids[row, :length], [START, *inside, END])
            assert (block.ids[row, length:] == PAD).all()
            for word in np.unique(block.words[here]):
                assert word not in read
                read[word] = inside[block.words[here] == word].tolist()
    assert read == {i: letters([words[n]])[0] for i, n in enumerate(numbers) if counts[i]}


def test_layers_to_tune_are_the_last():
    given = backbone()
    assert Encoder.of(given, 0).tuned == ()
    assert Encoder.of(given, 1).tuned == tuple(
        f"layers.1.{part}.{kind}" for part in ("own", "all") for kind in ("weight", "bias")
    )
    assert len(Encoder.of(given, "all").tuned) == 10
    with pytest.raises(ValueError, match="backbone_layers=3, but the module of the backbone has 2 layers"):
        Encoder.of(given, 3)
    plain = TextBackbone(Flat(), letters)
    with pytest.raises(
        ValueError, match="has 0 layers in a .*ModuleList; expected 'all', or an integer from 0 to 0"
    ):
        TextRationaleClassifier(backbone=plain).fit(TEXTS[:40], LABELS[:40])


class Flat(nn.Module):
    def __init__(self, shape=None):
        super().__init__()
        self.vectors, self.shape = nn.Embedding(29, 8), shape

    def forward(self, ids, attention):
        return self.vectors(ids) if self.shape is None else self.vectors(ids)[:, 0]


def test_backbones_that_cannot_answer_are_refused(tmp_path, monkeypatch):
    for arguments, kind, message in (
        ((letters, letters), TypeError, "module must be a torch.nn.Module. Got function"),
        ((Flat(), "letters"), TypeError, "tokenize must be callable.*Got str"),
    ):
        with pytest.raises(kind, match=message):
            TextBackbone(*arguments)
    with pytest.raises(
        ValueError, match="max_pieces=1 leaves no room for words, because 1 pieces come before them and 0"
    ):
        TextBackbone(Flat(), letters, start_ids=[1], max_pieces=1)
    few = TextBackbone(Flat(), lambda words: letters(words)[1:])
    for given, message in (
        (few, "tokenizer of the backbone gave .* expected a list of int for each word"),
        (TextBackbone(Flat(), lambda words: words), "list of int for each word"),
        (TextBackbone(Flat("short"), letters), r"returned shape \(1, 8\) for pieces of shape \(1, 3\)"),
        (tmp_path, "not a folder with a config.json"),
    ):
        with pytest.raises(ValueError, match=message):
            TextRationaleClassifier(backbone=given, backbone_layers=0).fit(TEXTS[:40], LABELS[:40])
    with pytest.raises(ValueError, match="'backbone' parameter"):
        TextRationaleClassifier(backbone=3).fit(TEXTS[:40], LABELS[:40])
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"pip install 'skrationale\[text\]'"):
        TextRationaleClassifier(backbone=tmp_path).fit(TEXTS[:40], LABELS[:40])
    monkeypatch.setattr(_encoder, "MOST_BYTES", 1000)
    with pytest.raises(
        ValueError, match="X has .* words, whose states of 16 numbers take .* smaller max_length"
    ):
        TextRationaleClassifier(backbone=backbone()).fit(TEXTS[:40], LABELS[:40])


def test_held_out_texts_audit_the_model(monkeypatch):
    report = SimpleNamespace(findings=("leak",), verdict="It leaks.")
    seen = []
    monkeypatch.setattr(_base, "FEWEST_TO_AUDIT", 10)
    monkeypatch.setattr(TextRationaleClassifier, "audit", lambda *a, **k: seen.append(a) or report)
    with pytest.warns(UserWarning, match="not honest. It leaks."):
        model = TextRationaleClassifier(backbone=backbone(), **QUICK).fit(TEXTS[:100], LABELS[:100])
    assert model.audit_ is report
    [(_, texts, y)] = seen
    assert len(texts) == len(y) == 15
    assert all(LABELS[TEXTS.index(text)] == label for text, label in zip(texts, y, strict=True))
    assert not hasattr(TextRationaleClassifier(**QUICK).fit(TEXTS[:100], LABELS[:100]), "audit_")


def test_regression_sentences_and_students(model):
    numbers = TextRationaleRegressor(backbone=backbone(), backbone_layers=1, **QUICK)
    assert np.isfinite(numbers.fit(TEXTS[:80], Y[:80] * 2.5).predict(NEW)).all()
    texts = [text.replace(" ", ". ", 3) for text in TEXTS[:80]]
    sentences = TextRationaleClassifier(backbone=backbone(), unit="sentence", **QUICK | {"max_features": 1})
    assert [mask.sum() for mask in sentences.fit(texts, LABELS[:80]).mask(texts)] == [1] * 80
    three = TextRationaleClassifier(backbone=backbone(), **QUICK).fit(TEXTS[:90], np.arange(90) % 3)
    np.testing.assert_allclose(three.predict_proba(NEW).sum(axis=1), 1)
    options = QUICK | {"backbone": TextBackbone(Flat(), letters), "backbone_layers": "all", "max_epochs": 1}
    student = TextRationaleDistiller(FrozenEstimator(model), **options).fit(
        TEXTS[:60], LABELS[:60], unlabelled=TEXTS[60:99]
    )
    assert student.fidelity(NEW)["rationale_jaccard"] > 0.2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A random two-layer BERT with a tokenizer of a few pieces, as transformers writes it."""
    transformers = pytest.importorskip("transformers", reason="comes with the extra 'text'")
    path = tmp_path_factory.mktemp("bert")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
    pieces += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"] + ["good", "bad"]
    (path / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    transformers.BertTokenizerFast(vocab=str(path / "vocab.txt")).save_pretrained(path)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = transformers.BertConfig(vocab_size=len(pieces), max_position_embeddings=40, **sizes)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.BertModel(config).save_pretrained(path)
    return path


def test_a_folder_of_transformers_is_a_backbone(folder, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    read = TextBackbone.from_folder(folder)
    assert (read.start_ids, read.end_ids, read.pad_id) == ((2,), (3,), 0)
    assert read.max_pieces <= 40
    assert read.tokenize(["goodness", "x", "…", "Bad"])[1:] == [[28], [1], [58]]
    settings = QUICK | {"max_epochs": 1}
    model = TextRationaleClassifier(backbone=folder, **settings).fit(TEXTS[:60], LABELS[:60])
    again = TextRationaleClassifier(backbone=read, **settings).fit(TEXTS[:60], LABELS[:60])
    expected = model.decision_function(NEW)
    np.testing.assert_array_equal(again.decision_function(NEW), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).decision_function(NEW), expected)
    assert all(name.startswith("encoder.layer.") for name in model._model.encoder.tuned)
    served = pickle.loads(pickle.dumps(model))
    logits = model._model.logits(TextUnits.of(NEW))
    np.testing.assert_array_equal(served._model.logits(TextUnits.of(NEW)), logits)
    served._model.predictor["tuned.0"] *= 0.5
    assert not np.array_equal(served._model.logits(TextUnits.of(NEW)), logits)
    mask = model.mask(NEW)
    spans = model.units(NEW)
    changed = [
        " ".join(text[a:b] if shown else "unlike" for (a, b), shown in zip(at, own, strict=True))
        for text, at, own in zip(NEW, spans, mask, strict=True)
    ]
    np.testing.assert_array_equal(model.decision_function(changed, mask=mask), expected)
    np.testing.assert_array_equal(model.decision_function(NEW[:1]), expected[:1])
    assert np.ptp(expected) > 0


def test_the_scale_of_states_follows_the_length_of_texts(model):
    encoder = Encoder.of(backbone(), 0)
    assert encoder.suited_to(np.array([10, 63, 500])).scale == 0.01
    assert encoder.suited_to(np.array([10, 64, 64])).scale == 0.1
    assert model._model.encoder.scale == pickle.loads(pickle.dumps(model))._model.encoder.scale == 0.01
