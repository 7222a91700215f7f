"""What a fitted model can be asked, whoever made it: columns, levels, constraints, whether it can teach."""

from ._checks import check_teacher, classifies, text_refused, warn_of_refit
from ._columns import arranged, column_order, in_order, names_at_fit, refuse_other_order, some_rows
from ._constraints import signs_of_lightgbm, warn_of_constraints
from ._library import library_of, unfrozen
from ._table import TeacherTable, add_levels_at_fit, levels_at_fit, refuse_foreign_levels

__all__ = [
    "TeacherTable",
    "add_levels_at_fit",
    "arranged",
    "check_teacher",
    "classifies",
    "column_order",
    "in_order",
    "levels_at_fit",
    "library_of",
    "names_at_fit",
    "refuse_foreign_levels",
    "refuse_other_order",
    "signs_of_lightgbm",
    "some_rows",
    "text_refused",
    "unfrozen",
    "warn_of_constraints",
    "warn_of_refit",
]
