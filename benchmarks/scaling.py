"""What more workers bring: the efficiency that is expected of 8, 64 and 512, and how well the formula fits a real link.

    python benchmarks/scaling.py                 the tables of docs/scaling.md: computed, and simulated with stragglers
    python benchmarks/scaling.py --measure       all-reduces between 2 and 4 gloo workers over links of limited rate

`--measure` makes hosts of network namespaces, joined by a bridge, each with a link whose rate `tc` limits; it needs
root. Nothing outside this machine is reached.
"""

import argparse
import contextlib
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

WORKERS = (8, 64, 512)
NUM_ALL_REDUCES = 24
"""Of the gradient, in an update: 3 epochs of 8 minibatches."""
NUM_AGREEMENTS = 38
"""Of a few bytes, in an update: whether to stop (every 8 of 256 steps and 24 minibatches), mean return, checkpoint."""
NUM_STEPS = 16_384
"""Of one worker, in an update."""
SPREAD = 0.02
"""Standard deviation of what a worker takes from one all-reduce to the next, as a share of its mean. Assumed."""
ROLLOUT_SHARE = 0.3
"""Of an update that is collecting, at the end of which the workers first wait for each other. Assumed."""


class Network(NamedTuple):
    """A network as its textbook numbers have it, not measured here."""

    name: str
    latency: float
    """Seconds from one worker to the next, software included."""
    bandwidth: float
    """Bytes per second that a worker can send and receive at once."""
    most: int = max(WORKERS)
    """Workers that it joins."""


NETWORKS = (
    Network("10 GbE, TCP", 30e-6, 0.9 * 10e9 / 8),
    Network("100 GbE, TCP", 20e-6, 0.8 * 100e9 / 8),
    Network("InfiniBand NDR 400", 5e-6, 0.9 * 400e9 / 8),
    Network("NVLink 4, one host", 3e-6, 0.8 * 450e9, 8),
)
SPEEDS = {"CPU, 2 cores": 514.0, "GPU at 20,000 steps/s": 20_000.0, "GPU at 83,000 steps/s": 83_000.0}
"""Steps per second of a single worker: the first measured (README), the others as examples; the last is the goal."""


def gradient_bytes(num_codes: int = 8) -> int:
    """Return the size of the gradient that all workers average, float32."""
    from semantic_rl.models.policy import SemanticPolicy

    return 4 * sum(parameter.numel() for parameter in SemanticPolicy(num_codes=num_codes).parameters())


def ring_seconds(workers: int, size: float, network: Network) -> float:
    """All-reduce around a ring: 2 (N − 1) messages of size / N after each other."""
    return 2 * (workers - 1) * (network.latency + size / workers / network.bandwidth)


def tree_seconds(workers: int, size: float, network: Network) -> float:
    """All-reduce up and down a pipelined (double binary) tree: 2 log2 N latencies, each byte sent twice."""
    return 2 * math.log2(workers) * network.latency + 2 * size / network.bandwidth


def communication_seconds(workers: int, size: float, network: Network) -> tuple[float, float]:
    """Return what an update's messages take with rings alone (gloo), and with the better of ring and tree (NCCL)."""
    ring, tree = ring_seconds(workers, size, network), tree_seconds(workers, size, network)
    small_ring, small_tree = ring_seconds(workers, 8, network), tree_seconds(workers, 8, network)
    return (
        NUM_ALL_REDUCES * ring + NUM_AGREEMENTS * small_ring,
        NUM_ALL_REDUCES * min(ring, tree) + NUM_AGREEMENTS * min(small_ring, small_tree),
    )


def waiting_factor(workers: int, spread: float = SPREAD, num_updates: int = 200, seed: int = 0) -> float:
    """Simulate by how much longer an update takes when all wait for the slowest at every all-reduce.

    Each worker's time for a rollout, and for each of the 24 minibatches, is drawn by itself (lognormal).
    """
    random = np.random.default_rng(seed)
    sigma = math.sqrt(math.log1p(spread**2))
    shares = np.array([ROLLOUT_SHARE, *[(1 - ROLLOUT_SHARE) / NUM_ALL_REDUCES] * NUM_ALL_REDUCES])
    drawn = random.lognormal(-(sigma**2) / 2, sigma, (num_updates, workers, len(shares))).max(1)
    return float((drawn * shares).sum(1).mean())


def print_tables() -> None:
    """Print what docs/scaling.md holds."""
    size = gradient_bytes()
    print(
        f"gradient: {size:,} bytes with the module, {gradient_bytes(0):,} without; {NUM_ALL_REDUCES} times an update\n"
    )
    print("One all-reduce of the gradient, milliseconds, ring / tree:\n")
    print(f"| network | latency µs | GB/s | {' | '.join(f'{n} workers' for n in WORKERS)} |")
    print("|---|---|---|" + "---|" * len(WORKERS))
    for network in NETWORKS:
        cells = [f"{1e3 * f(n, size, network):.3g}" for n in WORKERS for f in (ring_seconds, tree_seconds)]
        pairs = [f"{ring} / {tree}" for ring, tree in zip(cells[::2], cells[1::2], strict=True)]
        pairs = [pair if n <= network.most else "–" for n, pair in zip(WORKERS, pairs, strict=True)]
        numbers = f"{1e6 * network.latency:.0f} | {network.bandwidth / 1e9:.2f}"
        print(f"| {network.name} | {numbers} | {' | '.join(pairs)} |")
    waits = {n: waiting_factor(n) for n in WORKERS}
    print("\nWaiting for the slowest, simulated: " + ", ".join(f"{n}: ×{wait:.3f}" for n, wait in waits.items()))
    print("\nEfficiency, rings alone / better of ring and tree; waiting for the slowest included:\n")
    print(f"| one worker | network | {' | '.join(f'{n} workers' for n in WORKERS)} |")
    print("|---|---|" + "---|" * len(WORKERS))
    for label, speed in SPEEDS.items():
        alone = NUM_STEPS / speed
        for network in NETWORKS:
            if label.startswith("CPU") and "GbE" not in network.name:
                continue
            cells = [
                " / ".join(
                    f"{alone / (alone * waits[n] + seconds):.0%}" for seconds in communication_seconds(n, size, network)
                )
                if n <= network.most
                else "–"
                for n in WORKERS
            ]
            print(f"| {label} | {network.name} | {' | '.join(cells)} |")


