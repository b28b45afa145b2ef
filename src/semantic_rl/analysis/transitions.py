"""Transitions between clusters: counts, probabilities, dwell times."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.clusters import find_visits, require_clusters
from semantic_rl.recording.store import Recording


class Transitions(NamedTuple):
    """Transitions between clusters; axis: K clusters. Only pairs of consecutive recorded states are counted."""

    counts: NDArray[np.int64]
    """[K, K]: how often a step in cluster i was followed by one in cluster j."""
    shares: NDArray[np.float64]
    """[K]: share of states in each cluster."""
    mean_dwell: NDArray[np.float64]
    """[K]: steps from entering to leaving, on average; NaN for an empty cluster."""
    centers: NDArray[np.float64]
    """[K, 2]: mean embedding of each cluster's states; NaN for an empty cluster."""
    starts: NDArray[np.float64]
    """[K]: share of episodes whose first recorded state is in the cluster."""
    ends: NDArray[np.float64]
    """[K]: share of visits to the cluster during which the episode ends; NaN for an empty cluster."""

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """[K, K]: probability that a step in cluster i is followed by one in j; NaN where i was never left."""
        return _rows_to_one(self.counts)

    @property
    def leaving_probabilities(self) -> NDArray[np.float64]:
        """[K, K]: probability that the agent, when it leaves cluster i, goes to j; NaN on the diagonal."""
        leaving = _rows_to_one(self.counts - np.diag(np.diag(self.counts)))
        np.fill_diagonal(leaving, np.nan)
        return leaving


def _rows_to_one(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    totals = counts.sum(1, keepdims=True)
    return np.where(totals > 0, counts / np.maximum(totals, 1), np.nan)


def compute_transitions(recording: Recording) -> Transitions:
    """Count the moves in a recording; raises UserError if its agent has no clusters."""
    require_clusters(recording)
    columns = ["episode", "step", "code_index", "embedding_x", "embedding_y"]
    states = recording.table(*columns)
    episode, step = states["episode"].to_numpy(), states["step"].to_numpy()
    code_index = states["code_index"].to_numpy().astype(np.int64)
    num_codes = recording.num_codes
    follows = (np.diff(episode) == 0) & (np.diff(step) == 1)
    pairs = code_index[:-1][follows] * num_codes + code_index[1:][follows]
    counts = np.bincount(pairs, minlength=num_codes**2).reshape(num_codes, num_codes)
    visits = find_visits(episode, step, code_index)
    num_states = np.bincount(code_index, minlength=num_codes)
    num_visits = np.bincount(visits.code_index, minlength=num_codes)
    is_last = np.concatenate([np.diff(visits.episode) != 0, [True]])
    is_first = np.concatenate([[True], is_last[:-1]])
    embedding = states.select("embedding_x", "embedding_y").to_numpy().astype(np.float64)

    def per(
        totals: NDArray[np.integer], weights: NDArray[np.floating], indices: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        sums = np.bincount(indices, weights=weights, minlength=num_codes)
        return np.where(totals > 0, sums / np.maximum(totals, 1), np.nan)

    return Transitions(
        counts,
        num_states / len(states),
        per(num_visits, visits.num_steps.astype(np.float64), visits.code_index),
        np.stack([per(num_states, embedding[:, axis], code_index) for axis in range(2)], 1),
        np.bincount(visits.code_index[is_first], minlength=num_codes) / is_first.sum(),
        per(num_visits, is_last.astype(np.float64), visits.code_index),
    )
