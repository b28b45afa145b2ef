"""Settings of the report."""

from dataclasses import dataclass
from pathlib import Path

from semantic_rl.config.checks import MAX_SEED, MOST_PERPLEXITY, MOST_THREADS, at_least, within, without_effect
from semantic_rl.config.figures import EmbeddingsFigureConfig
from semantic_rl.config.markers import Positional


@dataclass(frozen=True)
class ReportConfig:
    """Write a single HTML file about a recorded agent: scores, learning curve, map, clusters, transitions, metrics."""

    recording: Positional[Path]
    """Recording folder."""
    clustering: str | None = None
    """Clustering to show: the name of one that 'semantic-rl fit' made, or agent for what the agent itself learned; by
    default the one that the recording names."""
    out: Path = Path("report.html")
    """HTML file to write. It replaces an older report, but never any other file."""
    run: Path | None = None
    """Run folder of the agent, for its learning curve; by default the run that it was recorded from, if that exists."""
    clips: Path | None = None
    """Folder that 'semantic-rl clips' made for the same agent; by default short clips are cut from the recording."""
    metrics: Path | None = None
    """File that 'semantic-rl metrics' made for this recording; by default the metrics are computed."""
    baselines: bool = True
    """By default the metrics of k-means, t-SNE and PCA on the same states are computed as well, for comparison;
    --no-baselines leaves them out."""
    max_states: int = EmbeddingsFigureConfig.max_states
    """Largest number of states in the maps; of more states, a random sample is shown."""
    perplexity: float = EmbeddingsFigureConfig.perplexity
    """Perplexity of t-SNE; at most a third of the number of states."""
    seed: int = 0
    """Seed of all random choices."""
    num_threads: int = 0
    """Number of CPU threads; 0 uses all cores."""

    def __post_init__(self) -> None:
        within(self, 1.0, MOST_PERPLEXITY, "perplexity")
        at_least(self, 1, "max_states")
        within(self, 0, MOST_THREADS, "num_threads")
        if self.metrics is not None:
            without_effect(self, "--metrics gives a file in which they are or are not", "baselines")
        within(self, 0, MAX_SEED, "seed")
