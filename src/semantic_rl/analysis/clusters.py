"""Summarises each cluster: how often, when and for how long the agent is in it, its actions, values and frames."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from semantic_rl.config import ClustersFigureConfig
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording

FRAMES_IN_MEAN = 500
"""Number of randomly drawn states of a cluster that its mean frame averages."""
ROWS_AT_ONCE = 2_048
"""States whose features are looked at together: with 256 features, 4 MB."""


class Cluster(NamedTuple):
    """One cluster. Distributions are over its states; axes: A actions, H bins."""

    code_index: int
    num_states: int
    share: float
    """Share of all states that belong to the cluster."""
    medoid: int | None
    """Row of the state with the smallest mean squared distance of features to all others of the cluster."""
    typical: list[int]
    """Rows of further states from the half nearest to the cluster's mean, each from a different episode and level."""
    mean_frame: NDArray[np.float64] | None
    """[H, W, 3], 0–255: mean observation, or mean picture where the observation is no image; None without either."""
    actions: NDArray[np.float64]
    """[A]: share of each action; empty if the action space is not discrete, or if actions are not known."""
    values: NDArray[np.float64]
    """[H]: share of states in each bin of `Clusters.value_edges`."""
    progress: NDArray[np.float64]
    """[H]: share of states in each bin of `Clusters.progress_edges`."""
    mean_dwell: float
    """Steps from entering to leaving, on average; NaN for an empty cluster."""
    num_visits: int
    num_episodes: int
    """Episodes that pass through it."""
    success: float
    """Share of successes among those of these episodes that ended; NaN if none ended or if nothing counts as one."""
    num_ended: int
    """Those of these episodes that ended."""


class Clusters(NamedTuple):
    """All clusters of a recording, and the same statistics over all states for comparison."""

    clusters: list[Cluster]
    value_edges: NDArray[np.float64]
    """[H + 1]: edges of the value's bins, from the 1st to the 99th percentile; values outside go to the outer bins."""
    progress_edges: NDArray[np.float64]
    """[H + 1]: edges of the bins of step / length of the episode, 0–1."""
    actions: NDArray[np.float64]
    values: NDArray[np.float64]
    progress: NDArray[np.float64]
    success: float


def require_clusters(recording: Recording) -> None:
    """Raise UserError if the recorded agent has no clusters."""
    if not recording.num_codes:
        raise UserError(
            f"{recording.path}: the agent has no semantic clustering module (PPO), so there are no clusters; fit some: "
            f"semantic-rl fit {recording.path}. 'figures embeddings' draws t-SNE without."
        )


class Visits(NamedTuple):
    """Visits (consecutive steps in one cluster), in order; axis: V visits."""

    episode: NDArray[np.int64]
    code_index: NDArray[np.int64]
    first_row: NDArray[np.int64]
    num_steps: NDArray[np.int64]


def find_visits(episode: NDArray[np.integer], step: NDArray[np.integer], code_index: NDArray[np.integer]) -> Visits:
    """Cut states [B], in the order of a recording, into visits.

    States of a visit that were not recorded are assumed to belong to the same cluster.
    """
    changes = (np.diff(episode) != 0) | (np.diff(code_index.astype(np.int64)) != 0)
    first = np.concatenate([[0], np.flatnonzero(changes) + 1])
    last = np.concatenate([first[1:] - 1, [len(episode) - 1]])
    num_steps = step[last].astype(np.int64) - step[first] + 1
    return Visits(episode[first].astype(np.int64), code_index[first].astype(np.int64), first, num_steps)


