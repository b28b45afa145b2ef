"""Checks the GPU's kernels against cuDNN in float32 and times each with other block sizes.

    python benchmarks/gpu_kernels.py [--out kernels.json] [--apply]

Prints microseconds by block size, warps, programs and stages. With `--apply`, the fastest of each kernel are written
into the table of `models/impala_layers/fused.py`.
"""

import argparse
import json
import math
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

import torch
from torch import Tensor

from semantic_rl.losses.semantic import fdr_loss
from semantic_rl.models.impala_layers import fused, recompute

MANY, FEW = 2048, 16
BLOCK_SIZES = ((64, 3, 16), (32, 16, 32), (16, 32, 32))
"""Height, channels and channels of the result of the network's blocks."""
LARGEST_ERROR = 0.08
"""Of a gradient that passed a whole block in bf16, cuDNN's included."""
Key = tuple[str, int, int]
Variant = tuple[int, int, int, int]
Work = Callable[[], object]


def activations(batch: int, height: int, channels: int, device: str) -> Tensor:
    """Return random [B, H, H, C] in bf16."""
    shape = (batch, height, height, channels)
    return torch.randn(shape, device=device).bfloat16() if device == "cuda" else torch.empty(shape).bfloat16()


def weights(out: int, depth: int, device: str) -> Tensor:
    """Return random weights as the optimiser lays them out."""
    values = torch.randn(out, depth, 3, 3, device=device) / (3 * depth**0.5)
    return values.bfloat16().to(memory_format=torch.channels_last)


