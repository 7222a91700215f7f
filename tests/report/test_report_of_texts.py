"""Reports and model cards of models of texts: words that decided, and nothing of a text becomes markup."""

import numpy as np
import pytest
from markupsafe import escape
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skrationale import TextRationaleClassifier, TextRationaleDistiller, TextRationaleRegressor, make_report
from skrationale.datasets import make_texts
from skrationale.report import make_model_card

TEXTS, Y, _ = make_texts(400, n_words=16, random_state=0)
LABELS = np.array(["no", "yes"])[Y]
NEW, TRUTH = [*TEXTS[300:399], "<script>goodbaba</script> & *x* goodbade goodbani"], LABELS[300:]
QUICK = {"hidden_layer_sizes": (8, 8), "max_features": 3, "max_epochs": 3, "lr": 1e-2, "random_state": 0}


@pytest.fixture(scope="module")
def models():
    model = TextRationaleClassifier(**QUICK).fit(TEXTS[:300], LABELS[:300])
    student = TextRationaleDistiller(FrozenEstimator(model), **QUICK).fit(TEXTS[:100], LABELS[:100])
    line = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS[:300], LABELS[:300])
    return {"words": model, "student": student, "TF-IDF": line}


def test_a_report_compares_models_of_texts(models, tmp_path):
    report = make_report(models, NEW, TRUTH, tmp_path / "report.html", audit=True)
    summary = report.tables["summary"]
    assert summary.index.tolist() == ["words", "student", "TF-IDF"]
    for name, model in models.items():
        assert summary.loc[name, "score"] == model.score(NEW, TRUTH)
        assert np.isfinite(
            summary.loc[name, ["log_loss", "auroc", "kilobytes", "predict_us"]].astype(float)
        ).all()
    assert summary.loc["student", "same_class"] == models["student"].fidelity(NEW)["same_class"]
    missing = report.tables["missing"]
    assert "texts have no columns" in str(missing)
    page = report.path.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "Not shown:" not in page
    assert "from 3 units in the median text" in page
    for label, found in models["words"].explain(NEW).top(1).items():
        [(word, count)] = found
        assert f"{word} ({count})" in page
        assert escape(label) in page
    assert page.count("<mark style=") >= 6
    assert "skr-text" in page
    assert page.count("EVAL-X") + page.count("audit") > 1


def test_a_card_is_about_words(models, tmp_path):
    page = models["words"].model_card(tmp_path / "card.md", NEW, TRUTH).read_text(encoding="utf-8")
    assert page.startswith("# Model card: TextRationaleClassifier\n")
    assert "## Words" in page
    assert "## Columns" not in page
    assert "- 100 texts.\n" in page
    assert "In the median text 3 units" in page
    assert f"It is made of {models['words']._model.n_weights:,} weights." in page
    for [(word, count)] in models["words"].explain(NEW).top(1).values():
        assert f"{word} ({count})" in page
    numbers = TextRationaleRegressor(**QUICK | {"max_epochs": 1}).fit(TEXTS[:60], Y[:60] * 2.0)
    page = numbers.model_card(tmp_path / "card.md", np.array(NEW[:50]), Y[300:350]).read_text(
        encoding="utf-8"
    )
    assert "| all |" in page
    other = make_model_card(models["TF-IDF"], NEW, TRUTH, tmp_path / "card.md").read_text(encoding="utf-8")
    assert "It has no reasons by words." in other


def test_texts_for_a_model_of_tables_are_refused(models, tmp_path):
    table = LogisticRegression().fit(np.eye(2), ["no", "yes"])
    with pytest.raises(ValueError, match="'table' cannot predict X"):
        make_report({"table": table}, NEW, TRUTH, tmp_path / "report.html")
    with pytest.raises(ValueError, match="y has 99 values; expected 100"):
        make_report(models, NEW, TRUTH[1:], tmp_path / "report.html")
