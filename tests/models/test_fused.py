"""The GPU's blocks compute what the plain layers do, gradients included; a CPU interprets their kernels.

Triton decides whether to interpret when it is imported, so that a process of its own does it.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

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
SMALL = [(1, 8, 12, 3, 16), (3, 4, 8, 16, 32)]
"""Images, height, width, channels and channels of the result."""
SIZES = [(64, 3, 16), (32, 16, 32), (16, 32, 32)]
"""Height, channels and channels of the result of the network's blocks."""

INTERPRET = """
import sys, torch
from semantic_rl.models.impala_layers import fused
results = []
for tensors, gradient in torch.load(sys.argv[1]):
    tensors = [tensor.requires_grad_(tensor.is_floating_point()) for tensor in tensors]
    result = fused.block(*tensors)
    gradients = torch.autograd.grad(result, [tensor for tensor in tensors if tensor.requires_grad], gradient)
    with torch.no_grad():
        results.append([result.detach(), fused.block(*tensors), *gradients])
torch.save(results, sys.argv[2])
"""


def plain_block(x: Tensor, *parameters: Tensor) -> Tensor:
    x = recompute.convolve_and_pool(x, *parameters[:2])
    return recompute.residual_block(recompute.residual_block(x, *parameters[2:6]), *parameters[6:])


def make_case(batch: int, height: int, width: int, depth: int, out: int) -> tuple[list[Tensor], Tensor]:
    """Return the block's arguments and a gradient of its result."""
    random = torch.Generator().manual_seed(height * depth)

    def normal(*shape: int) -> Tensor:
        values = torch.randn(*shape, generator=random)
        return values.contiguous(memory_format=torch.channels_last) if len(shape) == 4 else values

    images = torch.randint(0, 256, (batch, height, width, 3), generator=random, dtype=torch.uint8)
    x = images.permute(0, 3, 1, 2) if depth == 3 else normal(batch, depth, height, width)
    parameters = [(9 * depth) ** -0.5 * normal(out, depth, 3, 3), normal(out)]
    for _ in range(4):
        parameters += [(9 * out) ** -0.5 * normal(out, out, 3, 3), normal(out)]
    return [x, *parameters], normal(batch, out, height // 2, width // 2)


def compute(block: Callable[..., Tensor], tensors: list[Tensor], gradient: Tensor) -> list[Tensor]:
    """Return a block's result with and without a gradient, and the gradients."""
    used = [tensor.detach().requires_grad_(tensor.is_floating_point()) for tensor in tensors]
    result = block(*used)
    gradients = torch.autograd.grad(result, [tensor for tensor in used if tensor.requires_grad], gradient)
    with torch.no_grad():
        return [result.detach(), block(*used), *gradients]


@needs_triton
@pytest.mark.skipif(HAS_CUDA, reason="no CUDA device is missing: the kernels run on it")
def test_interpreted_kernels_compute_what_the_plain_layers_do():
    cases = [make_case(*sizes) for sizes in SMALL]
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "given.pt"), Path(folder, "found.pt")
        torch.save(cases, given)
        environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": str(SOURCE)}
        subprocess.run([sys.executable, "-c", INTERPRET, str(given), str(found)], env=environment, check=True)
        ours = torch.load(found)
    for (tensors, gradient), results in zip(cases, ours, strict=True):
        for result, exact in zip(results, compute(plain_block, tensors, gradient), strict=True):
            torch.testing.assert_close(result, exact, rtol=1e-4, atol=1e-4)


@needs_cuda
@pytest.mark.parametrize("batch", [1, 37, 600])
@pytest.mark.parametrize(("height", "depth", "out"), SIZES)
def test_blocks_on_a_gpu_are_as_near_to_float32_as_bf16_is(height: int, depth: int, out: int, batch: int):
    assert fused.suits(torch.zeros(1, device="cuda"), torch.bfloat16)
    tensors, gradient = make_case(batch, height, height, depth, out)
    narrow = [tensor.cuda() if tensor.dtype == torch.uint8 else tensor.bfloat16().cuda() for tensor in tensors]
    wide = [tensor.float() if tensor.is_floating_point() else tensor for tensor in narrow]
    gradient = gradient.bfloat16().cuda()
    ours = compute(fused.block, narrow, gradient)
    exact = compute(plain_block, wide, gradient.float())
    plain = compute(plain_block, narrow, gradient)
    for index, (result, right, other) in enumerate(zip(ours, exact, plain, strict=True)):
        # A rounded sum that falls on the other side of 0 is kept or not by a ReLU: bf16's own error varies with chance.
        error, of_bf16 = (float((found.float() - right).norm() / right.norm()) for found in (result, other))
        assert error < max(0.01, 2 * of_bf16), f"{index}: {error}, {of_bf16}"
        assert result.shape == right.shape
