"""How much host time a rollout's group step and an update's other work take; needs no GPU.

    python benchmarks/rollout_host.py [--parts host games update] [--num-envs 64] [--groups 1 2 4] [--threads 1 2]
        [--network-us 150] [--steps 256] [--repeats 5] [--json]

`host`: `Player.play` with static acting on the CPU, a network that does nothing and games whose C functions do nothing,
so that Python, copies and PyTorch's calls remain. On a GPU, the copy to the network's tensor runs beside the host. The
groups have threads, as on a GPU; the parts' times include that one thread waits while another runs Python.
`games`: the real games alone, stepped in groups as `Player.play` steps them on a GPU: each group by a thread of its
own, which sleeps for as long as it would wait for the network (`--network-us`).
`update`: what training does once per update besides the network.
Every figure is the best of the repeats.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the commands do
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from stopwatch import Stopwatch

PARTS = ("host", "games", "update")


def best_of(repeats: int, function: Callable[[], Any]) -> float:
    """Return the shortest time of a call, in seconds."""
    times: list[float] = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def free_games(group: Any) -> None:
    """Let a group's games stand still: its C functions do nothing."""

    def nothing(_handle: Any) -> None:
        pass

    library = group._library._lib
    library.libenv_act = library.libenv_observe = nothing
    for name in ("_begin_step", "_wait_for_step"):
        if hasattr(group, name):
            setattr(group, name, nothing)


def host_times(num_envs: int, num_groups: int, num_steps: int, repeats: int) -> dict[str, float]:
    """Return microseconds of host time per group step, in all and by part (parts from runs of their own)."""
    import torch

    from semantic_rl.config import EnvConfig
    from semantic_rl.envs.factory import make_env_groups
    from semantic_rl.training import actors
    from semantic_rl.training.actors import RolloutBuffer
    from semantic_rl.training.graphs import Execution
    from semantic_rl.training.rollout import Player

    groups = make_env_groups(EnvConfig("coinrun", num_envs=num_envs), (1, 2), num_groups)
    for group in groups:
        free_games(group)
        group._library.get_first_buf()[:] = 0
    static: Any = actors.StaticActing
    kept = static._choose_plainly, static._find_values
    static._choose_plainly = static._find_values = lambda self: None
    try:
        device = torch.device("cpu")
        player = Player(groups, torch.Generator().manual_seed(3), device, execution=Execution.STATIC, in_threads=True)
        buffer = RolloutBuffer(num_steps, num_envs, (64, 64, 3), device)

        def network(_images: Any) -> Any:
            raise AssertionError("the network is not asked")

        def ignore(_done: int, _total: int) -> None:
            pass

        def play() -> None:
            player.play(network, num_steps, buffer, ignore)

        calls = num_steps * num_groups
        play()
        result = {"in all": 1e6 * best_of(repeats, play) / calls}
        watch = Stopwatch()
        for group in groups:
            watch.time_methods(group, observe="games' results", wait="games' results", act="act")
        for acting in player._acting:
            watch.time_methods(acting, submit="submit", actions="actions")
        watch.time_methods(player.monitor, add="episode statistics", add_rollout="episode statistics")
        watch.time_methods(player, _prepare="random numbers")
        best: dict[str, float] = {}
        for _ in range(repeats):
            watch.seconds = dict.fromkeys(watch.seconds, 0.0)
            play()
            for name, seconds in watch.seconds.items():
                best[name] = min(best.get(name, seconds), seconds)
        result |= {name: 1e6 * seconds / calls for name, seconds in best.items()}
        player.close()
    finally:
        static._choose_plainly, static._find_values = kept
    return result


def games_time(num_envs: int, num_groups: int, num_threads: int, latency: float, num_steps: int, repeats: int) -> float:
    """Return microseconds per group step of the games, stepped in groups as a GPU's rollout does."""
    import numpy as np

    from semantic_rl.config import EnvConfig
    from semantic_rl.envs.procgen.vector_env import ProcgenVectorEnv

    config = EnvConfig("coinrun")
    size = num_envs // num_groups
    groups = [ProcgenVectorEnv(config, size, seed, num_threads) for seed in range(num_groups)]
    actions = np.random.default_rng(0).integers(0, 15, (num_steps, size))

    def play_group(group: ProcgenVectorEnv) -> None:
        for row in actions:
            time.sleep(latency)
            group.act(row)
            group.wait()

    with ThreadPoolExecutor(num_groups) as threads:

        def play() -> None:
            list(threads.map(play_group, groups))

        play()
        seconds = best_of(repeats, play)
    for group in groups:
        group.close()
    return 1e6 * seconds / num_steps / num_groups


