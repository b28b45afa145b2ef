"""2-D embeddings of states: the agent's own FDR space, and t-SNE of its features for comparison.

t-SNE is openTSNE's (Poličar et al., 2024), initialised with the first two principal components; `tsne_forces` computes
the gradient. The result is cached in the recording's `derived/` folder under a key of everything that it depends on, so
it is computed only once.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_rl.config import EmbeddingsFigureConfig
from semantic_rl.cores import num_cores
from semantic_rl.errors import UserError
from semantic_rl.late_imports import import_alone
from semantic_rl.progress_bar import OnProgress
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.derived_tables import cached_table
from semantic_rl.recording.store.table_file import Columns

EXAGGERATION_STEPS = 250
STEPS = 500
STEPS_BETWEEN_REPORTS = 10
LEAST_PERPLEXITY_NEEDS = 3
"""States; t-SNE with perplexity 1 needs more."""
POINT = np.dtype([("x", np.float32), ("y", np.float32)])
"""Record type of a state in a cached embedding."""
METHOD_TITLES = {"fdr": "FDR", "tsne": "t-SNE", "pca": "PCA", "kmeans": "k-means"}
"""Titles of the methods that place or group states, wherever they are shown beside each other."""
ALIKE = "all states have the same features, so that t-SNE finds no neighbours"


class NoPlane(UserError):
    """t-SNE cannot embed these states, whatever the settings are."""


class Planes(NamedTuple):
    """The same states in both planes."""

    rows: NDArray[np.int64]
    """[B], ascending: which states of the recording."""
    fdr: NDArray[np.float32] | None
    """[B, 2]; None if the agent has no semantic clustering module."""
    tsne: NDArray[np.float32] | None
    """[B, 2]; None if it cannot be computed, and then `no_tsne` says why."""
    code_index: NDArray[np.int64] | None
    """[B]: cluster of each state; None if the agent has no semantic clustering module."""
    code_counts: NDArray[np.int64] | None
    """[K]: states of each cluster in the whole recording; None if the agent has no semantic clustering module."""
    no_tsne: str = ""


def compute_planes(
    recording: Recording,
    max_states: int = EmbeddingsFigureConfig.max_states,
    perplexity: float = EmbeddingsFigureConfig.perplexity,
    seed: int = EmbeddingsFigureConfig.seed,
    num_threads: int = EmbeddingsFigureConfig.num_threads,
    on_progress: OnProgress = lambda done, total: None,
) -> Planes:
    """Embed a recording's states, or `max_states` of them drawn at random, in the FDR space and by t-SNE.

    Raises UserError if there are too few states for the perplexity, or if neither embedding is available.
    """
    rows = sample_rows(recording.num_states, max_states, seed)
    tsne, no_tsne = None, ""
    try:
        tsne = tsne_of(recording, rows, perplexity, seed, num_threads, on_progress)
    except NoPlane as error:
        no_tsne = str(error)
    if not recording.num_codes:
        if tsne is None:
            raise UserError(
                f"{recording.path}: there is no plane to draw: the agent has none of its own (PPO), and {no_tsne}."
            )
        return Planes(rows, None, tsne, None, None)
    columns = recording.table("embedding_x", "embedding_y", "code_index")
    code_index = columns["code_index"].to_numpy().astype(np.int64)
    counts = np.bincount(code_index, minlength=recording.num_codes)
    fdr = columns.select("embedding_x", "embedding_y").to_numpy()[rows]
    return Planes(rows, fdr, tsne, code_index[rows], counts, no_tsne)


def sample_rows(num_states: int, max_states: int, seed: int) -> NDArray[np.int64]:
    """Draw at most `max_states` of `num_states` rows at random; return them in ascending order."""
    if num_states <= max_states:
        return np.arange(num_states)
    return np.sort(np.random.default_rng(seed).choice(num_states, max_states, replace=False))


def fitting_perplexity(perplexity: float, num_states: int) -> float:
    """Return the perplexity, or the largest that t-SNE can take for so few states; at least 1."""
    return float(max(1, min(perplexity, (num_states - 1) // 3)))


def tsne_of(
    recording: Recording,
    rows: NDArray[np.int64],
    perplexity: float,
    seed: int,
    num_threads: int = EmbeddingsFigureConfig.num_threads,
    on_progress: OnProgress = lambda done, total: None,
) -> NDArray[np.float32]:
    """Return t-SNE [B, 2] of the features of the given rows; read from the recording's folder if cached there."""
    needed = int(3 * perplexity) + 1
    if len(rows) <= LEAST_PERPLEXITY_NEEDS:
        raise NoPlane(f"t-SNE needs at least {LEAST_PERPLEXITY_NEEDS + 1} states, and there are {len(rows)}")
    if len(rows) < needed:
        raise UserError(
            f"perplexity: {perplexity:g} needs at least {needed} states, and there are {len(rows)}; record more states "
            f"or give --perplexity {fitting_perplexity(perplexity, len(rows)):g} or less."
        )
    parameters: dict[str, Any] = {
        "method": "openTSNE, forces on a grid",
        "perplexity": perplexity,
        "seed": seed,
        "steps": [EXAGGERATION_STEPS, STEPS],
        "num_states": recording.num_states,
        "rows": hashlib.sha256(rows.tobytes()).hexdigest(),
        "agent": recording.description["agent"]["sha256"],
    }
    return cached_points(
        recording,
        "tsne",
        parameters,
        rows,
        lambda: compute_tsne(recording.features(rows).astype(np.float32), perplexity, seed, num_threads, on_progress),
    )


