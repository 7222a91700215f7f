"""Images (n, C, H, W) as rows of pixels: fit, reasons, and pictures of attributes."""

import pickle
import re

import matplotlib as mpl
import numpy as np
import pytest
import torch
from seeds import SEED
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier
from torch import nn

from skrationale import FLINTClassifier, FLINTRegressor, RationaleClassifier
from skrationale.flint import AttributeDisplay, _column_reasons
from skrationale.flint._images import pixel_importance
from skrationale.flint._pictures import START, largest_classes, raise_attribute
from skrationale.flint._where import PatchTable, losses, patches_of

mpl.use("Agg")
SETTINGS = {"hidden_layer_sizes": (8, 16, 32), "n_attributes": 8, "lr": 3e-3, "random_state": SEED}


@pytest.fixture(scope="module")
def digits():
    images, y = load_digits(return_X_y=True)
    return images.reshape(-1, 1, 8, 8), y


@pytest.fixture(scope="module")
def model(digits):
    images, y = digits
    return FLINTClassifier(max_epochs=40, **SETTINGS).fit(images[:1200], y[:1200])


@pytest.fixture(autouse=True)
def no_windows(monkeypatch):
    import matplotlib.pyplot as plt

    monkeypatch.setattr(plt, "show", lambda *args, **kwargs: pytest.fail("show was called"))
    yield
    plt.close("all")


class SmallNet(nn.Module):
    """A network of digits whose layers have names."""

    def __init__(self):
        super().__init__()
        self.maps = nn.Conv2d(1, 8, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.middle = nn.Linear(128, 32)
        self.last = nn.Linear(32, 10)

    def forward(self, images):
        fields = self.pool(torch.relu(self.maps(images / 16)))
        return self.last(torch.relu(self.middle(fields.flatten(1))))


@pytest.fixture(scope="module")
def module(digits):
    images, y = digits
    torch.manual_seed(SEED)
    net = SmallNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    x, target = torch.from_numpy(images[:1200]).float(), torch.from_numpy(y[:1200])
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), target).backward()
        optimizer.step()
    return net


def test_it_learns_and_agrees(model, digits):
    images, y = digits
    found = model.fidelity(images[1200:], y[1200:])
    assert found["model_score"] > 0.88
    assert found["same_class"] > 0.88
    assert model.image_shape_ == (1, 8, 8)
    assert model.n_features_in_ == 64
    assert model.feature_importances_.shape == (64,)
    assert model.feature_importances_.sum() == pytest.approx(1)
    # the corners of digits are always dark
    assert model.feature_importances_.reshape(8, 8)[[0, -1], [0, 0]].sum() < 0.01


def test_flat_rows_are_images_too(model, digits):
    images, y = digits
    flat = images.reshape(len(images), -1)
    np.testing.assert_array_equal(model.predict_proba(images), model.predict_proba(flat))
    assert model.predict(torch.from_numpy(images[:5])).shape == (5,)
    table = FLINTClassifier(max_epochs=1, n_attributes=4).fit(flat[:200], y[:200])
    assert table.image_shape_ is None


@pytest.mark.parametrize("by", ["attribute", "column"])
def test_reasons_add_up(model, digits, by):
    images = digits[0][1200:1240]
    explanation = model.explain(images, by=by)
    assert explanation.values.shape == (40, 64 if by == "column" else 8, 10)
    assert explanation.additivity_error(model.decision_function(images)) < 1e-6


def test_gradients_integrate_to_the_score(model, digits, monkeypatch):
    """What is shared out at the end, because sums are no integrals, is little."""
    images = digits[0][1200:1240]
    monkeypatch.setattr(_column_reasons, "_restore_additivity", lambda values, wanted: values)
    explanation, scores = model.explain(images, by="column"), model.decision_function(images)
    np.testing.assert_allclose(
        explanation.base_values + explanation.values.sum(axis=1), scores, atol=0.02 * np.abs(scores).max()
    )
    attributes_of = model._model.attribute_function()
    phi = attributes_of(torch.from_numpy(images.reshape(40, -1)).float()).detach().numpy()
    np.testing.assert_allclose(phi, model.transform(images), rtol=1e-3, atol=1e-3)


def test_importance_is_that_of_shuffled_pixels():
    rng = np.random.RandomState(SEED)
    matrix = rng.normal(size=(400, 3)) * [1, 2, 0]
    weights = torch.tensor([[3.0], [-1.0], [5.0]])
    importance, direction = pixel_importance(lambda x: x @ weights, matrix)
    np.testing.assert_allclose(importance[:, 0], np.array([9, 4, 0]) / 13, atol=0.15)
    np.testing.assert_array_equal(direction[:, 0], [1, -1, np.nan])


