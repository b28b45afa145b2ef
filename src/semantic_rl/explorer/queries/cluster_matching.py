"""Matches the clusters of two recordings.

If both recordings show the same clusters, those of one agent or of one fitted clustering, they are matched by index. If
both hold the same states, clusters are matched by the overlap of their states; otherwise by the similarity of their
statistics, as far as both recordings know them. Each cluster is matched at most once, so that the sum over all pairs is
optimal (the Hungarian method).
Axes: B states, K clusters of the first recording, L of the second.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.artifacts import HEAD_FILE
from semantic_rl.errors import UserError
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.frame_reader import Frames
from semantic_rl.late_imports import import_alone
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.agent_info import have_same_agent, have_same_features

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
    why_same = _why_same(first.recording, second.recording)
    if why_same is not None and first.num_codes == second.num_codes:
        pairs = [(index, index, 1.0) for index in range(first.num_codes)]
        return Match(pairs, "same", f"{why_same}: its clusters are the same in both.")
    are_same_states = _are_same_states(a, b)
    if are_same_states:
        how = (
            "Both recordings hold the same states: clusters are matched by the states they share. The number is how "
            "many states are in both, of those in either."
        )
        return Match(_assigned(_overlap(first, second), True), "overlap", how)
    distances = dict(_distances(a, b))
    why = (
        "It is not known whether the recordings hold the same states, since observations are missing"
        if are_same_states is None
        else "The recordings hold different states"
    )
    how = (
        f"{why}: clusters are matched by what they are like ({', '.join(distances)}). The number is a distance from 0 "
        "(alike) to 1."
    )
    return Match(_assigned(np.mean(list(distances.values()), axis=0), False), "distance", how)


def share_actions(first: Recording, second: Recording) -> bool:
    """Say whether the actions of both recordings are known and mean the same."""
    ours, theirs = first.spec.action, second.spec.action
    if (ours.kind, ours.sizes, ours.names) != (theirs.kind, theirs.sizes, theirs.names):
        return False
    return not ours.num_actions or bool(first.num_known_actions and second.num_known_actions)


def _why_same(first: Recording, second: Recording) -> str | None:
    """Return why both recordings show the same clusters; None if they do not, or if that is not known."""
    if first.fitted is None and second.fitted is None:
        return "Both recordings are of the same agent" if have_same_agent(first, second) else None
    if first.fitted is None or second.fitted is None:
        return None
    ours, theirs = first.fitted.description, second.fitted.description
    is_same = HEAD_FILE in ours["files"] and ours["files"][HEAD_FILE] == theirs["files"].get(HEAD_FILE)
    if ours["features"] == "features" and not have_same_features(first, second):
        return None
    return "Both recordings show the same fitted clustering" if is_same else None


def _assigned(table: NDArray[np.float64], maximise: bool) -> list[tuple[int, int, float]]:
    import_alone("scipy.optimize")
    from scipy.optimize import linear_sum_assignment  # takes half a second to import

    rows, columns = linear_sum_assignment(table, maximize=maximise)
    return [(int(row), int(column), float(table[row, column])) for row, column in zip(rows, columns, strict=True)]


def _are_same_states(a: Side, b: Side) -> bool | None:
    """Say whether the observations in the same rows are equal, judging by a few of them; None if that is not known."""
    first, second = a.explored, b.explored
    if first.num_states != second.num_states or not np.array_equal(first.states.step, second.states.step):
        return False
    if first.recording.path.resolve() == second.recording.path.resolve():
        return True
    if not first.recording.has("observation") or not second.recording.has("observation"):
        return None
    rows = np.random.default_rng(0).permutation(first.num_states)[:OBSERVATIONS_LOOKED_AT].tolist()
    try:
        return all(a.frames.sees_the_same(b.frames, row) for row in rows)
    except UserError:
        return None


def _overlap(a: Explored, b: Explored) -> NDArray[np.float64]:
    """Return the intersection over union of the states of each pair of clusters, [K, L]."""
    assert a.states.code_index is not None and b.states.code_index is not None, "both have clusters"
    cells = a.states.code_index.astype(np.int64) * b.num_codes + b.states.code_index
    both = np.bincount(cells, minlength=a.num_codes * b.num_codes).reshape(a.num_codes, b.num_codes)
    either = both.sum(1, keepdims=True) + both.sum(0) - both
    return both / np.maximum(either, 1)


def _distances(a: Side, b: Side) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield the distances of each pair of clusters, [K, L], by what is compared: only what both recordings know."""
    first, second = a.explored, b.explored
    if share_actions(first.recording, second.recording):
        yield "actions", _action_distances(first, second)
    if first.recording.has("value") and second.recording.has("value"):
        deciles = _label_distances(first, second, _value_deciles(first), _value_deciles(second))
        yield "value among the agent's own", deciles
    yield "time in the episode", _label_distances(first, second, _tenths(first), _tenths(second))
    first_frames, second_frames = _mean_frames(a), _mean_frames(b)
    if first_frames is not None and second_frames is not None and first_frames.shape[1] == second_frames.shape[1]:
        yield "mean frame", (1 - first_frames @ second_frames.T) / 2


def _action_distances(first: Explored, second: Explored) -> NDArray[np.float64]:
    """Return the distances of the actions, [K, L]; of actions of several parts, the mean distance of a part."""
    num_actions = first.recording.num_known_actions
    if num_actions:
        return _label_distances(first, second, first.states.action, second.states.action, num_actions)
    parts: list[NDArray[np.float64]] = []
    for ours, theirs in zip(first.states.action_parts.T, second.states.action_parts.T, strict=True):
        edges = _inner_edges(np.concatenate([ours, theirs]))
        parts.append(_label_distances(first, second, np.searchsorted(edges, ours), np.searchsorted(edges, theirs)))
    return np.mean(parts, axis=0)


def _value_deciles(explored: Explored) -> NDArray[np.int64]:
    value = explored.states.value
    return np.searchsorted(_inner_edges(value), value)


def _tenths(explored: Explored) -> NDArray[np.int64]:
    return np.minimum((explored.progress * NUM_BINS).astype(np.int64), NUM_BINS - 1)


def _inner_edges(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the edges between the bins that hold equally many of the values."""
    return np.quantile(values.astype(np.float64), np.arange(1, NUM_BINS) / NUM_BINS)


def _label_distances(
    first: Explored,
    second: Explored,
    ours: NDArray[np.integer],
    theirs: NDArray[np.integer],
    num_labels: int = NUM_BINS,
) -> NDArray[np.float64]:
    """Return half the absolute difference of the clusters' distributions over labels, [K, L], given labels [B]."""
    other = _label_shares(second, theirs, num_labels)
    # One row at a time: [K, L, labels] would take gigabytes where there are thousands of actions.
    return np.stack([np.abs(row - other).sum(1) for row in _label_shares(first, ours, num_labels)]) / 2


def _label_shares(explored: Explored, label: NDArray[np.integer], num_labels: int) -> NDArray[np.float64]:
    """Return each cluster's distribution over the labels of its states, [K, num_labels]; zeros if it is empty."""
    num_codes, code_index = explored.num_codes, explored.states.code_index
    assert code_index is not None, "there are clusters"
    cells = code_index * np.int64(num_labels) + label
    table = np.bincount(cells, minlength=num_codes * num_labels).reshape(num_codes, num_labels).astype(np.float64)
    return table / np.maximum(table.sum(1, keepdims=True), 1)


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
