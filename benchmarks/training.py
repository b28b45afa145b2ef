"""How fast training is, and what fraction of the network's own speed that is.

    python benchmarks/training.py [--rounds 2] [--device auto] [--precision auto] [--updates 1] [--env-groups 0]
        [--no-cuda-graphs] [--json]

SPPO and PPO train by turns, an update each, every one in a process of its own, so that their ratio is of one run and
each has its own peak of memory. Beside each update the same network is run bare, in the same process: forward at the
size of a rollout's step, and forward and backward at that of a minibatch. A step needs one of the first and
`num_epochs` of the second; that is the bound, on a GPU as CUDA graphs too. On a GPU the rollout's network and games
overlap, so that the bound counts only what the network alone would need. Machines are noisy: read the ratios, and the
best of the rounds. On a GPU the first updates warm up and capture; five of them do not count, and `--updates` more do.
"""

import argparse
import json
import multiprocessing
import os
import platform
import resource
import statistics
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the commands do
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from stopwatch import Stopwatch

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

    from semantic_rl.training.graphs import Execution, StaticWork

    learner = session._learner
    as_graphs = session.execution is Execution.GRAPHS
    acting, learning = (batch.observation[:size].clone() for size in (session.num_envs_of_a_step, minibatch_size))

    def forward() -> None:
        with torch.no_grad():
            learner.network(acting)

    def forward_and_backward() -> None:
        output = learner.network(learning)
        total = output.logits.sum() + output.value.sum()
        if output.embedding is not None:
            total = total + output.embedding.sum()
        if learner.working is None:
            total.backward()
        else:
            learner.working.backward(total)

    rates: list[float] = []
    for function, size, repeats in ((forward, len(acting), 20), (forward_and_backward, len(learning), 1)):
        work = StaticWork(function, as_graphs)
        for _ in range(5 if device.type == "cuda" else 1):
            work()
        synchronize(device)
        best, began = 0.0, time.perf_counter()
        while time.perf_counter() - began < BARE_SECONDS:
            start = time.perf_counter()
            for _ in range(repeats * (10 if device.type == "cuda" else 1)):
                work()
            synchronize(device)
            samples = size * repeats * (10 if device.type == "cuda" else 1)
            best = max(best, samples / (time.perf_counter() - start))
        rates.append(best)
    return rates[0], rates[1]


def watch_rollouts(session: Any) -> Stopwatch:
    """Time what the host's threads do in a session's rollouts."""
    watch = Stopwatch()
    names = {"submit": "sending pictures", "actions": "waiting for the network"}
    watch.seconds = dict.fromkeys(("waiting for games", "waiting for the network", "sending pictures"), 0.0)
    player = session._player
    for env in player._lent:
        watch.time_methods(env, wait="waiting for games")
    make = player._make_acting

    def make_timed(*arguments: Any) -> Any:
        acting = make(*arguments)
        watch.time_methods(acting, **names)
        return acting

    player._make_acting = make_timed
    return watch


WARM_UP_UPDATES = 5
"""On a GPU: three run as they are, the next captures graphs, one more for good measure."""


def serve(pipe: Connection, settings: dict[str, Any]) -> None:
    """Train one algorithm, an update whenever asked, and answer with what it took."""
    from semantic_rl.training.device import choose_device, keep_freed_memory, working_on

    keep_freed_memory()
    device = choose_device(settings["device"])
    with working_on(device):
        answer(pipe, settings, device)


