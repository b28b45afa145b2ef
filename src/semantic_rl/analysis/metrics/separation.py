"""Separation and use of clusters: silhouette, Davies-Bouldin index, clusters in use, perplexity.

Axes: E units (episodes), B states, C states at once, K clusters, D dimensions.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import davies_bouldin_score, euclidean_distances

from semantic_rl.analysis.metrics.bootstrap import Bootstrap
from semantic_rl.analysis.metrics.result import Estimate
from semantic_rl.analysis.metrics.sample import number

ONE_CLUSTER = "one cluster holds all states"
EACH_ITS_OWN = "every state is a cluster of its own"
CHUNK = 256


def undefined(labels: NDArray[np.int64]) -> str | None:
    """Return why separation is undefined for the clusters [B]; None if it is defined."""
    num_clusters = len(np.unique(labels))
    if num_clusters < 2:
        return ONE_CLUSTER
    return EACH_ITS_OWN if num_clusters == len(labels) else None


def silhouettes(
    points: NDArray[np.floating], clusterings: Mapping[str, NDArray[np.int64]], bootstrap: Bootstrap
) -> dict[str, Estimate]:
    """Return the mean silhouette (Rousseeuw, 1987) of points [B, D] in each of some clusterings [B].

    With a the mean distance of a state to the others of its cluster and b that to the states of the nearest other
    cluster, its silhouette is (b − a) / max(a, b), or 0 if it is alone in its cluster. scikit-learn's
    `silhouette_score` gives the same value, but not the values without each episode; for these, sums of distances are
    kept by episode here.
    """
    found = {key: Estimate(None, note=undefined(labels)) for key, labels in clusterings.items()}
    sorters = {key: _Sorter(labels, bootstrap) for key, labels in clusterings.items() if found[key].note is None}
    for start in range(0, len(points), CHUNK):
        here = slice(start, min(start + CHUNK, len(points)))
        between = euclidean_distances(points[here], points)
        for sorter in sorters.values():
            sorter.add(between, here)
    return found | {key: sorter.estimate() for key, sorter in sorters.items()}


class _Sorter:
    """Accumulates the silhouettes of one clustering, with all states and without each unit."""

    def __init__(self, labels: NDArray[np.int64], bootstrap: Bootstrap) -> None:
        self._labels, self._bootstrap = number(labels), bootstrap
        self._table = bootstrap.tables(labels)
        """[E, K]: states of each unit in each cluster."""
        cells = bootstrap.unit * self._table.shape[1] + self._labels
        self._order = np.argsort(cells, kind="stable")
        self._cells, self._begins = np.unique(cells[self._order], return_index=True)
        self._total = 0.0
        self._total_left_out = np.zeros(bootstrap.num_units)

    def add(self, between: NDArray[np.floating], here: slice) -> None:
        """Add the distances [C, B] of the states `here` to all states."""
        num_units, num_clusters = self._table.shape
        sums = np.zeros((len(between), num_units * num_clusters))
        sums[:, self._cells] = np.add.reduceat(between[:, self._order], self._begins, axis=1)
        sums = sums.reshape(-1, num_units, num_clusters)
        own, unit = self._labels[here], self._bootstrap.unit[here]
        total, sizes = sums.sum(1, keepdims=True), self._table.sum(0)
        self._total += float(_silhouettes(total, sizes[None], own).sum())
        left_out = _silhouettes(total - sums, sizes - self._table, own)
        left_out[np.arange(len(unit)), unit] = 0.0
        self._total_left_out += left_out.sum(0)

    def estimate(self) -> Estimate:
        """Return the mean of all silhouettes."""
        left = len(self._labels) - self._bootstrap.sizes
        left_out = self._total_left_out / np.maximum(left, 1)
        num_clusters = ((self._table.sum(0) - self._table) > 0).sum(1)
        left_out[(num_clusters < 2) | (num_clusters == left)] = np.nan
        return self._bootstrap.estimate_left_out(self._total / len(self._labels), left_out)


def _silhouettes(sums: NDArray[np.float64], sizes: NDArray[np.float64], own: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return silhouettes [C, E] from sums of distances [C, E, K] to clusters of sizes [E, K]."""
    rows = np.arange(len(own))
    mine = sizes[:, own].T
    inner = sums[rows, :, own] / np.maximum(mine - 1, 1)
    means = np.where(sizes > 0, sums / np.maximum(sizes, 1), np.inf)
    means[rows, :, own] = np.inf
    outer = means.min(2)
    larger = np.maximum(inner, outer)
    defined = (mine > 1) & (larger > 0) & np.isfinite(larger)
    return np.divide(outer - inner, larger, out=np.zeros_like(inner), where=defined)


def davies_bouldin(points: NDArray[np.floating], labels: NDArray[np.int64], bootstrap: Bootstrap) -> Estimate:
    """Return the index of Davies and Bouldin (1979) of points [B, D] in clusters [B]."""
    reason = undefined(labels)
    if reason:
        return Estimate(None, note=reason)
    left_out = [_davies_bouldin(points, labels, bootstrap.unit != unit) for unit in range(bootstrap.num_units)]
    return bootstrap.estimate_left_out(float(davies_bouldin_score(points, labels)), np.array(left_out))


def _davies_bouldin(points: NDArray[np.floating], labels: NDArray[np.int64], kept: NDArray[np.bool_]) -> float:
    return float("nan") if undefined(labels[kept]) else float(davies_bouldin_score(points[kept], labels[kept]))


def use_of_clusters(labels: NDArray[np.int64], bootstrap: Bootstrap) -> dict[str, Estimate]:
    """Return 'clusters_in_use' and 'perplexity', the exponential of the entropy of the clusters' shares."""
    tables = bootstrap.tables(labels)
    drawn = bootstrap.counts @ tables
    return {
        "clusters_in_use": bootstrap.estimate(float(tables.shape[1]), (drawn > 0).sum(1).astype(np.float64)),
        "perplexity": bootstrap.estimate(float(_perplexity(tables.sum(0))), _perplexity(drawn)),
    }


def _perplexity(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = counts / counts.sum(-1, keepdims=True)
    return np.exp(-(shares * np.log(np.where(shares > 0, shares, 1))).sum(-1))
