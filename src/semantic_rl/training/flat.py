"""Lays out a module's parameters in one flat vector, so that one operation acts on all of them.

With `channels_last` the weights of convolutions are stored in channels-last order, so that cuDNN can use them and
return their gradients without conversion. On a CPU they are stored in PyTorch's default order.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

_IMAGE_DIMENSIONS = 4


class FlatLayout:
    """The position of each parameter in the vector, in the order of `named_parameters`."""

    def __init__(self, module: nn.Module, channels_last: bool = False) -> None:
        self._shapes = {name: parameter.shape for name, parameter in module.named_parameters()}
        self._channels_last = channels_last

    def size(self, prefix: str = "") -> int:
        """Return the total number of elements of the parameters whose names begin with `prefix`."""
        return sum(shape.numel() for name, shape in self._shapes.items() if name.startswith(prefix))

    def pieces(self, vector: Tensor) -> dict[str, Tensor]:
        """Return the parameters, by name, as views of a vector; a shorter vector holds only the first parameters."""
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
        """Write tensors with the shapes of the parameters, in order, into the vector `out`."""
        torch.cat([self._flattened(tensor) for tensor in tensors], out=out)

    def _flattened(self, tensor: Tensor) -> Tensor:
        if self._channels_last and tensor.dim() == _IMAGE_DIMENSIONS:
            tensor = tensor.permute(0, 2, 3, 1)
        return tensor.reshape(-1)
