"""Settings of the figures that are drawn from a recording."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from semantic_rl.config.checks import MOST_PERPLEXITY, MOST_THREADS, at_least, within
from semantic_rl.config.markers import Positional


@dataclass(frozen=True)
class EmbeddingsFigureConfig:
    """Draw the FDR space of a recording beside t-SNE of the features, as PNG and SVG."""

    recording: Positional[Path]
    """Recording folder."""
    out: Path = Path("figures")
    """Folder in which the figures are written."""
    color: Literal["cluster", "value", "time", "action"] = "cluster"
    """What the colour of a state shows; time is the step within its episode."""
    max_states: int = 30_000
    """States drawn; of more, so many are drawn at random, the same in both panels."""
    perplexity: float = 30.0
    """Perplexity of t-SNE: roughly how many neighbours of a state matter."""
    seed: int = 0
    """Seed of the random choice and of t-SNE."""
    num_threads: int = 0
    """CPU threads of t-SNE; 0 takes all."""

    def __post_init__(self) -> None:
        within(self, 1.0, MOST_PERPLEXITY, "perplexity")
        at_least(self, 1, "max_states")
        within(self, 0, MOST_THREADS, "num_threads")
        within(self, 0, 2**31 - 1, "seed")


@dataclass(frozen=True)
class ClustersFigureConfig:
    """Draw a card for each cluster: what it looks like, what the agent does there, when, and what comes of it."""

    recording: Positional[Path]
    """Recording folder."""
    out: Path = Path("figures")
    """Folder in which the figures are written."""
    seed: int = 0
    """Seed of the choice of states for the mean frames."""

    def __post_init__(self) -> None:
        within(self, 0, 2**31 - 1, "seed")


@dataclass(frozen=True)
class TransitionsFigureConfig:
    """Draw how the agent moves between clusters: as a matrix, and as a flow over the FDR space."""

    recording: Positional[Path]
    """Recording folder."""
    out: Path = Path("figures")
    """Folder in which the figures are written."""
