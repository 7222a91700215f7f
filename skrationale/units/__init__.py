"""One original column, one word, one patch: what is shown or hidden, named and drawn as a whole.

People see the L units of a row, a network sees p inputs. `Units` says of both:

- ``names`` of the units, and ``groups``, the unit that each input belongs to;
- ``fold``: values of inputs add up to values of units; ``spread``: a mask of units becomes one of inputs;
- `hide`: inputs of hidden units get one of `FILLS`: a constant, or inputs of other rows, drawn by `draw_fill`
  a whole unit at a time;
- `MaskRule` makes masks of values of units: those above a threshold, which lies `between` two values, or the
  k largest;
- ``valid``: which units a row has, all of them in tables and pictures. Where rows differ in length, as texts
  do, the rest is padding, which is never shown and never counted;
- what people look at: `typed_cells` of a table; the place of a patch in words, and `PictureUnits.pictures`.

In a table a unit is a column, in pictures a pixel or a patch of a grid. In texts it is a word or a sentence:
`TextUnits` holds those of texts of any length one after the other, without padding; `Pieces` and
`blocks_of` bring them into rows for networks that read pieces of words. Pictures have one door:
`image_shape_of`, `flat_rows`, `check_pixels`, `PixelRange`, `ImageEncoder`. Nothing here
knows a family, or loads torch for arrays.
"""

from ._fills import FILLS, constant_fill, draw_fill
from ._grid import read_grid
from ._pictures import (
    ImageEncoder,
    ImageShape,
    PictureUnits,
    as_picture,
    check_pixels,
    flat_rows,
    image_shape_of,
    kind_of,
)
from ._pieces import BLOCK_PIECES, Pieces, blocks_of
from ._pixels import PixelRange
from ._rule import MaskRule, between
from ._table import table_units, typed_cells
from ._units import Units, hide, spread
from ._words import TextUnits, ranges

__all__ = [
    "BLOCK_PIECES",
    "FILLS",
    "ImageEncoder",
    "ImageShape",
    "MaskRule",
    "PictureUnits",
    "Pieces",
    "PixelRange",
    "TextUnits",
    "Units",
    "as_picture",
    "between",
    "blocks_of",
    "check_pixels",
    "constant_fill",
    "draw_fill",
    "flat_rows",
    "hide",
    "image_shape_of",
    "kind_of",
    "ranges",
    "read_grid",
    "spread",
    "table_units",
    "typed_cells",
]
