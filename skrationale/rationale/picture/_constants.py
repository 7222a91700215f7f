"""Tuned numbers of a fit to pictures, with their units.

The figures of examples/benchmarks/results/images.md were made with them. "Not measured" is said where no
figures with other values are kept.
"""

STEPS, EPOCHS = 800, (16, 60)
"""Steps of the first predictor, but so many epochs at least and at most. Not measured."""
WHOLE_SHARE = 0.5
"""Share of these epochs that see whole pictures; the others see random masks. Measured on scenes where one
patch says which other one counts, 4,000 to 8,000 pictures: 56 to 58 % right without whole pictures, 95 %
with them first."""
VALUE_EPOCHS, LAST_EPOCHS = 0.5, 0.4
"""Epochs of the selector and of the last predictor, as factors of those of the first. Not measured."""
START_SHARE = 0.5
"""Share of the selector's epochs in which it learns the gradients of masks. Measured on 4,000 pictures,
against 0: accuracy on clothes .690 (.682), on photographs .341 (.299); share of the deciding patches found in
scenes with a switch .967 (.972). Training took half the time."""
PATH_STEPS = 8
"""Masks along which the gradients of masks are integrated. Measured on 10,000 pictures of clothes: .814 right
with 3, .823 with 4, .833 with 8 and with 16."""
PREDICTOR_LR, VALUE_LR = 3.0, 2.0
"""Learning rates, as factors of that asked for. Not measured."""
BATCH_SHARE = 4
"""A step takes a part of `batch_size`: one in so many. Not measured."""
DECAY, VALUE_DECAY = 1e-3, 1e-4
"""Weight decay of AdamW where it is "auto": of predictors, and of selectors. Not measured."""
MASKS = 4
"""Masks of a picture in a step of the selector: random ones and their complements. Not measured."""
OPEN = 2.0
"""Logit of a gate that knows nothing: gates begin nearly open. Not measured."""
GATE_PRICE, LEAST_GATE_PRICE = 0.09, 0.01
"""Price of an open gate at the end of training, and the lowest that is chosen, as shares of the loss of a
constant prediction. Not measured."""
DIM, MOST_DIM = (0.05, 0.95), 0.5
"""Gates between these are neither open nor shut; with a larger share of them that is said. Not measured."""
LEAST_VALUE = -6.0
"""Log-probabilities, in nats, are not followed below it. Not measured."""
MOVED_SHARE, FARTHEST = 0.5, 1 / 16
"""Share of the pictures in a step that are moved where a teacher tells of them, and how far at most, as a
share of their sides. Measured on 10,000 photographs, small students of 50 epochs, seeds 0 and 1: with 0.5
.482 and .490 right, without moved ones .472 and .478, with 0.75 (seed 1) .489."""
SELECTED_SHARE = 0.8
"""Share of masks of other pictures among those of the last predictor; the others are random. Not measured."""
TOLERANCE = 0.02
"""A number of patches is enough when it loses so much of a constant's loss, or one standard error. Not
measured."""
WORSE = 0.05
"""Share of a constant's loss by which the loss of whole pictures may rise while masked ones are learnt before
that is said. Not measured."""
MOST_COUNTS = 16
"""Numbers of patches that are compared where none is asked for. Not measured."""
CHUNK, GRADIENT_CHUNK = 256, 64
"""Pictures computed at once, to bound the memory, and those of which gradients are taken. Not measured."""
