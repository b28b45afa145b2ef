"""Settings of listing and packing trained agents."""

from dataclasses import dataclass
from pathlib import Path

from semantic_rl.config.checks import MAX_SEED, at_least, within
from semantic_rl.config.markers import Positional


@dataclass(frozen=True)
class AgentsConfig:
    """List the trained agents that ship with the package, or show one's card."""

    name: Positional[str] = ""
    """Agent whose card is shown; without it all are listed."""
    json: bool = False
    """Print JSON."""


@dataclass(frozen=True, kw_only=True)
class PackConfig:
    """Make a small folder of a trained agent, to keep or to give away: weights, card with scores, learning curve."""

    agent: Positional[Path]
    """A run folder, whose last checkpoint is taken, a checkpoint folder, or the name of an agent that ships with the
    package, such as sppo-coinrun; 'semantic-rl agents' lists them."""
    out: Path
    """Folder to make; its name becomes the agent's."""
    episodes: int = 500
    """Episodes on all levels that its scores are measured with."""
    seed: int = 0
    """Seed of these episodes."""
    note: str = ""
    """A sentence for the card."""

    def __post_init__(self) -> None:
        at_least(self, 1, "episodes")
        within(self, 0, MAX_SEED, "seed")
