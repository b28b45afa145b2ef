"""Agents that others trained, in Procgen's games, whose pictures they see as they are."""

import sys
from typing import NamedTuple

import numpy as np

from semantic_rl.agents.open import open_agent
from semantic_rl.agents.protocol import Agent
from semantic_rl.agents.spaces import game_spaces
from semantic_rl.config import EnvConfig, EvaluateConfig, RecordConfig
from semantic_rl.config.game_to_play import game_to_play
from semantic_rl.envs.procgen.games import OBSERVATION_SHAPE
from semantic_rl.errors import UserError
from semantic_rl.recording.record.agent_place import describe_foreign
from semantic_rl.recording.record.envs import procgen_source
from semantic_rl.recording.record.probe import probe
from semantic_rl.recording.record.subject import Outputs, Subject

WITHOUT_EFFECT = ("wrap", "vec_normalize", "info")


class InGame(NamedTuple):
    """An agent that others trained, and the game that it is to play."""

    agent: Agent
    environment: EnvConfig
    outputs: Outputs


def open_in_game(config: RecordConfig | EvaluateConfig, num_envs: int) -> InGame:
    """Open an agent for the game that the user names, and print what they should know of it.

    Raises UserError if settings are given that no game of Procgen has.
    """
    environment = _named_game(config, num_envs)
    agent = open_agent(config.agent, game_spaces(), getattr(config, "layer", None), config.trust)
    for note in getattr(agent, "notes", ()):
        print(f"note: {note}", file=sys.stderr)
    return _in_game(agent, environment, config.seed)


def _named_game(config: RecordConfig | EvaluateConfig, num_envs: int) -> EnvConfig:
    """Return the game that the user names; raises UserError for settings that no game has."""
    for name in WITHOUT_EFFECT:
        if getattr(config, name, None):
            raise UserError(
                f"{name}: got {getattr(config, name)!r}, which Procgen's games do not have; leave it out. An agent "
                "that sees their pictures changed does this itself, in a function of yours (my_agent.py:make_agent)."
            )
    trained = {"env": config.env, "distribution_mode": EnvConfig.distribution_mode, "num_levels": 0, "start_level": 0}
    return game_to_play(trained, config, num_envs)


def _in_game(agent: Agent, environment: EnvConfig, seed: int) -> InGame:
    """Let an agent act once on pictures of the game, which says what it returns."""
    spec = procgen_source(environment).spec
    outputs = probe(agent, spec, np.zeros((1, *OBSERVATION_SHAPE), np.uint8), seed, environment.num_envs)
    return InGame(agent, environment, outputs)


def game_subject(config: RecordConfig) -> Subject:
    """Return an agent that others trained, in a Procgen game."""
    found = open_in_game(config, config.num_envs)
    say_which_layer(found.agent)
    return _subject(found, config.agent.stem)


def opened_in_game(agent: Agent, config: RecordConfig, name: str) -> Subject:
    """Return an agent that is in memory, in the Procgen game that `config` names; like `game_subject`."""
    return _subject(_in_game(agent, _named_game(config, config.num_envs), config.seed), name)


def _subject(found: InGame, name: str) -> Subject:
    agent, environment, outputs = found
    return Subject(agent, describe_foreign(agent, name), procgen_source(environment), outputs)


def say_which_layer(agent: Agent) -> None:
    """Tell the user which layer's output is recorded."""
    print(f"note: records the layer {agent.layer} ({agent.num_features} numbers)", file=sys.stderr)
