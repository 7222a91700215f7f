"""FLINTClassifier and FLINTRegressor: a network and a small dictionary of readable attributes."""

from __future__ import annotations

import numpy as np

from .._kinds import PredictsLabels, PredictsNumbers, takes_class_weight
from .._task import Task
from ._base import BaseFlint


@takes_class_weight
class FLINTClassifier(PredictsLabels, BaseFlint):
    """Train a network together with a small set of attributes that explain its predictions [1]_.

    A predictor f makes predictions. An interpreter g computes J attributes, which are numbers of at least 0,
    from the hidden layers of f, and its scores are linear in them: ``g = bias + W phi``. Both are trained
    together, so that g agrees with f, a row can be decoded from its attributes, each row has few attributes,
    and different rows have different ones. Beyond the paper, short rules on the columns should describe the
    attributes. An interpreter can also be trained for a predictor that is already fitted.

    `X` may hold images, as an array (n, C, H, W), or (n, H, W) for one channel, of numbers without NaN. The
    predictor is then a small convolutional network without rules, and each column is a pixel. The fitted
    model also takes rows of C*H*W numbers as images. `describe` names patches of the image, and
    `plot_attribute` draws images.

    Parameters
    ----------
    predictor : estimator or torch.nn.Module, default=None
        None: a multi-layer perceptron that is trained with the interpreter. Otherwise a scikit-learn
        `MLPClassifier` (also at the end of a `Pipeline`) or a network of this package (except FLINT), which
        is cloned and fitted. Wrap a network that is already fitted in
        :class:`sklearn.frozen.FrozenEstimator`. A torch module is always used as it is. It takes rows of d
        numbers, with codes for categories, or images (B, C, H, W), and returns logits.
    hidden_layer_sizes : sequence of int or "auto", default="auto"
        Widths of the hidden layers. They are used if no predictor is given. For images they are the numbers
        of channels of two convolutions, and the width of the layer after them. ``"auto"``: (64, 64), for
        images (16, 32, 128).
    n_attributes : int, default=24
        Number J of attributes.
    hidden_layers : "all", or sequence of int or str, default="all"
        Positions of the hidden layers from which attributes are computed. For a torch module they may also be
        names, and "all" means the last two layers before the output.
    decide_with : {"interpreter", "model"}, default=None
        Which one makes the predictions. None: the interpreter if no predictor is given, so that a score is
        the sum of the contributions of its attributes; otherwise the given predictor.
    fidelity_lambda : float, default=0.5
        Weight of the loss for disagreement of g with f.
    reconstruction_lambda : float, default=0.8
        Weight of the error of the decoded row, which is a mean over columns.
    conciseness_lambda : float, default=0.2
        Weight of the entropy of a row's attributes minus the entropy of the mean attributes.
    sparsity_lambda : float, default=0.1
        Weight of the mean size of attributes.
    rule_lambda : float, default=0.5
        Weight of the distance between attributes and the trees of depth 5 that describe them best. The trees
        are fitted ten times after the first third of the training, on at least 200 rows.
    attribute_names : sequence of J str, default=None
        Names. None: ``attribute_0``, ...
    max_epochs : int or "auto", default="auto"
        Passes over the training rows. ``"auto"``: the number that gives a fixed number of steps. That is
        2000, but 12 to 200 epochs; with more than 10,000 training rows of a table 4000, but 12 to 40 epochs.
    batch_size : int or "auto", default="auto"
        Rows per step. ``"auto"``: 64, and 256 with more than 10,000 training rows of a table. With up to 128
        training rows each step uses all rows.
    lr : float or "auto", default="auto"
        Peak of the learning rate. The rate rises at first and then falls until the end of training.
        ``"auto"``: 0.003, and 0.015 with more than 10,000 training rows of a table.
    weight_decay : float or "auto", default="auto"
        Weight decay. It is an L2 penalty of Adam. ``"auto"``: 0, and 0.0001 with more than 10,000 training
        rows of a table.
    early_stopping : bool, default=True
        Whether to keep the weights that were best on held-out rows, and to stop after `n_iter_no_change`
        epochs without improvement there. An interrupt (Ctrl-C) then ends training with a warning; otherwise
        it is raised. The best weights have the lowest sum of the loss of f and the weighted disagreement of
        g.
    validation_fraction : float, default=0.15
        Share of the rows held out for validation. If these are fewer than 10, none are held out. They are
        held out only with `early_stopping`.
    n_iter_no_change : int or None, default=None
        Training stops early after this number of epochs without improvement. None: it never stops early.
    device : str, default="auto"
        ``"cpu"``, ``"cuda"``, ...; ``"auto"`` uses a GPU if there is one.
    random_state : int, RandomState or None, default=None
        Seed of all random numbers: weights, shuffles, held-out rows.
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
    predictor_ : estimator
        The given predictor, fitted.
    active_attributes_ : ndarray of bool of shape (J,)
        Attributes that vary. An attribute is dead if its standard deviation is below a thousandth of the
        largest one: its weight is 0, and its mean contribution is part of the bias.
    n_active_attributes_ : int
        Their number.
    global_relevance_ : ndarray of shape (C, J)
        Mean relevance of each attribute in the rows that the interpreter assigns to each class: positive if
        it supports the class, and NaN for a class that is never predicted.
    attribute_importances_ : ndarray of shape (J,)
        Mean absolute deviation of an attribute's contributions from their mean, scaled to sum to 1.
    feature_importances_ : ndarray of shape (d,)
        Importance of columns: how much shuffling a column changes the attributes. For images it is estimated
        by gradients of pixels or, if the predictor has none, by hiding patches.
    history_ : list of dict
        One dict per epoch: ``epoch``, ``lr``, ``dur`` in seconds, ``train_loss``, for held-out rows
        ``valid_loss``, and the terms of both. Terms are ``task`` (the loss of f against `y`) and the terms
        with a weight: ``fidelity``, ``reconstruction``, ``conciseness``, ``sparsity`` and ``rule``.
    n_iter_ : int
        Number of epochs.
    device_ : str
        Where the network was trained.
    image_shape_ : (int, int, int) or None
        Channels, height and width of images; None for a table.
    n_features_in_ : int
        Number of columns d, or of pixels.
    feature_names_in_ : ndarray of shape (d,)
        Their names, if all are strings.

    See Also
    --------
    FLINTRegressor : The same for regression.

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
    """Train a network for regression together with a small set of attributes that explain its predictions.

    The losses are squared errors of the standardised target. An attribute that lowers the prediction may be
    relevant too. Everything else is as in :class:`FLINTClassifier`.

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
        Mean absolute relevance of each attribute.

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
