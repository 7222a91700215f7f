"""Training: a predictor and its interpreter together, or an interpreter of what is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from .._task import Task
from ..tabular import TableEncoder
from ..training import (
    EXACT_ROWS,
    Batch,
    Settings,
    epochs_for,
    generator_of,
    get_state,
    mean_and_std,
    soft_losses,
    task_loss,
    train,
    validation_split,
)
from ._losses import Reconstruction, conciseness, pixel_errors
from ._model import FlintModel, OwnPredictor, Source
from ._network import FlintNetwork, Interpreter, layer_sizes
from ._rules import RuleColumns, fit_rule_trees

Decoding = Callable[[Tensor, Tensor], Tensor]

# Figures of examples/benchmarks/results/flint.md were made with these values; none with others are kept.
STEPS, EPOCHS = 2000, (12, 200)
"""Steps of a training, but so many epochs at least and at most. Not measured; that more would help on large
tables is in docs/families/flint.rst."""
WARM_UP = 0.3
"""Share of the epochs in which the terms of the interpreter rise to their weights. Not measured."""
SEEN_ROWS = 1000
"""Rows that attributes are looked at on where there are no rules. Not measured."""
N_REVIEWS, RULE_DEPTH, RULE_ROWS, FEWEST_RULE_ROWS = 10, 5, 5000, 200
"""How often attributes are looked at after the warm-up, depth of rules, rows they are fitted on, and rows
needed for that. Not measured, but for rules against none: "rule_lambda=0" in
examples/benchmarks/results/flint.md."""
DEAD = 1e-3
"""An attribute is dead when its standard deviation is less than this share of the largest one. Not
measured."""


@dataclass
class Fitting:
    """A fit over the rows of one table.

    Parameters
    ----------
    parameters : estimator
        Read for its hyper-parameters.
    encoder : TableEncoder
        Encodes the rows.
    matrix : ndarray of shape (n, d)
        Rows as numbers and codes.
    y : ndarray of shape (n,)
        Targets as the task encodes them.
    weight : ndarray of shape (n,)
        Weights of mean 1.
    task : Task
        What is predicted.
    seed : int
        Seed of everything drawn.
    fitted_predictor : Source or None
        A predictor that is not trained any more; its scores are in the units of the target.
    image_shape : (int, int, int) or None
        Of rows that are images.
    """

    parameters: Any
    encoder: TableEncoder
    matrix: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    task: Task
    seed: int
    fitted_predictor: Source | None = None
    image_shape: tuple[int, int, int] | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    device: str = "cpu"

    def run(self) -> FlintModel:
        """Train, and take what is dead out of the scores."""
        n_attributes, fitted_predictor = int(self.parameters.n_attributes), self.fitted_predictor
        x = self.encoder.encode_matrix(self.matrix)
        rows = {"x": x, "y": self.y, "weight": self.weight}
        target = self.y
        if fitted_predictor is not None:
            scores, rows["states"] = fitted_predictor.states(self.matrix)
            target = rows["scores"] = scores
        shift, scale = self._standards(target)
        if not scale:
            constant = np.full(self.task.n_outputs, shift)
            nothing = np.zeros((self.task.n_outputs, n_attributes))
            return FlintModel(fitted_predictor, {}, n_attributes, nothing, constant)
        for name in () if self.task.is_classification else {"y", "scores"} & set(rows):
            rows[name] = (rows[name] - shift) / scale
        untrained = None if fitted_predictor is not None else self._untrained()
        network = self._network(untrained, rows)
        self._train(
            network, rows, Reconstruction(self.encoder, x) if self.image_shape is None else pixel_errors
        )
        interpreter = get_state(network.interpreter)
        weights = interpreter["score_layer.weight"].astype(np.float64) * scale
        bias = interpreter["score_layer.bias"].astype(np.float64) * scale + shift
        if untrained is None:
            return self._pruned(FlintModel(fitted_predictor, interpreter, n_attributes, weights, bias))
        assert network.predictor is not None
        own = replace(untrained, state=get_state(network.predictor))
        return self._pruned(FlintModel(own, interpreter, n_attributes, weights, bias, shift, scale))

    def _standards(self, target: np.ndarray) -> tuple[float, float]:
        """Shift and scale of numbers; the latter is 0 where one answer serves all rows."""
        if self.task.is_classification:
            return 0.0, float(np.ptp(target, axis=0).max() > 0)
        return mean_and_std(target.ravel(), self.weight)

    def _untrained(self) -> OwnPredictor:
        p = self.parameters
        sizes = layer_sizes(p.hidden_layer_sizes, self.image_shape)
        hidden_layers = range(len(sizes)) if isinstance(p.hidden_layers, str) else p.hidden_layers
        hidden_layers = tuple(int(i) % len(sizes) for i in hidden_layers)
        return OwnPredictor(self.encoder, {}, sizes, self.task.n_outputs, hidden_layers, self.image_shape)

    def _network(self, untrained: OwnPredictor | None, rows: dict[str, np.ndarray]) -> FlintNetwork:
        generator = generator_of(self.seed)
        predictor = None if untrained is None else untrained.empty(generator)
        n_states = rows["states"].shape[1] if predictor is None else predictor.n_states
        n_attributes, n_outputs = int(self.parameters.n_attributes), self.task.n_outputs
        interpreter = Interpreter(
            n_states, n_attributes, n_outputs, n_decoded=rows["x"].shape[1], generator=generator
        )
        return FlintNetwork(predictor, interpreter)

    # --- training --------------------------------------------------------------------------------

    def _train(self, network: FlintNetwork, rows: dict[str, np.ndarray], decoding: Decoding) -> None:
        p, settings = self.parameters, Settings.of(self.parameters)
        fit, valid = validation_split(
            self.y,
            settings.validation_fraction,
            self.task.is_classification,
            self.seed,
            needed=settings.early_stopping,
        )
        exact = len(fit) <= EXACT_ROWS
        batch_size = len(fit) if exact else int(settings.batch_size)
        epochs = epochs_for(settings.max_epochs, len(fit), batch_size, steps=STEPS, limits=EPOCHS)
        dtype = np.float64 if exact else np.float32
        kinds = {"y": np.int64 if self.task.link == "softmax" else dtype}
        rows = {name: array.astype(kinds.get(name, dtype)) for name, array in rows.items()}
        data = {name: array[fit] for name, array in rows.items()}
        validation = {name: array[valid] for name, array in rows.items()} if len(valid) else None
        tree_inputs = None
        if p.rule_lambda and len(fit) >= FEWEST_RULE_ROWS and self.image_shape is None:
            tree_inputs = RuleColumns(self.encoder.reader, self.matrix).transform(self.matrix[fit])
            data["rule"] = np.zeros((len(fit), int(p.n_attributes)), dtype)
        monitor = AttributeMonitor(network, epochs, tree_inputs, self.seed)
        result = train(
            network.double() if exact else network,
            FlintLoss(p, self.task.link, decoding, monitor),
            data,
            settings.replace(max_epochs=epochs, batch_size=batch_size, early_stopping=validation is not None),
            validation=validation,
            min_epochs=min(math.ceil(WARM_UP * epochs) + 1, epochs),
            optimizer="adam",
            epoch_hook=monitor,
            random_state=self.seed,
            global_draws=False,
        )
        self.history, self.device = result.history, result.device

    def _pruned(self, model: FlintModel) -> FlintModel:
        """Take attributes that hardly vary out of the scores, into which their mean goes instead."""
        phi = model.attributes(self.matrix)
        mean = np.average(phi, axis=0, weights=self.weight)
        deviation = np.sqrt(np.average((phi - mean) ** 2, axis=0, weights=self.weight))
        dead = deviation < DEAD * deviation.max()
        if not deviation.max():
            dead[:] = True
        bias = model.bias + model.weights[:, dead] @ mean[dead]
        return replace(model, weights=np.where(dead, 0.0, model.weights), bias=bias, active=~dead)


class AttributeMonitor:
    """Looks at the attributes now and then while they are learnt.

    Dead ones are revived: the weights that make them are drawn anew. And rules are fitted to them.

    Parameters
    ----------
    network : FlintNetwork
        Being trained.
    epochs : int
        Of the training.
    tree_inputs : ndarray of shape (n, q) or None
        What rules of the training rows are made of; None for no rules.
    seed : int
        Draws the rows that rules are fitted on.
    """

    def __init__(self, network: FlintNetwork, epochs: int, tree_inputs: np.ndarray | None, seed: int) -> None:
        self.network, self.tree_inputs, self.seed = network, tree_inputs, seed
        self.first = math.ceil(WARM_UP * epochs) + 1
        self.every = max((epochs - self.first) // N_REVIEWS, 1)
        self.variance: Tensor | None = None
        """Of each attribute (J,), once there are rules."""

    def __call__(self, epoch: int, data: Batch) -> dict[str, Tensor] | None:
        """Give what the rules say of each row (n, J), when it is time to."""
        if epoch < self.first or (epoch - self.first) % self.every:
            return None
        generator = data.generator
        if self.tree_inputs is None:
            data = Batch({name: rows[:: math.ceil(len(rows) / SEEN_ROWS)] for name, rows in data.items()})
        with torch.no_grad():
            phi = attributes_of(self.network, data)
            deviation = phi.std(0)
            dead = deviation < DEAD * deviation.max()
            if dead.any():
                self._revive(dead, generator)
                phi = attributes_of(self.network, data)
        if self.tree_inputs is None:
            return None
        leaf = max(5, min(len(phi), RULE_ROWS) // 200)
        rule_values = fit_rule_trees(
            self.tree_inputs, phi.double().cpu().numpy(), RULE_DEPTH, leaf, self.seed, max_rows=RULE_ROWS
        )
        variance = phi.var(0)
        self.variance = variance.clamp(min=float(variance.mean()) / 100)
        return {"rule": torch.as_tensor(rule_values).to(phi)}

    def _revive(self, dead: Tensor, generator: Generator | None) -> None:
        layer = self.network.interpreter.second
        fresh = torch.empty_like(layer.weight)
        torch.nn.init.kaiming_uniform_(fresh, a=math.sqrt(5), generator=generator)
        layer.weight[dead], layer.bias[dead] = fresh[dead], 0.0


def attributes_of(network: FlintNetwork, rows: Batch) -> Tensor:
    """Attributes (B, J) of rows with ``x``, or with the ``states`` of a given predictor."""
    states = rows["states"] if network.predictor is None else network.predictor(rows["x"])[1]
    return network.interpreter(states)


@dataclass
class FlintLoss:
    """Loss of the predictor, and of an interpreter that agrees, decodes, and is short.

    Parameters
    ----------
    parameters : estimator
        Has the weights of the terms.
    link : str
        What the scores are.
    decoding : callable
        Compares decoded cells.
    monitor : AttributeMonitor
        Has the variances of attributes once there are rules.
    """

    parameters: Any
    link: str
    decoding: Decoding
    monitor: AttributeMonitor

    def __call__(self, module: Any, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of a batch; of validation rows only the predictor's and the fidelity."""
        p, weight, joint = self.parameters, batch["weight"], module.predictor is not None
        if module.predictor is not None:
            scores, states = module.predictor(batch["x"])
        else:
            scores, states = batch["scores"], batch["states"]
        phi = module.interpreter(states)
        answers = module.interpreter.score_layer(phi)
        ramp = min(1.0, batch.progress / WARM_UP) if joint else 1.0
        terms = {"fidelity": (soft_losses(answers, scores, self.link) * weight).mean()}
        total = p.fidelity_lambda * terms["fidelity"] * (ramp if module.training else 1.0)
        if joint:
            terms["task"] = task_loss(scores, batch["y"], weight, self.link)
            total = total + terms["task"]
        if module.training:
            decoded = module.interpreter.decoder(phi)
            terms["reconstruction"] = (self.decoding(decoded, batch["x"]) * weight).mean()
            terms["conciseness"] = conciseness(phi, weight)
            terms["sparsity"] = (phi.mean(1) * weight).mean()
            total = total + p.reconstruction_lambda * terms["reconstruction"]
            total = total + ramp * p.conciseness_lambda * terms["conciseness"]
            total = total + ramp * p.sparsity_lambda * terms["sparsity"]
            if self.monitor.variance is not None:
                apart = ((phi - batch["rule"]) ** 2 / self.monitor.variance).mean(1)
                terms["rule"] = (apart * weight).mean()
                total = total + p.rule_lambda * terms["rule"]
        return total, {name: term.detach() for name, term in terms.items()}
