"""Rows in descriptions of attributes are called by the labels of the user's table."""

import numpy as np
import pandas as pd
import pytest

from skrationale import FLINTRegressor

X = pd.DataFrame(np.random.default_rng(0).normal(size=(120, 3)), columns=list("abc"))
WEIGHT = np.where(np.arange(120) < 20, 0.0, 1.0)


@pytest.fixture(scope="module")
def model():
    small = {"hidden_layer_sizes": (8, 8), "n_attributes": 3, "max_epochs": 15, "lr": 0.01, "random_state": 0}
    return FLINTRegressor(**small).fit(X, X["a"] + X["b"] ** 2, sample_weight=WEIGHT)


def prototypes(descriptions):
    frames = [frame for d in descriptions for frame in (d.prototypes, d.contrast) if len(frame)]
    assert frames
    return frames


def test_typical_rows_have_labels(model):
    index = pd.Index([f"<{i}>" for i in range(120)], name="customer")
    described = model.describe(X.set_axis(index))
    for frame in prototypes(described):
        assert frame.index.name == "customer"
        for label, row in frame.iterrows():
            assert X.set_axis(index).loc[label].tolist() == row[["a", "b", "c"]].tolist()
    assert "&lt;" in described._repr_html_()
    assert "<td><" not in described._repr_html_().replace("<td><div", "")


def test_training_rows_keep_their_numbers(model):
    for frame in prototypes(model.describe()):
        assert frame.index.name == "row"
        np.testing.assert_allclose(frame[["a", "b", "c"]].astype(float), X.loc[frame.index], atol=1e-12)
        assert (frame.index >= 20).all()


def test_both_kinds_of_reasons_have_labels(model):
    index = pd.MultiIndex.from_product([range(12), list("abcdefghij")], names=["day", None])
    for by in ("attribute", "column"):
        explanation = model.explain(X.set_axis(index), by=by)
        pd.testing.assert_index_equal(explanation.to_frame().index, index)
