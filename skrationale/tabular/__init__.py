"""Tables to numbers and back: one original column stays one feature."""

from ._reader import TableReader, as_frame_or_array

__all__ = ["TableReader", "as_frame_or_array"]
