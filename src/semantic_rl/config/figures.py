"""Settings of the figures that are drawn from a recording."""

from dataclasses import dataclass
from pathlib import Path

from semantic_rl.config.checks import MOST_PERPLEXITY, MOST_THREADS, at_least, within
from semantic_rl.config.markers import Positional


@dataclass(frozen=True)
class EmbeddingsFigureConfig:
    """Draw the FDR space (the learned plane) of a recording beside t-SNE of the features, as PNG and SVG."""

    recording: Positional[Path]
    """Recording folder."""
    out: Path = Path("figures")
    """Folder in which the figures are written."""
    clustering: str | None = None
    """Clustering to show: the name of one that 'semantic-rl fit' made, or agent for what the agent itself learned; by
    default the one that the recording names."""
    color: str = "cluster"
    """What the colour of a state shows: cluster, value, time (the step within its episode), action, or the name of a
    further column of the recording."""
    max_states: int = 30_000
    """Largest number of states in the figure; of more states, a random sample is shown, the same in both panels."""
    perplexity: float = 30.0
    """Perplexity of t-SNE: roughly the number of neighbours that each state is compared with."""
    seed: int = 0
    """Seed of the random sample and of t-SNE."""
    num_threads: int = 0
    """Number of CPU threads of t-SNE; 0 uses all cores."""

    def __post_init__(self) -> None:
        within(self, 1.0, MOST_PERPLEXITY, "perplexity")
        at_least(self, 1, "max_states")
        within(self, 0, MOST_THREADS, "num_threads")
        within(self, 0, 2**31 - 1, "seed")


@dataclass(frozen=True)
class ClustersFigureConfig:
    """Draw a card for each cluster: typical frames, actions, values, time in the episode, success."""

    recording: Positional[Path]
    """Recording folder."""
    out: Path = Path("figures")
    """Folder in which the figures are written."""
    clustering: str | None = None
    """Clustering to show: the name of one that 'semantic-rl fit' made, or agent for what the agent itself learned; by
    default the one that the recording names."""
    seed: int = 0
    """Seed of the random choice of states that a mean frame averages."""

    def __post_init__(self) -> None:
        within(self, 0, 2**31 - 1, "seed")


@dataclass(frozen=True)
class TransitionsFigureConfig:
    """Draw how the agent moves between clusters, as a matrix and as a flow over the FDR space (the learned plane)."""

    recording: Positional[Path]
    """Recording folder."""
    out: Path = Path("figures")
    """Folder in which the figures are written."""
    clustering: str | None = None
    """Clustering to show: the name of one that 'semantic-rl fit' made, or agent for what the agent itself learned; by
    default the one that the recording names."""
