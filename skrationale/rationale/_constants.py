"""Tuned numbers of a fit, with their units.

The figures of examples/benchmarks/results/rationale.md were made with them. "Not measured" is said where no
figures with other values are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

USUAL_PRICE, LEAST_PRICE = 0.04, 0.01
"""Price of a column in a row, as a share of the loss of a constant prediction: when nothing else is known,
and at least, since anything helps a little. Not measured; other prices of small models alone are in
examples/benchmarks/results/rationale.md, "alone, best lambda"."""
SCREENING_PRICE, RATE_PRICE = 0.15, 0.4
"""The highest price, in the same unit: while columns are screened, and of columns beyond a wanted rate. Not
measured."""
TOLERANCE = 0.01
"""A price that is called as good as the best may lose so much of a constant's loss at most. Not measured."""
SCREENING_POWER, SELECTION_POWER = 4.0, 2.0
"""Powers of the progress by which prices rise: with many columns a predictor must first learn what they are
good for. Not measured."""
PAPER_LAMBDA, PAPER_RATE = 0.1, 0.1
"""Weight, and share of columns that is the target, of the paper's form. Its figures are beside ours in
examples/benchmarks/results/rationale.md; other values are not measured."""
SCREENING_LR, REFIT_LR = 4.0, 5.0
"""Learning rates, as factors of that of the selector. Not measured."""
REFIT_DECAY, SELECTED_SHARE = 0.01, 0.8
"""Weight decay of AdamW in the last stage, and the share of its masks that are selected ones. Not
measured."""
STEPS, EPOCHS = 2000, (15, 200)
"""Steps of a stage, but so many epochs at least and at most. Measured with 10,000 rows of Syn4 and Syn5, one
seed (no file of it is kept): with 1,800 and 1,300 steps of selection 88 and 89 percent of the true columns of
Syn5 are found, with 2,000 steps 97 percent."""
SCREENING_EPOCHS, REFIT_EPOCHS = 1.0, 1.0
"""Epochs, as factors of those of selection. Measured with 10,000 rows, seeds 0 and 1 (no file of it is kept):
screening of Syn4 with 100 columns fails with half as many epochs (seed 0); twice as many of the refit raise
the AUROC of Syn4 and adult by .0015 at most."""
AUXILIARY_WIDTH = 64
"""Least units in a layer of predictors that only help to select: small students are taught by larger ones.
Not measured."""
MANY_ROWS, N_PIECES = 2000, 16
"""With so many rows numbers are seen in so many linear pieces, besides as they are, when this is clearly
better. Not measured."""
CLEARLY, PERHAPS = 2.0, 1.0
"""By so many standard errors the loss with pieces must be below the other: at the end, and after a third of
the way, where the training ends otherwise. Measured on Syn5 with correlation 0.5, Syn6,
california_housing and bank_marketing, one seed each (no file of it is kept): what is gained at a third
differs from what is gained at the end by less than one standard error."""
FEW_COLUMNS = 20
"""Below `MANY_ROWS` so few columns are not screened: they are more easily lost than told apart later.
Measured on bank_marketing with its 36,000 rows, seeds 0 to 3 (no file of it is kept): there the AUROC falls
from .777 to .769 where the 16 columns are not screened."""


@dataclass(frozen=True)
class SelectionPlan:
    """How columns are selected row by row: factor of the learning rate, highest price, L2 penalties."""

    lr: float
    price: float
    decays: tuple[float, ...]


WITH_MANY_ROWS = SelectionPlan(1.0, 0.09, (1e-3,))
"""From `MANY_ROWS` on. Not measured."""
WITH_FEW_ROWS = SelectionPlan(3.0, 0.15, (1e-3, 2e-3, 1e-2))
"""Few rows are learnt by heart unless steps are large, columns dear and weights small; how small, shows. Not
measured, but for the result with 1,000 rows in examples/benchmarks/results/rationale.md, "Syn4, 1,000
rows"."""
