"""Max-pooling that remembers little.

PyTorch keeps for the backward pass the whole input of a pooling (of which it needs the shape alone) and the place of
every maximum as int64. For the network's first pooling that is 262 kB an image, of 410 kB for the whole first block.
Here places are kept as int16, and the input not at all.
"""

from typing import Any

import torch
from torch import Tensor

_WINDOW = ([3, 3], [2, 2], [0, 0], [1, 1], True)
"""Kernel, stride, padding, dilation, ceil_mode: TensorFlow's 'same' pooling of an even size pads only behind."""


class _MaxPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        pooled, places = torch.ops.aten.max_pool2d_with_indices(x, *_WINDOW)
        ctx.save_for_backward(places.to(torch.int16))
        ctx.input_shape = x.shape
        return pooled

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        (places,) = ctx.saved_tensors
        (gradient,) = grad_outputs
        shape_only = torch.empty(
            ctx.input_shape, dtype=gradient.dtype, device=gradient.device, memory_format=torch.channels_last
        )
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        return torch.ops.aten.max_pool2d_with_indices_backward(gradient, shape_only, *_WINDOW, places.long())


def max_pool(x: Tensor) -> Tensor:
    """Pool 3×3 with stride 2 as TensorFlow's 'same' does: channels-last [B, C, H, W], H·W ≤ 2^15, to half the size."""
    pooled: Tensor = _MaxPool.apply(x)  # pyright: ignore[reportAssignmentType]
    return pooled
