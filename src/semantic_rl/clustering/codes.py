"""Codes for points, by k-means++ (Arthur and Vassilvitskii, 2007) and Lloyd's algorithm; every code has points.

Axes: B points, W their dimensions, K codes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.recording.store.plane_head import squared_distances

NUM_STARTS = 10
MOST_STEPS = 300
MOST_POINTS = 20_000
"""Points that the starts are compared on."""


class Codes(NamedTuple):
    """The codes, and how they were found."""

    codes: NDArray[np.float64]
    """[K, W]"""
    num_revived: int
    """How often a code without points was moved."""
    num_used: int
    """Codes that some point is nearest to; fewer than K only where there are fewer different points."""


def find_codes(points: NDArray[np.floating], num_codes: int, rng: np.random.Generator) -> Codes:
    """Return the best of ten k-means runs, each from k-means++, refined on all points [B, W]."""
    points = points.astype(np.float64)
    some = (
        points if len(points) <= MOST_POINTS else points[np.sort(rng.choice(len(points), MOST_POINTS, replace=False))]
    )
    runs = [refine_codes(some, spread_codes(some, num_codes, rng)) for _ in range(NUM_STARTS)]
    best = min(runs, key=lambda run: _error(some, run.codes))
    return best if some is points else refine_codes(points, best.codes)


def spread_codes(points: NDArray[np.float64], num_codes: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw codes [K, W] from the points: each with a probability proportional to its squared distance to the former."""
    codes = points[[int(rng.integers(len(points)))]]
    nearest = squared_distances(points, codes)[:, 0]
    while len(codes) < num_codes:
        total = nearest.sum()
        chosen = int(rng.choice(len(points), p=nearest / total)) if total > 0 else int(rng.integers(len(points)))
        codes = np.concatenate([codes, points[[chosen]]])
        nearest = np.minimum(nearest, squared_distances(points, points[[chosen]])[:, 0])
    return codes


def refine_codes(points: NDArray[np.floating], codes: NDArray[np.floating]) -> Codes:
    """Move each code to the mean of its points until nothing changes; a code without points goes to the farthest one.

    This is the minimum that the codebook loss leads to, exactly.
    """
    points, num_codes, num_revived = points.astype(np.float64), len(codes), 0
    current: NDArray[np.float64] = codes.astype(np.float64)
    former = np.full(len(points), -1)
    for _ in range(MOST_STEPS):
        distances = squared_distances(points, current)
        nearest = distances.argmin(1)
        sizes = np.bincount(nearest, minlength=num_codes)
        farthest = distances[np.arange(len(points)), nearest]
        for code in np.flatnonzero(sizes == 0).tolist():
            place = int(farthest.argmax())
            if farthest[place] <= 0:
                break  # fewer different points than codes
            nearest[place], farthest[place] = code, 0.0
            num_revived += 1
        if (nearest == former).all():
            break
        former = nearest
        sizes = np.bincount(nearest, minlength=num_codes)
        sums = np.stack([np.bincount(nearest, column, num_codes) for column in points.T], 1)
        current = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], current)
    used = np.bincount(squared_distances(points, current).argmin(1), minlength=num_codes) > 0
    return Codes(current, num_revived, int(used.sum()))


def _error(points: NDArray[np.float64], codes: NDArray[np.float64]) -> float:
    return float(squared_distances(points, codes).min(1).sum())
