"""Adjusted mutual information of clusters and another label (Vinh, Epps and Bailey, 2010).

    AMI = (I − E[I]) / (mean of both entropies − E[I])

E[I] is the mutual information expected by chance if frames were independent.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import expected_mutual_information

from semantic_rl.analysis.metrics.bootstrap import Bootstrap
from semantic_rl.analysis.metrics.result import Estimate
from semantic_rl.analysis.metrics.sample import number
from semantic_rl.analysis.metrics.separation import ONE_CLUSTER


def shared_information(
    labels: NDArray[np.int64], others: NDArray[np.int64], bootstrap: Bootstrap, only_one: str
) -> Estimate:
    """Return the AMI of clusters [B] and another label [B]; `only_one` is the note if the other has a single value."""
    labels, others = number(labels), number(others)
    if labels.max() == 0 or others.max() == 0:
        return Estimate(None, note=ONE_CLUSTER if labels.max() == 0 else only_one)
    table = contingency(labels, others)
    left_out = np.empty(bootstrap.num_units)
    for unit in range(bootstrap.num_units):
        mine = bootstrap.unit == unit
        left_out[unit] = adjusted(table - contingency(labels[mine], others[mine], table.shape))
    return bootstrap.estimate_left_out(adjusted(table), left_out)


def contingency(
    labels: NDArray[np.int64], others: NDArray[np.int64], shape: tuple[int, ...] | None = None
) -> NDArray[np.int64]:
    """Count how often each pair of labels [B] occurs: [K, A]."""
    num_labels, num_others = shape or (int(labels.max()) + 1, int(others.max()) + 1)
    counts = np.bincount(labels * num_others + others, minlength=num_labels * num_others)
    return counts.reshape(num_labels, num_others).astype(np.int64)


def adjusted(table: NDArray[np.int64]) -> float:
    """Return the AMI of counts [K, A]; NaN if either label has a single value.

    Equals scikit-learn's `adjusted_mutual_info_score`, which takes labels and would count them again.
    """
    table = table[table.any(1)][:, table.any(0)]
    if min(table.shape) < 2:
        return float("nan")
    total = int(table.sum())
    expected = float(expected_mutual_information(table, total))
    entropies = [-float((shares * np.log(shares)).sum()) for shares in (table.sum(0) / total, table.sum(1) / total)]
    shared = float(mutual_info_score(None, None, contingency=table))
    below = sum(entropies) / 2 - expected
    return (shared - expected) / below if abs(below) > 1e-12 else 1.0
