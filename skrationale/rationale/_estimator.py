"""RationaleClassifier and RationaleRegressor: predictions from a few columns, chosen row by row."""

from __future__ import annotations

import numpy as np

from .._kinds import PredictsLabels, PredictsNumbers, takes_class_weight
from .._task import Task
from ._base import BaseRationale


@takes_class_weight
class RationaleClassifier(PredictsLabels, BaseRationale):
    """Predict a class from a few columns of each row, or a few patches of each picture, and say which.

    A selector chooses columns for each row, and a predictor uses only the values of these columns. With
    ``predict(X, mask=m)``, other columns have no effect. `X` of shape (n, H, W) or (n, C, H, W) holds
    pictures, which are cut into patches. Below, "row" then means a picture, and "column" a patch.

    For tables, fitting has three stages. In the first one all rows have the same gates, and the penalty per
    column rises until no column is left. Columns that can be left out without a higher validation loss are
    dropped. In the second stage selector and predictor are trained together as in [1]_, but with gates
    between 0 and 1, and with hidden values replaced by those of other rows [2]_. The penalty rises from 0,
    and validation rows choose among the selectors at different penalties. From 2000 rows on the stage is
    repeated with piecewise linear encodings of numbers [3]_, which are used if they are clearly better. In
    the last stage a new predictor is trained with masks of 0 and 1. It never sees a row with its own mask,
    but with the mask of another row or a random one. So it cannot learn to read the label from the mask.

    Pictures have other stages. A predictor is trained with whole pictures, then with random masks, and is not
    changed after that. Its gradients with respect to the mask give patches values, or a selector does that is
    trained to predict what masks do to it: the values of the shown patches add up to the log-probability of
    the predicted class, as in [4]_. In the last stage a copy of the predictor is trained further with masks
    that were selected for other pictures. Hidden pixels are replaced by the mean colour, and one more channel
    says which pixels are shown.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int or "auto", default="auto"
        Widths of the hidden layers. Selector and predictor have the same. ``"auto"``: (64, 64) for tables
        and (16, 32, 32) for pictures. For pictures these are the channels of the convolutions, and the last
        one is also the width of the transformer layer.
    max_features : float, int or None, default=None
        Columns per row. None: as few as possible, given the penalty. For pictures without a penalty: the
        smallest number, the same for all pictures, with about the lowest loss on validation pictures. A float
        in (0, 1]: this share of all columns on average over the training rows; rows may have more or fewer.
        If training was too short for rows to differ, all rows have the same columns, and their number is
        rounded. An int: exactly this number in each row. Columns that never vary are never selected.
    sparsity_lambda : float or "auto", default="auto"
        Penalty for each column selected in a row, relative to the loss of a constant prediction. A column is
        selected if it lowers the loss by more. ``"auto"`` chooses a value from 0.01 to 0.09 by the loss on
        validation rows, or up to 0.15 with fewer than 2000 rows. With fewer than 10 validation rows it is
        0.04. If `max_features` is a float, only columns beyond that share are penalised.
    relaxation : {"soft", "gumbel"}, default="soft"
        Gates in training: their probabilities, or random values of 0 or 1 with straight-through gradients.
    fill : {"marginal", "zero", "mean", "token"}, default="marginal"
        What replaces hidden values while the selector is trained: values of other rows, zeros, means, or a
        learnt vector. With all except the first, the mask may reveal the label.
    temperature : (float, float), default=(5.0, 0.1)
        Temperature of random gates, at the beginning and at the end of training.
    screening : bool, default=True
        Whether to drop columns that no row needs in a first stage. This is not done with fewer than 10
        validation rows, nor with at most 20 columns and fewer than 2000 rows.
    preset : {"paper"} or None, default=None
        ``"paper"``: the method of [1]_ instead of the above: random gates, zeros in place of hidden values,
        and one stage. Its penalty is the squared difference between the mean share of columns in a batch and
        `max_features` (None: 0.1), with the weight `sparsity_lambda` (``"auto"``: 0.1). Gates are random only
        in training, not in predictions. `relaxation`, `fill` and `screening` are not used.
    grid : int, (int, int) or None, default=None
        Patches down and across. None: along each side the largest number that divides it, up to 8 and with
        at least 2 pixels per patch; if this is below 4, the largest number allowed, with patches of nearly
        equal size. `grid`, `backbone`, `selector` and `selection` are for pictures only;
        `sparsity_lambda`, `relaxation`, `fill`, `temperature`, `screening` and `preset` for tables only.
    backbone : torch module, callable or None, default=None
        The network that predicts, or a function that makes one from the number of channels and the number
        of outputs. Its input are standardised pictures of shape (B, C + 1, H, W), whose last channel is 1
        where pixels are shown. Its output are scores, one per class, or one for numbers and for two classes.
        A network for C channels is also accepted; it is not told which pixels are hidden. None: convolutions
        and one transformer layer.
    selector : torch module, callable or None, default=None
        The network that gives patches values, of shape (B, L) or as maps (B, h, w), from standardised
        pictures of shape (B, C, H, W). None: a copy of the predictor with a new last layer on its last maps
        or tokens. If a given `backbone` has neither, the default network is used.
    selection : {"auto", "learned", "mask_gradients", "occlusion", "gates"}, default="auto"
        How patches get their values. ``"learned"``: the selector predicts what each patch adds to the
        log-probability of the first predictor; one pass per picture. ``"mask_gradients"``: no selector is
        used. The gradient of this log-probability with respect to the mask is integrated from no patch shown
        to all shown, in 8 steps of a forward and a backward pass. ``"auto"``: the better of these two on
        validation pictures: the one with the higher accuracy, or for numbers with the lower loss. If they
        differ by at most one standard error, it is the one that needs fewer patches, and then the one with
        the lower loss. It is ``"learned"`` with a given `selector`. A student of a teacher that selects
        patches uses gradients of masks if its teacher does, and otherwise a selector. ``"occlusion"``: the
        value of a patch is the loss in log-probability if this patch is hidden from the first predictor. This
        takes L + 1 passes per picture, for L patches. ``"gates"``: the selector learns gates that dim
        patches, with a penalty per open gate, and `max_features` of None lets the number of patches differ
        from picture to picture. Gates suit pictures in which few patches decide; in photographs they dim
        patches instead of hiding them.
    max_epochs : int or "auto", default="auto"
        Passes over the training rows. ``"auto"``: the number that gives a fixed number of steps. That is
        2000, but 15 to 200 epochs, for each stage. For pictures it is 800 steps, but 16 to 60 epochs, for the
        first predictor. The selector takes half as many epochs, and the last stage 0.4 times as many.
    batch_size : int, default=256
        Rows per step. At most a sixteenth of the rows. For pictures a quarter of this number is used.
    lr : float, default=1e-3
        Peak of the learning rate. The selector is trained with this constant rate, or three times this rate
        with fewer than 2000 rows. Screening takes four times this rate, and the last stage, in which the rate
        rises and falls, five times. For pictures the rate rises and falls in all stages, up to three times
        this rate, and up to twice for the selector.
    weight_decay : float or "auto", default="auto"
        Weight decay. It is an L2 penalty of Adam in the first two stages. ``"auto"``: 0.001; with fewer than
        2000 rows it is chosen among 0.001, 0.002 and 0.01 by the loss on validation rows. For pictures it is
        that of AdamW in all stages; ``"auto"``: 0.001, and 0.0001 for the selector.
    early_stopping : bool, default=True
        Whether to keep the weights that were best on held-out rows, and to stop after `n_iter_no_change`
        epochs without improvement there. An interrupt (Ctrl-C) then ends training with a warning; otherwise
        it is raised. Only the last stage stops early.
    validation_fraction : float, default=0.15
        Share of the rows held out for validation. If these are fewer than 10, none are held out. They are
        also used to choose columns, penalty and weight decay, with or without `early_stopping`.
    n_iter_no_change : int or None, default=None
        Training stops early after this number of epochs without improvement. None: it never stops early.
    device : str, default="auto"
        ``"cpu"``, ``"cuda"``, ...; ``"auto"`` uses a GPU if there is one.
    random_state : int, RandomState or None, default=None
        Seed of all random numbers: weights, shuffles, held-out rows. It is also used for the values that
        replace hidden ones.
    verbose : int or "auto", default="auto"
        0: silent, 1: a progress bar, 2: a table of losses. ``"auto"``: a bar in notebooks
        and terminals, after 3 seconds.
    callbacks : list of skorch callbacks, default=None
        Called during training.
    class_weight : dict of label to number, or "balanced", default=None
        Weights of classes, which multiply those of rows. ``"balanced"``: equal total weights.

    Attributes
    ----------
    classes_ : ndarray of shape (C,)
        Class labels.
    mean_n_selected_ : float
        Mean number of columns in the rationales of training rows.
    empty_rate_ : float
        Share of training rows with an empty rationale; all of them get the same prediction.
    selection_frequencies_ : ndarray of shape (d,)
        Share of training rows whose rationale holds the column.
    class_frequencies_ : ndarray of shape (C, d)
        The same for the training rows that are predicted as each class; NaN for a class that is never
        predicted.
    feature_importances_ : ndarray of shape (d,)
        `selection_frequencies_`, scaled to sum to 1.
    lambda_path_ : list of dict
        For each penalty that was compared: ``sparsity_lambda``, ``validation_loss`` and its
        ``standard_error``, ``selected``.
    history_ : list of dict
        One dict per epoch: ``epoch``, ``lr``, ``dur`` in seconds, ``train_loss``, for held-out rows
        ``valid_loss``, and the terms of both. Terms are ``task`` (the loss against `y`), ``columns`` (mean
        number of selected columns) and, for a student, ``rationale`` and ``prediction`` (against its
        teacher); ``stage`` is the stage of the epoch.
    grid_ : (int, int)
        Patches down and across. Only for pictures.
    image_shape_ : (int, int, int)
        Channels, height and width. Only for pictures.
    max_features_path_ : list of dict
        For each number of patches that was compared, if `max_features` is None: ``max_features``,
        ``validation_loss``, the ``standard_error`` of its difference from the lowest one, ``selected``. Only
        for pictures.
    selection_ : str
        How patches get their values: what ``selection="auto"`` has chosen, or `selection`. Only for pictures.
    n_iter_ : int
        Number of epochs of all stages.
    device_ : str
        Where the networks were trained.
    n_features_in_ : int
        Number of columns d; for pictures C * H * W.
    feature_names_in_ : ndarray of shape (d,)
        Their names, if all are strings.

    Notes
    -----
    The selector reads the whole row, so a row that changes outside its rationale may get another rationale.
    For a given mask, ``predict(X, mask=m)``, only the selected columns have an effect.

    A row with an empty rationale gets the class frequencies of the training rows. If `y` has one class, no
    columns are needed.

    Different sets of patches can be enough for one picture, and a rationale is one of them.

    References
    ----------
    .. [1] Dai, Goebel, "Learn from A Rationalist: distilling intermediate interpretable rationales", 2026,
       arXiv:2601.22531.
    .. [2] "Hide & Seek", ICML 2026.
    .. [3] Gorishniy, Rubachev, Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning",
       NeurIPS 2022, arXiv:2203.05556.
    .. [4] Jethani, Sudarshan et al., "FastSHAP: Real-Time Shapley Value Estimation", ICLR 2022,
       arXiv:2107.07436.

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

    Digits of 8 x 8 pixels, with 4 of 16 patches shown:

    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(n_class=3, return_X_y=True)
    >>> pictures = X.reshape(-1, 8, 8)
    >>> model = RationaleClassifier(max_features=4, max_epochs=4, random_state=0).fit(pictures, y)
    >>> model.get_rationale(pictures).shape, model.get_pixel_mask(pictures).shape
    ((537, 4, 4), (537, 8, 8))
    >>> model.score(pictures, y) > 0.8
    True
    """

    def _make_task(self, y: np.ndarray) -> Task:
        return Task.of_labels(y)


class RationaleRegressor(PredictsNumbers, BaseRationale):
    """Predict a number from a few columns of each row, or a few patches of each picture, and say which.

    The loss is the squared error of the standardised target. Everything else is as in
    :class:`RationaleClassifier`.

    Parameters
    ----------
    hidden_layer_sizes, max_features, sparsity_lambda, relaxation, fill, temperature, screening : object
        As in :class:`RationaleClassifier`.
    preset, grid, backbone, selector, selection, max_epochs, batch_size, lr, weight_decay : object
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
