"""LightGBM as a teacher: its answers on the ruler, or a forest with raw scores, contributions and splits."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.validation import check_is_fitted

from .._task import Link, Task
from ..tabular import TableReader, stand_ins
from ._lightgbm_levels import add_levels_at_fit, levels_at_fit, refuse_foreign_levels
from ._lightgbm_text import nodes_of, read_header, read_trees, splits_of, with_trees
from ._protocol import ColumnSplits, Contributions, TreeNodes
from ._scikit import AnyTeacher
from ._table import AS_IT_IS, TeacherTable

LINKS: dict[str, Link] = {
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape"), "identity"),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "log"),
    **dict.fromkeys(("binary", "multiclassova", "cross_entropy"), "logit"),
    "multiclass": "softmax",
}
"""Objectives by LightGBM's own name, and what their raw score is."""
ANY = " With explanation='permutation' a GBDT2NNStudent accepts any classifier or regressor as its teacher."
SMALL_TABLE = 100_000
"""Cells up to which LightGBM works on one thread: starting more costs more than it saves. Not measured."""


def default_lightgbm(classifier: bool, seed: int, n_jobs: int | None) -> Any:
    """Make the teacher of a student that was given none."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    return (LGBMClassifier if classifier else LGBMRegressor)(
        n_estimators=300,
        num_leaves=31,
        learning_rate=0.05,
        random_state=seed,
        n_jobs=n_jobs,
        verbose=-1,
    )


def reader_with_levels(
    model: Any, reader: TableReader, order: np.ndarray | None, *, fitted: bool
) -> TableReader:
    """Copy the reader of a student, and add levels that a LightGBM fitted elsewhere knows beside them."""
    own = copy.copy(reader)
    if fitted and model.booster_.num_feature() == len(reader.levels):
        add_levels_at_fit(model.booster_, own, order)
    return own


class LightGBMOnRuler(AnyTeacher):
    """A fitted LightGBM of any objective, asked what it predicts, and how much each column counts there."""

    def sizes(self, table: Any) -> np.ndarray:
        """Sizes (n, d) of TreeSHAP's contributions, summed over outputs, by the teacher's columns."""
        d = self.model.n_features_in_
        ask = self.model.booster_.predict if _is_booster(self.model) else self.model.predict
        values = np.asarray(ask(table, pred_contrib=True)).reshape(len(table), -1, d + 1)
        return np.abs(values[:, :, :-1]).sum(axis=1)


class LightGBMTeacher(LightGBMOnRuler):
    """A fitted LightGBM model as a forest, with its own raw scores.

    Below, n is the number of rows, d of columns, K of outputs and T of trees. The trees are those
    that ``predict`` of the model uses, hence up to the best iteration after early stopping.

    Parameters
    ----------
    model : LGBMClassifier, LGBMRegressor or Booster
        Fitted. Only a reference to it is held.
    form : TeacherTable, optional
        Of the table that it takes. Where the order of columns differs, contributions, splits and levels are
        those of the user's columns; tables that the model is asked about have its own order.
    role : str, default="teacher"
        What messages call the model.

    Attributes
    ----------
    objective : str
        LightGBM's name of what the model was trained for.
    link : {"identity", "log", "logit", "softmax"}
        What a raw score is: the target itself, its logarithm, log-odds, or a score before the softmax.
    n_outputs, n_features, n_trees : int
        K, d and T.
    scale : float
        Factor from sums over trees to raw scores: LightGBM's `sigmoid`, which makes them log-odds,
        over the number of trees of a random forest, which averages.

    Raises
    ------
    TypeError
        If the model is not LightGBM.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If what the raw score means is not known, or it is not a sum of constants in leaves.

    Examples
    --------
    >>> import numpy as np
    >>> from lightgbm import LGBMClassifier
    >>> X = np.repeat([[1.0], [2.0]], 50, axis=0)
    >>> teacher = LightGBMTeacher(LGBMClassifier(n_estimators=5, verbose=-1).fit(X, X[:, 0] > 1))
    >>> teacher.link, teacher.n_outputs, teacher.leaves(X).shape
    ('logit', 1, (100, 5))
    >>> teacher.splits()[0].thresholds
    array([1.5])
    """

    role = "teacher"
    missing_codes: Mapping[int, int] = MappingProxyType({})
    """Code of missing cells, for columns in which these are a level like others."""

    def __init__(self, model: Any, form: TeacherTable = AS_IT_IS, role: str = role) -> None:
        from lightgbm import Booster, LGBMClassifier

        if not isinstance(model, Booster):
            self.check(model, role)
            check_is_fitted(model)
        self.model, self.role = model, role
        text = self.booster.model_to_string(num_iteration=1)
        header = read_header(text)
        self.objective, *options = header.get("objective", "custom").split() or ["custom"]
        if self.objective not in LINKS:
            raise _refused(role, f"objective {self.objective!r}", f"one of {', '.join(LINKS)}")
        self.link = LINKS[self.objective]
        if isinstance(model, LGBMClassifier) and self.link not in ("logit", "softmax"):
            found = f"objective {self.objective!r} in a classifier"
            raise _refused(role, found, "a classification objective")
        if "sqrt" in options:
            raise _refused(
                role, "reg_sqrt=True", "reg_sqrt=False, with a target that is transformed before fit"
            )
        if "\nis_linear=1" in text or "[linear_tree: 1]" in text:
            raise _refused(role, "linear_tree=True", "linear_tree=False: each leaf holds one number")
        self.n_outputs, self.n_features = self.booster.num_model_per_iteration(), self.booster.num_feature()
        self.scale = float(dict(option.partition(":")[::2] for option in options).get("sigmoid", 1.0))
        self.n_trees = self._n_iterations() * self.n_outputs
        if "average_output" in header:
            self.scale /= self._n_iterations()
        super().__init__(model, form, Task(self.link, self.n_outputs, getattr(model, "classes_", None)))

    @property
    def booster(self) -> Any:
        """The trees."""
        return getattr(self.model, "booster_", self.model)

    @property
    def order(self) -> np.ndarray | None:
        """Position in the user's table of each column of the model; None where they are the same."""
        return self.form.order

    @property
    def threads(self) -> int:
        """Threads of LightGBM, as the model says; 0: all cores."""
        own = getattr(self.model, "n_jobs", None)
        return self.booster.params.get("num_threads", 0) if own is None else own

    def _n_iterations(self) -> int:
        best, last = self.booster.best_iteration, self.booster.current_iteration()
        return min(best, last) if best > 0 else last

    @staticmethod
    def check(estimator: Any, role: str = role) -> None:
        """Refuse, before any fit, an estimator that cannot be a teacher.

        Parameters
        ----------
        estimator : object
            Fitted or not.
        role : str, default="teacher"
            What messages call it.

        Raises
        ------
        TypeError
            If it is not a LightGBM classifier or regressor.
        ValueError
            If its parameters say that its raw score cannot be explained.
        """
        from lightgbm import LGBMModel, LGBMRanker

        if _is_booster(estimator):
            return
        if not isinstance(estimator, LGBMModel):
            raise TypeError(
                f"The {role} must be a tree ensemble of LightGBM, XGBoost, CatBoost or scikit-learn, got "
                f"{type(estimator).__name__}"
                f"{_advice(estimator, role)}{ANY if role == 'teacher' else ''}"
            )
        if isinstance(estimator, LGBMRanker):
            raise _refused(role, "an LGBMRanker", "an LGBMClassifier or LGBMRegressor")
        params = estimator.get_params()
        if callable(params["objective"]):
            raise _refused(role, "a custom objective", f"one of {', '.join(LINKS)}")
        for name in ("linear_tree", "reg_sqrt"):
            if params.get(name):
                raise _refused(role, f"{name}=True", f"{name}=False")

    def _predict(self, X: Any, n_jobs: int | None, **kind: bool) -> np.ndarray:
        # The wrapper would warn about names of arrays, and hand early stopping of predictions through.
        threads = self._threads(n_jobs)
        return np.asarray(self.booster.predict(X, num_threads=threads, pred_early_stop=False, **kind))

    def _threads(self, n_jobs: int | None) -> int:
        threads = self.threads if n_jobs is None else n_jobs
        return effective_n_jobs(threads) if threads < 0 else threads

    def threads_for(self, n_jobs: int | None) -> int:
        """About how many threads LightGBM takes for a request."""
        return self._threads(n_jobs) or effective_n_jobs(-1)

    def answers(self, table: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Raw scores (n, K), in the units that `link` names, and of a classifier probabilities (n, C)."""
        raw = self.scores(table)
        return raw, self._chances(raw)

    def scores(self, table: Any) -> np.ndarray:
        """Raw scores (n, K) alone, on as many threads as the table is worth."""
        return self.raw_scores(table, n_jobs=few_jobs(table))

    def contributions(self, kind: str, n_jobs: int | None = None) -> Contributions:
        """Give what computes contributions of rows; what all rows have in common is computed here.

        Parameters
        ----------
        kind : {"tree_shap", "path"}
            TreeSHAP, or Saabas' contributions of decision paths.
        n_jobs : int, default=None
            Threads; None: as the model says.

        Returns
        -------
        callable
            From a table (n, d) to contributions (n, K, d) and base (K,).
        """
        if kind == "tree_shap":
            return partial(self.shap_contributions, n_jobs=n_jobs)
        from .paths import LeafTable

        return partial(LeafTable(self).contributions, n_jobs=n_jobs)

    def raw_scores(self, X: Any, *, n_jobs: int | None = None) -> np.ndarray:
        """Raw scores (n, K) of rows (n, d), in the units that `link` names.

        Parameters
        ----------
        X : DataFrame or ndarray of shape (n, d)
            What the model's ``predict`` takes; LightGBM itself maps levels of category columns.
        n_jobs : int, default=None
            Threads; None: as the model says.

        Returns
        -------
        ndarray of shape (n, K), float64

        Raises
        ------
        ValueError
            If a score is not finite.
        """
        raw = self._predict(X, n_jobs, raw_score=True).reshape(-1, self.n_outputs)
        return self._checked(raw * self.scale, "raw scores")

    def shap_contributions(self, X: Any, *, n_jobs: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Path-dependent TreeSHAP: contributions (n, K, d) and base (K,); parameters as `raw_scores`."""
        values = self._predict(X, n_jobs, pred_contrib=True).reshape(-1, self.n_outputs, self.n_features + 1)
        values = self._checked(values * self.scale, "contributions")
        own = values[..., :-1]
        return own if self.order is None else own[..., np.argsort(self.order)], values[0, :, -1]

    def _checked(self, values: np.ndarray, what: str) -> np.ndarray:
        """Give numbers (n, ...) back; raise unless they are finite."""
        bad = int((~np.isfinite(values)).any(axis=tuple(range(1, values.ndim))).sum())
        if bad:
            raise ValueError(f"The {self.role} gives NaN or infinite {what} in {bad} of {len(values)} rows.")
        return values

    def leaves(self, X: Any, *, n_jobs: int | None = None) -> np.ndarray:
        """Leaf (n, T), int32, of each row in each tree; tree t belongs to output ``t % K``."""
        return self._predict(X, n_jobs, pred_leaf=True)

    def trees(self) -> list[dict[str, str]]:
        """Read the T trees, as fields of text."""
        return read_trees(self.booster)

    def some_trees(self, chosen: Iterable[int]) -> Any:
        """Make a Booster of some of the T trees, by their numbers; they are copied."""
        from lightgbm import Booster

        return Booster(model_str=with_trees(self.booster.model_to_string(), chosen))

    def splits(self, chosen: Sequence[int] | None = None) -> list[ColumnSplits]:
        """Collect the splits on each of the d columns, of all trees or of some, by their numbers."""
        trees = self.trees()
        some = trees if chosen is None else [trees[t] for t in chosen]
        collected = splits_of(some, self.n_features)
        return collected if self.order is None else [collected[j] for j in np.argsort(self.order)]

    def nodes(self) -> list[TreeNodes]:
        """Give the T trees, by the user's columns; raise ValueError where a leaf is not finite."""
        nodes = nodes_of(self.trees(), self.scale)
        if self.order is None:
            return nodes
        return [replace(tree, columns=self.order[tree.columns]) for tree in nodes]

    def levels(self, own: Sequence[np.ndarray | None]) -> dict[int, list[Any]]:
        """Give the levels of category columns in the order of LightGBM's codes; see `levels_at_fit`."""
        return levels_at_fit(self.booster, own, self.order)

    def read_as_at_fit(self, reader: TableReader, names: Sequence[str]) -> None:
        """Let a reader of another table give the codes that the model saw, whatever its order of levels.

        Parameters
        ----------
        reader : TableReader
            Fitted to the table; its levels become those at the model's fit.
        names : sequence of d str
            Names of the columns, for messages.

        Raises
        ------
        ValueError
            When columns differ in kind, or in all their levels.
        """
        known = self.levels(reader.levels)
        for j, levels in known.items():
            own = np.asarray(reader.levels[j], object)
            refuse_foreign_levels(names[j], own, levels, as_given=True)
        reader.levels = tuple(np.array(known[j], object) if j in known else None for j in range(len(names)))

    def level_codes(self, own: Sequence[np.ndarray | None]) -> list[np.ndarray | None]:
        """Give LightGBM's code of each level in `own` (see `levels`): NaN if unknown; None for numbers.

        Behind the levels comes the code of a missing cell, NaN unless that is a level of its own.
        """
        import pandas as pd

        codes: list[np.ndarray | None] = [None] * len(own)
        for j, known in self.levels(own).items():
            levels = own[j]
            assert levels is not None
            found = pd.Index(known, dtype=object).get_indexer(stand_ins(levels))
            missing = self.missing_codes.get(j, np.nan)
            codes[j] = np.append(np.where(found < 0, np.nan, found), missing)
        return codes

    def with_missing(self, codes: np.ndarray) -> np.ndarray:
        """Replace missing cells of codes (n, d) where the forest has a code for them."""
        if not self.missing_codes:
            return codes
        own = codes.copy()
        for j, code in self.missing_codes.items():
            own[np.isnan(own[:, j]), j] = code
        return own

    def alone(self) -> LightGBMTeacher:
        """Give the forest without the model that it was read from."""
        own = LightGBMTeacher(self.booster, role=self.role)
        own.missing_codes = dict(self.missing_codes)
        return own


def _is_booster(estimator: Any) -> bool:
    """Whether an estimator is a booster that was made one, and not of LightGBM's own classes."""
    return getattr(estimator, "_library", None) == "lightgbm"


def _refused(role: str, got: str, expected: str) -> ValueError:
    return ValueError(f"The {role} has {got}, whose raw score cannot be explained; expected {expected}.")


def _advice(model: Any, role: str) -> str:
    """Say what to do with a model that is not LightGBM; a teacher may suit another distiller."""
    others = "a RationaleDistiller or a SymbolicDistiller"
    is_teacher = role == "teacher"
    if hasattr(model, "best_estimator_"):
        end = ", in a FrozenEstimator" if is_teacher else ""
        return f". Give the best_estimator_ of the search{end}."
    if hasattr(model, "steps"):
        return ". Give the last step of the pipeline, and give as X the table that this step gets."
    return f". Other models can be teachers of {others}." if is_teacher else " instead."


def few_jobs(table: Any) -> int | None:
    """Threads for a table (n, d): one where it is small, else as many as LightGBM takes."""
    return 1 if table.size <= SMALL_TABLE else None
