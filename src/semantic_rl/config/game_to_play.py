"""The game that an agent of this package plays: the one that it was trained on, except for what the user asks for."""

from collections.abc import Mapping
from typing import Any

from semantic_rl.config.env_arguments import read_env_arguments
from semantic_rl.config.levels import Levels, choose_levels
from semantic_rl.config.playing import EvaluateConfig, RecordConfig
from semantic_rl.config.training import EnvConfig
from semantic_rl.envs.procgen.games import option_texts, stored_option_texts


def game_to_play(trained: Mapping[str, Any], config: RecordConfig | EvaluateConfig, num_envs: int) -> EnvConfig:
    """Return game, mode, levels and options for an agent; `trained` are the settings of its training.

    Raises UserError if the game does not have the mode, or if a first level is given although all levels are played.
    """
    levels = choose_levels(
        Levels(trained["num_levels"], trained["start_level"]), config.num_levels, config.start_level, config.level_seed
    )
    of_training = read_env_arguments(stored_option_texts(trained))
    asked_for = read_env_arguments(config.env_args)
    return EnvConfig(
        env=trained["env"],
        distribution_mode=config.distribution_mode or trained["distribution_mode"],
        num_levels=levels.num_levels,
        start_level=levels.start_level,
        env_args=option_texts(of_training | asked_for),
        num_envs=num_envs,
    )
