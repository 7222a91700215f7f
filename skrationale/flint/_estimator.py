"""FLINTClassifier and FLINTRegressor: a network and a small dictionary of readable attributes."""

from __future__ import annotations

import numpy as np

from .._kinds import PredictsLabels, PredictsNumbers, takes_class_weight
from .._task import Task
from ._base import BaseFlint


@takes_class_weight
class FLINTClassifier(PredictsLabels, BaseFlint):
    """Learn a network and a small dictionary of attributes that its decisions read as [1]_.

    A predictor f answers. An interpreter g reads J attributes, numbers of at least 0, off its hidden layers,
    and its scores are linear in them: ``g = bias + W phi``. They are trained together, so that g agrees with
    f, the attributes tell enough of a row to decode it, each row has few of them and different rows
    different ones, and, beyond the paper, short rules in the table's columns describe them. A predictor that
    is fitted already gets an interpreter too.

    `X` may hold images, as an array of shape (n, C, H, W) of numbers without NaN. The predictor is then a
    small convolutional network, no rules are learnt, and a column is a pixel: rows of C*H*W numbers are
    taken for images by the fitted model, `describe` names pixels ``x0``, ``x1``, ..., and `plot_attribute`
    draws.

    Parameters
    ----------
    predictor : estimator or torch.nn.Module, default=None
        None: a multi-layer perceptron that learns with the interpreter. Else a scikit-learn `MLPClassifier`
        (also at the end of a `Pipeline`) or a network of this package (all but FLINT itself), which
        is cloned and fitted; one that is fitted already goes in through
        :class:`sklearn.frozen.FrozenEstimator`. A torch module is always taken as it is, frozen; it takes
        rows of d numbers, with codes for categories, or images (B, C, H, W), and gives logits.
    hidden_layer_sizes : sequence of int or "auto", default="auto"
        Widths of the hidden layers. They are those of an own predictor; for images the numbers of maps of two
        convolutions, and the width of the layer after them. ``"auto"``: (64, 64), for images (16, 32, 128).
    n_attributes : int, default=24
        Number J of attributes.
    hidden_layers : "all", or sequence of int or str, default="all"
        Hidden layers that attributes are read off, by position; of a torch module also by name, and "all"
        means the last two before the output.
    decide_with : {"interpreter", "model"}, default=None
        Who predicts. None: the interpreter where the predictor is own, so that a prediction is the sum of
        its attributes, and a given predictor itself.
    fidelity_lambda : float, default=0.5
        Weight of the agreement of g with f.
    reconstruction_lambda : float, default=0.8
        Weight of the error of the decoded row, a mean over columns.
    conciseness_lambda : float, default=0.2
        Weight of the entropy of a row's attributes less that of their means.
    sparsity_lambda : float, default=0.1
        Weight of the mean attribute.
    rule_lambda : float, default=0.5
        Weight of the distance of attributes from the trees of depth 5 that describe them best; trees are
        fitted ten times after a third of the training, on at least 200 rows.
    attribute_names : sequence of J str, default=None
        Names. None: ``attribute_0``, ...
    max_epochs : int or "auto", default="auto"
        Passes over the training rows. ``"auto"``: as many as make a given number of steps. That is 2000, but
        12 to 200 epochs.
    batch_size : int, default=64
        Rows a step. Up to 128 training rows make one step together.
    lr : float, default=3e-3
        Peak of the learning rate. It rises at first and falls to the end of training.
    weight_decay : float, default=0.0
        Weight decay. It is an L2 penalty of Adam.
    early_stopping : bool, default=True
        Whether to take the weights that were best on held-out rows, and to stop after `n_iter_no_change`
        epochs without improvement there; an interrupt (Ctrl-C) then ends training with a warning, and is
        raised otherwise. Best is the lowest sum of the loss of f and the weighted agreement of g.
    validation_fraction : float, default=0.15
        Share of the rows held out to validate on; below 10 such rows, none are. They are held out for
        `early_stopping` alone.
    n_iter_no_change : int or None, default=None
        Epochs in a row without improvement after which training stops early. None: it goes to its end.
    device : str, default="auto"
        ``"cpu"``, ``"cuda"``, ...; ``"auto"`` takes a GPU when there is one.
    random_state : int, RandomState or None, default=None
        Seed of all that is drawn: weights, shuffles, held-out rows.
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
    predictor_ : estimator
        The given predictor, fitted.
    active_attributes_ : ndarray of bool of shape (J,)
        Attributes that vary. One whose standard deviation is below a thousandth of the largest is dead: its
        weight is 0, and its mean contribution is part of the bias.
    n_active_attributes_ : int
        Their number.
    global_relevance_ : ndarray of shape (C, J)
        Mean relevance of each attribute in the rows that the interpreter assigns to each class, positive
        where it speaks for the class; NaN for a class that it never predicts.
    attribute_importances_ : ndarray of shape (J,)
        Mean size of an attribute's contributions less their mean, scaled to sum 1.
    feature_importances_ : ndarray of shape (d,)
        The same of columns: how much shuffling a column changes the attributes.
    history_ : list of dict
        One dict an epoch: ``epoch``, ``lr``, ``dur`` in seconds, ``train_loss`` and, of held-out rows,
        ``valid_loss``, and the terms of both. Terms are ``task`` (of f, against `y`) and those
        that have a weight: ``fidelity``, ``reconstruction``, ``conciseness``, ``sparsity`` and ``rule``.
    n_iter_ : int
        Number of epochs.
    device_ : str
        Where the network was trained.
    image_shape_ : (int, int, int) or None
        Channels, height and width of images; None for a table.
    n_features_in_ : int
        Number of columns d, or of pixels.
    feature_names_in_ : ndarray of shape (d,)
        Their names, when all are text.

    See Also
    --------
    FLINTRegressor : The same for numbers.

    References
    ----------
    .. [1] Parekh, Mozharovskyi, d'Alché-Buc, "A Framework to Learn with Interpretation", NeurIPS 2021,
       arXiv:2010.09345.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skrationale import FLINTClassifier
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> model = FLINTClassifier(n_attributes=8, max_epochs=40, random_state=0).fit(X, y)
    >>> model.transform(X).shape
    (569, 8)
    >>> model.fidelity(X, y)["interpreter_score"] > 0.9
    True
    """

    def _make_task(self, y: np.ndarray) -> Task:
        return Task.of_labels(y)


