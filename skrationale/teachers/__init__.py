"""What a fitted model can be asked, whoever made it, in one vocabulary.

`teacher_for` picks the implementation of `Teacher` for a model, once a fit; the object is pickled with the
student. Each library has a file, imported only when one of its models is asked: ``lightgbm`` for LightGBM,
``converted`` for forests of other libraries, which are rewritten as LightGBM's, ``_own`` for estimators of
this package, ``_scikit`` for any other model, through its public methods. A teacher has a `task` (link,
outputs, classes), a `form` (the table that it takes: order of columns, levels of categories), `answers`
(scores and probabilities), `reasons` where it has some, and `sizes` of these by column. Scores are on one
ruler, the same for every model: log-odds, clipped once, see `on_ruler`. With ``raw=True`` they are the
model's own raw scores where it has some, in the units of its link and not clipped: those that its
contributions add up to. A `Forest` also has splits, codes of levels, and contributions of each column.
Another library of trees is one more file in ``conversion``. A `ScoreTeacher` is any model of which scores
alone are known; `PermutationWalks` gives reasons of all models alike, by their scores.
"""

from .._library import cloned, library_of, unfrozen
from ._bins import MISSING_BIN, ZERO_BOUND, Bins, CategoryBins, NumericBins, bins_of, in_bins, starts_of
from ._checks import check_teacher, classifies, text_refused, warn_of_refit
from ._choosing import check_forest, form_for, is_forest, rows_for_teacher, teacher_for, teacher_of
from ._columns import arranged, column_order, in_order, names_at_fit, refuse_other_order, some_rows
from ._constraints import signs_of, warn_of_constraints
from ._fitting import WEIGHTS_REACHED, LabelledClassifier, fitted_to, warn_of_weights
from ._lightgbm_levels import refuse_foreign_levels
from ._permutation import PermutationWalks
from ._protocol import FEWEST_ROWS, ColumnSplits, Forest, Teacher, TreeNodes
from ._scikit import confidence_of
from ._scores import ScoreTeacher
from ._table import TeacherTable
from ._targets import check_one_column, check_shares, refuse_several_targets

__all__ = [
    "FEWEST_ROWS",
    "MISSING_BIN",
    "WEIGHTS_REACHED",
    "ZERO_BOUND",
    "Bins",
    "CategoryBins",
    "ColumnSplits",
    "Forest",
    "LabelledClassifier",
    "NumericBins",
    "PermutationWalks",
    "ScoreTeacher",
    "Teacher",
    "TeacherTable",
    "TreeNodes",
    "arranged",
    "teacher_for",
    "bins_of",
    "check_forest",
    "check_one_column",
    "check_shares",
    "check_teacher",
    "classifies",
    "cloned",
    "column_order",
    "confidence_of",
    "fitted_to",
    "form_for",
    "in_bins",
    "in_order",
    "is_forest",
    "library_of",
    "names_at_fit",
    "refuse_foreign_levels",
    "refuse_other_order",
    "refuse_several_targets",
    "rows_for_teacher",
    "signs_of",
    "some_rows",
    "starts_of",
    "teacher_of",
    "text_refused",
    "unfrozen",
    "warn_of_constraints",
    "warn_of_refit",
    "warn_of_weights",
]
