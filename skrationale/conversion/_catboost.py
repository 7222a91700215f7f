"""Models of CatBoost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from .._task import Link
from ..tabular import stand_ins
from ._catboost_trees import CATEGORY_SPLITS, Splits, nested_nodes, oblivious_nodes, trees_of
from ._float32 import largest_below
from ._forest import Forest
from ._refusing import refused
from ._versions import is_tested
from ._words import words_of

LINKS: dict[str, Link] = {
    **dict.fromkeys(("RMSE", "MAE", "MAPE", "Quantile", "Huber", "Expectile", "Lq", "LogCosh"), "identity"),
    **dict.fromkeys(("Poisson", "Tweedie"), "log"),
    **dict.fromkeys(("Logloss", "CrossEntropy", "Focal", "MultiClassOneVsAll"), "logit"),
    "MultiClass": "softmax",
}
"""Losses by CatBoost's name, and what raw scores are after a fit to them."""
ONE_COLUMN = "statistics of one category column each: train with max_ctr_complexity=1"


class CatBoost:
    """A CatBoost model; a missing category is a level like others to it, and unknown ones are another matter.

    CatBoost keeps hashes of levels and statistics of the target by level. Which levels a split sends where is
    asked of CatBoost itself: of a model whose trees have one split each.

    Parameters
    ----------
    model : CatBoostClassifier, CatBoostRegressor or CatBoost
        Fitted.
    levels : sequence of d (sequence or None), optional
        Levels of each column in the table at hand, None for numbers. A model with category columns needs it.
    """

    rounding = 1e-12

    def __init__(self, model: Any, levels: Sequence[Any] | None = None) -> None:
        if not model.is_fitted():
            raise NotFittedError(f"This {type(model).__name__} is not fitted yet.")
        self.model = model
        self.is_tested = is_tested("catboost")
        self._saved = _saved(model)
        self._link = _link_of(model, self._saved)
        self.classes = _classes_of(model, self._link)
        features = self._saved["features_info"]
        for kind in ("text_features", "embedding_features"):
            if features.get(kind):
                raise refused(model, kind.replace("_", " "), "columns of numbers and categories")
        for ctr in features.get("ctrs", []):
            if len(ctr["elements"]) > 1:
                raise refused(model, "category statistics that combine several columns", ONE_COLUMN)
        self._names = list(model.feature_names_)
        self._categories = _places(features.get("categorical_features", []))
        self._words: dict[int, np.ndarray] = {}
        self.levels = self._levels_of(levels)

    def _levels_of(self, levels: Sequence[Any] | None) -> tuple[list[Any] | None, ...] | None:
        """Give the levels of each column, None for numbers, and keep their words; None where not known."""
        categories = set(self._categories.values())
        if levels is None:
            return None if categories else (None,) * len(self._names)
        kind = type(self.model).__name__
        if len(levels) != len(self._names):
            raise ValueError(f"X has {len(levels)} columns, but the {kind} was fitted on {len(self._names)}.")
        own: list[list[Any] | None] = []
        for j, (name, of_column) in enumerate(zip(self._names, levels, strict=True)):
            if (j in categories) != (of_column is not None):
                here, there = ("numbers", "categories") if of_column is None else ("text", "numbers")
                raise ValueError(
                    f"Column {j} of X holds {here}, but the {kind} was fitted on {there} in this column, "
                    f"{name!r}. Expected the same columns, order and types as at its fit; X.astype({{...: "
                    "'category'}) turns whole numbers into categories."
                )
            own.append(None)
            if of_column is not None:
                known = stand_ins(of_column)
                self._words[j] = words_of(known)
                own[j] = [*known.tolist(), self._words[j][-2]]
        return tuple(own)

    def forest(self) -> Forest:
        """Write its forest down; raise ValueError where levels are needed and none were given."""
        saved = self._saved
        if self.levels is None:
            raise ValueError(
                f"Column {self._names[min(self._categories.values())]!r} holds categories, whose "
                "levels CatBoost does not store: use to_lightgbm(model, X) with rows that have all "
                "levels, preferably the training rows."
            )
        scale, bias = saved["scale_and_bias"]
        base = np.atleast_1d(np.asarray(bias, dtype=np.float64))
        if "oblivious_trees" in saved:
            nodes = [oblivious_nodes(tree) for tree in saved["oblivious_trees"]]
        else:
            nodes = [nested_nodes(tree) for tree in saved["trees"]]
        splits = self._splits({key: split for one in nodes for key, split in one.splits.items()})
        rounds = [trees_of(one, splits, float(scale)) for one in nodes]
        return Forest(
            trees=[list(trees) for trees in zip(*rounds, strict=True)] or [[] for _ in base],
            base=base,
            link=self._link,
            levels=self.levels,
            names=self._names,
            missing_codes={j: len(words) - 2 for j, words in self._words.items()},
        )

    def _splits(self, found: dict[int, dict[str, Any]]) -> Splits:
        """Say what each split does, by CatBoost's number of it."""
        features = self._saved["features_info"]
        numbers = {f["feature_index"]: f for f in features.get("float_features", [])}
        splits = Splits.empty(max(found, default=-1) + 1)
        for key, split in found.items():
            if split["split_type"] == "FloatFeature":
                feature = numbers[split["float_feature_index"]]
                splits.columns[key] = feature["flat_feature_index"]
                splits.thresholds[key] = split["border"]
                splits.missing_left[key] = feature["nan_value_treatment"] != "AsTrue"
            elif split["split_type"] not in CATEGORY_SPLITS:
                raise refused(self.model, f"splits of kind {split['split_type']!r}", ONE_COLUMN)
        splits.thresholds[:] = largest_below(splits.thresholds.astype(np.float32), strict=False)
        self._add_sets(splits, {k: s for k, s in found.items() if s["split_type"] in CATEGORY_SPLITS})
        return splits

    def _add_sets(self, splits: Splits, found: dict[int, dict[str, Any]]) -> None:
        """Ask CatBoost where each split on a category sends each level, the missing and an unknown one."""
        if not found:
            return
        statistics = self._columns_of_statistics()
        for key, split in found.items():
            one_hot = split["split_type"] == "OneHotFeature"
            splits.columns[key] = self._categories[split["cat_feature_index"]] if one_hot else statistics[key]
        asked = sorted(set(splits.columns[list(found)].tolist()))
        rows: list[np.ndarray] = []
        start = {}
        for j in asked:
            start[j] = sum(len(codes) for codes in rows)
            codes = np.zeros((len(self._words[j]), len(self._names)))
            codes[:, list(self._words)] = -1.0
            codes[:-1, j] = np.arange(len(codes) - 1)
            rows.append(codes)
        stumps = [{"leaf_values": [0, 1], "leaf_weights": [1, 1], "splits": [s]} for s in found.values()]
        leaves = _of_trees(self._saved, stumps).calc_leaf_indexes(self._pool(np.vstack(rows)), thread_count=1)
        for key, goes_right in zip(found, leaves.T != 0, strict=True):
            j = splits.columns[key]
            of_words = goes_right[start[j] : start[j] + len(self._words[j])]
            # sets hold what does not go where unknown levels go
            splits.swapped[key] = not of_words[-1]
            splits.sets[key] = frozenset(np.flatnonzero(of_words != of_words[-1]).tolist())

    def _columns_of_statistics(self) -> dict[int, int]:
        """Give the column behind each split on a statistic: these are counted after those of other kinds."""
        features = self._saved["features_info"]
        key = sum(len(f.get("borders") or ()) for f in features.get("float_features", ()))
        key += sum(len(f.get("values") or ()) for f in features.get("categorical_features", ()))
        found = {}
        for ctr in features.get("ctrs", ()):
            for _ in ctr["borders"]:
                found[key] = self._categories[ctr["elements"][0]["cat_feature_index"]]
                key += 1
        return found

    def takes_missing(self) -> np.ndarray:
        """Say that in all columns (d,) it can be asked about missing cells."""
        return np.ones(len(self._names), dtype=bool)

    def raw_scores(self, codes: np.ndarray) -> np.ndarray:
        """Ask the model for raw scores (n, K) of numbers and codes (n, d)."""
        raw = self.model.predict(self._pool(codes), prediction_type="RawFormulaVal", thread_count=1)
        return np.asarray(raw, dtype=np.float64).reshape(len(codes), -1)

    def _pool(self, codes: np.ndarray) -> Any:
        """Make CatBoost's table of numbers and codes (n, d); codes may be those of missing cells too."""
        import pandas as pd
        from catboost import Pool

        columns: dict[Any, np.ndarray] = {j: codes[:, j] for j in range(codes.shape[1])}
        for j, words in self._words.items():
            columns[j] = words[np.where(np.isnan(codes[:, j]), -2, codes[:, j]).astype(int)]
        table = pd.DataFrame(columns)
        table.columns = self._names
        return Pool(table, cat_features=list(self._words), thread_count=1)


