"""Compares the embedding and clusters of two agents on the same states."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import procrustes

from semantic_rl.analysis.metrics.bootstrap import Bootstrap
from semantic_rl.analysis.metrics.information import shared_information
from semantic_rl.analysis.metrics.result import Estimate
from semantic_rl.analysis.metrics.views import MeasuredView
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording

FLAT = "all states lie in one point of a plane"


class OtherAgent(NamedTuple):
    """Another agent's features, embedding and clusters of the states `rows` of a recording."""

    name: str
    sha256: str
    """SHA-256 of the agent's weights, which identifies it."""
    rows: NDArray[np.int64]
    """[B], ascending."""
    features: NDArray[np.floating]
    """[B, 256]."""
    embedding: NDArray[np.floating] | None
    """[B, 2]; None if the agent has no semantic clustering module."""
    code_index: NDArray[np.int64] | None
    """[B]; None if the agent has no semantic clustering module."""


def other_from_recording(recording: Recording, other: Recording, rows: NDArray[np.int64]) -> OtherAgent:
    """Return what the agent of another recording computed for the states `rows`.

    Raises UserError unless the other recording holds the same observations in the same rows, and both are known.
    """
    for one in (recording, other):
        if not one.has("observation"):
            raise UserError(
                f"against: {one.path} has no observations, so it is not known whether both agents were shown the same "
                "states; give recordings with observations, or leave --against out."
            )
    if other.num_states != recording.num_states:
        raise _other_states(recording, other, f"{other.num_states:,} states, not {recording.num_states:,}")
    for row in rows.tolist():
        ours, theirs = recording.observation_parts(row), other.observation_parts(row)
        if ours.keys() != theirs.keys() or not all(np.array_equal(ours[name], theirs[name]) for name in ours):
            raise _other_states(recording, other, f"another observation in row {row}")
    embedding = code_index = None
    if other.num_codes:
        states = other.table("embedding_x", "embedding_y", "code_index")
        embedding = states.select("embedding_x", "embedding_y").to_numpy()[rows]
        code_index = states["code_index"].to_numpy().astype(np.int64)[rows]
    sha256 = str(other.description["agent"]["sha256"])
    return OtherAgent(other.path.resolve().name, sha256, rows, other.features(rows), embedding, code_index)


def _other_states(recording: Recording, other: Recording, what: str) -> UserError:
    return UserError(
        f"against: {other.path} is of other states than {recording.path} ({what}); give the agent itself, its run "
        "folder or the name of one that ships with the package, and it will be shown these states."
    )


def agreement(
    views: list[MeasuredView], others: list[MeasuredView], bootstrap: Bootstrap
) -> dict[str, dict[str, Estimate]]:
    """Return 'agreement_ami' and 'agreement_procrustes' of the views that both agents have, by the view's key."""
    found: dict[str, dict[str, Estimate]] = {}
    by_key = {view.key: view for view in others}
    for view in views:
        other = by_key.get(view.key)
        if other is None:
            continue
        shared = shared_information(view.labels, other.labels, bootstrap, "the other agent has all in one cluster")
        found.setdefault("agreement_ami", {})[view.key] = shared
        if view.plane is not None and other.plane is not None:
            distance = procrustes_distance(view.plane, other.plane, bootstrap)
            found.setdefault("agreement_procrustes", {})[view.key] = distance
    return found


def procrustes_distance(plane: NDArray[np.floating], other: NDArray[np.floating], bootstrap: Bootstrap) -> Estimate:
    """Return the Procrustes disparity (Gower, 1975) of two planes [B, 2] of the same states.

    Both are centred and scaled to norm 1, and one is rotated, reflected and scaled onto the other; the disparity is the
    sum of squared distances that remains, from 0 (identical) to 1.
    """
    planes = plane.astype(np.float64), other.astype(np.float64)
    if any(np.ptp(points, axis=0).max() == 0 for points in planes):
        return Estimate(None, note=FLAT)
    kept = (bootstrap.unit != unit for unit in range(bootstrap.num_units))
    left_out = [_disparity(planes[0][some], planes[1][some]) for some in kept]
    return bootstrap.estimate_left_out(_disparity(*planes), np.array(left_out))


def _disparity(plane: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    if not len(plane) or np.ptp(plane, axis=0).max() == 0 or np.ptp(other, axis=0).max() == 0:
        return float("nan")
    return float(procrustes(plane, other)[2])
