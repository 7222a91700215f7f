"""What a browser makes of reports: lengths of bars, sorting and filtering, wide tables on narrow screens."""

import json
import os
import re
import shutil
import subprocess
from html import unescape

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin

from skrationale.explanation import Explanation
from skrationale.report import make_report

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")


class Adds(RegressorMixin, BaseEstimator):
    """A prediction is the sum of its reasons."""

    def __init__(self, times=1.0):
        self.times = times

    def fit(self, X, y=None):
        self.weights_ = np.linspace(1, 0, X.shape[1]) ** self.times
        return self

    def explain(self, X):
        return Explanation(X.to_numpy() * self.weights_, 0.5, data=X.to_numpy(), feature_names=list(X))

    def predict(self, X):
        return self.explain(X).scores()


def asked(page, folder, script, size="1200,2000"):
    """Run a script in a page and return what it gives."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium is installed")
    answer = f"document.title = JSON.stringify((function () {{{script}}})());"
    path = folder / "asked.html"
    path.write_text(page.replace("</body>", f"<script>{answer}</script></body>"), encoding="utf-8")
    command = [
        browser,
        *FLAGS,
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={size}",
        "--dump-dom",
    ]
    done = subprocess.run(
        [*command, path.as_uri()], capture_output=True, timeout=90, check=False, env=dict(os.environ)
    )
    title = re.search("<title>(.*?)</title>", done.stdout.decode("utf-8", "replace"), re.DOTALL)
    if done.returncode or title is None:
        pytest.skip(f"Chromium does not run here: {done.stderr[-200:]!r}")
    return json.loads(unescape(title[1]))


@pytest.fixture(scope="module")
def X():
    names = [f"a_rather_long_name_of_column_{j}" for j in range(20)]
    return pd.DataFrame(np.random.RandomState(0).normal(size=(60, 20)), columns=names)


def written(X, folder, **parameters):
    models = {"one": Adds().fit(X), "a longer name": Adds(3.0).fit(X), "third": Adds(0.2).fit(X)}
    report = make_report(models, X, models["one"].predict(X), folder / "r.html", **parameters)
    return report, report.path.read_text(encoding="utf-8")


def test_bars_are_as_long_as_their_shares(X, tmp_path):
    report, page = written(X, tmp_path)
    found = asked(
        page,
        tmp_path,
        """return Array.from(document.querySelectorAll("td.skr-share .skr-bar i")).map(function (bar) {
        return [parseFloat(bar.closest("td").textContent), bar.getBoundingClientRect().width]; });""",
    )
    found = np.array([pair for pair in found if pair[0] is not None and pair[1] > 0])  # not "under 0.1%"
    assert len(found) > 40
    unit = found[:, 1].max() / found[:, 0].max()
    assert np.abs(found[:, 1] - unit * found[:, 0]).max() <= 2


def test_bars_of_a_row_are_as_long_as_contributions(X, tmp_path):
    Adds().fit(X).explain(X).write_html(tmp_path / "page.html", max_rows=1)
    found = asked(
        (tmp_path / "page.html").read_text(encoding="utf-8"),
        tmp_path,
        """return Array.from(document.querySelectorAll("details[open] .skr-two i")).map(function (bar) {
        var cell = bar.closest("tr").lastElementChild.textContent.replace("−", "-");
        return [parseFloat(cell), bar.getBoundingClientRect().width]; });""",
    )
    found = np.array(found)
    assert len(found) == 10
    unit = found[:, 1].max() / np.abs(found[:, 0]).max()
    assert np.abs(found[:, 1] - unit * np.abs(found[:, 0])).max() <= 2


def test_heads_sort_and_a_field_filters(X, tmp_path):
    _, page = written(X, tmp_path, interactive=True)
    assert "This file holds one script" in page
    assert page.count("<script") == 1
    first, again, kept, shown = asked(
        page,
        tmp_path,
        """var table = Array.from(document.querySelectorAll("table")).filter(function (t) {
          return t.caption.textContent.indexOf("Share of each column") === 0; })[0];
        var texts = function () { return Array.from(table.tBodies[0].rows).filter(function (row) {
          return !row.hidden; }).map(function (row) { return parseFloat(row.cells[2].textContent); }); };
        var head = table.tHead.rows[0].cells[2];
        head.click(); var first = texts();
        head.click(); var again = texts();
        var field = document.querySelector(".skr-find input");
        field.value = "column_3"; field.dispatchEvent(new Event("input"));
        var kept = texts().length;
        field.value = ""; field.dispatchEvent(new Event("input"));
        return [first, again, kept, texts().length];""",
    )
    known = [value for value in first if value is not None]
    assert known == sorted(known, reverse=True)
    known = [value for value in again if value is not None]
    assert known == sorted(known)
    assert kept == 1
    assert shown == len(first)


def test_wide_tables_scroll_by_themselves_on_narrow_screens(X, tmp_path):
    _, page = written(X, tmp_path)
    wide, across = asked(
        page,
        tmp_path,
        """var frame = document.createElement("div"); frame.style.width = "360px";
        var main = document.querySelector("main"); main.before(frame); frame.append(main);
        document.body.style.margin = "0";
        return [Array.from(main.querySelectorAll(".skr-wide-table")).filter(function (part) {
          return part.scrollWidth > part.clientWidth + 1; }).length, main.scrollWidth];""",
    )
    assert wide > 1
    assert across <= 361


def test_a_report_of_four_estimators_is_small(tmp_path):
    X = pd.DataFrame(np.random.RandomState(0).normal(size=(300, 73))).add_prefix(
        "a_rather_long_name_of_column_"
    )
    models = {f"model {times}": Adds(times).fit(X) for times in (1.0, 2.0, 3.0, 4.0)}
    y = models["model 1.0"].predict(X) + np.random.RandomState(1).normal(size=300)
    for interactive, most in ((False, 400_000), (True, 450_000)):
        path = tmp_path / "r.html"
        make_report(models, X, y, path, interactive=interactive)
        assert path.stat().st_size <= most


def test_without_being_asked_there_is_no_script(X, tmp_path):
    _, page = written(X, tmp_path)
    assert "<script" not in page
    with pytest.raises(TypeError, match="interactive must be a bool. Got 1 instead"):
        written(X, tmp_path, interactive=1)
    e = Adds().fit(X).explain(X)
    with pytest.raises(TypeError, match="interactive must be a bool"):
        e.write_html(tmp_path / "page.html", interactive="yes")
    e.write_html(tmp_path / "page.html", interactive=True)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<script") == 1
    assert not re.search(r"https?:|\bsrc=|innerHTML|eval\(", page), "it loads and makes nothing of texts"
