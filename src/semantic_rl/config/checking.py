"""Settings of checking a recording, a run or an agent."""

from dataclasses import dataclass
from pathlib import Path

from semantic_rl.config.markers import Positional


@dataclass(frozen=True)
class CheckConfig:
    """Check everything in a recording, run, checkpoint or agent: what is wrong, and what can still be used."""

    path: Positional[Path]
    """A recording, a run folder, a checkpoint folder, or an agent (a folder, or the name of one that ships)."""
    json: bool = False
    """Print JSON."""
