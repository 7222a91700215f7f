"""Predictors that are fitted already: their scores, and the states of their hidden layers."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.special import expit
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from torch import Tensor, nn

from .._task import Task
from ..base import ReadableNetwork
from ..tabular import TableReader
from ..teachers import column_order, in_order, refuse_several_targets, unfrozen
from ..training import seeded

CHUNK = 4096
"""Rows computed at once, to bound the memory. Not measured."""
GRID = 3
"""Maps are read as means over so many by so many fields. Not measured."""
ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
}
"""Those of scikit-learn's networks."""
_HOOKS_LOCK = threading.RLock()


@dataclass(frozen=True)
class WrappedEstimator:
    """An estimator whose hidden layers can be read.

    Parameters
    ----------
    predictor : estimator
        Fitted.
    reader : TableReader
        Rebuilds tables from rows (n, d) of numbers and codes, which may not be those of the predictor.
    hidden_layers : sequence of int
        Positions of the hidden layers whose states are given.
    order : ndarray of int of shape (d,), optional
        Position in these rows of each of the predictor's columns, where these differ.
    """

    predictor: Any
    reader: TableReader
    hidden_layers: Sequence[int]
    order: np.ndarray | None = None


class WrappedMLP(WrappedEstimator):
    """A network of scikit-learn, perhaps at the end of a pipeline."""

    def states(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give scores (n, K) and states (n, H) of rows (n, d)."""
        table: Any = in_order(self.reader.restore(matrix), self.order)
        network = self.predictor
        if isinstance(network, Pipeline):
            table, network = network[:-1].transform(table), network[-1]
        x = np.asarray(table, dtype=np.float64)
        activation, states = ACTIVATIONS[network.activation], []
        for weight, bias in zip(network.coefs_[:-1], network.intercepts_[:-1], strict=True):
            x = activation(x @ weight + bias)
            states.append(x)
        scores = x @ network.coefs_[-1] + network.intercepts_[-1]
        if network.out_activation_ == "exp":  # a Poisson loss
            scores = np.exp(scores)
        return scores, np.hstack([states[i] for i in self.hidden_layers])


class WrappedReasoner(WrappedEstimator):
    """An estimator of this package that gives the states of its hidden layers."""

    def states(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give scores (n, K) and states (n, H) of rows (n, d)."""
        own = self.predictor._reader.transform(in_order(self.reader.restore(matrix), self.order))
        layers = self.predictor._hidden_states(own)
        states = [layers[i] for i in self.hidden_layers] or [np.empty((len(own), 0))]
        return self.predictor._scores(own), np.hstack(states)


@dataclass(frozen=True)
class WrappedModule:
    """A torch module; forward hooks read the outputs of its submodules.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode, on the CPU; takes rows (B, d), or images.
    names : sequence of str
        Submodules whose outputs are the states.
    n_outputs : int
        Number K of scores; two logits for two classes become their difference.
    image_shape : (int, int, int) or None
        Of rows that are images.
    """

    module: nn.Module
    names: Sequence[str]
    n_outputs: int
    image_shape: tuple[int, int, int] | None = None

    def states(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give scores (n, K) and states (n, H) of rows (n, d)."""
        dtype = next((p.dtype for p in self.module.parameters()), torch.float32)
        rows = torch.tensor(matrix, dtype=dtype)  # a copy: a module may write to what it is given
        if self.image_shape is not None:
            rows = rows.unflatten(1, self.image_shape)
        with torch.no_grad(), _recorded_outputs(self.module, self.names) as outputs:
            parts = [self._part(part, outputs) for part in rows.split(CHUNK)]
        scores, states = (torch.cat(column).double().numpy() for column in zip(*parts, strict=True))
        if self.n_outputs == 1 and scores.shape[1] == 2:
            scores = scores[:, 1:] - scores[:, :1]
        return scores, states

    def states_function(self) -> Callable[[Tensor], Tensor]:
        """Give what maps flat images (B, p), in their own units, to states (B, H) with gradients."""
        module = copy.deepcopy(self.module).float().requires_grad_(False)

        def states_of(pixels: Tensor) -> Tensor:
            rows = pixels if self.image_shape is None else pixels.unflatten(1, self.image_shape)
            with _recorded_outputs(module, self.names) as outputs:
                module(rows)
            return torch.cat([_flat(outputs[name]) for name in self.names], dim=1)

        return states_of

    def _part(self, rows: Tensor, outputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        scores = self.module(rows)
        return scores.reshape(len(rows), -1), torch.cat([_flat(outputs[name]) for name in self.names], dim=1)


def _flat(state: Tensor) -> Tensor:
    """Means of maps (B, C, H, W) over a grid and of sequences (B, L, H) over positions; (B, h) as it is."""
    if state.ndim == 4:
        return nn.functional.adaptive_avg_pool2d(state, GRID).flatten(1)
    return state.mean(1) if state.ndim == 3 else state.flatten(1)


@contextmanager
def _recorded_outputs(module: nn.Module, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Record outputs of submodules while the block runs; other threads wait, as theirs would be taken too."""
    outputs: dict[str, Tensor] = {}

    def recorder(name: str) -> Callable[[Any, Any, Any], None]:
        def record(part: Any, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                outputs[name] = output

        return record

    parts = dict(module.named_modules())
    with _HOOKS_LOCK:
        hooks = [parts[name].register_forward_hook(recorder(name)) for name in names]
        try:
            yield outputs
        finally:
            for hook in hooks:
                hook.remove()


def is_module(predictor: Any) -> bool:
    """Whether a predictor is a torch module."""
    return isinstance(predictor, nn.Module)


def check_predictor(predictor: Any) -> None:
    """Refuse, before any work, a predictor without hidden layers that can be read."""
    predictor = unfrozen(predictor)
    last = predictor[-1] if isinstance(predictor, Pipeline) else predictor
    if is_module(predictor) or isinstance(last, MLPClassifier | MLPRegressor):
        return
    if isinstance(predictor, ReadableNetwork):
        return
    raise TypeError(
        "The 'predictor' parameter must be a torch.nn.Module, a scikit-learn MLPClassifier or MLPRegressor "
        "(also at the end of a Pipeline), or a network of this package (SmoothMLP*, GBDT2NNStudent, "
        f"Rationale*). Got {type(predictor).__name__} instead."
    )


def wrap_estimator(
    predictor: Any, reader: TableReader, layers: Any
) -> tuple[WrappedMLP | WrappedReasoner, Task]:
    """Wrap a fitted estimator, and say what it predicts; refuse one of several targets."""
    refuse_several_targets(predictor, "predictor")
    order = column_order(predictor, reader.names, role="predictor")
    if isinstance(predictor, ReadableNetwork):
        probe = np.full((1, predictor.n_features_in_), np.nan)
        n_layers = len(predictor._hidden_states(probe))  # none where it predicts a constant
        hidden_layers = _positions(layers, n_layers) if n_layers else ()
        return WrappedReasoner(predictor, reader, hidden_layers, order), predictor._task
    network = predictor[-1] if isinstance(predictor, Pipeline) else predictor
    hidden_layers = _positions(layers, len(network.coefs_) - 1)
    if isinstance(network, MLPRegressor):
        task = Task("identity", 1)
    elif network.out_activation_ == "softmax":
        task = Task("softmax", len(network.classes_), network.classes_)
    else:
        task = Task("logit", 1, network.classes_)
    return WrappedMLP(predictor, reader, hidden_layers, order), task


def wrap_module(
    module: nn.Module, layers: Any, task: Task, matrix: np.ndarray, image_shape: tuple[int, int, int] | None
) -> WrappedModule:
    """Copy a module, choose the submodules whose outputs are read, and see that it answers.

    Raises
    ------
    ValueError
        When it does not answer with a score an output, answers twice differently, or has no such layers.
    """
    own = copy.deepcopy(module).cpu().eval()
    names = _module_names(own, layers, matrix[:2], image_shape)
    source = WrappedModule(own, names, task.n_outputs, image_shape)
    with seeded(0):  # a module that draws, which is refused, shall not advance the global generator
        (scores, _), (again, _) = source.states(matrix[:2]), source.states(matrix[:2])
    if scores.shape[1] != task.n_outputs:
        raise ValueError(
            f"The predictor gives {scores.shape[1]} scores per row; expected {task.n_outputs}, or two logits "
            "for two classes."
        )
    if not np.array_equal(scores, again):
        raise ValueError(
            "The predictor gives different outputs for the same row in evaluation mode; expected "
            "equal outputs each time."
        )
    return source


def _module_names(
    module: nn.Module, layers: Any, rows: np.ndarray, image_shape: tuple[int, int, int] | None
) -> list[str]:
    parts = [name for name, part in module.named_modules() if name and not list(part.children())]
    if not isinstance(layers, str) and all(isinstance(name, str) for name in layers):
        unknown = [name for name in layers if name not in dict(module.named_modules())]
        if unknown:
            raise ValueError(
                f"The 'hidden_layers' parameter names {unknown}; expected names among the predictor's "
                f"modules {parts}."
            )
        return list(layers)
    # those before the output that give a tensor; of all, the last two
    before = [name for name in parts[:-1] if not isinstance(dict(module.named_modules())[name], nn.Dropout)]
    if not before:
        raise ValueError(
            "The predictor has no layer before its output; expected a module with hidden layers."
        )
    if isinstance(layers, str):
        return before[-2:]
    return [before[i] for i in _positions(layers, len(before))]


def _positions(layers: Any, n_layers: int) -> tuple[int, ...]:
    """Give the positions of the hidden layers to read, counted from 0."""
    if not n_layers:
        raise ValueError("The predictor has no hidden layer; expected one with at least one.")
    if isinstance(layers, str):
        return tuple(range(n_layers))
    known = [isinstance(i, int | np.integer) and not isinstance(i, bool) for i in layers]
    if not known or not all(known) or any(not -n_layers <= i < n_layers for i in layers):
        raise ValueError(
            f"The 'hidden_layers' parameter must be 'all' or positions of the predictor's {n_layers} hidden "
            f"layers. Got {layers!r} instead."
        )
    return tuple(int(i) % n_layers for i in layers)
