"""Mixed precision on a GPU: the policy computes with a copy of the trunk's weights in the run's precision.

Casting the weights layer by layer would take about a hundred small kernels per minibatch, and a third of all kernels of
a policy step. Here one kernel casts all of the trunk's weights after each optimiser step, and their gradients come back
as one vector. Weights, moments and losses stay float32.
"""

import torch
from torch import Tensor
from torch.func import functional_call

from semantic_rl.models.policy import PolicyOutput, SemanticPolicy
from semantic_rl.training.adam import FlatAdam
from semantic_rl.training.device import autocast

TRUNK = "trunk."


class WorkingPolicy:
    """A policy that computes with the copies; `refresh` updates them from the optimiser's weights."""

    def __init__(self, policy: SemanticPolicy, optimizer: FlatAdam, precision: str) -> None:
        self.policy = policy
        self._optimizer = optimizer
        self._precision = precision
        layout, weights = optimizer.layout, optimizer.weights
        size = layout.size(TRUNK)
        parameters = dict(policy.named_parameters())
        self._trunk = weights.new_empty(size, dtype=torch.bfloat16 if precision == "bf16" else torch.float32)
        copies = layout.pieces(self._trunk)
        assert list(copies) == [name for name in parameters if name.startswith(TRUNK)], "the trunk comes first"
        self._copies = {name: copy.requires_grad_() for name, copy in copies.items()}
        self._trunk_copies = {name.removeprefix(TRUNK): copy for name, copy in self._copies.items()}
        self._others = [parameter for name, parameter in parameters.items() if name not in copies]
        self._trunk_gradient = torch.empty_like(self._trunk)
        self.refresh()

    @torch.no_grad()
    def refresh(self) -> None:
        """Copy the optimiser's weights after they have changed."""
        self._trunk.copy_(self._optimizer.weights[: len(self._trunk)])

    def __call__(self, observation: Tensor) -> PolicyOutput:
        """Map uint8 observations [B, 64, 64, 3] to all outputs of the network."""
        with autocast(observation.device, self._precision):
            return functional_call(self.policy, self._copies, (observation,))

    def features(self, observation: Tensor) -> Tensor:
        """Map uint8 observations [B, 64, 64, 3] to the trunk's features [B, 256] alone, in the run's precision."""
        with autocast(observation.device, self._precision):
            return functional_call(self.policy.trunk, self._trunk_copies, (observation,))

    def backward(self, loss: Tensor) -> None:
        """Write the gradient of a loss into the optimiser's vector; parameters that it does not reach get zero."""
        inputs = [*self._copies.values(), *self._others]
        gradients = torch.autograd.grad(loss, inputs, allow_unused=True, materialize_grads=True)
        layout, gradient = self._optimizer.layout, self._optimizer.gradient
        layout.join(gradients[: len(self._copies)], self._trunk_gradient)
        gradient[: len(self._trunk)].copy_(self._trunk_gradient)
        layout.join(gradients[len(self._copies) :], gradient[len(self._trunk) :])
