"""
Search with Optuna, and prune on the way
========================================

A search over several parameters does not have to train every candidate for all epochs. Optuna's pruner
compares the loss of held-out rows after each epoch, and stops a trial that is worse than half of the trials
before it. :doc:`The how-to </howto/callbacks>` lists what is logged in each epoch; the names are the same in
every family.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import optuna
from lightgbm import LGBMClassifier
from optuna.exceptions import ExperimentalWarning
from optuna_integration import SkorchPruningCallback
from sklearn.datasets import load_breast_cancer
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from skrationale import GBDT2NNStudent, RationaleClassifier

optuna.logging.set_verbosity(optuna.logging.WARNING)
warnings.filterwarnings("ignore", category=ExperimentalWarning)

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
teacher = FrozenEstimator(LGBMClassifier(n_estimators=50, n_jobs=1, verbose=-1).fit(X_train, y_train))

# %%
# One trial draws parameters, fits, and returns the loss that the search minimises. The callback reports each
# epoch, and raises an error if the trial should stop; a stopped fit does not change the estimator.
# ``GBDT2NNStudent`` holds out rows only with ``early_stopping=True``.


def student_of(trial):
    """Fit a student with the parameters of a trial."""
    student = GBDT2NNStudent(
        teacher,
        lr=trial.suggest_float("lr", 1e-4, 1e-1, log=True),
        weight_decay=trial.suggest_float("weight_decay", 1e-6, 1e-1, log=True),
        hidden_layer_sizes=(32, 32),
        max_epochs=12,
        n_synthetic=500,
        early_stopping=True,
        callbacks=[SkorchPruningCallback(trial, "valid_score")],
        random_state=0,
    )
    student.fit(X_train, y_train)
    return min(row["valid_score"] for row in student.history_)


# %%
# Two trials run at the same time, in threads. Their results are exactly the same as without threads. Optuna's
# samplers do not use their seed if there are threads, so the first candidates are drawn here with a seed and
# put into the queue. With ``n_jobs=1`` the seed of a sampler makes the whole search reproducible.

study = optuna.create_study(
    pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=3),
)
rng = np.random.default_rng(0)
for _ in range(8):
    study.enqueue_trial({"lr": 10 ** rng.uniform(-4, -1), "weight_decay": 10 ** rng.uniform(-6, -1)})
study.optimize(student_of, n_trials=12, n_jobs=2)
states = [trial.state.name for trial in study.trials]
print({state: states.count(state) for state in sorted(set(states))})
print({name: round(value, 4) for name, value in study.best_params.items()})

# %%
# Which trials were pruned, and which continued.

figure, ax = plt.subplots()
for trial in study.trials:
    pruned = trial.state.name == "PRUNED"
    losses = trial.intermediate_values
    ax.plot(list(losses), list(losses.values()), color="tab:gray" if pruned else "tab:blue", lw=1)
ax.set(yscale="log", xlabel="epoch", ylabel="score of held-out rows, against the teacher's")
ax.set_title("pruned trials in grey")
plt.show()

# %%
# The same search with a rationale model. All of its stages log ``valid_loss`` and ``valid_task``;
# ``valid_task`` is the loss of the predictions without penalties. Only the first stage decides on pruning,
# because Optuna uses each epoch number once, and warns about the later stages.


def rationale_of(trial):
    """Fit a rationale model with the parameters of a trial."""
    model = RationaleClassifier(
        max_features=trial.suggest_int("max_features", 1, 6),
        lr=trial.suggest_float("lr", 1e-4, 1e-2, log=True),
        max_epochs=6,
        callbacks=[SkorchPruningCallback(trial, "valid_task")],
        random_state=0,
    )
    model.fit(X_train, y_train)
    return min(row["valid_task"] for row in model.history_ if row["stage"] == "prediction")


rationales = optuna.create_study(
    sampler=optuna.samplers.TPESampler(seed=0),
    pruner=optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=3),
)
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="The reported value is ignored")
    rationales.optimize(rationale_of, n_trials=5)
states = [trial.state.name for trial in rationales.trials]
print({state: states.count(state) for state in sorted(set(states))})
best = RationaleClassifier(**rationales.best_params, max_epochs=6, random_state=0).fit(X_train, y_train)
print(f"{best.mean_n_selected_:.1f} columns a row, accuracy on test rows: {best.score(X_test, y_test):.3f}")
