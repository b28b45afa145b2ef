"""Settings of the command that measures the plane and the clusters of a recording."""

from dataclasses import dataclass
from pathlib import Path

from semantic_rl.config.checks import (
    MAX_SEED,
    MOST_PERPLEXITY,
    MOST_THREADS,
    Device,
    Precision,
    at_least,
    require,
    within,
    without_effect,
)
from semantic_rl.config.figures import EmbeddingsFigureConfig
from semantic_rl.config.markers import Positional


@dataclass(frozen=True)
class MetricsConfig:
    """Measure the quality of a recording's plane and clusters, with intervals."""

    recording: Positional[Path]
    """Recording folder."""
    clustering: str | None = None
    """Clustering to measure: the name of one that 'semantic-rl fit' made, or agent for what the agent itself learned;
    by default the one that the recording names."""
    baselines: bool = False
    """Also measure k-means on the features, on t-SNE and on PCA, with the same number of clusters."""
    ppo: Path | None = None
    """Recording of a PPO agent in the same game; k-means on its features is measured, too."""
    against: Path | None = None
    """Another agent (given as for 'semantic-rl record') or its recording of the same states; the agreement of both
    agents on these states is measured, too."""
    out: Path | None = None
    """JSON file to write; by default derived/metrics.json in the recording folder (derived/metrics-NAME.json for a
    clustering NAME that was fitted)."""
    clusters: int = 0
    """Number of clusters of the baselines; 0 uses the agent's number of codes (8 if it has none)."""
    max_states: int = 6_000
    """Largest number of states that are measured; of a larger recording, whole episodes are sampled."""
    resamples: int = 1_000
    """Number of bootstrap resamples (of episodes) that the intervals come from."""
    perplexity: float = EmbeddingsFigureConfig.perplexity
    """Perplexity of t-SNE: roughly the number of neighbours that each state is compared with."""
    seed: int = 0
    """Seed of everything random: states, shuffles, resamples, k-means, t-SNE."""
    device: Device = "auto"
    """Where the network of --against runs; auto uses CUDA if there is a device."""
    precision: Precision = "auto"
    """Number format of this network; auto uses bf16 on CUDA and on CPUs with AVX512-BF16 or AMX."""
    num_threads: int = 0
    """Number of CPU threads of t-SNE; 0 uses all cores."""

    def __post_init__(self) -> None:
        require(
            self.clusters == 0 or 2 <= self.clusters <= 256,
            "clusters",
            self.clusters,
            "0 (as many as the agent has codes) or a number from 2 to 256",
        )
        at_least(self, 1, "max_states")
        within(self, 100, 1_000_000, "resamples")
        within(self, 1.0, MOST_PERPLEXITY, "perplexity")
        within(self, 0, MAX_SEED, "seed")
        within(self, 0, MOST_THREADS, "num_threads")
        if not self.baselines:
            without_effect(self, "only --baselines computes t-SNE", "perplexity")
        if self.against is None:
            without_effect(self, "only --against runs a network", "device", "precision")
