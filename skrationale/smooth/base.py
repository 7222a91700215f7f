"""What networks with a small input gradient share: fitting along a path of lambdas, scores and reasons."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._batches import check_batching, in_batches, one_or_several
from .._deadline import Deadline
from .._random import own_random_state
from .._scales import to_shares
from .._task import Task
from .._tensors import as_tensor
from ..base import ReadableNetwork
from ..explanation import Explanation
from ..graphs import Graph
from ..tabular import TableEncoder
from ..training import (
    EXACT_ROWS,
    TRAINING_CONSTRAINTS,
    check_training_parameters,
    generator_of,
    limit_threads,
    mean_and_std,
    or_auto,
    rebuild_module,
    validation_split,
)
from ..units import table_units
from ._network import ACTIVATIONS, SmoothNetwork
from ._onnx import write_smooth
from ._path import CHUNK, Stage, admissible, train_path
from ._penalties import PENALTIES

LAMBDAS = (0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
"""The path of ``jacobian_lambda="auto"``, without unit: columns and target are standardised. Which of them
are chosen is in examples/benchmarks/results/symbolic.md, "What ours chose"."""
FALLBACK_LAMBDA = 0.01
"""Taken by "auto" where there are too few rows to compare lambdas; or the nearest to it on the path. Not
measured."""
MANY_ROWS, NARROW, WIDE = 5000, (64, 64, 64), (128, 128, 128)
"""From so many rows on the layers of ``hidden_layer_sizes="auto"`` are wide; units of the layers. Not
measured."""
QUADRATURE_POINTS = (8, 16, 32, 64, 128)
"""Points of Gauss-Legendre quadrature along the way from the average row, until reasons add up. Not
measured."""
ADDITIVITY = 1e-7
"""Reasons add up when they lack at most this share of the target's standard deviation, or of a logit of 1: a
hundredth of what the package promises."""


class BaseSmoothMLP(ReadableNetwork):
    """What regression and classification share; see :class:`SmoothMLPRegressor`."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **TRAINING_CONSTRAINTS,
        **or_auto("hidden_layer_sizes", "n_iter_no_change"),
        "activation": [StrOptions(set(ACTIVATIONS))],
        "jacobian_lambda": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "jacobian_lambdas": ["array-like", None],
        "penalty": [StrOptions(set(PENALTIES)), None],
        "penalty_fraction": [Interval(Real, 0, 1, closed="right")],
    }

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] | str = "auto",
        *,
        activation: str = "silu",
        jacobian_lambda: float | str = "auto",
        jacobian_lambdas: Sequence[float] | None = None,
        penalty: str | None = "jacobian",
        penalty_fraction: float = 0.25,
        max_epochs: int | str = "auto",
        batch_size: int = 256,
        lr: float = 5e-3,
        weight_decay: float = 1e-4,
        early_stopping: bool = True,
        validation_fraction: float = 0.15,
        n_iter_no_change: int | str | None = "auto",
        device: str = "auto",
        random_state: Any = None,
        verbose: int | str = "auto",
        callbacks: list[Any] | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.jacobian_lambda = jacobian_lambda
        self.jacobian_lambdas = jacobian_lambdas
        self.penalty = penalty
        self.penalty_fraction = penalty_fraction
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks

    def _check_parameters(self) -> None:
        check_training_parameters(self)
        if self.jacobian_lambdas is not None:
            check_lambdas(type(self).__name__, self.jacobian_lambdas)

    # --- fit -------------------------------------------------------------------------------------

    _deadline: Deadline
    """Set by who has little time, and forgotten after the fit."""

    def _fit_rows(self, X: Any, matrix: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None) -> None:
        rng = own_random_state(self.random_state)
        seed = int(rng.randint(2**31 - 1))
        self._task = self._make_task(y)
        if self._task.is_classification:
            self.classes_ = self._task.classes
        weight = np.ones(len(matrix)) if sample_weight is None else sample_weight
        target = self._task.encode(y)
        self._shift, self._scale = self._standards(target, weight)
        if not self._task.is_classification:
            target = (target - self._shift) / (self._scale or 1.0)
        self._encoder = TableEncoder().fit_matrix(self._reader, matrix, sample_weight)
        x = self._encoder.encode_matrix(matrix)
        self._mean_row = np.average(x, axis=0, weights=weight)
        self._activation = self.activation
        default = NARROW if len(matrix) < MANY_ROWS else WIDE
        sizes = self.hidden_layer_sizes
        self._sizes = default if isinstance(sizes, str) else tuple(map(int, sizes))
        fit, valid = self._split(target, seed)
        # a few rows are trained on at once and in float64, where order and multiplicity do not matter
        dtype = np.float64 if len(fit) <= EXACT_ROWS and not len(valid) else np.float32
        self._stages = self._train(x.astype(dtype), target, weight, fit, valid, seed)
        if hasattr(self, "_deadline"):
            del self._deadline
        lambdas = np.array([stage.jacobian_lambda for stage in self._stages])
        ratios = np.maximum(lambdas, np.finfo(float).tiny) / FALLBACK_LAMBDA
        nearest = int(np.abs(np.log(ratios)).argmin())
        losses = [stage.losses for stage in self._stages]
        self._admissible = admissible(losses) if len(valid) else [nearest]
        self._chosen = self._admissible[-1]
        self._set_fitted_attributes()

    @abstractmethod
    def _make_task(self, y: np.ndarray) -> Task:
        """Say what is predicted, or refuse the target."""

    def _standards(self, target: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
        """Mean and standard deviation of a target of numbers; the latter is 0 where it does not vary."""
        if self._task.is_classification:
            return 0.0, 1.0
        return mean_and_std(target, weight)

    def _split(self, target: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows to train on and rows held out: none where they are not needed, or would be too few."""
        needed = self.early_stopping or self.jacobian_lambda == "auto"
        return validation_split(
            target, self.validation_fraction, self._task.is_classification, seed, needed=needed
        )

    def _lambdas(self, compare: bool) -> tuple[float, ...]:
        if self.jacobian_lambda != "auto":
            return (float(self.jacobian_lambda),)
        if self.penalty is None:
            return (0.0,)
        if self.jacobian_lambdas is not None:
            return tuple(map(float, self.jacobian_lambdas))
        return LAMBDAS if compare else (FALLBACK_LAMBDA,)

    def _train(
        self,
        x: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray,
        fit: np.ndarray,
        valid: np.ndarray,
        seed: int,
    ) -> list[Stage]:
        if not self._scale:  # a constant needs no network
            flat = np.zeros(x.shape[1])
            return [
                Stage(value, {}, np.zeros(1), 0.0, flat, [], 0.0, "cpu") for value in self._lambdas(False)
            ]
        kind = np.int64 if self._task.is_classification else x.dtype

        def rows(index: np.ndarray) -> dict[str, np.ndarray]:
            return {
                "x": x[index],
                "y": target[index].astype(kind),
                "weight": weight[index].astype(x.dtype),
            }

        n_outputs, generator = self._task.n_outputs, generator_of(seed)
        module = SmoothNetwork(x.shape[1], self._sizes, n_outputs, self._activation, generator)
        module = module.double() if x.dtype == np.float64 else module
        validation = rows(valid) if len(valid) else None
        lambdas = self._lambdas(compare=validation is not None)
        return train_path(module, rows(fit), validation, lambdas, self._task.link, self, seed)

    def _set_fitted_attributes(self) -> None:
        """Set the public attributes, for the chosen stage of the path."""
        stages, chosen = self._stages, self._stages[self._chosen]
        self.lambda_, self.mean_grad_norm_ = chosen.jacobian_lambda, chosen.grad_norm
        self.lambda_path_ = [
            {
                "jacobian_lambda": stage.jacobian_lambda,
                "validation_loss": float(stage.losses.mean()),
                "standard_error": float(stage.losses.std() / np.sqrt(len(stage.losses))),
                "mean_grad_norm": stage.grad_norm,
                "n_iter": len(stage.history),
                "seconds": stage.seconds,
                "admissible": i in self._admissible,
                "selected": stage is chosen,
            }
            for i, stage in enumerate(stages)
        ]
        self.history_ = [row for stage in stages for row in stage.history]
        self.n_iter_, self.device_ = len(self.history_), chosen.device
        importance = table_units(self._encoder).fold(chosen.slopes[None])[0]
        self.feature_importances_ = to_shares(importance)

    def at_lambda(self, jacobian_lambda: float) -> Self:
        """Return the network that was fitted with another lambda of the path.

        Parameters
        ----------
        jacobian_lambda : float
            A value in `lambda_path_`.

        Returns
        -------
        estimator
            A fitted copy.

        Raises
        ------
        ValueError
            If the path has no such lambda.
        """
        check_is_fitted(self)
        lambdas = [stage.jacobian_lambda for stage in self._stages]
        is_number = isinstance(jacobian_lambda, Real) and not isinstance(jacobian_lambda, bool)
        if not is_number or jacobian_lambda not in lambdas:
            raise ValueError(f"jacobian_lambda must be one of {lambdas}. Got {jacobian_lambda!r} instead.")
        other = copy.copy(self)
        other._chosen = lambdas.index(jacobian_lambda)
        other._set_fitted_attributes()
        return other

    # --- answers and reasons ---------------------------------------------------------------------

    def _network(self) -> SmoothNetwork | None:
        """Network of the chosen stage in float64; None where a constant is predicted."""
        state = self._stages[self._chosen].state
        if not state:
            return None
        n_inputs, n_outputs = len(self._encoder.groups), self._task.n_outputs
        return rebuild_module(
            lambda: SmoothNetwork(n_inputs, self._sizes, n_outputs, self._activation), state
        )

    def _outputs(self, x: np.ndarray) -> np.ndarray:
        """Scores (n, K), float64, of encoded rows."""
        network = self._network()
        if network is None:
            return np.full((len(x), self._task.n_outputs), self._shift)
        with torch.no_grad(), limit_threads(CHUNK * max(self._sizes) ** 2):
            parts = [network(part).numpy() for part in as_tensor(x).double().split(CHUNK)]
        return np.concatenate(parts) * self._scale + self._shift

    def _scores(self, matrix: np.ndarray) -> np.ndarray:
        return self._outputs(self._encoder.encode_matrix(matrix))

    def _hidden_states(self, matrix: np.ndarray) -> list[np.ndarray]:
        network, x = self._network(), self._encoder.encode_matrix(matrix)
        if network is None:
            return []
        with torch.no_grad(), limit_threads(len(x) * max(self._sizes) ** 2):
            return [states.numpy() for states in network.hidden_states(as_tensor(x).double())]

    def _write_onnx(self, graph: Graph, matrix: str) -> dict[str, Any]:
        network = self._network()
        if network is None:
            constant = graph.constant(np.full((1, self._task.n_outputs), self._shift))
            graph.each_row(constant, matrix, name="scores")
        else:
            write_smooth(graph, matrix, self._encoder, network, self._shift, self._scale)
        return {"kind": "additive", "explanation": None, "jacobian_lambda": self.lambda_}

    def explain(self, X: Any, *, batch_size: int | None = None, n_jobs: int | None = None) -> Explanation:
        """Return integrated gradients from the average training row to each row [1]_.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n, d)
            Rows.
        batch_size : int, default=None
            Rows computed at once; None: 1024.
        n_jobs : int, default=None
            Number of threads that share the batches; None: 1.

        Returns
        -------
        Explanation
            Of kind ``"additive"``: `values` of shape (n, d), or (n, d, C) for more than two classes, in the
            units of the score. The integral is a sum over up to 128 points. If the sum still differs from the
            score, the difference is divided among the columns in proportion to their absolute values.

        References
        ----------
        .. [1] Sundararajan, Taly, Yan, "Axiomatic attribution for deep networks", 2017, arXiv:1703.01365.
        """
        check_batching(batch_size, n_jobs)
        matrix, few = self._read_rows(X)
        base = self._outputs(self._mean_row[None])[0]

        def part(rows: slice) -> list[np.ndarray]:
            values = self._integrated_gradients(self._encoder.encode_matrix(matrix[rows]), base)
            return [one_or_several(values.transpose(0, 2, 1))]

        values = in_batches(part, len(matrix), batch_size or CHUNK, n_jobs)[0]
        meta = {"explanation": "integrated gradients", "jacobian_lambda": self.lambda_}
        rest: dict[str, Any] = {"few": few, "kind": "additive", "meta": meta}
        return self._explanation_of(X, matrix, values, one_or_several(base), **rest)

    def _integrated_gradients(self, x: np.ndarray, base: np.ndarray) -> np.ndarray:
        """Contributions (n, K, d) of encoded rows, which add up to their scores less the base (K,)."""
        network, wanted = self._network(), self._outputs(x) - base
        if network is None:
            return np.zeros((len(x), len(base), self.n_features_in_))
        delta = x - self._mean_row
        values = np.zeros((len(x), len(base), x.shape[1]))
        inexact = np.arange(len(x))
        for n_points in QUADRATURE_POINTS:
            values[inexact] = delta[inexact, None] * self._mean_gradient(network, delta[inexact], n_points)
            error = np.abs(values[inexact].sum(2) - wanted[inexact]).max(1)
            inexact = inexact[error > ADDITIVITY * self._scale]
            if not len(inexact):
                break
        size = np.abs(values)
        total = np.maximum(size.sum(axis=2), np.finfo(float).tiny)
        values += size * ((wanted - values.sum(axis=2)) / total)[:, :, None]
        folded = table_units(self._encoder).fold(values.transpose(0, 2, 1))
        return folded.transpose(0, 2, 1)

    def _mean_gradient(self, network: SmoothNetwork, delta: np.ndarray, n_points: int) -> np.ndarray:
        """Mean derivatives (n, K, p) on the way (n, p) from the average row, by Gauss-Legendre quadrature."""
        points, weights = np.polynomial.legendre.leggauss(n_points)
        start, rows = as_tensor(self._mean_row), torch.from_numpy(delta)
        total = torch.zeros((len(delta), self._task.n_outputs, delta.shape[1]), dtype=torch.float64)
        with torch.no_grad(), limit_threads(CHUNK * max(self._sizes) ** 2):
            for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
                total += weight * network.forward_with_gradient(start + point * rows)[1]
        return total.numpy() * self._scale


def check_lambdas(owner: str, lambdas: Any) -> None:
    """Raise unless lambdas are rising numbers of at least 0."""
    array = np.asarray(lambdas)
    numbers = array.ndim == 1 and array.dtype.kind in "iuf" and len(array) and np.isfinite(array).all()
    if not numbers or array.min() < 0 or (np.diff(array) <= 0).any():
        raise ValueError(
            f"The 'jacobian_lambdas' parameter of {owner} must hold increasing numbers of at least 0. "
            f"Got {lambdas!r} instead."
        )