class FLINTRegressor(PredictsNumbers, BaseFlint):
    """Learn a network and a small dictionary of attributes that its predictions of a number read as.

    The losses are squared errors of the standardised target; an attribute is relevant also when it lowers
    the prediction. All else is as in :class:`FLINTClassifier`.

    Parameters
    ----------
    predictor, hidden_layer_sizes, n_attributes, hidden_layers, decide_with : object
        As in :class:`FLINTClassifier`.
    fidelity_lambda, reconstruction_lambda, conciseness_lambda, sparsity_lambda, rule_lambda : object
        As in :class:`FLINTClassifier`.
    attribute_names, max_epochs, batch_size, lr, weight_decay : object
        As in :class:`FLINTClassifier`.
    early_stopping, validation_fraction, n_iter_no_change : object
        As in :class:`FLINTClassifier`.
    device, random_state, verbose, callbacks : object
        As in :class:`FLINTClassifier`.

    Attributes
    ----------
    global_relevance_ : ndarray of shape (1, J)
        Mean size of the relevance of each attribute.

    See Also
    --------
    FLINTClassifier : The same for classes, with the other attributes.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skrationale import FLINTRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = FLINTRegressor(n_attributes=6, max_epochs=20, random_state=0).fit(X, y)
    >>> explanation = model.explain(X)
    >>> explanation.additivity_error(model.predict(X)) < 1e-6
    True
    """

    def _make_task(self, y: np.ndarray) -> Task:
        return Task.of_numbers(y, "FLINTClassifier")