def test_images_of_one_channel_need_no_axis_for_it(digits):
    images, y = digits[0][:300], digits[1][:300]
    flat, model = (FLINTClassifier(max_epochs=2, **SETTINGS).fit(X, y) for X in (images[:, 0], images))
    assert flat.image_shape_ == (1, 8, 8)
    for ask in (flat.predict, flat.decision_function, lambda X: flat.attribute_map(0, X)):
        np.testing.assert_array_equal(ask(images[:5, 0]), ask(images[:5]))
    assert flat.explain(images[:5, 0]).values.shape[0] == 5
    assert len(flat.describe(images[:50, 0])) == len(flat.describe(images[:50]))
    np.testing.assert_array_equal(flat.decision_function(images[:5]), model.decision_function(images[:5]))


def test_no_images_are_refused_as_no_rows_are(model, digits):
    with pytest.raises(ValueError, match=r"0 sample\(s\) .* a minimum of 1 is required"):
        model.predict(digits[0][:0])


def test_wrong_images_are_refused(model, digits):
    images, y = digits
    with pytest.raises(ValueError, match=r"X holds images of shape \(1, 4, 4\).*expected \(1, 8, 8\)"):
        model.predict(images[:, :, :4, :4])
    with pytest.raises(ValueError, match=r"X has shape .*; expected .* images \(n, C, H, W\) or \(n, H, W\)"):
        model.predict(images[:, None])
    with pytest.raises(ValueError, match=r"X holds images of shape \(1, 4, 8\).*expected \(1, 8, 8\)"):
        model.predict(images[:, 0, :4])
    with pytest.raises(ValueError, match="X has 60 features"):
        model.predict(images.reshape(len(images), -1)[:, :60])
    holes = images.copy()
    holes[3, 0, 4, 4] = np.nan
    for rows in (holes, holes.reshape(len(holes), -1)):
        with pytest.raises(ValueError, match="X holds 1 images with NaN"):
            model.predict(rows)
    unfitted = FLINTClassifier()
    with pytest.raises(ValueError, match="X holds 1 images with NaN"):
        unfitted.fit(holes, y)
    assert vars(unfitted) == vars(FLINTClassifier())
    table = FLINTClassifier(max_epochs=1, n_attributes=2).fit(images.reshape(-1, 64)[:99], y[:99])
    with pytest.raises(ValueError, match=r"X holds images .* expected rows \(n, d\)"):
        table.predict(images)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden_layer_sizes": (8, 16)}, "'hidden_layer_sizes' parameter must be three numbers for images"),
        ({"hidden_layers": (3,)}, "'hidden_layers' parameter .* positions of the 3 hidden layers"),
    ],
)
def test_wrong_sizes_are_refused(digits, parameters, message):
    with pytest.raises(ValueError, match=message):
        FLINTClassifier(**parameters).fit(*digits)


@pytest.mark.parametrize("layers", [(0,), (-1,), (0, 1)])
def test_layers_can_be_chosen(digits, layers):
    images, y = digits
    small = FLINTClassifier(max_epochs=1, hidden_layers=layers, **SETTINGS).fit(images[:200], y[:200])
    assert small.transform(images[:3]).shape == (3, 8)


def test_two_fits_clones_and_pickles_agree(model, digits):
    images, y = digits
    first = FLINTClassifier(max_epochs=2, **SETTINGS)
    second = clone(first).fit(images[:300], y[:300])
    first.fit(images[:300], y[:300])
    np.testing.assert_array_equal(first.predict_proba(images[300:]), second.predict_proba(images[300:]))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(model.decision_function(images), again.decision_function(images))
    again.fit(images.reshape(-1, 64)[:200, :10], y[:200])
    assert again.image_shape_ is None
    assert again.predict(images.reshape(-1, 64)[:5, :10]).shape == (5,)


def test_it_can_be_cross_validated(digits):
    images, y = digits
    small = FLINTClassifier(max_epochs=1, **SETTINGS)
    assert len(cross_val_score(small, images[:300], y[:300], cv=2, error_score="raise")) == 2


def test_colours_and_large_images():
    rng = np.random.RandomState(SEED)
    images = rng.randint(0, 256, size=(120, 3, 18, 17)).astype(np.uint8)
    y = images[:, 0].mean(axis=(1, 2)) > images[:, 1].mean(axis=(1, 2))
    small = FLINTClassifier(max_epochs=2, **SETTINGS).fit(images, y)
    explanation = small.explain(images[:4], by="column")
    assert explanation.values.shape == (4, 3 * 18 * 17)
    assert explanation.additivity_error(small.decision_function(images[:4])) < 1e-6
    display = small.plot_attribute(1, images, n_samples=2, maximise=False)
    assert display.axes_[0, 0].images[0].get_array().shape == (18, 17, 3)


