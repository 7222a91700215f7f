import math
import re
import warnings
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
import pytest
import torch
from seeds import SEED
from sklearn.metrics import roc_auc_score

from skrationale.datasets import make_syn
from skrationale.rationale._audit import audit
from skrationale.rationale._audit_report import RationaleAudit, jaccard
from skrationale.rationale._estimator import RationaleClassifier, RationaleRegressor
from skrationale.rationale._model import RationaleModel
from skrationale.rationale._network import MaskedPredictor
from skrationale.rationale._refit import train_on_masks
from skrationale.training import Settings, get_state, seeded

SWITCH = 10


@dataclass(frozen=True)
class Replaced(RationaleModel):
    """A model whose masks come from a function of the matrix."""

    select: object = None

    def mask(self, matrix):
        return self.select(matrix)


def with_masks(model, select, **changes):
    """Give a copy of a fitted estimator whose masks come from a function of the matrix."""
    copy = type(model)(**model.get_params())
    vars(copy).update(vars(model))
    parts = {field.name: getattr(model._model, field.name) for field in fields(RationaleModel)}
    copy._model = Replaced(**parts | changes, select=select)
    return copy


def true_masks(matrix):
    """Give the true masks (n, 11) of Syn5."""
    mask = np.zeros(matrix.shape, dtype=bool)
    low = matrix[:, SWITCH] < 0
    mask[np.ix_(low, [0, 1])] = True
    mask[np.ix_(~low, [6, 7, 8, 9])] = True
    mask[:, SWITCH] = True
    return mask


@pytest.fixture(scope="module")
def syn():
    """A model of Syn5, and other rows."""
    X, y, _ = make_syn(5, 4000, random_state=1 + SEED)
    model = RationaleClassifier(max_epochs=20, random_state=SEED).fit(X, y)
    return model, *make_syn(5, 4000, random_state=2 + SEED)[:2]


@pytest.fixture(scope="module")
def quick():
    """A model of two noise columns and one that matters, fitted for a moment, and other rows."""
    rng = np.random.RandomState(SEED)
    X = rng.normal(size=(1600, 3))
    y = np.where(rng.rand(1600) < 1 / (1 + np.exp(-2 * X[:, 2])), "yes", "no")
    model = RationaleClassifier(max_epochs=3, random_state=SEED).fit(X[:600], y[:600])
    return model, X[600:], y[600:]


# --- what is honest, and what is not -------------------------------------------------------------


@pytest.mark.parametrize("n", [1000, 4000])
def test_true_masks_are_honest(syn, n):
    model, X, y = syn
    report = audit(with_masks(model, true_masks), X[:n], y[:n], n_refits=0, random_state=1 + SEED)
    assert report.honest
    assert "leak" not in report.findings


def test_too_few_columns_are_insufficient(syn):
    model, X, y = syn
    report = audit(
        with_masks(model, lambda matrix: true_masks(matrix) & (np.arange(11) >= 7)),
        X,
        y,
        n_refits=0,
        random_state=SEED,
    )
    assert "insufficient" in report.findings


def test_hidden_switch_is_found():
    """The known failure: the switch of Syn5 is in no mask, but which columns are shown tells its sign."""
    X, y, _ = make_syn(5, 10_000, random_state=1 + SEED)

    def select(matrix):
        return true_masks(matrix) & (np.arange(matrix.shape[1]) != SWITCH)

    fitted = RationaleClassifier(screening=False, max_epochs=1, random_state=SEED).fit(X, y)
    x, units = fitted._model.encode(X)
    with seeded(0):
        module = MaskedPredictor((64, 64), torch.from_numpy(units.groups), 11, 1)
    rows = {"x": x.numpy(), "y": y, "weight": np.ones(len(y)), "mask": select(X)}
    rows = {name: np.asarray(array, dtype=np.float32) for name, array in rows.items()}
    settings = Settings(max_epochs=30, batch_size=256, lr=5e-3, device="cpu")
    train_on_masks(module, rows, "logit", settings, own=True)
    model = with_masks(fitted, select, predictor=get_state(module))

    X, y, _ = make_syn(5, 4000, random_state=2 + SEED)
    report = audit(model, X, y, n_refits=0, random_state=SEED)
    assert not model.get_rationale(X)[:, SWITCH].any()
    assert report.own_score > 0.75
    assert not report.honest
    assert {"leak", "unsupported"} <= set(report.findings)
    assert report.evalx_score < report.own_score - 0.005