@dataclass(frozen=True, eq=False)
class Combined:
    """A CatBoost model that splits on statistics of several category columns together.

    Its forest cannot be written down, but it can be asked for raw scores and for TreeSHAP itself.

    Parameters
    ----------
    link : {"identity", "log", "logit", "softmax"}
        What a raw score is.
    classes : ndarray of shape (C,) or None
        Class labels.
    thresholds : dict of int to ndarray
        By column of numbers, where it is split: ``x <= threshold`` goes left.
    """

    link: Link
    classes: np.ndarray | None
    thresholds: dict[int, np.ndarray]


def combined(model: Any) -> Combined | None:
    """Describe a fitted CatBoost that combines categories; None for others, and for trees of unequal depth.

    TreeSHAP of such trees, as CatBoost 1.2 computes it, does not add up to the raw score.
    """
    saved = _saved(model)
    features = saved["features_info"]
    if "oblivious_trees" not in saved or all(len(c["elements"]) == 1 for c in features.get("ctrs", [])):
        return None
    link = _link_of(model, saved)
    thresholds = {
        feature["flat_feature_index"]: np.unique(
            largest_below(np.array(feature["borders"] or [], dtype=np.float32), strict=False)
        )
        for feature in features.get("float_features", [])
    }
    return Combined(link, _classes_of(model, link), thresholds)


