"""TextRationaleClassifier and TextRationaleRegressor keep what they promise."""

import io
import os
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from skrationale import TextRationaleClassifier, TextRationaleRegressor
from skrationale.datasets import make_texts
from skrationale.serving import load, save, serving_copy

N = 1000
QUICK = {"hidden_layer_sizes": (8, 8), "max_epochs": 2, "lr": 1e-2, "random_state": 0}
TEXTS, Y, TRUTH = make_texts(N + 200, n_words=16, random_state=0)
NEW = TEXTS[N:]


@pytest.fixture(scope="module")
def model():
    settings = {"hidden_layer_sizes": (16, 16), "max_epochs": 6, "lr": 1e-2, "random_state": 0}
    return TextRationaleClassifier(max_features=3, **settings).fit(TEXTS[:N], np.array(["no", "yes"])[Y[:N]])


def overlap(found, truth):
    """Give the F1 of spans found among true ones."""
    pairs = [
        ({*map(tuple, a.tolist())}, {*map(tuple, b.tolist())}) for a, b in zip(found, truth, strict=True)
    ]
    hits = sum(len(a & b) for a, b in pairs)
    return 2 * hits / sum(len(a) + len(b) for a, b in pairs)


def test_words_that_decide_are_found(model):
    assert overlap(model.get_rationale(NEW, merge=False), TRUTH[N:]) > 0.8  # by chance 0.2
    assert model.score(NEW, np.array(["no", "yes"])[Y[N:]]) > 0.85
    assert model.mean_n_selected_ == 3
    assert model.empty_rate_ == model.truncated_share_ == 0
    chances = model.predict_proba(NEW)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    np.testing.assert_array_equal(chances[:, 1] > 0.5, model.predict(NEW) == "yes")
    np.testing.assert_allclose(np.log(chances[:, 1] / chances[:, 0]), model.decision_function(NEW), atol=1e-9)


def test_frequencies_of_words_are_counted_in_texts(model):
    found = model.word_frequencies_
    texts = model.explain(TEXTS[:N])
    for word in list(found)[:5]:
        expected = np.mean([word in map(str.lower, texts.words(i)) for i in range(N)])
        assert found[word] == pytest.approx(expected)
    shares = list(found.values())
    assert shares == sorted(shares, reverse=True)
    assert set(found) <= set(model._model.reader.vocabulary)
    assert TextRationaleClassifier(**QUICK).fit(["", "?"] * 10, [0, 1] * 10).word_frequencies_ == {}


def test_no_other_word_takes_part(model):
    """With the mask held, hidden words may be any others, move, or be gone: not one bit changes."""
    mask, spans = model.mask(NEW), model.units(NEW)
    expected = model.decision_function(NEW)
    np.testing.assert_array_equal(model.decision_function(NEW, mask=mask), expected)
    rng, others = np.random.RandomState(0), " ".join(TEXTS[:50]).split()
    changed, moved, moved_masks, alone = [], [], [], []
    for text, shown, at in zip(NEW, mask, spans, strict=True):
        words = [text[start:end] for start, end in at]
        changed.append(
            " ".join(w if s else others[rng.randint(300)] for w, s in zip(words, shown, strict=True))
        )
        kept, hidden = ([w for w, s in zip(words, shown, strict=True) if s == keep] for keep in (True, False))
        cut = rng.randint(len(hidden) + 1)
        moved.append(" ".join(hidden[cut:] + kept + hidden[:cut]))
        moved_masks.append(
            np.r_[np.zeros(len(hidden) - cut, bool), np.ones(len(kept), bool), np.zeros(cut, bool)]
        )
        alone.append(" ".join(kept))
    np.testing.assert_array_equal(model.decision_function(changed, mask=mask), expected)
    np.testing.assert_array_equal(model.decision_function(moved, mask=moved_masks), expected)
    everything = [np.ones(len(part), bool) for part in model.units(alone)]
    np.testing.assert_array_equal(model.decision_function(alone, mask=everything), expected)


def test_neighbours_in_a_batch_change_no_bit(model):
    long = " ".join(TEXTS[:20] * 3)
    together = [NEW[0], long, "", *NEW[1:5]]
    explanation, alone = model.explain(together), model.explain(NEW[:1])
    np.testing.assert_array_equal(explanation.values[0], alone.values[0])
    np.testing.assert_array_equal(explanation.scores[0], alone.scores[0])
    shuffled = model.explain(NEW[4::-1])
    for i in range(5):
        np.testing.assert_array_equal(shuffled.values[4 - i], model.explain(NEW[:5]).values[i])