def many_variants(pixels: int) -> list[Variant]:
    """Return block sizes for large batches: about one and four thousand programs in all, with and without pipeline."""
    shapes = [(64, 4, 1), (64, 4, 2), (64, 4, 3), (128, 4, 1), (128, 8, 1), (128, 8, 2), (32, 2, 1)]
    found = {
        (block, warps, min(MANY, programs * block // pixels), stages)
        for block, warps, stages in shapes
        for programs in (1024, 4096)
        if block <= pixels
    }
    return sorted(found)


def works(device: str = "cuda") -> Iterator[tuple[Key, Callable[[], Work], list[Variant]]]:
    """Yield by kernel, channels and height what makes a call of it, and the variants to try."""

    def convolve(batch: int, depth: int, height: int, out: int) -> Callable[[], Work]:
        def make() -> Work:
            x, weight = activations(batch, height, depth, device), weights(depth, out, device)
            if batch == FEW:
                bias = torch.zeros(out, device=device).bfloat16()
                return lambda: fused._convolve(x, weight, bias, relu=True)
            mask = activations(batch, height, out, device) if depth == out else None
            return lambda: fused._convolve(x, weight, transposed=True, mask=mask, residual=mask)

        return make

    def pool(batch: int, channels: int, height: int, out: int) -> Callable[[], Work]:
        def make() -> Work:
            x = activations(batch, height, channels, device)
            weight = weights(out, 3 if channels == 4 else channels, device)
            bias = torch.zeros(out, device=device).bfloat16()
            return lambda: fused._convolve_and_pool(x, weight, bias, batch == MANY)

        return make

    few_variants = [(16, 1, 4096, 1), (16, 2, 4096, 1), (32, 2, 4096, 1), (64, 4, 4096, 1)]
    for depth, height, out in ((16, 32, 16), (32, 16, 32), (32, 8, 32), (32, 32, 16)):
        name = "convolve" if depth == out else f"convolve {depth} to {out}"
        yield (name, depth, height), convolve(MANY, depth, height, out), many_variants(height**2)
        if depth == out:
            yield ("few: convolve", depth, height), convolve(FEW, depth, height, out), few_variants
    for channels, height, out in ((4, 66, 16), (16, 32, 32), (32, 16, 32)):
        pixels = 1024 if channels == 4 else height**2 // 4
        yield ("convolve_and_pool", channels, height), pool(MANY, channels, height, out), many_variants(pixels)
        yield ("few: convolve_and_pool", channels, height), pool(FEW, channels, height, out), few_variants

    def gradient_variants(pixels: int) -> list[Variant]:
        shapes = [(64, 4, 2), (64, 4, 3), (128, 4, 3), (128, 8, 3), (32, 4, 3)]
        return [(b, w, partials * b // pixels, s) for b, w, s in shapes for partials in (128, 256) if b <= pixels]

    for depth, height, out in ((16, 32, 16), (16, 32, 32), (32, 16, 32), (32, 8, 32)):

        def make(depth: int = depth, height: int = height, out: int = out) -> Work:
            x, gradient = activations(MANY, height, depth, device), activations(MANY, height, out, device)
            weight = weights(out, depth, device)
            return lambda: fused._weight_gradients(x, gradient, weight)

        name = "weight_gradient" if depth == out else f"weight_gradient {depth} to {out}"
        yield (name, depth, height), make, gradient_variants(height**2)
    for channels, height in ((32, 32), (32, 16)):

        def make_unpool(channels: int = channels, height: int = height) -> Work:
            gradient = activations(MANY, height // 2, channels, device)
            places = torch.zeros(gradient.shape, device=device, dtype=torch.uint8)
            return lambda: fused._unpool(gradient, places)

        yield ("unpool", channels, height), make_unpool, [(32, 4, 1, 1), (64, 4, 1, 1), (64, 8, 1, 1)]

    def make_images() -> Work:
        x, gradient = activations(MANY, 66, 4, device), activations(MANY, 32, 16, device)
        places = torch.randint(0, 9, gradient.shape, device=device, dtype=torch.uint8)
        weight = weights(16, 3, device)
        return lambda: fused._image_weight_gradients(x, gradient, places, weight)

    yield (
        ("image_weight_gradient", 4, 66),
        make_images,
        [
            (64, 4, 32, 1),
            (64, 4, 32, 2),
            (64, 4, 64, 2),
            (128, 4, 32, 2),
            (128, 4, 64, 1),
            (128, 4, 64, 2),
            (128, 8, 64, 2),
            (32, 4, 16, 2),
        ],
    )


def microseconds(function: Work, repeats: int = 10) -> float:
    """Time calls within a CUDA graph."""
    for _ in range(2):
        function()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(repeats):
            function()
    graph.replay()
    found = math.inf
    for _ in range(3):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        graph.replay()
        end.record()
        end.synchronize()
        found = min(found, 1000 * start.elapsed_time(end) / repeats)
    return found


def plain_block(x: Tensor, *parameters: Tensor) -> Tensor:
    """Compute a block as PyTorch does."""
    x = recompute.convolve_and_pool(x, *parameters[:2])
    return recompute.residual_block(recompute.residual_block(x, *parameters[2:6]), *parameters[6:])


def block_arguments(batch: int, height: int, depth: int, out: int) -> list[Tensor]:
    """Return random images or activations [B, C, H, H], and weight and bias of each of a block's convolutions."""
    images = torch.randint(0, 256, (batch, height, height, 3), dtype=torch.uint8, device="cuda")
    tensors = [(images if depth == 3 else activations(batch, height, depth, "cuda")).permute(0, 3, 1, 2)]
    for index in range(5):
        bias = torch.randn(out, device="cuda").bfloat16()
        tensors += [weights(out, out if index else depth, "cuda"), bias]
    return tensors


def compile_part(part: str) -> None:
    """Compile the kernels of one block, or of the FDR loss, for a minibatch; several processes are faster than one."""
    if part == "fdr":
        features = torch.randn(MANY, 256, device="cuda").requires_grad_()
        embedding = torch.randn(MANY, 2, device="cuda").requires_grad_()
        torch.autograd.grad(fdr_loss(features, embedding), (features, embedding))
        return
    tensors = [
        tensor if tensor.dtype == torch.uint8 else tensor.requires_grad_()
        for tensor in block_arguments(MANY, *BLOCK_SIZES[int(part)])
    ]
    result = fused.block(*tensors)
    torch.autograd.grad(result, [tensor for tensor in tensors if tensor.requires_grad], torch.zeros_like(result))


def check(batch: int) -> dict[str, list[list[float]]]:
    """Compare blocks and gradients with those in float32; return relative errors of ours and of cuDNN's bf16."""
    found: dict[str, list[list[float]]] = {}
    for height, depth, out in BLOCK_SIZES:
        tensors = block_arguments(batch, height, depth, out)
        gradient = torch.randn(batch, out, height // 2, height // 2, device="cuda").bfloat16()
        results: list[list[Tensor]] = []
        for block, dtype in (
            (plain_block, torch.float32),
            (fused.block, torch.bfloat16),
            (plain_block, torch.bfloat16),
        ):
            used = [tensor if tensor.dtype == torch.uint8 else tensor.detach().to(dtype) for tensor in tensors]
            wanted = [tensor.requires_grad_() for tensor in used if tensor.dtype != torch.uint8]
            result = block(*used)
            results.append([result.detach(), *torch.autograd.grad(result, wanted, gradient.to(dtype))])
        exact = results[0]
        found[f"{height}×{height}"] = [
            [
                round(float((value.double() - right.double()).norm() / right.double().norm()), 4)
                for value, right in zip(values, exact, strict=True)
            ]
            for values in results[1:]
        ]
    return found


def apply(times: dict[Key, dict[Variant, float]]) -> None:
    """Write the fastest variant of each kernel into the table in `fused.py`."""
    path = Path(fused.__file__)
    source = path.read_text(encoding="utf-8")
    for (name, channels, height), row in times.items():
        best = min(row, key=lambda variant: row[variant])
        pattern = re.escape(f'("{name}", {channels}, {height})') + r": \([^)]*\)"
        source, count = re.subn(pattern, f'("{name}", {channels}, {height}): {best}', source)
        if not count:
            print(f"no entry for {name}, {channels}, {height}: {best}")
    path.write_text(source, encoding="utf-8")


def main() -> None:
    """Check, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--apply", action="store_true")
    parser.add_argument("--compile", choices=("0", "1", "2", "fdr"), help="only fill Triton's cache")
    arguments = parser.parse_args()
    if arguments.compile:
        compile_part(arguments.compile)
        return
    began = time.perf_counter()
    torch.backends.cudnn.allow_tf32 = False
    errors = {batch: check(batch) for batch in (5, 256)}
    for batch, by_case in errors.items():
        for name, (ours, cudnn) in by_case.items():
            print(f"relative errors, batch {batch}, {name}: {ours}; of cuDNN: {cudnn}", flush=True)
    worst = max(value for by_case in errors.values() for ours, _ in by_case.values() for value in ours)
    print(f"checked after {time.perf_counter() - began:.1f} s; largest error {worst}", flush=True)
    if not worst < LARGEST_ERROR:
        sys.exit(f"the kernels are wrong: {worst} is not below {LARGEST_ERROR}")
    times: dict[Key, dict[Variant, float]] = {}
    with torch.cuda.stream(torch.cuda.Stream()):
        for key, make, variants in works():
            times[key] = {}
            for variant in variants:
                with patch.dict(fused.BLOCKS, {key: variant}):
                    try:
                        times[key][variant] = round(microseconds(make()), 2)
                    except Exception as error:
                        times[key][variant] = math.inf
                        print(key, variant, repr(error)[:200], flush=True)
            print(key, times[key], flush=True)
    print(f"timed after {time.perf_counter() - began:.1f} s")
    if arguments.apply:
        apply(times)
    if arguments.out is not None:
        figures = {str(key): {str(variant): value for variant, value in row.items()} for key, row in times.items()}
        arguments.out.write_text(json.dumps({"errors": errors, "microseconds": figures}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
