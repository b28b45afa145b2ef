"""Places all states of a recording with a fitted head, and writes the clustering's folder, whole or not at all."""

import hashlib
import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from semantic_rl import __version__
from semantic_rl.artifacts import (
    ANNOTATIONS_FILE,
    CLUSTERING_FILE,
    CLUSTERING_FORMAT,
    CLUSTERING_VERSION,
    CLUSTERINGS_FOLDER,
    HEAD_FILE,
    STATES_FILE,
)
from semantic_rl.atomic_write import check_own_folder, whole_folder
from semantic_rl.clustering.states import all_inputs
from semantic_rl.errors import UserError
from semantic_rl.folder_lock import hold_folder
from semantic_rl.progress_bar import OnPhase
from semantic_rl.recording.store import Clustering, Recording
from semantic_rl.recording.store.annotations import Annotations
from semantic_rl.recording.store.clusterings import (
    FITTED_NOTE,
    clustering_folder,
    default_name,
    read_clustering,
    set_default,
)
from semantic_rl.recording.store.plane_head import PlaneHead, write_head
from semantic_rl.recording.store.schema import columns_to_table
from semantic_rl.recording.store.table_file import opened

CHECKPOINT_FILE = "unfinished.safetensors"
"""In the folder of a clustering that is being fitted, or whose fit was interrupted."""


@contextmanager
def held_place(recording: Recording, name: str, resume: bool) -> Generator[Path]:
    """Lock the recording, and create and yield the folder for a clustering; one that stays empty is removed in the end.

    Raises UserError if another process writes in the recording, or if a clustering of this name exists.
    """
    folder = clustering_folder(recording.path, name)
    check_own_folder(folder.parent)
    _create(folder.parent)
    # What is in the folder is looked at under the lock alone: before, it may be another process that works there.
    with hold_folder(recording.path):
        _check_place(recording, folder, resume)
        _create(folder)
        try:
            yield folder
        except OSError as error:
            raise unwritable(folder, error) from error
        finally:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _check_place(recording: Recording, folder: Path, resume: bool) -> None:
    """Raise UserError unless a clustering can be begun, or resumed, in a folder."""
    check_own_folder(folder)
    if (folder / CLUSTERING_FILE).exists():
        raise UserError(
            f"name: {recording.path} has a clustering '{folder.name}' already; choose another --name, or delete "
            f"{folder}."
        )
    foreign = [path.name for path in folder.iterdir() if path.name != CHECKPOINT_FILE] if folder.exists() else []
    if foreign:
        raise UserError(f"{folder} holds a file that is not part of a clustering ({foreign[0]}); move it away.")
    begun = (folder / CHECKPOINT_FILE).exists()
    if resume != begun:
        raise UserError(
            f"resume: there is no interrupted fit in {folder}; leave --resume out to start."
            if resume
            else f"{folder} holds a fit that was interrupted; continue with --resume, or delete it to start anew."
        )


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


def write_clustering(
    recording: Recording,
    folder: Path,
    head: PlaneHead,
    description: dict[str, Any],
    code_index: NDArray[np.int64] | None,
    names: list[str],
    is_default: bool,
    on_progress: OnPhase,
) -> Clustering:
    """Place all states and write the folder; `code_index` [B] are given clusters, in place of the nearest codes'.

    `names` are names of clusters, which become annotations.
    """
    is_first = default_name(recording.path, recording.description["num_codes"] > 0) is None
    try:
        with whole_folder(folder) as temporary:
            write_head(temporary / HEAD_FILE, head)
            _write_states(recording, temporary / STATES_FILE, head, description["features"], code_index, on_progress)
            files = {name: _sha256(temporary / name) for name in (HEAD_FILE, STATES_FILE)}
            content = {
                "format": CLUSTERING_FORMAT,
                "version": CLUSTERING_VERSION,
                "semantic_rl": __version__,
                "note": FITTED_NOTE,
                **description,
                "files": files,
            }
            text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
            (temporary / CLUSTERING_FILE).write_text(text, encoding="utf-8")
            _write_names(temporary, names)
            (folder / CHECKPOINT_FILE).unlink(missing_ok=True)
        if is_default or is_first:
            set_default(recording.path, folder.name)
    except OSError as error:
        raise unwritable(folder, error) from error
    return read_clustering(recording.path, folder.name)


def _write_names(folder: Path, names: list[str]) -> None:
    """Write names of clusters; not in place, since this process has locked the folder, as annotations do."""
    if not names:
        return
    elsewhere = folder / "names"
    elsewhere.mkdir()
    for cluster, name in enumerate(names):
        Annotations(elsewhere).put_cluster(cluster, name, "", "", 0)
    (elsewhere / ANNOTATIONS_FILE).replace(folder / ANNOTATIONS_FILE)
    elsewhere.rmdir()


def unwritable(folder: Path, error: OSError) -> UserError:
    """Return the error that a clustering cannot be written."""
    return UserError(
        f"cannot write {folder}: {error.strerror or error}; free space, make the recording's folder "
        f"{CLUSTERINGS_FOLDER}, or copy the recording to another place."
    )


def _write_states(
    recording: Recording,
    path: Path,
    head: PlaneHead,
    source: str,
    code_index: NDArray[np.int64] | None,
    on_progress: OnPhase,
) -> None:
    """Write the table of states in the row groups of the recording's own table."""
    with opened(recording.path / STATES_FILE) as file:
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    placed = _placed(
        recording, head, source, code_index, lambda done: on_progress("placing", done, recording.num_states)
    )
    writer: pq.ParquetWriter | None = None
    waiting: list[Any] = []
    try:
        for size in sizes:
            while sum(map(len, waiting)) < size:
                waiting.append(next(placed))
            table = pa.concat_tables(waiting)
            if writer is None:
                dictionary: Any = ["code_index"]
                writer = pq.ParquetWriter(path, table.schema, compression="zstd", use_dictionary=dictionary)
            writer.write_table(table.slice(0, size), row_group_size=max(size, 1))
            waiting = [table.slice(size)]
    finally:
        if writer is not None:
            writer.close()


def _placed(
    recording: Recording,
    head: PlaneHead,
    source: str,
    code_index: NDArray[np.int64] | None,
    on_placed: Callable[[int], None],
) -> Iterator[Any]:
    for start, inputs in all_inputs(recording, source):
        found = head.place(inputs)
        mine = found.code_index if code_index is None else code_index[start : start + len(inputs)].astype(np.uint8)
        x, y = np.ascontiguousarray(found.embedding.T)
        columns = {"embedding_x": x, "embedding_y": y, "code_index": mine, "code_distance": found.code_distance}
        on_placed(start + len(inputs))
        yield columns_to_table(columns)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
