"""One report about all families, a Pipeline and a plain competitor; and a browser that renders it."""

import os
import pickle
import re
import shutil
import subprocess

import numpy as np
import pytest
from estimators import CLASSIFIERS, RATIONALE, REGRESSORS, SMOOTH, OneHot, known_parameters
from markupsafe import escape
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skrationale import RationaleClassifier, RationaleDistiller, SmoothMLPClassifier
from skrationale.explanation import Explanation
from skrationale.metrics import comprehensiveness, sparsity
from skrationale.report import make_report
from skrationale.report._measures import SHARES

SHORT = RATIONALE | {"max_epochs": 4}
NAMES = ["gbdt2nn", "symbolic-black-box", "flint", "flint-post-hoc"]
FEWER = {"niterations": 4, "max_epochs": 15}


def less(model):
    return model.set_params(**known_parameters(model, FEWER))


@pytest.fixture(scope="module")
def families(mixed):
    X, score = mixed
    y = np.where(score > np.median(score), "yes", "no")
    fitted = {name: less(CLASSIFIERS[name]()).fit(X, y) for name in NAMES}
    teacher = RationaleClassifier(**SHORT)
    fitted["rationale"] = RationaleDistiller(teacher, audit_teacher=False, **SHORT).fit(X, y)
    fitted["piped"] = make_pipeline(OneHot(), SmoothMLPClassifier(**SMOOTH)).fit(X, y)
    fitted["plain"] = make_pipeline(OneHot(), LogisticRegression()).fit(X, y)
    return fitted, X[:120], y[:120]


@pytest.fixture(scope="module")
def report(families, tmp_path_factory):
    fitted, X, y = families
    return make_report(fitted, X, y, tmp_path_factory.mktemp("report") / "all.html", audit=True)


def test_all_are_there_with_their_teachers(report, families):
    fitted, X, y = families
    summary = report.tables["summary"]
    taught = ["gbdt2nn", "symbolic-black-box", "flint-post-hoc", "rationale"]
    assert summary.index.tolist() == [*fitted, *(f"teacher of {name}" for name in taught)]
    for name, model in fitted.items():
        assert summary.loc[name, "score"] == pytest.approx(np.mean(model.predict(X) == y))
        if hasattr(model, "fidelity"):
            fidelity = model.fidelity(X, y)
            assert summary.loc[name, "same_class"] == fidelity["same_class"]
            assert summary.loc[name, "prediction_r2"] == fidelity["prediction_r2"]
            taught_by = fidelity.get("teacher_score", fidelity.get("model_score"))
            if name in taught:
                assert summary.loc[f"teacher of {name}", "score"] == pytest.approx(taught_by)
    reasons = fitted["gbdt2nn"].fidelity(X)
    assert summary.loc["gbdt2nn", "explanation_r2"] == reasons["explanation_r2"]
    assert summary.loc["gbdt2nn", "top1_agreement"] == reasons["top1_agreement"]
    assert (summary[["kilobytes", "predict_us"]] > 0).all(axis=None)


def test_reasons_are_judged_by_column_with_the_same_draws(report, families):
    fitted, X, _ = families
    summary = report.tables["summary"]
    flint, student, rationale = (fitted[name] for name in ("flint", "gbdt2nn", "rationale"))
    asked = {
        "flint": (flint.explain(X, by="column"), flint.predict_proba),
        "rationale": (rationale.explain(X), rationale.predict_proba),
        "gbdt2nn": (student.explain(X), student.predict_proba),
    }
    for name, (reasons, predict) in asked.items():
        expected = comprehensiveness(reasons, predict, X, shares=SHARES, random_state=0)
        assert summary.loc[name, "comprehensiveness"] == pytest.approx(expected)
        assert summary.loc[name, "columns_used"] == sparsity(reasons)
    assert summary.loc["teacher of gbdt2nn", "columns_used"] == sparsity(student.teacher_explain(X))
    assert set(report.tables["importances"].index) >= set(X.columns)


def test_every_family_shows_what_it_has(report, families):
    fitted, X, _ = families
    page = report.path.read_text(encoding="utf-8")
    assert escape(str(fitted["symbolic-black-box"].formula_)) in page
    rule = next(d.rule.text for d in fitted["flint"].describe() if d.relevant_share and d.rule.is_short_rule)
    assert escape(rule) in page
    share = fitted["flint"].disagreement(X).mean()
    assert f"On {share:.1%} of these rows" in page or share == 0
    assert "used in" in page
    verdict = fitted["rationale"].audit(X, families[2], n_refits=0, random_state=0).verdict
    assert escape(verdict) in page
    assert "Not shown:" not in page
    assert page.count("<section") == 2 + len(report.tables["summary"])


def test_the_file_stands_alone_and_is_small(report):
    page = report.path.read_text(encoding="utf-8")
    assert report.path.stat().st_size < 700_000
    assert "<script" not in page
    assert not re.search(r"(src|href)\s*=\s*(?![\"']?#)", page)
    assert not re.search(r"@import|url\(", page)


def test_costs_leave_the_teacher_out(report, families):
    student = families[0]["gbdt2nn"]
    whole = len(pickle.dumps(student)) / 1000
    teacher = len(pickle.dumps(student.teacher_)) / 1000
    assert report.tables["summary"].loc["gbdt2nn", "kilobytes"] < whole - 0.5 * teacher


def test_numbers_of_every_family(mixed, tmp_path):
    X, score = mixed
    y = np.exp(0.3 * score)
    fitted = {name: less(REGRESSORS[name]()).fit(X, y) for name in ("gbdt2nn-poisson", "smooth-mlp", "flint")}
    X, y = X[:60], y[:60]
    summary = make_report(fitted, X, y, tmp_path / "r.html").tables["summary"]
    assert summary.loc["gbdt2nn-poisson", "score"] == pytest.approx(fitted["gbdt2nn-poisson"].score(X, y))
    assert summary["comprehensiveness"].notna().all()
    assert "R2 against y" in (tmp_path / "r.html").read_text(encoding="utf-8")


# --- browser -----------------------------------------------------------------------------------------


def browse(folder, *arguments):
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        pytest.skip("no Chromium is installed")
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-sync",
    ]
    command = [browser, *flags, f"--user-data-dir={folder / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, timeout=90, check=False, env=dict(os.environ))


def printed(folder, page):
    """Size in bytes and number of pages of the PDF that a browser makes of a page."""
    pdf = folder / "printed.pdf"
    ended = browse(folder, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())
    if ended.returncode or not pdf.exists():
        pytest.skip(f"Chromium does not run here: {ended.stderr[-200:]!r}")
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF")
    return len(content), len(re.findall(rb"/Type\s*/Page\b", content))


def test_a_browser_prints_it(report, tmp_path):
    blank = tmp_path / "blank.html"
    blank.write_text("<!doctype html><title>blank</title><p>blank</p>")
    size, pages = printed(tmp_path, report.path)
    assert size > 10 * printed(tmp_path, blank)[0]
    assert pages >= len(report.tables["summary"])  # each section begins a page


def test_print_has_one_line_for_features_that_the_screen_sums(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 200))
    Explanation(values, 0.0).write_html(tmp_path / "page.html")
    assert printed(tmp_path, tmp_path / "page.html")[1] <= 3  # nine with a line for each feature