def test_numbers_of_images(digits):
    images, _ = digits
    darkness = images[:, 0, 3:5].mean(axis=(1, 2))
    regressor = FLINTRegressor(max_epochs=15, **SETTINGS).fit(images[:900], darkness[:900])
    assert regressor.score(images[900:], darkness[900:]) > 0.7
    explanation = regressor.explain(images[900:920], by="column")
    assert explanation.additivity_error(regressor.predict(images[900:920])) < 1e-6
    (group,) = regressor.plot_attribute(2, maximise=False).pictures
    assert group.title.startswith("all images")


def test_constant_targets(digits):
    images, _ = digits
    constant = FLINTRegressor(max_epochs=1, **SETTINGS).fit(images[:50], np.full(50, 3.0))
    np.testing.assert_allclose(constant.predict(images[:4]), 3.0)
    assert constant.explain(images[:2], by="column").values.shape == (2, 64)
    assert isinstance(constant.plot_attribute(0, maximise=False), AttributeDisplay)


def test_descriptions_speak_of_patches(model, digits):
    description = model.describe_attribute(0, digits[0][:300])
    patches = {f"rows {r}-{r + 1}, columns {c}-{c + 1}" for r in range(0, 8, 2) for c in range(0, 8, 2)}
    assert set(description.columns["column"]) <= patches
    assert description.columns["importance"].between(0, 1).all()
    assert description.columns["direction"].between(-1, 1).all()
    # below are the value and the output, and the mean pixels of patches
    assert set(description.prototypes.columns[2:]) == patches
    assert re.search(r"rows \d-\d, columns \d-\d (>|<=) ", description.rule.text)
    assert "x3" not in str(description) + description._repr_html_()


# --- where attributes sit ----------------------------------------------------------------------------


def test_a_patch_that_alone_counts_is_found():
    """An attribute that is the brightness of one patch, and falls with that of another."""
    images = np.random.RandomState(SEED).uniform(0, 1, size=(30, 2 * 6 * 8))
    units = patches_of((2, 6, 8), (3, 2))

    def attributes_of(rows):
        means = units.fold(rows) / 16
        return np.column_stack([means[:, 3], 5 - 2 * means[:, 0]])

    lost = losses(attributes_of, images, units, np.zeros(96))
    means = units.fold(images) / 16
    wanted = np.zeros((30, 6, 2))
    wanted[:, 3, 0], wanted[:, 0, 1] = means[:, 3], -2 * means[:, 0]
    np.testing.assert_allclose(lost, wanted, atol=1e-12)
    table = PatchTable.of(attributes_of, images, (2, 6, 8), images.mean(axis=0))
    names = table.reader.feature_names
    best = np.argsort(table.importance[:, 0])[-2:]
    assert {names[k] for k in best} == {"rows 2-3, columns 4-5", "rows 2-3, columns 6-7"}
    assert table.direction.shape == (12, 2)
    np.testing.assert_allclose(table.matrix[:, 3], images.reshape(30, 2, 6, 8)[:, :, :2, 6:].mean((1, 2, 3)))


def test_maps_of_an_attribute(model, digits):
    images = digits[0][1200:1230]
    found = model.attribute_map("attribute_3", images)
    assert found.shape == (30, 4, 4)
    hidden = images.copy()
    hidden[:, 0, 4:6, 2:4] = digits[0][:1200].mean(axis=0)[0, 4:6, 2:4]
    lost = model.transform(images)[:, 3] - model.transform(hidden)[:, 3]
    np.testing.assert_allclose(found[:, 2, 1], lost, atol=1e-9)
    assert model.attribute_map(3, images, grid=(2, 8)).shape == (30, 2, 8)
    assert model.attribute_map(3).shape == (1200, 4, 4)
    for grid in (0, 9, (4, 4, 4), "fine", 2.5):
        with pytest.raises(ValueError, match="grid must be one number of patches"):
            model.attribute_map(3, images, grid=grid)
    with pytest.raises(ValueError, match="attribute must be a position below 8"):
        model.attribute_map(8, images)
    table = FLINTClassifier(max_epochs=1, n_attributes=2).fit(digits[0].reshape(-1, 64)[:99], digits[1][:99])
    with pytest.raises(ValueError, match="attribute_map is only for images"):
        table.attribute_map(0)


