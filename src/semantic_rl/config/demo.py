"""Settings of the demo."""

from dataclasses import dataclass
from pathlib import Path

from semantic_rl.config.checks import MAX_SEED, MOST_THREADS, at_least, require, within


@dataclass(frozen=True)
class DemoConfig:
    """See what a trained agent has learned: record it, draw its figures, cut its clips, measure it, write its report.

    What is finished is kept: after an interruption the same command goes on.
    """

    out: Path = Path("demo")
    """Folder to make it all in."""
    agent: str = "sppo-coinrun"
    """Agent to show: one that ships with the package ('semantic-rl agents' lists them), a run or checkpoint folder."""
    states: int = 5_000
    """States to record; whole episodes are played until there are so many."""
    seed: int = 0
    """Seed of the games, the agent's actions and all random choices."""
    num_threads: int = 0
    """CPU threads of the network and of t-SNE; 0 takes all."""

    def __post_init__(self) -> None:
        require(self.agent != "", "agent", self.agent, "the name of an agent, a run folder or a checkpoint")
        at_least(self, 1, "states")
        within(self, 0, MAX_SEED, "seed")
        within(self, 0, MOST_THREADS, "num_threads")