def update_times(num_envs: int, num_steps: int, repeats: int) -> dict[str, float]:
    """Return milliseconds of what an update does once on the host."""
    import numpy as np
    import torch

    from semantic_rl.config import EnvConfig, TrainConfig
    from semantic_rl.training.batch import make_batch
    from semantic_rl.training.display import Display
    from semantic_rl.training.distributed import Workers
    from semantic_rl.training.rollout import Rollout
    from semantic_rl.training.run_folder import open_logs
    from semantic_rl.training.session import Session
    from semantic_rl.training.statistics import UpdateStatistics

    device, workers = torch.device("cpu"), Workers()
    names = ("approx_kl", "clip_fraction", "loss", "policy_entropy", "policy_loss", "value_loss", "grad_norm")
    losses = dict.fromkeys((*names, "fdr_loss", "vq_loss"), 0.1)
    learned = UpdateStatistics(losses, 8, 7.5, losses)
    with tempfile.TemporaryDirectory() as folder:
        config = TrainConfig(environment=EnvConfig(num_envs=num_envs), run_root=Path(folder))
        session = Session(config, device, "fp32", workers)
        random = np.random.default_rng(0)
        shape = (num_steps, num_envs)
        buffer = session._buffer
        rollout = Rollout(
            buffer.observation,
            buffer.action,
            buffer.log_prob,
            buffer.value.normal_(),
            random.integers(0, 2, shape).astype(np.float32),
            random.random(shape) < 0.01,
            random.random(num_envs, np.float32),
        )
        result: dict[str, float] = {}

        def measure(name: str, function: Callable[[], Any]) -> None:
            result[name] = 1e3 * best_of(repeats, function)

        def pack() -> None:
            session._packed = None
            session._pack_environments()

        measure("random numbers", lambda: torch.rand(*shape, 15, generator=session._player.generator))
        measure("advantages", lambda: make_batch(rollout, config.ppo))
        measure("the rewards' normaliser", lambda: session._normalize(rollout.reward, rollout.done))
        measure("finish_update", lambda: session.finish_update(learned, 0.5))
        row = session.finish_update(learned, 0.5)
        measure("pack environments", pack)
        measure("  of it, their states", session._player.state)
        measure("snapshot", session.snapshot)
        monitor = session._player.monitor

        def add() -> None:
            for step in zip(rollout.reward, rollout.done, rollout.done, strict=True):
                monitor.add(*step)

        if hasattr(monitor, "add_rollout"):
            measure("episode statistics", lambda: monitor.add_rollout(rollout.reward, rollout.done, rollout.done))
        else:
            measure("episode statistics", add)
        run = Path(folder) / "run"
        run.mkdir()
        with open_logs(run, config, session, workers) as logs:
            measure("logs.write", lambda: logs.write(row, None))
        display = Display("title", 10**6, 0, True)
        standard_output, sys.stdout = sys.stdout, open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        try:
            with display:
                measure("display.update", lambda: display.update(row))
        finally:
            sys.stdout.close()
            sys.stdout = standard_output
        session.close()
    return result


def main() -> None:
    """Measure and print tables, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--num-envs", type=int, default=64)
    parser.add_argument("--groups", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="threads of a group of games")
    parser.add_argument("--network-us", type=float, default=150.0, help="latency of a policy step")
    parser.add_argument("--steps", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    from semantic_rl.training.device import keep_freed_memory

    keep_freed_memory()
    results: dict[str, Any] = {}
    size = (arguments.steps, arguments.repeats)
    latency = 1e-6 * arguments.network_us
    if "host" in arguments.parts:
        results["host, us per group step"] = {
            f"{number} groups": host_times(arguments.num_envs, number, *size) for number in arguments.groups
        }
    if "games" in arguments.parts:
        results["games, us per group step"] = {
            f"{number} groups": {
                f"{threads} threads": games_time(arguments.num_envs, number, threads, latency, *size)
                for threads in arguments.threads
            }
            for number in arguments.groups
        }
    if "update" in arguments.parts:
        results["update, ms"] = {"": update_times(arguments.num_envs, *size)}
    if arguments.json:
        print(json.dumps(results, indent=2))
        return
    for title, tables in results.items():
        for subtitle, figures in tables.items():
            print(f"\n{title}{': ' * bool(subtitle)}{subtitle}\n")
            for name, value in figures.items():
                print(f"  {name:<36}{value:10.2f}")


if __name__ == "__main__":
    main()
