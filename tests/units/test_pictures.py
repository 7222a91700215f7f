"""Pictures at the door: axes, units of pixels, one scale for all."""

import numpy as np
import pytest

from skrationale.tabular import TableReader
from skrationale.units import ImageEncoder, PictureUnits, PixelRange, as_picture, flat_rows, image_shape_of


@pytest.mark.parametrize(
    "shape", [(1, 8, 8), (3, 8, 3), (3, 4, 4), (64, 4, 4), (8, 3, 3), (2, 8, 8), (4, 9, 1)]
)
def test_channels_first_are_images(shape):
    assert image_shape_of(np.zeros((2, *shape))) == shape
    assert flat_rows(np.zeros((2, *shape)), shape).shape == (2, np.prod(shape))


def test_no_picture_is_a_row_of_pixels():
    assert flat_rows(np.zeros((0, 3, 2, 5)), (3, 2, 5)).shape == (0, 30)
    assert flat_rows(np.zeros((0, 2, 5)), (1, 2, 5)).shape == (0, 10)


def test_pixels_share_a_scale():
    matrix = np.array([[0.0, 4.0, 1.0], [0.0, 8.0, 2.0]])
    encoder = ImageEncoder().fit_matrix(TableReader().fit(matrix), matrix, np.array([1.0, 3.0]))
    repeated = matrix[[0, 1, 1, 1]]
    assert encoder.shift == pytest.approx(repeated.mean())
    assert encoder.scale == pytest.approx(repeated.std())
    constant = np.full((2, 3), 7.0)
    encoder.fit_matrix(TableReader().fit(constant), constant)
    np.testing.assert_array_equal(encoder.encode_matrix(constant), np.zeros((2, 3)))


def test_units_of_other_pictures():
    standard = PixelRange.of(np.array([[-2.5, 0.1, 3.0]]))
    assert standard.problem(np.array([[0.0, 0.5, 1.0]])) is None
    assert "from 0 to 255" in standard.problem(np.array([[0.0, 128, 255]]))
    digits = PixelRange.of(np.array([[0.0, 7, 16]]))
    assert "whole numbers from 0 to 16" in digits.problem(np.array([[0.0, 0.5, 1]]))
    assert digits.problem(np.array([[0.0, 3, 16]])) is None
    levels = PixelRange.of(np.array([[0, 1, 3]]))
    assert levels.problem(np.array([[0.0, 1, 1]])) is None
    flags = PixelRange.of(np.array([[0, 1, 1]]))
    assert flags.problem(np.array([[0.0, 0.5, 1]])) is None
    assert flags.problem(np.array([[0, 255]])) is not None
    empty = PixelRange.of(np.zeros((1, 2)))
    assert empty.problem(np.array([[0.0, 0.5]])) is None


def test_pictures_of_other_channels():
    image = np.arange(8.0).reshape(2, 2, 2)
    np.testing.assert_array_equal(as_picture(image, (0.0, 7.0))["X"], image.mean(axis=0))
    assert as_picture(np.full((3, 2, 2), 9.0), (5.0, 5.0))["X"].max() <= 1


def test_pixels_are_units_with_all_their_channels():
    units = PictureUnits.of((3, 4, 6))
    assert (units.n_units, units.n_inputs, units.grid) == (24, 72, (4, 6))
    place = np.ravel_multi_index((2, 3, 5), (3, 4, 6))
    assert units.names[units.groups[place]] == "row 3, column 5"
    rows = np.random.RandomState(0).normal(size=(2, 72))
    np.testing.assert_array_equal(units.pictures(rows), rows.reshape(2, 3, 4, 6))
    np.testing.assert_allclose(units.fold(rows).reshape(2, 4, 6), units.pictures(rows).sum(axis=1))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 20), (2, 7, 5)])
def test_a_mask_of_patches_is_spread_over_their_pixels(shape):
    units = PictureUnits.of(shape, (4, 5))
    assert units.n_units == 20
    assert np.bincount(units.groups, minlength=20).min() > 0
    mask = np.random.RandomState(0).rand(3, 20) < 0.5
    shown = units.pictures(units.spread(mask))
    assert shown.shape == (3, *shape)
    for row in range(shape[1]):
        for column in range(shape[2]):
            patch = row * 4 // shape[1], column * 5 // shape[2]
            expected = mask.reshape(3, 4, 5)[:, *patch]
            np.testing.assert_array_equal(shown[:, :, row, column], expected[:, None].repeat(shape[0], 1))
