"""IMPALA blocks for NVIDIA GPUs in bf16: each convolution and the operations around it are fused into one kernel.

The speed of a minibatch is limited by memory traffic, that of a policy step by the number of kernels. Both are smallest
if ReLU, bias, residual sum and pooling are computed inside the convolutions (`models.impala_layers.kernels`).
Activations are channels-last. The input of a convolution is the ReLU of the preceding sum; the kernel that computes the
sum writes both, so that inputs go from memory to the matrix units without passing through registers.
"""

from typing import Any

import torch
from torch import Tensor

from semantic_rl.triton_support import can_start_kernels

IMAGE_CHANNELS = 4
"""Number of channels of padded images; activations have at least 16."""
FEW_IMAGES = 512
"""Smallest number of images for large blocks of pixels; with fewer, some multiprocessors would be idle."""

BLOCKS: dict[tuple[str, int, int], tuple[int, int, int, int]] = {
    ("convolve", 16, 32): (64, 4, 64, 2),
    ("convolve", 32, 16): (128, 8, 2048, 1),
    ("convolve", 32, 8): (64, 4, 1024, 1),
    ("convolve 32 to 16", 32, 32): (64, 4, 64, 3),
    ("convolve_and_pool", 4, 66): (128, 4, 512, 1),
    ("convolve_and_pool", 16, 32): (64, 4, 256, 1),
    ("convolve_and_pool", 32, 16): (64, 4, 1024, 1),
    ("unpool", 32, 32): (64, 4, 0, 1),
    ("unpool", 32, 16): (64, 4, 0, 1),
    ("weight_gradient", 16, 32): (64, 4, 16, 3),
    ("weight_gradient 16 to 32", 16, 32): (64, 4, 16, 3),
    ("weight_gradient", 32, 16): (64, 4, 64, 2),
    ("weight_gradient", 32, 8): (64, 4, 128, 2),
    ("image_weight_gradient", 4, 66): (64, 4, 32, 2),
    ("few: convolve", 16, 32): (64, 4, 4096, 1),
    ("few: convolve", 32, 16): (64, 4, 4096, 1),
    ("few: convolve", 32, 8): (64, 4, 4096, 1),
    ("few: convolve_and_pool", 4, 66): (64, 4, 4096, 1),
    ("few: convolve_and_pool", 16, 32): (64, 4, 4096, 1),
    ("few: convolve_and_pool", 32, 16): (64, 4, 4096, 1),
}
"""By kernel, channels and height: block size in pixels, number of warps, programs that share the images of each block
of pixels, and stages of the pipeline that loads images ahead. Convolutions and the pooling of images (4 channels) have
what was fastest on an H100; the others were chosen by their registers and shared memory, and are to be measured with
`benchmarks/gpu_kernels.py`."""


def suits(observation: Tensor, dtype: torch.dtype) -> bool:
    """Say whether this implementation supports images and a precision: bf16, on a GPU, with Triton, no fake tensors."""
    return dtype == torch.bfloat16 and type(observation) is Tensor and can_start_kernels(observation.device)


def _kernels() -> Any:
    """Import and return the module of kernels, which needs Triton."""
    from semantic_rl.models.impala_layers import kernels

    return kernels


