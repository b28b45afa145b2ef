"""Measures a recording: every method's plane and clusters, each figure with its interval."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.metrics.result import Metrics
from semantic_rl.recording.store import Recording

Report = Callable[[str, int, int], None]
"""Called with what is being computed, and (done, total) of it."""


class OtherAgent(NamedTuple):
    """What another agent makes of the states `rows` of a recording."""

    name: str
    rows: NDArray[np.int64]
    """[B], ascending."""
    features: NDArray[np.float32]
    """[B, 256]."""
    embedding: NDArray[np.float32] | None
    """[B, 2]; None if the agent has no semantic clustering module."""
    code_index: NDArray[np.int64] | None
    """[B]; None likewise."""


def compute_metrics(
    recording: Recording,
    *,
    baselines: bool = False,
    ppo: Recording | None = None,
    against: OtherAgent | None = None,
    num_clusters: int = 0,
    max_states: int = 6_000,
    num_resamples: int = 1_000,
    perplexity: float = 30.0,
    seed: int = 0,
    num_threads: int = 0,
    report: Report = lambda what, done, total: None,
) -> Metrics:
    """Measure a recording's FDR plane and clusters; with `baselines` also k-means, t-SNE and PCA of its features.

    `ppo` is a recording of an agent without the module, whose features are clustered for comparison; `against` what
    another agent makes of the same states. Of a recording with more than `max_states` states, so many are drawn as
    whole episodes. `num_clusters` is that of the baselines: 0 takes as many as the agent has codes, 8 without codes.
    An agent without the module is measured by k-means on its features alone.

    Raises UserError if there are too few states, or if `against` is of other states.
    """
    raise NotImplementedError
