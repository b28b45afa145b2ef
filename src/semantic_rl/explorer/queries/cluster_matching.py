"""Matches the clusters of two recordings.

If both recordings are of the same agent, clusters are matched by index. If both agents were run on the same states,
clusters are matched by the overlap of their states; otherwise by the similarity of their statistics. Each cluster is
matched at most once, so that the sum over all pairs is optimal (the Hungarian method).
Axes: K clusters of the first recording, L of the second.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.errors import UserError
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.frame_reader import Frames
from semantic_rl.late_imports import import_alone
from semantic_rl.recording.store.agent_info import agent_info

NUM_BINS = 10
OBSERVATIONS_LOOKED_AT = 60


class Side(NamedTuple):
    """One of the two recordings."""

    explored: Explored
    frames: Frames


class Match(NamedTuple):
    """Pairs of clusters."""

    pairs: list[tuple[int, int, float]]
    """(cluster of a, cluster of b, score of the match)."""
    kind: Literal["same", "overlap", "distance", "none"]
    """What the scores are: same, overlap (1 is best), distance (0 is best) or none."""
    how: str


def match_clusters(a: Side, b: Side) -> Match:
    """Match the clusters of two recordings."""
    first, second = a.explored, b.explored
    if not first.num_codes or not second.num_codes:
        return Match([], "none", "One of the agents has no clusters, so there is nothing to match.")
    if not first.num_states or not second.num_states:
        return Match([], "none", "One of the recordings has no states, so there is nothing to match.")
    sha256 = agent_info(first.recording).sha256
    if sha256 and sha256 == agent_info(second.recording).sha256:
        pairs = [(index, index, 1.0) for index in range(first.num_codes)]
        return Match(pairs, "same", "Both recordings are of the same agent: its clusters are the same in both.")
    if _same_states(a, b):
        how = (
            "Both agents were shown the same states: clusters are matched by the states they share. The number is how "
            "many states are in both, of those in either."
        )
        return Match(_assigned(_overlap(first, second), True), "overlap", how)
    how = (
        "The agents met different states: clusters are matched by what they are like (actions, value among the agent's "
        "own, time in the episode, mean frame). The number is a distance from 0 (alike) to 1."
    )
    return Match(_assigned(_distances(a, b), False), "distance", how)


def _assigned(table: NDArray[np.float64], maximise: bool) -> list[tuple[int, int, float]]:
    import_alone("scipy.optimize")
    from scipy.optimize import linear_sum_assignment  # takes half a second to import

    rows, columns = linear_sum_assignment(table, maximize=maximise)
    return [(int(row), int(column), float(table[row, column])) for row, column in zip(rows, columns, strict=True)]


def _same_states(a: Side, b: Side) -> bool:
    """Say whether the observations in the same rows are equal, judging by a few of them."""
    count = a.explored.num_states
    if count != b.explored.num_states or not np.array_equal(a.explored.states.step, b.explored.states.step):
        return False
    rows = np.random.default_rng(0).permutation(count)[:OBSERVATIONS_LOOKED_AT].tolist()
    try:
        return all(a.frames.sees_the_same(b.frames, row) for row in rows)
    except UserError:
        return False


def _overlap(a: Explored, b: Explored) -> NDArray[np.float64]:
    """Return the intersection over union of the states of each pair of clusters, [K, L]."""
    assert a.states.code_index is not None and b.states.code_index is not None, "both have clusters"
    cells = a.states.code_index.astype(np.int64) * b.num_codes + b.states.code_index
    both = np.bincount(cells, minlength=a.num_codes * b.num_codes).reshape(a.num_codes, b.num_codes)
    either = both.sum(1, keepdims=True) + both.sum(0) - both
    return both / np.maximum(either, 1)


def _distances(a: Side, b: Side) -> NDArray[np.float64]:
    """Return the distance of each pair of clusters, [K, L]: the mean of those of actions, values, time and frame."""
    parts: list[NDArray[np.float64]] = []
    for first, second in zip(_profiles(a.explored), _profiles(b.explored), strict=True):
        width = max(first.shape[1], second.shape[1])
        padded = [np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in (first, second)]
        parts.append(np.abs(padded[0][:, None] - padded[1][None]).sum(2) / 2)
    first_frames, second_frames = _mean_frames(a), _mean_frames(b)
    if first_frames is not None and second_frames is not None and first_frames.shape[1] == second_frames.shape[1]:
        parts.append((1 - first_frames @ second_frames.T) / 2)
    return np.mean(parts, axis=0)


def _profiles(explored: Explored) -> list[NDArray[np.float64]]:
    """Return for each cluster its distributions over actions, value deciles and tenths of the episode."""
    states, num_codes = explored.states, explored.num_codes
    assert states.code_index is not None, "there are clusters"
    edges = np.quantile(states.value, np.arange(1, NUM_BINS) / NUM_BINS)
    tenth = np.minimum((explored.progress * NUM_BINS).astype(np.int64), NUM_BINS - 1)
    labels = [
        (states.action.astype(np.int64), explored.recording.num_actions),
        (np.searchsorted(edges, states.value), NUM_BINS),
        (tenth, NUM_BINS),
    ]
    found: list[NDArray[np.float64]] = []
    for label, count in labels:
        cells = np.bincount(states.code_index * np.int64(count) + label, minlength=num_codes * count)
        table = cells.reshape(num_codes, count).astype(np.float64)
        found.append(table / np.maximum(table.sum(1, keepdims=True), 1))
    return found


def _mean_frames(side: Side) -> NDArray[np.float64] | None:
    """Return each cluster's mean frame minus the mean of all, [K, pixels], with norm 1 (0 if empty)."""
    code_index = side.explored.states.code_index
    everything = side.frames.mean(np.arange(side.explored.num_states))
    if everything is None:
        return None
    found = np.zeros((side.explored.num_codes, everything.size))
    for index in range(len(found)):
        mean = side.frames.mean(np.flatnonzero(code_index == index))
        if mean is not None:
            departure = (mean.astype(np.float64) - everything).ravel()
            found[index] = departure / max(float(np.linalg.norm(departure)), 1e-9)
    return found
