"""make_model_card: what a fitted model is, does and cannot do, on one page of Markdown."""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import __version__
from .._files import check_path, write_text
from .._hooks import hooks_of
from ..explanation import Explanation
from ..explanation.wording import strength, unit
from ..metrics import explanation_fidelity
from ..writing import count_of, format_number, format_share
from ._card_wording import CAUSES, WHAT_REASONS_ARE, kind_of_reasons, sum_of
from ._markdown import bullets, code, table, text
from ._measures import LABEL_MEASURES, MEASURES, REASON_MEASURES, Measured, measure
from ._members import gather
from ._rows import Rows, check_target, distinct, read_rows
from ._summary_html import WORDS
from ._texts import reasons_in_markdown, words_in_markdown

LOW_R2, LITTLE = 0.5, 0.01
"""Columns are named whose reasons have a lower R2 with the teacher's, unless they are less than this share of
the reasons. Not measured."""
MAX_COLUMNS, MAX_CLASSES, MAX_NOTES = 200, 20, 20
LIBRARIES = {
    "numpy": "numpy",
    "pandas": "pandas",
    "sklearn": "scikit-learn",
    "torch": "torch",
    "lightgbm": "lightgbm",
    "xgboost": "xgboost",
    "catboost": "catboost",
    "sympy": "sympy",
}
"""By module, what is named with its version where it is loaded."""


def make_model_card(
    model: Any,
    X: Any,
    y: Any,
    path: str | os.PathLike[str],
    *,
    file: str | os.PathLike[str] | None = None,
    n_rows: int = 1000,
    random_state: Any = 0,
) -> Path:
    """Write a page of Markdown about a fitted model, from the figures of :func:`make_report`.

    The page says what the model predicts and how well, compared with its teacher. It names the kind of the
    reasons, what they are not, and how well they agree with the teacher's reasons. For each column it gives
    the share in the reasons, the levels and this agreement. It lists costs, limits and versions, and a hash
    that identifies the model.

    Parameters
    ----------
    model : estimator
        A fitted estimator of this package, a Pipeline that ends with one, or any other estimator of
        scikit-learn.
    X : DataFrame or array-like of shape (m, d), or of str of shape (m,)
        Rows or texts, preferably ones that were not in ``fit``.
    y : array-like of shape (m,)
        Their labels or numbers.
    path : str or path-like
        File to write, in a folder that exists. An existing file is replaced.
    file : str or path-like, default=None
        File that holds the model; the page names its SHA-256. None: the SHA-256 of the model's pickle.
    n_rows : int, default=1000
        Largest number of rows used; from more rows this number is drawn at random.
    random_state : int, RandomState or None, default=0
        Seed of all random draws. With the same seed the page is the same, except for times.

    Returns
    -------
    Path
        The file, with links resolved.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, if lengths differ, or if the model cannot predict `X`.
    NotFittedError
        If the model is not fitted.
    OSError
        If a file cannot be read or written.

    See Also
    --------
    make_report : Compare several models on one HTML page.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_diabetes
    >>> from skrationale import SmoothMLPRegressor
    >>> from skrationale.report import make_model_card
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> smooth = SmoothMLPRegressor(jacobian_lambda=0.01, max_epochs=2, random_state=0).fit(X[:300], y[:300])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = make_model_card(smooth, X[300:], y[300:], f"{folder}/card.md").read_text(encoding="utf-8")
    >>> print(page.splitlines()[0])
    # Model card: SmoothMLPRegressor
    """
    target = check_path(path)
    digest = _digest(model, file)
    members = gather([model])
    rows = read_rows(X, y, n_rows, random_state)
    check_target(rows, list(members[0].model.classes_.tolist()) if members[0].classifies else None)
    found = measure(members, rows)
    return write_text(target, _page(found, rows, digest))


def _digest(model: Any, file: Any) -> tuple[str, str]:
    """Give the SHA-256 of a model's file or pickle, and what it is of."""
    if file is not None:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest(), f"the file {text(Path(file).name)}"
    try:
        return hashlib.sha256(pickle.dumps(model, protocol=5)).hexdigest(), "the model's pickle, protocol 5"
    except Exception as error:  # whatever the model holds
        return "", f"the model's pickle, which cannot be made: {text(error)}"


def _page(found: list[Measured], rows: Rows, digest: tuple[str, str]) -> str:
    """Put the document together."""
    one = found[0]
    teacher = next((other for other in found[1:] if one.member.name in other.member.students), None)
    agreement = _agreement(one, teacher)
    sections = {
        "What it is": _what(one, teacher, rows),
        "Data of this page": _data(rows),
        "Answers": _answers(one, teacher),
        "Reasons": _reasons(one, teacher),
        "Words" if rows.are_texts else "Columns": _columns(one, rows, agreement),
        "Costs": _costs(one),
        "Limits": _limits(found, agreement),
        "Versions": _versions(digest),
    }
    head = f"# Model card: {text(type(one.member.model).__name__)}"
    return "\n\n".join([head, *(f"## {name}\n\n{body}" for name, body in sections.items())]) + "\n"


