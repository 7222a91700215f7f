"""Pictures in another order of axes or in other units than at fit are refused, with what to do."""

import pickle
import warnings

import numpy as np
import pytest
import torch

from skrationale import FLINTClassifier, FLINTRegressor

RNG = np.random.RandomState(0)
SMALL = {"hidden_layer_sizes": (2, 4, 4), "n_attributes": 2, "max_epochs": 1, "random_state": 0}
BYTES = RNG.randint(0, 256, (60, 3, 8, 8)).astype(np.uint8)
Y = np.arange(60) % 2
PARTS = BYTES / 255


@pytest.fixture(scope="module")
def of_bytes():
    return FLINTClassifier(**SMALL).fit(BYTES, Y)


@pytest.fixture(scope="module")
def of_parts():
    return FLINTRegressor(**SMALL).fit(PARTS, Y)


@pytest.mark.parametrize(
    "shape",
    [
        (9, 32, 32, 3),
        (9, 28, 28, 1),
        (9, 8, 8, 4),
        (9, 10, 12, 3),
        (9, 12, 10, 1),
        (9, 6, 5, 4),
        (9, 8, 8, 2),
    ],
)
def test_channels_last_are_refused_at_fit(shape):
    for X in (np.zeros(shape), torch.zeros(shape), np.zeros(shape).tolist()):
        with pytest.raises(ValueError, match=r"with channels last; .* X\.(transpose|permute)\(0, 3, 1, 2\)"):
            FLINTClassifier(**SMALL).fit(X, np.arange(9) % 2)


def test_other_orders_of_axes_are_refused_after_fit(of_bytes):
    last = BYTES.transpose(0, 2, 3, 1)
    for ask in (of_bytes.predict, of_bytes.explain, of_bytes.transform, of_bytes.describe):
        with pytest.raises(ValueError, match=r"with channels last; .*X\.transpose\(0, 3, 1, 2\)"):
            ask(last)
    with pytest.raises(ValueError, match=r"X\.permute\(0, 3, 1, 2\)"):
        of_bytes.predict(torch.from_numpy(last))
    with pytest.raises(ValueError, match=r"that of one image; .* X\[None\]"):
        of_bytes.predict(BYTES[0])
    for one_channel in (BYTES[:, 0], BYTES[:, :1]):
        with pytest.raises(ValueError, match=r"X holds images of shape \(1, 8, 8\).*expected \(3, 8, 8\)"):
            of_bytes.predict(one_channel)


@pytest.mark.parametrize(
    "X",
    [PARTS, PARTS.astype(np.float32), PARTS.reshape(60, -1), (BYTES > 99), (BYTES > 99).astype(float)]
    + [torch.from_numpy(PARTS), PARTS[:1], PARTS * 2 - 1, (PARTS - 0.45) / 0.22],
    ids=["floats", "float32", "flat", "flags", "zeros and ones", "tensor", "one", "signed", "standardised"],
)
def test_parts_of_one_are_refused_by_a_model_of_bytes(of_bytes, X):
    for ask in (of_bytes.predict, of_bytes.predict_proba, of_bytes.explain, of_bytes.fidelity):
        with pytest.raises(
            ValueError, match="X holds pixels .*expected whole numbers from 0 to 255, as in fit"
        ):
            ask(X)


@pytest.mark.parametrize(
    "X",
    [BYTES, BYTES * 1.0, BYTES * 257.0, BYTES.astype(int) * 257],
    ids=["bytes", "floats", "16 bits", "integers"],
)
def test_bytes_are_refused_by_a_model_of_parts_of_one(of_parts, X):
    for given in (X, X.reshape(60, -1)):
        with pytest.raises(ValueError, match="X holds pixels .*expected from 0 to 1, with fractions, as in"):
            of_parts.predict(given)


def test_the_message_says_by_what_to_multiply(of_bytes, of_parts):
    with pytest.raises(ValueError, match=r"\(X \* 255\)"):
        of_bytes.predict(PARTS)
    with pytest.raises(ValueError, match=r"\(X / 255\)"):
        of_parts.predict(BYTES)


def test_pictures_in_the_units_at_fit_are_answered(of_bytes, of_parts):
    dark = np.zeros_like(BYTES[:3])
    dark[0, 0, 0, 0] = 1
    for X in (BYTES, BYTES.astype(float), BYTES + 0.5, dark, dark * 0.0, BYTES.reshape(60, -1).tolist()):
        assert of_bytes.predict(X).shape == (len(X),)
    for X in (PARTS, PARTS * 1.2, PARTS - 0.1, dark, PARTS * 0):
        assert of_parts.predict(X).shape == (len(X),)
    again = pickle.loads(pickle.dumps(of_bytes))
    with pytest.raises(ValueError, match="X holds pixels"):
        again.predict(PARTS)


class Bright(torch.nn.Module):
    """Says whether the mean pixel is above a limit, whatever the units of the limit."""

    def __init__(self, limit):
        super().__init__()
        self.flat, self.mean, self.last = torch.nn.Flatten(), torch.nn.Linear(64, 2), torch.nn.Linear(2, 1)
        with torch.no_grad():
            self.mean.weight.fill_(1 / 64)
            self.mean.bias.fill_(-limit)
            self.last.weight.fill_(1.0)
            self.last.bias.fill_(0.0)

    def forward(self, images):
        return self.last(self.mean(self.flat(images)))


@pytest.mark.parametrize(("limit", "factor"), [(0.5, 1), (127.5, 1 / 255)], ids=["parts", "bytes"])
def test_a_given_network_of_other_units_is_warned_of(limit, factor):
    light = RNG.randint(0, 256, (40, 1, 1, 1)).astype(float)
    images, bright = (
        np.clip(light + RNG.normal(0, 5, (40, 1, 8, 8)), 0, 255) * factor,
        light[:, 0, 0, 0] > 127.5,
    )
    settings = SMALL | {"hidden_layer_sizes": "auto", "hidden_layers": ["mean"]}
    with pytest.warns(
        UserWarning, match="The predictor classifies .* It was probably fitted on images in other units"
    ):
        FLINTClassifier(Bright(limit), **settings).fit(images, bright)
    own = images / 255 if factor == 1 else images * 255
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        FLINTClassifier(Bright(limit), **settings).fit(own, bright)