def test_texts_without_words_get_the_class_frequencies(model):
    chances = model.predict_proba(["", "...", NEW[0]])
    share = Y[:N].mean()
    np.testing.assert_allclose(chances[:2], [[1 - share, share]] * 2)
    assert [len(part) for part in model.get_rationale(["", "?!"])] == [0, 0]
    assert model.select(["", "?!"]) == ["", "…"]
    nothing = [np.zeros(len(part), bool) for part in model.mask(NEW[:1])]
    np.testing.assert_allclose(model.predict_proba(NEW[:1], mask=nothing), chances[:1])


def test_explanations_and_selections_are_of_one_mask(model):
    explanation = model.explain(pd.Series(NEW, index=range(5, 5 + len(NEW))))
    for i, (mask, spans) in enumerate(zip(model.mask(NEW), model.units(NEW), strict=True)):
        np.testing.assert_array_equal(explanation.mask[i], mask)
        np.testing.assert_array_equal(explanation.spans[i], spans)
        assert ((explanation.values[i] > 0.5) == mask).all()
    assert explanation.predictions == tuple(model.predict(NEW))
    assert explanation.output_names == ("yes",)
    assert explanation.link == "logit"
    text = "goodbaba, goodbade  x y z goodbani."
    assert model.get_rationale([text])[0].tolist() == [[0, 18], [26, 34]]
    assert model.get_rationale([text], merge=False)[0].tolist() == [[0, 8], [10, 18], [26, 34]]
    assert model.select([text]) == ["goodbaba, goodbade … goodbani …"]


def test_pickles_files_and_clones_answer_alike(model, tmp_path):
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    buffer.seek(0)
    pytest.importorskip("skops")
    file = save(serving_copy(model), tmp_path / "model.skops")
    for copy in (pickle.loads(pickle.dumps(model)), joblib.load(buffer), load(file)):
        np.testing.assert_array_equal(copy.decision_function(NEW), model.decision_function(NEW))
        np.testing.assert_array_equal(copy.explain(NEW).values[3], model.explain(NEW).values[3])
    assert not hasattr(clone(model), "classes_")
    assert NEW[0][:12].encode() not in pickle.dumps(model)


@pytest.mark.no_cover
def test_unknown_words_are_the_same_in_each_process(model, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    code = (
        "import joblib, sys\n"
        "model = joblib.load(sys.argv[1])\n"
        "print(model.decision_function(['quizzical zebras goodbaba ymir'])[0].hex())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model.joblib")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )
    assert run.stdout == model.decision_function(["quizzical zebras goodbaba ymir"])[0].hex() + "\n"


def test_one_seed_is_one_model_and_chance_outside_stays():
    import torch

    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    texts, y = list(TEXTS[:120]), Y[:120].copy()
    one, two = (TextRationaleClassifier(**QUICK).fit(texts, y) for _ in range(2))
    other = TextRationaleClassifier(**QUICK | {"random_state": 1}).fit(texts, y)
    np.testing.assert_array_equal(one.decision_function(NEW), two.decision_function(NEW))
    assert not np.array_equal(one.decision_function(NEW), other.decision_function(NEW))
    assert texts == TEXTS[:120]
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])
    assert one.get_params() == TextRationaleClassifier(**QUICK).get_params()


