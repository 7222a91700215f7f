"""Models of XGBoost 2.1 to 3.2."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from .._callers import outside
from .._task import Link
from ..tabular import stand_ins
from ._float32 import largest_below
from ._forest import Forest, Tree
from ._refusing import refused
from ._versions import is_tested

LINKS: dict[str, Link] = {
    **dict.fromkeys(("binary:logistic", "binary:logitraw", "reg:logistic"), "logit"),
    **dict.fromkeys(("multi:softmax", "multi:softprob"), "softmax"),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), "log"),
    **dict.fromkeys(("reg:squarederror", "reg:squaredlogerror", "reg:absoluteerror"), "identity"),
    **dict.fromkeys(("reg:pseudohubererror", "reg:quantileerror"), "identity"),
}
"""What raw scores are, by objective."""
HALF_STEP = 2.0**-24
"""Largest relative error of one addition in float32, in which XGBoost adds up its trees."""
KEEPS_LEVELS = (3, 1)
"""The first version whose models keep the levels of categories."""
CLIPS_BASE = (3, 2)
"""The first version that keeps a probability that is the base away from 0 and 1, by BASE_BOUND."""
BASE_BOUND = np.float32(1e-6)
"""How far, as XGBoost has it."""
FEWEST_CODES = 1024
"""Codes, at least, that are told from missing cells where whole numbers are categories: XGBoost does not keep
how many there were. It is twice the largest code that a tree names, where that is more. Not measured."""


@dataclass(frozen=True, eq=False)
class Kept:
    """Levels of a column as a model of XGBoost 3.1 or later keeps them.

    Parameters
    ----------
    levels : list or None
        In the order of codes; None where they cannot be read back.
    offsets : ndarray of int of shape (l + 1,)
        Where the text of each level begins; empty for whole numbers.
    text : bytes
        Of all levels.
    """

    levels: list[Any] | None
    offsets: np.ndarray
    text: bytes

    @classmethod
    def read(cls, column: dict[str, Any]) -> Kept:
        """Read a column; with letters beyond ASCII, XGBoost 3.1 and 3.2 cut texts at the wrong bytes."""
        if "offsets" not in column:
            return cls(list(column["values"]), np.zeros(0, dtype=int), b"")
        offsets, text = np.array(column["offsets"], dtype=int), bytes(v & 255 for v in column["values"])
        if not text.isascii():
            return cls(None, offsets, text)
        return cls([text[a:b].decode() for a, b in zip(offsets, offsets[1:], strict=False)], offsets, text)

    def is_of(self, levels: Sequence[Any]) -> bool:
        """Say whether this may be what was kept of levels that cannot be read back, in the same order."""
        parts = [str(level).encode() for level in levels]
        lengths = np.diff(self.offsets).tolist()
        right = b"".join(parts)[: len(self.text)] == self.text
        return right and (lengths == list(map(len, parts)) or self.is_cut(levels))

    def is_cut(self, levels: Sequence[Any]) -> bool:
        """Say whether texts of levels were cut at the wrong bytes."""
        lengths = [len(str(level)) for level in levels]
        return not self.text.isascii() and np.diff(self.offsets).tolist() == lengths


class XGBoost:
    """A model of boosted trees or random forests of XGBoost.

    An estimator that has stopped early is cut at its best round, as its predictions are; a Booster predicts
    with all of its rounds, unless it is told otherwise. A base margin, given with rows, is not part of it.
    Categories that it has not seen are missing cells.

    Parameters
    ----------
    model : XGBClassifier, XGBRegressor, XGBRFClassifier, XGBRFRegressor or Booster
        Fitted.
    levels : sequence of d (sequence or None), optional
        Levels of each column in the table at hand, None for numbers. Without it they are those of the model,
        which XGBoost keeps from 3.1 on. For models that do not keep them, the order is that of the codes.
    """

    def __init__(self, model: Any, levels: Sequence[Any] | None = None) -> None:
        import xgboost

        self.model = model
        self.classes = getattr(model, "classes_", None)
        self._booster = model.get_booster() if hasattr(model, "get_booster") else model
        try:
            self._learner = json.loads(self._booster.save_raw("json"))["learner"]
        except xgboost.core.XGBoostError as error:
            raise NotFittedError(f"The {type(model).__name__} is not fitted; fit it first.") from error
        self._refuse_others()
        self._link = LINKS[self._learner["objective"]["name"]]
        boosting = self._learner["gradient_booster"]
        self._weights = boosting.get("weight_drop")
        self._trees = boosting["gbtree"]["model"] if boosting["name"] == "dart" else boosting["model"]
        best = self._booster.attributes().get("best_iteration") if model is not self._booster else None
        self._rounds = len(self._trees["iteration_indptr"]) - 1 if best is None else int(best) + 1
        n_trees = self._trees["iteration_indptr"][self._rounds]
        self.rounding = (n_trees + 3) * HALF_STEP  # a base, a weight and a link are rounded too
        self._n_features = int(self._learner["learner_model_param"]["num_feature"])
        self._version = tuple(int(part) for part in xgboost.__version__.split(".")[:2])
        self.is_tested = is_tested("xgboost", xgboost.__version__)
        if levels is not None and len(levels) != self._n_features:
            raise ValueError(
                f"X has {len(levels)} columns, but the {type(model).__name__} was fitted on "
                f"{self._n_features}."
            )
        types = self._booster.feature_types or []
        self._categories = [j for j, kind in enumerate(types) if kind == "c"]
        kept = self._trees.get("cats", {}).get("enc", [])
        self._kept = {j: Kept.read(kept[j]) for j in self._categories if j < len(kept)}
        self.levels = self._levels(levels)

    def _refuse_others(self) -> None:
        """Refuse what is no sum of trees, or whose sum has no meaning that is known."""
        model, parameters = self.model, self._learner["learner_model_param"]
        booster, objective = self._learner["gradient_booster"]["name"], self._learner["objective"]["name"]
        if booster not in ("gbtree", "dart"):
            raise refused(model, f"booster={booster!r}", "'gbtree' or 'dart'")
        if callable(getattr(model, "objective", None)):
            raise refused(model, "a custom objective", f"one of {', '.join(LINKS)}")
        link = LINKS.get(objective)
        if link is None or (self.classes is not None and link not in ("logit", "softmax")):
            raise refused(model, f"objective={objective!r}", f"one of {', '.join(LINKS)}")
        if int(parameters["num_target"]) > 1:
            raise refused(model, f"{parameters['num_target']} targets", "one target")
        missing = getattr(model, "missing", math.nan)
        if missing is not None and not math.isnan(missing):
            raise refused(model, f"missing={missing!r}", "missing=nan, and NaN in such cells")

    def _levels(self, given: Sequence[Any] | None) -> tuple[list[Any] | None, ...] | None:
        """Give levels of all columns; None where some are not known."""
        found: list[list[Any] | None] = []
        for j in range(self._n_features):
            own = None if given is None or given[j] is None else list(stand_ins(given[j]))
            if j not in self._categories:
                if own is not None:
                    raise ValueError(self._other_kind(j, "text or categories", "numbers"))
                found.append(None)
                continue
            kept = self._kept.get(j)
            if given is None:
                known = kept is not None and kept.levels is not None
                if not known and not (kept is None and self._codes_are_numbers()):
                    return None
                found.append(kept.levels if kept is not None else None)
                continue
            may_be_numbers = kept is None and (self._codes_are_numbers() or self._version >= KEEPS_LEVELS)
            if own is None and not may_be_numbers:
                raise ValueError(self._other_kind(j, "numbers", "text or categories"))
            self._check_order(j, own)
            found.append(own)
        return tuple(found)

    def _codes_are_numbers(self) -> bool:
        """Say whether categories without levels that are kept are whole numbers, for certain."""
        given = None if self.model is self._booster else self.model.feature_types
        return self._booster.feature_names is None or given is not None

    def _other_kind(self, j: int, got: str, expected: str) -> str:
        return (
            f"Column {self._name(j)} of X holds {got}, but the {type(self.model).__name__} was fitted on "
            f"{expected} there; expected columns of the types at its fit."
        )

    def _check_order(self, j: int, own: list[Any] | None) -> None:
        """Refuse levels of a table that cannot be those at fit, where the model's codes depend on them."""
        kept = self._kept.get(j)
        if own is None:
            return
        if kept is None:
            wrong = self._largest_codes().get(j, -1) >= len(own)
        elif kept.levels is None:
            wrong = not kept.is_of(own)
        else:
            if kept.levels and own and not set(kept.levels) & set(own):
                raise ValueError(
                    f"Column {self._name(j)} of X holds levels such as {own[0]!r}, and the "
                    f"{type(self.model).__name__} was fitted on none of them; expected levels such as "
                    f"{kept.levels[0]!r}."
                )
            return
        if wrong:
            raise ValueError(
                f"The levels of column {self._name(j)} of X are not those that the "
                f"{type(self.model).__name__} was fitted on, and the model does not store its levels; "
                "expected the same levels in the same order as at its fit, got "
                f"{', '.join(map(repr, own[:10]))}."
            )

    def _name(self, j: int) -> str:
        names = self._booster.feature_names
        return str(j) if names is None else repr(names[j])

    def _largest_codes(self) -> dict[int, int]:
        """Give the largest code that a tree names, by column."""
        largest: dict[int, int] = {}
        for tree in self._trees["trees"]:
            for node, right in _right_sets(tree):
                column = tree["split_indices"][node]
                largest[column] = max(largest.get(column, -1), *right)
        return largest

    def _codes(self, j: int) -> np.ndarray | None:
        """Give the forest's code of each of the model's codes, -1 where it has none; None: it is the same."""
        assert self.levels is not None
        own, kept = self.levels[j], self._kept.get(j)
        if own is None or kept is None or kept.levels is None:
            return None
        place = {level: code for code, level in enumerate(own)}
        return np.array([place.get(level, -1) for level in kept.levels], dtype=int)

    def forest(self) -> Forest:
        """Write its forest down."""
        if self.levels is None:
            unknown = next(j for j in self._categories if j not in self._kept or not self._kept[j].levels)
            raise ValueError(
                f"The {type(self.model).__name__} does not store the levels of its category column "
                f"{self._name(unknown)} (XGBoost stores them from version 3.1 on, if they are ASCII text); "
                "expected X with the same levels in the same order as at its fit."
            )
        self._warn_of_cut_levels()
        largest, codes = self._largest_codes(), {}
        for j in self._categories:
            own, found = self.levels[j], self._codes(j)
            n = max(FEWEST_CODES, 2 * largest.get(j, 0) + 2) if own is None else len(own)
            codes[j] = np.arange(n) if found is None else found
        base = self._base()
        trees: list[list[Tree]] = [[] for _ in base]
        for t in range(self._trees["iteration_indptr"][self._rounds]):
            weight = 1.0 if self._weights is None else self._weights[t]
            trees[self._trees["tree_info"][t]].append(self._tree(self._trees["trees"][t], weight, codes))
        return Forest(trees, base, self._link, self.levels, self._booster.feature_names)

    def _warn_of_cut_levels(self) -> None:
        assert self.levels is not None
        for j, kept in self._kept.items():
            own = self.levels[j]
            if own is not None and kept.is_cut(own):
                warnings.warn(
                    f"Column {self._name(j)} has levels with non-ASCII letters, which XGBoost 3.1 and 3.2 "
                    "confuse: XGBoost itself may read a wrong level from a DataFrame. This package reads "
                    "each level as it was at the fit.",
                    UserWarning,
                    stacklevel=outside(),
                )

    def _base(self) -> np.ndarray:
        """Give the raw scores (K,) without any tree, computed in float32 as XGBoost does."""
        parameters, name = self._learner["learner_model_param"], self._learner["objective"]["name"]
        text = parameters["base_score"]
        given = np.array(json.loads(text), dtype=np.float32).ravel()
        base = np.resize(given, max(1, int(parameters["num_class"])))
        with np.errstate(divide="ignore"):
            if self._link == "logit" and name != "binary:logitraw":
                if self._version >= CLIPS_BASE:
                    base = np.clip(base, BASE_BOUND, 1 - BASE_BOUND)
                base = -np.log(1 / base - 1)
            elif self._link == "log":
                base = np.log(base)
        if not np.isfinite(base).all():
            raise refused(self.model, f"base_score={text}", "a base_score whose raw score is finite")
        return base.astype(np.float64)

    def _tree(self, tree: dict[str, Any], weight: float, codes: dict[int, np.ndarray]) -> Tree:
        """Read a tree; `codes` are the forest's of each of the model's codes, by column."""
        if int(tree["tree_param"]["size_leaf_vector"]) > 1:
            raise refused(self.model, "multi_strategy='multi_output_tree'", "'one_output_per_tree'")
        left, right = (np.array(tree[f"{side}_children"], dtype=int) for side in ("left", "right"))
        is_leaf = left < 0
        columns = np.where(is_leaf, -1, np.array(tree["split_indices"], dtype=int))
        missing_left = np.array(tree["default_left"], dtype=bool)
        conditions = np.array(tree["split_conditions"], dtype=np.float32)
        sets: dict[int, Collection[int]] = {}
        for node, goes_right in _right_sets(tree):
            known = codes[columns[node]]
            inside = np.isin(np.arange(len(known)), goes_right)
            if missing_left[node]:  # sets hold the codes that go the other way than missing cells
                left[node], right[node] = right[node], left[node]
            else:
                inside = ~inside
            sets[node] = set(known[inside & (known >= 0)].tolist())
        return Tree(
            columns=columns,
            thresholds=largest_below(conditions, strict=True),
            missing_left=missing_left,
            left=left,
            right=right,
            values=conditions.astype(np.float64) * weight,
            cover=np.array(tree["sum_hessian"], dtype=np.float64),
            gains=np.maximum(np.array(tree["loss_changes"], dtype=np.float64), 0.0),
            sets=sets,
        )

    def takes_missing(self) -> np.ndarray:
        """Say that in all columns (d,) it can be asked about missing cells."""
        return np.ones(self._n_features, dtype=bool)

    def raw_scores(self, codes: np.ndarray) -> np.ndarray:
        """Ask the model for raw scores (n, K) of numbers and codes (n, d)."""
        import xgboost

        assert self.levels is not None
        cells = np.array(codes, dtype=np.float64)
        for j, own in enumerate(self.levels):
            if own is None:
                continue
            model_codes = np.full(len(own) + 1, np.nan)  # the last is that of what it does not know
            of_model = self._codes(j)
            if of_model is None:
                model_codes[:-1] = np.arange(len(own))
            else:
                known = np.flatnonzero(of_model >= 0)
                model_codes[of_model[known]] = known
            at = np.where(cells[:, j] >= 0, cells[:, j], len(own)).astype(int)
            cells[:, j] = model_codes[at]
        booster = self._booster
        rows = xgboost.DMatrix(
            cells,
            missing=math.nan,
            feature_names=booster.feature_names,
            feature_types=booster.feature_types,
            nthread=1,
            enable_categorical=True,
        )
        scores = booster.predict(rows, output_margin=True, iteration_range=(0, self._rounds))
        return scores.astype(np.float64).reshape(len(codes), -1)


def _right_sets(tree: dict[str, Any]) -> list[tuple[int, list[int]]]:
    """Give the nodes of a tree that split on a category, each with XGBoost's codes that go right."""
    fields = (tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"])
    return [(node, tree["categories"][a : a + n]) for node, a, n in zip(*fields, strict=True)]