def serve(size: int, rounds: int) -> None:
    """A gloo worker of the measurement: prints the median seconds of an all-reduce of 8 bytes, and of the gradient."""
    import torch
    import torch.distributed as dist

    dist.init_process_group("gloo")
    for length, count in ((2, 4 * rounds), (size // 4, rounds)):
        tensor = torch.ones(length)
        times: list[float] = []
        for _ in range(count):
            dist.barrier()
            began = time.perf_counter()
            dist.all_reduce(tensor)
            times.append(time.perf_counter() - began)
            tensor.fill_(1.0)
        if dist.get_rank() == 0:
            print(statistics.median(times[2:]), flush=True)
    dist.destroy_process_group()


def ip(*words: str) -> None:
    """Run ip or, where the first word is tc, tc."""
    command = [*words] if words[0] in ("tc", "ip") else ["ip", *words]
    subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8")


@contextlib.contextmanager
def hosts(count: int, megabits: int) -> Iterator[list[str]]:
    """Make hosts around a switch; what each sends, and what it is sent, is limited to a rate."""
    names = [f"semantic-rl-{index}" for index in range(count)]
    switch = "semantic-rl-switch"
    limit = ("root", "tbf", "rate", f"{megabits}mbit", "burst", "64kb", "limit", "4mb")
    try:
        for name in (switch, *names):
            ip("netns", "add", name)
        ip("-n", switch, "link", "add", "switch", "type", "bridge")
        ip("-n", switch, "link", "set", "switch", "up")
        for index, name in enumerate(names):
            port = f"port{index}"
            ip("-n", name, "link", "add", "net0", "type", "veth", "peer", "name", port, "netns", switch)
            ip("-n", name, "address", "add", f"10.77.1.{index + 1}/24", "dev", "net0")
            ip("-n", switch, "link", "set", port, "master", "switch")
            ip("-n", switch, "link", "set", port, "up")
            for device in ("net0", "lo"):
                ip("-n", name, "link", "set", device, "up")
            ip("ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", "net0", *limit)
            ip("ip", "netns", "exec", switch, "tc", "qdisc", "add", "dev", port, *limit)
        yield names
    finally:
        for name in (switch, *names):
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("netns", "delete", name)


def measure(rates: list[int], rounds: int) -> None:
    """Print measured all-reduces beside the ring's formula."""
    size = gradient_bytes()
    print(f"gloo, all-reduce of {size:,} bytes over links limited by tc tbf; median of {rounds}\n")
    print("| Mbit/s | workers | 8 bytes, ms | latency from it, µs | gradient, ms | formula, ms | measured / formula |")
    print("|---|---|---|---|---|---|---|")
    command = [sys.executable, __file__, "--serve", str(size), "--rounds", str(rounds)]
    for megabits in rates:
        for workers in (2, 4):
            with hosts(workers, megabits) as names:
                processes = [
                    subprocess.Popen(
                        [*("ip", "netns", "exec", name), *command],
                        env={
                            **os.environ,
                            "MASTER_ADDR": "10.77.1.1",
                            "MASTER_PORT": "29511",
                            "WORLD_SIZE": str(workers),
                            "RANK": str(rank),
                            "GLOO_SOCKET_IFNAME": "net0",
                            "OMP_NUM_THREADS": "1",
                        },
                        stdout=subprocess.PIPE,
                        text=True,
                        encoding="utf-8",
                    )
                    for rank, name in enumerate(names)
                ]
                try:
                    said = [process.communicate(timeout=240)[0] for process in processes]
                finally:
                    for process in processes:
                        process.kill()
            small, large = map(float, said[0].split())
            latency = small / (2 * (workers - 1))
            # Of what tbf counts, 1448 of 1514 bytes are ours: Ethernet, IP and TCP headers take the rest.
            formula = ring_seconds(workers, size, Network("", latency, megabits * 1e6 / 8 * 1448 / 1514))
            print(
                f"| {megabits} | {workers} | {1e3 * small:.2f} | {1e6 * latency:.0f} | {1e3 * large:.1f} "
                f"| {1e3 * formula:.1f} | {large / formula:.2f} |",
                flush=True,
            )


def main() -> None:
    """Print the tables, or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="measure all-reduces over limited links; needs root")
    parser.add_argument("--rates", type=int, nargs="+", default=[100, 1000], help="Mbit/s of the links")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--serve", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.rounds)
    elif arguments.measure:
        measure(arguments.rates, arguments.rounds)
    else:
        print_tables()


if __name__ == "__main__":
    main()
