"""Recordings to fit clusterings to, and settings of small fits."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from semantic_rl.recording.store import Recording

from ..recording.degenerate import make

SMALL = {"steps": 250, "minibatch_size": 128, "num_threads": 1}
"""Settings of a fit that takes about a second."""


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


def blobs(num_clusters: int = 5) -> Callable[[np.ndarray, np.random.Generator], None]:
    """Return what gives states the features of well-separated clusters; `value` is the cluster."""
    centres = np.random.default_rng(1).normal(size=(num_clusters, 256)) * 3

    def change(rows: np.ndarray, rng: np.random.Generator) -> None:
        cluster = rng.integers(0, num_clusters, len(rows))
        rows["value"] = cluster
        rows["features"] = centres[cluster] + rng.normal(0, 0.3, (len(rows), 256))

    return change


@pytest.fixture
def ppo(tmp_path: Path) -> Recording:
    """A recording of an agent without clusters of its own, whose features lie in five clusters."""
    return make(tmp_path / "ppo", [40] * 15, blobs(), with_codes=False)


@pytest.fixture
def sppo(tmp_path: Path) -> Recording:
    """A recording of an agent with clusters of its own."""
    return make(tmp_path / "sppo", [40] * 15, blobs())
