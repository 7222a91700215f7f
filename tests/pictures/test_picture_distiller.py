"""RationaleDistiller of pictures: the teacher is asked about what the student sees."""

import pickle

import numpy as np
import pytest
import torch
from lightgbm import LGBMClassifier
from picture_scenes import DIGITS, Y, needle_scenes
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skrationale import RationaleClassifier, RationaleDistiller, RationaleRegressor
from skrationale.rationale._refit import _MaskedLoss
from skrationale.rationale.picture import _fitting
from skrationale.rationale.picture._model import standard_values
from skrationale.rationale.picture._teacher import AskedTeacher, move_some
from skrationale.serving import load, save
from skrationale.training import Batch

NEW = DIGITS[1200:]
QUICK = {"hidden_layer_sizes": (4, 8), "max_features": 5, "max_epochs": 6, "random_state": 0}


@pytest.fixture(scope="module")
def teacher():
    model = RationaleClassifier(max_features=5, max_epochs=16, selection="learned", random_state=0)
    return model.fit(DIGITS[:1200], Y[:1200])


def overlap(model, teacher):
    one, other = (m.get_rationale(NEW) for m in (model, teacher))
    return (one & other).sum() / (one | other).sum()


def test_students_select_what_their_teacher_selects(teacher):
    agreed = []
    for seed in range(3):  # so small networks agree by chance more or less
        settings = QUICK | {"random_state": seed}
        alone = RationaleClassifier(selection="learned", **settings).fit(DIGITS[:1200], Y[:1200])
        student = RationaleDistiller(FrozenEstimator(teacher), **settings).fit(DIGITS[:1200], Y[:1200])
        assert overlap(student, teacher) > overlap(alone, teacher) + 0.1
        agreed.append([np.mean(m.predict(NEW) == teacher.predict(NEW)) for m in (student, alone)])
        found = student.fidelity(NEW, Y[1200:])
        assert found["same_class"] == pytest.approx(agreed[-1][0])
        assert student.teacher_audit_ is None
        assert {"train_prediction", "train_rationale"} <= {name for row in student.history_ for name in row}
        assert student.selection_ == teacher.selection_ == "learned"
    student, alone = np.mean(agreed, axis=0)
    assert student > alone + 0.05


def test_gates_of_a_student_close_as_those_of_its_teacher():
    scenes, digit, _ = needle_scenes(600, 0)
    settings = {"grid": 2, "selection": "gates", "max_epochs": 24, "random_state": 0}
    teacher = FrozenEstimator(RationaleClassifier(**settings).fit(scenes, digit))
    student = RationaleDistiller(teacher, hidden_layer_sizes=(8, 8), **settings).fit(scenes, digit)
    new, _, truth = needle_scenes(300, 1, new=True)
    found = student.get_rationale(new)
    assert (found & truth).sum() / truth.sum() > 0.95
    assert (found & ~truth).sum() / found.sum() < 0.2  # 0.75 where the price gives way to the teacher


@pytest.mark.parametrize("distill", ["rationale", "prediction"])
def test_each_term_alone(teacher, distill):
    student = RationaleDistiller(FrozenEstimator(teacher), distill=distill, **QUICK | {"max_epochs": 2})
    student.fit(DIGITS[:300], Y[:300])
    terms = {name for row in student.history_ for name in row}
    assert f"train_{distill}" in terms
    assert not terms & ({"train_rationale", "train_prediction"} - {f"train_{distill}"})


def test_a_student_values_patches_as_its_teacher_does():
    settings = QUICK | {"max_epochs": 2}
    by_gradients = RationaleClassifier(selection="mask_gradients", **settings).fit(DIGITS[:300], Y[:300])
    for distill, selection in (("both", "mask_gradients"), ("rationale", "learned")):
        student = RationaleDistiller(FrozenEstimator(by_gradients), distill=distill, **settings)
        assert student.fit(DIGITS[:300], Y[:300]).selection_ == selection


def test_a_student_of_patches_alone_needs_a_selector(teacher):
    for selection in ("mask_gradients", "occlusion"):
        student = RationaleDistiller(
            FrozenEstimator(teacher), distill="rationale", selection=selection, **QUICK
        )
        with pytest.raises(ValueError, match=f"teaches a selector, and selection='{selection}' has none"):
            student.fit(DIGITS[:300], Y[:300])


def test_the_teacher_is_asked_about_the_same_masked_picture(teacher):
    """Whatever the student's pixels are standardised by, the teacher answers as it does to its users."""
    inner = teacher._model
    shift, scale = np.array([3.0]), np.array([2.0])
    asked = AskedTeacher(inner, shift, scale, np.zeros(10), np.ones(10))
    mask = np.random.RandomState(0).rand(50, 16) < 0.4
    x = torch.from_numpy((NEW[:50, None] - 3.0) / 2.0).float()
    found = asked(x, torch.from_numpy(mask).float())
    expected = teacher.decision_function(NEW[:50], mask=mask.reshape(50, 4, 4))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_moved_pictures_hold_the_same_pixels():
    x, mirrored, steps = torch.arange(4.0 * 3 * 32 * 16).view(4, 3, 32, 16), 0, 40
    generator = torch.Generator().manual_seed(0)
    kept = []
    for _ in range(steps):
        found, same = move_some(x, generator)
        assert torch.equal(found[same], x[same])
        kept.append(same.float().mean().item())
        for own, other in zip(x[~same], found[~same], strict=True):
            assert torch.equal(own.flatten().sort().values, other.flatten().sort().values)
            down, across = torch.nonzero(other[0] == own[0, 0, 0])[0].tolist()  # where the first pixel went
            is_mirrored = bool(other[0, 0, 8] < other[0, 0, 7])
            across = 15 - across if is_mirrored else across
            assert min(down, 32 - down) <= 2
            assert min(across, 16 - across) <= 1
        mirrored += bool(not same.all()) and is_mirrored
    assert 0.35 < np.mean(kept) < 0.65
    assert 5 < mirrored < 35
    small = torch.rand(200, 1, 4, 4, generator=generator)
    for _ in range(10):  # those that nothing happens to keep their labels
        found, same = move_some(small, generator)
        assert torch.equal(same, (found == small).all((1, 2, 3)))


