"""Settings of the report."""

from dataclasses import dataclass
from pathlib import Path

from semantic_rl.config.checks import MAX_SEED, MOST_PERPLEXITY, MOST_THREADS, at_least, within, without_effect
from semantic_rl.config.markers import Positional


@dataclass(frozen=True)
class ReportConfig:
    """Write one HTML page of all that a recording shows of its agent; it needs no other file and no network."""

    recording: Positional[Path]
    """Recording folder."""
    out: Path = Path("report.html")
    """Page to write; a report that is there is replaced, another file never."""
    run: Path | None = None
    """Run folder of the agent, for its learning curve; by default the one it was recorded from, if it is there."""
    clips: Path | None = None
    """Folder that 'semantic-rl clips' made of the same agent; by default short clips are cut from the recording."""
    metrics: Path | None = None
    """File that 'semantic-rl metrics' made of the recording; by default they are computed."""
    baselines: bool = True
    """By default the metrics of k-means, t-SNE and PCA of the same states are computed too, to compare with;
    --no-baselines leaves them out."""
    max_states: int = 30_000
    """States drawn in the planes; of more, so many are drawn at random."""
    perplexity: float = 30.0
    """Perplexity of t-SNE; of fewer than three times as many states, as much as they allow."""
    seed: int = 0
    """Seed of all random choices."""
    num_threads: int = 0
    """CPU threads; 0 takes all."""

    def __post_init__(self) -> None:
        within(self, 1.0, MOST_PERPLEXITY, "perplexity")
        at_least(self, 1, "max_states")
        within(self, 0, MOST_THREADS, "num_threads")
        if self.metrics is not None:
            without_effect(self, "--metrics gives a file in which they are or are not", "baselines")
        within(self, 0, MAX_SEED, "seed")
