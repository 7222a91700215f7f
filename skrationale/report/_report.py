"""make_report: any fitted estimators and their teachers, compared on the same rows in one HTML file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .._files import check_path, write_text
from ._measures import by_sources, measure
from ._members import gather
from ._page import card, page
from ._rows import check_target, choose_examples, one_answer_space, read_rows
from ._tables import example_frame, importance_frame, missing_frame, summary_frame


class Report:
    """A report in a file; a notebook shows its summary.

    The whole report is in the file, which any browser can open.

    Parameters
    ----------
    path : Path
        The file.
    tables : dict of str to DataFrame
        The tables of the report. ``"summary"`` has one row per name: kind, the models that it teaches, and
        all figures, NaN if one is missing. ``"missing"`` has name, figure and reason. ``"importances"`` has
        for each column and name the share in the mean absolute reasons. ``"examples"`` has the shown rows by
        their label: why they are shown, y, all predictions and the cells.
    summary_html : str
        The summary that a notebook shows, as HTML.

    See Also
    --------
    make_report : Compare estimators and write the file.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skrationale.report import make_report
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = make_report([Ridge().fit(X, y)], X, y, f"{folder}/report.html")
    >>> list(report.tables)
    ['summary', 'missing', 'importances', 'examples']
    """

    def __init__(self, path: Path, tables: dict[str, Any], summary_html: str) -> None:
        self.path = path
        self.tables = tables
        self._summary_html = summary_html

    def __repr__(self) -> str:
        return f"Report({str(self.path)!r}, {len(self.tables['summary'])} estimators)"

    def _repr_html_(self) -> str:
        return self._summary_html


def make_report(
    estimators: Mapping[str, Any] | Sequence[Any],
    X: Any,
    y: Any,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    n_rows: int = 1000,
    audit: bool = False,
    grouped: bool | Mapping[str, Any] = True,
    interactive: bool = False,
    random_state: Any = 0,
) -> Report:
    """Compare fitted estimators and their teachers on the same rows, in one HTML file.

    The file loads nothing from outside, and has no scripts unless `interactive` is set. Its summary has the
    score (accuracy, AUROC and log-loss of classifiers, R2 of regressors), agreement with the teacher in
    predictions and explanations, comprehensiveness and sufficiency with the same random draws for all (for
    regressors in standard deviations of `y`), columns used per row, stability under noise, size and times.
    Then follow the shares of columns in the explanations, and a section for each estimator with its formula,
    attributes or rationales, its most important columns, and explanations of the same few rows. If a figure
    could not be computed, the file says why.

    Parameters
    ----------
    estimators : dict of str to estimator, or list of estimator
        Fitted estimators, either all classifiers or all regressors: of this package, a Pipeline that ends
        with one, a search over one, or any other estimator of scikit-learn, which is compared without
        explanations. The teachers of students are added.
    X : DataFrame or array-like of shape (m, d), or of str of shape (m,)
        Rows or texts, preferably ones that were not in ``fit``.
    y : array-like of shape (m,)
        Their labels or numbers.
    path : str or path-like
        File to write, in a folder that exists. An existing file is replaced and keeps its mode. If `path` is
        a link, the file that it points to is replaced.
    title : str, default=None
        Title of the page.
    n_rows : int, default=1000
        If there are more rows, this number is drawn at random.
    audit : bool, default=False
        Whether to audit rationale models (without refits), which trains a few small networks for each.
    grouped : bool or dict, default=True
        Whether to add up the contributions of columns that the steps of a Pipeline made, such as dummies, by
        the columns of `X`. If the raw columns cannot be found, a warning in the file says why. A dict names
        the columns made from each one: see :meth:`skrationale.explanation.Explanation.grouped`. Figures are
        always those of the columns that the model gets.
    interactive : bool, default=False
        Whether the file has one script, which sorts tables and filters rows and columns.
    random_state : int, RandomState or None, default=0
        Seed of all random draws. With the same seed the file is the same, except for times.

    Returns
    -------
    Report
        With the path and the tables.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as described, if lengths differ, or if an estimator cannot predict `X`.
    NotFittedError
        If an estimator is not fitted; the message names it.
    OSError
        If the folder of `path` does not exist or cannot be written to, if `path` is a folder, a pipe, a
        socket or a device, or if the disk is full.

    See Also
    --------
    skrationale.metrics : Functions for the single measures.
    skrationale.explanation.Explanation.write_html : The reasons of one estimator.

    Notes
    -----
    If there is an error, nothing is written, and an existing file remains unchanged. Missing figures are in
    ``tables["missing"]``, each with its cause. Faithfulness is measured with the same shares of columns for
    all estimators, also for rationales; the columns of a rationale count as the most important ones. FLINT is
    compared by column.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skrationale import SmoothMLPRegressor
    >>> from skrationale.report import make_report
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> smooth = SmoothMLPRegressor(jacobian_lambda=0.01, max_epochs=5, random_state=0).fit(X[:300], y[:300])
    >>> estimators = {"smooth": smooth, "ridge": Ridge().fit(X[:300], y[:300])}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = make_report(estimators, X[300:], y[300:], Path(folder) / "report.html")
    ...     report.path.stat().st_size > 10_000
    True
    >>> report.tables["summary"].index.tolist()
    ['smooth', 'ridge']
    """
    target = check_path(path)
    if title is not None and not isinstance(title, str):
        raise TypeError(f"title must be a str or None. Got {title!r} instead.")
    if not isinstance(audit, bool):
        raise TypeError(f"audit must be a bool. Got {audit!r} instead.")
    if not isinstance(interactive, bool):
        raise TypeError(f"interactive must be a bool. Got {interactive!r} instead.")
    if not isinstance(grouped, bool | Mapping):
        raise TypeError(
            f"grouped must be a bool, or a dict of each source and its columns. Got {grouped!r} instead."
        )
    members = gather(estimators)
    rows = read_rows(X, y, n_rows, random_state)
    given = [member for member in members if member.given]
    classes = [label for member in given if member.classifies for label in _labels(member.model)]
    check_target(rows, classes if members[0].classifies else None)
    found = measure(members, rows)
    for one in found:
        by_sources(one, rows, grouped)
    asked = [one for one in found if one.answers is not None]
    space = one_answer_space([one.answers for one in asked], [one.labels for one in asked], rows.y)  # type: ignore[misc]
    chosen = choose_examples(*space)
    shares = importance_frame(found)
    text = page(found, rows, chosen, shares, title=title, audit=audit, interactive=interactive)
    tables = {
        "summary": summary_frame(found),
        "missing": missing_frame(found),
        "importances": shares,
        "examples": example_frame(found, rows, chosen),
    }
    write_text(target, text)
    return Report(Path(path), tables, card(found, rows))


def _labels(model: Any) -> list[Any]:
    return list(model.classes_.tolist())
