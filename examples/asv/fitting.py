"""Fits with few epochs, and how they grow with the number of rows and of columns."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from lightgbm import LGBMRegressor

from skrationale import FLINTRegressor, GBDT2NNStudent, RationaleRegressor, SmoothMLPRegressor

from .explaining import table

FAMILIES = {
    "GBDT2NNStudent": lambda: GBDT2NNStudent(
        LGBMRegressor(n_estimators=50, n_jobs=1, verbose=-1), max_epochs=2, n_synthetic=2000, random_state=0
    ),
    "RationaleRegressor": lambda: RationaleRegressor(max_epochs=2, random_state=0),
    "SmoothMLPRegressor": lambda: SmoothMLPRegressor(jacobian_lambda=0.01, max_epochs=5, random_state=0),
    "FLINTRegressor": lambda: FLINTRegressor(n_attributes=6, max_epochs=3, random_state=0),
}


class Fit:
    """A short fit of each family."""

    params = (list(FAMILIES),)
    param_names = ("family",)
    number, repeat, warmup_time, timeout = 1, 3, 0, 180

    def setup(self, family):
        self.X, self.y = table(1000)

    def time_fit(self, family):
        FAMILIES[family]().fit(self.X, self.y)


class Growth:
    """A student of larger and of wider tables."""

    params = ([1000, 4000], [10, 100])
    param_names = ("rows", "columns")
    number, repeat, warmup_time, timeout = 1, 3, 0, 300

    def setup(self, rows, columns):
        self.X, self.y = table(rows, columns)

    def time_fit(self, rows, columns):
        FAMILIES["GBDT2NNStudent"]().fit(self.X, self.y)