def compute_clusters(
    recording: Recording,
    num_typical: int = 5,
    num_bins: int = 24,
    seed: int = ClustersFigureConfig.seed,
    among: NDArray[np.int64] | None = None,
) -> Clusters:
    """Summarise every cluster of a recording; raises UserError if its agent has none.

    The medoid and the typical states are searched for among the rows `among`, which must ascend; None searches all
    states and reads all features. Everything else is computed over all states.
    """
    require_clusters(recording)
    columns = ["episode", "step", "action", "value", "code_index", "level_seed"]
    states = recording.table(*columns)
    episode, step, action, value, code_index, level = (states[name].to_numpy() for name in columns)
    visits = find_visits(episode, step, code_index)
    length = recording.episodes["length"].to_numpy()[episode]
    level = level if recording.has("level_seed") else episode
    value_edges = np.linspace(*_spread(value), num_bins + 1)
    progress_edges = np.linspace(0, 1, num_bins + 1)
    progress = step / np.maximum(length - 1, 1)
    num_actions = recording.num_known_actions
    among = np.arange(recording.num_states) if among is None else among
    distances = distances_to_middle(recording, code_index.astype(np.int64), among)
    rng = np.random.default_rng(seed)

    def summary(rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        clipped = np.clip(value[rows], value_edges[0], value_edges[-1])
        return (
            np.bincount(action[rows], minlength=num_actions)[:num_actions] / max(len(rows), 1),
            np.histogram(clipped, value_edges)[0] / max(len(rows), 1),
            np.histogram(progress[rows], progress_edges)[0] / max(len(rows), 1),
        )

    clusters: list[Cluster] = []
    for index in range(recording.num_codes):
        rows = np.flatnonzero(code_index == index)
        looked_at = np.flatnonzero(code_index[among] == index)
        near = among[looked_at[np.argsort(distances[looked_at], kind="stable")]]
        medoid = int(near[0]) if len(near) else None
        mine = visits.code_index == index
        episodes = np.unique(visits.episode[mine])
        clusters.append(
            Cluster(
                index,
                len(rows),
                len(rows) / recording.num_states,
                medoid,
                pick_typical(near, episode, level, num_typical, rng),
                _mean_frame(recording, rng.permutation(rows)[:FRAMES_IN_MEAN]) if len(rows) else None,
                *summary(rows),
                float(visits.num_steps[mine].mean()) if mine.any() else float("nan"),
                int(mine.sum()),
                len(episodes),
                *_success(recording, episodes),
            )
        )
    everything = summary(np.arange(recording.num_states))
    return Clusters(
        clusters, value_edges, progress_edges, *everything, _success(recording, np.arange(recording.num_episodes))[0]
    )


def _spread(values: NDArray[np.floating]) -> tuple[float, float]:
    low, high = np.percentile(values, (1, 99)).tolist()
    return (low, high) if high - low > 1e-6 else (low - 0.5, low + 0.5)


def distances_to_middle(
    recording: Recording, code_index: NDArray[np.int64], rows: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Return the squared distance [S] of each of the states `rows` to the mean features of its cluster.

    `rows` must ascend; None takes all states. The means are over these states only. Makes two passes over the features.
    """
    rows = np.arange(len(code_index)) if rows is None else rows
    sums = np.zeros((recording.num_codes, 0))
    for here, features in _features_of(recording, rows):
        if not sums.shape[1]:
            sums = np.zeros((recording.num_codes, features.shape[1]))
        for index in np.unique(code_index[here]):
            sums[index] += features[code_index[here] == index].sum(0)
    means = sums / np.maximum(np.bincount(code_index[rows], minlength=recording.num_codes), 1)[:, None]
    distances = [
        np.square(features - means[code_index[here]]).sum(1) for here, features in _features_of(recording, rows)
    ]
    return np.concatenate([np.zeros(0), *distances])


def _features_of(
    recording: Recording, rows: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Yield the features of states in small batches, since they take four times their memory, as (rows, features)."""
    for start, features in recording.feature_groups(rows):
        low, high = np.searchsorted(rows, (start, start + len(features))).tolist()
        for first in range(low, high, ROWS_AT_ONCE):
            here = rows[first : min(first + ROWS_AT_ONCE, high)]
            yield here, features[here - start].astype(np.float64)


def pick_typical(
    near: NDArray[np.int64],
    episode: NDArray[np.integer],
    level: NDArray[np.integer],
    count: int,
    rng: np.random.Generator,
) -> list[int]:
    """Draw `count` rows at random from the first half of `near` (nearest first), no episode or level twice.

    The first row is the medoid: it is not drawn, and neither are other rows of its episode or level.
    """
    if not len(near):
        return []
    seen_episodes, seen_levels = {int(episode[near[0]])}, {int(level[near[0]])}
    picked: list[int] = []
    half = (len(near) + 1) // 2
    for row in [*rng.permutation(near[1:half]).tolist(), *near[half:].tolist()]:
        if len(picked) == count:
            break
        if int(episode[row]) not in seen_episodes and int(level[row]) not in seen_levels:
            picked.append(row)
            seen_episodes.add(int(episode[row]))
            seen_levels.add(int(level[row]))
    return picked


def _mean_frame(recording: Recording, rows: NDArray[np.int64]) -> NDArray[np.float64] | None:
    if not recording.has_frames:
        return None
    frames = (recording.observation_picture(row).astype(np.float64) for row in np.sort(rows).tolist())
    total = next(frames).copy()
    for frame in frames:
        total += frame
    return total / len(rows)


def _success(recording: Recording, episodes: NDArray[np.integer]) -> tuple[float, int]:
    """Return the share of successes among those of the given episodes that ended (NaN if unknown), and their number."""
    ended = recording.episodes[episodes].filter(pl.col("terminated") | pl.col("truncated"))
    known = recording.has("success") and len(ended) > 0
    return float(ended["success"].to_numpy().mean()) if known else float("nan"), len(ended)
