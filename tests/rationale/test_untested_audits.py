"""An audit whose judges have learnt nothing has tested nothing, and says so."""

from dataclasses import replace

import numpy as np
import pytest

from skrationale import RationaleClassifier, RationaleRegressor
from skrationale.rationale import _audit
from skrationale.rationale._audit import audit
from skrationale.report import make_report

N = 160
NOISE = np.random.RandomState(0).normal(size=(2 * N, 3))
CHANCE = np.random.RandomState(1).rand(2 * N)
TARGETS = {
    "two": np.where(CHANCE < 0.3, "yes", "no"),
    "three": np.digitize(CHANCE, [0.3, 0.6]),
    "numbers": 100 + 7 * CHANCE,
}


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(_audit, "EPOCHS", 4)


def model_of(y):
    kind = RationaleRegressor if y.dtype.kind == "f" else RationaleClassifier
    model = kind(max_epochs=1, max_features=2, screening=False, hidden_layer_sizes=(8,), random_state=0)
    return model.fit(NOISE[:N], y[:N])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("n", [100, N])
def test_noise_is_not_called_honest(target, n):
    y = TARGETS[target]
    report = audit(model_of(y), NOISE[N : N + n], y[N : N + n], n_refits=0, random_state=0)
    assert min(report.evalx_loss, report.told_loss) > report.constant_loss - 2 * report.learnt_error
    assert not report.has_judge
    assert "untested" in report.findings
    assert not {"leak", "unsupported"} & set(report.findings)
    assert report.honest is False
    assert report.verdict.startswith("It is untested whether the rationale is honest: fresh predictors")
    assert f"that of a constant {report.constant_loss:.3f}" in report.verdict
    assert "is honest: the masks" not in report.verdict
    assert "not honest" not in report.verdict
    assert ("squared error is" in report.verdict) == (target == "numbers")
    assert report.verdict in str(report)


@pytest.fixture(scope="module")
def learnt():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(900, 3))
    model = RationaleClassifier(max_epochs=2, max_features=2, screening=False, random_state=0)
    y = rng.rand(900) < 1 / (1 + np.exp(-4 * X[:, 2]))
    return audit(model.fit(X[:400], y[:400]), X[400:], y[400:], n_refits=0, random_state=0)


def test_one_mask_for_all_rows_has_nothing_to_leak(learnt):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(600, 3))
    y = 2 * X[:, 2] + X[:, 1]
    model = RationaleRegressor(max_epochs=4, max_features=2, screening=False, random_state=0).fit(
        X[:300], y[:300]
    )
    report = audit(model, X[300:], y[300:], n_refits=0, random_state=0)
    same = bool((model.explain(X[300:]).mask == model.explain(X[300:]).mask[0]).all())
    assert report.one_mask is same
    told = replace(learnt, one_mask=True, mean_columns=4.0, leak=0.3, leak_error=0.01, unsupported=0.3)
    assert told.verdict.startswith("The same 4 columns for every row: the masks cannot leak. The model has")
    assert "nats beyond" not in told.verdict
    assert told.honest is True
    assert not {"leak", "unsupported"} & set(told.findings)
    assert replace(told, mean_columns=1.0).verdict.startswith(
        "The same 1 column for every row: the masks cannot leak."
    )
    constant = told.constant_loss
    blind = replace(told, evalx_loss=constant, leak=0.0)
    assert "untested" in blind.findings
    assert blind.verdict.startswith("It is untested")


def test_a_judge_is_one_who_knows_more_than_a_constant_beyond_noise(learnt):
    assert learnt.has_judge
    fine = replace(learnt, leak=0.0, unsupported=0.0, missing=0.0, full_share=0.0, exchanged=1.0)
    assert fine.findings == ()
    assert fine.honest is True
    assert fine.verdict.startswith("The rationale is honest: ")
    constant = fine.constant_loss
    for changes, has_judge in (
        ({"evalx_loss": constant}, False),
        ({"evalx_loss": constant + 0.2}, False),
        ({"evalx_loss": constant - 0.05, "learnt_error": 0.04}, False),
        ({"evalx_loss": constant - 0.05, "learnt_error": 0.02}, True),
        # cells that tell nothing, and masks that tell all
        ({"evalx_loss": constant, "leak": 0.3, "leak_error": 0.01, "learnt_error": 0.02}, True),
    ):
        changed = replace(fine, **changes)
        assert changed.has_judge is has_judge
        assert ("untested" in changed.findings) is not has_judge
        if not has_judge:
            assert changed.honest is False
    assert changed.findings == ("leak",)
    assert "not honest" in changed.verdict


def test_a_gain_over_judges_who_know_nothing_is_no_finding(learnt):
    report = replace(learnt, evalx_loss=0.7, constant_loss=0.69, leak=0.0, unsupported=0.4, exchanged=1.0)
    assert "unsupported" not in report.findings
    assert "untested" in report.findings
    assert report.honest is False


def test_masks_that_fit_few_rows_are_not_called_honest_in_words(learnt):
    report = replace(learnt, leak=0.0, unsupported=0.0, exchanged=0.2)
    assert report.verdict.startswith("It is hardly tested whether the rationale is honest")
    assert "Masks that could be tried on other rows: 20%." in report.verdict


def test_the_table_says_what_a_judge_needs(learnt):
    rows = learnt.to_frame().set_index("check")
    told = rows.loc["log-loss, told the masks"]
    assert told["value"] == pytest.approx(learnt.evalx_loss - learnt.leak)
    limit = learnt.constant_loss - 2 * learnt.learnt_error
    assert told["good"] == f"this, or that of EVAL-X, below {limit:.3g}"


def test_a_report_does_not_call_noise_honest(tmp_path):
    y = TARGETS["two"]
    report = make_report({"m": model_of(y)}, NOISE[N:], y[N:], tmp_path / "r.html", audit=True)
    text = report.path.read_text(encoding="utf-8")
    assert "It is untested whether the rationale is honest" in text
    assert "The rationale is honest" not in text
