"""Checks the GPU's kernels against cuDNN in float32 and times each with other block sizes.

    python benchmarks/gpu_kernels.py [--out kernels.json]

Prints a table of microseconds: the fastest blocks of each kernel are what `models/impala_layers/fused.py` should use.
"""

import argparse
import json
import multiprocessing
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

import torch
from torch import Tensor

from semantic_rl.models.impala_layers import autograd, fused

MANY, FEW = 2048, 32
PROCESSES = 12


def activations(batch: int, height: int, channels: int) -> Tensor:
    """Return random [B, H, H, C] in bf16."""
    return torch.randn(batch, height, height, channels, device="cuda").bfloat16()


def weights(out: int, depth: int) -> Tensor:
    """Return random weights as the optimiser lays them out."""
    values = torch.randn(out, depth, 3, 3, device="cuda") / (3 * depth**0.5)
    return values.bfloat16().to(memory_format=torch.channels_last)


def works() -> dict[tuple[str, int, int], tuple[Callable[[], Callable[[], object]], list[tuple[int, ...]]]]:
    """Return by kernel, channels and height what makes a call of it, and the blocks to try."""
    found: dict[Any, Any] = {}

    def convolve(batch: int, channels: int, height: int) -> Callable[[], Callable[[], object]]:
        def make() -> Callable[[], object]:
            x, weight, bias = activations(batch, height, channels), weights(channels, channels), weights(channels, 1)
            bias = bias[:, 0, 0, 0].contiguous()
            return lambda: fused._convolve(x, weight, bias, relu_input=True, relu_output=True)

        return make

    def pool(batch: int, channels: int, height: int, out: int) -> Callable[[], Callable[[], object]]:
        def make() -> Callable[[], object]:
            x = activations(batch, height, channels)
            weight = weights(out, 3 if channels == 4 else channels)
            bias = weights(out, 1)[:, 0, 0, 0].contiguous()
            return lambda: fused._convolve_and_pool(x, weight, bias, True)

        return make

    for channels, height in ((16, 32), (32, 16), (32, 8)):
        blocks = [(64, 4), (128, 4), (128, 8), (256, 8)]
        found["convolve", channels, height] = convolve(MANY, channels, height), blocks
        blocks = [(16, 1), (16, 2), (32, 2), (32, 4), (64, 4)]
        found["few: convolve", channels, height] = convolve(FEW, channels, height), blocks
    for channels, height, out in ((4, 64, 16), (16, 32, 32), (32, 16, 32)):
        blocks = [(64, 4), (128, 4), (128, 8), (32, 2)]
        found["convolve_and_pool", channels, height] = pool(MANY, channels, height, out), blocks
        blocks = [(16, 1), (16, 2), (32, 4), (64, 4)]
        found["few: convolve_and_pool", channels, height] = pool(FEW, channels, height, out), blocks
    gradient_blocks = [(32, 4, 4), (32, 4, 8), (64, 4, 2), (64, 4, 4), (64, 4, 8), (64, 8, 4), (128, 8, 2), (128, 8, 4)]
    for channels, height, out in ((16, 32, 16), (32, 16, 32), (32, 8, 32)):

        def make(channels: int = channels, height: int = height, out: int = out) -> Callable[[], object]:
            x, gradient = activations(MANY, height, channels), activations(MANY, height, out)
            weight = weights(out, channels)
            return lambda: fused._weight_gradients(x, gradient, weight, True)

        found["weight_gradient", channels, height] = make, gradient_blocks
    for channels, height in ((32, 32), (32, 16)):

        def make_unpool(channels: int = channels, height: int = height) -> Callable[[], object]:
            gradient = activations(MANY, height // 2, channels)
            places = torch.randint(0, 9, gradient.shape, device="cuda", dtype=torch.uint8)
            return lambda: fused._unpool(gradient, places)

        found["unpool", channels, height] = make_unpool, [(32, 4), (64, 4), (128, 4), (128, 8)]

    def make_images() -> Callable[[], object]:
        x, gradient, weight = activations(MANY, 64, 4), activations(MANY, 32, 16), weights(16, 3)
        places = torch.randint(0, 9, gradient.shape, device="cuda", dtype=torch.uint8)
        return lambda: fused._image_weight_gradients(x, gradient, places, weight)

    found["image_weight_gradient", 4, 64] = make_images, gradient_blocks
    return found


def compile_some(rank: int) -> None:
    """Compile every n-th variant into Triton's cache."""
    try:
        number = 0
        for key, (make, blocks) in works().items():
            for block in blocks:
                if number % PROCESSES == rank:
                    fused.BLOCKS[key] = block
                    make()()
                number += 1
        torch.cuda.synchronize()
    except Exception:
        traceback.print_exc()


def microseconds(function: Callable[[], object], repeats: int = 10) -> float:
    """Time calls within a CUDA graph."""
    for _ in range(3):
        function()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(repeats):
            function()
    graph.replay()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(3):
        graph.replay()
    end.record()
    end.synchronize()
    return 1000 * start.elapsed_time(end) / (3 * repeats)


def relative(ours: Tensor, exact: Tensor) -> float:
    """Return ‖ours − exact‖ / ‖exact‖."""
    return float((ours.double() - exact.double()).norm() / exact.double().norm())


def check(batch: int) -> dict[str, list[float]]:
    """Compare results and gradients with those of PyTorch in float32; return relative errors, ours and cuDNN's bf16."""
    found: dict[str, list[float]] = {}
    last = torch.channels_last
    images = torch.randint(0, 256, (batch, 64, 64, 3), dtype=torch.uint8, device="cuda").permute(0, 3, 1, 2)
    cases: list[tuple[str, str, list[Tensor]]] = [("images", "convolve_and_pool", [images, weights(16, 3)])]
    for depth, out, height in ((16, 32, 32), (32, 32, 16)):
        x = activations(batch, height, depth).permute(0, 3, 1, 2)
        cases.append((f"pool {depth}", "convolve_and_pool", [x, weights(out, depth)]))
    for depth, height in ((16, 32), (32, 16), (32, 8)):
        x = activations(batch, height, depth).permute(0, 3, 1, 2)
        bias = weights(depth, 1)[:, 0, 0, 0].contiguous()
        tensors = [x, weights(depth, depth), bias, weights(depth, depth)]
        cases.append((f"residual {depth}×{height}", "residual_block", tensors))
    for name, function, tensors in cases:
        tensors = [*tensors, torch.randn(len(tensors[-1]), device="cuda").bfloat16()]
        gradient: Tensor | None = None
        results: list[list[Tensor]] = []
        for module, dtype in ((autograd, torch.float32), (fused, torch.bfloat16), (autograd, torch.bfloat16)):
            used = [t if t.dtype == torch.uint8 else t.detach().to(dtype) for t in tensors]
            used = [t.contiguous(memory_format=last) if t.dim() == 4 and t.dtype != torch.uint8 else t for t in used]
            wanted = [t.requires_grad_() for t in used if t.dtype != torch.uint8]
            result = getattr(module, function)(*used)
            if gradient is None:
                gradient = torch.randn_like(result).bfloat16()
            gradients = torch.autograd.grad(result, wanted, gradient.to(dtype))
            results.append([result.detach(), *gradients])
        exact, ours, cudnn = results
        found[name] = [relative(found_by, e) for a, c, e in zip(ours, cudnn, exact, strict=True) for found_by in (a, c)]
    return {name: [round(value, 5) for value in values] for name, values in found.items()}


def main() -> None:
    """Check, compile, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    began = time.perf_counter()
    torch.backends.cudnn.allow_tf32 = False
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=compile_some, args=(rank,)) for rank in range(PROCESSES)]
    for process in processes:
        process.start()
    errors = {str(batch): check(batch) for batch in (5, 256)}
    for process in processes:
        process.join()
    print(f"compiled after {time.perf_counter() - began:.1f} s", flush=True)
    for batch, by_case in errors.items():
        for name, values in by_case.items():
            pairs = ", ".join(f"{a:.4f} ({b:.4f})" for a, b in zip(values[::2], values[1::2], strict=True))
            print(f"relative errors, ours (cuDNN's), batch {batch}, {name}: {pairs}", flush=True)
    times: dict[str, dict[str, float | str]] = {}
    with torch.cuda.stream(torch.cuda.Stream()):
        for key, (make, blocks) in works().items():
            row: dict[str, float | str] = {}
            for block in blocks:
                fused.BLOCKS[key] = block
                try:
                    row[str(block)] = round(microseconds(make()), 2)
                except Exception as error:
                    row[str(block)] = repr(error)[:200]
            times[str(key)] = row
            print(key, row, flush=True)
    print(f"done after {time.perf_counter() - began:.1f} s")
    if arguments.out is not None:
        arguments.out.write_text(json.dumps({"errors": errors, "microseconds": times}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
