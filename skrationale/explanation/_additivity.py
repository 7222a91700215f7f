"""How far reasons are from adding up to what a model says, on the scale on which it says it."""

from typing import TYPE_CHECKING, Any

import numpy as np

from . import checks

if TYPE_CHECKING:
    from ._explanation import Explanation

SCALES = ("auto", "score", "response")
SAME = ("identity", "probability")
"""Links with which a score is the response itself."""
NEARER = 0.5
"""Numbers are taken to be on one scale when they are so much nearer to the sums there than on the other."""
SURE = 1e-3
"""Numbers so near to the sums of reasons are on their scale, whatever else they look like."""


def additivity_error(explanation: "Explanation", answers: Any, scale: str) -> float:
    """Return how far sums of reasons are from what a model gave; see `Explanation.additivity_error`."""
    checks.one_of("scale", scale, SCALES)
    own, link = explanation.scores(), explanation.link
    given = checks.number_array("scores", answers)
    checks.shaped("scores", given, own.shape, "one score for each row and output")
    if given.size == 0:
        return 0.0
    if link in ("logit", "softmax") and scale != "score":
        _refuse_labels(own, given)
    parts = max(np.abs(explanation.base_values).max(), np.abs(explanation.values).max(initial=0.0))
    if link in SAME or scale == "score":
        return _error(own, given, 0.0 if link == "identity" and parts > 0 else 1.0, parts)
    responses = _responses(own, link)
    if scale == "response":
        if not responses:
            raise ValueError(
                "`scale` is 'response', but a single output of a softmax does not give a probability; "
                "expected 'score', or an explanation of all outputs."
            )
        return min(_error(response, given) for response in responses)
    sums = _on_the_scale(own, responses, given, link)
    return _error(sums, given, 1.0, parts if sums is own else 0.0)


def _error(sums: np.ndarray, given: np.ndarray, least: float = 1.0, parts: float = 0.0) -> float:
    """Return the largest distance as a share of the largest number that was given or added up."""
    error = np.abs(sums - given).max()  # NaN stays NaN
    return float(error / max(least, np.abs(given).max(), parts)) if error != 0 else 0.0


def _apart(own: np.ndarray, given: np.ndarray) -> float:
    """Return the median distance, which a few odd rows do not move; 0 when nothing is defined."""
    distance = np.abs(own - given)
    distance = distance[~np.isnan(distance)]
    return float(np.median(distance)) if distance.size else 0.0


def _responses(own: np.ndarray, link: str) -> list[np.ndarray]:
    """Return what scores (n,) or (n, k) stand for; several logits for probabilities, or their shares."""
    with np.errstate(over="ignore"):
        if link == "log":
            return [np.exp(own)]
    if link == "logit":
        each = 0.5 * (1 + np.tanh(own / 2))
        return [each] if own.ndim == 1 else [each, _shares(each)]
    if own.ndim == 1:
        return []  # it takes the scores of all outputs to know a probability
    return [_shares(np.exp(own - own.max(axis=1, keepdims=True)))]


def _shares(parts: np.ndarray) -> np.ndarray:
    return parts / np.maximum(parts.sum(axis=1, keepdims=True), np.finfo(float).tiny)


def _refuse_labels(own: np.ndarray, given: np.ndarray) -> None:
    if np.array_equal(given, np.round(given)) and _apart(own, given) > SURE:
        raise ValueError(
            "`scores` holds only whole numbers, which seem to be labels; expected the result of "
            "`decision_function` or `predict_proba`."
        )


def _on_the_scale(own: np.ndarray, responses: list[np.ndarray], given: np.ndarray, link: str) -> np.ndarray:
    """Return the sums as scores or as responses, whichever was given; raise where that cannot be told."""
    if not _can_be_responses(given, link):
        return own
    found, to_score, to_response = own, _apart(own, given), np.inf
    if responses:
        response = min(responses, key=lambda response: _apart(response, given))
        to_response = _apart(response, given)
        found = response if to_response < to_score else own
    near, far = sorted((to_score, to_response))
    if near <= SURE or (responses and near <= NEARER * far):
        return found
    raise ValueError(
        "`scores` is close neither to the sums of the contributions nor to the responses computed from "
        f"them (link {link!r}), so its scale is not clear. Set scale='score' for the result of "
        "`decision_function` or the raw scores of a regressor. Set scale='response' for the result of a "
        "regressor's `predict`, or of `predict_proba` for all outputs."
    )


def _can_be_responses(given: np.ndarray, link: str) -> bool:
    known = given[~np.isnan(given)]
    return bool((known >= 0).all() and (link == "log" or (known <= 1).all()))
