"""A page of Markdown about one model: its figures are those of the report, and nothing becomes markup."""

import hashlib
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from estimators import QUICK, QUICK_SEARCH, QUICK_TREES, OneHot
from lightgbm import LGBMClassifier, LGBMRegressor
from seeds import SEED
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline

import skrationale
from skrationale import (
    FLINTRegressor,
    GBDT2NNStudent,
    RationaleClassifier,
    RationaleDistiller,
    RationaleRegressor,
    SmoothMLPClassifier,
    SmoothMLPRegressor,
    SymbolicDistiller,
    make_report,
)
from skrationale.explanation import Explanation
from skrationale.report import make_model_card
from skrationale.report._card_wording import WHAT_REASONS_ARE, kind_of_reasons, sum_of
from skrationale.report._markdown import code, text
from skrationale.serving import save, serving_copy

HEADINGS = ["What it is", "Data of this page", "Answers", "Reasons", "Columns", "Costs", "Limits", "Versions"]
MODELS = {
    "tree_shap": lambda: GBDT2NNStudent(LGBMClassifier(**QUICK_TREES), **QUICK),
    "path": lambda: GBDT2NNStudent(LGBMRegressor(**QUICK_TREES), explanation="path", **QUICK),
    "permutation": lambda: GBDT2NNStudent(
        make_pipeline(OneHot(), LogisticRegression()), explanation="permutation", **QUICK
    ),
    "integrated gradients": lambda: SmoothMLPClassifier(**QUICK),
    "rationale": lambda: RationaleDistiller(RationaleRegressor(**QUICK), audit_teacher=False, **QUICK),
    "formula": lambda: SymbolicDistiller(SmoothMLPRegressor(**QUICK), **QUICK_SEARCH),
    "attributes": lambda: FLINTRegressor(
        make_pipeline(OneHot(), MLPRegressor(max_iter=5)), n_attributes=2, **QUICK
    ),
}


def target(model, score):
    if hasattr(model, "predict_proba"):
        return np.array(["no", "perhaps", "yes"])[np.digitize(score, np.quantile(score, [0.33, 0.66]))]
    return score


@pytest.fixture(scope="module")
def fitted(mixed):
    found: dict = {}

    def get(name):
        if name not in found:
            model = MODELS[name]()
            found[name] = model.fit(mixed[0], target(model, mixed[1]))
        return found[name], mixed[0], target(found[name], mixed[1])

    return get


