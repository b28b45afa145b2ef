"""Where states lie in a plane: the agent's own FDR space, and t-SNE of its features to compare it with.

t-SNE is openTSNE's (Poličar et al., 2024), started from the first two principal components. It is kept in the
recording's `derived/` folder, by everything that it depends on, and computed only once.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from semantic_rl.artifacts import DERIVED_FOLDER
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.derived import keep

EXAGGERATION_STEPS = 250
STEPS = 500
STEPS_BETWEEN_REPORTS = 10

Report = Callable[[int, int], None]
"""Called with (done, total) steps."""


class Planes(NamedTuple):
    """The same states in both planes."""

    rows: NDArray[np.int64]
    """[B], ascending: which states of the recording."""
    fdr: NDArray[np.float32] | None
    """[B, 2]; None if the agent has no semantic clustering module."""
    tsne: NDArray[np.float32]
    """[B, 2]."""
    code_index: NDArray[np.int64] | None
    """[B]: clusters; None likewise."""
    code_counts: NDArray[np.int64] | None
    """[K]: states of each cluster in the whole recording; None likewise."""


def compute_planes(
    recording: Recording,
    max_states: int = 30_000,
    perplexity: float = 30.0,
    seed: int = 0,
    num_threads: int = 0,
    report: Report = lambda done, total: None,
) -> Planes:
    """Place a recording's states, or `max_states` of them drawn at random, in the FDR space and by t-SNE.

    Raises UserError if there are too few states for the perplexity.
    """
    rows = sample_rows(recording.num_states, max_states, seed)
    tsne = tsne_of(recording, rows, perplexity, seed, num_threads, report)
    if not recording.num_codes:
        return Planes(rows, None, tsne, None, None)
    columns = recording.table("embedding_x", "embedding_y", "code_index")
    code_index = columns["code_index"].to_numpy().astype(np.int64)
    counts = np.bincount(code_index, minlength=recording.num_codes)
    fdr = columns.select("embedding_x", "embedding_y").to_numpy()[rows]
    return Planes(rows, fdr, tsne, code_index[rows], counts)


def sample_rows(num_states: int, max_states: int, seed: int) -> NDArray[np.int64]:
    """Draw at most `max_states` of `num_states` rows at random; returns them ascending."""
    if num_states <= max_states:
        return np.arange(num_states)
    return np.sort(np.random.default_rng(seed).choice(num_states, max_states, replace=False))


def tsne_of(
    recording: Recording,
    rows: NDArray[np.int64],
    perplexity: float,
    seed: int,
    num_threads: int = 0,
    report: Report = lambda done, total: None,
) -> NDArray[np.float32]:
    """Return t-SNE [B, 2] of the features of the given rows, from the recording's folder if it is there already."""
    needed = int(3 * perplexity) + 1
    if len(rows) < needed:
        raise UserError(
            f"perplexity: {perplexity:g} needs at least {needed} states, and there are {len(rows)}; record more states "
            f"or give --perplexity {max(1, (len(rows) - 1) // 3)} or less."
        )
    parameters = {
        "method": "openTSNE",
        "perplexity": perplexity,
        "seed": seed,
        "steps": [EXAGGERATION_STEPS, STEPS],
        "num_states": recording.num_states,
        "rows": hashlib.sha256(rows.tobytes()).hexdigest(),
        "agent": recording.description["agent"]["sha256"],
    }
    key = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:12]
    path = recording.path / DERIVED_FOLDER / f"tsne-{key}.parquet"
    found = _load(path, rows)
    if found is None:
        found = compute_tsne(recording.features(rows).astype(np.float32), perplexity, seed, num_threads, report)
        _save(recording, path.name, rows, found, parameters)
    return found


def compute_tsne(
    features: NDArray[np.float32], perplexity: float, seed: int, num_threads: int, report: Report
) -> NDArray[np.float32]:
    """Embed features [B, D] in the plane; the same features and seed give the same plane on one machine."""
    from openTSNE import TSNE  # pyright: ignore[reportMissingTypeStubs, reportMissingImports]

    total = EXAGGERATION_STEPS + STEPS
    done = 0

    def callback(iteration: int, error: float, embedding: Any) -> bool:
        # openTSNE counts the steps of each of its two phases from one.
        nonlocal done
        done += STEPS_BETWEEN_REPORTS
        report(min(done, total), total)
        return False

    report(0, total)
    method: Any = TSNE(
        perplexity=perplexity,  # pyright: ignore[reportArgumentType] — a float is right
        initialization="pca",
        early_exaggeration_iter=EXAGGERATION_STEPS,
        n_iter=STEPS,
        n_jobs=num_threads or -1,
        random_state=seed,
        callbacks=callback,
        callbacks_every_iters=STEPS_BETWEEN_REPORTS,
    )
    return np.asarray(method.fit(features), np.float32)


def _load(path: Path, rows: NDArray[np.int64]) -> NDArray[np.float32] | None:
    """Return a kept plane, or None if there is none that fits (it can always be computed again)."""
    try:
        table = pl.read_parquet(path)
        if np.array_equal(table["row"].to_numpy(), rows):
            return table.select("x", "y").to_numpy()
    except (OSError, pl.exceptions.PolarsError):
        pass
    return None


def _save(
    recording: Recording, name: str, rows: NDArray[np.int64], plane: NDArray[np.float32], parameters: dict[str, Any]
) -> None:
    """Keep a plane; where the recording cannot be written to, do without."""
    metadata = {"parameters": json.dumps(parameters)}
    table = pa.table({"row": rows, "x": plane[:, 0], "y": plane[:, 1]}).replace_schema_metadata(metadata)
    keep(recording.path, name, lambda temporary: pq.write_table(table, temporary))
