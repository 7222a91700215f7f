"""What a report says of classifiers beside accuracy."""

import re

import numpy as np
import pytest
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.svm import LinearSVC

from skrationale.report import make_report

X = np.random.RandomState(0).normal(size=(200, 3))
RARE = np.where(X[:, 0] + np.random.RandomState(1).normal(size=200) > 2.2, "yes", "no")


@pytest.fixture
def models():
    logistic = LogisticRegression()
    return {
        "logistic": logistic.fit(X, RARE),
        "margin": LinearSVC().fit(X, RARE),
        "votes": VotingClassifier([("a", LogisticRegression())]).fit(X, RARE),
    }


def test_accuracy_is_not_alone(models, tmp_path):
    report = make_report(models, X, RARE, tmp_path / "r.html")
    summary, missing = report.tables["summary"], report.tables["missing"].set_index(["name", "figure"])
    chances = models["logistic"].predict_proba(X)
    assert summary.loc["logistic", "auroc"] == pytest.approx(roc_auc_score(RARE, chances[:, 1]))
    assert summary.loc["logistic", "log_loss"] == pytest.approx(log_loss(RARE, chances))
    margins = models["margin"].decision_function(X)
    assert summary.loc["margin", "auroc"] == pytest.approx(roc_auc_score(RARE, margins))
    assert missing.loc[("margin", "log_loss"), "reason"] == "it predicts no probabilities"
    assert missing.loc[("votes", "auroc"), "reason"].startswith("The classifier VotingClassifier has neither")
    text = report.path.read_text(encoding="utf-8")
    assert {"AUROC", "log-loss"} <= set(re.findall(r"<th[^>]*><span[^>]*>(.*?)</span></th>", text))
    rate = np.mean(RARE == "no")
    loss = log_loss(RARE, np.tile([rate, 1 - rate], (200, 1)))
    constant = f'majority class</th>\n<td class="skr-n">{rate:.3f}</td>\n<td class="skr-n">0.500</td>\n'
    assert f'{constant}<td class="skr-n">{loss:.3f}</td>' in text


def test_what_y_cannot_tell_says_why(models, tmp_path):
    one = make_report({"m": models["logistic"]}, X, np.full(200, "no"), tmp_path / "r.html").tables
    assert np.isnan(one["summary"].loc["m", "auroc"])
    assert one["missing"].set_index("figure").loc["auroc", "reason"] == "y holds only one label"
    assert one["summary"].loc["m", "log_loss"] > 0
    new = make_report({"m": models["logistic"]}, X, np.r_[["maybe"], RARE[1:]], tmp_path / "r.html").tables
    reasons = new["missing"].set_index("figure")["reason"]
    assert reasons["log_loss"] == reasons["auroc"] == "y holds a label on which the model was not fitted"


def test_regressors_are_measured_by_r2_alone(tmp_path):
    report = make_report([LinearRegression().fit(X, X[:, 0])], X, X[:, 0], tmp_path / "r.html")
    assert report.tables["summary"]["auroc"].isna().all()
    reasons = report.tables["missing"].set_index("figure")["reason"]
    assert reasons["auroc"] == reasons["log_loss"] == "it predicts numbers"
    assert "AUROC" not in report.path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("n_labels", "end"), [(10, "L9 10%."), (11, "and 1 other label."), (12, "and 2 other labels.")]
)
def test_of_many_labels_the_first_are_named(n_labels, end, tmp_path):
    labels = np.array([f"L{k}" for k in range(n_labels)])
    X = np.repeat(np.eye(n_labels), 2, axis=0)
    model = LogisticRegression().fit(X, np.repeat(labels, 2))
    report = make_report([model], X, np.repeat(labels, 2), tmp_path / "page.html")
    assert end in report.path.read_text(encoding="utf-8")
