"""One type for each column, where several files have several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._arrow import arrow
from ._source import place_of


def schema_of_all(dataset: Any, names: Sequence[str]) -> Any:
    """Give a schema by which all files are read without loss.

    The first file alone would say that numbers are whole, or have 32 bits, or that there are none. Files
    without rows say nothing.

    Parameters
    ----------
    dataset : pyarrow.dataset.Dataset
        Of parquet files.
    names : sequence of str
        Columns that will be read.

    Returns
    -------
    pyarrow.Schema
        That of `dataset`, with wider types where files differ.

    Raises
    ------
    ValueError
        If a column has types that no one type can hold, such as text and numbers.
    """
    schema, files = dataset.schema, [file for file in dataset.get_fragments() if file.metadata.num_rows]
    for name in dict.fromkeys(names):
        place = schema.get_field_index(name)
        found: dict[Any, str] = {}
        for file in files:
            if name in file.physical_schema.names:
                found.setdefault(file.physical_schema.field(name).type, place_of(file))
        if place < 0 or set(found) <= {schema.field(place).type}:
            continue
        schema = schema.set(place, schema.field(place).with_type(_widest(name, found)))
        # what pandas noted are the types of the first file
        schema = schema.with_metadata({k: v for k, v in (schema.metadata or {}).items() if k != b"pandas"})
    return schema


def _widest(name: str, found: dict[Any, str]) -> Any:
    """Give a type that holds the cells of all types."""
    if len(found) == 1:
        return next(iter(found))
    pa, types = arrow(), arrow("types")
    plain = [each.value_type if types.is_dictionary(each) else each for each in found]
    if all(map(_is_text, plain)):
        return pa.large_string() if pa.large_string() in plain else pa.string()
    numbers = [pa.uint8() if types.is_boolean(each) and len(set(plain)) > 1 else each for each in plain]
    try:
        fields = [pa.schema([pa.field(name, each)]) for each in numbers]
        return pa.unify_schemas(fields, promote_options="permissive").field(0).type
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        said = ", ".join(f"{kind} in {path!r}" for kind, path in list(found.items())[:3])
        raise ValueError(f"Column {name!r} has several types: {said}; expected one.") from None


def _is_text(kind: Any) -> bool:
    types = arrow("types")
    return types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
