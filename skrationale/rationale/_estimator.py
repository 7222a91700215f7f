"""RationaleClassifier and RationaleRegressor: predictions from a few columns, chosen row by row."""

from __future__ import annotations

import numpy as np

from .._kinds import PredictsLabels, PredictsNumbers, takes_class_weight
from .._task import Task
from ._base import BaseRationale


@takes_class_weight
class RationaleClassifier(PredictsLabels, BaseRationale):
    """Predict a class from a few columns of each row, and say which.

    A selector decides, row by row, which columns are needed; a predictor sees the cells of these alone. What
    is not in the rationale cannot have decided: with the mask held, changing any other cell changes nothing.

    Fitting has three stages. First the gates of columns are the same for all rows, and the price of a
    column rises until the last one is left out; columns that validation rows do not miss take no further
    part. Then selector and predictor learn together, as in [1]_ but with gates between open and closed and
    with hidden cells filled by cells of other rows [2]_, while the price rises from nothing; validation rows
    choose among the selectors on the way. From 2000 rows on this is done twice, the second time with numbers
    in linear pieces [3]_ besides as they are, which is kept where it is clearly better. At last a new
    predictor learns from hard masks. It never sees a row with its own mask but with that of another row, or
    a random one, and so it cannot read the answer off the mask.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(64, 64)
        Widths of the hidden layers. Selector and predictor have the same.
    max_features : float, int or None, default=None
        Columns a row. None: as few as the prediction bears. A float in (0, 1]: this share of all columns
        on average over the training rows, more in some rows than in others; where training was too short
        for rows to differ, all have the same columns, and the share is met to the nearest whole column. An
        int: exactly so many in each row. Columns that never vary are never selected.
    sparsity_lambda : float or "auto", default="auto"
        Penalty for each column selected in a row, relative to the loss of a constant prediction. A column is
        selected if it lowers the loss by more. ``"auto"`` chooses by validation rows from 0.01 to 0.09, or to
        0.15 with less than 2000 rows; with less than 10 validation rows it is 0.04. With a rate in
        `max_features` only columns beyond the rate are penalised.
    relaxation : {"soft", "gumbel"}, default="soft"
        Gates while training: open by their probability, or drawn as 0 or 1 with straight-through gradients.
    fill : {"marginal", "zero", "mean", "token"}, default="marginal"
        What stands in hidden cells while the selector learns: cells of other rows, zeros, means, or a
        learnt vector. With all but the first a selector may learn to signal the answer by what it hides.
    temperature : (float, float), default=(5.0, 0.1)
        Of drawn gates, at the beginning and at the end of training.
    screening : bool, default=True
        Whether columns that no row needs are left out first. Not done with less than 10 validation rows,
        nor with at most 20 columns of less than 2000 rows.
    preset : {"paper"} or None, default=None
        ``"paper"``: the form of [1]_ instead of the above: drawn gates, zeros in hidden cells, one training
        with a squared penalty on what the mean number of columns in a batch deviates from `max_features`
        by (a rate; None: 0.1), of weight `sparsity_lambda` (``"auto"``: 0.1). Only predictions are made
        without noise. `relaxation`, `fill` and `screening` are then not used.
    max_epochs : int or "auto", default="auto"
        Passes over the training rows. ``"auto"``: as many as make a given number of steps. That is 2000, but
        20 to 200 epochs, for the second stage. Screening takes half as many again, the last stage twice as
        many.
    batch_size : int, default=256
        Rows a step. At most a sixteenth of the rows.
    lr : float, default=1e-3
        Peak of the learning rate. It is that of the selector, three times as much with less than 2000 rows,
        and does not change; screening takes four times as much, and the last stage, in which it rises and
        falls, five times.
    weight_decay : float or "auto", default="auto"
        Weight decay. It is an L2 penalty of Adam in the first two stages. ``"auto"``: 0.001; with less than
        2000 rows validation rows choose among 0.001, 0.002 and 0.01.
    early_stopping : bool, default=True
        Whether to take the weights that were best on held-out rows, and to stop after `n_iter_no_change`
        epochs without improvement there; an interrupt (Ctrl-C) then ends training with a warning, and is
        raised otherwise. It is the last stage that stops.
    validation_fraction : float, default=0.15
        Share of the rows held out to validate on; below 10 such rows, none are. They also choose columns,
        price and weight decay, with or without `early_stopping`.
    n_iter_no_change : int or None, default=None
        Epochs in a row without improvement after which training stops early. None: it goes to its end.
    device : str, default="auto"
        ``"cpu"``, ``"cuda"``, ...; ``"auto"`` takes a GPU when there is one.
    random_state : int, RandomState or None, default=None
        Seed of all that is drawn: weights, shuffles, held-out rows. Also cells that fill hidden ones.
    verbose : int, default=0
        0: silent, 1: a progress bar, 2: a table of losses.
    callbacks : list of skorch callbacks, default=None
        Called during training.
    class_weight : dict of label to number, or "balanced", default=None
        Weights of classes, which multiply those of rows. ``"balanced"``: all classes weigh the same.

    Attributes
    ----------
    classes_ : ndarray of shape (C,)
        Class labels.
    mean_n_selected_ : float
        Mean number of columns in the rationales of training rows.
    empty_rate_ : float
        Share of training rows without any; they get the same prediction.
    selection_frequencies_ : ndarray of shape (d,)
        Share of training rows whose rationale holds the column.
    class_frequencies_ : ndarray of shape (C, d)
        The same among the training rows predicted as each class; NaN for a class that never is.
    feature_importances_ : ndarray of shape (d,)
        `selection_frequencies_`, scaled to sum 1.
    lambda_path_ : list of dict
        For each price that was compared: ``sparsity_lambda``, ``validation_loss`` and its
        ``standard_error``, ``selected``.
    history_ : list of dict
        One dict an epoch: ``epoch``, ``lr``, ``dur`` in seconds, ``train_loss`` and, of held-out rows,
        ``valid_loss``, and the terms of both. Terms are ``task`` (against `y`), ``columns`` (shown
        on average) and, of a student, ``rationale`` and ``prediction`` (against its teacher's); ``stage``
        is that of the epoch.
    n_iter_ : int
        Number of epochs of all stages.
    device_ : str
        Where the networks were trained.
    n_features_in_ : int
        Number of columns d.
    feature_names_in_ : ndarray of shape (d,)
        Their names, when all are text.

    Notes
    -----
    The selector reads the whole row: a row changed outside its rationale may get another one. Hold the mask
    to see that predictions rest on it: ``predict(X, mask=M)``.

    A row without any column is predicted by the class frequencies of the training rows. A target of one class
    needs no columns at all.

    References
    ----------
    .. [1] Dai, Goebel, "Learn from A Rationalist: distilling intermediate interpretable rationales", 2026,
       arXiv:2601.22531.
    .. [2] "Hide & Seek", ICML 2026.
    .. [3] Gorishniy, Rubachev, Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning",
       NeurIPS 2022, arXiv:2203.05556.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skrationale import RationaleClassifier
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> model = RationaleClassifier(max_features=3, max_epochs=30, random_state=0).fit(X, y)
    >>> model.get_rationale(X).sum(axis=1).max()
    np.int64(3)
    >>> model.score(X, y) > 0.9
    True
    """

    def _make_task(self, y: np.ndarray) -> Task:
        return Task.of_labels(y)


class RationaleRegressor(PredictsNumbers, BaseRationale):
    """Predict a number from a few columns of each row, and say which.

    The loss is the squared error of the standardised target; all else is as in
    :class:`RationaleClassifier`.

    Parameters
    ----------
    hidden_layer_sizes, max_features, sparsity_lambda, relaxation, fill, temperature, screening : object
        As in :class:`RationaleClassifier`.
    preset, max_epochs, batch_size, lr, weight_decay : object
        As in :class:`RationaleClassifier`.
    early_stopping, validation_fraction, n_iter_no_change : object
        As in :class:`RationaleClassifier`.
    device, random_state, verbose, callbacks : object
        As in :class:`RationaleClassifier`.

    Attributes
    ----------
    mean_n_selected_ : float
        Mean number of columns in the rationales of training rows.

    See Also
    --------
    RationaleClassifier : Has all other attributes.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skrationale import RationaleRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = RationaleRegressor(max_features=0.4, max_epochs=30, random_state=0).fit(X, y)
    >>> abs(model.mean_n_selected_ - 4) < 0.1
    True
    """

    def _make_task(self, y: np.ndarray) -> Task:
        return Task.of_numbers(y, "RationaleClassifier")
