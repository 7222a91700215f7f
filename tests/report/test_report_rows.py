"""Rows of a report are those of the user's table."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

from skrationale.report import make_report


@pytest.mark.parametrize("labels", ["text", "numbers", "two levels"])
def test_rows_are_called_by_their_labels(labels, tmp_path):
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    index = {
        "text": pd.Index([f"patient <{i}>" for i in range(len(X))]),
        "numbers": pd.Index(np.arange(len(X)) + 7000, name="visit"),
        "two levels": pd.MultiIndex.from_arrays([X.index % 2, X.index], names=["half", "number"]),
    }[labels]
    ridge = Ridge().fit(X, y)
    report = make_report([ridge], X.set_axis(index), y, tmp_path / "r.html", n_rows=50)
    plain = make_report([ridge], X, y, tmp_path / "plain.html", n_rows=50).tables["examples"]
    shown = report.tables["examples"]
    assert shown.index.equals(index[plain.index])
    assert shown.index.names == (["row"] if labels == "text" else index.names)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    names = {
        "text": lambda i: f"row patient &lt;{i}&gt;",
        "numbers": lambda i: f"row {i + 7000}",
        "two levels": lambda i: f"row {i % 2}, {i}",
    }
    assert all(names[labels](i) in text for i in plain.index)