def _agreement(one: Measured, teacher: Measured | None) -> np.ndarray | None:
    """R2 (d,) of the reasons of each column with the teacher's; None where there is nothing to compare."""
    own, theirs = one.explanation, None if teacher is None else teacher.explanation
    if own is None or theirs is None or "explanation_r2" not in one.figures:
        return None
    if own.values.shape != theirs.values.shape:
        return None
    columns = range(own.values.shape[1])
    found = [explanation_fidelity(own.values[:, [j]], theirs.values[:, [j]]) for j in columns]
    return np.array([figures["explanation_r2"] for figures in found])


# --- sections ----------------------------------------------------------------------------------------


def _what(one: Measured, teacher: Measured | None, rows: Rows) -> str:
    model = one.member.model
    if one.member.classifies:
        labels = model.classes_.tolist()
        named = ", ".join(text(label, 40) for label in labels[:MAX_CLASSES])
        more = f" and {len(labels) - MAX_CLASSES} others" if len(labels) > MAX_CLASSES else ""
        task = f"It classifies into {len(labels)} classes: {named}{more}."
    else:
        task = "It predicts numbers."
    lines = [f"{text(one.kind, 300)}.", task]
    if teacher is not None:
        role = "The network that it reads" if _reads_a_network(one) else "Its teacher"
        lines.append(f"{role}: {text(teacher.kind, 300)}.")
    if one.parts:
        lines.append(f"It is made of {text(one.parts)}.")
    parts = [bullets(lines), "Its parameters:", code(repr(model))]
    if "formula" in one.member.report_parts:
        written = [f"{formula.output_name} = {formula}" for formula in model.formulas_[:MAX_CLASSES]]
        link = model.formulas_[0].link
        of = "" if link == "identity" else f", as the {link} of the prediction"
        parts += [f"Its formula{of}:", code("\n".join(written))]
    return "\n\n".join(parts)


def _reads_a_network(one: Measured) -> bool:
    """Whether it is compared with a network that it reads, and not with a teacher."""
    return "attributes" in one.member.report_parts


def _data(rows: Rows) -> str:
    missing = float(np.mean(pd.isna(rows.cells())))
    drawn = f", drawn from {rows.n_total:,}" if len(rows) < rows.n_total else ""
    if rows.y.dtype.kind in "fiu" and len(distinct(rows.y)) > MAX_CLASSES:
        target = f"The target goes from {_number(float(rows.y.min()))} to {_number(float(rows.y.max()))}."
    else:
        labels, counts = distinct(rows.y), pd.Series(rows.y.tolist(), dtype=object).value_counts()
        shares = [f"{text(label, 40)} {format_share(counts[label] / len(rows))}" for label in labels]
        target = (
            f"The target is: {', '.join(shares[:MAX_CLASSES])}{', …' if len(shares) > MAX_CLASSES else ''}."
        )
    return bullets(
        [
            f"{count_of(len(rows), 'text')}{drawn}."
            if rows.are_texts
            else f"{count_of(len(rows), 'row')}{drawn}, {count_of(len(rows.names), 'column')}.",
            f"Cells that are missing: {format_share(missing)}.",
            target,
            "All figures of this page were measured on these rows. This page cannot tell whether the "
            "model was fitted on them.",
        ]
    )


def _number(value: float | None) -> str:
    return "–" if value is None or np.isnan(value) else format_number(value)


def _measured(one: Measured, names: list[str], words: dict[str, str]) -> str:
    """Write a table of figures, with the reason where one is missing."""
    lines = [
        [words[name], _number(one.figures.get(name)), text(one.missing.get(name, ""), 300)] for name in names
    ]
    if any(line[2] for line in lines):
        return table(["figure", "value", "why it is missing"], lines)
    return table(["figure", "value"], [line[:2] for line in lines])


def _answers(one: Measured, teacher: Measured | None) -> str:
    classifies = one.member.classifies
    words = {"score": "accuracy" if classifies else "R2", "auroc": "AUROC", "log_loss": "log-loss"}
    names = ["score", *(LABEL_MEASURES if classifies else ())]
    others = [] if teacher is None else [teacher]
    lines = [[words[name], *(_number(each.figures.get(name)) for each in (one, *others))] for name in names]
    other = "network" if _reads_a_network(one) else "teacher"
    head = ["against the target", "model", *([other] if others else [])]
    parts = [table(head, lines)]
    reasons = {each.missing[name] for each in (one, *others) for name in names if name in each.missing}
    parts += [f"Missing: {text(reason, 300)}." for reason in sorted(reasons)]
    if hooks_of(one.member.model)._has_fidelity:
        asked = ["prediction_r2", *(["same_class"] if classifies else [])]
        both = (
            "How well the predictions of its interpreter agree with those of its network:"
            if _reads_a_network(one)
            else "How well its predictions agree with those of its teacher:"
        )
        parts += [both, _measured(one, asked, MEASURES)]
    return "\n\n".join(parts)


