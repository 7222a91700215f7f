"""Students that learn from a stream of tables."""

import pickle
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from seeds import SEED
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KNeighborsRegressor

from skrationale import GBDT2NNStudent, tree_contributions
from skrationale.metrics import explanation_fidelity

RNG = np.random.default_rng(SEED)
TREES = {"n_estimators": 20, "num_leaves": 7, "verbose": -1, "n_jobs": 1, "min_child_samples": 5}
X = RNG.normal(size=(12_000, 3))
Y = X[:, 0] + np.sin(3 * X[:, 1])
REGRESSOR = FrozenEstimator(LGBMRegressor(**TREES).fit(X[:2000], Y[:2000]))
TABLE = pd.DataFrame({"a": X[:, 0], "city": RNG.choice(["Bonn", "Kiel", "Ulm"], len(X)), "b": X[:, 1]})
LABELS = np.where(Y + 2 * (TABLE["city"] == "Kiel") > 0.7, "yes", "no")
TYPED = TABLE.astype({"city": "category"})
CLASSIFIER = FrozenEstimator(LGBMClassifier(**TREES).fit(TYPED[:2000], LABELS[:2000]))
QUICK = {"hidden_layer_sizes": (32,), "random_state": 0, "device": "cpu"}
HASTY = {"hidden_layer_sizes": (4,), "random_state": 0, "device": "cpu"}


def pieces(table, size):
    return [table[first : first + size] for first in range(0, len(table), size)]


def with_labels(table, labels, size):
    return list(zip(pieces(table, size), pieces(labels, size), strict=True))


def agreement(student, rows):
    truth = tree_contributions(student.teacher_, rows).values
    return explanation_fidelity(student.explain(rows).values, truth)["explanation_r2"]


def test_a_student_learns_from_a_stream_what_it_learns_in_memory():
    stream = GBDT2NNStudent(REGRESSOR, **QUICK).fit_batches(pieces(X, 700), n_batches=12, buffer_rows=1000)
    memory = GBDT2NNStudent(REGRESSOR, max_epochs=1, n_synthetic=len(X), **QUICK).fit(X, Y)
    assert stream.n_iter_ == len(stream.history_) == 12
    found, expected = agreement(stream, X[:1000]), agreement(memory, X[:1000])
    assert expected > 0.8
    assert found > expected - 0.03
    scores = stream.explain(X).scores().ravel()
    np.testing.assert_allclose(scores, stream.predict(X), atol=1e-6)
    shares = np.abs(tree_contributions(REGRESSOR, X).values).mean(axis=0)
    np.testing.assert_allclose(stream.feature_importances_, shares / shares.sum(), atol=0.1)


def test_answers_do_not_hang_on_how_the_stream_is_cut():
    students = [
        GBDT2NNStudent(REGRESSOR, **HASTY).fit_batches(batches, n_batches=3, buffer_rows=500)
        for batches in (pieces(X, 1500), pieces(X, 130), iter(pieces(X, 500)), lambda: iter(pieces(X, 777)))
    ]
    for student in students[1:]:
        np.testing.assert_array_equal(student.predict(X), students[0].predict(X))


def test_a_stream_that_can_be_read_again_goes_round():
    long = np.tile(X[:400], (3, 1))
    first, second = (
        GBDT2NNStudent(REGRESSOR, **HASTY).fit_batches(batches, n_batches=4, buffer_rows=300)
        for batches in ([X[:250], X[250:250], X[250:400]], [long])
    )
    np.testing.assert_array_equal(first.predict(X), second.predict(X))


def test_tables_with_categories_and_labels():
    parts = [
        (part.assign(city=part["city"].astype("category")), labels)
        for part, labels in with_labels(TABLE, LABELS, 900)
    ]
    parts[0] = (parts[0][0][parts[0][0]["city"] != "Kiel"], parts[0][1][parts[0][0]["city"] != "Kiel"])
    parts[0] = (parts[0][0].assign(city=parts[0][0]["city"].cat.remove_unused_categories()), parts[0][1])
    student = GBDT2NNStudent(CLASSIFIER, label_lambda=0.1, **QUICK)
    with pytest.warns(UserWarning, match="seems to be sorted") as caught:
        student.fit_batches(parts, n_batches=20, buffer_rows=500)
    assert [warning.filename for warning in caught] == [__file__]
    assert student.classes_.tolist() == ["no", "yes"]
    assert student.explain(TABLE[:5]).feature_names == ("a", "city", "b")
    found = student.fidelity(TYPED, LABELS)
    assert found["explanation_r2"] > 0.8
    assert found["score"] > 0.85
    assert "train_label" in student.history_[0]
    copy = pickle.loads(pickle.dumps(student))
    np.testing.assert_array_equal(copy.predict(TABLE), student.predict(TABLE))


