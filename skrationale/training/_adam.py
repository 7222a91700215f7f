"""Adam and AdamW without what torch's own do around their fused kernels."""

from typing import Any, ClassVar

import torch


class _Lean(torch.optim.Optimizer):
    """A step that is one call of the fused kernel, with the figures of torch's own step.

    Torch's classes look at each weight several times a step, announce the step to its profiler, and import
    the compiler of torch when they are made, which takes a second in a new process. Hooks of steps are not
    called.
    """

    kernel: ClassVar[Any]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add weights."""
        add = torch.optim.Optimizer.add_param_group
        getattr(add, "__wrapped__", add)(self, param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Change all weights that have a gradient."""
        for group in self.param_groups:
            weights = [parameter for parameter in group["params"] if parameter.grad is not None]
            states = [self.state[weight] or self._begin(weight) for weight in weights]
            for state in states:
                state["step"] += 1
            counts = {state["step"] for state in states}
            steps = {n: torch.full((), float(n), device=weights[0].device) for n in counts}
            type(self).kernel(
                weights,
                [weight.grad for weight in weights],
                [state["exp_avg"] for state in states],
                [state["exp_avg_sq"] for state in states],
                [],
                [steps[state["step"]] for state in states],
                lr=group["lr"],
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
            )

    step.hooked = True  # type: ignore[attr-defined]

    def _begin(self, weight: torch.Tensor) -> dict[str, Any]:
        self.state[weight] = {
            "step": 0,
            "exp_avg": torch.zeros_like(weight),
            "exp_avg_sq": torch.zeros_like(weight),
        }
        return self.state[weight]


class Adam(_Lean, torch.optim.Adam):
    """Adam, whose weight decay is an L2 penalty."""

    kernel = staticmethod(torch._fused_adam_)


class AdamW(_Lean, torch.optim.AdamW):
    """AdamW, whose weight decay is decoupled."""

    kernel = staticmethod(torch._fused_adamw_)


LEAN = {"adam": Adam, "adamw": AdamW}
PLAIN = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def build_optimizer(name: str, groups: list[dict[str, Any]], **settings: Any) -> torch.optim.Optimizer:
    """Make an optimizer: lean where the device has a fused kernel and all weights are of one kind."""
    kinds = {(weight.device, weight.dtype) for group in groups for weight in group["params"]}
    if len(kinds) == 1:
        try:
            return LEAN[name](groups, fused=True, **settings)
        except RuntimeError:
            pass
    return PLAIN[name](groups, **settings)
