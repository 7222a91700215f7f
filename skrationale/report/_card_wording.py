"""What a model card says of each kind of reasons."""

from ..explanation import Explanation

CAUSES = "They are no causes, and do not say what would happen if a cell were changed."
"""What no reasons are."""
WHAT_REASONS_ARE = {
    "tree_shap": (
        "A network's imitation of its teacher's TreeSHAP, path-dependent: what a column adds to the "
        "score, where columns that are not known yet are averaged over by the shares of training rows in "
        "the branches of each tree.",
        "They are not the teacher's own values, which the R2 below compares them with, and not "
        "interventional Shapley values: columns that go together may share the credit of one.",
    ),
    "path": (
        "A network's imitation of its teacher's path contributions (Saabas): by how much the expected "
        "score changes at each split on a row's path, credited to the column of the split.",
        "They are no Shapley values: splits near the root of a tree are credited less than those below "
        "them for the same effect.",
    ),
    "permutation": (
        "A network's estimate of the interventional Shapley values of its teacher, learnt from random "
        "orders of the columns: unknown cells are those of background rows.",
        "They are not exact, and average over combinations of cells that may never occur together.",
    ),
    "integrated gradients": (
        "Integrated gradients of the network from the average training row to each row.",
        "They depend on that starting point, and are no Shapley values.",
    ),
    "rationale": (
        "The columns of each row from which it is predicted: given which columns they are, the prediction "
        "reads no other cell.",
        "They are no parts of a score: a weight says how much a column was wanted, and not what it adds. "
        "Which columns are chosen may depend on the whole row.",
    ),
    "formula": (
        "Shapley values of the formula against background rows: what each column adds to the value that "
        "the formula has on average. The formula itself is the model.",
        "They are not the terms of the formula, where columns meet in one term.",
    ),
    "attributes": (
        "Contributions of the columns to the score of FLINT's interpreter, which explains by attributes "
        "that it has learnt; shown here by columns.",
        "Where the network decides instead of the interpreter, they explain the interpreter and not the "
        "decision.",
    ),
    "other": (
        "What the model's own method explain gives, by columns.",
        "What they mean is said by that method.",
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