def test_a_dataset_on_disk_is_mixed(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    import pyarrow as pa
    import pyarrow.dataset as ds

    order = np.argsort(Y, kind="stable")
    ordered = TYPED.assign(label=LABELS).iloc[order]
    for k, part in enumerate(pieces(ordered, 6000)):
        pq.write_table(
            pa.Table.from_pandas(part, preserve_index=False), tmp_path / f"{k}.parquet", row_group_size=500
        )
    dataset = ds.dataset(tmp_path)
    student = GBDT2NNStudent(CLASSIFIER, label_lambda=0.1, **QUICK)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        student.fit_batches(dataset, n_batches=6, buffer_rows=4000, target="label")
    assert student.explain(TABLE[:5]).feature_names == ("a", "city", "b")
    again = GBDT2NNStudent(CLASSIFIER, label_lambda=0.1, **QUICK)
    again.fit_batches(dataset, n_batches=6, buffer_rows=4000, target="label")
    np.testing.assert_array_equal(again.decision_function(TABLE), student.decision_function(TABLE))
    some = dataset.filter(ds.field("a") > 0)
    hasty = GBDT2NNStudent(CLASSIFIER, **HASTY)
    with pytest.warns(UserWarning, match="seems to be sorted"):  # it is read in its order
        hasty.fit_batches(some, n_batches=2, buffer_rows=2000, target="label")
    assert hasty.n_iter_ == 2
    with pytest.raises(ValueError, match="`target` must name a column of the tables in `batches`, got 'y'"):
        student.fit_batches(dataset, n_batches=1, buffer_rows=1000, target="y")


def test_a_sorted_stream_is_warned_of():
    order = np.argsort(Y)
    student = GBDT2NNStudent(REGRESSOR, **HASTY)
    with pytest.warns(UserWarning, match=r"batch 2 is .* standard deviations .* seems to be sorted"):
        student.fit_batches(pieces(X[order], 1000), n_batches=12, buffer_rows=1000)


def test_early_stopping_holds_the_first_batch_out():
    options = QUICK | {"early_stopping": True, "n_iter_no_change": 1}
    student = GBDT2NNStudent(REGRESSOR, **options)
    student.fit_batches(pieces(X, 1000), n_batches=11, buffer_rows=1000)
    assert "valid_loss" in student.history_[0]
    student.set_params(n_iter_no_change=20)
    with pytest.raises(ValueError, match="n_batches=12 batches and one to be held out of buffer_rows=1000"):
        student.fit_batches(iter(pieces(X, 1000)), n_batches=12, buffer_rows=1000)


def test_few_explained_rows_are_shown_often():
    options = QUICK | {"max_explanation_rows": 60, "n_synthetic": 0}
    with_pool = GBDT2NNStudent(REGRESSOR, **options)
    with_pool.fit_batches(pieces(X, 1000), n_batches=12, buffer_rows=1000)
    in_memory = GBDT2NNStudent(REGRESSOR, max_epochs=2, **options).fit(X, Y)
    for student in (with_pool, in_memory):
        assert agreement(student, X[:1000]) > 0.5


def test_batches_without_an_explained_row_do_not_end_training():
    rare = GBDT2NNStudent(REGRESSOR, max_explanation_rows=1, max_epochs=2, batch_size=64, **HASTY)
    assert np.isfinite(rare.fit(X[:2000], Y[:2000]).predict(X)).all()


def test_gradients_of_a_batch_without_an_explained_row_are_zero():
    import torch

    from skrationale.gbdt2nn._losses import explanation_loss

    reasons = torch.ones(4, 1, 3, requires_grad=True)
    loss = 100 * explanation_loss(reasons, torch.zeros(4, 1, 3), torch.zeros(4))
    loss.backward()
    assert loss.item() == 0
    assert (reasons.grad == 0).all()


def test_other_models_teach_from_a_stream_too():
    model = KNeighborsRegressor(5).fit(X[:300], Y[:300])
    student = GBDT2NNStudent(FrozenEstimator(model), explanation="permutation", **HASTY)
    student.fit_batches(pieces(X[:1200], 300), n_batches=4, buffer_rows=300)
    assert student.explain(X[:5]).meta["explanation"] == "permutation"
    plain = GBDT2NNStudent(FrozenEstimator(model), explanation=None, **HASTY)
    assert plain.fit_batches(pieces(X, 300), n_batches=2, buffer_rows=300).predict(X).shape == (len(X),)
    constant = FrozenEstimator(LGBMRegressor(**TREES).fit(X[:100], np.ones(100)))
    student = GBDT2NNStudent(constant, **HASTY).fit_batches(pieces(X, 100), n_batches=2, buffer_rows=100)
    np.testing.assert_allclose(student.predict(X), 1.0)


def test_memory_is_that_of_a_batch():
    def tables():
        rng = np.random.default_rng(0)
        while True:
            yield rng.normal(size=(1000, 3))

    student = GBDT2NNStudent(REGRESSOR, **HASTY).fit_batches(tables, n_batches=1, buffer_rows=1000)
    peaks = []
    for n_batches in (20, 60):
        tracemalloc.start()
        student.fit_batches(tables, n_batches=n_batches, buffer_rows=1000)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 300_000  # the rows of 40 batches, as bins alone, take more


def test_a_dataset_with_an_index_or_without_a_column(tmp_path):
    ds = pytest.importorskip("pyarrow.dataset")
    for k, part in enumerate(pieces(TYPED[:600], 300)):
        part.set_index("a").to_parquet(tmp_path / f"{k}.parquet")
    student = GBDT2NNStudent(CLASSIFIER, **HASTY)
    student.fit_batches(ds.dataset(tmp_path), n_batches=2, buffer_rows=300)
    assert sorted(student.feature_names_in_) == ["a", "b", "city"]
    TYPED[:300].drop(columns="b").to_parquet(tmp_path / "1.parquet")
    with pytest.raises(
        ValueError, match=r"1\.parquet' of `batches` has no column\(s\) \['b'\], which the other files have"
    ):
        student.fit_batches(ds.dataset(tmp_path), n_batches=2, buffer_rows=300)


BAD = {
    "more columns": (
        CLASSIFIER,
        [TYPED[:50], TYPED[50:].assign(z=1)],
        {},
        ValueError,
        "different columns.*z",
    ),
    "a frame and an array": (CLASSIFIER, [TYPED[:50], X], {}, ValueError, r"different columns.*and 3"),
    "no teacher": (None, pieces(X, 100), {}, TypeError, "expected teacher=FrozenEstimator.*got None"),
    "unfitted": (LGBMRegressor(), pieces(X, 100), {}, TypeError, "a teacher that is fitted already"),
    "nothing": (REGRESSOR, [], {}, ValueError, "`batches` ended after 0 rows; expected n_batches=3"),
    "a number": (REGRESSOR, 3, {}, TypeError, "`batches` must give tables.*got int"),
    "short": (REGRESSOR, iter(pieces(X[:250], 50)), {}, ValueError, "ended after 250 rows"),
    "n_batches": (REGRESSOR, pieces(X, 100), {"n_batches": 0}, ValueError, "n_batches == 0, must be >= 1"),
    "rows": (REGRESSOR, pieces(X, 100), {"buffer_rows": 1.5}, TypeError, "buffer_rows must be an instance"),
    "columns": (REGRESSOR, [X[:100], X[:100, :2]], {}, ValueError, "Batch 2 of `batches` .*2 features"),
    "infinite": (REGRESSOR, [X[:100], np.full((100, 3), np.inf)], {}, ValueError, "Batch 2 .*infinity"),
    "target": (REGRESSOR, [(X[:100], Y[:99])], {}, ValueError, r"target of `batches` has shape \(99,\)"),
    "some": (REGRESSOR, [(X[:100], Y[:100]), X[:100]], {}, ValueError, "with every table or with no table"),
    "array": (REGRESSOR, [X[:100]], {"target": "y"}, ValueError, "`target` must name a column"),
    "sizes": (FrozenEstimator(LGBMRegressor(**TREES).fit(X[:, :2], Y)), [X], {}, ValueError, "expects 2"),
}


@pytest.mark.parametrize(("teacher", "batches", "options", "kind", "message"), BAD.values(), ids=BAD.keys())
def test_bad_streams_are_refused(teacher, batches, options, kind, message):
    student = GBDT2NNStudent(teacher, **HASTY)
    before = dict(vars(student))
    with pytest.raises(kind, match=message):
        student.fit_batches(batches, **({"n_batches": 3, "buffer_rows": 100} | options))
    assert vars(student) == before


def test_labels_are_asked_for_where_they_are_needed():
    student = GBDT2NNStudent(REGRESSOR, label_lambda=0.5, **HASTY)
    with pytest.raises(ValueError, match=r"label_lambda=0\.5 needs labels: expected pairs"):
        student.fit_batches(pieces(X, 100), n_batches=3, buffer_rows=100)
    student.fit_batches(with_labels(X, Y, 70), n_batches=3, buffer_rows=100)
    assert "train_label" in student.history_[0]
