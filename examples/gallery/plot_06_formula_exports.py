"""
A formula in SQL, Excel, C and Python
=====================================

A :class:`~skrationale.Formula` predicts exactly what it prints, and it can be written in other languages.
Here a classifier of a table with numbers, text and missing cells becomes a formula for the log-odds that a
loan is repaid. A database then computes the same numbers without Python.
"""

import sqlite3

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skrationale import SmoothMLPClassifier, SymbolicDistiller

rng = np.random.default_rng(0)
n = 1000
X = pd.DataFrame(
    {
        "income": rng.lognormal(10.3, 0.5, n).round(),
        "age": rng.integers(18, 80, n).astype(float),
        "housing": rng.choice(["own", "rent", "free"], n),
    }
)
score = 2 * np.log(X["income"] / 30_000) + 0.05 * (X["age"] - 45) - 1.5 * (X["housing"] == "rent")
y = np.where(rng.random(n) < 1 / (1 + np.exp(-2 * score)), "repaid", "lost")
X.loc[rng.random(n) < 0.1, "income"] = np.nan

teacher = SmoothMLPClassifier(random_state=0)
distiller = SymbolicDistiller(teacher, jacobian_lambda=0.01, maxsize=20, random_state=0)
formula = distiller.fit(X, y).formula_.simplify(digits=4)
print(formula)

# %%
# The formula in other languages.

print("SQL:   ", formula.to_sql("sqlite"), "\n")
print("Excel: ", formula.to_excel({"income": "A2", "age": "B2", "housing": "C2"}), "\n")
print("LaTeX: ", formula.latex(), "\n")
print(formula.to_python(), "\n")
print(formula.to_c())

# %%
# A database agrees with ``predict``.

connection = sqlite3.connect(":memory:")
X.to_sql("loans", connection, index=False)
from_sql = pd.read_sql(f"SELECT {formula.to_sql('sqlite')} AS score FROM loans", connection)["score"]
print("largest difference:", np.abs(from_sql - formula.predict(X)).max())
print("accuracy of the formula:", np.mean(np.where(from_sql > 0, "repaid", "lost") == y))

# %%
# Exact Shapley values of the formula, for one row. A category has one contribution, even if it is encoded as
# several variables.

distiller.explain(X)[0].plot("waterfall")
plt.show()
