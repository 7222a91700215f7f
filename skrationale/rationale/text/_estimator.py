"""TextRationaleClassifier and TextRationaleRegressor: predictions from a few words of each text."""

from __future__ import annotations

import numpy as np

from ..._kinds import PredictsLabels, PredictsNumbers, takes_class_weight
from ..._task import Task
from ._base import BaseTextRationale


@takes_class_weight
class TextRationaleClassifier(PredictsLabels, BaseTextRationale):
    """Predict the class of a text from a few of its words, and say which.

    A selector gives each word a logit, from the word and the two words on either side. One threshold selects
    the wanted share of words. A predictor reads only the selected words, without their positions and without
    the number of hidden words. With ``predict(X, mask=m)``, other words have no effect.

    Fitting follows [1]_ with other stages. First a predictor is trained on texts in which words are replaced
    by words of other texts. It is then frozen, so the selector cannot train it to read a code from the mask.
    The selector is trained to find the words that this predictor needs, with a growing penalty on words
    beyond the wanted share. Both are done on each half of the texts, so that each text has a mask from a
    selector that has not seen it, and for new texts the logits of both selectors are averaged. In the last
    stage a new predictor is trained on selected words only. It never sees a text with its own mask: each word
    is shown as often as similar words are selected in other texts. With a `backbone` the last stage comes
    first, see there.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(32, 32)
        Widths of the hidden layers. The first is that of word vectors and of the selector.
    max_features : float or int, default=0.1
        Words per text. A float in (0, 1]: this share of the words on average over texts; texts may have more
        or fewer. An int: exactly this number of units in each text, or all if the text has fewer.
    unit : str, default="word"
        What is shown or hidden as a whole: ``"word"``, ``"sentence"``, or a regular expression whose matches
        are the units. The predictor never reads the text between units.
    contiguity : float, default=0.0
        Penalty for each change between shown and hidden words, in units of logits: 1 joins close neighbours,
        and 3 gives a few runs of words. Masks are the best ones under this penalty (Viterbi's algorithm).
    fill : {"marginal", "zero"}, default="marginal"
        What replaces hidden words while the selector is trained: words of other texts, or nothing.
    max_length : int, default=512
        Words after this number are not read, and never selected.
    min_df : int, default=3
        Words that occur in fewer training texts have no vector of their own.
    n_hashed : int, default=1000
        Number of vectors that such words, and unknown words, share.
    backbone : TextBackbone, str or path-like, default=None
        A network that was trained on language before, with its tokenizer. A str or path is the folder of a
        transformers model, which needs ``skrationale[text]``. The predictor is then a copy of this network,
        and reads the shown words as if they were the whole text. It is trained first, on random words of each
        text, and not changed afterwards. The selector reads the states that the trained copy computes for
        each word in its text. The network itself is never changed. On processors with instructions for
        bfloat16, networks with states of at least 128 numbers are trained in this precision; predictions are
        always in float32. None: small networks that learn only from these texts.
    backbone_layers : int or "all", default=2
        Number of last layers of the backbone that are trained to predict; ``"all"``: all layers, 0: none.
    max_epochs : int or "auto", default="auto"
        Passes over the training rows. ``"auto"``: the number that gives a fixed number of steps. That is 400,
        but 6 to 40 epochs. The last stage takes 0.6 times as many; a backbone is trained for a third of them.
    batch_size : int, default=32
        Rows per step. At most an eighth of the training texts are used per step, and 16 for a backbone.
    lr : float, default=3e-3
        Peak of the learning rate. It rises and falls only in the last stage.
    weight_decay : float, default=0.1
        Weight decay. It is used in the last stage, with AdamW; the other stages have none.
    early_stopping : bool, default=True
        Whether to keep the weights that were best on held-out rows, and to stop after `n_iter_no_change`
        epochs without improvement there. An interrupt (Ctrl-C) then ends training with a warning; otherwise
        it is raised. Only the last stage stops early.
    validation_fraction : float, default=0.15
        Share of the rows held out for validation. If these are fewer than 10, none are held out. If there are
        at least 100, they also determine the threshold and the scale of scores, with or without
        `early_stopping`.
    n_iter_no_change : int or None, default=None
        Training stops early after this number of epochs without improvement. None: it never stops early.
    device : str, default="auto"
        ``"cpu"``, ``"cuda"``, ...; ``"auto"`` uses a GPU if there is one.
    random_state : int, RandomState or None, default=None
        Seed of all random numbers: weights, shuffles, held-out rows. It is also used for the words that
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
    mean_share_ : float
        Mean share of the words of training texts that is shown.
    mean_n_selected_ : float
        Mean number of units in the rationales of training texts.
    empty_rate_ : float
        Share of training texts with an empty rationale; all of them get the class frequencies as prediction.
    truncated_share_ : float
        Share of training texts with more than `max_length` words.
    unknown_share_ : float
        Share of the shown words of training texts that have no vector of their own.
    word_frequencies_ : dict of str to float
        Share of the training texts in which a word is shown, of the 1,000 most frequent words that have a
        vector of their own, most frequent first.
    n_words_ : int
        Number of word vectors.
    history_ : list of dict
        One dict per epoch: ``epoch``, ``lr``, ``dur`` in seconds, ``train_loss``, for held-out rows
        ``valid_loss``, and the terms of both. Rows are held out only in the last stage. Terms are ``task``
        (the loss against `y`), ``share`` (of words shown) and, for a student, ``rationale`` and
        ``prediction``; ``stage`` is "random words", "selection" or "prediction".
    n_iter_ : int
        Number of epochs of all stages.
    device_ : str
        Where the networks were trained.
    audit_ : RationaleAudit or None
        With a backbone, the result of `audit` on the held-out texts, if there are at least 500. If it finds a
        leak, a warning is given.

    See Also
    --------
    TextRationaleDistiller : Learns from a teacher which words to select, also from texts without labels.
    RationaleClassifier : The same for tables.

    Notes
    -----
    The selector reads more than the selected words, so a text that changes outside its rationale may get
    another rationale. For a given mask, ``predict(texts, mask=model.mask(other_texts))``, only the selected
    words have an effect.

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

    The loss is the squared error of the standardised target. Everything else is as in
    :class:`TextRationaleClassifier`.

    Parameters
    ----------
    hidden_layer_sizes, max_features, unit, contiguity, fill, max_length, min_df, n_hashed : object
        As in :class:`TextRationaleClassifier`.
    backbone, backbone_layers : object
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
