"""
Tune a lambda inside a pipeline
===============================

Every estimator of this package follows scikit-learn, so pipelines, ``clone`` and searches work as usual. A
table with text, categories, booleans and missing cells needs no preparation, so use a pipeline only for steps
of your own. The search compares values of ``explanation_lambda``, the weight of the contributions in the
loss, and measures predictions and contributions together.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrationale import GBDT2NNStudent
from skrationale.metrics import explanation_scorer
from skrationale.plotting import LambdaPathDisplay, ParetoDisplay

rng = np.random.default_rng(0)
n = 1200
X = pd.DataFrame(
    {
        "income": rng.lognormal(10.3, 0.5, n),
        "debt": rng.lognormal(9, 0.8, n),
        "job": rng.choice(["clerk", "farmer", "nurse", "student"], n),
        "housing": pd.Categorical(rng.choice(["own", "rent", "free"], n)),
        "married": rng.random(n) < 0.5,
    }
)
score = 2 * np.log(X["income"] / 30_000) - X["debt"] / X["income"]
score += X["married"] - 1.5 * (X["housing"] == "rent")
y = np.where(rng.random(n) < 1 / (1 + np.exp(-2 * score)), "repaid", "lost")
X.loc[rng.random(n) < 0.1, "income"] = np.nan
X.loc[rng.random(n) < 0.1, "job"] = None
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)


def add_ratio(table):
    """Add a column that trees find hard to make themselves."""
    return table.assign(debt_ratio=table["debt"] / table["income"])


# %%
# :func:`~skrationale.metrics.explanation_scorer` makes scorers of explanations, also for the last step of a
# pipeline.

scoring = {
    "reasons R2": explanation_scorer("fidelity"),
    "score R2": explanation_scorer("prediction_fidelity"),
    "accuracy": "accuracy",
}
student = GBDT2NNStudent(
    LGBMClassifier(n_estimators=60, n_jobs=1, verbose=-1),
    max_epochs=6,
    n_synthetic=5000,
    random_state=0,
)
search = GridSearchCV(
    make_pipeline(FunctionTransformer(add_ratio), student),
    {"gbdt2nnstudent__explanation_lambda": [0.03, 0.3, 3.0, 30.0]},
    scoring=scoring,
    refit="reasons R2",
    cv=3,
)
search.fit(X_train, y_train)
results = pd.DataFrame(search.cv_results_)
table = results[["param_gbdt2nnstudent__explanation_lambda"]].rename(columns=lambda name: "lambda")
for name in scoring:
    table[name] = results[f"mean_test_{name}"]
print(table.round(3).to_string(index=False))
print("\nchosen:", search.best_params_)
print(f"accuracy on test rows: {search.best_estimator_.score(X_test, y_test):.3f}")

# %%
# All three measures against lambda, with one standard deviation over folds.

LambdaPathDisplay.from_cv_results(search.cv_results_, "gbdt2nnstudent__explanation_lambda")
plt.show()

# %%
# The same candidates, by two of the measures.

ParetoDisplay.from_cv_results(search.cv_results_, "mean_test_score R2", "mean_test_reasons R2")
plt.show()

# %%
# One contribution per column, also for text and missing cells.

best = search.best_estimator_
explanation = best[-1].explain(best[:-1].transform(X_test))
print(explanation.to_frame().head(3).round(2).to_string())
explanation.plot("bar")
plt.show()
