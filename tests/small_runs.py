"""Small real runs, shared by the tests of training."""

import os
import sys
from pathlib import Path

from semantic_rl.config import EnvConfig, PPOConfig, SemanticConfig, TrainConfig

NUM_ENVS, NUM_STEPS = 8, 16
STEPS_OF_UPDATE = NUM_ENVS * NUM_STEPS


def small_config(run_root: Path, num_updates: int = 3, **changes: object) -> TrainConfig:
    """Updates of 128 steps in float32; λ is set anew every second update."""
    environment = {"num_envs": NUM_ENVS, **changes.pop("environment", {})}  # type: ignore[dict-item]
    settings = {"timesteps": num_updates * STEPS_OF_UPDATE, "precision": "fp32", "device": "cpu", "num_threads": 1}
    return TrainConfig(
        environment=EnvConfig(**environment),  # type: ignore[arg-type]
        ppo=PPOConfig(num_steps=NUM_STEPS, num_minibatches=2, num_epochs=2),
        semantic=SemanticConfig(semantic_interval=2),
        run_root=run_root,
        **(settings | changes),  # type: ignore[arg-type]
    )


def small_arguments(run_root: Path, num_updates: int = 3, *more: str) -> list[str]:
    """The same as a command line."""
    semantic = () if "ppo" in more else ("--semantic-interval", "2")
    return [
        *("--num-envs", str(NUM_ENVS), "--num-steps", str(NUM_STEPS), "--num-minibatches", "2", "--num-epochs", "2"),
        *semantic,
        *("--timesteps", str(num_updates * STEPS_OF_UPDATE), "--precision", "fp32"),
        *("--device", "cpu", "--num-threads", "1", "--run-root", str(run_root), *more),
    ]


def train_command(run_root: Path, num_updates: int, *more: str) -> list[str]:
    """A command that trains in a process of its own."""
    return [sys.executable, "-m", "semantic_rl.cli", "train", *small_arguments(run_root, num_updates, *more)]


def environment_variables() -> dict[str, str]:
    """One thread, and the package found where this process finds it."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


RUN_NAME = "sppo-coinrun_easy_0_0_2021"
