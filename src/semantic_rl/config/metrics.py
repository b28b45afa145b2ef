"""Settings of the metrics of a recording."""

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
from semantic_rl.config.markers import Positional


@dataclass(frozen=True)
class MetricsConfig:
    """Measure how well a recording's plane keeps neighbours together, and what its clusters are worth."""

    recording: Positional[Path]
    """Recording folder."""
    baselines: bool = False
    """Measure k-means on the features, on t-SNE and on PCA too, with as many clusters."""
    ppo: Path | None = None
    """Recording of a PPO agent in the same game: k-means on its features is measured too."""
    against: Path | None = None
    """Another agent (what record takes), or its recording of the same states: how far both agree on these states."""
    out: Path | None = None
    """JSON file to write; by default derived/metrics.json in the recording folder."""
    clusters: int = 0
    """Clusters of the baselines; 0 takes as many as the agent has codes (8 if it has none)."""
    max_states: int = 6_000
    """States measured; of more, so many are drawn as whole episodes."""
    resamples: int = 1_000
    """Draws of episodes from which the intervals are taken."""
    perplexity: float = 30.0
    """Perplexity of t-SNE: roughly how many neighbours of a state matter."""
    seed: int = 0
    """Seed of everything random: states, shuffles, draws, k-means, t-SNE."""
    device: Device = "auto"
    """Where the network of --against runs; auto takes CUDA where there is a device."""
    precision: Precision = "auto"
    """Its arithmetic; auto takes bf16 on CUDA and on CPUs with AVX512-BF16 or AMX."""
    num_threads: int = 0
    """CPU threads of t-SNE; 0 takes all."""

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