@pytest.mark.parametrize("distill", ["both", "rationale"])
def test_a_student_is_shown_moved_pictures_where_its_teacher_is_asked(teacher, monkeypatch, distill):
    shown = []

    def counted(x, generator):
        shown.append(len(x))
        return move_some(x, generator)

    monkeypatch.setattr(_fitting, "move_some", counted)
    settings = QUICK | {"max_epochs": 2}
    RationaleClassifier(**settings).fit(DIGITS[:200], Y[:200])
    assert not shown
    RationaleDistiller(FrozenEstimator(teacher), distill=distill, **settings).fit(DIGITS[:200], Y[:200])
    assert bool(shown) is (distill == "both")


def test_labels_count_for_pictures_that_were_not_moved_alone():
    """Of moved pictures the teacher alone tells, and only while its student is trained."""
    module = torch.nn.Linear(2, 1)
    scores = torch.tensor([[0.0], [4.0]])
    module.forward = lambda x, mask: scores
    batch = Batch(
        x=torch.zeros(2, 2), y=torch.tensor([3.0, 0.0]), weight=torch.ones(2), mask=torch.ones(2, 2)
    )
    batch.generator = None
    told = torch.tensor([[1.0], [4.0]])

    def vary(x, generator):
        return x, torch.tensor([True, False])

    loss = _MaskedLoss("identity", 0.25, lambda x, mask: told, vary)
    assert loss(module.train(), batch)[0].item() == pytest.approx(0.25 * 9 + 0.75 * (1 + 0) / 2)
    labels_alone = _MaskedLoss("identity", 1.0, lambda x, mask: told, vary)
    assert labels_alone(module, batch)[0].item() == pytest.approx((9 + 16) / 2)
    assert loss(module.eval(), batch)[0].item() == pytest.approx(0.25 * (9 + 16) / 2 + 0.75 * (1 + 0) / 2)


def test_values_are_standardised_in_each_picture():
    found = standard_values(np.array([[1.0, 3.0], [2.0, 2.0]]))
    np.testing.assert_allclose(found, [[-1, 1], [0, 0]])


def test_the_grid_is_the_teachers(teacher):
    other = RationaleClassifier(grid=2, **QUICK | {"max_features": 2, "max_epochs": 2})
    student = RationaleDistiller(other, **QUICK | {"max_features": 2, "max_epochs": 2})
    student.fit(DIGITS[:200], Y[:200])
    assert student.teacher_.grid_ == student.grid_ == (2, 2)
    with pytest.raises(ValueError, match="its teacher divides pictures into 4 x 4 patches"):
        RationaleDistiller(FrozenEstimator(teacher), grid=2, **QUICK).fit(DIGITS[:200], Y[:200])


def test_any_teacher_teaches_whole_pictures():
    settings = QUICK | {"max_epochs": 2}
    trees = LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1)
    student = RationaleDistiller(trees, **settings).fit(DIGITS[:300], Y[:300])
    assert student.teacher_.n_features_in_ == 64
    taught = [row["stage"] for row in student.history_ if "train_prediction" in row]
    assert set(taught) == {"whole pictures"}
    with pytest.raises(ValueError, match="needs a teacher that selects patches of pictures"):
        RationaleDistiller(trees, distill="rationale", **settings).fit(DIGITS[:300], Y[:300])


def test_numbers():
    light = DIGITS[:, 2:4, 2:4].mean(axis=(1, 2)) * 100.0
    settings = QUICK | {"hidden_layer_sizes": (8, 16), "max_epochs": 16}
    student = RationaleDistiller(RationaleRegressor(**settings), alpha="anneal", **settings)
    assert student.fit(DIGITS[:900], light[:900]).score(NEW, light[1200:]) > 0.3


def test_files_and_clones(teacher, tmp_path):
    student = RationaleDistiller(FrozenEstimator(teacher), **QUICK | {"max_epochs": 2})
    student.fit(DIGITS[:300], Y[:300])
    save(student, tmp_path / "model.skops")
    again = clone(student).fit(DIGITS[:300], Y[:300])
    for other in (pickle.loads(pickle.dumps(student)), load(tmp_path / "model.skops"), again):
        np.testing.assert_array_equal(other.get_rationale(NEW), student.get_rationale(NEW))
        np.testing.assert_array_equal(other.predict_proba(NEW), student.predict_proba(NEW))


def test_pictures_and_tables_do_not_mix(teacher):
    with pytest.raises(ValueError, match="teacher was fitted to pictures, and X is a table"):
        RationaleDistiller(FrozenEstimator(teacher), **QUICK).fit(DIGITS[:200].reshape(200, 64), Y[:200])
    with pytest.raises(ValueError, match=r"fitted to pictures of shape \(1, 8, 8\)"):
        RationaleDistiller(FrozenEstimator(teacher), **QUICK).fit(DIGITS[:200].reshape(200, 4, 16), Y[:200])
