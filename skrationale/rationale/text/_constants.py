"""Tuned numbers of a fit over texts, with their units.

The figures of examples/benchmarks/results/text.md were made with them. "Not measured" is said where no
figures with other values are kept.
"""

STEPS, EPOCHS = 400, (6, 40)
"""Steps of a stage, but so many epochs at least and at most. Not measured."""
PRICE = 4.3
"""Price of all words beyond the wanted share, as a multiple of the loss of a constant prediction. Not
measured."""
DROPOUT, LAST_DROPOUT = 0.3, 0.4
"""Shares that are dropped in training: of selectors, words as well as numbers between layers; of the last
predictor. Not measured."""
FIRST_DROPOUT = 0.2
"""The same for the predictor that judges the selectors. Not measured."""
LAST_EPOCHS = 0.6
"""Epochs of the last stage, as a factor of those of the others: it has twice the texts. Not measured."""
TUNING_BATCH, TUNING_EPOCHS = 16, 1 / 3
"""Texts of a step at most while a backbone is tuned, and epochs as a factor of those of the others. Not
measured."""
FEWEST_TO_SPLIT, MANY_TEXTS, FOLDS = 40, 2000, 4
"""Texts from which there are several selectors, each fitted without one part of the texts; from which there
are two of them; and how many there are with fewer texts. Not measured."""
FEWEST_TO_COMPARE = 100
"""Held-out texts from which they set the threshold and the scale of scores; else all texts set the first, and
scores stay as they are. Not measured."""
LONG_TEXTS = 0.05
"""Share of texts with more than `max_length` words from which this is said. Not measured."""
BACKBONE_LR = 1 / 15
"""Peak of the learning rate of a backbone, as a share of `lr`, which is that of the layer behind it. Not
measured."""
FEWEST_TO_AUDIT = 500
"""Held-out texts from which a model with a backbone is audited in fit. Measured: on 600 texts a leak has an
error of 0.014 nats."""
