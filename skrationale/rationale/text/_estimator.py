"""TextRationaleClassifier and TextRationaleRegressor: predictions from a few words of each text."""

from __future__ import annotations

import numpy as np

from ..._kinds import PredictsLabels, PredictsNumbers, takes_class_weight
from ..._task import Task
from ._base import BaseTextRationale


@takes_class_weight
class TextRationaleClassifier(PredictsLabels, BaseTextRationale):
    """Predict the class of a text from a few of its words, and say which.

    A selector gives each word a logit, from the word and the two on either side; one threshold keeps the
    wanted share. A predictor reads the kept words as if there were no others: neither their places nor how
    many are hidden. With the mask held, no other word can change a prediction.

    Fitting follows [1]_ with other stages. First a predictor learns from texts in which words are replaced by
    words of other texts; it is then frozen, so that it cannot agree with a selector on a code. The selector
    learns which words that predictor needs, while words beyond the wanted share become dearer. Both are done
    on each half of the texts, so that there are masks of texts which their selector has not seen, and the
    logits of both selectors are averaged. At last a predictor learns to read shown words alone. It never sees
    a text with its own mask: each word is shown as often as words of its kind are selected elsewhere.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(32, 32)
        Widths of the hidden layers. The first is that of word vectors and of the selector.
    max_features : float or int, default=0.1
        Words a text. A float in (0, 1]: this share of the words on average over texts, more in some than in
        others. An int: exactly so many units in each text, all where it has fewer.
    unit : str, default="word"
        What is shown or hidden as a whole: ``"word"``, ``"sentence"``, or a regular expression whose matches
        are the units. What stands between units is never shown to the predictor.
    contiguity : float, default=0.0
        What each change between shown and hidden costs, in units of logits: 1 joins close neighbours, 3
        leaves a few runs of words. Masks are the best ones under this cost (Viterbi's algorithm).
    fill : {"marginal", "zero"}, default="marginal"
        What stands in the place of hidden words while the selector learns: words of other texts, or nothing.
    max_length : int, default=512
        Words behind so many are not read, and never selected.
    min_df : int, default=3
        Words of fewer training texts have no vector of their own.
    n_hashed : int, default=1000
        Vectors that such words, and unknown ones, share.
    max_epochs : int or "auto", default="auto"
        Passes over the training rows. ``"auto"``: as many as make a given number of steps. That is 400, but 6
        to 40 epochs. The last stage takes 0.6 times as many.
    batch_size : int, default=32
        Rows a step. At most an eighth of the rows.
    lr : float, default=3e-3
        Peak of the learning rate. It rises and falls in the last stage alone.
    weight_decay : float, default=0.1
        Weight decay. It is that of AdamW in the last stage; the others have none.
    early_stopping : bool, default=True
        Whether to take the weights that were best on held-out rows, and to stop after `n_iter_no_change`
        epochs without improvement there; an interrupt (Ctrl-C) then ends training with a warning, and is
        raised otherwise. It is the last stage that stops.
    validation_fraction : float, default=0.15
        Share of the rows held out to validate on; below 10 such rows, none are. From 100 on they also set the
        threshold and the scale of scores, with or without `early_stopping`.
    n_iter_no_change : int or None, default=None
        Epochs in a row without improvement after which training stops early. None: it goes to its end.
    device : str, default="auto"
        ``"cpu"``, ``"cuda"``, ...; ``"auto"`` takes a GPU when there is one.
    random_state : int, RandomState or None, default=None
        Seed of all that is drawn: weights, shuffles, held-out rows. Also words that fill hidden ones.
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
    mean_share_ : float
        Mean share of the words of training texts that is shown.
    mean_n_selected_ : float
        Mean number of units in the rationales of training texts.
    empty_rate_ : float
        Share of training texts without any; they get the same prediction, that of the class frequencies.
    truncated_share_ : float
        Share of training texts with more than `max_length` words.
    unknown_share_ : float
        Share of the shown words of training texts that have no vector of their own.
    n_words_ : int
        Number of word vectors.
    history_ : list of dict
        One dict an epoch: ``epoch``, ``lr``, ``dur`` in seconds, ``train_loss`` and, of held-out rows,
        ``valid_loss``, and the terms of both. Rows are held out in the last stage alone. Terms are ``task``
        (against `y`), ``share`` (of words shown) and, of a student, ``rationale`` and ``prediction``;
        ``stage`` is "random words", "selection" or "prediction".
    n_iter_ : int
        Number of epochs of all stages.
    device_ : str
        Where the networks were trained.

    See Also
    --------
    TextRationaleDistiller : Learns words from a teacher, also from texts without labels.
    RationaleClassifier : The same for tables.

    Notes
    -----
    The selector reads the whole text: a text changed outside its rationale may get another one. Hold the mask
    to see that predictions rest on it: ``predict(texts, mask=model.mask(other_texts))``.

    References
    ----------
    .. [1] Dai, Goebel, "Learn from A Rationalist: distilling intermediate interpretable rationales", 2026,
       arXiv:2601.22531.

    Examples
    --------
    >>> from skrationale import TextRationaleClassifier
    >>> texts = ["a dull and empty film", "a bright and moving film"] * 40
    >>> model = TextRationaleClassifier(max_features=2, random_state=0).fit(texts, ["bad", "good"] * 40)
    >>> model.predict(["a moving scene", "an empty scene"]).tolist()
    ['good', 'bad']
    >>> model.explain(texts[:1]).predictions
    ('bad',)
    """

    def _make_task(self, y: np.ndarray) -> Task:
        return Task.of_labels(y)


class TextRationaleRegressor(PredictsNumbers, BaseTextRationale):
    """Predict a number from a few words of each text, and say which.

    The loss is the squared error of the standardised target; all else is as in
    :class:`TextRationaleClassifier`.

    Parameters
    ----------
    hidden_layer_sizes, max_features, unit, contiguity, fill, max_length, min_df, n_hashed : object
        As in :class:`TextRationaleClassifier`.
    max_epochs, batch_size, lr, weight_decay : object
        As in :class:`TextRationaleClassifier`.
    early_stopping, validation_fraction, n_iter_no_change : object
        As in :class:`TextRationaleClassifier`.
    device, random_state, verbose, callbacks : object
        As in :class:`TextRationaleClassifier`.

    Attributes
    ----------
    mean_share_ : float
        Mean share of the words of training texts that is shown.

    See Also
    --------
    TextRationaleClassifier : Has all other attributes.

    Examples
    --------
    >>> from skrationale import TextRationaleRegressor
    >>> texts = ["one small room", "one large room", "two large rooms", "two small rooms"] * 20
    >>> model = TextRationaleRegressor(max_features=2, random_state=0).fit(texts, [1.0, 2.0, 4.0, 3.0] * 20)
    >>> model.score(texts, [1.0, 2.0, 4.0, 3.0] * 20) > 0.5
    True
    """

    def _make_task(self, y: np.ndarray) -> Task:
        return Task.of_numbers(y, "TextRationaleClassifier")
