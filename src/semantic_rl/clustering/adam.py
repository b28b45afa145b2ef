"""Adam (Kingma and Ba, 2015) for a small network, in the arithmetic of `torch.optim.Adam`, on one flat vector.

θ ← θ − lr/(1 − β₁ᵗ) · m/(√v/√(1 − β₂ᵗ) + ε). A fit takes many thousand small steps: PyTorch's optimiser needs a
seventh of their time for keeping account of tensors, and importing it loads a compiler, which takes a second.
`semantic_rl.training.adam` is TensorFlow's Adam, which adds ε elsewhere, for the network of an agent.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Optimises parameters whose gradients are accumulated, as `backward` does, in one vector."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        """Move the parameters' values, and their gradients, into one vector each."""
        self._weights = torch.cat([parameter.detach().flatten() for parameter in parameters])
        self._gradient = torch.zeros_like(self._weights)
        self._mean = torch.zeros_like(self._weights)
        self._square = torch.zeros_like(self._weights)
        self._shapes = [parameter.shape for parameter in parameters]
        self.num_steps = 0
        for parameter, values, gradient in zip(
            parameters, self._pieces(self._weights), self._pieces(self._gradient), strict=True
        ):
            parameter.data = values
            parameter.grad = gradient

    def _pieces(self, vector: Tensor) -> list[Tensor]:
        """Return the parts of a vector that belong to each parameter."""
        parts = vector.split([shape.numel() for shape in self._shapes])
        return [part.view(shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self._gradient.zero_()

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Move the parameters by their gradients."""
        self.num_steps += 1
        self._mean.lerp_(self._gradient, 1 - BETA1)
        self._square.mul_(BETA2).addcmul_(self._gradient, self._gradient, value=1 - BETA2)
        scale = math.sqrt(1 - BETA2**self.num_steps)
        root = (self._square.sqrt() / scale).add_(EPSILON)
        self._weights.addcdiv_(self._mean, root, value=-learning_rate / (1 - BETA1**self.num_steps))

    def moments(self) -> list[tuple[Tensor, Tensor]]:
        """Return for each parameter the running means of its gradient and of the square, which a resumed fit sets."""
        return list(zip(self._pieces(self._mean), self._pieces(self._square), strict=True))
