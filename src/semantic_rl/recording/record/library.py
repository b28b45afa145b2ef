"""`semantic_rl.record`: records an agent that is in memory."""

import sys
from pathlib import Path
from typing import Any

from semantic_rl.agents.policy import PolicyAgent
from semantic_rl.agents.protocol import Agent
from semantic_rl.config import RecordConfig
from semantic_rl.envs.gymnasium.make import open_recipe
from semantic_rl.envs.procgen.games import GAMES
from semantic_rl.errors import UserError
from semantic_rl.recording.record.in_game import opened_in_game
from semantic_rl.recording.record.make import record_subject
from semantic_rl.recording.record.open_subject import (
    agent_subject,
    checkpoint_subject,
    describe_foreign,
    refuse_environment,
)
from semantic_rl.recording.record.subject import Subject
from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.training.checkpoint import read_state


def record(agent: Agent, env: str, out: str | Path, num_states: int | None = None, **settings: Any) -> Recording:
    """Record an agent in a Gymnasium environment or a Procgen game; `settings` are those of `RecordConfig`.

    What lies beside the zip that an agent was opened from (statistics of VecNormalize, the folder of an rl-zoo) says
    how the environment is made, as on the command line. An agent that this package trained plays its own game, with
    its own plane and clusters.

    Raises UserError if the agent does not fit the environment, or if `out` exists.
    """
    name = str(getattr(agent, "algorithm", "") or type(agent).__name__)
    if isinstance(agent, PolicyAgent) and agent.checkpoint is not None and env in GAMES:
        return _record_ours(agent, agent.checkpoint, env, Path(out), num_states, settings)
    config = RecordConfig(agent=Path(name), out=Path(out), env=env, states=num_states, **settings)
    subject = opened_in_game(agent, config, name) if env in GAMES else _in_gymnasium(agent, config, env, name)
    return open_recording(record_subject(subject, config))


def _record_ours(
    agent: PolicyAgent, checkpoint: Path, env: str, out: Path, num_states: int | None, settings: dict[str, Any]
) -> Recording:
    own: str = read_state(checkpoint)["config"]["env"]
    if env != own:
        raise UserError(f"env: got '{env}', but {checkpoint.name} plays '{own}', the game that it was trained on.")
    settings = {"device": agent.device.type, "precision": agent.precision} | settings
    config = RecordConfig(agent=checkpoint, out=out, states=num_states, **settings)
    refuse_environment(config)
    return open_recording(record_subject(checkpoint_subject(agent.policy, checkpoint, config), config))


def _in_gymnasium(agent: Agent, config: RecordConfig, env: str, name: str) -> Subject:
    recipe = open_recipe(env, config.arguments, config.wrap, getattr(agent, "file", None), config.vec_normalize)
    for note in recipe.notes:
        print(f"note: {note}", file=sys.stderr)
    if getattr(agent, "saw_normalized", False) and recipe.vec_normalize is None:
        print(
            "note: the environment of the agent's training normalises observations with VecNormalize, and here the "
            "agent sees them as they are; save the statistics (env.save(FILE)) and name them: vec_normalize=FILE.",
            file=sys.stderr,
        )
    return agent_subject(agent, recipe, config, describe_foreign(agent, name))
