"""Settings of the command that checks a recording, a run or an agent."""

from dataclasses import dataclass
from pathlib import Path

from semantic_rl.config.markers import Positional


@dataclass(frozen=True)
class CheckConfig:
    """Check whether a recording, run, checkpoint or agent is complete; say what is wrong and what can still be used."""

    path: Positional[Path]
    """A recording, a run folder, a checkpoint folder, an agent's folder, or the name of an agent that ships with the
    package."""
    json: bool = False
    """Print the findings as JSON."""
