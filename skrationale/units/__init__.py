"""One original column, one word, one patch: what is shown or hidden, named and drawn as a whole."""

from ._fills import draw_cells
from ._pictures import ImageEncoder, ImageShape, as_picture, check_pixels, flat_rows, image_shape_of, kind_of
from ._pixels import PixelRange
from ._table import typed_cells

__all__ = [
    "ImageEncoder",
    "ImageShape",
    "PixelRange",
    "as_picture",
    "check_pixels",
    "draw_cells",
    "flat_rows",
    "image_shape_of",
    "kind_of",
    "typed_cells",
]
