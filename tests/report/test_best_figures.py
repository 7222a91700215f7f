"""What a report calls best, and how sure it is: standard errors, bold figures, and a constant answer."""

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, r2_score, roc_auc_score

from skrationale.explanation import Explanation
from skrationale.report import make_report
from skrationale.report._doubt import error_of, parts_of_auroc, parts_of_labels, parts_of_r2


def table_of(report, caption):
    """Lines of cells by the name of the first, as markup; the heads under an empty name."""
    page = report.path.read_text(encoding="utf-8")
    (table,) = (t for t in re.findall(r"<table>.*?</table>", page, re.DOTALL) if f"<caption>{caption}<" in t)
    lines = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.DOTALL) for line in table.split("<tr")[1:]]
    heads = [plain(head) for head in lines[0]]
    return {plain(line[0]): dict(zip(heads, line, strict=True)) for line in lines}


def plain(markup):
    return unescape(re.sub(r"<[^>]*>", "", markup))


def reads(X, columns, noise, seed):
    """A regression that reads some of the columns, on a target with noise."""
    y = X["a"] + X["b"] + X["c"] + noise * np.random.RandomState(seed).normal(size=len(X))
    return Only(columns).fit(X, y)


class Only(Ridge):
    def __init__(self, columns=("a",)):
        super().__init__()
        self.columns = columns

    def fit(self, X, y):
        return super().fit(X[list(self.columns)], y)

    def predict(self, X):
        return super().predict(X[list(self.columns)])

    def explain(self, X):
        part = X[list(self.columns)]
        return Explanation(part * self.coef_, self.intercept_, data=part, feature_names=list(self.columns))


@pytest.fixture(scope="module")
def X():
    return pd.DataFrame(np.random.RandomState(0).normal(size=(300, 3)), columns=["a", "b", "c"])


def test_bold_is_what_is_better_by_more_than_two_standard_errors(X, tmp_path):
    y = (X["a"] + X["b"] + X["c"]).to_numpy() + np.random.RandomState(1).normal(size=len(X))
    alike = {f"all {i}": reads(X, ["a", "b", "c"], 1.0, i) for i in (1, 2)}
    answers = table_of(make_report(alike, X, y, tmp_path / "r.html"), "Answers")
    assert not any("<b>" in line["R2"] for line in answers.values()), "a fourth decimal is not better"
    one = {"good": alike["all 1"], "poor": reads(X, ["a"], 1.0, 1)}
    report = make_report(one, X, y, tmp_path / "r.html")
    answers = table_of(report, "Answers")
    assert [name for name, line in answers.items() if "<b>" in line["R2"]] == ["good"]
    costs = table_of(report, "Costs") | table_of(report, "Reasons")
    heads = ("kB", "µs per row to predict", "µs per row to explain", "columns used per row")
    assert not any("<b>" in line.get(head, "") for line in costs.values() for head in heads)


def test_the_mean_and_the_majority_class_are_a_line(X, tmp_path):
    y = 1e5 + 3e4 * (X["a"] + X["b"] + X["c"]).to_numpy()
    report = make_report({"m": reads(X, ["a"], 1, 0)}, X, y, tmp_path / "r.html")
    expected = r2_score(y, DummyRegressor().fit(X, y).predict(X))
    assert table_of(report, "Answers")["mean of y"]["R2"] == f"{expected:.3f}"
    label = np.where(X["a"] > 0.4, "rare", "frequent")
    model = LogisticRegression().fit(X, label)
    line = table_of(make_report({"m": model}, X, label, tmp_path / "r.html"), "Answers")["majority class"]
    dummy = DummyClassifier(strategy="prior").fit(X, label)
    found = [float(line[head]) for head in ("accuracy", "AUROC", "log-loss")]
    expected = [dummy.score(X, label), 0.5, log_loss(label, dummy.predict_proba(X))]
    assert found == pytest.approx(expected, abs=6e-4)
    assert plain(line["what it is"]).startswith("frequent for every row")


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e5])
def test_falls_of_numbers_are_in_standard_deviations_of_y(X, tmp_path, unit):
    y = unit * (X["a"] + X["b"] + X["c"]).to_numpy()
    model = Only(["a", "b", "c"]).fit(X, y)
    reasons = table_of(make_report({"m": model}, X, y, tmp_path / "r.html"), "Reasons")
    fall, error = map(float, plain(reasons["m"]["comprehensiveness"]).split(" ± "))
    assert 0.3 < fall < 1.2
    assert 0 < error < 0.1


