"""Does a plane keep neighbours together? Trustworthiness, continuity (Venna and Kaski, 2001) and neighbour overlap.

With r(i, j) the rank of state j among the neighbours of i (1 is the nearest; ties all get the lowest rank), N_k(i) the
k nearest neighbours of i and B the number of states, for each state i:

    trustworthiness  1 − 2 / (k (2B − 3k − 1)) · Σ_{j in N_k(i) of the plane}    max(0, r(i, j) in the features − k)
    continuity       1 − 2 / (k (2B − 3k − 1)) · Σ_{j in N_k(i) of the features} max(0, r(i, j) in the plane − k)
    overlap          share of N_k(i) of the plane whose rank in the features is at most k

The metrics are means over all states. Distances are Euclidean.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import euclidean_distances

from semantic_rl.progress_bar import OnProgress

NAMES = ("trustworthiness", "continuity", "neighbour_overlap")
CHUNK = 256
"""States whose distances to all others are in memory at once."""

Scores = dict[str, dict[str, NDArray[np.float64]]]
"""Arrays by key of the plane, then by name of the metric ('trustworthiness_10', …)."""


def largest_k(num_states: int) -> int:
    """Return the largest k for which the formulas hold: less than half of the states."""
    return (num_states - 1) // 2


def neighbourhood_scores(
    features: NDArray[np.floating],
    planes: Mapping[str, NDArray[np.floating]],
    neighbours: Sequence[int],
    on_progress: OnProgress = lambda done, total: None,
) -> Scores:
    """Return each state's contribution [B] to each metric of each plane [B, 2].

    `neighbours` are values of k, each at most `largest_k(B)`.
    """
    count, most = len(features), max(neighbours)
    names = [f"{name}_{k}" for name in NAMES for k in neighbours]
    scores = {key: {name: np.empty(count) for name in names} for key in planes}
    for start in range(0, count, CHUNK):
        here = np.arange(start, min(start + CHUNK, count))
        on_progress(start, count)
        in_features = distances(features, here)
        feature_nearest, feature_sorted = nearest(in_features, most), np.sort(in_features, 1)
        for key, plane in planes.items():
            in_plane = distances(plane, here)
            plane_nearest, plane_sorted = nearest(in_plane, most), np.sort(in_plane, 1)
            feature_ranks = _ranks(feature_sorted, np.take_along_axis(in_features, plane_nearest, 1))
            plane_ranks = _ranks(plane_sorted, np.take_along_axis(in_plane, feature_nearest, 1))
            for k in neighbours:
                scale = penalty_scale(count, k)
                intruders = np.maximum(feature_ranks[:, :k] - k, 0).sum(1)
                missing = np.maximum(plane_ranks[:, :k] - k, 0).sum(1)
                scores[key][f"trustworthiness_{k}"][here] = 1 - scale * intruders
                scores[key][f"continuity_{k}"][here] = 1 - scale * missing
                scores[key][f"neighbour_overlap_{k}"][here] = (feature_ranks[:, :k] <= k).mean(1)
    on_progress(count, count)
    return scores


def penalty_scale(count: int, k: int) -> float:
    """Return the factor that makes trustworthiness and continuity 0 for the worst arrangement of `count` states."""
    return 2 / (k * (2 * count - 3 * k - 1))


def distances(points: NDArray[np.floating], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the distances [C, B] of some points to all; a point is infinitely far from itself."""
    found = euclidean_distances(points[rows], points).astype(np.float32)
    found[np.arange(len(rows)), rows] = np.inf
    return found


def nearest(found: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """Return the indices [C, most] of the smallest distances in each row of [C, B], nearest first."""
    some = np.argpartition(found, most - 1, axis=1)[:, :most]
    order = np.take_along_axis(found, some, 1).argsort(1, kind="stable")
    return np.take_along_axis(some, order, 1)


def _ranks(ordered: NDArray[np.float32], wanted: NDArray[np.float32]) -> NDArray[np.int64]:
    """Rank of each of the distances `wanted` [C, k] among the sorted distances [C, B] of its row, from 1."""
    found = [np.searchsorted(row, values) for row, values in zip(ordered, wanted, strict=True)]
    return np.stack(found).astype(np.int64) + 1
