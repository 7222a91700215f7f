"""What the outputs of networks are, in each scheme of imitation."""

from __future__ import annotations

from typing import Any


def split_outputs(outputs: Any, scheme: str, n_scores: int) -> tuple[Any, Any]:
    """Read the joined outputs of a scheme's networks.

    Parameters
    ----------
    outputs : Tensor or ndarray of shape (n, n_outputs)
        Outputs.
    scheme : {"additive", "joint", "independent", "score"}
        What they are.
    n_scores : int
        Number K of scores.

    Returns
    -------
    scores : Tensor or ndarray of shape (n, K)
    reasons : Tensor or ndarray of shape (n, K, d') or None
    """
    if scheme == "score":
        return outputs, None
    scores, reasons = (
        (None, outputs) if scheme == "additive" else (outputs[:, :n_scores], outputs[:, n_scores:])
    )
    reasons = reasons.reshape(len(outputs), n_scores, -1)
    return (reasons.sum(-1) if scores is None else scores), reasons
