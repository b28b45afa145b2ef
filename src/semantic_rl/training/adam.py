"""Adam (Kingma and Ba, 2015) as TensorFlow computes it, on one flat vector.

θ ← θ − lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m/(√v + ε). PyTorch's Adam instead adds ε after the bias correction of v, which makes
a difference in the first few hundred steps. One flat vector also needs only a few operations, whatever the number of
tensors. A step has two parts: `advance` counts it and sends the step size to the device; `move` works on tensors at
fixed addresses, so that it can be part of a CUDA graph.
"""

import math

import torch
from torch import Tensor, nn

from semantic_rl.training.flat import FlatLayout

BETAS = (0.9, 0.999)


class FlatAdam:
    """Optimises a module's parameters, whose gradients are in one flat vector, `gradient`."""

    def __init__(self, module: nn.Module, learning_rate: float, epsilon: float, channels_last: bool = False) -> None:
        self._learning_rate = learning_rate
        self._epsilon = epsilon
        self.layout = FlatLayout(module, channels_last)
        parameters = dict(module.named_parameters())
        first = next(iter(parameters.values()))
        self.weights = torch.empty(self.layout.size(), dtype=first.dtype, device=first.device)
        self.gradient = torch.zeros_like(self.weights)
        self._mean = torch.zeros_like(self.weights)
        self._square = torch.zeros_like(self.weights)
        self._num_steps = 0
        self._minus_rate = torch.zeros((), device=self.weights.device)
        weights, gradients = self.layout.pieces(self.weights), self.layout.pieces(self.gradient)
        for name, parameter in parameters.items():
            weights[name].copy_(parameter.data)
            parameter.data = weights[name]
            parameter.grad = gradients[name]

    def step(self) -> None:
        """Update the weights with `gradient`."""
        self.advance()
        self.move()

    def advance(self) -> None:
        """Count one more step and set its step size, without waiting for the device."""
        self._num_steps += 1
        beta1, beta2 = BETAS
        rate = self._learning_rate * math.sqrt(1 - beta2**self._num_steps) / (1 - beta1**self._num_steps)
        self._minus_rate.fill_(-rate)

    @torch.no_grad()
    def move(self) -> None:
        """Update moments and weights with `gradient` and the step size that `advance` set."""
        beta1, beta2 = BETAS
        self._mean.lerp_(self.gradient, 1 - beta1)
        self._square.mul_(beta2).addcmul_(self.gradient, self.gradient, value=1 - beta2)
        # The same order of operations as addcdiv, which itself would need the step size on the host.
        self.weights.add_((self._mean * self._minus_rate).div_(self._square.sqrt().add_(self._epsilon)))

    def state(self) -> dict[str, Tensor]:
        """Return copies in host memory of both moments, by parameter name, and the number of steps."""
        state = {"num_steps": torch.tensor(self._num_steps)}
        for moment, vector in (("mean", self._mean), ("square", self._square)):
            state |= {f"{moment}/{name}": piece for name, piece in self._copies(vector).items()}
        return state

    def weights_by_name(self) -> dict[str, Tensor]:
        """Return copies of the weights in host memory, by parameter name."""
        return self._copies(self.weights)

    def _copies(self, vector: Tensor) -> dict[str, Tensor]:
        """Copy a vector to the host in one transfer, then each piece of it to memory of its own."""
        pieces = self.layout.pieces(vector.cpu())
        return {name: piece.clone(memory_format=torch.contiguous_format) for name, piece in pieces.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Restore what `state` returned."""
        self._num_steps = int(state["num_steps"])
        for moment, vector in (("mean", self._mean), ("square", self._square)):
            for name, piece in self.layout.pieces(vector).items():
                piece.copy_(state[f"{moment}/{name}"])
