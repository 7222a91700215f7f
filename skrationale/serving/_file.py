"""A model as one file whose loading runs no code of the file's own; skops writes and reads it."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .. import __version__
from .._files import check_path, write_bytes
from .._hooks import Hooks, best_of_search
from ..formula import Formula
from ._trusted import FOREST_TYPES, TRUSTED_TYPES

ABOUT = "skrationale.json"
"""What a file says of itself, beside what skops writes."""


def save(model: Any, path: str | os.PathLike[str], *, trusted: Iterable[str] = ()) -> Path:
    """Write a fitted model to one file in the format of skops, whose loading runs no code from the file.

    Parameters
    ----------
    model : estimator or Formula
        Fitted and of this package, or a Pipeline or search with one.
    path : str or path-like
        File to write, in an existing folder. An existing file is replaced, and remains unchanged if there is
        an error.
    trusted : iterable of str, default=()
        Names of types, in addition to `TRUSTED_TYPES`, that the file may hold, such as `FOREST_TYPES` for a
        student with its teacher. `load` needs the same names.

    Returns
    -------
    Path
        The file, with links resolved.

    Raises
    ------
    ValueError
        If the model holds an object of another type, which the message names, or one that skops cannot write.
    TypeError
        For another model.
    NotFittedError
        If the model is not fitted.
    ImportError
        If the package skops is not installed.
    OSError
        If the file cannot be written.

    See Also
    --------
    load : Read such a file.
    serving_copy : Leave out the teacher, which such a file cannot hold without `trusted`.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_diabetes
    >>> from skrationale import GBDT2NNStudent
    >>> from skrationale.serving import load, save, serving_copy
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> student = GBDT2NNStudent(hidden_layer_sizes=(16,), max_epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(serving_copy(student), f"{folder}/student.skops")
    ...     again = load(path)
    >>> bool((again.predict(X) == student.predict(X)).all())
    True
    """
    sio, known = _skops(), _names(trusted)
    check_path(path)
    if not _is_ours(model):
        raise TypeError(
            "model must be an estimator of this package, a Formula, or a Pipeline or search with such an "
            f"estimator. Got {type(model).__name__} instead."
        )
    if not isinstance(model, Formula):
        check_is_fitted(model)
    try:
        data = sio.dumps(model)
        unknown = set(sio.get_untrusted_types(data=data)) - known
        if not unknown:
            sio.loads(data, trusted=sorted(known))
    except Exception as error:
        raise ValueError(
            f"This {type(model).__name__} holds an object that skops cannot write or cannot read again, "
            f"such as a torch module or levels that are dates: {error}. Expected plain weights, and levels "
            "that are text, numbers or booleans; for other objects use pickle."
        ) from error
    if unknown:
        raise ValueError(_not_trusted(type(model).__name__, unknown))
    buffer = io.BytesIO(data)
    with ZipFile(buffer, "a") as file:
        file.writestr(ABOUT, json.dumps({"skrationale": __version__, "class": type(model).__name__}))
    return write_bytes(path, buffer.getvalue())


def load(path: str | os.PathLike[str], *, trusted: Iterable[str] = ()) -> Any:
    """Read a model that `save` has written.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : iterable of str, default=()
        Names of types, in addition to `TRUSTED_TYPES`, that the file may hold; see `save`.

    Returns
    -------
    estimator or Formula
        The saved model.

    Raises
    ------
    ValueError
        If the file was not written by `save`, if it holds a type that is not trusted, or if it was written by
        a version of this package whose files this version cannot read.
    ImportError
        If the package skops is not installed.
    OSError
        If the file cannot be read.

    Warns
    -----
    UserWarning
        If another version has written the file.

    See Also
    --------
    save : Write such a file, with an example.

    Examples
    --------
    >>> import tempfile
    >>> from skrationale import Formula
    >>> from skrationale.serving import load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load(save(Formula.from_string("2*age", ["age"]), f"{folder}/formula.skops"))
    Formula('prediction = 2*age')
    """
    sio, known = _skops(), _names(trusted)
    shown, data = repr(os.fspath(path)), Path(path).read_bytes()
    try:
        with ZipFile(io.BytesIO(data)) as file:
            made_by = str(json.loads(file.read(ABOUT))["skrationale"])
        unknown = set(sio.get_untrusted_types(data=data)) - known
    except (BadZipFile, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{shown} was not written by skrationale.serving.save, or is damaged: {error}."
        ) from error
    if unknown:
        raise ValueError(_not_trusted(shown, unknown))
    try:
        model = sio.loads(data, trusted=sorted(known))
    except Exception as error:
        other = "" if made_by == __version__ else f" It was written by skrationale {made_by}."
        raise ValueError(f"{shown} cannot be read by skrationale {__version__}.{other} {error}") from error
    if not _is_ours(model):
        raise ValueError(f"{shown} holds a {type(model).__name__}; expected a model of this package.")
    return model


def _skops() -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise ImportError("`save` and `load` need skops: pip install 'skrationale[skops]'.") from error
    return skops.io


def _names(trusted: Iterable[str]) -> set[str]:
    found = [trusted] if isinstance(trusted, str) else list(trusted)
    if isinstance(trusted, str) or not all(isinstance(name, str) for name in found):
        raise TypeError(f"trusted must be a list of names of types. Got {trusted!r} instead.")
    return {*TRUSTED_TYPES, *found}


def _is_ours(model: Any) -> bool:
    """Whether a model is of this package, or holds one that is."""
    inside = model.estimator if isinstance(model, FrozenEstimator) else best_of_search(model)
    if inside is not None:
        return _is_ours(inside)
    return _is_ours(model[-1]) if isinstance(model, Pipeline) else isinstance(model, Hooks | Formula)


def _not_trusted(what: str, unknown: set[str]) -> str:
    """Say which types are not trusted, and what to do about them."""
    forests = unknown <= set(FOREST_TYPES)
    way_out = (
        "Expected a model without its teacher, as skrationale.serving.serving_copy makes it, or, for files "
        "that only you write, trusted=skrationale.serving.FOREST_TYPES."
        if forests
        else "Expected only the types in skrationale.TRUSTED_TYPES. If you know that the other types run "
        "no code, give their names as trusted=[...]."
    )
    return f"{what} holds types that are not trusted: {sorted(unknown)}. {way_out}"
