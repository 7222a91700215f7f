"""Reports about stand-ins that fit at once: figures, errors, hostile texts, and all sorts of tables."""

import re
import warnings
from html import unescape

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from skrationale._hooks import Hooks
from skrationale.explanation import Explanation
from skrationale.metrics import comprehensiveness, noise_stability, sparsity, sufficiency
from skrationale.report import Report, make_report
from skrationale.report import _report as module
from skrationale.report._measures import SHARES
from skrationale.report._rows import choose_examples
from skrationale.tabular import TableReader


class Adds(RegressorMixin, BaseEstimator):
    """A prediction is the sum of its reasons: numbers and codes times weights."""

    def __init__(self, times=1.0, teacher=None):
        self.times = times
        self.teacher = teacher

    def fit(self, X, y=None):
        self.reader_ = TableReader().fit(X)
        d = len(self.reader_.feature_names)
        self.weights_ = self.times * np.arange(d, 0, -1.0)
        if self.teacher is not None:
            self.teacher_ = self.teacher
        return self

    def explain(self, X):
        matrix = np.nan_to_num(self.reader_.transform(X))
        return Explanation(
            matrix * self.weights_,
            0.5,
            data=matrix,
            display_data=self.reader_.display(X),
            feature_names=self.reader_.feature_names,
        )

    def predict(self, X):
        return self.explain(X).scores()

    def fidelity(self, X):
        if self.teacher is None:
            return {}
        return {"prediction_r2": 0.25, "explanation_r2": 0.5, "top1_agreement": 0.75}