def test_parts_of_rows_have_the_figure_as_their_mean_and_its_error():
    def drawn(seed):
        rng = np.random.RandomState(seed)
        positive = rng.rand(250) < 0.3
        return positive, positive + rng.normal(size=250).round(1)

    positive, score = drawn(0)
    parts = parts_of_auroc(positive, score)
    assert parts.mean() == pytest.approx(roc_auc_score(positive, score))
    spread = np.std([roc_auc_score(*drawn(seed)) for seed in range(1, 200)])
    assert error_of(parts) == pytest.approx(spread, rel=0.25)
    assert parts_of_r2(score, positive.astype(float)).mean() == pytest.approx(r2_score(score, positive))
    y = np.array(["no", "perhaps", "yes"])[np.arange(90) % 3]
    probabilities = np.random.RandomState(0).dirichlet([1, 1, 1], 90)
    found = parts_of_labels(y, probabilities, ["no", "perhaps", "yes"])
    assert found["log_loss"].mean() == pytest.approx(log_loss(y, probabilities))
    own = [roc_auc_score(y == name, probabilities[:, k]) for k, name in enumerate(["no", "perhaps", "yes"])]
    assert found["auroc"].mean() == pytest.approx(np.mean(own))


def test_errors_are_shown_of_one_row_there_are_none(X, tmp_path):
    y = X["a"].to_numpy() > 0.1
    model = LogisticRegression().fit(X, y)
    shown = plain(table_of(make_report({"m": model}, X, y, tmp_path / "r.html"), "Answers")["m"]["accuracy"])
    score = model.score(X, y)
    error = np.sqrt(score * (1 - score) / (len(X) - 1))
    assert shown == f"{score:.3f} ± {error:.3f}"
    alone = table_of(make_report({"m": model}, X[:1], y[:1], tmp_path / "r.html"), "Answers")["m"]["accuracy"]
    assert "±" not in alone


class Copies(Only):
    """A student of another one, whose answers are those of the teacher and some of another column."""

    def fidelity(self, X):
        truth = X["a"].to_numpy()
        own = truth + 0.5 * X["b"].to_numpy()
        return {"prediction_r2": r2_score(truth, own), "explanation_r2": r2_score(truth, own)}


def test_stability_and_agreement_with_the_teacher_have_errors(X, tmp_path):
    y = X["a"].to_numpy()
    model = Copies(["a", "b"]).fit(X, y)
    report = make_report({"m": model}, X, y, tmp_path / "r.html")
    answers, reasons = table_of(report, "Answers")["m"], table_of(report, "Reasons")["m"]
    r2, error = map(float, plain(answers["score R2"]).split(" ± "))
    assert r2 == pytest.approx(0.75, abs=0.05)
    spread = np.std(
        [
            Copies().fidelity(X.sample(len(X), replace=True, random_state=s))["prediction_r2"]
            for s in range(200)
        ]
    )
    assert error == pytest.approx(spread, rel=0.8)
    assert " ± " in plain(reasons["reasons R2"])
    cosine, error = map(float, plain(reasons["stability"]).split(" ± "))
    assert 0.8 < cosine <= 1
    assert 0 < error < 0.1
    few = table_of(make_report({"m": model}, X[:150], y[:150], tmp_path / "r.html"), "Answers")["m"]
    assert "±" not in plain(few["score R2"]), "fewer than 200 rows"
