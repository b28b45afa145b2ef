"""Settings of the report."""

from dataclasses import dataclass
from pathlib import Path

from semantic_rl.config.checks import MAX_SEED, at_least, within
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
    """Compute the metrics of k-means, t-SNE and PCA of the same states too, to compare with; --no-baselines
    leaves them out."""
    max_states: int = 30_000
    """States drawn in the planes; of more, so many are drawn at random."""
    perplexity: float = 30.0
    """Perplexity of t-SNE; of fewer than three times as many states, as much as they allow."""
    seed: int = 0
    """Seed of all random choices."""
    num_threads: int = 0
    """CPU threads; 0 takes all."""

    def __post_init__(self) -> None:
        at_least(self, 1.0, "perplexity")
        at_least(self, 1, "max_states")
        at_least(self, 0, "num_threads")
        within(self, 0, MAX_SEED, "seed")
