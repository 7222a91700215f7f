"""What an audit of rationales of pictures found, in numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...writing import Table, count_of, document, encodable, render
from .._audit_html import TEMPLATE
from .._audit_report import ERRORS, LEAK, MISSING, NUMBER_LEAK

EXCESS = 0.05
"""By so much may masks alone score more than masks of the patches with most contrast. Not measured."""


@dataclass(frozen=True)
class PictureAudit:
    """Numbers that show how good rationales of pictures are, with a verdict in words.

    All scores are compared with those of simple rules that select the same number of patches in each picture.
    EVAL-X is the model's first predictor, which was trained only on random masks, so masks cannot be a code
    for it.

    Parameters
    ----------
    metric : {"AUROC", "accuracy", "R2"}
        Kind of the scores: for two classes, for more classes, for regression.
    n_rows : int
        Number of pictures that were used.
    grid : (int, int)
        Patches down and across.
    n_outcomes : int
        Number of classes; 0 for regression.
    scores : mapping of str to (float, float, float, int)
        For each choice of patches, and for a constant: score, loss (log-loss in nats, or squared error as a
        share of the variance), its standard error and the number of pictures.
    mask_only : mapping of str to float
        Score of gradient boosting from masks without any pixel: masks of rationales, of the patches with most
        contrast, and of random patches. Be suspicious if masks of rationales score more than masks by
        contrast.
    leak, leak_error : float
        What a picture's own mask reveals beyond its shown pixels, and its standard error. Two predictors are
        trained further, one with masks of other pictures and one with each picture's own mask; the number is
        the loss of the first minus the loss of the second. The model itself was never trained on a picture
        with its own mask.
    mean_patches : float
        Mean number of patches shown.
    fixed : bool
        Whether this is the same in every picture.
    told : bool
        Whether the network is told which pixels are hidden.
    stability, chance_stability : float
        Mean Jaccard index of the rationales of refits with other seeds, and of random masks of the same size;
        NaN without refits. Many sets of patches can be enough for one picture.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skrationale import RationaleClassifier
    >>> X, y = load_digits(n_class=3, return_X_y=True)
    >>> pictures = X.reshape(-1, 8, 8)
    >>> model = RationaleClassifier(max_features=4, max_epochs=4, random_state=0)
    >>> report = model.fit(pictures[:300], y[:300]).audit(pictures[300:], y[300:], n_refits=0)
    >>> report.mean_patches, round(report.mask_bits, 1)
    (4.0, 10.8)
    >>> report.to_frame().columns.tolist()
    ['patches shown, and which model predicts', 'accuracy', 'log-loss', 'standard_error', 'pictures']
    """

    metric: str
    n_rows: int
    grid: tuple[int, int]
    n_outcomes: int
    scores: Mapping[str, tuple[float, float, float, int]]
    mask_only: Mapping[str, float]
    leak: float
    leak_error: float
    mean_patches: float
    fixed: bool
    told: bool
    stability: float
    chance_stability: float

    @property
    def mask_bits(self) -> float:
        """The most that a mask can reveal, in bits: ``log2`` of the number of possible masks."""
        n = self.grid[0] * self.grid[1]
        if not self.fixed:
            return float(n)
        k = round(self.mean_patches)
        return math.log2(math.comb(n, k))

    @property
    def excess(self) -> float:
        """Score of masks alone minus the score of masks of the patches with most contrast."""
        return self.mask_only["rationale"] - self.mask_only["most contrast"]

    @property
    def leak_limit(self) -> float:
        """A `leak` above this limit is a finding, if it also exceeds two standard errors."""
        return (NUMBER_LEAK if self.metric == "R2" else LEAK) * self.scores["constant"][1]

    @property
    def findings(self) -> tuple[str, ...]:
        """Names of the findings.

        ``"leak"``: the masks of the model reveal more than the shown pixels. ``"telling"``: masks alone have
        a clearly higher score than masks of the patches with most contrast. ``"no better than random"``: the
        loss of EVAL-X with rationales is not lower than with the same number of random patches.
        ``"occlusion is better"``: its loss is lower with the patches that matter most by occlusion.
        ``"insufficient"``: the loss of the model with rationales is clearly higher than with whole pictures.
        """
        lost = {name: row[1] for name, row in self.scores.items()}
        explained = max(lost["constant"] - lost["all patches, model"], 0.0)
        found = {
            "leak": self.leak > max(self.leak_limit, ERRORS * self.leak_error),
            "telling": self.excess > EXCESS,
            "no better than random": not self._better("rationale, EVAL-X", "random patches, EVAL-X"),
            "occlusion is better": self._better("occlusion, EVAL-X", "rationale, EVAL-X"),
            "insufficient": lost["rationale, model"] - lost["all patches, model"] > MISSING * explained,
        }
        return tuple(name for name, holds in found.items() if holds)

    def _better(self, one: str, other: str) -> bool:
        (_, low, low_error, _), (_, high, high_error, _) = self.scores[one], self.scores[other]
        return high - low > ERRORS * math.hypot(low_error, high_error)

    @property
    def verdict(self) -> str:
        """The findings in a few sentences."""
        metric, scores = self.metric, self.scores
        unit = "of the variance" if metric == "R2" else "nats"
        n = self.grid[0] * self.grid[1]
        shown = f"{self.mean_patches:.3g} of {n} patches" + ("" if self.fixed else " on average")

        def of(name: str) -> str:
            return f"{scores[name][0]:.3f}"

        sentences = [
            f"From {shown} the model has {metric} {of('rationale, model')}, and from all of them "
            f"{of('all patches, model')}.",
            f"A predictor that was trained only on random masks (EVAL-X) has {of('rationale, EVAL-X')} "
            f"from these patches, {of('random patches, EVAL-X')} from as many random ones, "
            f"{of('most contrast, EVAL-X')} from those with most contrast, and {of('occlusion, EVAL-X')} "
            "from those that matter most by occlusion.",
            "A predictor that reads only the masks, without any pixel, has "
            f"{self.mask_only['rationale']:.3f}; with masks of the patches with most contrast it has "
            f"{self.mask_only['most contrast']:.3f}.",
        ]
        remarks = {
            "leak": "A second predictor also reads the mask of each picture, and its loss is "
            f"{self.leak:.3f} ± {self.leak_error:.3f} {unit} lower: masks reveal something beyond "
            "the pixels they show. The model itself was not trained in this way.",
            "telling": "Masks predict the target better than contrast does, so look at their shapes.",
            "no better than random": "Rationales are no better than random patches.",
            "occlusion is better": "Occlusion finds better patches: selection='occlusion' may be better.",
            "insufficient": "Rationales leave out much of the information in whole pictures.",
        }
        sentences += [remarks[name] for name in self.findings]
        if not self.told:
            sentences.append("The network is not told which pixels are hidden.")
        if not math.isnan(self.stability):
            sentences.append(
                f"Rationales of refits have a Jaccard index of {self.stability:.2f}, and random ones of "
                f"{self.chance_stability:.2f}: other patches than those of a rationale may be enough too."
            )
        return " ".join(sentences)

    def to_frame(self) -> Any:
        """Return the scores as a table.

        Returns
        -------
        DataFrame
            One line for each choice of patches, and for masks alone, whose losses are NaN.
        """
        import pandas as pd

        loss = "squared error / variance" if self.metric == "R2" else "log-loss"
        lines: list[tuple[Any, ...]] = [(name, *row) for name, row in self.scores.items()]
        nan = math.nan
        lines += [
            (f"mask alone, {name}", value, nan, nan, self.n_rows) for name, value in self.mask_only.items()
        ]
        columns = ["patches shown, and which model predicts", self.metric, loss, "standard_error", "pictures"]
        return pd.DataFrame([tuple(map(encodable, line)) for line in lines], columns=columns)

    def __str__(self) -> str:
        table = self.to_frame().to_string(index=False, na_rep="", float_format="{:.4f}".format)
        return f"{self.verdict}\n\n{table}"

    def _repr_html_(self) -> str:
        found = self.findings
        kind, sign, short = "good", "✓", "Better than simple rules, and no problem found"
        if found:
            kind, sign, short = "unknown", "!", f"With {count_of(len(found), 'remark')}"
        if "no better than random" in found or {"leak", "telling"} <= set(found):
            kind, sign, short = "bad", "✗", "Do not trust these rationales"
        verdict = render(TEMPLATE, kind=kind, sign=sign, short=f"{short}.", verdict=self.verdict)
        frame = self.to_frame()
        lines = [list(map(_cell, line)) for line in frame.itertuples(index=False)]
        styles = ["", *["skr-n"] * (frame.shape[1] - 1)]
        table = Table(
            "Patches of rationales compared with those of simple rules", list(frame.columns), styles, lines
        )
        return document("rationale/templates/audit_card.html", verdict=verdict, tables=[table])


def _cell(value: Any) -> str:
    """Write a name, a number of pictures, a figure of three decimals, or a dash where there is none."""
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else value
    return "–" if math.isnan(value) else f"{value:.3f}".replace("-", "−")
