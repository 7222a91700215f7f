"""
Tutorial: from a network to a formula in SQL
============================================

A network predicts well, but it has to run in a database. This tutorial turns a network that is fitted
already into a short formula, chooses its length, checks it against the network and the labels, and puts it
into a view in SQL. Data are scikit-learn's diabetes patients: the progress of the disease after a year.
"""

import sqlite3

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrationale import SmoothMLPRegressor, SymbolicDistiller
from skrationale.plotting import ParetoDisplay

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

# %%
# Step 1: the network
# -------------------
# Any fitted regressor can be the teacher; this one is scikit-learn's. A network that was trained to be
# smooth has shorter formulas, so we fit one of these too and compare.

rough = make_pipeline(
    StandardScaler(), MLPRegressor(hidden_layer_sizes=(64, 64), alpha=1.0, max_iter=1000, random_state=0)
)
smooth = SmoothMLPRegressor(jacobian_lambda=0.03, random_state=0)
networks = {"network in use": rough.fit(X_train, y_train), "smooth network": smooth.fit(X_train, y_train)}
for name, network in networks.items():
    print(f"{name:15} R2 on test rows {network.score(X_test, y_test):.3f}")

# %%
# Step 2: the formula
# -------------------
# ``teacher_weight=1`` searches for a formula of the network alone. ``fidelity`` compares it with the
# network on test rows.

settings = {"teacher_weight": 1.0, "maxsize": 20, "niterations": 300, "random_state": 0}
distillers = {
    name: SymbolicDistiller(FrozenEstimator(network), jacobian_lambda=None, **settings).fit(X_train, y_train)
    for name, network in networks.items()
}
for name, distiller in distillers.items():
    fidelity = distiller.fidelity(X_test, y_test)
    print(f"{name:15} fidelity R2 {fidelity['prediction_r2']:.3f}, R2 of the formula {fidelity['score']:.3f}")

# %%
# Step 3: how long should it be?
# ------------------------------
# Each point is a formula. Longer formulas are closer to the network, but each further part improves them
# less.

distiller = distillers["smooth network"]
ParetoDisplay.from_estimator(distiller, y="fidelity_r2")
plt.show()
formula = distiller.formula_.simplify(digits=4)
print(formula)
print("symbols:", formula.complexity)

# %%
# Step 4: where may it fail?
# --------------------------
# ``domain_warnings`` looks for denominators, logarithms and roots that may fail, on your rows and around
# the training rows.

print(formula.domain_warnings(X_test) or "nothing found")

# %%
# Step 5: a view in the database
# ------------------------------
# The view computes the score of every patient, also of new ones. A missing number is replaced by the median
# of the training rows, as in ``predict``, and a missing column is an error of the database.

connection = sqlite3.connect(":memory:")
X_test.to_sql("patients", connection, index=False)
connection.execute(f"CREATE VIEW scored AS SELECT *, {formula.to_sql('sqlite')} AS score FROM patients")
scored = pd.read_sql("SELECT score FROM scored", connection)["score"]
print(formula.to_sql("sqlite"))
print("largest difference to predict:", f"{np.abs(scored - formula.predict(X_test)).max():.0e}")
query = "SELECT age, bmi, bp, round(score) AS score FROM scored ORDER BY score DESC LIMIT 3"
top = pd.read_sql(query, connection)
print(top.to_string(index=False))

# %%
# Step 6: explain a patient
# -------------------------
# Contributions of a formula are exact Shapley values, and only columns in the formula have contributions.

explanation = distiller.explain(X_test)
print(explanation.top(4))
explanation[0].plot("waterfall")
plt.show()
