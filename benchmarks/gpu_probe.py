"""What a machine has and how fast its parts are, as JSON: each probe alone, so that one that fails names itself."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

import torch

MILLISECOND = 1e3


def timed(device: torch.device, work: Callable[[], object], repeats: int = 20) -> float:
    """Return the seconds of one call, after three that warm up."""
    for _ in range(3):
        work()
    wait(device)
    began = time.perf_counter()
    for _ in range(repeats):
        work()
    wait(device)
    return (time.perf_counter() - began) / repeats


def wait(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def machine(device: torch.device) -> dict[str, Any]:
    """Versions, cores, tools."""
    tools = ("gcc", "cc", "nvcc", "ncu", "ninja")
    found: dict[str, Any] = {
        "python": sys.version,
        "torch": torch.__version__,
        "cores": len(os.sched_getaffinity(0)),
        "tools": {tool: shutil.which(tool) for tool in tools},
    }
    if device.type == "cuda":
        found["gpu"] = str(torch.cuda.get_device_properties(0))
        found["cudnn"] = torch.backends.cudnn.version()
        found["smi"] = subprocess.run(
            ["nvidia-smi"], capture_output=True, text=True, check=False, encoding="utf-8"
        ).stdout[:1500]
    return found


def copy_bandwidth(device: torch.device) -> dict[str, float]:
    """GB/s within the device's memory (read and written), and to and from pinned memory of the host."""
    size = 2**30 if device.type == "cuda" else 2**26
    a, b = (torch.zeros(size, dtype=torch.uint8, device=device) for _ in range(2))
    host = torch.zeros(2**26, dtype=torch.uint8, pin_memory=device.type == "cuda")
    part = a[: len(host)]
    return {
        "within": 2 * size / timed(device, lambda: b.copy_(a)) / 1e9,
        "to_device": len(host) / timed(device, lambda: part.copy_(host, non_blocking=True)) / 1e9,
        "to_host": len(host) / timed(device, lambda: host.copy_(part, non_blocking=True)) / 1e9,
    }


def latency(device: torch.device) -> dict[str, float]:
    """Milliseconds of a kernel alone, of one in a graph of hundred, and of a round trip of a step's pictures."""
    x = torch.zeros(1024, device=device)
    found = {"launch": MILLISECOND * timed(device, lambda: x.add_(1), 200)}
    if device.type == "cuda":
        graph = torch.cuda.CUDAGraph()
        x.add_(1)
        with torch.cuda.graph(graph):
            for _ in range(100):
                x.add_(1)
        found["in a graph"] = MILLISECOND * timed(device, graph.replay) / 100
        pictures = torch.zeros(32, 64, 64, 3, dtype=torch.uint8, pin_memory=True)
        there = pictures.to(device)
        actions = torch.zeros(32, dtype=torch.int64, pin_memory=True)
        here = actions.to(device)

        def round_trip() -> None:
            there.copy_(pictures, non_blocking=True)
            here.add_(1)
            actions.copy_(here, non_blocking=True)
            torch.cuda.current_stream().synchronize()

        found["round trip of 32 pictures"] = MILLISECOND * timed(device, round_trip, 200)
    return found


def arithmetic(device: torch.device) -> dict[str, float]:
    """TFLOP/s of matrix products in bf16 and float32."""
    size = 8192 if device.type == "cuda" else 512
    found: dict[str, float] = {}
    for dtype in (torch.bfloat16, torch.float32):
        a = torch.randn(size, size, device=device, dtype=dtype)
        found[str(dtype)] = 2 * size**3 / timed(device, lambda a=a: a @ a, 5) / 1e12
    return found


def games(_: torch.device) -> dict[str, float]:
    """Steps/s of 64 and 32 coinrun games on one thread and on as many as training uses."""
    import numpy as np

    from semantic_rl.config import EnvConfig
    from semantic_rl.envs.procgen.vector_env import ProcgenVectorEnv
    from semantic_rl.training.device import keep_freed_memory

    keep_freed_memory()
    found: dict[str, float] = {}
    for size, threads in ((64, 1), (64, 8), (32, 4), (32, 8), (16, 4)):
        env = ProcgenVectorEnv(EnvConfig(), size, 1, threads)
        actions = np.random.default_rng(0).integers(0, 15, (300, size))
        env.observe()
        began = time.perf_counter()
        for row in actions:
            env.act(row)
            env.observe()
        found[f"{size} games, {threads} threads"] = actions.size / (time.perf_counter() - began)
        env.close()
    return found


def compilers(device: torch.device) -> dict[str, Any]:
    """Whether kernels of one's own can be built, by Triton and by NVRTC."""

    def triton() -> str:
        import triton

        return str(triton.__version__)

    def nvrtc() -> str:
        make: Any = torch.cuda._compile_kernel  # pyright: ignore
        source = 'extern "C" __global__ void twice(float* x) { x[threadIdx.x] *= 2; }'
        x = torch.ones(32, device=device)
        make(source, "twice")((1, 1, 1), (32, 1, 1), (x,))
        return str(x.sum().item())

    found: dict[str, Any] = {}
    for name, attempt in (("triton", triton), ("nvrtc", nvrtc)) if device.type == "cuda" else ():
        try:
            found[name] = attempt()
        except Exception as error:
            found[name] = f"fails: {error!r}"[:600]
    return found


def main() -> None:
    """Run every probe and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    device = torch.device(parser.parse_args().device)
    found: dict[str, Any] = {}
    for probe in (machine, copy_bandwidth, latency, arithmetic, games, compilers):
        try:
            found[probe.__name__] = probe(device)
        except Exception:
            found[probe.__name__] = traceback.format_exc()[-1500:]
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
