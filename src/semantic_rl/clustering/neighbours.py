"""Finds the exact nearest neighbours of states by their features, a block of states at a time."""

import numpy as np
import torch
from numpy.typing import NDArray

from semantic_rl.progress_bar import OnProgress

ROWS_AT_ONCE = 512


def nearest_neighbours(
    features: NDArray[np.float32], count: int, num_threads: int, on_progress: OnProgress
) -> NDArray[np.int32]:
    """Return the indices [B, count] of the nearest other states by Euclidean distance of features [B, D]."""
    points = torch.from_numpy(features)
    squares = points.square().sum(1)
    found = np.empty((len(points), count), np.int32)
    former = torch.get_num_threads()
    torch.set_num_threads(num_threads)
    try:
        for start in range(0, len(points), ROWS_AT_ONCE):
            on_progress(start, len(points))
            here = points[start : start + ROWS_AT_ONCE]
            # The squared norm of the state itself is the same for all others and left out.
            distances = torch.addmm(squares, here, points.T, alpha=-2)
            distances.diagonal(start).fill_(torch.inf)
            found[start : start + len(here)] = distances.topk(count, largest=False).indices.numpy()
        on_progress(len(points), len(points))
    finally:
        torch.set_num_threads(former)
    return found
