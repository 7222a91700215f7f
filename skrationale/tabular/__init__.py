"""Tables to numbers and back: one original column stays one feature."""

from ._encoder import TableEncoder, sum_by_group
from ._reader import TableReader, as_frame_or_array

__all__ = ["TableEncoder", "TableReader", "as_frame_or_array", "sum_by_group"]
