"""TextExplanation: which words of each text a prediction was made from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..writing import Part, count_of, document, format_number, render, shorten
from . import checks

if TYPE_CHECKING:
    import pandas as pd
    import shap

FORMAT, VERSION = "skrationale.TextExplanation", 1
MAX_TEXTS, MAX_CHARACTERS = 20, 20_000
"""Texts that a notebook shows, and characters of each."""
FAINTEST, STRONGEST = 0.15, 0.75
"""Opacity behind a shown word: at least, and of a value of 1."""
CSS = """
.skr .skr-text {display: block; white-space: pre-wrap; overflow-wrap: anywhere; padding: .4em .6em;
  margin: 0 0 .8em; background: rgba(128, 128, 128, .08)}
.skr mark {color: inherit; border-radius: .2em; padding: 0 .1em;
  print-color-adjust: exact; -webkit-print-color-adjust: exact}
"""


@dataclass(frozen=True, eq=False, repr=False)
class TextExplanation:
    """Units (words or sentences) of n texts from which the predictions were made, without any other units.

    Texts differ in length, so there is one array for each text; all are copied and read-only.

    Parameters
    ----------
    texts : sequence of n str
        The texts as you gave them.
    spans : sequence of n array-like of int of shape (L, 2)
        Start and end of each unit in its text.
    values : sequence of n array-like of shape (L,)
        How strongly each shown unit was selected, as a probability, or 0 for units that are not shown. With
        `contiguity` a unit between others may be shown whose own probability is below one half. The values
        do not add up to the score.
    mask : sequence of n array-like of bool of shape (L,)
        The rationale: True where the prediction used the unit.
    scores : array-like of shape (n,) or (n, K)
        The predicted scores, in the units that `link` names.
    base_values : array-like of shape (K,)
        Scores of a text if no unit of it is shown.
    output_names : sequence of str, default=()
        Names of the K scores.
    predictions : sequence of n str, default=()
        Label predicted for each text; empty if numbers are predicted.
    link : {"identity", "logit", "softmax"}, default="identity"
        Predictions themselves, log-odds of the second class, or one score per class before the softmax.
    meta : dict, default={}
        Plain data about how the explanation was made.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not as described, or lengths differ.

    Examples
    --------
    >>> from skrationale.explanation import TextExplanation
    >>> e = TextExplanation(["Very good."], [[(0, 4), (5, 9)]], [[0.0, 0.9]], [[False, True]], [2.0], [0.0])
    >>> e.words(0)
    ['good']
    >>> e.to_frame()[["start", "end", "word", "value"]].values.tolist()
    [[5, 9, 'good', 0.9]]
    """

    texts: tuple[str, ...]
    spans: tuple[np.ndarray, ...]
    values: tuple[np.ndarray, ...]
    mask: tuple[np.ndarray, ...]
    scores: np.ndarray
    base_values: np.ndarray
    output_names: tuple[str, ...] = ()
    predictions: tuple[str, ...] = ()
    link: str = "identity"
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.one_of("link", self.link, ("identity", "logit", "softmax"))
        texts = tuple(self.texts)
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("`texts` must hold strings.")
        n = len(texts)
        scores = checks.number_array("scores", self.scores)
        scores = scores.reshape(n, -1) if scores.size else np.zeros((n, np.size(self.base_values)))
        own: dict[str, Any] = {
            "texts": texts,
            "spans": _arrays("spans", self.spans, n, np.int64),
            "values": _arrays("values", self.values, n, np.float64),
            "mask": _arrays("mask", self.mask, n, np.bool_),
            "scores": checks.own(scores),
            "base_values": checks.number_array("base_values", np.ravel(self.base_values)),
            "output_names": checks.names("output_names", self.output_names, scores.shape[1], "output"),
            "predictions": tuple(map(str, self.predictions)),
            "meta": checks.plain_dict("meta", self.meta),
        }
        if own["base_values"].shape != (scores.shape[1],):
            raise ValueError(f"`base_values` must have shape ({scores.shape[1]},), one for each score.")
        if own["predictions"] and len(own["predictions"]) != n:
            raise ValueError(f"`predictions` must hold {n} labels, got {len(own['predictions'])}.")
        for name, value in own.items():
            object.__setattr__(self, name, value)
        self._check_texts()

    def _check_texts(self) -> None:
        parts = zip(self.texts, self.spans, self.values, self.mask, strict=True)
        for i, (text, spans, values, mask) in enumerate(parts):
            units = len(spans)
            if spans.shape != (units, 2) or values.shape != (units,) or mask.shape != (units,):
                raise ValueError(
                    f"text {i}: `spans`, `values` and `mask` must have shapes (L, 2), (L,) and (L,), got "
                    f"{spans.shape}, {values.shape} and {mask.shape}."
                )
            ends = spans.ravel()
            if units and (ends[0] < 0 or ends[-1] > len(text) or (np.diff(ends) < 0).any()):
                raise ValueError(
                    f"text {i}: `spans` must be in increasing order and lie within the {len(text)} "
                    "characters of the text."
                )

    # --- parts -----------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[TextExplanation]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        shown = int(sum(mask.sum() for mask in self.mask))
        total = count_of(sum(map(len, self.mask)), "unit")
        return (
            f"TextExplanation({count_of(len(self), 'text')}, {shown:,} of {total} shown, link={self.link!r})"
        )

    def __getitem__(self, rows: Any) -> TextExplanation:
        """Give some texts: by number, slice, or an array of numbers or booleans."""
        places = np.arange(len(self))[rows]
        chosen = np.atleast_1d(places).tolist()
        names = ("texts", "spans", "values", "mask") + (("predictions",) if self.predictions else ())
        taken: dict[str, Any] = {name: tuple(getattr(self, name)[i] for i in chosen) for name in names}
        return replace(self, scores=self.scores[chosen], **taken)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # numpy forgets on pickling that an array is read-only
        for value in (*self.spans, *self.values, *self.mask, self.scores, self.base_values):
            value.setflags(write=False)

    def words(self, i: int) -> list[str]:
        """Return the shown units of a text, as you gave them.

        Parameters
        ----------
        i : int
            Number of the text.

        Returns
        -------
        list of str
            In the order of the text.
        """
        return [self.texts[i][start:end] for start, end in self.spans[i][self.mask[i]].tolist()]

    def top(self, n: int = 10) -> dict[str, list[tuple[str, int]]]:
        """Count in how many texts each unit is shown; upper and lower case count as the same.

        Parameters
        ----------
        n : int, default=10
            How many units of each class.

        Returns
        -------
        dict of str to list of (str, int)
            For each predicted label (``""`` if there are none): units and their numbers of texts, most texts
            first.
        """
        counts: dict[str, dict[str, int]] = {}
        for i in range(len(self)):
            found = counts.setdefault(self.predictions[i] if self.predictions else "", {})
            for word in {word.lower() for word in self.words(i)}:
                found[word] = found.get(word, 0) + 1
        return {
            label: sorted(found.items(), key=lambda item: (-item[1], item[0]))[:n]
            for label, found in sorted(counts.items())
        }

    # --- forms -----------------------------------------------------------------------------------

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row for each shown unit.

        Returns
        -------
        DataFrame
            With the columns ``text`` (its number), ``start``, ``end``, ``word`` and ``value``.
        """
        import pandas as pd

        parts = [
            (i, start, end, self.texts[i][start:end], value)
            for i in range(len(self))
            for (start, end), value in zip(
                self.spans[i][self.mask[i]].tolist(), self.values[i][self.mask[i]].tolist(), strict=True
            )
        ]
        return pd.DataFrame(parts, columns=["text", "start", "end", "word", "value"])

    def to_json(self) -> str:
        """Return strict JSON from which `from_json` makes the same explanation.

        Returns
        -------
        str
            Numbers are exact.
        """
        plain: dict[str, Any] = {"format": FORMAT, "version": VERSION}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, tuple):
                value = [item.tolist() if isinstance(item, np.ndarray) else item for item in value]
            plain[each.name] = value.tolist() if isinstance(value, np.ndarray) else value
        return json.dumps(plain, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> TextExplanation:
        """Make an explanation from what `to_json` wrote.

        Parameters
        ----------
        text : str
            The JSON.

        Returns
        -------
        TextExplanation

        Raises
        ------
        ValueError, TypeError
            If the text is not as `to_json` writes it.
        """
        plain = json.loads(text)
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise ValueError(f"`text` must be the JSON of an explanation, with format {FORMAT!r}.")
        if plain.get("version") != VERSION:
            raise ValueError(f"`text` has version {plain.get('version')!r}, expected {VERSION}.")
        names = {each.name for each in fields(cls)}
        if set(plain) != names | {"format", "version"}:
            raise ValueError(f"`text` must have the entries {sorted(names)}, got {sorted(plain)}.")
        return cls(**{name: plain[name] for name in names})

    def to_shap(self) -> shap.Explanation:
        """Return a ``shap.Explanation``, for the text plots of shap.

        Returns
        -------
        shap.Explanation
            It holds an array of text pieces and an array of values for each text. Characters between units
            belong to the piece before them, so that the pieces together are the text.

        Raises
        ------
        ImportError
            If shap is not installed.
        """
        try:
            import shap
        except ImportError as error:
            raise ImportError("to_shap needs the package shap: pip install shap.") from error
        values, data = (np.empty(len(self), dtype=object) for _ in range(2))
        for i, text in enumerate(self.texts):
            starts = self.spans[i][:, 0].tolist()
            starts = [0, *starts[1:]] if starts else [0]
            data[i] = np.array(
                [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)], dtype=object
            )
            values[i] = self.values[i].copy() if len(self.values[i]) else np.zeros(1)
        base = np.full(len(self), self.base_values[0])
        return shap.Explanation(values, base, data)

    def _repr_html_(self) -> str:
        return self._document("explanation/templates/text_card.html", MAX_TEXTS)

    def write_html(self, path: str | os.PathLike[str], title: str = "Words that decided") -> None:
        """Write a web page in one file, without scripts and external addresses.

        Parameters
        ----------
        path : str or path-like
            File to write.
        title : str, default="Words that decided"
            Title of the page.

        Raises
        ------
        OSError
            If no regular file can be written there. An existing file then stays unchanged.
        """
        from .._files import write_text

        write_text(path, self._document("explanation/templates/text_page.html", len(self), title=title))

    def _document(self, template: str, most: int, **values: Any) -> str:
        shares = [mask.mean() for mask in self.mask if len(mask)]
        heading = (
            f"{count_of(len(self), 'text')}; {np.mean(shares) if shares else 0:.1%} of the units are shown."
        )
        heading += f" The first {most} follow." if len(self) > most else ""
        parts = [TextPart(self._heading(i), self._pieces(i)) for i in range(min(most, len(self)))]
        return document(template, css=CSS, heading=heading, parts=parts, **values)

    def _heading(self, i: int) -> str:
        label = f"predicted: {shorten(self.predictions[i], 60)}; " if self.predictions else ""
        named = zip(self.output_names, self.scores[i].tolist(), strict=True)
        scores = ", ".join(f"{shorten(name, 40)} {format_number(score)}" for name, score in named)
        return (
            f"Text {i}: {label}score: {scores}; {self.mask[i].sum()} of {count_of(len(self.mask[i]), 'unit')}"
        )

    def _pieces(self, i: int) -> list[tuple[str, str]]:
        """Cut a text into pieces with the opacity behind each; none where a piece is not shown."""
        text, place, pieces = self.texts[i][:MAX_CHARACTERS], 0, []
        chosen = self.mask[i]
        for (start, end), value in zip(
            self.spans[i][chosen].tolist(), self.values[i][chosen].tolist(), strict=True
        ):
            opacity = FAINTEST + (STRONGEST - FAINTEST) * float(np.clip(2 * value - 1, 0, 1))
            pieces += [(text[place:start], ""), (text[start:end], f"{opacity:.2f}")]
            place = end
        rest = text[place:] + ("…" if len(self.texts[i]) > MAX_CHARACTERS else "")
        return [piece for piece in [*pieces, (rest, "")] if piece[0]]


class TextPart(Part):
    """A text with its shown units marked."""

    def __init__(self, heading: str, pieces: list[tuple[str, str]]) -> None:
        self.heading, self.pieces = heading, pieces

    def __html__(self) -> str:
        return render("explanation/templates/text.html", heading=self.heading, pieces=self.pieces)


def _arrays(name: str, given: Sequence[Any], n: int, kind: Any) -> tuple[np.ndarray, ...]:
    """Copy one array for each of n texts."""
    parts = tuple(given)
    if len(parts) != n:
        raise ValueError(f"`{name}` must hold {n} arrays, one for each text, got {len(parts)}.")
    arrays = []
    for i, part in enumerate(parts):
        array = np.array(part)
        if array.size and not np.can_cast(array.dtype, kind, "same_kind"):
            raise TypeError(f"`{name}[{i}]` must be an array of {np.dtype(kind)}, got {array.dtype}.")
        array = array.reshape(0, 2) if not array.size and name == "spans" else array
        arrays.append(checks.own(array.astype(kind)))
    return tuple(arrays)
