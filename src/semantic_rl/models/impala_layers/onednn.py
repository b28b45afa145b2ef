"""Layers for x86 CPUs in oneDNN's blocked layout, which makes pooling and elementwise operations fast.

PyTorch's own pooling of 16 channels does not fill a CPU's vector registers and took a third of a rollout step.
oneDNN's does, on its layout of blocks of 16 channels, which PyTorch calls opaque tensors (`layout=torch._mkldnn`).
Images are converted to this layout at the start of the trunk and features are converted back at its end. Anything that
the backward pass can cheaply recompute is not kept: images stay bytes, pooling keeps one byte per maximum instead of
its input, and the activations between the convolutions of a large residual block are recomputed.
"""

import platform
from functools import cache
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from semantic_rl.models.impala_layers.pooling import WINDOW
from semantic_rl.models.impala_layers.recompute import convolution_gradients

_KEEP_UP_TO = 16 * 16
"""Most pixels of a residual block whose inner activations are kept: 40 kB per image in bf16; larger blocks: 64 kB."""


@cache
def _computes(dtype: torch.dtype) -> bool:
    """Say whether this CPU is supported: x86 with AVX2, for bf16 with AVX-512 (other CPUs are untested)."""
    is_x86 = platform.machine().lower() in ("x86_64", "amd64")
    has_vectors = torch.backends.cpu.get_cpu_capability().startswith("AVX")
    if not (is_x86 and has_vectors and torch.backends.mkldnn.is_available()):
        return False
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32


def suits(device: torch.device, dtype: torch.dtype) -> bool:
    """Say whether this implementation supports the device and the precision."""
    return device.type == "cpu" and bool(torch.backends.mkldnn.enabled) and _computes(dtype)


def _convolve(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve 3×3 'same'."""
    return torch.ops.aten.mkldnn_convolution(x, weight, bias, [1, 1], [1, 1], [1, 1], 1)


def _opaque_images(images: Tensor, dtype: torch.dtype) -> Tensor:
    return (images.to(dtype) / 255).to_mkldnn()


def _convolve_images_or_activations(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return _convolve(_opaque_images(x, weight.dtype) if x.dtype == torch.uint8 else x, weight, bias)


class _ConvolveAndPool(torch.autograd.Function):
    """Convolution and pooling that does not keep the pooling's input."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        convolved = _convolve_images_or_activations(x, weight, bias)
        # oneDNN stores the positions of the maxima with its result only if a gradient is needed.
        with torch.enable_grad():
            pooled = torch.mkldnn_max_pool2d(convolved.requires_grad_(), *WINDOW).detach()
        ctx.save_for_backward(x, weight, pooled)
        ctx.like_input = _remember_layout(convolved.detach(), weight.shape)
        return pooled.detach()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x, weight, pooled = ctx.saved_tensors
        gradient = torch.ops.aten.mkldnn_max_pool2d_backward(grad_outputs[0], pooled, ctx.like_input, *WINDOW)
        if x.dtype == torch.uint8:
            return convolution_gradients(gradient, _opaque_images(x, weight.dtype), weight, False)
        return convolution_gradients(gradient, x, weight, True)


_MAX_LAYOUTS = 12
_layouts_lock = Lock()
_layouts: dict[tuple[torch.Size, torch.Size, torch.dtype], Tensor] = {}


def _remember_layout(x: Tensor, weight_shape: torch.Size) -> Tensor:
    """Return a cached opaque tensor with the shape and layout of a convolution's result.

    The backward pass of pooling reads only the shape and layout of its input, and PyTorch cannot create an empty opaque
    tensor.
    """
    key = (x.shape, weight_shape, x.dtype)
    with _layouts_lock:
        if key not in _layouts:
            while len(_layouts) >= _MAX_LAYOUTS:
                del _layouts[next(iter(_layouts))]
            _layouts[key] = x
        return _layouts[key]


class _ResidualBlock(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor, bias2: Tensor) -> Tensor:
        inner = _inner(x, weight1, bias1)
        kept = (inner,) if x.shape[-1] * x.shape[-2] <= _KEEP_UP_TO else ()
        ctx.save_for_backward(x, weight1, bias1, weight2, *kept)
        return _convolve(inner, weight2, bias2).add_(x)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        x, weight1, bias1, weight2, *kept = ctx.saved_tensors
        inner = kept[0] if kept else _inner(x, weight1, bias1)
        gradient, weight2_gradient, bias2_gradient = convolution_gradients(grad_outputs[0], inner, weight2, True)
        gradient = torch.ops.aten.threshold_backward(gradient, inner, 0)
        positive = torch.relu(x)
        gradient, weight1_gradient, bias1_gradient = convolution_gradients(gradient, positive, weight1, True)
        gradient = torch.ops.aten.threshold_backward(gradient, positive, 0).add_(grad_outputs[0])
        return gradient, weight1_gradient, bias1_gradient, weight2_gradient, bias2_gradient


def _inner(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Compute relu(conv(relu(x))), the input of a residual block's second convolution."""
    return torch.relu_(_convolve(torch.relu(x), weight, bias))


def convolve_and_pool(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve 3×3 'same', then pool 3×3 with stride 2 as TensorFlow's 'same' does.

    Maps uint8 images [B, 3, H, W], which are divided by 255, or opaque activations [B, C, H, W], H and W even, to
    opaque activations of half the size in the precision of `weight`.
    """
    if torch.is_grad_enabled() and weight.requires_grad:
        result: Tensor = _ConvolveAndPool.apply(x, weight, bias)  # pyright: ignore[reportAssignmentType]
        return result
    return torch.mkldnn_max_pool2d(_convolve_images_or_activations(x, weight, bias), *WINDOW)


def residual_block(x: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor, bias2: Tensor) -> Tensor:
    """Compute x + conv(relu(conv(relu(x)))) for opaque [B, C, H, W] with 3×3 'same' convolutions, in one precision."""
    if torch.is_grad_enabled() and weight1.requires_grad:
        result: Tensor = _ResidualBlock.apply(x, weight1, bias1, weight2, bias2)  # pyright: ignore[reportAssignmentType]
        return result
    return _convolve(_inner(x, weight1, bias1), weight2, bias2).add_(x)
