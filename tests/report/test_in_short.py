"""The first screen of a report answers three questions, from its own figures."""

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from skrationale.explanation import Explanation
from skrationale.report import make_report


class Reads(Ridge):
    """A regression that reads some of the columns, and says so, or says that it reads others."""

    def __init__(self, columns=("a",), claims=None):
        super().__init__()
        self.columns = columns
        self.claims = claims

    def fit(self, X, y):
        return super().fit(X[list(self.columns)], y)

    def predict(self, X):
        return super().predict(X[list(self.columns)])

    def explain(self, X):
        told = np.zeros(X.shape)
        for column, weight in zip(self.columns, self.coef_, strict=True):
            claimed = (self.claims or {}).get(column, column)
            told[:, list(X).index(claimed)] = X[column] * weight
        return Explanation(told, self.intercept_, data=X.to_numpy(), feature_names=list(X))


@pytest.fixture(scope="module")
def table():
    X = pd.DataFrame(np.random.RandomState(0).normal(size=(200, 4)), columns=list("abcd"))
    y = (3 * X["a"] + X["b"]).to_numpy() + np.random.RandomState(1).normal(size=200)
    return X, y


def told(models, table, folder):
    X, y = table
    make_report(models, X, y, folder / "r.html")
    page = (folder / "r.html").read_text(encoding="utf-8")
    assert page.index("In short") < page.index("<h2>Summary")
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page, re.DOTALL)
    return {unescape(question): unescape(answer) for question, answer in found}


def test_the_best_model_and_those_as_good_are_named(table, tmp_path):
    X, y = table
    models = {"both": Reads("ab").fit(X, y), "all": Reads("abcd").fit(X, y), "one": Reads("b").fit(X, y)}
    answers = told(models, table, tmp_path)
    model = answers["Which model should I take?"]
    assert re.match(r"all has the best R2, 0\.9\d\d ± 0\.0\d\d\. Not clearly worse: both\.", model)
    assert "both uses the fewest columns per row (2.0)" in model
    assert "one" not in model
    columns = answers["Which columns matter most?"]
    assert columns.startswith("Share of the reasons, on average over the models: ")
    assert re.search(r"In row \d+: both: a = −?[\d.]+ \([+−][\d.]+\)", columns)


def test_where_nothing_is_better_than_the_mean_that_is_said(table, tmp_path):
    X, y = table
    model = told({"poor": Reads("d").fit(X, y)}, table, tmp_path)["Which model should I take?"]
    assert model.startswith("None is clearly better than the mean of y")


def test_reasons_that_the_answers_do_not_follow_are_not_to_be_trusted(table, tmp_path):
    X, y = table
    liar = Reads("ab", {"a": "c", "b": "d"}).fit(X, y)
    trust = told({"honest": Reads("ab").fit(X, y), "liar": liar}, table, tmp_path)[
        "Can I trust these reasons?"
    ]
    assert trust.startswith("honest: predictions change more")
    assert "This is not true for liar: do not trust these reasons." in trust


def test_models_without_reasons_have_no_answer_about_them(table, tmp_path):
    X, y = table
    answers = told({"plain": Ridge().fit(X, y)}, table, tmp_path)
    assert list(answers) == ["Which model should I take?"]
