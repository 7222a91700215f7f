"""SmoothMLPRegressor and SmoothMLPClassifier: networks with a small input gradient."""

from __future__ import annotations

import numpy as np

from .._kinds import PredictsLabels, PredictsNumbers, takes_class_weight
from .._task import Task
from .base import BaseSmoothMLP


class SmoothMLPRegressor(PredictsNumbers, BaseSmoothMLP):
    """A regression network whose gradient with respect to the input is kept small [1]_.

    Its loss is ``mean squared error + jacobian_lambda * mean ||d f(x) / d x||^2``, over standardised columns
    and a standardised target, so lambda has no unit (section 3 of the paper).

    Parameters
    ----------
    hidden_layer_sizes : sequence of int or "auto", default="auto"
        Widths of the hidden layers. ``"auto"``: three of 64, or of 128 from 5000 rows on.
    activation : {"silu", "tanh", "softplus", "relu"}, default="silu"
        Activation function. All are smooth except the last one, which has no curvature to penalise.
    jacobian_lambda : float or "auto", default="auto"
        Weight of the penalty. ``"auto"`` trains without it, then raises lambda step by step, each time from
        the weights of the step before, and takes the largest lambda whose validation loss is within one
        standard error of the best. With fewer than 10 validation rows it is 0.01, or the nearest of
        `jacobian_lambdas`.
    jacobian_lambdas : sequence of float, default=None
        Increasing lambdas for ``"auto"``. None: 0, 0.0001, 0.0003, ... 0.3.
    penalty : {"jacobian", "lipschitz", "spectral", "hessian"} or None, default="jacobian"
        What is penalised. ``"jacobian"``: the squared norm of the gradient. ``"lipschitz"``: the squared
        excess of this norm over 1. ``"spectral"``: the logarithm of the product of the layers' largest
        singular values. ``"hessian"``: the squared change of the gradient in a random direction.
    penalty_fraction : float, default=0.25
        Share of the steps in which the penalty is computed, with a weight that is larger accordingly. With 1
        it is computed in every step.
    max_epochs : int or "auto", default="auto"
        Passes over the training rows. ``"auto"``: the number that gives a fixed number of steps. That is
        2000, but 20 to 1000 epochs. Each further lambda takes 15 % of the epochs of the first one.
    batch_size : int, default=256
        Rows per step. At most a quarter of the training rows are used per step.
    lr : float, default=5e-3
        Peak of the learning rate. It rises at first and falls to the end of training; for each further lambda
        it is half as high.
    weight_decay : float, default=1e-4
        Weight decay. The optimiser is AdamW.
    early_stopping : bool, default=True
        Whether to keep the weights that were best on held-out rows, and to stop after `n_iter_no_change`
        epochs without improvement there. An interrupt (Ctrl-C) then ends training with a warning; otherwise
        it is raised.
    validation_fraction : float, default=0.15
        Share of the rows held out for validation. If these are fewer than 10, none are held out. They are
        also used to choose lambda, with or without `early_stopping`.
    n_iter_no_change : int, "auto" or None, default="auto"
        Training stops early after this number of epochs without improvement. None: it never stops early.
        ``"auto"``: a quarter of the epochs of the first lambda, but at least 10; further lambdas never stop
        early.
    device : str, default="auto"
        ``"cpu"``, ``"cuda"``, ...; ``"auto"`` uses a GPU if there is one.
    random_state : int, RandomState or None, default=None
        Seed of all random numbers: weights, shuffles, held-out rows.
    verbose : int or "auto", default="auto"
        0: silent, 1: a progress bar, 2: a table of losses. ``"auto"``: a bar in notebooks
        and terminals, after 3 seconds.
    callbacks : list of skorch callbacks, default=None
        Called during training.

    Attributes
    ----------
    lambda_ : float
        The lambda of the network.
    lambda_path_ : list of dict
        For each lambda tried: ``jacobian_lambda``, ``validation_loss`` and its ``standard_error``,
        ``mean_grad_norm``, ``n_iter``, ``seconds``, ``admissible`` (not worse than the best by more than one
        standard error), ``selected``. Without validation rows they are those of the training rows.
    mean_grad_norm_ : float
        Mean norm of the gradient, for standardised columns and target.
    feature_importances_ : ndarray of shape (d,)
        Mean absolute derivative with respect to each standardised column on the held-out rows, scaled to sum
        to 1.
    history_ : list of dict
        One dict per epoch: ``epoch``, ``lr``, ``dur`` in seconds, ``train_loss``, for held-out rows
        ``valid_loss``, and the terms of both. The term ``task`` is the loss against `y`, without the penalty;
        ``jacobian_lambda`` is the lambda of the epoch.
    n_iter_ : int
        Number of epochs.
    device_ : str
        Where the network was trained.
    n_features_in_ : int
        Number of columns d.
    feature_names_in_ : ndarray of shape (d,)
        Their names, if all are strings.

    Notes
    -----
    With up to 128 rows, and if none are held out, each step uses all rows and is computed in float64. A
    weight is then equal to repeated rows. Predictions are computed in float64 on the CPU.

    References
    ----------
    .. [1] Dhar, Fong, Motani, "Teaching the Teacher: improving neural network distillability for symbolic
       regression via Jacobian regularization", 2025, arXiv:2507.22767.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skrationale import SmoothMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> rough = SmoothMLPRegressor(jacobian_lambda=0, max_epochs=50, random_state=0).fit(X, y)
    >>> smooth = SmoothMLPRegressor(jacobian_lambda=0.1, max_epochs=50, random_state=0).fit(X, y)
    >>> smooth.mean_grad_norm_ < rough.mean_grad_norm_
    True
    """

    def _make_task(self, y: np.ndarray) -> Task:
        return Task.of_numbers(y, "SmoothMLPClassifier")


@takes_class_weight
class SmoothMLPClassifier(PredictsLabels, BaseSmoothMLP):
    """A classification network whose logits have a small gradient with respect to the input.

    The loss is the log-loss plus the penalty of :class:`SmoothMLPRegressor` on the logits: one logit for two
    classes, and one per class for more classes, with mean 0. Lambda depends on the scale of the logits.

    Parameters
    ----------
    hidden_layer_sizes, activation, jacobian_lambda, jacobian_lambdas : object
        As in :class:`SmoothMLPRegressor`.
    penalty, penalty_fraction, max_epochs, batch_size, lr, weight_decay : object
        As in :class:`SmoothMLPRegressor`. For more than 4 classes the penalty is that of a sum of the logits
        with random signs in each row, which is the same on average.
    early_stopping, validation_fraction, n_iter_no_change : object
        As in :class:`SmoothMLPRegressor`.
    device, random_state, verbose, callbacks : object
        As in :class:`SmoothMLPRegressor`.
    class_weight : dict of label to number, or "balanced", default=None
        Weights of classes, which multiply those of rows. ``"balanced"``: equal total weights.

    Attributes
    ----------
    classes_ : ndarray of shape (C,)
        Class labels.

    See Also
    --------
    SmoothMLPRegressor : Has all other attributes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skrationale import SmoothMLPClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = SmoothMLPClassifier(jacobian_lambda=0.01, max_epochs=100, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    def _make_task(self, y: np.ndarray) -> Task:
        task = Task.of_labels(y)
        assert task.classes is not None
        if len(task.classes) < 2:
            raise ValueError(
                f"SmoothMLPClassifier needs at least two classes. Got 1 class: {task.classes[0]!r}."
            )
        return task
