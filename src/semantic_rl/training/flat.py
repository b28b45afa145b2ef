"""A module's parameters as pieces of one flat vector: what is done to all of them is done once.

With `channels_last` the weights of convolutions lie as channels-last tensors do, so that cuDNN takes them, and gives
their gradients, as they are. On a CPU they lie as PyTorch has them.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

_IMAGE_DIMENSIONS = 4


class FlatLayout:
    """Where each parameter lies in the vector, in the order of `named_parameters`."""

    def __init__(self, module: nn.Module, channels_last: bool = False) -> None:
        self._shapes = {name: parameter.shape for name, parameter in module.named_parameters()}
        self._channels_last = channels_last

    def size(self, prefix: str = "") -> int:
        """Return how many numbers the parameters whose names begin with `prefix` have."""
        return sum(shape.numel() for name, shape in self._shapes.items() if name.startswith(prefix))

    def pieces(self, vector: Tensor) -> dict[str, Tensor]:
        """Return the parameters, by name, as views of a vector; a shorter vector holds the first of them."""
        pieces: dict[str, Tensor] = {}
        start = 0
        for name, shape in self._shapes.items():
            if start == len(vector):
                break
            piece = vector[start : start + shape.numel()]
            pieces[name] = self._shaped(piece, shape)
            start += shape.numel()
        return pieces

    def _shaped(self, piece: Tensor, shape: torch.Size) -> Tensor:
        if self._channels_last and len(shape) == _IMAGE_DIMENSIONS:
            out, depth, height, width = shape
            return piece.view(out, height, width, depth).permute(0, 3, 1, 2)
        return piece.view(shape)

    def join(self, tensors: Iterable[Tensor], out: Tensor) -> None:
        """Write tensors shaped as parameters, the first of `out` first, into a vector."""
        torch.cat([self._flattened(tensor) for tensor in tensors], out=out)

    def _flattened(self, tensor: Tensor) -> Tensor:
        if self._channels_last and tensor.dim() == _IMAGE_DIMENSIONS:
            tensor = tensor.permute(0, 2, 3, 1)
        return tensor.reshape(-1)
