"""Explanations: students, exact contributions, path contributions and formulas."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from lightgbm import LGBMRegressor

from skrationale import Formula, GBDT2NNStudent, TreeContributions
from skrationale.gbdt2nn import path_contributions


def table(n, d=10, seed=0):
    """Rows and a target that depends on three columns."""
    X = np.random.default_rng(seed).normal(size=(n, d))
    return X, X[:, 0] + X[:, 1] * X[:, 2]


def forest(n=2000, d=10):
    """A fitted LightGBM of 100 trees."""
    X, y = table(n, d)
    return LGBMRegressor(n_estimators=100, num_leaves=31, n_jobs=1, verbose=-1).fit(X, y)


class Explain:
    """Rows explained by a student, and exactly."""

    params = ([1, 1000, 10_000],)
    param_names = ("rows",)
    timeout = 120

    def setup(self, rows):
        X, y = table(2000)
        self.model = forest()
        student = GBDT2NNStudent(self.model, max_epochs=1, n_synthetic=2000, random_state=0)
        self.student = student.fit(X, y)
        self.tables = TreeContributions(self.model)
        self.X = table(rows, seed=1)[0]
        self.tables.explain(self.X[:1])

    def time_student(self, rows):
        self.student.explain(self.X)

    def time_predict(self, rows):
        self.student.predict(self.X)

    def time_exact(self, rows):
        self.tables.explain(self.X)

    def time_path_contributions(self, rows):
        path_contributions(self.model, self.X)


class Build:
    """Look-up tables, and the evaluation of a formula."""

    timeout = 120

    def setup(self):
        self.model = forest()
        self.X = table(10_000)[0]
        self.formula = Formula.from_string(
            "2*x0^2 - sqrt(abs(x1)) + x2*exp(-x3)", [f"x{i}" for i in range(10)]
        )

    def time_tables(self):
        TreeContributions(self.model)

    def time_formula(self):
        self.formula.predict(self.X)
