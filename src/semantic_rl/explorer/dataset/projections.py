"""The three 2-D projections of the states: the agent's own (FDR), and PCA and t-SNE of its features.

The FDR plane is part of the recording. PCA is fitted to a sample and applied to all states. t-SNE
covers only a sample (`analysis.embedding` caches it in the recording's folder). Axes: B states, D = 256 features.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.cells import square_around
from semantic_rl.analysis.embedding import are_alike, cached_points, fitting_perplexity, sample_rows, tsne_of
from semantic_rl.explorer.contract import PlaneName
from semantic_rl.explorer.dataset.row_group_sample import standing_for_all
from semantic_rl.progress_bar import OnProgress
from semantic_rl.recording.store import Recording

PLANES: tuple[PlaneName, ...] = ("fdr", "tsne", "pca")

PCA_FITTED_TO = 50_000
"""Number of randomly drawn states to which the principal components are fitted."""
KEPT_FROM = 100_000
"""Number of states from which the projection is cached in the recording's folder: computing it takes seconds."""
LEAST_FOR_TSNE = 10
ROWS_AT_ONCE = 4_096
"""States whose features are turned into float64 together."""


def as_plane(name: object) -> PlaneName | None:
    """Return the plane of this name; None if there is none."""
    return next((plane for plane in PLANES if plane == name), None)


class Placed(NamedTuple):
    """The positions of states in a plane."""

    rows: NDArray[np.int64] | None
    """[P], ascending: the rows of these states; None: all."""
    points: NDArray[np.float32]
    """[P, 2]."""

    @property
    def limits(self) -> tuple[float, float, float, float]:
        """Return (left, right, bottom, top) of the square around the points."""
        return square_around(self.points) if len(self.points) else (-1.0, 1.0, -1.0, 1.0)


def place_by_pca(recording: Recording, seed: int, on_progress: OnProgress = lambda done, total: None) -> Placed:
    """Project all states onto the first two principal components of their features."""
    if recording.num_states < 2:
        return Placed(None, np.zeros((recording.num_states, 2), np.float32))
    if recording.num_states < KEPT_FROM:
        return Placed(None, _project(recording, seed, on_progress))
    parameters = {
        "fitted_to": PCA_FITTED_TO,
        "seed": seed,
        "num_states": recording.num_states,
        "agent": recording.description["agent"].get("sha256"),
    }
    everything = np.arange(recording.num_states)
    return Placed(
        None, cached_points(recording, "pca", parameters, everything, lambda: _project(recording, seed, on_progress))
    )


def _project(recording: Recording, seed: int, on_progress: OnProgress) -> NDArray[np.float32]:
    """Return the first two principal components [B, 2] of all states' features."""
    near = standing_for_all(recording, seed)
    rows = sample_rows(recording.num_states if near is None else len(near), PCA_FITTED_TO, seed)
    rows = rows if near is None else near[rows]
    components, middle = principal_components(recording.features(rows))
    points = np.empty((recording.num_states, 2), np.float32)
    for start, features in recording.feature_groups():
        points[start : start + len(features)] = (features.astype(np.float32) - middle) @ components
        on_progress(start + len(features), recording.num_states)
    return points


def principal_components(features: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the first two principal components [D, 2] and the mean [D] of features [B, D].

    As scikit-learn's PCA by the eigenvectors of the covariance, whose import alone would take 90 MB: the entry of a
    component that is largest in size is positive. The components are zero if all features are equal.
    """
    middle = features.mean(0, dtype=np.float64)
    width = features.shape[1]
    if are_alike(features):
        return np.zeros((width, 2), np.float32), features[0].astype(np.float32)
    covariance = np.zeros((width, width))
    for start in range(0, len(features), ROWS_AT_ONCE):
        centred = features[start : start + ROWS_AT_ONCE].astype(np.float64) - middle
        covariance += centred.T @ centred
    vectors = np.linalg.eigh(covariance).eigenvectors[:, : -1 - 2 : -1]
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(0)[None], 0)
    components = np.zeros((width, 2), np.float32)
    components[:, : vectors.shape[1]] = vectors * np.sign(largest)
    return components, middle.astype(np.float32)


def place_by_tsne(
    recording: Recording,
    rows: NDArray[np.int64],
    perplexity: float,
    seed: int,
    num_threads: int,
    on_progress: OnProgress = lambda done, total: None,
) -> Placed:
    """Embed the states `rows` by t-SNE of their features; the perplexity is reduced if there are few states."""
    points = tsne_of(recording, rows, fitting_perplexity(perplexity, len(rows)), seed, num_threads, on_progress)
    return Placed(None if len(rows) == recording.num_states else rows, points)
