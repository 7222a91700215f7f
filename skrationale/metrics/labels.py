"""How good class probabilities are against the true labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tabular import read_target


def label_measures(y: Any, probabilities: np.ndarray, classes: Any) -> dict[str, float]:
    """Measure class probabilities against labels by AUROC and log-loss.

    Accuracy says little where one class is rare: to predict the other one always is nearly always right.

    Parameters
    ----------
    y : array-like of shape (n,)
        True labels.
    probabilities : ndarray of shape (n, C)
        Rows sum to one.
    classes : array-like of shape (C,)
        Labels in the order of the columns.

    Returns
    -------
    dict of str to float
        ``auroc``: of the second of two classes; of more the mean over those that occur in `y`, each
        against all others. NaN when `y` holds one label alone. ``log_loss``: mean, in nats. Both are NaN when
        `y` holds a label that is not among the classes, or a probability is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> found = label_measures(["no", "yes"], np.array([[0.8, 0.2], [0.2, 0.8]]), ["no", "yes"])
    >>> found["auroc"], round(found["log_loss"], 3)
    (1.0, 0.223)
    """
    from sklearn.metrics import log_loss, roc_auc_score

    labels, known = read_target(y, warn=False, mixed=True), np.asarray(classes)
    if labels.dtype.kind != known.dtype.kind:
        labels, known = labels.astype(object), known.astype(object)
    own = labels[:, None] == known
    if not len(own) or not own.any(axis=1).all() or not np.isfinite(probabilities).all():
        return {"auroc": float("nan"), "log_loss": float("nan")}
    occur = [k for k in np.flatnonzero(own.any(axis=0)) if not own[:, k].all()]
    if len(known) == 2:
        occur = [k for k in occur if k == 1]
    areas = [roc_auc_score(own[:, k], probabilities[:, k]) for k in occur]
    loss = 0.0
    if len(known) > 1:
        loss = log_loss(own.argmax(axis=1), probabilities, labels=np.arange(len(known)))
    return {"auroc": float(np.mean(areas)) if areas else float("nan"), "log_loss": float(loss)}
