"""
A front of formulas, from short to exact
========================================

A search for formulas finds a front of several formulas: each is the most accurate one of its length.
``equations_`` is this front as a table, with the same columns as in PySR, and ``set_formula`` chooses another
row. You can choose the shortest formula that is still accurate enough for you.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from skrationale import SymbolicDistiller
from skrationale.plotting import ParetoDisplay

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
distiller = SymbolicDistiller(random_state=0).fit(X_train, y_train)
front = distiller.equations_
print(front[["complexity", "loss", "r2", "fidelity_r2"]].round(3).to_string())

# %%
# Every row of the front is a formula in the units of your columns.

for formula in distiller.pareto_front_[:4]:
    print(f"{formula.complexity:3}  {formula}")

# %%
# The front by size and loss on validation rows. The ring is the formula that ``model_selection="best"``
# chose.

ParetoDisplay.from_estimator(distiller)
plt.show()

# %%
# Scores on test rows, for the whole front.

scores, fidelities = [], []
for index in range(len(front)):
    distiller.set_formula(index)
    scores.append(distiller.score(X_test, y_test))
    fidelities.append(distiller.fidelity(X_test)["prediction_r2"])
fig, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
ax.plot(front["complexity"], scores, marker="o", label="against the labels")
ax.plot(front["complexity"], fidelities, marker="s", label="against the network")
ax.axhline(distiller.teacher_.score(X_test, y_test), ls=":", c="k", label="network against the labels")
ax.set(xlabel="complexity of the formula", ylabel="R2 on test rows")
ax.legend()
plt.show()
