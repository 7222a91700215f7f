"""Training: a predictor and its interpreter together, or an interpreter of what is known."""

from __future__ import annotations

import math
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
    train,
    validation_split,
)
from ._losses import Reconstruction, pixel_errors
from ._model import FlintModel, OwnPredictor, Source
from ._network import FlintNetwork, Interpreter, layer_sizes
from ._rule_trees import RuleTrees
from ._rules import RuleColumns
from ._training_loss import WARM_UP, Decoding, FlintLoss


# Figures of examples/benchmarks/results/flint.md were made with these values.
@dataclass(frozen=True)
class Pace:
    """What ``"auto"`` stands for in training: rows of a step, peak rate, weight decay, steps, epochs."""

    batch_size: int
    lr: float
    weight_decay: float
    steps: int
    epochs: tuple[int, int]
    """At least and at most so many, whatever the steps."""


SMALL, LARGE = Pace(64, 3e-3, 0.0, 2000, (12, 200)), Pace(256, 1.5e-2, 1e-4, 4000, (12, 40))
"""Of small tables and images, and of large tables. Measured on a quarter of the rows: the network is right in
.784 of covertype_50k with SMALL, and with LARGE in .822 at a rate of .01, .829 at .015, .836 at .02. Without
weight decay adult loses, .9118 of AUROC at .01 for .9151 with SMALL; with 1e-4 it has .9153, with 1e-3 .9144,
but covertype_50k .798. At .02 adult has .9145. On digits a rate of .01 and 128 rows a step are as good as
SMALL, but rules describe attributes less well, R2 .71 for .73."""
LARGE_ROWS = 10_000
"""Rows of a table that are trained on, above which it is large. Not measured."""
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
        settings = self._paced(settings, len(fit))
        epochs = int(settings.max_epochs)
        dtype = np.float64 if exact else np.float32
        kinds = {"y": np.int64 if self.task.link == "softmax" else dtype}
        rows = {name: array.astype(kinds.get(name, dtype)) for name, array in rows.items()}
        data = {name: array[fit] for name, array in rows.items()}
        validation = {name: array[valid] for name, array in rows.items()} if len(valid) else None
        rule_trees = None
        if p.rule_lambda and len(fit) >= FEWEST_RULE_ROWS and self.image_shape is None:
            tree_inputs = RuleColumns(self.encoder.reader, self.matrix).transform(self.matrix[fit])
            leaf = max(5, min(len(fit), RULE_ROWS) // 200)
            rule_trees = RuleTrees(tree_inputs, RULE_DEPTH, leaf, self.seed, max_rows=RULE_ROWS)
            data["rule"] = np.zeros((len(fit), int(p.n_attributes)), dtype)
        monitor = AttributeMonitor(network, epochs, rule_trees)
        result = train(
            network.double() if exact else network,
            FlintLoss(p, self.task.link, decoding, lambda: monitor.variance),
            data,
            settings.replace(early_stopping=validation is not None),
            validation=validation,
            min_epochs=min(math.ceil(WARM_UP * epochs) + 1, epochs),
            optimizer="adam",
            epoch_hook=monitor,
            random_state=self.seed,
            global_draws=False,
        )
        self.history, self.device = result.history, result.device

    def _paced(self, settings: Settings, n_rows: int) -> Settings:
        """Replace ``"auto"`` for a number of rows that are trained on."""
        pace = LARGE if n_rows > LARGE_ROWS and self.image_shape is None else SMALL
        chosen = {
            name: getattr(pace, name) if value == "auto" else value
            for name in ("batch_size", "lr", "weight_decay")
            for value in [getattr(settings, name)]
        }
        if n_rows <= EXACT_ROWS:
            chosen["batch_size"] = n_rows
        size = int(chosen["batch_size"])
        epochs = epochs_for(settings.max_epochs, n_rows, size, steps=pace.steps, limits=pace.epochs)
        return settings.replace(max_epochs=epochs, **chosen)

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
    rule_trees : RuleTrees or None
        Make rules of the training rows; None for no rules.
    """

    def __init__(self, network: FlintNetwork, epochs: int, rule_trees: RuleTrees | None) -> None:
        self.network, self.rule_trees = network, rule_trees
        self.first = math.ceil(WARM_UP * epochs) + 1
        self.every = max((epochs - self.first) // N_REVIEWS, 1)
        self.variance: Tensor | None = None
        """Of each attribute (J,), once there are rules."""

    def __call__(self, epoch: int, data: Batch) -> dict[str, Tensor] | None:
        """Give what the rules say of each row (n, J), when it is time to."""
        if epoch < self.first or (epoch - self.first) % self.every:
            return None
        generator = data.generator
        if self.rule_trees is None:
            data = Batch({name: rows[:: math.ceil(len(rows) / SEEN_ROWS)] for name, rows in data.items()})
        with torch.no_grad():
            phi = attributes_of(self.network, data)
            deviation = phi.std(0)
            dead = deviation < DEAD * deviation.max()
            if dead.any():
                self._revive(dead, generator)
                phi = attributes_of(self.network, data)
        if self.rule_trees is None:
            return None
        rule_values = self.rule_trees.fit_values(phi.double().cpu().numpy())
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
