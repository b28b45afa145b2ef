"""Scores a clustering on held-out states, beside PCA, t-SNE and k-means of the same states, in a table.

PCA and k-means are fitted to the same states as the clustering and applied to the held-out ones. t-SNE cannot place
states that it was not fitted to, so it is fitted to the held-out ones themselves. Axis: B states.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.analysis.embedding import METHOD_TITLES, NoPlane, compute_tsne, fitting_perplexity
from semantic_rl.analysis.metrics.dwelling import count, shuffle_within_episodes
from semantic_rl.analysis.metrics.neighbourhoods import largest_k, neighbourhood_scores
from semantic_rl.analysis.metrics.views import kmeans
from semantic_rl.clustering.codes import find_codes
from semantic_rl.config import EmbeddingsFigureConfig
from semantic_rl.errors import UserError
from semantic_rl.late_imports import import_alone
from semantic_rl.progress_bar import OnPhase
from semantic_rl.recording.store.plane_head import squared_distances

NEIGHBOURS = 10
NUM_SHUFFLES = 5
MOST_FITTED = 20_000
"""States that the baselines are fitted to."""

Scores = dict[str, float | None]
MEASURES = {
    "trustworthiness": "trustworthiness, k = 10",
    "continuity": "continuity, k = 10",
    "codes_in_use": "clusters in use",
    "perplexity": "perplexity of clusters",
    "dwell": "dwell, steps",
    "dwell_ratio": "dwell over shuffled",
}
"""Measures, and their titles in the table."""
METHODS = ("fitted", "pca", "tsne", "kmeans")


class Judged(NamedTuple):
    """Held-out states."""

    features: NDArray[np.float32]
    """[B, D], standardised."""
    episode: NDArray[np.int64]
    """[B], numbered from 0."""
    step: NDArray[np.int64]


class Placement(NamedTuple):
    """One method's plane and clusters of the held-out states."""

    plane: NDArray[np.floating] | None
    """[B, 2]; None if there is none."""
    labels: NDArray[np.int64]
    """[B]"""


def score(placements: Mapping[str, Placement], judged: Judged, seed: int, on_progress: OnPhase) -> dict[str, Scores]:
    """Return the scores of each placement, by measure; None for what a placement does not have."""
    planes = {key: placement.plane for key, placement in placements.items() if placement.plane is not None}
    found: dict[str, Scores] = {}
    near: dict[str, dict[str, NDArray[np.float64]]] = {}
    if largest_k(len(judged.features)) >= NEIGHBOURS and planes:
        import_alone("sklearn.metrics")
        near = neighbourhood_scores(
            judged.features,
            planes,
            [NEIGHBOURS],
            lambda done, total: on_progress("judging on held-out states", done, total),
        )
    for key, placement in placements.items():
        of_plane = {name: _mean(near.get(key, {}), name) for name in ("trustworthiness", "continuity")}
        found[key] = of_plane | _clusters(placement.labels, judged, seed)
    return found


def _mean(near: Mapping[str, NDArray[np.float64]], name: str) -> float | None:
    values = near.get(f"{name}_{NEIGHBOURS}")
    return None if values is None else round(float(values.mean()), 6)


def _clusters(labels: NDArray[np.int64], judged: Judged, seed: int) -> Scores:
    sizes = np.bincount(labels)
    shares = sizes[sizes > 0] / len(labels)
    rng = np.random.default_rng(seed)
    dwell = _dwell(judged, labels)
    shuffled = [_dwell(judged, shuffle_within_episodes(judged.episode, labels, rng)) for _ in range(NUM_SHUFFLES)]
    return {
        "codes_in_use": len(shares),
        "perplexity": round(float(np.exp(-(shares * np.log(shares)).sum())), 6),
        "dwell": round(dwell, 6),
        "dwell_ratio": round(dwell / float(np.mean(shuffled)), 6),
    }


def _dwell(judged: Judged, labels: NDArray[np.int64]) -> float:
    counts = count(judged.episode, judged.step, labels)
    return float(counts.steps.sum() / counts.visits.sum())


def baseline_placements(
    fitted: NDArray[np.float32], judged: Judged, num_codes: int, seed: int, num_threads: int, on_progress: OnPhase
) -> dict[str, Placement]:
    """Return PCA, t-SNE and k-means of the held-out states; t-SNE is absent where there are too few states."""
    rng = np.random.default_rng(seed)
    some = (
        fitted if len(fitted) <= MOST_FITTED else fitted[np.sort(rng.choice(len(fitted), MOST_FITTED, replace=False))]
    )
    on_progress("PCA and k-means", 0, 1)
    mean, components = _principal_components(some)
    inside, outside = (some - mean) @ components, (judged.features - mean) @ components
    codes = find_codes(inside, num_codes, rng).codes
    placements = {"pca": Placement(outside, squared_distances(outside.astype(np.float64), codes).argmin(1))}
    perplexity = fitting_perplexity(EmbeddingsFigureConfig.perplexity, len(judged.features))
    try:
        plane = compute_tsne(
            judged.features,
            perplexity,
            seed,
            num_threads,
            lambda done, total: on_progress("t-SNE, to compare", done, total),
        )
        codes = find_codes(plane, num_codes, rng).codes
        placements["tsne"] = Placement(plane, squared_distances(plane.astype(np.float64), codes).argmin(1))
    except (NoPlane, UserError, ValueError):
        pass
    labels = kmeans(some, num_codes, seed)
    centres = np.stack([some[labels == label].mean(0) for label in np.unique(labels)])
    placements["kmeans"] = Placement(None, squared_distances(judged.features.astype(np.float64), centres).argmin(1))
    return placements


def _principal_components(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    mean = features.mean(0, dtype=np.float64).astype(np.float32)
    centred = features - mean
    _, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    components = np.zeros((features.shape[1], 2), np.float32)
    leading = vectors[:, ::-1][:, :2]
    components[:, : leading.shape[1]] = leading
    return mean, components


def scores_table(scores: Mapping[str, Mapping[str, Any]], title: str) -> str:
    """Return scores as a table: a line for each measure, a column for each method."""
    methods = [key for key in METHODS if key in scores]
    heads = [title if key == "fitted" else METHOD_TITLES[key] for key in methods]
    cells = [[_text(name, scores[key].get(name)) for key in methods] for name in MEASURES]
    widths = [max(len(head), *(len(row[index]) for row in cells)) for index, head in enumerate(heads)]
    first = max(map(len, MEASURES.values()))
    lines = [" " * first + "".join(f"  {head:>{width}}" for head, width in zip(heads, widths, strict=True))]
    for measure, row in zip(MEASURES.values(), cells, strict=True):
        lines.append(
            f"{measure:<{first}}" + "".join(f"  {cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        )
    return "\n".join(line.rstrip() for line in lines)


def missing_scores(scores: Mapping[str, Mapping[str, Any]], num_states: int) -> list[str]:
    """Explain, in sentences, the values and columns that the table of `num_states` held-out states lacks."""
    said: list[str] = []
    if scores["fitted"].get("trustworthiness") is None:
        said.append(
            f"–: trustworthiness and continuity need more than {2 * NEIGHBOURS} held-out states, and there are "
            f"{num_states:,}."
        )
    elif "kmeans" in scores:
        said.append("–: k-means has no plane of its own, so it has no trustworthiness and no continuity.")
    if "pca" in scores and "tsne" not in scores:
        said.append("t-SNE is left out: there are too few different held-out states for it.")
    return said


def _text(measure: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if measure == "codes_in_use" else f"{value:.3f}" if value < 10 else f"{value:.1f}"
