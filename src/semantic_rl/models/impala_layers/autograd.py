"""Layers for learning on a GPU without our kernels, in float32 or without Triton; all activations are kept."""

import torch
from torch import Tensor
from torch.nn import functional as F


def convolve_and_pool(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve 3×3 'same', then pool 3×3 with stride 2 as TensorFlow's 'same' does.

    Maps uint8 images [B, 3, H, W], which are divided by 255, or activations [B, C, H, W], H and W even, to activations
    of half the size in the precision of `weight`.
    """
    x = F.conv2d(x.to(weight.dtype) / 255 if x.dtype == torch.uint8 else x, weight, padding=1)
    # Rounding preserves order, so the bias can be added after the pooling, at a quarter of the memory traffic.
    return F.max_pool2d(x, 3, 2, ceil_mode=True).add_(bias.view(1, -1, 1, 1))


def residual_block(x: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor, bias2: Tensor) -> Tensor:
    """Compute x + conv(relu(conv(relu(x)))) for [B, C, H, W] with 3×3 'same' convolutions, all in one precision."""
    inner = F.conv2d(F.relu(x), weight1, bias1, padding=1).relu_()
    return F.conv2d(inner, weight2, bias2, padding=1).add_(x)
