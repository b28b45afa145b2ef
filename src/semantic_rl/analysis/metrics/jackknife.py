"""Jackknife of the `neighbourhoods` metrics: their values with each unit (episode) left out, for bootstrap intervals.

Leaving out a unit removes the scores of its states, and removes these states from the neighbours of all others, so that
later neighbours move up in rank. The first effect is computed exactly. The second is estimated from some states drawn
at random, because for each neighbour of a state the nearer states of each unit must be counted.
Axes: E units, B states, C states at once, M nearest of each.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.metrics.bootstrap import Bootstrap
from semantic_rl.analysis.metrics.neighbourhoods import NAMES, Scores, distances, nearest, penalty_scale
from semantic_rl.progress_bar import OnProgress

MOST_QUERIES = 1_000
CHUNK = 16


def scores_left_out(
    features: NDArray[np.floating],
    planes: Mapping[str, NDArray[np.floating]],
    neighbours: Sequence[int],
    scores: Scores,
    bootstrap: Bootstrap,
    seed: int,
    on_progress: OnProgress = lambda done, total: None,
) -> Scores:
    """Return each metric without each unit: [E]. `scores` holds each state's contribution when no unit is left out.

    Each k must be at most `largest_k` of the remaining number of states.
    """
    unit, sizes = bootstrap.unit, bootstrap.sizes
    queries = np.sort(np.random.default_rng(seed).permutation(len(features))[:MOST_QUERIES])
    remains = unit[queries][:, None] != np.arange(len(sizes))
    names = [f"{name}_{k}" for name in NAMES for k in neighbours]
    changes = {key: {name: np.zeros(len(sizes)) for name in names} for key in planes}
    for start in range(0, len(queries), CHUNK):
        on_progress(start, len(queries))
        rows = queries[start : start + CHUNK]
        in_features = distances(features, rows)
        for key, plane in planes.items():
            in_plane = distances(plane, rows)
            shares = dict(_trust(in_features, in_plane, neighbours, bootstrap))
            shares |= _continuity(in_features, in_plane, neighbours, bootstrap)
            for name, share in shares.items():
                change = share - scores[key][name][rows][:, None]
                changes[key][name] += np.where(remains[start : start + CHUNK], change, 0).sum(0)
    on_progress(len(queries), len(queries))
    means = np.maximum(remains.sum(0), 1)
    for key, by_name in changes.items():
        for name, change in by_name.items():
            values = scores[key][name]
            exact = (values.sum() - bootstrap.sums(values)) / (len(values) - sizes)
            by_name[name] = exact + change / means
    return changes


def _trust(
    in_features: NDArray[np.float32], in_plane: NDArray[np.float32], neighbours: Sequence[int], bootstrap: Bootstrap
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield trustworthiness and overlap of some states without each unit: [C, E]."""
    for k, ranks, chosen in _ranks_left_out(in_plane, in_features, neighbours, bootstrap):
        yield f"trustworthiness_{k}", 1 - _penalty(k, ranks, chosen, bootstrap)
        yield f"neighbour_overlap_{k}", (chosen & (ranks <= k)).sum(1) / k


def _continuity(
    in_features: NDArray[np.float32], in_plane: NDArray[np.float32], neighbours: Sequence[int], bootstrap: Bootstrap
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield continuity of some states without each unit: [C, E]."""
    for k, ranks, chosen in _ranks_left_out(in_features, in_plane, neighbours, bootstrap):
        yield f"continuity_{k}", 1 - _penalty(k, ranks, chosen, bootstrap)


def _penalty(k: int, ranks: NDArray[np.int32], chosen: NDArray[np.bool_], bootstrap: Bootstrap) -> NDArray[np.float64]:
    """Return the penalty of some states without each unit, [C, E], scaled for the remaining number of states."""
    left = len(bootstrap.unit) - bootstrap.sizes.astype(np.int64)
    scale = np.array([penalty_scale(count, k) for count in left.tolist()])
    return scale * (np.maximum(ranks - k, 0) * chosen).sum(1)


def _ranks_left_out(
    listed: NDArray[np.float32], ranked: NDArray[np.float32], neighbours: Sequence[int], bootstrap: Bootstrap
) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.bool_]]]:
    """Yield, for each k, the ranks [C, M, E] that some states' neighbours have without each unit, and which count.

    The neighbours are found by the distances `listed` [C, B], their ranks by `ranked` [C, B]. Entries for a state's own
    unit are meaningless.
    """
    units = np.arange(bootstrap.num_units)
    own = np.isinf(listed).argmax(1)
    length = 2 * max(neighbours)
    while True:
        length = min(length, listed.shape[1] - 1)
        members = nearest(listed, length)
        removed = bootstrap.unit[members][:, :, None] == units
        position = np.cumsum(~removed, 1, dtype=np.int32)
        others = units != bootstrap.unit[own][:, None]
        if length == listed.shape[1] - 1 or position[:, -1][others].min() >= max(neighbours):
            break
        length *= 2
    ranks = np.stack([_ranks_without(row[near], row, bootstrap) for row, near in zip(ranked, members, strict=True)])
    fewest = position.min(axis=(0, 2), where=others[:, None], initial=length)
    for k in neighbours:
        end = min(int(np.searchsorted(fewest, k)) + 1, length)  # further than k neighbours, whatever is left out
        yield k, ranks[:, :end], ~removed[:, :end] & (position[:, :end] <= k)


def _ranks_without(wanted: NDArray[np.float32], found: NDArray[np.float32], bootstrap: Bootstrap) -> NDArray[np.int32]:
    """Return the rank of each of the distances `wanted` [M] among `found` [B] without each unit: [M, E]."""
    order = wanted.argsort()
    first = np.searchsorted(wanted[order], found, side="right")  # the first in order that is further away
    size = (len(wanted) + 1) * bootstrap.num_units
    cells = np.bincount(first * bootstrap.num_units + bootstrap.unit, minlength=size)
    nearer = np.empty((len(wanted), bootstrap.num_units), np.int32)
    nearer[order] = cells.reshape(len(wanted) + 1, -1).cumsum(0)[:-1]
    return nearer.sum(1, keepdims=True, dtype=np.int32) + 1 - nearer
