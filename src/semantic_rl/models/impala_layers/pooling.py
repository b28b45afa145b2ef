"""Max-pooling that keeps one byte per maximum for the backward pass.

PyTorch keeps the whole input of a pooling for the backward pass (although it needs only the shape) and the index of
every maximum as int64. For the network's first pooling that is 262 kB per image, out of 410 kB for the first block.
Here the input is not kept, and an index is stored as its offset from the first element of its window: one byte.

Without a gradient no indices are needed, and the maximum of each window is found by comparing whole rows, then whole
columns, in half the time.
"""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

WINDOW = ([3, 3], [2, 2], [0, 0], [1, 1], True)
"""Kernel, stride, padding, dilation, ceil_mode: TensorFlow's 'same' pooling pads an even size only at the end."""


class _MaxPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        pooled, places = torch.ops.aten.max_pool2d_with_indices(x, *WINDOW)
        first = _first_places(*x.shape[-2:], x.device)
        ctx.save_for_backward(places.to(torch.uint8).sub_(first.to(torch.uint8)), first)  # bytes wrap around
        ctx.input_shape = x.shape
        return pooled

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        offsets, first = ctx.saved_tensors
        (gradient,) = grad_outputs
        shape_only = torch.empty(
            ctx.input_shape, dtype=gradient.dtype, device=gradient.device, memory_format=torch.channels_last
        )
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        places = offsets.long().add_(first)
        return torch.ops.aten.max_pool2d_with_indices_backward(gradient, shape_only, *WINDOW, places)


@lru_cache(maxsize=16)
def _first_places(height: int, width: int, device: torch.device) -> Tensor:
    """Return the index [H/2, W/2] of each window's first element."""
    rows, columns = (torch.arange(0, size, 2, device=device) for size in (height, width))
    return rows[:, None] * width + columns


def _largest(x: Tensor) -> Tensor:
    """Pool [B, C, H, W] with even H and W to half the size, without the indices of the maxima."""
    images = x.permute(0, 2, 3, 1)
    rows = torch.maximum(images[:, 0::2], images[:, 1::2])
    torch.maximum(rows[:, :-1], images[:, 2::2], out=rows[:, :-1])
    pooled = torch.maximum(rows[:, :, 0::2], rows[:, :, 1::2])
    torch.maximum(pooled[:, :, :-1], rows[:, :, 2::2], out=pooled[:, :, :-1])
    return pooled.permute(0, 3, 1, 2)


def max_pool(x: Tensor) -> Tensor:
    """Pool 3×3 with stride 2 as TensorFlow's 'same' does: channels-last [B, C, H, W], H and W even, to half the size.

    The last element of a window is 2·W + 2 after its first, which must fit into a byte: W ≤ 126.
    """
    if not (torch.is_grad_enabled() and x.requires_grad):
        return _largest(x)
    pooled: Tensor = _MaxPool.apply(x)  # pyright: ignore[reportAssignmentType]
    return pooled
