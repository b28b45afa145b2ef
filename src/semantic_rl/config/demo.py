"""Settings of the demo."""

from dataclasses import dataclass
from pathlib import Path

from semantic_rl.config.checks import MAX_SEED, MOST_THREADS, at_least, require, within


@dataclass(frozen=True)
class DemoConfig:
    """Show what a trained agent has learned: record its states and make figures, clips, metrics and a report of them.

    Finished parts are kept: after an interruption, the same command continues.
    """

    out: Path = Path("demo")
    """Folder in which everything is written."""
    agent: str = "sppo-coinrun"
    """Agent to show: the name of one that ships with the package ('semantic-rl agents' lists these names), a run folder
    or a checkpoint folder."""
    states: int = 5_000
    """Number of states to record; whole episodes are played until this number is reached."""
    seed: int = 0
    """Seed of the games, the agent's actions and all random choices."""
    num_threads: int = 0
    """Number of CPU threads of the network and of t-SNE; 0 uses all cores."""

    def __post_init__(self) -> None:
        require(self.agent != "", "agent", self.agent, "the name of an agent, a run folder or a checkpoint")
        at_least(self, 1, "states")
        within(self, 0, MAX_SEED, "seed")
        within(self, 0, MOST_THREADS, "num_threads")