def cached_points(
    recording: Recording,
    kind: str,
    parameters: Mapping[str, Any],
    rows: NDArray[np.int64],
    compute: Callable[[], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Return the positions [B, 2] of the states `rows` in a plane; computed only if they are not cached."""

    def columns() -> Columns:
        points = compute()
        return {"x": points[:, 0], "y": points[:, 1]}

    found = cached_table(recording.path, kind, parameters, rows, POINT, columns)
    return np.stack([found["x"], found["y"]], 1)


def compute_tsne(
    features: NDArray[np.float32], perplexity: float, seed: int, num_threads: int, on_progress: OnProgress
) -> NDArray[np.float32]:
    """Embed features [B, D] in the plane.

    The same features, seed and number of threads give the same result on one machine.
    Raises NoPlane if all features are equal, or if openTSNE returns numbers that are not finite.
    """
    if are_alike(features):
        raise NoPlane(ALIKE)
    import_alone("openTSNE", "semantic_rl.analysis.tsne_forces")
    from openTSNE import TSNE  # pyright: ignore[reportMissingTypeStubs, reportMissingImports]

    from semantic_rl.analysis.tsne_forces import grid_objective

    threads = num_threads or num_cores()
    total = EXAGGERATION_STEPS + STEPS
    done = 0

    def callback(iteration: int, error: float, embedding: Any) -> bool:
        # openTSNE counts the steps of each of its two phases from one.
        nonlocal done
        done += STEPS_BETWEEN_REPORTS
        on_progress(min(done, total), total)
        return False

    on_progress(0, total)
    method: Any = TSNE(
        perplexity=perplexity,  # pyright: ignore[reportArgumentType] — a float is right
        initialization="pca",
        early_exaggeration_iter=EXAGGERATION_STEPS,
        n_iter=STEPS,
        n_jobs=threads,
        negative_gradient_method=grid_objective(threads),  # pyright: ignore[reportArgumentType] — a function will do
        random_state=seed,
        callbacks=callback,
        callbacks_every_iters=STEPS_BETWEEN_REPORTS,
    )
    found = np.asarray(method.fit(features), np.float32)
    if found.shape != (len(features), 2) or not np.isfinite(found).all():
        raise NoPlane("openTSNE gave a plane with places that are no finite numbers")
    return found


def are_alike(features: NDArray[np.floating]) -> bool:
    """Say whether all rows of features [B, D] are equal, so that distances mean nothing."""
    return bool((features == features[:1]).all())
