"""Times recording agents of Stable-Baselines3 beside a bare loop of environment and the library's own `predict`.

    python benchmarks/foreign_agents.py lander ppo-LunarLander.zip
    python benchmarks/foreign_agents.py atari
    python benchmarks/foreign_agents.py lander ppo-LunarLander.zip --states 1000000 --memory

The zip is an agent of LunarLander, recorded without pictures. Pong is played by a PPO with the library's
convolutional network that has learned nothing, and recorded with its pictures of 210×160. The bare loop has as many
environments, in the library's own DummyVecEnv, and its network too runs on one thread. Both play in this process, in
turns, so that their ratio holds on a noisy machine. The start of a recording, measured by recording one step, is left
out. Episodes that are played and not recorded, at the end, count as time; they weigh less the more states there are.
`--memory` records once, without the bare loop, and prints the process's peak of memory every ten seconds.

Goals on two cores: LunarLander 3,000 states/s, Pong with its pictures 800 states/s, at most 1.5 times the bare
loop's time, and memory that does not grow with the number of states.
"""

import argparse
import resource
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from semantic_rl.config import RecordConfig
from semantic_rl.recording.record import record

ONE_STEP = {"protocol": "explore", "explore_steps": 1, "keep_probability": 1.0, "random_action_probability": 0.0}
ATARI = "ALE/Pong-v5"
NO_SCHEDULES = {"learning_rate": 0.0, "lr_schedule": lambda _: 0.0, "clip_range": lambda _: 0.0}


def lander(path: Path, num_envs: int) -> tuple[Any, Any, dict[str, Any]]:
    """Return the library's model and environments, and how the agent is recorded."""
    import gymnasium
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import DummyVecEnv

    envs = DummyVecEnv([lambda: gymnasium.make("LunarLander-v3")] * num_envs)
    spaces = {"observation_space": envs.observation_space, "action_space": envs.action_space}
    model = PPO.load(path, device="cpu", custom_objects=NO_SCHEDULES | spaces)
    return model, envs, {"agent": path, "env": "LunarLander-v3", "frame_size": 0}


def atari(folder: Path, num_envs: int) -> tuple[Any, Any, dict[str, Any]]:
    """Return a model of the library that has learned nothing, its environments, and how it is recorded."""
    import ale_py  # noqa: F401  # pyright: ignore[reportUnusedImport]  # makes its environments known
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_atari_env
    from stable_baselines3.common.vec_env import VecFrameStack

    envs = VecFrameStack(make_atari_env(ATARI, num_envs, env_kwargs={"frameskip": 1}), 4)
    model = PPO("CnnPolicy", envs, device="cpu", seed=0, n_steps=8, batch_size=8)
    model.save(folder / "atari.zip")
    wrap = ("atari", "frame-stack=4")
    environment = {"env": ATARI, "env_args": ("frameskip=1",), "wrap": wrap}
    return model, envs, {"agent": folder / "atari.zip", "frame_size": 210} | environment


def bare_rate(model: Any, envs: Any, num_states: int) -> float:
    """Return the states/s of environment and `predict`, and nothing else."""
    observation = envs.reset()
    began = time.perf_counter()
    for _ in range(num_states // envs.num_envs):
        actions, _ = model.predict(observation)
        observation, *_ = envs.step(actions)
    return num_states / (time.perf_counter() - began)


def record_once(settings: dict[str, Any], amount: dict[str, Any], num_envs: int, folder: Path) -> float:
    """Record and return the seconds it took."""
    config = RecordConfig(out=folder, num_envs=num_envs, **settings, **amount)
    began = time.perf_counter()
    record(config)
    return time.perf_counter() - began


def print_memory(is_over: threading.Event, states_so_far: Callable[[], int]) -> None:
    """Print the peak of memory every ten seconds."""
    while not is_over.wait(10):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{states_so_far():>12,} states written    {peak:7.0f} MB", flush=True)


def main() -> None:
    """Read the command line, play and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", choices=("lander", "atari"))
    parser.add_argument("zip", type=Path, nargs="?", help="the agent of LunarLander")
    parser.add_argument("--states", type=int, default=20_000)
    parser.add_argument("--num-envs", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true")
    arguments = parser.parse_args()
    if (arguments.subject == "lander") != (arguments.zip is not None):
        parser.error("give the zip of an agent for lander, and none for atari")
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.subject == "lander":
            model, envs, settings = lander(arguments.zip, arguments.num_envs)
        else:
            model, envs, settings = atari(folder, arguments.num_envs)
        amount = {"states": arguments.states}
        start = record_once(settings, ONE_STEP, arguments.num_envs, folder / "start")
        start = min(start, record_once(settings, ONE_STEP, arguments.num_envs, folder / "start-again"))
        if arguments.memory:
            out, is_over = folder / "recording", threading.Event()

            def states_so_far() -> int:
                return 4096 * len(list(out.glob("frames/observations-*")))

            watcher = threading.Thread(target=print_memory, args=(is_over, states_so_far))
            watcher.start()
            seconds = record_once(settings, amount, arguments.num_envs, out)
            is_over.set()
            watcher.join()
            print(f"{arguments.states:,} states in {seconds:.0f} s")
            return
        print(f"a recording's start: {start:.2f} s")
        for turn in range(arguments.rounds):
            bare = bare_rate(model, envs, arguments.states)
            seconds = record_once(settings, amount, arguments.num_envs, folder / f"{turn}") - start
            rate = arguments.states / seconds
            print(f"bare loop {bare:8,.0f} states/s    record {rate:8,.0f} states/s    ratio {bare / rate:.2f}")


if __name__ == "__main__":
    main()
