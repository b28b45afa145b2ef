"""Samples whole row groups of states, for recordings in which reading all features would take long."""

import numpy as np
from numpy.typing import NDArray

from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.schema import ROW_GROUP_ROWS

ALL_UP_TO = 200_000
"""Number of states up to which all features are read, which takes about two seconds."""
GROUPS = 8
"""Number of row groups that are drawn from larger recordings: 131,072 states."""
LEAST_OF_A_CLUSTER = 200
"""States that the sample should hold of each cluster; if it holds fewer, the row group with most of them is added."""


def standing_for_all(
    recording: Recording, seed: int, code_index: NDArray[np.integer] | None = None
) -> NDArray[np.int64] | None:
    """Return the sampled rows, ascending, with states of every cluster in use; None if all states can be read."""
    count = recording.num_states
    if count <= ALL_UP_TO:
        return None
    num_groups = -(-count // ROW_GROUP_ROWS)
    chosen = set(np.random.default_rng(seed).permutation(num_groups)[:GROUPS].tolist())
    if code_index is not None:
        group = np.arange(count) // ROW_GROUP_ROWS
        cells = np.bincount(group * recording.num_codes + code_index, minlength=num_groups * recording.num_codes)
        table = cells.reshape(num_groups, recording.num_codes)
        few = table[sorted(chosen)].sum(0) < np.minimum(table.sum(0), LEAST_OF_A_CLUSTER)
        chosen |= set(table[:, few].argmax(0).tolist())
    ranges = [
        np.arange(start, min(start + ROW_GROUP_ROWS, count)) for start in sorted(g * ROW_GROUP_ROWS for g in chosen)
    ]
    return np.concatenate(ranges)
