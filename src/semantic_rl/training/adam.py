"""Adam (Kingma and Ba, 2015) as TensorFlow computes it, on one flat vector.

θ ← θ − lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m/(√v + ε). PyTorch's Adam adds ε after the bias correction of v instead, which
differs for some hundred steps; one flat vector also needs a few operations only, whatever the number of tensors.
"""

import math

import torch
from torch import Tensor, nn

BETAS = (0.9, 0.999)


class FlatAdam:
    """Optimises a module's parameters; their gradients live in one flat vector, `gradient`."""

    def __init__(self, module: nn.Module, learning_rate: float, epsilon: float) -> None:
        self._learning_rate = learning_rate
        self._epsilon = epsilon
        self._sizes = {name: parameter.numel() for name, parameter in module.named_parameters()}
        self._shapes = {name: parameter.shape for name, parameter in module.named_parameters()}
        with torch.no_grad():
            self._weights = nn.utils.parameters_to_vector(module.parameters()).clone()
        self.gradient = torch.zeros_like(self._weights)
        self._mean = torch.zeros_like(self._weights)
        self._square = torch.zeros_like(self._weights)
        self._num_steps = 0
        weights, gradients = self._pieces(self._weights), self._pieces(self.gradient)
        for name, parameter in module.named_parameters():
            parameter.data = weights[name]
            parameter.grad = gradients[name]

    def _pieces(self, vector: Tensor) -> dict[str, Tensor]:
        pieces = zip(self._shapes.items(), vector.split(list(self._sizes.values())), strict=True)
        return {name: piece.view(shape) for (name, shape), piece in pieces}

    @torch.no_grad()
    def step(self) -> None:
        """Move the weights along `gradient`."""
        self._num_steps += 1
        beta1, beta2 = BETAS
        rate = self._learning_rate * math.sqrt(1 - beta2**self._num_steps) / (1 - beta1**self._num_steps)
        self._mean.lerp_(self.gradient, 1 - beta1)
        self._square.mul_(beta2).addcmul_(self.gradient, self.gradient, value=1 - beta2)
        self._weights.addcdiv_(self._mean, self._square.sqrt().add_(self._epsilon), value=-rate)

    def state(self) -> dict[str, Tensor]:
        """Return copies of both moments by parameter name, and the number of steps."""
        state = {"num_steps": torch.tensor(self._num_steps)}
        for moment, vector in (("mean", self._mean), ("square", self._square)):
            state |= {f"{moment}/{name}": piece.clone() for name, piece in self._pieces(vector).items()}
        return state

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go back to what `state` returned."""
        self._num_steps = int(state["num_steps"])
        for moment, vector in (("mean", self._mean), ("square", self._square)):
            for name, piece in self._pieces(vector).items():
                piece.copy_(state[f"{moment}/{name}"])
