"""Settings of listing and packing trained agents."""

from dataclasses import dataclass
from pathlib import Path

from semantic_rl.config.checks import MAX_SEED, at_least, within
from semantic_rl.config.markers import Positional


@dataclass(frozen=True)
class AgentsConfig:
    """List the trained agents that ship with the package, or show one's card."""

    name: Positional[str] = ""
    """Name of the agent whose card is shown; without a name, all agents are listed."""
    json: bool = False
    """Print JSON instead of a table."""


@dataclass(frozen=True, kw_only=True)
class PackConfig:
    """Pack a trained agent into a small folder that you can give away: weights, a card with scores, learning curve."""

    agent: Positional[Path]
    """A run folder (its last checkpoint is used), a checkpoint folder, or the name of an agent that ships with the
    package, such as sppo-coinrun; 'semantic-rl agents' lists these names."""
    out: Path
    """Folder to create; its name becomes the agent's name."""
    episodes: int = 500
    """Number of episodes, on all levels, from which the agent's scores are measured."""
    seed: int = 0
    """Seed of these episodes."""
    note: str = ""
    """A sentence that is added to the agent's card."""

    def __post_init__(self) -> None:
        at_least(self, 1, "episodes")
        within(self, 0, MAX_SEED, "seed")
