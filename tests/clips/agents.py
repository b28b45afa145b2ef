"""Run folders of agents that have learned nothing, for commands that play them."""

from pathlib import Path

from semantic_rl.config import EnvConfig, TrainConfig, to_dict
from semantic_rl.training.checkpoint import Checkpoint, save_checkpoint

from ..recording.conftest import make_policy

GAME = EnvConfig(env="fruitbot", num_levels=50, start_level=7)
"""A game in which episodes are short whoever plays."""


def make_run(folder: Path, environment: EnvConfig = GAME, num_codes: int = 8) -> Path:
    """Make a run folder that holds one agent."""
    train = TrainConfig(algorithm="sppo" if num_codes else "ppo", environment=environment)
    weights = {name: value.detach() for name, value in make_policy(num_codes).state_dict().items()}
    state = {"update": 3, "timesteps": 49_152, "config": to_dict(train)}
    save_checkpoint(folder, Checkpoint(weights, None, None, state), keep=1)
    return folder
