"""Layers for NVIDIA GPUs in bf16: each convolution is one kernel together with all that is done around it.

A minibatch is limited by memory traffic and a policy step by the number of kernels; both are least where ReLU, bias,
residual sum and pooling happen within the convolutions (`models.impala_layers.kernels`). Activations are channels-last.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from semantic_rl.triton_support import can_start_kernels

IMAGE_CHANNELS = 4
"""Of padded images; activations have at least 16."""
FEW_IMAGES = 512
"""Fewer do not keep all multiprocessors busy with large blocks of pixels."""


def _kernels() -> Any:
    """Return the module of kernels, which needs Triton."""
    from semantic_rl.models.impala_layers import kernels

    return kernels


@cache
def _multiprocessors(device: torch.device) -> int:
    return torch.cuda.get_device_properties(device).multi_processor_count if device.type == "cuda" else 2


def suits(device: torch.device, dtype: torch.dtype) -> bool:
    """Say whether this implementation supports the device and the precision: bf16 on a GPU with Triton."""
    return dtype == torch.bfloat16 and can_start_kernels(device)


def _pixels_last(x: Tensor) -> Tensor:
    """Return [B, C, H, W] as contiguous [B, H, W, C], without a copy if it is channels-last."""
    return x.permute(0, 2, 3, 1).contiguous()


def _channels_second(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2)


BLOCKS: dict[tuple[str, int, int], tuple[int, ...]] = {
    ("convolve", 16, 32): (128, 4),
    ("convolve", 32, 16): (128, 4),
    ("convolve", 32, 8): (128, 4),
    ("convolve_and_pool", 4, 64): (64, 4),
    ("convolve_and_pool", 16, 32): (64, 4),
    ("convolve_and_pool", 32, 16): (64, 4),
    ("unpool", 32, 32): (64, 4),
    ("unpool", 32, 16): (64, 4),
    ("weight_gradient", 16, 32): (64, 4, 4),
    ("weight_gradient", 32, 16): (64, 4, 4),
    ("weight_gradient", 32, 8): (64, 4, 4),
    ("image_weight_gradient", 4, 64): (64, 4, 4),
    ("few: convolve", 16, 32): (32, 4),
    ("few: convolve", 32, 16): (32, 4),
    ("few: convolve", 32, 8): (32, 4),
    ("few: convolve_and_pool", 4, 64): (32, 4),
    ("few: convolve_and_pool", 16, 32): (32, 4),
    ("few: convolve_and_pool", 32, 16): (32, 4),
}
"""By kernel, channels and height: block size in pixels, number of warps and, where weights' gradients are summed up,
programs per multiprocessor. These are the fastest that were measured on an H100."""


def _block(kernel: str, x: Tensor) -> tuple[int, ...]:
    """Return how a kernel is launched for [B, H, W, C]; a few images are divided more finely."""
    batch, height, _, channels = x.shape
    few = "few: " if batch < FEW_IMAGES else ""
    key = (few + kernel, channels, height)
    return BLOCKS.get(key) or BLOCKS.get((kernel, channels, height), (64, 4, 4))


def _padded(depth: int) -> int:
    """Return 3·depth rounded up to a power of two."""
    return 1 << (3 * depth - 1).bit_length()


def _convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    transposed: bool = False,
    relu_input: bool = False,
    relu_output: bool = False,
    mask: Tensor | None = None,
    residual: Tensor | None = None,
) -> Tensor:
    """Convolve contiguous [B, H, W, IN]; the kernel says what the options mean."""
    batch, height, width, depth_in = x.shape
    depth = weight.shape[1 if transposed else 0]
    out = x.new_empty(batch, height, width, depth)
    block, warps, *_ = _block("convolve", x)
    num_pixels = batch * height * width
    _kernels().convolve[(-(-num_pixels // block),)](
        x,
        weight,
        bias,
        mask,
        residual,
        out,
        num_pixels,
        HEIGHT=height,
        WIDTH=width,
        IN=depth_in,
        OUT=depth,
        TRANSPOSED=transposed,
        RELU_INPUT=relu_input,
        HAS_BIAS=bias is not None,
        RELU_OUTPUT=relu_output,
        HAS_MASK=mask is not None,
        HAS_RESIDUAL=residual is not None,
        PADDED=_padded(depth_in),
        BLOCK=block,
        num_warps=warps,
    )
    return out


def _pad_images(images: Tensor, dtype: torch.dtype) -> Tensor:
    """Convert bytes [B, H, W, 3] to [B, H, W, 4]."""
    out = torch.empty(*images.shape[:3], 4, dtype=dtype, device=images.device)
    num_pixels, block = images.numel() // 3, 512
    _kernels().pad_images[(-(-num_pixels // block),)](images, out, num_pixels, BLOCK=block, num_warps=4)
    return out


def _convolve_and_pool(x: Tensor, weight: Tensor, bias: Tensor, keep_places: bool) -> tuple[Tensor, Tensor | None]:
    """Map contiguous [B, H, W, C] to [B, H/2, W/2, OUT] and, if they are to be kept, the places of the maxima."""
    batch, height, width, depth_in = x.shape
    is_image = depth_in == IMAGE_CHANNELS
    out = torch.empty(batch, height // 2, width // 2, len(weight), dtype=weight.dtype, device=x.device)
    places = torch.empty_like(out, dtype=torch.uint8) if keep_places else None
    block, warps, *_ = _block("convolve_and_pool", x)
    num_pooled = batch * (height // 2) * (width // 2)
    _kernels().convolve_and_pool[(-(-num_pooled // block),)](
        x,
        weight,
        bias,
        out,
        places,
        num_pooled,
        HEIGHT=height,
        WIDTH=width,
        IN=depth_in,
        OUT=len(weight),
        IS_IMAGE=is_image,
        KEEP_PLACES=keep_places,
        PADDED=64 if is_image else _padded(depth_in),
        BLOCK=block,
        num_warps=warps,
    )
    return out, places


def _unpool(gradient: Tensor, places: Tensor) -> Tensor:
    batch, height, width, depth = gradient.shape
    out = gradient.new_empty(batch, 2 * height, 2 * width, depth)
    block, warps, *_ = _block("unpool", out)
    num_pixels = batch * 4 * height * width
    _kernels().unpool[(-(-num_pixels // block),)](
        gradient, places, out, num_pixels, HEIGHT=2 * height, WIDTH=2 * width, CHANNELS=depth, BLOCK=block,
        num_warps=warps,
    )  # fmt: skip
    return out


def _add_partials(partial: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of a weight and its bias."""
    out, taps = len(weight), weight[0].numel()
    weight_gradient = torch.empty_like(weight, memory_format=torch.channels_last)
    bias_gradient = weight.new_empty(out)
    block = 128
    _kernels().add_partials[(-(-(taps + 1) * out // block),)](
        partial, weight_gradient, bias_gradient, NUM_PARTIALS=len(partial), TAPS=taps, OUT=out, BLOCK=block, num_warps=4
    )
    return weight_gradient, bias_gradient


def _num_programs(device: torch.device, each: int, num_blocks: int) -> int:
    return min(each * _multiprocessors(device), num_blocks)


def _weight_gradients(x: Tensor, gradient: Tensor, weight: Tensor, relu_input: bool = False) -> tuple[Tensor, Tensor]:
    """Return the gradients of a convolution's weight and bias."""
    batch, height, width, depth_in = x.shape
    depth = len(weight)
    block, warps, programs_each = _block("weight_gradient", x)
    num_pixels = batch * height * width
    programs = _num_programs(x.device, programs_each, -(-num_pixels // block))
    partial = torch.empty(programs, 9 * depth_in + 1, depth, device=x.device)
    _kernels().weight_gradient[(programs, 3)](
        x,
        gradient,
        partial,
        num_pixels,
        HEIGHT=height,
        WIDTH=width,
        IN=depth_in,
        OUT=depth,
        RELU_INPUT=relu_input,
        TURNS=-(-num_pixels // (block * programs)),
        PADDED=_padded(depth_in),
        BLOCK=block,
        num_warps=warps,
    )
    return _add_partials(partial, weight)


def _image_weight_gradients(x: Tensor, gradient: Tensor, places: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    batch, height, width, _ = x.shape
    depth = len(weight)
    block, warps, programs_each = _block("image_weight_gradient", x)
    num_pooled = batch * (height // 2) * (width // 2)
    programs = _num_programs(x.device, programs_each, -(-num_pooled // block))
    partial = torch.empty(programs, weight[0].numel() + 1, depth, device=x.device)
    _kernels().image_weight_gradient[(programs,)](
        x, gradient, places, partial, num_pooled, HEIGHT=height, WIDTH=width, OUT=depth,
        TURNS=-(-num_pooled // (block * programs)), BLOCK=block, num_warps=warps,
    )  # fmt: skip
    return _add_partials(partial, weight)


def _input(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Return images [B, 3, H, W] or activations as the kernels want them."""
    return _pad_images(_pixels_last(x), dtype) if x.dtype == torch.uint8 else _pixels_last(x)


class _ConvolveAndPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        x, weight = _input(x, weight.dtype), weight.contiguous(memory_format=torch.channels_last)
        pooled, places = _convolve_and_pool(x, weight, bias, True)
        ctx.save_for_backward(x, weight, places)
        return _channels_second(pooled)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x, weight, places = ctx.saved_tensors
        gradient = _pixels_last(grad_outputs[0])
        if x.shape[-1] == IMAGE_CHANNELS:
            return None, *_image_weight_gradients(x, gradient, places, weight)
        gradient = _unpool(gradient, places)
        return _channels_second(_convolve(gradient, weight, transposed=True)), *_weight_gradients(x, gradient, weight)


class _ResidualBlock(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor, bias2: Tensor) -> Tensor:
        x = _pixels_last(x)
        weight1, weight2 = (weight.contiguous(memory_format=torch.channels_last) for weight in (weight1, weight2))
        inner = _convolve(x, weight1, bias1, relu_input=True, relu_output=True)
        ctx.save_for_backward(x, inner, weight1, weight2)
        return _channels_second(_convolve(inner, weight2, bias2, residual=x))

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        x, inner, weight1, weight2 = ctx.saved_tensors
        gradient = _pixels_last(grad_outputs[0])
        of_weight2, of_bias2 = _weight_gradients(inner, gradient, weight2)
        of_inner = _convolve(gradient, weight2, transposed=True, mask=inner)
        of_weight1, of_bias1 = _weight_gradients(x, of_inner, weight1, relu_input=True)
        of_x = _convolve(of_inner, weight1, transposed=True, mask=x, residual=gradient)
        return _channels_second(of_x), of_weight1, of_bias1, of_weight2, of_bias2


def convolve_and_pool(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve 3×3 'same', then pool 3×3 with stride 2 as TensorFlow's 'same' does.

    Maps uint8 images [B, 3, H, W], which are divided by 255, or activations [B, C, H, W], H and W even, C a power of
    two and at least 16, to activations of half the size in the precision of `weight`.
    """
    if torch.is_grad_enabled() and weight.requires_grad:
        result: Tensor = _ConvolveAndPool.apply(x, weight, bias)  # pyright: ignore[reportAssignmentType]
        return result
    weight = weight.contiguous(memory_format=torch.channels_last)
    return _channels_second(_convolve_and_pool(_input(x, weight.dtype), weight, bias, False)[0])


def residual_block(x: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor, bias2: Tensor) -> Tensor:
    """Compute x + conv(relu(conv(relu(x)))) for [B, C, H, W] with 3×3 'same' convolutions, all in one precision."""
    if torch.is_grad_enabled() and weight1.requires_grad:
        result: Tensor = _ResidualBlock.apply(x, weight1, bias1, weight2, bias2)  # pyright: ignore[reportAssignmentType]
        return result
    weight1, weight2 = (weight.contiguous(memory_format=torch.channels_last) for weight in (weight1, weight2))
    x = _pixels_last(x)
    inner = _convolve(x, weight1, bias1, relu_input=True, relu_output=True)
    return _channels_second(_convolve(inner, weight2, bias2, residual=x))