def test_mask_that_says_the_label_is_found(quick):
    model, X, y = quick

    def select(matrix):
        mask = np.zeros(matrix.shape, dtype=bool)
        mask[np.arange(len(matrix)), (matrix[:, 2] > 0).astype(int)] = True
        return mask

    report = audit(with_masks(model, select), X, y, n_refits=0, random_state=SEED)
    assert not report.honest
    assert "leak" in report.findings
    # the mask tells the sign of the third column, the cells tell nothing
    sign = X[:, 2] > 0
    best = roc_auc_score(y == "yes", sign)
    assert report.mask_only_score == pytest.approx(best, abs=0.02)
    assert report.evalx_loss == pytest.approx(report.constant_loss, abs=0.03)
    share = np.where(sign, (y[sign] == "yes").mean(), (y[~sign] == "yes").mean())
    told = -np.log(np.where(y == "yes", share, 1 - share)).mean()
    assert report.leak == pytest.approx(report.constant_loss - told, abs=0.05)
    assert "insufficient" in report.findings
    assert report.mean_columns == 1


@pytest.mark.parametrize(("shown", "finding"), [(True, "everything"), (False, "empty")])
def test_all_and_nothing(quick, shown, finding):
    model, X, y = quick
    report = audit(
        with_masks(model, lambda matrix: np.full(matrix.shape, shown)), X, y, n_refits=0, random_state=SEED
    )
    assert finding in report.findings
    assert "leak" not in report.findings
    assert report.mean_columns == 3 * shown
    assert (report.full_share, report.empty_share) == (shown, not shown)
    assert ("insufficient" in report.findings) is not shown
    assert report.mask_only_score == pytest.approx(0.5, abs=0.02)
    if shown:
        assert report.sufficiency == 0
        assert 0 <= report.missing < report.missing_limit
    else:
        assert report.comprehensiveness == 0


@pytest.mark.parametrize("d", [12, 40])
def test_masks_that_fit_no_other_row(d):
    """Of 12 columns a few masks fit by chance, of 40 none at all."""
    X = np.random.RandomState(SEED).normal(size=(400, d))
    y = (X[:, 0] > 0).astype(int)
    model = RationaleClassifier(max_epochs=1, screening=False, random_state=SEED).fit(X[:200], y[:200])

    def select(matrix):  # all cells together decide on each column
        digits = np.floor(1e15 * np.abs(np.sin(matrix.sum(axis=1)))).astype(int)
        return (digits[:, None] >> np.arange(d)) % 2 == 1

    report = audit(with_masks(model, select), X[200:], y[200:], n_refits=0, random_state=SEED)
    assert report.exchanged <= (0.25 if d == 12 else 0)
    assert "untested" in report.findings
    assert "may miss leaks" in report.verdict


# --- other targets and tables --------------------------------------------------------------------


def test_numbers():
    X, y, _ = make_syn(5, 5000, regression=True, random_state=SEED)
    y = 1000 + 50 * y
    model = RationaleRegressor(random_state=SEED, max_epochs=20).fit(X[:2500], y[:2500])
    X, y = X[2500:], y[2500:]
    report = audit(model, X, y, n_refits=0, random_state=SEED)
    assert report.honest
    assert report.metric == "R2"
    assert report.own_score == pytest.approx(model.score(X, y))
    assert report.own_loss == pytest.approx(1 - report.own_score)
    assert (report.constant_score, report.constant_loss) == pytest.approx((0, 1))
    assert report.evalx_score > 0.5
    assert report.rate_by_class == report.rate_by_predicted_class == {}

    def select(matrix):  # the first column is shown where the target is high
        mask = np.zeros(matrix.shape, dtype=bool)
        mask[:, 0] = model.predict(matrix, mask=np.ones(matrix.shape, dtype=bool)) > 1000
        return mask

    report = audit(with_masks(model, select), X, y, n_refits=0, random_state=SEED)
    assert not report.honest
    assert report.leak > 0.2
    assert report.mask_only_score > 0.2


def test_three_classes_in_a_mixed_table(mixed):
    table, score = mixed
    y = np.array(["no", "per<b>haps", "yes"])[np.digitize(score, np.quantile(score, [0.33, 0.66]))]
    model = RationaleClassifier(max_epochs=30, random_state=SEED).fit(table[:120], y[:120])
    report = audit(model, table[120:], y[120:], random_state=SEED)
    assert report.metric == "accuracy"
    assert report.n_rows == 120
    assert report.own_score == pytest.approx(model.score(table[120:], y[120:]))
    rate = model.get_rationale(table[120:]).mean(axis=1)
    assert report.rate_by_class == pytest.approx({c: rate[y[120:] == c].mean() for c in np.unique(y)})
    assert set(report.rate_by_predicted_class) == set(model.predict(table[120:]))
    assert 0 <= report.stability <= 1
    assert "per&lt;b&gt;haps" in report._repr_html_()
    assert "per<b>" not in report._repr_html_()


