"""`semantic_rl.record`: records an agent that is in memory."""

import sys
from pathlib import Path
from typing import Any

from semantic_rl.agents.protocol import Agent
from semantic_rl.config import RecordConfig
from semantic_rl.envs.gymnasium.make import open_recipe
from semantic_rl.recording.record.make import record_subject
from semantic_rl.recording.record.open_subject import agent_subject, describe_foreign
from semantic_rl.recording.store import Recording, open_recording


def record(agent: Agent, env: str, out: str | Path, num_states: int | None = None, **settings: Any) -> Recording:
    """Record an agent in a Gymnasium environment; `settings` are those of `RecordConfig`.

    What lies beside the zip that an agent was opened from (statistics of VecNormalize, the folder of an rl-zoo) says
    how the environment is made, as on the command line.

    Raises UserError if the agent does not fit the environment, or if `out` exists.
    """
    name = str(getattr(agent, "algorithm", "") or type(agent).__name__)
    config = RecordConfig(agent=Path(name), out=Path(out), env=env, states=num_states, **settings)
    recipe = open_recipe(env, config.arguments, config.wrap, getattr(agent, "file", None), config.vec_normalize)
    for note in recipe.notes:
        print(f"note: {note}", file=sys.stderr)
    if getattr(agent, "saw_normalized", False) and recipe.vec_normalize is None:
        print(
            "note: the environment of the agent's training normalises observations with VecNormalize, and here the "
            "agent sees them as they are; save the statistics (env.save(FILE)) and name them: vec_normalize=FILE.",
            file=sys.stderr,
        )
    return open_recording(record_subject(agent_subject(agent, recipe, config, describe_foreign(agent, name)), config))
