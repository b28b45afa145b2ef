"""The `EnvSpec` of a Procgen game."""

from collections.abc import Mapping
from typing import Any

from semantic_rl.envs.procgen.games import (
    ACTION_NAMES,
    ACTION_SIGNS,
    ENDLESS_GAMES,
    GAMES,
    NUM_ACTIONS,
    OBSERVATION_SHAPE,
    action_groups,
    stored_option_texts,
)
from semantic_rl.envs.spec import ActionSpec, EnvSpec, ObservationPart

FAMILY = "procgen"
ARGUMENTS = ("distribution_mode", "num_levels", "start_level")
STEPS_PER_SECOND = 15.0


def procgen_spec(environment: Mapping[str, Any]) -> EnvSpec:
    """Return the spec of the game that an `EnvConfig`'s fields describe; an unknown game has no return range."""
    name, mode = str(environment["env"]), environment["distribution_mode"]
    game = GAMES.get(name)
    options = {
        key: value == "true" for key, _, value in (text.partition("=") for text in stored_option_texts(environment))
    }
    ranges = {} if game is None else {"easy": game.easy, "hard": game.hard}
    return EnvSpec(
        id=name,
        family=FAMILY,
        observation=(ObservationPart("", OBSERVATION_SHAPE, "uint8"),),
        action=ActionSpec("discrete", (NUM_ACTIONS,), ACTION_NAMES, ACTION_SIGNS, groups=action_groups(name)),
        arguments={argument: environment.get(argument) for argument in ARGUMENTS} | options,
        success="the level was completed",
        level="seed of the level",
        return_range=ranges.get(mode),
        # Games with a memory or an exploration mode are as rewarding in it as in hard mode.
        greatest_return=None if game is None else ranges.get(mode, game.hard).maximum,
        is_endless=name in ENDLESS_GAMES,
        steps_per_second=STEPS_PER_SECOND,
        restores_exactly=True,
    )