def _reasons(one: Measured, teacher: Measured | None) -> str:
    explanation = one.explanation
    if one.texts is not None:
        return reasons_in_markdown(one.texts)
    if explanation is None:
        return f"It has none here: {text(one.missing.get('reasons', ''), 300)}."
    are, are_not = WHAT_REASONS_ARE[kind_of_reasons(explanation)]
    lines = [
        f"**What they are.** {are} {sum_of(explanation)}".strip(),
        f"**What they are not.** {are_not} {CAUSES}",
    ]
    if explanation.kind != "rationale":
        lines.append(f"**Unit.** {text(unit(explanation)[:1].upper() + unit(explanation)[1:])}.")
    background = explanation.meta.get("background_rows")
    if background is not None:
        lines.append(f"**Background.** {count_of(int(background), 'row')} of the training data.")
    names = list(REASON_MEASURES)
    if hooks_of(one.member.model)._has_fidelity and teacher is not None:
        names = ["explanation_r2", "top1_agreement", *names]
    words = {name: head for name, (head, _) in WORDS.items()}
    if not one.member.classifies:
        falls = ("comprehensiveness", "sufficiency")
        words |= {name: f"{name}, in standard deviations of the target" for name in falls}
    return "\n\n".join([*lines, _measured(one, names, words)])


def _columns(one: Measured, rows: Rows, agreement: np.ndarray | None) -> str:
    explanation = one.explanation
    if rows.are_texts:
        return words_in_markdown(one.texts)
    if explanation is None:
        return table(["column"], [[text(name)] for name in rows.names[:MAX_COLUMNS]])
    share = _shares(explanation)
    order = np.argsort(-share, kind="stable")
    levels = _levels(one, len(share))
    own = len(share) == len(rows.names) and not one.member.pipelines
    missing = pd.isna(rows.cells()).mean(axis=0) if own else None
    head = ["column", "share in the reasons", "levels"]
    head += ["missing"] * (missing is not None) + ["reasons R2"] * (agreement is not None)
    lines = []
    for j in order[:MAX_COLUMNS]:
        line = [text(explanation.feature_names[j]), format_share(float(share[j])), levels[j]]
        line += [format_share(float(missing[j]))] if missing is not None else []
        lines.append(line + ([_number(float(agreement[j]))] if agreement is not None else []))
    notes = [
        (
            "Columns, sorted by their share in the mean absolute contributions. Levels are those that fit "
            "found."
        )
    ]
    if len(order) > MAX_COLUMNS:
        notes.append(f"{count_of(len(order) - MAX_COLUMNS, 'column')} with smaller shares are left out.")
    return f"{table(head, lines)}\n\n{' '.join(notes)}"


def _shares(explanation: Explanation) -> np.ndarray:
    size = np.nan_to_num(strength(explanation))
    return size / size.sum() if size.sum() > 0 else size


def _levels(one: Measured, d: int) -> list[str]:
    known = hooks_of(one.member.model)._column_levels()
    if known is None or len(known) != d:
        return [""] * d
    return ["a number" if levels is None else f"{len(levels):,}" for levels in known]


def _costs(one: Measured) -> str:
    names = ["kilobytes", "predict_us", "explain_us"]
    words = {name: WORDS[name][0] for name in names}
    notes = (
        "The size does not include a teacher. Times are for many rows at once, on the machine that "
        "made this page."
    )
    return f"{_measured(one, names, words)}\n\n{notes}"


def _limits(found: list[Measured], agreement: np.ndarray | None) -> str:
    one = found[0]
    lines = []
    if agreement is not None and one.explanation is not None:
        share = _shares(one.explanation)
        low = [
            f"{text(one.explanation.feature_names[j])} ({_number(float(agreement[j]))})"
            for j in np.argsort(agreement, kind="stable")
            if agreement[j] < LOW_R2 and share[j] >= LITTLE
        ]
        lines.append(
            (
                "The reasons of these columns agree little with the teacher's reasons (R2 below "
                f"{LOW_R2}): {', '.join(low)}."
            )
            if low
            else f"No column with at least {format_share(LITTLE)} of the reasons has an R2 below {LOW_R2} "
            "with the teacher's reasons."
        )
    lines += [
        "Reasons describe the model. They do not say what would happen in the world if a cell were changed.",
        "The figures hold for rows like those of this page. For other rows, such as rows with unseen "
        "levels or with numbers outside the range in fit, this page does not say how good the model is.",
    ]
    lines += [f"Warned of: {text(words, 400)}" for each in found[:2] for words in each.warnings[:MAX_NOTES]]
    return bullets(lines)


def _versions(digest: tuple[str, str]) -> str:
    lines = [["skrationale", text(__version__)], ["Python", platform.python_version()]]
    loaded = [(name, sys.modules[module]) for module, name in LIBRARIES.items() if module in sys.modules]
    lines += [[name, text(library.__version__)] for name, library in loaded]
    own, of = digest
    named = f"SHA-256 of {of}: `{own}`" if own else f"No hash: of {of}"
    return f"{table(['library', 'version'], lines, numbers=2)}\n\n{named}"