def _launch(kernel: str, x: Tensor) -> tuple[int, int, dict[str, int]]:
    """Return the launch parameters of a kernel for [B, H, W, C]: block size, programs, and further arguments."""
    batch, height, _, channels = x.shape
    few = "few: " if batch < FEW_IMAGES else ""
    known = BLOCKS.get((few + kernel, channels, height)) or BLOCKS.get((kernel, channels, height))
    block, warps, programs, stages = known or (64, 4, 64, 1)
    turns = -(-batch // max(1, min(programs, batch)))
    return block, -(-batch // turns), {"BLOCK": block, "TURNS": turns, "num_warps": warps, "num_stages": stages}


def _padded(depth: int) -> int:
    """Return 3·depth rounded up to a power of two."""
    return 1 << (3 * depth - 1).bit_length()


def _convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    transposed: bool = False,
    relu: bool = False,
    mask: Tensor | None = None,
    residual: Tensor | None = None,
    positive: Tensor | None = None,
) -> Tensor:
    """Convolve contiguous [B, H, W, IN]; the kernel's docstring explains the options."""
    batch, height, width, depth_in = x.shape
    depth = weight.shape[1 if transposed else 0]
    out = x.new_empty(batch, height, width, depth)
    block, programs, launch = _launch("convolve" if depth == depth_in else f"convolve {depth_in} to {depth}", x)
    _kernels().convolve[(-(-height * width // block), programs)](
        x,
        weight,
        bias,
        mask,
        residual,
        out,
        positive,
        batch,
        HEIGHT=height,
        WIDTH=width,
        IN=depth_in,
        OUT=depth,
        TRANSPOSED=transposed,
        HAS_BIAS=bias is not None,
        RELU=relu,
        HAS_MASK=mask is not None,
        HAS_RESIDUAL=residual is not None,
        HAS_POSITIVE=positive is not None,
        PADDED=_padded(depth_in),
        **launch,
    )
    return out


def _pad_images(images: Tensor, dtype: torch.dtype) -> Tensor:
    """Convert bytes [B, H, W, 3] to [B, H + 2, W + 2, 4] with borders of 0.

    Three rows of 0 follow in memory: kernels read 4×4 pixels, of which the last row and column have no weight.
    """
    batch, height, width, _ = images.shape
    num_rows = batch * (height + 2)
    rows = torch.empty(num_rows + 3, width + 2, 4, dtype=dtype, device=images.device)
    _kernels().pad_images[(num_rows + 3,)](
        images, rows, num_rows, HEIGHT=height, WIDTH=width, BLOCK=1 << (width + 1).bit_length(), num_warps=1
    )
    return rows[:num_rows].view(batch, height + 2, width + 2, 4)


def _convolve_and_pool(
    x: Tensor, weight: Tensor, bias: Tensor, keep_places: bool
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Convolve and pool padded images or activations: return [B, H/2, W/2, OUT], its ReLU and the maxima's positions.

    The last two are None unless asked for.
    """
    batch, height, width, depth_in = x.shape
    is_image = depth_in == IMAGE_CHANNELS
    if is_image:
        height, width = height - 2, width - 2
    out = torch.empty(batch, height // 2, width // 2, len(weight), dtype=weight.dtype, device=x.device)
    positive = torch.empty_like(out)
    places = torch.empty_like(out, dtype=torch.uint8) if keep_places else None
    block, programs, launch = _launch("convolve_and_pool", x)
    _kernels().convolve_and_pool[(-(-(height // 2) * (width // 2) // block), programs)](
        x,
        weight,
        bias,
        out,
        positive,
        places,
        batch,
        HEIGHT=height,
        WIDTH=width,
        IN=depth_in,
        OUT=len(weight),
        IS_IMAGE=is_image,
        KEEP_PLACES=keep_places,
        PADDED=64 if is_image else _padded(depth_in),
        **launch,
    )
    return out, positive, places


def _unpool(gradient: Tensor, places: Tensor) -> Tensor:
    """Return the gradient [B, 2·H, 2·W, C] of a pooling's input, given that of its result."""
    batch, height, width, depth = gradient.shape
    out = gradient.new_empty(batch, 2 * height, 2 * width, depth)
    block, _, launch = _launch("unpool", out)
    num_pixels = batch * 4 * height * width
    _kernels().unpool[(-(-num_pixels // block),)](
        gradient, places, out, num_pixels, HEIGHT=2 * height, WIDTH=2 * width, CHANNELS=depth, BLOCK=block,
        num_warps=launch["num_warps"],
    )  # fmt: skip
    return out


def _add_partials(partial: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of a weight and its bias."""
    out, taps = len(weight), weight[0].numel()
    weight_gradient = torch.empty_like(weight, memory_format=torch.channels_last)
    bias_gradient = weight.new_empty(out)
    block = 32
    _kernels().add_partials[(-(-(taps + 1) * out // block),)](
        partial, weight_gradient, bias_gradient, NUM_PARTIALS=len(partial), TAPS=taps, OUT=out, ROWS=64, BLOCK=block,
        num_warps=4,
    )  # fmt: skip
    return weight_gradient, bias_gradient


def _weight_gradients(x: Tensor, gradient: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of a convolution's weight and bias."""
    batch, height, width, depth_in = x.shape
    depth = len(weight)
    name = "weight_gradient" if depth == depth_in else f"weight_gradient {depth_in} to {depth}"
    block, programs, launch = _launch(name, x)
    blocks = -(-height * width // block)
    partial = torch.empty(blocks * programs, 9 * depth_in + 1, depth, device=x.device)
    sizes = {"HEIGHT": height, "WIDTH": width, "IN": depth_in, "OUT": depth, "PADDED": _padded(depth_in)}
    _kernels().weight_gradient[(blocks, programs, 3)](x, gradient, partial, batch, **sizes, **launch)
    return _add_partials(partial, weight)


def _image_weight_gradients(x: Tensor, gradient: Tensor, places: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of weight and bias of a convolution of padded images, from those of the pooled result."""
    batch, height, width, _ = x.shape
    height, width, depth = height - 2, width - 2, len(weight)
    block, programs, launch = _launch("image_weight_gradient", x)
    blocks = -(-(height // 2) * (width // 2) // block)
    partial = torch.empty(blocks * programs, weight[0].numel() + 1, depth, device=x.device)
    _kernels().image_weight_gradient[(blocks, programs)](
        x, gradient, places, partial, batch, HEIGHT=height, WIDTH=width, OUT=depth, **launch
    )
    return _add_partials(partial, weight)


def _residual_blocks(
    x: Tensor, positive: Tensor, weights: list[Tensor], biases: list[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """Compute two residual blocks of [B, H, W, C], given also its ReLU; return their convolutions' inputs, too."""
    inputs: list[Tensor] = []
    for index in (1, 3):
        inner = _convolve(positive, weights[index], biases[index], relu=True)
        inputs += [positive, inner]
        positive = torch.empty_like(x)
        wanted = positive if index == 1 else None
        x = _convolve(inner, weights[index + 1], biases[index + 1], residual=x, positive=wanted)
    return x, inputs


class _Block(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, *parameters: Tensor) -> Tensor:
        x, weights, biases = _arrange(x, parameters)
        pooled, positive, places = _convolve_and_pool(x, weights[0], biases[0], True)
        assert places is not None
        result, inputs = _residual_blocks(pooled, positive, weights, biases)
        ctx.save_for_backward(x, places, *inputs, *weights)
        return result.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        x, places, positive1, inner1, positive2, inner2, *weights = ctx.saved_tensors
        gradient = grad_outputs[0].permute(0, 2, 3, 1).contiguous()
        found: list[Tensor] = []
        for index, positive, inner in ((3, positive2, inner2), (1, positive1, inner1)):
            weight1, weight2 = weights[index], weights[index + 1]
            of_second = _weight_gradients(inner, gradient, weight2)
            of_inner = _convolve(gradient, weight2, transposed=True, mask=inner)
            found = [*_weight_gradients(positive, of_inner, weight1), *of_second, *found]
            gradient = _convolve(of_inner, weight1, transposed=True, mask=positive, residual=gradient)
        if x.shape[-1] == IMAGE_CHANNELS:
            return None, *_image_weight_gradients(x, gradient, places, weights[0]), *found
        gradient = _unpool(gradient, places)
        of_x = _convolve(gradient, weights[0], transposed=True).permute(0, 3, 1, 2)
        return of_x, *_weight_gradients(x, gradient, weights[0]), *found


def _arrange(x: Tensor, parameters: tuple[Tensor, ...]) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Return input, weights and biases of a block in the layout and type that the kernels expect."""
    pixels_last = x.permute(0, 2, 3, 1).contiguous()
    weights = [weight.contiguous(memory_format=torch.channels_last) for weight in parameters[::2]]
    x = _pad_images(pixels_last, weights[0].dtype) if x.dtype == torch.uint8 else pixels_last
    return x, weights, list(parameters[1::2])


def block(x: Tensor, *parameters: Tensor) -> Tensor:
    """Compute an IMPALA block: convolution, pooling, and two residual blocks.

    Maps uint8 images [B, 3, H, W], which are divided by 255, or activations [B, C, H, W], H and W even, C a power of
    two and at least 16, to activations of half the size in the precision of the weights. `parameters` are weight and
    bias of each of the five convolutions, in order.
    """
    if torch.is_grad_enabled() and parameters[0].requires_grad:
        result: Tensor = _Block.apply(x, *parameters)  # pyright: ignore[reportAssignmentType]
        return result
    x, weights, biases = _arrange(x, parameters)
    pooled, positive, _ = _convolve_and_pool(x, weights[0], biases[0], False)
    return _residual_blocks(pooled, positive, weights, biases)[0].permute(0, 3, 1, 2)
