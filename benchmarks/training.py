"""How fast training is, and what fraction of the network's own speed that is.

    python benchmarks/training.py [--rounds 2] [--device auto] [--precision auto] [--json]

SPPO and PPO train by turns, an update each, every one in a process of its own, so that their ratio is of one run and
each has its own peak of memory. Beside each update the same network is run bare, in the same process: forward at the
size of a rollout's step, and forward and backward at that of a minibatch. A step needs one of the first and
`num_epochs` of the second; that is the bound. Machines are noisy: read the ratios, and the best of the rounds.
"""

import argparse
import json
import multiprocessing
import platform
import resource
import statistics
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

ALGORITHMS = ("sppo", "ppo")
BARE_SECONDS = 3.0


def synchronize(device: Any) -> None:
    """Wait until the device has done what it was given."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize()


def bare_rates(session: Any, batch: Any, device: Any, precision: str, minibatch_size: int) -> tuple[float, float]:
    """Return samples/s of the bare network: forward at a rollout's batch, forward and backward at a minibatch."""
    import torch

    from semantic_rl.training.device import autocast

    policy = session.policy
    num_envs = session.num_envs_of_a_step

    def forward() -> int:
        with torch.no_grad(), autocast(device, precision):
            policy(batch.observation[:num_envs])
        return num_envs

    def forward_and_backward() -> int:
        with autocast(device, precision):
            output = policy(batch.observation[:minibatch_size])
        total = output.logits.sum() + output.value.sum()
        if output.embedding is not None:
            total = total + output.embedding.sum()
        total.backward()
        return minibatch_size

    rates: list[float] = []
    for run in (forward, forward_and_backward):
        run()
        synchronize(device)
        best, began = 0.0, time.perf_counter()
        while time.perf_counter() - began < BARE_SECONDS:
            start = time.perf_counter()
            samples = sum(run() for _ in range(20 if run is forward else 1))
            synchronize(device)
            best = max(best, samples / (time.perf_counter() - start))
        rates.append(best)
    return rates[0], rates[1]


def serve(pipe: Connection, algorithm: str, env: str, device_name: str, precision_name: str) -> None:
    """Train one algorithm, an update whenever asked, and answer with what it took."""
    import torch

    from semantic_rl.config import EnvConfig, TrainConfig
    from semantic_rl.training.device import choose_device, choose_precision, keep_freed_memory
    from semantic_rl.training.distributed import Workers
    from semantic_rl.training.session import Session

    keep_freed_memory()
    device = choose_device(device_name)
    precision = choose_precision(precision_name, device)
    config = TrainConfig(algorithm=algorithm, environment=EnvConfig(env=env))  # type: ignore[arg-type]
    session = Session(config, device, precision, Workers(device=device))

    def ignore(done: int, total: int) -> None:
        pass

    first = True
    while pipe.recv():
        start = time.perf_counter()
        outcome = session.collect(ignore)
        collected = time.perf_counter()
        batch, explained = session.advantages(outcome)
        if first:  # small minibatches to warm up; their time does not count
            session.update(type(batch)(*(column[: config.minibatch_size] for column in batch)), ignore)
            synchronize(device)
            first = False
        began = time.perf_counter()
        learned = session.update(batch, ignore)
        synchronize(device)
        done = time.perf_counter()
        session.finish_update(learned, explained)
        session.snapshot()
        end = time.perf_counter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)
        forward, both = bare_rates(session, batch, device, precision, config.minibatch_size)
        total = (collected - start) + (done - began) + (end - done)
        rate = config.batch_size / total
        bound = 1 / (1 / forward + config.ppo.num_epochs / both)
        pipe.send(
            {
                "steps_per_second": rate,
                "collect_seconds": collected - start,
                "learn_seconds": done - began,
                "bare_forward_per_second": forward,
                "bare_forward_backward_per_second": both,
                "bound": bound,
                "fraction_of_bound": rate / bound,
                "peak_memory_mib": peak,
                "peak_device_memory_mib": torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else 0.0,
                "device": torch.cuda.get_device_name() if device.type == "cuda" else platform.machine(),
                "precision": precision,
                "threads": torch.get_num_threads(),
            }
        )
    session.close()


def measure(rounds: int, env: str, device: str, precision: str, algorithms: list[str]) -> dict[str, list[dict]]:
    """Let the algorithms take updates by turns; return what each round took, by algorithm."""
    context = multiprocessing.get_context("spawn")
    results: dict[str, list[dict]] = {name: [] for name in algorithms}
    for round_number in range(rounds):
        workers = {}
        for name in algorithms:
            ours, theirs = context.Pipe()
            process = context.Process(target=serve, args=(theirs, name, env, device, precision), daemon=True)
            process.start()
            workers[name] = (ours, process)
        order = algorithms if round_number % 2 == 0 else algorithms[::-1]
        for name in order:
            print(f"round {round_number + 1}/{rounds}: {name} …", file=sys.stderr, flush=True)
            workers[name][0].send(True)
            results[name].append(workers[name][0].recv())
        for pipe, process in workers.values():
            pipe.send(False)
            process.join()
    return results


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--env", default="coinrun")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--algorithms", nargs="+", default=list(ALGORITHMS), choices=ALGORITHMS)
    parser.add_argument("--json", action="store_true", help="print all figures of all rounds")
    arguments = parser.parse_args()
    results = measure(arguments.rounds, arguments.env, arguments.device, arguments.precision, arguments.algorithms)
    if arguments.json:
        print(json.dumps(results, indent=2))
        return
    any_result = results[arguments.algorithms[0]][0]
    print(
        f"{arguments.env}, {any_result['precision']}, {any_result['threads']} threads, {any_result['device']}; "
        f"median (best) of {arguments.rounds} rounds\n"
    )
    print("| | steps/s | rollout s | learning s | bare forward /s | bare fwd+bwd /s | bound | of bound | peak MiB |")
    print("|---|---|---|---|---|---|---|---|---|")
    medians = {}
    for name, rounds in results.items():

        def middle(key: str, rounds: list[dict] = rounds) -> float:
            return statistics.median(result[key] for result in rounds)

        medians[name] = middle("steps_per_second")
        print(
            f"| {name.upper()} | {medians[name]:.0f} ({max(r['steps_per_second'] for r in rounds):.0f}) "
            f"| {middle('collect_seconds'):.1f} | {middle('learn_seconds'):.1f} "
            f"| {middle('bare_forward_per_second'):.0f} | {middle('bare_forward_backward_per_second'):.0f} "
            f"| {middle('bound'):.0f} | {middle('fraction_of_bound'):.2f} | {middle('peak_memory_mib'):.0f} |"
        )
    if len(medians) == 2:
        pairs = zip(results["sppo"], results["ppo"], strict=True)
        ratios = [sppo["steps_per_second"] / ppo["steps_per_second"] for sppo, ppo in pairs]
        print(
            f"\nSPPO at {statistics.median(ratios):.3f} of PPO's speed "
            f"(rounds: {', '.join(f'{ratio:.3f}' for ratio in ratios)})"
        )


if __name__ == "__main__":
    main()
