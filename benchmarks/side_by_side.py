"""How long a policy step takes alone, and beside others like it that have as many threads.

    python benchmarks/side_by_side.py [--programs 2] [--sizes 1 16 64] [--seconds 3] [--precision auto]

Each program is a process of its own with PyTorch's usual number of threads, which is that of all cores: together they
have more threads than there are cores. What is fair is as many times the time alone as there are programs.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the commands do
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

WARM_UP = 5


def measure(start: Barrier, results: Any, sizes: list[int], seconds: float, precision: str) -> None:
    """Play policy steps of each size, all programs at the same time, and send the median times in ms."""
    import torch

    from semantic_rl.models.policy import SemanticPolicy
    from semantic_rl.training.device import autocast, choose_precision

    device = torch.device("cpu")
    torch.manual_seed(0)
    policy = SemanticPolicy().place(device)
    medians: list[float] = []
    with torch.no_grad(), autocast(device, choose_precision(precision, device)):
        for size in sizes:
            images = torch.randint(0, 256, (size, 64, 64, 3), dtype=torch.uint8)
            start.wait()
            times: list[float] = []
            began = time.perf_counter()
            while time.perf_counter() - began < seconds or len(times) <= WARM_UP:
                before = time.perf_counter()
                policy(images)
                times.append(time.perf_counter() - before)
            medians.append(1e3 * statistics.median(times[WARM_UP:]))
    results.put(medians)


def run(programs: int, sizes: list[int], seconds: float, precision: str) -> list[list[float]]:
    """Return the medians of each program."""
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(programs), context.SimpleQueue()
    processes = [
        context.Process(target=measure, args=(start, results, sizes, seconds, precision)) for _ in range(programs)
    ]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=2)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--seconds", type=float, default=3.0, help="for each size")
    parser.add_argument("--precision", default="auto")
    arguments = parser.parse_args()
    settings = (arguments.sizes, arguments.seconds, arguments.precision)
    (alone,) = run(1, *settings)
    together = run(arguments.programs, *settings)
    print(f"| images | alone ms | each of {arguments.programs} ms | times as long |")
    print("|---|---|---|---|")
    for index, size in enumerate(arguments.sizes):
        worst = max(medians[index] for medians in together)
        print(f"| {size} | {alone[index]:.2f} | {worst:.2f} | {worst / alone[index]:.1f} |")


if __name__ == "__main__":
    main()