def test_class_that_is_not_among_the_rows(mixed):
    table, score = mixed
    y = np.digitize(score, np.quantile(score, [0.33, 0.66]))
    model = RationaleClassifier(max_epochs=2, random_state=SEED).fit(table, y)
    report = audit(model, table[y > 0], y[y > 0], n_refits=0, random_state=SEED)
    assert list(report.rate_by_class) == ["1", "2"]
    assert np.isfinite(report.evalx_loss)


def test_stability(quick):
    model, X, y = quick
    with pytest.warns(UserWarning, match="every row uses all"):
        steady = RationaleClassifier(max_features=3, max_epochs=1, random_state=SEED).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # refits do not repeat it
        report = audit(steady, X[:200], y[:200], random_state=SEED)
    assert report.stability == 1
    assert np.isnan(audit(model, X[:200], y[:200], n_refits=0, random_state=SEED).stability)
    drawn = {"max_epochs": 1, "screening": False, "lr": 1e-9, "random_state": SEED}
    loose = RationaleClassifier(max_features=1, **drawn).fit(X, y)
    report = audit(loose, X[:200], y[:200], n_refits=3, random_state=SEED)
    assert report.stability < 0.7  # selectors as they were drawn
    assert "unstable" in report.findings


def test_jaccard():
    a = np.array([[1, 1, 0], [0, 0, 0], [1, 0, 0]], dtype=bool)
    b = np.array([[1, 0, 1], [0, 0, 0], [0, 0, 0]], dtype=bool)
    assert jaccard(a, b) == pytest.approx((1 / 3 + 1 + 0) / 3)


# --- report --------------------------------------------------------------------------------------


def test_seeds(quick):
    model, X, y = quick
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first, again = (audit(model, X[:200], y[:200], n_refits=2, random_state=3 + SEED) for _ in range(2))
    assert first == again
    assert first != audit(model, X[:200], y[:200], n_refits=2, random_state=4 + SEED)
    assert torch.equal(torch_state, torch.get_rng_state())
    assert np.array_equal(numpy_state, np.random.get_state()[1])  # noqa: NPY002


def test_most_rows(quick):
    model, X, y = quick
    assert audit(model, X, y, n_refits=0, max_rows=150, random_state=SEED).n_rows == 150


@pytest.fixture(scope="module")
def report(quick):
    model, X, y = quick
    return audit(model, pd.DataFrame(X).to_numpy()[:200], y[:200], random_state=SEED)


def test_findings_follow_the_numbers(report):
    fine = replace(
        report,
        leak=0.0,
        unsupported=0.0,
        missing=0.0,
        empty_share=0.0,
        full_share=0.0,
        stability=np.nan,
        exchanged=1.0,
        one_mask=False,
    )
    assert fine.findings == ()
    assert fine.honest
    limit = fine.leak_limit
    assert limit == pytest.approx(0.015 * fine.constant_loss / np.log(2))
    sure = {"leak_error": 1e-6, "unsupported_error": 1e-6}
    for changes, findings in (
        ({"leak": 1.1 * limit} | sure, ("leak",)),
        ({"leak": 0.9 * limit} | sure, ()),
        ({"leak": 1.1 * limit} | sure | {"leak_error": limit}, ()),
        ({"exchanged": 0.2}, ("untested",)),
        ({"unsupported": 1.1 * limit} | sure, ("unsupported",)),
        ({"unsupported": 1.1 * limit} | sure | {"unsupported_error": limit}, ()),
        ({"missing": 0.1, "missing_error": 0.01, "evalx_loss": fine.constant_loss - 0.4}, ("insufficient",)),
        ({"missing": 0.1, "missing_error": 0.01, "evalx_loss": fine.constant_loss - 0.9}, ()),
        ({"missing": 0.1, "missing_error": 0.06, "evalx_loss": fine.constant_loss - 0.4}, ()),
        ({"empty_share": 1.0, "stability": 0.69}, ("empty", "unstable")),
        ({"full_share": 1.0, "stability": 0.7}, ("everything",)),
    ):
        changed = replace(fine, **changes)
        assert changed.findings == findings
        assert changed.honest == (not {"leak", "unsupported"} & set(findings))
        assert ("not honest" in changed.verdict) != changed.honest
    assert replace(fine, metric="R2", constant_loss=1.0).leak_limit == pytest.approx(0.02)