def test_pipelines_searches_and_kinds_of_input():
    texts, y = TEXTS[:60], Y[:60]
    pipeline = make_pipeline(FunctionTransformer(), TextRationaleClassifier(**QUICK))
    grid = {"textrationaleclassifier__max_features": [0.1, 2]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(np.array(texts, dtype=object), y)
    assert search.best_params_["textrationaleclassifier__max_features"] in (0.1, 2)
    answers = [
        TextRationaleClassifier(**QUICK).fit(given, y).predict(tuple(NEW)).tolist()
        for given in (texts, tuple(texts), np.array(texts), pd.Series(texts), pd.Series(texts, dtype=object))
    ]
    assert all(answer == answers[0] for answer in answers)
    assert is_classifier(TextRationaleClassifier())
    assert is_regressor(TextRationaleRegressor())


@pytest.mark.filterwarnings("ignore:Can't test estimator")
def test_scikit_learn_has_no_checks_for_texts():
    found = check_estimator(TextRationaleClassifier(**QUICK), on_skip=None)
    assert {check["status"] for check in found} <= {"passed", "skipped"}


def test_several_classes_sentences_and_weights():
    y = np.array(["a", "b", "c"])[Y[:200] + np.arange(200) % 2]
    model = TextRationaleClassifier(max_features=1, unit="sentence", **QUICK).fit(TEXTS[:200], y)
    assert model.decision_function(NEW).shape == (len(NEW), 3)
    np.testing.assert_allclose(model.predict_proba(NEW).sum(axis=1), 1)
    assert all(len(spans) == 1 for spans in model.get_rationale(NEW))
    weight = np.r_[np.ones(100), np.zeros(100)]
    weighted = TextRationaleClassifier(**QUICK).fit(TEXTS[:200], Y[:200], sample_weight=weight)
    fewer = TextRationaleClassifier(**QUICK).fit(TEXTS[:100], Y[:100])
    np.testing.assert_array_equal(weighted.decision_function(NEW), fewer.decision_function(NEW))
    assert np.isfinite(
        TextRationaleClassifier(**QUICK).fit(TEXTS[:60], Y[:60], np.arange(60)).predict(NEW)
    ).all()


def test_numbers():
    texts, y, _ = make_texts(500, n_words=16, regression=True, random_state=1)
    settings = QUICK | {"max_epochs": 8, "hidden_layer_sizes": (16, 16)}
    model = TextRationaleRegressor(max_features=3, **settings).fit(texts, 10 * y + 100)
    assert model.score(texts, 10 * y + 100) > 0.4
    assert model.predict([""])[0] == pytest.approx(np.mean(10 * y + 100))
    assert model.explain(texts[:2]).link == "identity"
    assert not hasattr(model, "predict_proba")


def test_few_texts_one_class_and_no_words():
    few = TextRationaleClassifier(**QUICK).fit(["good", "bad", "", "good bad"], [1, 0, 0, 1])
    assert set(few.predict(["good", "bad", ""])) <= {0, 1}
    one = TextRationaleClassifier(**QUICK).fit(["good", "bad"], ["x", "x"])
    assert one.predict(["anything"]).tolist() == ["x"]
    assert one.mask(["any thing"])[0].tolist() == [False, False]
    empty = TextRationaleClassifier(**QUICK).fit(["", "!"], [0, 1])
    np.testing.assert_allclose(empty.predict_proba(["word"]), 0.5)
    same = TextRationaleRegressor(**QUICK).fit(["a", "b", "c"], [2.0, 2.0, 2.0])
    assert same.predict(["a b"]).tolist() == [2.0]


def test_long_texts_are_cut_and_that_is_said():
    texts = [f"{text} {'word ' * 30}" for text in TEXTS[:40]]
    with pytest.warns(UserWarning, match="100% of the texts have more than max_length=20 words"):
        model = TextRationaleClassifier(max_length=20, **QUICK).fit(texts, Y[:40])
    assert model.truncated_share_ == 1
    assert all(len(part) == 20 for part in model.mask(texts))


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ("one text", TypeError, "X is one str; expected several texts"),
        (b"bytes", TypeError, "X is one bytes"),
        (["a", None], TypeError, "something missing in row 1"),
        (["a", float("nan")], TypeError, "something missing in row 1"),
        (pd.Series(["a", pd.NA], dtype="string"), TypeError, "X holds something missing in row 1"),
        (["a", b"b"], TypeError, "a bytes in row 1"),
        ([1, 2], TypeError, "a int in row 0"),
        (pd.DataFrame({"t": ["a", "b"]}), TypeError, r"shape \(2, 1\).*Give only the column of texts"),
        (np.array("a"), TypeError, r"shape \(\)"),
        ({"a": 1}, TypeError, "X is a dict"),
        ([], ValueError, "X holds no text"),
        (["a"], ValueError, "X holds 1 texts and y 2 values"),
    ],
)
def test_input_that_is_no_texts_is_refused(texts, error, message):
    model = TextRationaleClassifier(**QUICK)
    with pytest.raises(error, match=message):
        model.fit(texts, [0, 1])
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_features": 0}, "'max_features' parameter .* Got 0"),
        ({"max_features": 1.5}, "'max_features' parameter .* Got 1.5"),
        ({"max_features": None}, "'max_features' parameter .* Got None"),
        ({"unit": "("}, "'unit' parameter .* Got '\\('"),
        ({"contiguity": -1}, "'contiguity' parameter .* Got -1"),
        ({"fill": "mean"}, "'fill' parameter .* Got 'mean'"),
        ({"hidden_layer_sizes": ()}, "'hidden_layer_sizes' parameter"),
        ({"device": "abacus"}, "device.*abacus"),
        ({"n_hashed": 0}, "'n_hashed' parameter"),
    ],
)
def test_wrong_parameters_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        TextRationaleClassifier(**changes).fit(["a", "b"], [0, 1])


def test_labels_for_a_regressor_and_a_failed_fit():
    with pytest.raises(ValueError, match="use TextRationaleClassifier"):
        TextRationaleRegressor(**QUICK).fit(["a", "b"], ["x", "y"])
    model = TextRationaleClassifier(**QUICK).fit(TEXTS[:50], Y[:50])
    before = model.predict(NEW)
    with pytest.raises(ValueError, match="X holds"):
        model.fit(TEXTS[:50], Y[:49])
    np.testing.assert_array_equal(model.predict(NEW), before)
