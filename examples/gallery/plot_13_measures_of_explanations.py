"""
How good is an explanation?
===========================

Four questions can be asked about any explanation, even if the truth is not known. Does the prediction change
if the most important columns are hidden? Do the values show by how much it changes? Is the explanation short?
Is it the same after another fit? Here contributions of a student, its teacher's TreeSHAP values, and
contributions in a random order are compared with the measures of :mod:`skrationale.metrics`. Scorers with the
same names are then used in a cross-validation.
"""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import cross_validate, train_test_split

from skrationale import GBDT2NNStudent
from skrationale.metrics import (
    comprehensiveness,
    deletion_curve,
    explanation_scorer,
    insertion_curve,
    noise_stability,
    seed_stability,
    sparsity,
    sufficiency,
)

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
teacher = LGBMClassifier(n_estimators=60, n_jobs=1, verbose=-1)
students = [
    GBDT2NNStudent(teacher, max_epochs=15, random_state=seed).fit(X_train, y_train) for seed in (0, 1)
]
student = students[0]

own, tree_shap = student.explain(X_test), student.teacher_explain(X_test, "tree_shap")
shuffled = np.random.default_rng(0).permuted(own.values, axis=1)
explanations = {"student": own, "TreeSHAP": tree_shap, "random order": replace(own, values=shuffled)}

# %%
# Faithfulness to the student's predicted probabilities. Comprehensiveness is high and sufficiency is low if
# the columns with the largest contributions are those that matter. Sparsity is the number of columns with
# more than 1 % of the largest value.

rows = {
    name: {
        "comprehensiveness": comprehensiveness(
            explanation, student.predict_proba, X_test, background=X_train
        ),
        "sufficiency": sufficiency(explanation, student.predict_proba, X_test, background=X_train),
        "sparsity": sparsity(explanation),
    }
    for name, explanation in explanations.items()
}
print(pd.DataFrame(rows).T.round(3).to_string())

# %%
# Stability: between two fits with different seeds, and with a little noise.

print({k: round(v, 3) for k, v in seed_stability([s.explain(X_test) for s in students]).items()})
print({k: round(v, 3) for k, v in noise_stability(student.explain, X_test, n_draws=3).items()})

# %%
# Columns are hidden one after the other, the most important first: a lower curve means a better order. Then
# they are shown in the same order: a higher curve is better.

fig, axes = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True, layout="constrained")
for ax, curve_of, title in zip(
    axes, (deletion_curve, insertion_curve), ("deletion", "insertion"), strict=True
):
    for name, explanation in explanations.items():
        curve = curve_of(explanation, student.predict_proba, X_test, background=X_train)
        ax.plot(curve.shares, curve.answers, marker="o", label=f"{name}, area {curve.area:.3f}")
    ax.set(title=title, xlabel="share of columns")
    ax.legend()
axes[0].set_ylabel("probability of the class predicted")
plt.show()

# %%
# For scorers a larger number is always better, so measures for which low is good are negative.

scoring = {
    "accuracy": "accuracy",
    "fidelity": explanation_scorer("fidelity"),
    "comprehensiveness": explanation_scorer("comprehensiveness", n_fills=2),
    "sufficiency": explanation_scorer("sufficiency", n_fills=2),
}
results = cross_validate(
    GBDT2NNStudent(teacher, max_epochs=4, n_synthetic=3000, random_state=0), X, y, cv=3, scoring=scoring
)
for name in scoring:
    values = results[f"test_{name}"]
    print(f"{name:18} {values.mean():6.3f} ± {values.std():.3f}")