def test_forms(report):
    frame = report.to_frame()
    assert frame.columns.tolist() == ["check", "value", "standard_error", "good"]
    assert frame["check"].is_unique
    values = frame.set_index("check")["value"]
    assert values["leak of the mask"] == report.leak
    assert values["AUROC, EVAL-X"] == report.evalx_score
    assert values["rate in class yes"] == report.rate_by_class["yes"]
    errors = frame.set_index("check")["standard_error"].dropna()
    assert errors["left out"] == report.missing_error
    assert len(errors) == 3
    text, page = str(report), report._repr_html_()
    for form in (text, page):
        assert report.verdict in form
        assert f"{report.leak:.3f}".replace("-", "−") in form.replace("-0.", "−0.")
        assert "nan" not in form.lower().replace("unanimous", "")
    assert "<script" not in page
    shown = [getattr(report, field.name) for field in fields(RationaleAudit)]
    assert all(isinstance(value, str | int | float | dict) for value in shown)


def signs(page):
    """Signs of a page of an audit by the names of its checks."""
    rows = re.findall(r'<th scope="row">(.*?)</th>\n<td class="skr-u">(.*?)</td>', page)
    return {name: re.sub("<[^>]*>", "", sign) for name, sign in rows}


def test_a_page_has_groups_marks_and_a_coloured_verdict(report):
    good = {"leak": 0.0, "unsupported": 0.0, "missing": 0.0, "empty_share": 0.0, "full_share": 0.0}
    fine = replace(report, **good, one_mask=False, exchanged=1.0, stability=0.9, mask_only_limit=math.inf)
    page = fine._repr_html_()
    assert page.count("<caption>") == 3
    assert 'class="skr-verdict skr-is-good"' in page
    assert "✓ Honest." in page
    marks = signs(page)
    assert {marks[name] for name in ("leak of the mask", "unsupported gain", "left out", "stability")} == {
        "✓"
    }
    assert marks["AUROC, model"] == ""
    assert len(marks) == len(fine.to_frame())
    leaks = replace(fine, leak=1.0, leak_error=0.01, stability=0.1)
    page, marks = leaks._repr_html_(), signs(leaks._repr_html_())
    assert 'class="skr-verdict skr-is-bad"' in page
    assert "✗ Do not trust these rationales. The rationale leaks and is unstable." in page
    assert marks["leak of the mask"] == marks["stability"] == "✗"
    untested = replace(fine, evalx_loss=fine.constant_loss, leak=0.0)
    page, marks = untested._repr_html_(), signs(untested._repr_html_())
    assert 'class="skr-verdict skr-is-unknown"' in page
    assert "? Untested." in page
    assert marks["leak of the mask"] == marks["unsupported gain"] == ""
    assert signs(replace(fine, stability=math.nan)._repr_html_())["stability"] == ""
    assert "nan" not in replace(fine, stability=math.nan)._repr_html_().replace("unanimous", "")


def test_verdict_is_short(report):
    worst = replace(report, leak=1.0, unsupported=1.0, missing=1.0, empty_share=1.0, stability=0.1)
    worst = replace(worst, one_mask=False)
    assert 2 <= worst.verdict.count(". ") + 1 <= 5
    assert "leak" in worst.findings
    assert "1.000" in worst.verdict


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_refits": 1}, "n_refits is 1; expected 0, or"),
        ({"n_refits": -1}, "n_refits is -1"),
        ({"n_refits": 2.0}, "n_refits is 2.0"),
        ({"max_rows": 99}, "max_rows is 99; expected"),
    ],
)
def test_bad_parameters(quick, parameters, message):
    with pytest.raises(ValueError, match=message):
        audit(*quick, **parameters)


def test_bad_rows(quick):
    model, X, y = quick
    with pytest.raises(ValueError, match="99 rows; expected at least 100"):
        audit(model, X[:99], y[:99])
    with pytest.raises(ValueError, match="inconsistent"):
        audit(model, X, y[:-1])
    with pytest.raises(ValueError, match="label.*other"):
        audit(model, X, np.where(y == "yes", "other", y))
    with pytest.raises(ValueError, match="at least two labels"):
        audit(model, X[y == "yes"], y[y == "yes"])
    with pytest.raises(ValueError, match="2 features"):
        audit(model, X[:, :2], y)
    numbers = RationaleRegressor(max_epochs=1, random_state=SEED).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="expected numbers that vary"):
        audit(numbers, X, np.ones(len(X)))
