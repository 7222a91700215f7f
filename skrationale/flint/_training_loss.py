"""The loss of predictor and interpreter, with its derivatives written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..training import Batch, row_slopes, soft_losses, soft_targets, task_loss
from ._losses import conciseness
from ._network import FlintNetwork, MLPPredictor

Decoding = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
Terms = dict[str, Tensor]

WARM_UP = 0.3
"""Share of the epochs in which the terms of the interpreter rise to their weights. Not measured."""


@dataclass
class FlintLoss:
    """Loss of the predictor, and of an interpreter that agrees, decodes, and is short.

    In training the derivatives are computed along with the loss, which takes half the time of recording
    each operation.

    Parameters
    ----------
    parameters : estimator
        Has the weights of the terms.
    link : str
        What the scores are.
    decoding : callable
        Compares decoded cells.
    rule_variance : callable
        Gives the variances (J,) of attributes once there are rules, else None.
    """

    parameters: Any
    link: str
    decoding: Decoding
    rule_variance: Callable[[], Tensor | None]

    def __call__(self, module: Any, batch: Batch) -> tuple[Tensor, Terms]:
        """Loss of a batch; of validation rows only the predictor's and the fidelity."""
        if module.training:
            return self._of_training(module, batch)
        if module.predictor is None:
            scores, states = batch["scores"], batch["states"]
        else:
            scores, states = module.predictor(batch["x"])
        answers = module.interpreter.score_layer(module.interpreter(states))
        terms = self._scored(module, batch, answers, scores)
        total = self.parameters.fidelity_lambda * terms["fidelity"]
        return total + terms["task"] if "task" in terms else total, terms

    def _scored(self, module: FlintNetwork, batch: Batch, answers: Tensor, scores: Tensor) -> Terms:
        terms = {"fidelity": (soft_losses(answers, scores, self.link) * batch["weight"]).mean()}
        if module.predictor is not None:
            terms["task"] = task_loss(scores, batch["y"], batch["weight"], self.link)
        return terms

    def _of_training(self, module: FlintNetwork, batch: Batch) -> tuple[Tensor, Terms]:
        predictor: Any = module.predictor
        by_hand, layers = isinstance(predictor, MLPPredictor), []
        if predictor is None:
            scores, states = batch["scores"], batch["states"]
        elif by_hand:
            with torch.no_grad():
                scores, layers = predictor.layers(batch["x"])
                states = predictor.shown(layers)
        else:
            scores, states = predictor(batch["x"])
        with torch.no_grad():
            total, terms, found, of_scores, of_states = self._derived(module, batch, scores, states)
            if by_hand:
                found = predictor.slopes(batch["x"], layers, of_scores, of_states) + found
        inputs = [*(predictor.parameters() if by_hand else ()), *module.interpreter.parameters()]
        if predictor is not None and not by_hand:
            inputs, found = [scores, states, *inputs], [of_scores, of_states, *found]
        return _Known.apply(total, found, *inputs), terms

    def _derived(
        self, module: FlintNetwork, batch: Batch, scores: Tensor, states: Tensor
    ) -> tuple[Tensor, Terms, list[Tensor], Tensor, Tensor]:
        """Give the loss, its terms, and its derivatives by parameters of the interpreter, scores, states."""
        p, weight, joint = self.parameters, batch["weight"], module.predictor is not None
        ramp = min(1.0, batch.progress / WARM_UP) if joint else 1.0
        share = (weight / len(weight))[:, None]
        layers = module.interpreter.layers(states)
        phi = layers.phi
        terms = self._scored(module, batch, layers.scores, scores)
        fidelity = ramp * p.fidelity_lambda
        total = fidelity * terms["fidelity"] + (terms["task"] if joint else 0.0)
        told = soft_targets(scores, self.link)
        of_answers = row_slopes(layers.scores, told, self.link) * (share * fidelity)
        of_scores = row_slopes(scores, batch["y"], self.link) * share if joint else scores
        losses, slopes = self.decoding(layers.decoded, batch["x"])
        terms["reconstruction"] = (losses * weight).mean()
        terms["conciseness"], of_phi = conciseness(phi, weight)
        terms["sparsity"] = (phi.mean(1) * weight).mean()
        total = total + p.reconstruction_lambda * terms["reconstruction"]
        total = total + (ramp * p.conciseness_lambda) * terms["conciseness"]
        total = total + (ramp * p.sparsity_lambda) * terms["sparsity"]
        of_phi = of_phi * (ramp * p.conciseness_lambda) + share * (ramp * p.sparsity_lambda / phi.shape[1])
        variance = self.rule_variance()
        if variance is not None:
            apart = phi - batch["rule"]
            scaled = apart / variance
            terms["rule"] = ((scaled * apart).mean(1) * weight).mean()
            total = total + p.rule_lambda * terms["rule"]
            of_phi = of_phi.addcmul_(scaled, share, value=2 * p.rule_lambda / phi.shape[1])
        found, of_states = module.interpreter.slopes(
            layers, of_phi, of_answers, slopes * (share * p.reconstruction_lambda)
        )
        return total, terms, found, of_scores, of_states


class _Known(torch.autograd.Function):
    """A number whose derivatives by tensors are known."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, slopes: Sequence[Tensor], *inputs: Tensor) -> Tensor:
        ctx.slopes = slopes
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *above: Tensor) -> Any:
        return None, None, *[slope * above[0] for slope in ctx.slopes]