def answer(pipe: Connection, settings: dict[str, Any], device: Any) -> None:
    """Do what `serve` says, on the device's stream."""
    import torch

    from semantic_rl.config import EnvConfig, TrainConfig
    from semantic_rl.training.batch import make_batch
    from semantic_rl.training.device import choose_precision
    from semantic_rl.training.distributed import Workers
    from semantic_rl.training.session import Session

    precision = choose_precision(settings["precision"], device)
    environment = EnvConfig(env=settings["env"], env_groups=settings["env_groups"])
    config = TrainConfig(algorithm=settings["algorithm"], environment=environment, cuda_graphs=settings["cuda_graphs"])
    session = Session(config, device, precision, Workers(device=device))
    watch = watch_rollouts(session)

    def ignore(done: int, total: int) -> None:
        pass

    def update() -> tuple[dict[str, float], Any]:
        seconds = dict.fromkeys(("collect", "advantages", "learn", "rest"), 0.0)
        marks = [time.perf_counter()]
        rollout = session.collect(ignore)
        synchronize(device)
        marks.append(time.perf_counter())
        batch, explained = make_batch(rollout, config.ppo)
        marks.append(time.perf_counter())
        learned = session.update(batch, ignore)
        synchronize(device)
        marks.append(time.perf_counter())
        session.finish_update(learned, explained)
        session.snapshot()
        marks.append(time.perf_counter())
        for name, before, after in zip(seconds, marks, marks[1:], strict=False):
            seconds[name] = after - before
        seconds["total"] = marks[-1] - marks[0]
        return seconds, batch

    first, batch = True, None
    while pipe.recv():
        if first and device.type == "cuda":
            for _ in range(WARM_UP_UPDATES):
                batch = update()[1]
            torch.cuda.reset_peak_memory_stats()
        elif first:  # a small minibatch to warm up; its time does not count
            batch, _ = make_batch(session.collect(ignore), config.ppo)
            session.update(type(batch)(*(column[: config.minibatch_size] for column in batch)), ignore)
        first = False
        watch.seconds = dict.fromkeys(watch.seconds, 0.0)
        took: list[dict[str, float]] = []
        for _ in range(settings["updates"]):
            seconds, batch = update()
            took.append(seconds)
        mean = {name: statistics.mean(seconds[name] for seconds in took) for name in took[0]}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)
        device_peak = torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else 0.0
        forward, both = bare_rates(session, batch, device, precision, config.minibatch_size)
        rate = config.batch_size / mean["total"]
        bound = 1 / (1 / forward + config.ppo.num_epochs / both)
        num_minibatches = config.ppo.num_epochs * config.ppo.num_minibatches
        pipe.send(
            {
                **settings,
                "steps_per_second": rate,
                "best_steps_per_second": config.batch_size / min(seconds["total"] for seconds in took),
                "collect_seconds": mean["collect"],
                "advantages_seconds": mean["advantages"],
                "learn_seconds": mean["learn"],
                "rest_seconds": mean["rest"],
                "minibatch_milliseconds": 1000 * mean["learn"] / num_minibatches,
                "rollout_step_milliseconds": 1000 * mean["collect"] / config.ppo.num_steps,
                "host_milliseconds_of_a_rollout_step": {
                    name: 1000 * seconds / config.ppo.num_steps / len(took) for name, seconds in watch.seconds.items()
                },
                "bare_forward_per_second": forward,
                "bare_policy_step_milliseconds": 1000 * session.num_envs_of_a_step / forward,
                "bare_forward_backward_per_second": both,
                "bare_minibatch_milliseconds": 1000 * config.minibatch_size / both,
                "bound": bound,
                "fraction_of_bound": rate / bound,
                "peak_memory_mib": peak,
                "peak_device_memory_mib": device_peak,
                "device": torch.cuda.get_device_name() if device.type == "cuda" else platform.machine(),
                "precision": precision,
                "threads": torch.get_num_threads(),
            }
        )
    session.close()


def measure(rounds: int, algorithms: list[str], settings: dict[str, Any]) -> dict[str, list[dict]]:
    """Let the algorithms take updates by turns; return what each round took, by algorithm."""
    context = multiprocessing.get_context("spawn")
    results: dict[str, list[dict]] = {name: [] for name in algorithms}
    for round_number in range(rounds):
        workers = {}
        for name in algorithms:
            ours, theirs = context.Pipe()
            process = context.Process(target=serve, args=(theirs, {**settings, "algorithm": name}), daemon=True)
            process.start()
            theirs.close()  # so that a worker that fails ends the wait for its answer
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
    parser.add_argument("--updates", type=int, default=1, help="updates of a round")
    parser.add_argument("--env-groups", type=int, default=0)
    parser.add_argument("--no-cuda-graphs", dest="cuda_graphs", action="store_false")
    parser.add_argument("--json", action="store_true", help="print all figures of all rounds")
    arguments = parser.parse_args()
    names = ("env", "device", "precision", "updates", "env_groups", "cuda_graphs")
    settings = {name: getattr(arguments, name) for name in names}
    results = measure(arguments.rounds, arguments.algorithms, settings)
    if arguments.json:
        print(json.dumps(results, indent=2))
        return
    any_result = results[arguments.algorithms[0]][0]
    print(
        f"{arguments.env}, {any_result['precision']}, {any_result['threads']} threads, {any_result['device']}; "
        f"median (best) of {arguments.rounds} rounds\n"
    )
    print(
        "| | steps/s | rollout s | learning s | rest s | minibatch ms (bare) | rollout step ms (bare) | bound "
        "| of bound | peak MiB (device) |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    medians = {}
    for name, rounds in results.items():

        def middle(key: str, rounds: list[dict] = rounds) -> float:
            return statistics.median(result[key] for result in rounds)

        medians[name] = middle("steps_per_second")
        print(
            f"| {name.upper()} | {medians[name]:.0f} ({max(r['steps_per_second'] for r in rounds):.0f}) "
            f"| {middle('collect_seconds'):.3g} | {middle('learn_seconds'):.3g} "
            f"| {middle('advantages_seconds') + middle('rest_seconds'):.3g} "
            f"| {middle('minibatch_milliseconds'):.3g} ({middle('bare_minibatch_milliseconds'):.3g}) "
            f"| {middle('rollout_step_milliseconds'):.3g} ({middle('bare_policy_step_milliseconds'):.3g}) "
            f"| {middle('bound'):.0f} | {middle('fraction_of_bound'):.2f} "
            f"| {middle('peak_memory_mib'):.0f} ({middle('peak_device_memory_mib'):.0f}) |"
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