def _link_of(model: Any, saved: dict[str, Any]) -> Link:
    loss = saved.get("model_info", {}).get("params", {}).get("loss_function", {}).get("type")
    if loss not in LINKS:
        got = f"loss {loss!r}" if loss else "no known loss (a sum of several models has none)"
        raise refused(model, got, f"one of {', '.join(LINKS)}")
    return LINKS[loss]


def _classes_of(model: Any, link: Link) -> np.ndarray | None:
    classes = model.classes_
    return np.asarray(classes) if len(classes) and link in ("logit", "softmax") else None


def _places(features: Sequence[dict[str, Any]]) -> dict[int, int]:
    """Give the position in the table of each column of some kind, by CatBoost's count of that kind."""
    return {feature["feature_index"]: feature["flat_feature_index"] for feature in features}


def _saved(model: Any) -> dict[str, Any]:
    """Read what CatBoost saves of a model."""
    from catboost import CatBoostError

    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        try:
            model.save_model(str(path), format="json")
        except CatBoostError as error:
            raise refused(
                model, f"parts that CatBoost does not save in a readable form ({error})", ONE_COLUMN
            ) from None
        return json.loads(path.read_text(encoding="utf-8"))


def _of_trees(saved: dict[str, Any], trees: list[dict[str, Any]]) -> Any:
    """Make a model with the columns and statistics of another, and trees of its own."""
    import catboost

    kept = {key: saved[key] for key in ("features_info", "ctr_data") if key in saved}
    own = kept | {"model_info": {}, "oblivious_trees": trees, "scale_and_bias": [1, [0]]}
    model = catboost.CatBoost()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        path.write_text(json.dumps(own), encoding="utf-8")
        model.load_model(str(path), format="json")
    return model