class Votes(ClassifierMixin, Adds):
    """The same for labels: of K classes the one whose score is the largest."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return Adds.fit(self, X)

    def _all(self, X):
        score = Adds.explain(self, X).scores()
        return np.stack([score * (k - 1) for k in range(len(self.classes_))], axis=1)

    def predict_proba(self, X):
        scores = self._all(X)
        share = np.exp(scores - scores.max(axis=1, keepdims=True))
        return share / share.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self._all(X).argmax(axis=1)]

    def fidelity(self, X):
        return super().fidelity(X) | {"same_class": 0.125}


class Silent(Adds):
    def explain(self, X):
        raise RuntimeError("no reasons <b>today</b>")

    def predict(self, X):
        return np.zeros(len(X))


@pytest.fixture
def numbers():
    X = pd.DataFrame(np.random.RandomState(0).normal(size=(60, 3)), columns=["a", "b", "c"])
    return X, (3 * X["a"] + 2 * X["b"]).to_numpy()


def text_of(report):
    return report.path.read_text(encoding="utf-8")


def words_of(page):
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_figures_are_those_of_the_metrics(numbers, tmp_path):
    X, y = numbers
    model = Adds().fit(X)
    report = make_report(
        {"sum": model, "ridge": Ridge().fit(X, y)}, X, y, tmp_path / "r.html", random_state=3
    )
    assert isinstance(report, Report)
    row = report.tables["summary"].loc["sum"]
    reasons, settings = model.explain(X), {"shares": SHARES, "random_state": 3}
    assert row["score"] == model.score(X, y)
    fall = comprehensiveness(reasons, model.predict, X, **settings)
    assert row["comprehensiveness"] == pytest.approx(fall / y.std())
    assert row["sufficiency"] == pytest.approx(sufficiency(reasons, model.predict, X, **settings) / y.std())
    assert row["columns_used"] == sparsity(reasons)
    steady = noise_stability(model.explain, X[:50], n_draws=3, random_state=3)
    assert row["stability"] == steady["cosine"]
    cells = map(words_of, re.findall(r"<td[^>]*>(.*?)</td>", text_of(report)))
    cells = [cell.split(" ± ")[0] for cell in cells]
    for name in ("comprehensiveness", "sufficiency", "stability"):
        assert f"{row[name]:.3f}" in cells
    shares = report.tables["importances"]
    assert list(shares.columns) == ["sum"]
    expected = reasons.mean_abs() / reasons.mean_abs().sum()
    assert shares.loc[["a", "b", "c"], "sum"].to_numpy() == pytest.approx(expected)


def bars_of(page):
    """Lengths in em of all bars beside shares, by the share that is written, from style and sheet."""
    room = {float(em) for em in re.findall(r"\.skr-share \.skr-bar \{width: ([\d.]+)em; ", page)}
    assert len(room) == 1, "all bars have the same room, however wide their cells are"
    cells = re.findall(r'<td class="skr-share">(.*?)</td>', page, flags=re.DOTALL)
    found = [re.match(r"([\d.]+)%.*width:([\d.]+)%", cell, flags=re.DOTALL) for cell in cells]
    return [(float(one[1]), float(one[2]) * min(room)) for one in found if one], cells


def test_bars_of_equal_shares_are_equally_long_and_unused_columns_have_a_dash(numbers, tmp_path):
    X, y = numbers
    long = "a very long name of an estimator, wide"
    models = {"s": Adds().fit(X), long: Adds(times=2.0).fit(X)}
    models["s"].weights_[2] = 0.0
    report = make_report(models, X, y, tmp_path / "r.html")
    bars, cells = bars_of(text_of(report))
    assert len(bars) == 5
    assert cells.count("–") == 1
    for share, length in bars:
        assert length / share == pytest.approx(bars[0][1] / bars[0][0], rel=0.01)


def test_what_could_not_be_measured_says_why(numbers, tmp_path):
    X, y = numbers
    report = make_report({"silent": Silent().fit(X), "ridge": Ridge().fit(X, y)}, X, y, tmp_path / "r.html")
    missing = report.tables["missing"].set_index(["name", "figure"])["reason"]
    assert missing["silent", "comprehensiveness"] == "no reasons <b>today</b>"
    assert missing["silent", "explain_us"] == "no reasons <b>today</b>"
    assert missing["ridge", "sufficiency"] == "it has no explanations"
    page = text_of(report)
    assert "no reasons &lt;b&gt;today&lt;/b&gt;" in page
    assert "No estimator has explanations." in page
    summary = report.tables["summary"]
    assert np.isnan(summary.loc["silent", "explain_us"])
    assert (summary["predict_us"] > 0).all()
    # whatever is NaN has a reason
    for name, row in summary.drop(columns=["kind", "teaches", "parts"]).iterrows():
        assert set(row.index[row.isna()]) <= set(missing[name].index)


def test_teachers_are_added_once(numbers, tmp_path):
    X, y = numbers
    teacher = Adds(times=2.0).fit(X)
    students = {"small": Adds(teacher=teacher).fit(X), "smaller": Adds(teacher=teacher).fit(X)}
    report = make_report(students, X, y, tmp_path / "r.html")
    summary = report.tables["summary"]
    assert summary.index.tolist() == ["small", "smaller", "teacher of small"]
    assert summary.loc["teacher of small", "teaches"] == "small, smaller"
    assert summary.loc["small", ["prediction_r2", "explanation_r2", "top1_agreement"]].tolist() == [
        0.25,
        0.5,
        0.75,
    ]
    assert summary.loc["teacher of small", "score"] == teacher.score(X, y)
    named = make_report(students | {"big": teacher}, X, y, tmp_path / "r.html").tables["summary"]
    assert named.index.tolist() == ["small", "smaller", "big"]


def test_a_teacher_that_fails_does_not_break_the_report(numbers, tmp_path):
    X, y = numbers
    other = Ridge().fit(X[["a"]], y)
    report = make_report([Adds(teacher=other).fit(X)], X, y, tmp_path / "r.html")
    assert report.tables["summary"].index.tolist() == ["Adds", "teacher of Adds"]
    assert np.isnan(report.tables["summary"].loc["teacher of Adds", "score"])
    assert (
        "feature names" in report.tables["missing"].set_index("name").loc["teacher of Adds", "reason"].iloc[0]
    )


HOSTILE = {
    "<script>alert(1)</script>": '"><img src=x onerror=alert(2)>',
    'a & b\'s "c"': "&amp;</td></table>",
    "new\nline\ttab": "null \x00 bell \x07",
    "long " + "x" * 300: "y" * 300,
    "עברית \u202e 日本": "½",
}


def test_hostile_texts_are_escaped_and_shortened(tmp_path):
    n = 12
    X = pd.DataFrame({name: [cell, "other"] * (n // 2) for name, cell in HOSTILE.items()})
    y = np.array(["</title><script>", "plain"] * (n // 2), dtype=object)
    name = "model </h2><script>alert(3)</script>"
    report = make_report(
        {name: Votes().fit(X, y)}, X, y, tmp_path / "r.html", title="</title><script> \ud800"
    )
    for page in (text_of(report), report._repr_html_()):
        assert "<script" not in page
        assert "<img" not in page
        assert "x" * 240 not in page
        assert "y" * 240 not in page
        seen = re.sub(r' title="[^"]*"', "", page)
        assert "x" * 100 not in seen
        assert "y" * 100 not in seen
        assert not re.search("[\x00\x07\u202e]", page)
    assert "&lt;script&gt;alert(1)" in text_of(report)
    assert "&amp;amp;&lt;/td&gt;" in text_of(report)
    assert list(report.tables["importances"].index) != []


@pytest.mark.parametrize(
    ("changed", "error", "match"),
    [
        ({"estimators": {}}, ValueError, "estimators is empty"),
        ({"estimators": []}, ValueError, "estimators is empty"),
        ({"estimators": Ridge()}, TypeError, "estimators must be a dict.*Got Ridge"),
        ({"estimators": {"late": Ridge()}}, NotFittedError, r"estimators\['late'\] is not fitted"),
        ({"estimators": [make_pipeline(StandardScaler(), Adds())]}, NotFittedError, r"estimators\[0\]"),
        ({"estimators": {"text": "model"}}, TypeError, r"estimators\['text'\] must be a fitted .* 'model'"),
        ({"estimators": {"class": Ridge}}, TypeError, "Got the class Ridge"),
        ({"y": np.zeros(59)}, ValueError, "y has 59 values; expected 60"),
        ({"y": np.full(60, np.nan)}, ValueError, "y contains NaN"),
        ({"y": np.full(60, "one")}, ValueError, "y holds text"),
        ({"y": np.zeros((60, 2))}, ValueError, "y must hold one label"),
        ({"X": np.zeros(60)}, ValueError, "X: "),
        ({"X": np.zeros((60, 2))}, ValueError, "estimator 'ok' cannot predict X"),
        ({"n_rows": 0}, ValueError, "n_rows must be"),
        ({"title": 3}, TypeError, "title must be"),
        ({"audit": "yes"}, TypeError, "audit must be"),
        ({"path": 3}, TypeError, "path must be"),
    ],
)
def test_bad_input_names_the_parameter_and_leaves_no_file(numbers, tmp_path, changed, error, match):
    X, y = numbers
    given = {"estimators": {"ok": Ridge().fit(X, y)}, "X": X, "y": y, "path": tmp_path / "r.html"} | changed
    with pytest.raises(error, match=match):
        make_report(**given)
    assert list(tmp_path.iterdir()) == []


def test_bad_paths(numbers, tmp_path):
    X, y = numbers
    models = {"ok": Ridge().fit(X, y)}
    with pytest.raises(FileNotFoundError, match="path is .*'.*absent' does not exist"):
        make_report(models, X, y, tmp_path / "absent" / "r.html")
    with pytest.raises(IsADirectoryError, match="path is a folder"):
        make_report(models, X, y, tmp_path)
    report = make_report(models, X, y, str(tmp_path / "r.html"))
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
    assert report.path == tmp_path / "r.html"


def test_labels_and_numbers_do_not_mix(numbers, tmp_path):
    X, y = numbers
    models = {"numbers": Ridge().fit(X, y), "labels": LogisticRegression().fit(X, y > 0)}
    with pytest.raises(ValueError, match=r"classifiers \['labels'\] and others \['numbers'\]"):
        make_report(models, X, y, tmp_path / "r.html")
    with pytest.raises(ValueError, match="y holds 'no', 'yes'; expected labels .* False, True"):
        make_report([models["labels"]], X, np.where(y > 0, "yes", "no"), tmp_path / "r.html")


@pytest.mark.parametrize("broken", ["page", "Path.replace"])
def test_an_error_on_the_way_keeps_the_old_file(numbers, tmp_path, monkeypatch, broken):
    X, y = numbers
    path = tmp_path / "r.html"
    path.write_text("old")

    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(module if broken == "page" else module.Path, broken.split(".")[-1], fail)
    with pytest.raises(OSError, match="disk full"):
        make_report([Ridge().fit(X, y)], X, y, path)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_rows_are_drawn_and_counted(numbers, tmp_path):
    X, y = numbers
    models = [Adds().fit(X)]
    report = make_report(models, X, y, tmp_path / "r.html", n_rows=20, random_state=1)
    assert "20 of 60 rows, drawn at random (seed 1)" in text_of(report)
    examples = report.tables["examples"]
    for i, row in examples.iterrows():
        assert row["y"] == y[i]
        assert row["cell a"] == X["a"][i]
    assert "all 60 rows given" in text_of(make_report(models, X, y, tmp_path / "r.html"))


def test_the_same_seed_gives_the_same_file_but_for_times(numbers, tmp_path):
    X, y = numbers
    models = {"sum": Adds().fit(X), "labels": Silent().fit(X)}

    def made(seed):
        report = make_report(models, X, y, tmp_path / "r.html", n_rows=30, random_state=seed)
        return re.sub(r'<td class="skr-n skr-time">.*?</td>', "", text_of(report))

    assert made(0) == made(0)
    assert made(0) != made(1)


def test_behind_a_pipeline_cells_are_shown_as_typed(numbers, tmp_path):
    X, y = numbers
    X = X * 1000
    piped = make_pipeline(StandardScaler(), Adds()).fit(X, y)
    bare = Adds().fit(StandardScaler().fit_transform(X))
    report = make_report({"piped": piped}, X, y, tmp_path / "r.html")
    row = report.tables["summary"].loc["piped"]
    expected = comprehensiveness(
        bare.explain(StandardScaler().fit_transform(X)),
        bare.predict,
        StandardScaler().fit_transform(X),
        shares=SHARES,
    )
    assert row["comprehensiveness"] == pytest.approx(expected / y.std())
    assert report.tables["importances"].index.tolist() == ["a", "b", "c"]
    page = text_of(report)
    for i in report.tables["examples"].index:
        assert f"<td>{X['a'][i]:.4g}</td>".replace("-", "−") in page


def test_a_pipeline_with_other_columns_and_a_search(numbers, tmp_path):
    X, y = numbers
    X = X.assign(city=["Ulm", "Bonn", None] * 20)
    encode = make_column_transformer((OrdinalEncoder(), ["city"]), (StandardScaler(), ["a", "b"]))
    search = GridSearchCV(make_pipeline(encode, Adds()), {"adds__times": [1.0, 2.0]}, cv=2).fit(X, y)
    assert set(make_report([search], X, y, tmp_path / "r.html").tables["importances"].index) == {
        "city",
        "a",
        "b",
    }
    report = make_report({"searched": search}, X, y, tmp_path / "r.html", grouped=False)
    assert set(report.tables["importances"].index) == {
        "ordinalencoder__city",
        "standardscaler__a",
        "standardscaler__b",
    }
    assert report.tables["summary"].loc["searched", "score"] == pytest.approx(
        search.best_estimator_.score(X, y)
    )


@pytest.mark.parametrize("n", [1, 2, 20])
@pytest.mark.parametrize("as_frame", [True, False])
def test_few_rows_and_one_column(tmp_path, n, as_frame):
    X = np.linspace(-1, 1, n)[:, None]
    X = pd.DataFrame(X, columns=["only"]) if as_frame else X
    y = np.linspace(-1, 1, n)
    report = make_report([Adds().fit(X)], X, y, tmp_path / "r.html")
    assert report.tables["importances"].index.tolist() == ["only" if as_frame else "x0"]
    assert 1 <= len(report.tables["examples"]) <= 4
    assert ("score" in set(report.tables["missing"]["figure"])) == (n == 1)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_labels_of_a_mixed_table(tmp_path, mixed, n_classes):
    X, score = mixed
    y = np.array(["no", "perhaps", "yes"])[-n_classes:][
        np.digitize(score, np.quantile(score, [0.3, 0.7])) % n_classes
    ]
    teacher = Votes(times=3.0).fit(X, y)
    report = make_report({"votes": Votes(teacher=teacher).fit(X, y)}, X, y, tmp_path / "r.html")
    row = report.tables["summary"].loc["votes"]
    assert row["same_class"] == 0.125
    assert 0 <= row["score"] <= 1
    words = words_of(text_of(report))
    assert "accuracy" in words
    assert "missing" in words or not report.tables["examples"].filter(like="cell ").isna().any(axis=None)
    for i, example in report.tables["examples"].iterrows():
        assert f"y is {y[i]}, predicted {example['prediction of votes']}" in words


def test_examples_are_those_described():
    truth = np.array([[0.0], [0.0], [0.0], [0.0], [0.0]])
    found = np.array([[[0.1], [0.5], [9.0], [0.0], [0.6]], [[0.1], [0.7], [9.0], [0.0], [-4.0]]])
    chosen = choose_examples(found, truth)
    # errors .1, .6, 9, 0, 2.3: the median is that of row 1
    assert list(chosen) == [1, 4, 2, 3]
    assert [why.split(":")[0] for why in chosen.values()] == [
        "typical",
        "the estimators disagree most",
        "most wrong",
        "most right",
    ]
    assert len(choose_examples(truth[None], truth)) == 2  # never wrong, and nobody to disagree


def test_a_notebook_shows_the_summary(numbers, tmp_path):
    X, y = numbers
    report = make_report({"sum": Adds().fit(X)}, X, y, tmp_path / "r.html")
    shown = report._repr_html_()
    assert "comprehensiveness" in shown
    assert "Rows with their reasons" not in shown
    assert 'href="#' not in shown
    assert 'href="#m0"' in text_of(report)
    assert repr(report) == f"Report({str(report.path)!r}, 1 estimators)"


class Fragile(Hooks, Adds):
    """It has the parts of a rationale model and of FLINT, but cannot say what is asked."""

    _report_parts = ("attributes", "audit")

    def describe(self):
        raise RuntimeError("nothing to <describe>")

    def audit(self, X, y, **settings):
        warnings.warn("on thin <ice>", UserWarning, stacklevel=1)
        raise ValueError(f"too few: {len(X)}")


def test_a_section_that_fails_says_so(numbers, tmp_path):
    X, y = numbers
    models = {"fragile": Fragile().fit(X), "sound": Adds().fit(X)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = make_report(models, X, y, tmp_path / "r.html", audit=True)
    page = text_of(report)
    assert "Not shown: the attributes, because it failed: nothing to &lt;describe&gt;" in page
    assert "Not shown: the audit, because it failed: too few: 60" in page
    assert "<li>on thin &lt;ice&gt;</li>" in page
    assert "Not audited" in text_of(make_report({"sound": Audited().fit(X)}, X, y, tmp_path / "r.html"))
    missing = report.tables["missing"].set_index(["name", "figure"])["reason"]
    assert missing["fragile", "the audit"] == "too few: 60"


class Audited(Hooks, Adds):
    _report_parts = ("audit",)

    def audit(self, X, y, **settings):
        raise AssertionError("nobody asked")


class Picks(Hooks, Adds):
    """It predicts from a few columns."""

    _report_parts = ("rationale",)

    def explain(self, X):
        found, mask = super().explain(X), np.array([True, True, False])
        mask = np.tile(mask, (len(X), 1))
        mask[self.keep_ :, 0] = False
        return Explanation(found.values * mask, 0.5, mask=mask, kind="rationale", feature_names=list("abc"))

    def predict(self, X):
        return Adds.explain(self, X).scores()


@pytest.mark.parametrize(
    ("keep", "words"), [(60, "2 of 3 columns in every row."), (40, "in 80% of the rows")]
)
def test_rationales_of_one_size_are_of_every_row(numbers, tmp_path, keep, words):
    X, y = numbers
    model = Picks().fit(X)
    model.keep_ = keep
    text = words_of(text_of(make_report([model], X, y, tmp_path / "r.html")))
    assert words in text
    assert ("in the median row" in text) == (keep == 40)


def test_labels_of_several_types(numbers, tmp_path):
    X, _ = numbers
    y = np.array([0, "zero", True] * 20, dtype=object)
    known = np.array(["one", "zero"] * 30, dtype=object)
    report = make_report([Votes().fit(X, known)], X, y, tmp_path / "r.html")
    assert "0 33%" in words_of(text_of(report)) or "0 67%" in words_of(text_of(report))


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_examples_do_not_depend_on_the_unit_of_the_target(unit):
    rng = np.random.RandomState(0)
    truth = rng.normal(size=(20, 1))
    found = truth + rng.normal(size=(2, 20, 1))
    assert choose_examples(unit * found, unit * truth) == choose_examples(found, truth)
    assert len(choose_examples(unit * (truth + 1e-13)[None], unit * truth)) == 2


def test_wide_tables_show_all_columns_heads_say_what_they_are_and_numbers_are_exact(tmp_path):
    X = pd.DataFrame(
        np.random.RandomState(0).normal(size=(40, 73)), columns=[f"column_{j}" for j in range(73)]
    )
    model = Adds().fit(X)
    report = make_report({"m": model}, X, model.predict(X), tmp_path / "r.html")
    page = text_of(report)
    assert "Show all 73 columns" in page
    assert "Show all 73 features" in page
    shares = re.findall(r'<th scope="row">column_(\d+)</th>\n<td class="skr-share">', page)
    assert sorted(map(int, shares)) == list(range(73))
    assert '<span title="Size when pickled, without the teacher">kB</span>' in page
    kilobytes = report.tables["summary"].loc["m", "kilobytes"]
    assert f'<span title="{kilobytes:.10g}">{kilobytes:,.1f}</span>' in page
    (hidden,) = set(re.findall(r"<summary>(sum of \d+ other features)</summary>column_", page))
    assert hidden == "sum of 64 other features"
