"""Tables to numbers and back: one original column stays one feature."""

from ._dates import DateParts
from ._dtypes import UNKNOWN_REPORTED, UNSEEN, joined_levels
from ._encoder import TableEncoder
from ._few_rows import FewRows, display_of_few
from ._lazy import MOST_DENSE_BYTES, densely, is_small, numeric_rows
from ._lightgbm import safe_names, stand_ins
from ._reader import TableReader, are_counted, as_frame_or_array, columns_of, table_or_array
from ._target import as_numbers, holds_categories, looks_like_classes, read_target

__all__ = [
    "MOST_DENSE_BYTES",
    "UNKNOWN_REPORTED",
    "UNSEEN",
    "DateParts",
    "FewRows",
    "TableEncoder",
    "TableReader",
    "are_counted",
    "as_frame_or_array",
    "as_numbers",
    "columns_of",
    "densely",
    "display_of_few",
    "holds_categories",
    "is_small",
    "joined_levels",
    "looks_like_classes",
    "numeric_rows",
    "read_target",
    "safe_names",
    "stand_ins",
    "table_or_array",
]