@pytest.mark.parametrize(("side", "patches"), [(28, 7), (32, 8), (8, 4), (30, 6), (29, 8), (3, 1), (64, 8)])
def test_sides_are_cut_evenly_where_they_can(side, patches):
    assert patches_of((1, side, 28)).grid == (patches, 7)


# --- given predictors --------------------------------------------------------------------------------


def test_a_module_is_interpreted(module, digits):
    images, y = digits
    post_hoc = FLINTClassifier(
        module, hidden_layers=["pool", "middle"], max_epochs=20, n_attributes=8, lr=5e-3, random_state=SEED
    ).fit(images[:1200], y[:1200])
    assert post_hoc.fidelity(images[1200:])["same_class"] > 0.85
    with torch.no_grad():
        logits = module(torch.from_numpy(images[1200:]).float()).numpy()
    np.testing.assert_array_equal(post_hoc.predict(images[1200:]), logits.argmax(axis=1))
    explanation = post_hoc.explain(images[1200:1210], by="column")
    scores = post_hoc._model.interpret(post_hoc.transform(images[1200:1210]))
    assert explanation.additivity_error(scores) < 1e-6
    again = pickle.loads(pickle.dumps(post_hoc))
    np.testing.assert_array_equal(again.transform(images[:9]), post_hoc.transform(images[:9]))
    chosen = {"attribute": int(np.flatnonzero(again.active_attributes_)[0]), "n_samples": 1, "n_classes": 1}
    (group,) = again.plot_attribute(**chosen).pictures
    assert group.maximised is None  # in those of a given network people recognise little
    (group,) = again.plot_attribute(**chosen, maximise=True).pictures
    assert group.maximised_values[0] > group.values[0]
    assert not module.maps._forward_hooks
    assert all(parameter.requires_grad for parameter in module.parameters())


def test_a_module_without_such_layers_is_refused(module, digits):
    with pytest.raises(ValueError, match=r"'hidden_layers' parameter names \['roof'\]"):
        FLINTClassifier(module, hidden_layers=["pool", "roof"]).fit(*digits)


def test_predictors_without_gradients_are_asked_about_patches(digits, monkeypatch):
    images, y = digits[0][:60], digits[1][:60] > 4
    predictor = RationaleClassifier(hidden_layer_sizes=(4, 4), max_epochs=1, random_state=SEED).fit(images, y)
    asked, scores = [], type(predictor)._scores

    def counted(self, matrix):
        asked.append(len(matrix))
        return scores(self, matrix)

    monkeypatch.setattr(type(predictor), "_scores", counted)
    model = FLINTClassifier(FrozenEstimator(predictor), n_attributes=2, max_epochs=1, random_state=SEED)
    importance = model.fit(images, y).feature_importances_
    assert sum(asked) < 60 * (16 + 10)  # of pixels, five shuffles each, it would be 60 * 320
    assert importance.sum() == pytest.approx(1)
    patches = importance.reshape(4, 2, 4, 2)
    assert np.ptp(patches, axis=(1, 3)).max() == 0
    assert np.ptp(patches) > 0


def test_a_given_network_of_rows_takes_images(digits):
    images, y = digits
    mlp = MLPClassifier((16,), max_iter=5, random_state=SEED)
    with pytest.warns(UserWarning, match="iterations"):
        given = FLINTClassifier(mlp, max_epochs=2, n_attributes=4, random_state=SEED).fit(
            images[:300], y[:300]
        )
    np.testing.assert_array_equal(given.predict(images), given.predictor_.predict(images.reshape(-1, 64)))
    assert given.plot_attribute(0, where=False).axes_.shape[0] == 1
    with pytest.raises(ValueError, match="maximise=True needs gradients"):
        given.plot_attribute(0, maximise=True)


# --- pictures ----------------------------------------------------------------------------------------


def test_samples_have_most_of_the_attribute(model, digits):
    images = digits[0][1200:]
    display = model.plot_attribute(3, images, n_samples=4, n_classes=2, maximise=False)
    phi, predicted = model.transform(images)[:, 3], model.predict_interpretable(images)
    for group in display.pictures:
        label = int(group.title.split()[1].strip(","))
        best = np.sort(phi[predicted == label])[::-1][:4]
        np.testing.assert_allclose(group.values, best)
        np.testing.assert_array_equal(group.samples, images[group.rows])
        assert (predicted[group.rows] == label).all()
    relevance = model.global_relevance_[:, 3]
    assert (
        f"class {np.nanargmax(relevance)}, relevance {np.nanmax(relevance):.2f}" == display.pictures[0].title
    )


