"""The GPU's layers compute what PyTorch's do, gradients included; a CPU interprets their kernels.

Triton decides whether to interpret when it is imported, so that a process of its own does it.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from semantic_rl.models.impala_layers import fused, recompute

HAS_CUDA = torch.cuda.is_available()
needs_cuda = pytest.mark.skipif(not HAS_CUDA, reason="no CUDA device")
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="no CUDA device, nor Triton to interpret its kernels"
)
SOURCE = Path(__file__).resolve().parents[2] / "src"
POOLS = [(1, 4, 6, 3, 16), (3, 8, 4, 16, 32)]
"""Images, height, width, channels and channels of the result."""
BLOCKS = [(2, 6, 4, 16), (1, 4, 8, 32)]
SIZES = [(64, 3, 16), (32, 16, 32), (16, 32, 32)]
"""Those of the network."""

INTERPRET = """
import sys, torch
from semantic_rl.models.impala_layers import fused
results = []
for function, tensors, gradient in torch.load(sys.argv[1]):
    tensors = [tensor.requires_grad_(tensor.is_floating_point()) for tensor in tensors]
    result = getattr(fused, function)(*tensors)
    gradients = torch.autograd.grad(result, [tensor for tensor in tensors if tensor.requires_grad], gradient)
    with torch.no_grad():
        results.append([result.detach(), getattr(fused, function)(*tensors), *gradients])
torch.save(results, sys.argv[2])
"""


def make_case(function: str, batch: int, height: int, width: int, depth: int, out: int) -> tuple[str, list[Tensor]]:
    random = torch.Generator().manual_seed(height * depth)

    def normal(*shape: int) -> Tensor:
        values = torch.randn(*shape, generator=random)
        return values.contiguous(memory_format=torch.channels_last) if len(shape) == 4 else values

    x = normal(batch, depth, height, width)
    if depth == 3:
        images = torch.randint(0, 256, (batch, height, width, 3), generator=random, dtype=torch.uint8)
        x = images.permute(0, 3, 1, 2)
    scale = (9 * depth) ** -0.5
    if function == "convolve_and_pool":
        return function, [x, scale * normal(out, depth, 3, 3), normal(out)]
    weights = [scale * normal(out, depth, 3, 3), normal(out)]
    return function, [x, *weights, scale * normal(out, depth, 3, 3), normal(out)]


def compute(layers: Any, function: str, tensors: list[Tensor], gradient: Tensor | None = None) -> list[Tensor]:
    """Return a layer's result with and without a gradient, and the gradients."""
    used = [tensor.detach().requires_grad_(tensor.is_floating_point()) for tensor in tensors]
    result = getattr(layers, function)(*used)
    gradient = torch.ones_like(result) if gradient is None else gradient
    gradients = torch.autograd.grad(result, [tensor for tensor in used if tensor.requires_grad], gradient)
    with torch.no_grad():
        return [result.detach(), getattr(layers, function)(*used), *gradients]


CASES = [make_case("convolve_and_pool", *sizes) for sizes in POOLS]
CASES += [make_case("residual_block", *sizes, sizes[-1]) for sizes in BLOCKS]


def pooled_shape(function: str, tensors: list[Tensor]) -> tuple[int, ...]:
    batch, _, height, width = tensors[0].shape
    halved = 2 if function == "convolve_and_pool" else 1
    return batch, len(tensors[1]), height // halved, width // halved


def make_gradient(function: str, tensors: list[Tensor]) -> Tensor:
    random = torch.Generator().manual_seed(7)
    return torch.randn(pooled_shape(function, tensors), generator=random)


@needs_triton
@pytest.mark.skipif(HAS_CUDA, reason="no CUDA device is missing: the kernels run on it")
def test_interpreted_kernels_compute_what_the_plain_layers_do():
    gradients = [make_gradient(*case) for case in CASES]
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "given.pt"), Path(folder, "found.pt")
        torch.save([(*case, gradient) for case, gradient in zip(CASES, gradients, strict=True)], given)
        environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": str(SOURCE)}
        subprocess.run([sys.executable, "-c", INTERPRET, str(given), str(found)], env=environment, check=True)
        ours = torch.load(found)
    for (function, tensors), gradient, results in zip(CASES, gradients, ours, strict=True):
        for result, exact in zip(results, compute(recompute, function, tensors, gradient), strict=True):
            torch.testing.assert_close(result, exact, rtol=1e-4, atol=1e-4)


@needs_cuda
@pytest.mark.parametrize("batch", [1, 37, 600])
@pytest.mark.parametrize("function", ["convolve_and_pool", "residual_block"])
def test_kernels_on_a_gpu_are_as_near_to_float32_as_bf16_is(function: str, batch: int):
    for height, depth, out in SIZES:
        if function == "residual_block":
            height, depth = height // 2, out
        _, tensors = make_case(function, batch, height, height, depth, out)
        narrow = [tensor.cuda() if tensor.dtype == torch.uint8 else tensor.bfloat16().cuda() for tensor in tensors]
        wide = [tensor.float() if tensor.is_floating_point() else tensor for tensor in narrow]
        gradient = make_gradient(function, tensors).bfloat16().cuda()
        ours = compute(fused, function, narrow, gradient)
        exact = compute(recompute, function, wide, gradient.float())
        plain = compute(recompute, function, narrow, gradient)
        assert fused.suits(torch.device("cuda"), torch.bfloat16)
        for index, (result, right, other) in enumerate(zip(ours, exact, plain, strict=True)):
            error, of_bf16 = ((found.float() - right).norm() / right.norm() for found in (result, other))
            assert error < max(0.01, 1.5 * of_bf16), f"{index}: {error}, {of_bf16}"
            assert result.shape == right.shape
