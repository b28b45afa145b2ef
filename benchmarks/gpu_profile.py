"""Where the time of a learner's minibatch and of a policy step goes.

    python benchmarks/gpu_profile.py --device cuda --out profile.txt

Prints JSON: milliseconds of each part, as CUDA graphs on a GPU; `--out` gets the profiler's tables. A part that fails
says so and the rest follow. `--size` sets the minibatch.
"""

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from semantic_rl.config import PPOConfig, SemanticConfig
from semantic_rl.losses.semantic import fdr_loss
from semantic_rl.models.impala_layers import fused
from semantic_rl.models.policy import SemanticPolicy, choose_actions
from semantic_rl.training.batch import Batch
from semantic_rl.training.device import choose_precision, keep_freed_memory, working_on
from semantic_rl.training.distributed import Workers
from semantic_rl.training.graphs import Execution, StaticWork
from semantic_rl.training.learner import Learner


class Bench:
    """Times work, as a graph on a GPU, and keeps the results by name."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.milliseconds: dict[str, float | str] = {}

    def time(self, name: str, make: Callable[[], Callable[[], object]]) -> None:
        """Time what `make` returns; what fails is noted."""
        try:
            function = make()
            work = StaticWork(lambda: _forget(function()), self.device.type == "cuda")
            for _ in range(5):
                work()
            repeats = 20 if self.device.type == "cuda" else 1
            self._wait()
            began = time.perf_counter()
            for _ in range(repeats):
                work()
            self._wait()
            self.milliseconds[name] = 1000 * (time.perf_counter() - began) / repeats
        except Exception:
            self.milliseconds[name] = "fails: " + traceback.format_exc()[-500:]
        print(f"{name}: {self.milliseconds[name]}", file=sys.stderr, flush=True)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def _forget(_: object) -> None:
    pass


def make_learner(device: torch.device, precision: str, num_codes: int) -> Learner:
    """Return a learner in the way of a GPU."""
    torch.manual_seed(0)
    policy = SemanticPolicy(num_codes=num_codes, keep_activations=True).to(device)
    generator = torch.Generator().manual_seed(0)
    ppo, semantic = PPOConfig(), SemanticConfig()
    return Learner(policy, ppo, semantic, precision, generator, Workers(device=device), execution=Execution.STATIC)


def make_batch(device: torch.device, size: int) -> Batch:
    """Return states that mean nothing."""
    numbers = [torch.randn(size, device=device) for _ in range(4)]
    images = torch.randint(0, 256, (size, 64, 64, 3), dtype=torch.uint8, device=device)
    return Batch(images, torch.randint(0, 15, (size,), device=device), *numbers)


def time_parts(bench: Bench, precision: str, batch: Batch) -> None:
    """Time a whole step and its parts."""
    device = bench.device
    weight = torch.full((), 0.7, device=device)

    def step(precision: str, num_codes: int) -> Callable[[], object]:
        learner = make_learner(device, precision, num_codes)
        learner.optimizer.advance()

        def run() -> None:
            learner.find_gradient(batch, weight)
            learner.move()

        return run

    bench.time("minibatch, SPPO", lambda: step(precision, 8))
    bench.time("minibatch, PPO", lambda: step(precision, 0))
    with patch.object(fused, "suits", lambda observation, dtype: False):
        bench.time("minibatch, SPPO, cuDNN's layers", lambda: step(precision, 8))
        bench.time("minibatch, SPPO, float32", lambda: step("fp32", 8))
    learner = make_learner(device, precision, 8)
    learner.optimizer.advance()
    bench.time("losses without gradient", lambda: _without_gradient(lambda: learner.losses(batch, weight)))
    bench.time("clipping, Adam and cast", lambda: learner.move)
    features = torch.randn(len(batch.action), 256, device=device).relu_().requires_grad_()
    embedding = torch.randn(len(batch.action), 2, device=device, requires_grad=True)

    def fdr() -> object:
        return torch.autograd.grad(fdr_loss(features, embedding), (features, embedding))

    bench.time("FDR loss and gradient", lambda: fdr)
    for size in (16, 32, 64):
        images = batch.observation[:size].clone()
        uniform = torch.rand(size, 15, device=device)

        def act(images: Tensor = images, uniform: Tensor = uniform) -> object:
            return choose_actions(learner.network(images).logits, uniform)

        bench.time(f"policy step of {size}", lambda act=act: _without_gradient(act))


def _without_gradient(function: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        with torch.no_grad():
            return function()

    return run


@contextmanager
def table(file: Path | None, title: str, device: torch.device) -> Generator[None]:
    """Profile what is done while entered and append the table to a file."""
    if file is None:
        yield
        return
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device.type == "cuda" else [])]
    with profile(activities=activities) as found:
        yield
        if device.type == "cuda":
            torch.cuda.synchronize()
    averages = found.key_averages()
    order = next(name for name in ("self_device_time_total", "self_cpu_time_total") if hasattr(averages[0], name))
    try:
        written = averages.table(sort_by=order, row_limit=60, max_name_column_width=100)
    except (AttributeError, ValueError) as error:
        written = f"no table: {error!r}"
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"{title}\n{written}\n")


def main() -> None:
    """Profile, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    precision = choose_precision(arguments.precision, device)
    keep_freed_memory()
    bench = Bench(device)
    with working_on(device):
        batch = make_batch(device, arguments.size)
        time_parts(bench, precision, batch)
        learner = make_learner(device, precision, 8)
        for title, work in (
            ("a minibatch", lambda: learner.step(batch, 0.7)),
            ("a policy step of 32", _without_gradient(lambda: learner.network(batch.observation[:32]))),
        ):
            for _ in range(3):
                work()
            with table(arguments.out, f"{title}, {precision}, its kernels one by one", device):
                work()
    print(json.dumps({"precision": precision, "size": arguments.size, "milliseconds": bench.milliseconds}, indent=1))


if __name__ == "__main__":
    main()
