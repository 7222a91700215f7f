"""What a model card says of each kind of reasons."""

from ..explanation import Explanation

CAUSES = "They are not causes, and do not say what would happen if a cell were changed."
"""What no reasons are."""
WHAT_REASONS_ARE = {
    "tree_shap": (
        "Predictions by a network of its teacher's TreeSHAP values (path-dependent). A value is what a "
        "column adds to the score. Columns that are not known yet are averaged out, weighted by the share "
        "of training rows in each branch of a tree.",
        "They are not the teacher's own values: the R2 below compares the two. They are not "
        "interventional Shapley values: columns that depend on each other may share the contribution of "
        "one.",
    ),
    "path": (
        "Predictions by a network of its teacher's path contributions (Saabas). At each split on a row's "
        "path, the change of the expected score is added to the column of the split.",
        "They are not Shapley values: for the same effect, splits near the root of a tree get a smaller "
        "contribution than splits below them.",
    ),
    "permutation": (
        "Predictions by a network of its teacher's interventional Shapley values, learnt from random "
        "orders of the columns. Unknown cells get the values of background rows.",
        "They are not exact. They average over combinations of cells that may never occur together.",
    ),
    "integrated gradients": (
        "Integrated gradients of the network from the average training row to each row.",
        "They depend on this starting point. They are not Shapley values.",
    ),
    "rationale": (
        "The columns from which each row is predicted. Once they are selected, the prediction uses no "
        "other cell.",
        "They are not parts of a score: a weight says how strongly a column was selected, and not what it "
        "adds. The selection may depend on the whole row.",
    ),
    "formula": (
        "Shapley values of the formula with background rows: what each column adds to the average value "
        "of the formula. The formula itself is the model.",
        "They are not the terms of the formula, because one term may hold several columns.",
    ),
    "attributes": (
        "Contributions of the columns to the score of FLINT's interpreter, which explains by attributes "
        "that it has learnt; shown here by columns.",
        "If the prediction comes from the network and not from the interpreter, they explain only the "
        "interpreter.",
    ),
    "other": (
        "What the model's own method explain gives, by columns.",
        "The documentation of that method says what they mean.",
    ),
}
"""By kind: what such reasons are, and what they are not."""


def kind_of_reasons(explanation: Explanation) -> str:
    """Say which of the kinds reasons are.

    Examples
    --------
    >>> kind_of_reasons(Explanation([[0.3]], 0.0, meta={"explanation": "path"}))
    'path'
    """
    if explanation.kind in ("rationale", "formula"):
        return explanation.kind
    if "decides" in explanation.meta or explanation.kind == "attribute":
        return "attributes"
    kind = explanation.meta.get("explanation")
    return kind if kind in WHAT_REASONS_ARE else "other"


def sum_of(explanation: Explanation) -> str:
    """Say whether reasons add up to the score; nothing of columns that are chosen.

    Examples
    --------
    >>> sum_of(Explanation([[0.3]], 0.0))
    'Base and reasons add up to the score of each row.'
    """
    kind = kind_of_reasons(explanation)
    if kind in ("rationale", "other") and explanation.kind != "additive":
        return ""
    if explanation.meta.get("imitation", "additive") != "additive":
        return "In this scheme base and reasons do not add up to the score."
    whose = "the interpreter's score" if kind == "attributes" else "the score"
    return f"Base and reasons add up to {whose} of each row."