def test_each_class_has_a_frame_and_maps(model, digits):
    display = model.plot_attribute(3, n_samples=2, n_classes=2, maximise=False)
    assert [axes.get_ylabel() for axes in display.axes_[:, 0]] == ["largest", "where"]
    assert len(display.ax_.patches) == len(display.pictures)
    for group in display.pictures:
        np.testing.assert_array_equal(group.where, model.attribute_map(3, group.samples))
    pale, over = display.axes_[1, 0].images
    assert pale.get_array().shape == (8, 8)
    first, alpha = display.pictures[0].where[0], np.asarray(over.get_array())[..., 3]
    np.testing.assert_array_equal(np.argmax(np.abs(first)), alpha.argmax())


def test_attributes_are_raised(model):
    display = model.plot_attribute(3, n_samples=2, n_classes=1)
    (group,) = display.pictures
    assert display.axes_.shape == (3, 2)
    start = model.transform(START * group.samples)[:, 3]
    assert (group.maximised_values > start).all()
    assert (group.maximised_values > group.values).all()
    assert group.maximised.min() >= 0
    assert group.maximised.max() <= 16
    np.testing.assert_allclose(model.transform(group.maximised)[:, 3], group.maximised_values)
    (again,) = model.plot_attribute("attribute_3", n_samples=2, n_classes=1).pictures
    np.testing.assert_array_equal(group.maximised, again.maximised)


def test_raising_changes_each_image_on_its_own(digits):
    images = digits[0][:3]

    def attributes_of(pixels):
        return pixels[:, 27:28] + pixels[:, 36:37] ** 2 / 16

    together = raise_attribute(attributes_of, 0, images, (0.0, 16.0), 5.0, n_rounds=1, n_steps=10)
    alone = raise_attribute(attributes_of, 0, images[1:2], (0.0, 16.0), 5.0, n_rounds=1, n_steps=10)
    np.testing.assert_allclose(together[1:2], alone, atol=0.01)


def test_an_attribute_that_is_flat_around_the_faint_copy_is_raised_from_the_image():
    images = np.full((2, 1, 8, 8), 4.0)
    images[0, 0, 3, 3] = 10.0  # pixel 27; in the faint copy it is 3, and the attribute 0 all around

    def attributes_of(pixels):
        return torch.relu(pixels[:, 27:28] - 8) + 0.01 * pixels[:, 27:28]

    def flat(pixels):
        return torch.relu(pixels[:, 27:28] - 8)

    for function in (attributes_of, flat):
        raised = raise_attribute(function, 0, images, (0.0, 16.0), 8.0, n_rounds=2, n_steps=30)
        values = [function(torch.from_numpy(some).flatten(1))[0].item() for some in (images, raised)]
        assert values[1] > values[0] + 2


def test_pictures_go_where_they_are_wanted(model):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2)
    display = model.plot_attribute(-1, n_samples=1, n_classes=1, maximise=False, ax=axes[1])
    assert isinstance(display, AttributeDisplay)
    assert display.ax_ is axes[1]
    assert display.figure_ is figure
    assert display.ax_.get_title() == "attribute_7"
    assert len(plt.get_fignums()) == 1
    figure.canvas.draw()
    assert display.plot().ax_ is not axes[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attribute": 8}, "attribute must be a position below 8"),
        ({"attribute": True}, "attribute must be a position below 8"),
        ({"attribute": "loops"}, "Got 'loops'"),
        ({"attribute": 0, "n_samples": 0}, "n_samples must be an integer of at least 1"),
        ({"attribute": 0, "n_classes": 1.5}, "n_classes must be an integer of at least 1"),
        ({"attribute": 0, "maximise": "always"}, "maximise must be True, False or 'auto'"),
    ],
)
def test_wrong_wishes_are_refused(model, options, message):
    with pytest.raises(ValueError, match=message):
        model.plot_attribute(**options)


def test_tables_are_drawn_as_columns(mixed):
    table, score = mixed
    flint = FLINTClassifier(max_epochs=5, n_attributes=4, random_state=SEED).fit(table, score > 0)
    display = flint.plot_attribute(1)
    description = flint.describe_attribute(1)
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == list(description.columns["column"])
    assert str(description.rule)[:20] in display.ax_.get_title(loc="left")
    assert display.axes_.size == 0


def test_classes_are_chosen_by_relevance():
    relevance = np.array([np.nan, -0.5, 0.2, 0.9])
    assert largest_classes(relevance, np.array([0, 1, 2, 3]), 4) == [3, 2]
    assert largest_classes(relevance, np.array([1, 1]), 2) == [1]
    assert largest_classes(relevance, np.array([0]), 2) == [0]
