"""Types that a file of a fitted model holds, by name."""

TRUSTED_TYPES = [
    "skrationale._absent.AbsentTeacher",
    "skrationale._task.Task",
    "skrationale.flint._estimator.FLINTClassifier",
    "skrationale.flint._estimator.FLINTRegressor",
    "skrationale.flint._model.FlintModel",
    "skrationale.flint._model.OwnPredictor",
    "skrationale.flint._wrapped_predictors.WrappedMLP",
    "skrationale.flint._wrapped_predictors.WrappedReasoner",
    "skrationale.formula._formula.Formula",
    "skrationale.formula.variables.Variable",
    "skrationale.gbdt2nn._bins.TeacherBins",
    "skrationale.gbdt2nn._estimator.GBDT2NNStudent",
    "skrationale.gbdt2nn._inference.CompiledNetwork",
    "skrationale.gbdt2nn._inference.CompiledStudent",
    "skrationale.gbdt2nn._monotone.CompiledMonotone",
    "skrationale.rationale._audit_report.RationaleAudit",
    "skrationale.rationale._distiller.RationaleDistiller",
    "skrationale.rationale._estimator.RationaleClassifier",
    "skrationale.rationale._estimator.RationaleRegressor",
    "skrationale.rationale._model.RationaleModel",
    "skrationale.rationale.picture._form.PictureForm",
    "skrationale.rationale.picture._model.PictureModel",
    "skrationale.rationale.picture._plan.NetPlan",
    "skrationale.rationale.text._distiller.TextRationaleDistiller",
    "skrationale.rationale.text._estimator.TextRationaleClassifier",
    "skrationale.rationale.text._estimator.TextRationaleRegressor",
    "skrationale.rationale.text._model.TextModel",
    "skrationale.rationale.text._reader.WordReader",
    "skrationale.rationale.text._rule.TextRule",
    "skrationale.smooth._estimator.SmoothMLPClassifier",
    "skrationale.smooth._estimator.SmoothMLPRegressor",
    "skrationale.smooth._path.Stage",
    "skrationale.symbolic._distiller.SymbolicDistiller",
    "skrationale.symbolic._distiller_cv.SymbolicDistillerCV",
    "skrationale.symbolic._front.Fronts",
    "skrationale.symbolic._front.ScoredFormula",
    "skrationale.symbolic.engines._operon.OperonEngine",
    "skrationale.tabular._column_types.ColumnType",
    "skrationale.tabular._encoder.TableEncoder",
    "skrationale.tabular._reader.TableReader",
    "skrationale.teachers._bins.CategoryBins",
    "skrationale.teachers._bins.NumericBins",
    "skrationale.teachers._fitting.LabelledClassifier",
    "skrationale.teachers._own.OwnTeacher",
    "skrationale.teachers._permutation.PermutationWalks",
    "skrationale.teachers._scikit.AnyTeacher",
    "skrationale.teachers._scores.ScoreTeacher",
    "skrationale.teachers._table.TeacherTable",
    "skrationale.teachers.booster.BoosterClassifier",
    "skrationale.teachers.booster.BoosterRegressor",
    "skrationale.teachers.catboost.CatBoostTeacher",
    "skrationale.teachers.converted.ConvertedTeacher",
    "skrationale.teachers.lightgbm.LightGBMOnRuler",
    "skrationale.teachers.lightgbm.LightGBMTeacher",
    "skrationale.units._pictures.ImageEncoder",
    "skrationale.units._pixels.PixelRange",
    "skrationale.units._rule.MaskRule",
    # of networks that FLINT reads: numbers and arrays, which predictions do not ask
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
]
"""Names of the types of this package that fitted estimators and formulas hold, for `trusted` of skops.

None calls anything that a file names. A type is not here when it does, or when what a file says of it can
leave the bounds of memory: forests of other libraries (see `FOREST_TYPES`), torch modules, and engines that
run programs, like PySR's.
"""

FOREST_TYPES = [
    "catboost.core.CatBoostClassifier",
    "catboost.core.CatBoostRegressor",
    "collections.OrderedDict",  # of LightGBM
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "xgboost.sklearn.XGBRFClassifier",
    "xgboost.sklearn.XGBRFRegressor",
    "xgboost.sklearn.XGBRegressor",
]
"""Names of the types of forests that teach, for files that only you write.

They hold numbers and no code, but libraries follow the positions of nodes and columns in a file without a
check of the bounds: a file that someone has made to that end can crash the process, or read memory that is
not its own.
"""
