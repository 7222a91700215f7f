"""Which column of a table each output of a fitted transformer was made from."""

import copy
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

SAY_HOW = "; give a dict of each source and its columns instead"
MARK = re.compile(r"qzjw(\d+)wjzq", re.IGNORECASE)
"""Made-up names of inputs, by which a transformer shows from which of them it makes an output. They are words
of letters and digits in any case, so that they survive what is done to names."""
MIXERS = {"Normalizer", "TfidfTransformer"}
"""Transformers of scikit-learn that name outputs as inputs, but make each of them from a whole row."""


def sources_of(
    transformer: Any, names: Sequence[str] | None = None
) -> tuple[list[str], list[str], np.ndarray]:
    """Trace the outputs of a fitted transformer to its inputs.

    Parameters
    ----------
    transformer : transformer
        Fitted: a ColumnTransformer, Pipeline, FeatureUnion, an encoder, a TableVectorizer of skrub, ...
    names : sequence of str, default=None
        Names of the columns that it was given, for a transformer that has not seen any.

    Returns
    -------
    inputs : list of d str
        Names of the columns: those that it has seen, else `names`, else ``x0, x1, ...``.
    outputs : list of p str
        Names of what was made of them.
    positions : ndarray of int of shape (p,)
        The column that each output was made from.

    Raises
    ------
    ValueError
        When an output was made from several columns, or it cannot be read from which.
    """
    first = _first_step(transformer)
    seen = known = _names_seen(first)
    count: Any = getattr(first, "n_features_in_", None)
    if seen is None and count is None:
        raise ValueError(
            f"{type(first).__name__} does not store the names of the columns on which it was fitted{SAY_HOW}."
        )
    if seen is None and names is not None and len(names) == count:
        known = list(map(str, names))
    inputs = _counted(count) if known is None else known
    positions = _positions(transformer, len(inputs), known)
    outputs = _named(transformer, inputs if seen is None else None)
    if outputs is None or len(outputs) != len(positions):
        outputs = _counted(len(positions))
    return inputs, outputs, positions


def _counted(count: int) -> list[str]:
    """Give the names that scikit-learn makes up for columns without any."""
    return [f"x{j}" for j in range(count)]


def _first_step(transformer: Any) -> Any:
    transformer = _thawed(transformer)
    while hasattr(transformer, "steps"):
        steps = [step for _, step in transformer.steps if step not in (None, "passthrough")]
        if not steps:
            raise ValueError(f"{transformer!r} has no step that was fitted on columns{SAY_HOW}.")
        transformer = _thawed(steps[0])
    return transformer


def _thawed(transformer: Any) -> Any:
    from sklearn.frozen import FrozenEstimator

    while isinstance(transformer, FrozenEstimator):
        transformer = transformer.estimator
    return transformer


def _names_seen(transformer: Any) -> list[str] | None:
    seen = getattr(transformer, "feature_names_in_", None)
    return None if seen is None else [str(name) for name in seen]


def _named(transformer: Any, inputs: Sequence[str] | None = None) -> list[str] | None:
    """Names of the outputs, as the transformer gives them; None where it gives none."""
    function = getattr(transformer, "get_feature_names_out", None)
    if function is None:
        return None
    given = () if inputs is None else (np.array(inputs, dtype=object),)
    try:
        return list(map(str, function(*given)))
    except (TypeError, ValueError, AttributeError, KeyError, IndexError):
        return None


def _positions(transformer: Any, count: int, names: Sequence[str] | None = None) -> np.ndarray:
    """Position (p,) among `count` inputs, which may have names, that each output was made from."""
    transformer = _thawed(transformer)
    if transformer is None or isinstance(transformer, str):  # "passthrough"
        return np.arange(count)
    if hasattr(transformer, "steps"):
        return _of_steps(transformer, count, names)
    if hasattr(transformer, "transformers_") and hasattr(transformer, "output_indices_"):
        return _of_columns(transformer, count)
    if hasattr(transformer, "transformer_list"):
        parts = [part for _, part in transformer.transformer_list if not _is_dropped(part)]
        return np.concatenate([_positions(part, count, names) for part in parts])
    if hasattr(transformer, "get_support"):
        return np.flatnonzero(transformer.get_support())
    return _of_one(transformer, count, names)


def _of_steps(pipeline: Any, count: int, names: Sequence[str] | None) -> np.ndarray:
    """Trace the outputs of a Pipeline, step by step."""
    positions = np.arange(count)
    for _, step in pipeline.steps:
        outputs = _named(step) if len(positions) > 1 and (positions == positions[0]).all() else None
        if outputs is not None:  # whatever it does, all is made of one column
            positions = np.full(len(outputs), positions[0])
        else:
            positions = positions[_positions(step, len(positions), names)]
        names = names if step is None or isinstance(step, str) else None
    return positions


def _of_columns(transformer: Any, count: int) -> np.ndarray:
    """Trace the outputs of a ColumnTransformer, block by block."""
    ends = [part.stop for part in transformer.output_indices_.values()]
    positions = np.full(max(ends, default=0), -1)
    names = _names_seen(transformer) or []
    for name, part, columns in transformer.transformers_:
        place = transformer.output_indices_[name]
        if place.stop == place.start:
            continue
        taken = _taken(columns, names, count)
        own = [names[j] for j in taken] if names else None
        positions[place] = taken[_positions(part, len(taken), own)]
    return positions


