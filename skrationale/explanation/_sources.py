"""Which column of a table each output of a fitted transformer was made from."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

SAY_HOW = "; give a dict of each source and its columns instead"


def sources_of(
    transformer: Any, names: Sequence[str] | None = None
) -> tuple[list[str], list[str], np.ndarray]:
    """Trace the outputs of a fitted transformer to its inputs.

    Parameters
    ----------
    transformer : transformer
        Fitted: a ColumnTransformer, Pipeline, FeatureUnion, an encoder, a TableVectorizer of skrub, ...
    names : sequence of str, default=None
        Names of its d columns; None: those that it has seen, else ``x0, x1, ...``.

    Returns
    -------
    inputs : list of d str
        Names of the columns.
    outputs : list of p str
        Names of what was made of them.
    positions : ndarray of int of shape (p,)
        The column that each output was made from.

    Raises
    ------
    ValueError
        When an output was made from several columns, or it cannot be read from which.
    """
    inputs = list(map(str, names)) if names is not None else _names_seen(transformer)
    positions = _positions(transformer, inputs)
    outputs = _outputs(transformer, inputs)
    if outputs is None or len(outputs) != len(positions):
        outputs = [f"x{j}" for j in range(len(positions))]
    return inputs, outputs, positions


def _names_seen(transformer: Any) -> list[str]:
    while hasattr(transformer, "steps"):
        steps = [step for _, step in transformer.steps if step not in (None, "passthrough")]
        if not steps:
            raise ValueError(f"{transformer!r} has no step that was fitted on columns{SAY_HOW}.")
        transformer = steps[0]
    seen = getattr(transformer, "feature_names_in_", None)
    if seen is None:
        count = getattr(transformer, "n_features_in_", None)
        if count is None:
            raise ValueError(
                f"{type(transformer).__name__} does not store the names of the columns on which it was "
                f"fitted{SAY_HOW}."
            )
        return [f"x{j}" for j in range(count)]
    return [str(name) for name in seen]


def _outputs(transformer: Any, inputs: list[str]) -> list[str] | None:
    """Names of the outputs, as the transformer gives them."""
    function = getattr(transformer, "get_feature_names_out", None)
    if function is None:
        return None
    try:
        return list(map(str, function()))
    except (TypeError, ValueError, AttributeError):
        try:
            return list(map(str, function(inputs)))
        except (TypeError, ValueError, AttributeError):
            return None


def _positions(transformer: Any, inputs: list[str]) -> np.ndarray:
    """Position (p,) among the inputs that each output was made from."""
    if transformer is None or isinstance(transformer, str):  # "passthrough"
        return np.arange(len(inputs))
    if hasattr(transformer, "steps"):
        return _of_steps(transformer, inputs)
    if hasattr(transformer, "transformers_") and hasattr(transformer, "output_indices_"):
        return _of_columns(transformer, inputs)
    if hasattr(transformer, "transformer_list"):
        parts = [part for _, part in transformer.transformer_list if not _is_dropped(part)]
        return np.concatenate([_positions(part, inputs) for part in parts])
    if hasattr(transformer, "input_to_outputs_"):  # of skrub
        origin = {
            str(made): str(name)
            for name, all_made in transformer.input_to_outputs_.items()
            for made in all_made
        }
        names = _outputs(transformer, inputs) or []
        if all(origin.get(name) in inputs for name in names):
            return np.array([inputs.index(origin[name]) for name in names], dtype=int)
    if hasattr(transformer, "get_support"):
        return np.flatnonzero(transformer.get_support())
    return _of_one(transformer, inputs)


def _of_steps(pipeline: Any, inputs: list[str]) -> np.ndarray:
    positions, names = np.arange(len(inputs)), inputs
    for _, step in pipeline.steps:
        if step is None or isinstance(step, str):
            continue
        made = _positions(step, names)
        outputs = _outputs(step, names)
        names = (
            outputs
            if outputs is not None and len(outputs) == len(made)
            else [f"x{j}" for j in range(len(made))]
        )
        positions = positions[made]
    return positions


def _of_columns(transformer: Any, inputs: list[str]) -> np.ndarray:
    """Trace the outputs of a ColumnTransformer, block by block."""
    ends = [part.stop for part in transformer.output_indices_.values()]
    positions = np.full(max(ends, default=0), -1)
    for name, part, columns in transformer.transformers_:
        place = transformer.output_indices_[name]
        if place.stop == place.start:
            continue
        taken = _taken(columns, inputs)
        positions[place] = taken[_positions(part, [inputs[j] for j in taken])]
    return positions


def _taken(columns: Any, inputs: list[str]) -> np.ndarray:
    """Positions of the columns that a ColumnTransformer names in one of its ways."""
    if isinstance(columns, slice):
        start, stop = columns.start, columns.stop
        if isinstance(start, str) or isinstance(stop, str):  # the last one is taken too
            first = inputs.index(start) if start is not None else 0
            last = inputs.index(stop) if stop is not None else len(inputs) - 1
            return np.arange(first, last + 1)
        return np.arange(len(inputs))[columns]
    listed = np.atleast_1d(np.asarray(columns, dtype=object)).tolist()
    if listed and all(isinstance(one, bool | np.bool_) for one in listed):
        return np.flatnonzero(listed)
    return np.array([inputs.index(one) if isinstance(one, str) else int(one) for one in listed], dtype=int)


def _is_dropped(part: Any) -> bool:
    return isinstance(part, str) and part == "drop"


def _of_one(transformer: Any, inputs: list[str]) -> np.ndarray:
    """Trace the outputs of a transformer that is not made of others."""
    outputs = _outputs(transformer, inputs)
    if outputs is None:
        raise ValueError(
            f"{type(transformer).__name__} does not name its output columns (get_feature_names_out){SAY_HOW}."
        )
    if outputs == inputs:
        return np.arange(len(inputs))
    counts = _counts(transformer)
    if counts is not None and len(counts) == len(inputs) and sum(counts) == len(outputs):
        return np.repeat(np.arange(len(inputs)), counts)
    return np.array([_named_in(output, inputs, transformer) for output in outputs], dtype=int)


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


def _named_in(output: str, inputs: list[str], transformer: Any) -> int:
    """Find the one input whose name is a word of the name of an output."""
    if output in inputs:
        return inputs.index(output)
    found = [
        j for j, name in enumerate(inputs) if re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", output)
    ]
    if len(found) != 1:
        several = f"the columns {[inputs[j] for j in found][:5]}" if found else "no single column"
        raise ValueError(f"{type(transformer).__name__} makes {output!r} from {several}{SAY_HOW}.")
    return found[0]