def sections(page):
    parts = re.split(r"^## (.*)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def tables(section):
    """Rows of all tables as lists of cells."""
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def figure(section, name):
    return next(row[1] for row in tables(section) if row[0] == name)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", MODELS)
def test_each_family_has_the_figures_of_the_report_and_its_kind_of_reasons(kind, fitted, tmp_path):
    model, X, y = fitted(kind)
    page = model.model_card(tmp_path / "card.md", X, y, n_rows=60).read_text(encoding="utf-8")
    assert page.startswith(f"# Model card: {type(model).__name__}\n")
    found = sections(page)
    assert list(found) == HEADINGS
    are, are_not = WHAT_REASONS_ARE[kind]
    assert are in found["Reasons"]
    assert are_not in found["Reasons"]
    summary = make_report({"m": model}, X, y, tmp_path / "report.html", n_rows=60).tables["summary"]
    metric = "accuracy" if hasattr(model, "classes_") else "R2"
    assert figure(found["Answers"], metric) == shown(summary.loc["m", "score"])
    if hasattr(model, "teacher_"):
        teacher = summary.loc["teacher of m", "score"]
        assert next(row for row in tables(found["Answers"]) if row[0] == metric)[2] == shown(teacher)
        assert figure(found["Answers"], "score R2") == shown(summary.loc["m", "prediction_r2"])
    if not np.isnan(summary.loc["m", "explanation_r2"]):
        assert figure(found["Reasons"], "reasons R2") == shown(summary.loc["m", "explanation_r2"])
        assert "reasons R2" in tables(found["Columns"])[0]
    assert figure(found["Reasons"], "columns used per row") == shown(summary.loc["m", "columns_used"])
    columns = tables(found["Columns"])
    assert {row[0] for row in columns[2:]} == set(X.columns)
    levels = {row[0]: row[2] for row in columns[2:]}
    assert (levels["city"], levels["grade"], levels["age"]) == ("3", "3", "a number")
    assert "60 rows, drawn from 240, 6 columns." in found["Data of this page"]
    assert figure(found["Versions"], "skrationale") == skrationale.__version__


def shown(value):
    return f"{value:.4g}".replace("-", "−")


def test_columns_whose_reasons_are_not_the_teachers_are_named(fitted, tmp_path):
    model, X, y = fitted("tree_shap")
    page = sections(make_model_card(model, X, y, tmp_path / "card.md").read_text(encoding="utf-8"))
    own, theirs = model.explain(X), model.teacher_explain(X)
    share = own.mean_abs().sum(axis=1) / own.mean_abs().sum()
    limits = page["Limits"].splitlines()[2]
    for j, name in enumerate(X.columns):
        error = ((own.values[:, j] - theirs.values[:, j]) ** 2).sum()
        spread = ((theirs.values[:, j] - theirs.values[:, j].mean()) ** 2).sum()
        r2 = 1 - error / spread if spread else float(error == 0)
        assert (f"{name} (" in limits) == (r2 < 0.5 and share[j] >= 0.01)
        row = next(row for row in tables(page["Columns"]) if row[0] == name)
        assert row[-1] == shown(r2)
        assert row[1] in (f"{share[j]:.0%}", "under 1%")
    assert "agree little with the teacher's reasons (R2 below 0.5)" in limits


def test_the_same_page_comes_twice_but_for_times(fitted, tmp_path):
    model, X, y = fitted("integrated gradients")
    pages = [model.model_card(tmp_path / f"{i}.md", X, y).read_text(encoding="utf-8") for i in range(2)]
    assert len({re.sub(r"\| µs.*", "", page) for page in pages}) == 1


def test_the_hash_is_that_of_the_file_or_of_the_pickle(fitted, tmp_path):
    model, X, y = fitted("integrated gradients")
    path = save(model, tmp_path / "a_model.skops")
    page = model.model_card(tmp_path / "card.md", X, y, file=path, n_rows=20).read_text(encoding="utf-8")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert rf"SHA-256 of the file a\_model.skops: `{digest}`" in page
    page = model.model_card(tmp_path / "card.md", X, y, n_rows=20).read_text(encoding="utf-8")
    assert f"`{hashlib.sha256(pickle.dumps(model, protocol=5)).hexdigest()}`" in page
    with pytest.raises(FileNotFoundError):
        model.model_card(tmp_path / "other.md", X, y, file=tmp_path / "none")
    assert not (tmp_path / "other.md").exists()


HOSTILE = [
    "a|b",
    "<script>alert(1)</script>",
    "[x](http://x)",
    "**b**",
    "`c`",
    "# h",
    "1. one",
    "line\nbreak",
    "www.x.org",
]


def test_no_name_and_no_label_becomes_markup(tmp_path):
    rng = np.random.RandomState(SEED)
    X = pd.DataFrame(rng.normal(size=(60, len(HOSTILE))), columns=HOSTILE)
    y = np.where(X["a|b"] > 0, "<b>|yes", "*no*")
    model = RationaleClassifier(**QUICK).fit(X, y)
    page = model.model_card(tmp_path / "card.md", X, y).read_text(encoding="utf-8")
    found = sections(page)
    assert list(found) == HEADINGS
    assert {len(row) for row in tables(found["Columns"])} == {4}
    for sign in ("<script", "<b>", "[x]", "**b**", "*no*", "`c`", "http://", "www.x"):
        written = found["Columns"] + found["Data of this page"]
        assert not re.search(rf"(?<!\\){re.escape(sign)}", written)
    assert r"\<b\>\|yes" in found["What it is"]
    assert r"a\|b" in found["Columns"]
    assert text("1. one") == r"1\. one"
    assert text("- a") == r"\- a"
    assert code("```\nx") == "````\n```\nx\n````"


def test_pipelines_searches_and_other_models_have_cards(mixed, tmp_path):
    X, score = mixed[0][["age", "visits"]].fillna(0.0), mixed[1]
    search = GridSearchCV(SmoothMLPRegressor(**QUICK), {"lr": [1e-3]}, cv=2)
    for model, name in (
        (make_pipeline("passthrough", SmoothMLPRegressor(**QUICK)), "SmoothMLPRegressor"),
        (search, "SmoothMLPRegressor"),
        (Ridge(), "Ridge"),
    ):
        page = make_model_card(model.fit(X, score), X, score, tmp_path / "card.md").read_text(
            encoding="utf-8"
        )
        assert page.startswith(f"# Model card: {name}\n")
        assert list(sections(page)) == HEADINGS
    assert "It has none here: it has no explanations." in sections(page)["Reasons"]


def test_a_serving_copy_says_that_it_has_no_teacher(fitted, tmp_path):
    model, X, y = fitted("tree_shap")
    page = serving_copy(model).model_card(tmp_path / "card.md", X, y, n_rows=20).read_text(encoding="utf-8")
    assert "AbsentTeacher" in page
    assert "Its teacher" not in page
    assert "agree with those of its teacher" not in page


def test_wrong_input_is_refused_and_a_file_stays(fitted, tmp_path):
    model, X, y = fitted("integrated gradients")
    path = tmp_path / "card.md"
    path.write_text("old")
    with pytest.raises(ValueError, match="y has 239 values; expected 240"):
        model.model_card(path, X, y[:-1])
    with pytest.raises(ValueError, match="n_rows must be an integer of at least 1"):
        model.model_card(path, X, y, n_rows=0)
    with pytest.raises(ValueError, match="not fitted"):
        SmoothMLPClassifier().model_card(path, X, y)
    assert path.read_text() == "old"


def test_every_kind_of_reasons_has_its_words():
    assert kind_of_reasons(Explanation([[1.0]], 0.0)) == "other"
    assert kind_of_reasons(Explanation([[1.0]], 0.0, meta={"explanation": "unheard of"})) == "other"
    joint = Explanation([[1.0]], 0.0, meta={"explanation": "tree_shap", "imitation": "joint"})
    assert sum_of(joint) == "In this scheme base and reasons do not add up to the score."
    assert {kind_of_reasons(Explanation([[1.0]], 0.0, meta={"explanation": kind})) for kind in MODELS} >= {
        "tree_shap",
        "path",
        "permutation",
        "integrated gradients",
    }
    assert set(WHAT_REASONS_ARE) == {*MODELS, "other"}