def _taken(columns: Any, names: list[str], count: int) -> np.ndarray:
    """Positions of the columns that a ColumnTransformer names in one of its ways."""
    if isinstance(columns, slice):
        start, stop = columns.start, columns.stop
        if isinstance(start, str) or isinstance(stop, str):  # the last one is taken too
            first = names.index(start) if start is not None else 0
            last = names.index(stop) if stop is not None else len(names) - 1
            return np.arange(first, last + 1)
        return np.arange(count)[columns]
    listed = np.atleast_1d(np.asarray(columns, dtype=object)).tolist()
    if listed and all(isinstance(one, bool | np.bool_) for one in listed):
        return np.flatnonzero(listed)
    found = np.array([names.index(one) if isinstance(one, str) else int(one) for one in listed], dtype=int)
    return np.arange(count)[found]


def _is_dropped(part: Any) -> bool:
    return isinstance(part, str) and part == "drop"


def _of_one(transformer: Any, count: int, names: Sequence[str] | None) -> np.ndarray:
    """Trace the outputs of a transformer that is not made of others."""
    kind = type(transformer)
    outputs = _named(transformer)
    if outputs is None:
        outputs = _named(transformer, _marks(count))
    if outputs is None:
        raise ValueError(
            f"{kind.__name__} does not name its output columns (get_feature_names_out){SAY_HOW}."
        )
    if count == 1:
        return np.zeros(len(outputs), dtype=int)
    counts = _counts(transformer)
    if counts is not None and len(counts) == count and sum(counts) == len(outputs):
        return np.repeat(np.arange(count), counts)
    kinds = [base for base in kind.__mro__ if base.__module__.startswith("sklearn.")]
    if any(base.__name__ in MIXERS for base in kinds):
        raise ValueError(f"{kind.__name__} makes each column from all columns of its row{SAY_HOW}.")
    of_scikit_learn, seen = kind in kinds, _names_seen(transformer) or names
    made = getattr(transformer, "input_to_outputs_", None)  # of skrub, and of DateParts
    if made is not None:
        order = {name: j for j, name in enumerate(map(str, seen or made))}
        origin = {str(output): order.get(str(name)) for name, each in made.items() for output in each}
        if all(origin.get(name) is not None for name in outputs):
            return np.array([origin[name] for name in outputs], dtype=int)
    marked = _with_marks(transformer, count)
    if (
        marked is not None
        and len(marked) == len(outputs)
        and (of_scikit_learn or any(map(MARK.search, marked)))
    ):
        return np.array([_marked(*names, transformer, seen) for names in zip(marked, outputs, strict=True)])
    if of_scikit_learn or seen is None:
        raise ValueError(f"{kind.__name__} makes {outputs[0]!r} from no single column{SAY_HOW}.")
    return np.array([_named_in(output, seen, transformer) for output in outputs], dtype=int)


def _marks(count: int) -> list[str]:
    return [f"qzjw{j}wjzq" for j in range(count)]


def _with_marks(transformer: Any, count: int) -> list[str] | None:
    """Let a transformer name its outputs as if its inputs had made-up names."""
    nameless = copy.copy(transformer)
    if "feature_names_in_" in getattr(nameless, "__dict__", {}):  # it would take no others
        del nameless.feature_names_in_
    return _named(nameless, _marks(count))


def _marked(marked: str, output: str, transformer: Any, seen: Sequence[str] | None) -> int:
    """Read from the made-up names of an output which input it was made from."""
    found = sorted({int(number) for number in MARK.findall(marked)})
    if len(found) != 1:
        names = [seen[j] if seen is not None else f"x{j}" for j in found]
        several = f"the columns {names[:5]}" if found else "no single column"
        raise ValueError(f"{type(transformer).__name__} makes {output!r} from {several}{SAY_HOW}.")
    return found[0]


def _counts(transformer: Any) -> list[int] | None:
    """Count the outputs of each input of encoders that make several, whatever their names are."""
    if hasattr(transformer, "categories_") and hasattr(transformer, "drop_idx_"):  # OneHotEncoder
        rare = getattr(transformer, "infrequent_categories_", None) or [None] * len(transformer.categories_)
        drops = transformer.drop_idx_
        drops = [None] * len(transformer.categories_) if drops is None else drops
        return [
            len(levels) - (0 if few is None else len(few) - 1) - (drop is not None)
            for levels, few, drop in zip(transformer.categories_, rare, drops, strict=True)
        ]
    if hasattr(transformer, "n_bins_") and getattr(transformer, "encode", "").startswith("onehot"):
        return [int(count) for count in transformer.n_bins_]
    return None


def _named_in(output: str, inputs: Sequence[str], transformer: Any) -> int:
    """Find the one input whose name is that of an output or a word of it, where it takes no made-up names."""
    if output in inputs:
        return list(inputs).index(output)
    found = [
        j for j, name in enumerate(inputs) if re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", output)
    ]
    if len(found) != 1:
        several = f"the columns {[inputs[j] for j in found][:5]}" if found else "no single column"
        raise ValueError(f"{type(transformer).__name__} makes {output!r} from {several}{SAY_HOW}.")
    return found[0]
