"""Checks a recording: every table, every frame, the annotations, and the results cached in `derived/`."""

import hashlib
from pathlib import Path

import numpy as np

from semantic_rl.artifacts import CLUSTERINGS_FOLDER, DERIVED_FOLDER, EPISODES_FILE, RECORDING_FILE, STATES_FILE
from semantic_rl.atomic_write import check_own_folder
from semantic_rl.checking.result import Part, Parts
from semantic_rl.errors import UserError
from semantic_rl.json_files import read_json_object
from semantic_rl.progress_bar import OnPhase
from semantic_rl.recording.store import Recording, open_recording
from semantic_rl.recording.store.annotations import Annotations
from semantic_rl.recording.store.clusterings import AS_RECORDED, default_name, fitted_names
from semantic_rl.recording.store.table_file import TableFile

LISTS = ("features", "code_distance", "log_prob")
WITHOUT = {
    "features": "The agent's own plane and the frames can be used; what needs features (t-SNE, PCA, metrics) cannot.",
    "code_distance": "Figures, clips, metrics and report can be used; the explorer cannot.",
    "log_prob": "Everything but these probabilities can be used.",
}
POINT = np.dtype([("row", np.int64), ("x", np.float32), ("y", np.float32)])
ROWS_BETWEEN_REPORTS = 256


def check_recording(path: Path, on_progress: OnPhase) -> list[Part]:
    """Check all parts of a recording."""
    parts = Parts()
    with parts.part(f"{RECORDING_FILE}, {STATES_FILE}, {EPISODES_FILE}", "Nothing of it can be used.") as notes:
        recording = open_recording(path, with_frames=False, clustering=AS_RECORDED)
        notes.append(f"{recording.num_states:,} states of {recording.num_episodes:,} episodes")
    if parts[-1].wrong:
        return parts
    recording = open_recording(path, with_frames=False, clustering=AS_RECORDED)
    for name in LISTS:
        if name in (recording.state_dtype.names or ()):
            with parts.part(name, WITHOUT[name]):
                for start, columns in recording.groups([name]):
                    on_progress(name, start + len(columns[name]), recording.num_states)
    parts.append(_frames(recording, "observations", on_progress))
    if recording.has_pictures:
        parts.append(_frames(recording, "pictures", on_progress))
    with parts.part("annotations", "Everything is shown without the names of clusters."):
        Annotations(path).read()
    parts.extend(_clusterings(recording, on_progress))
    parts.extend(_kept(recording))
    return parts


def _clusterings(recording: Recording, on_progress: OnPhase) -> list[Part]:
    """Check every clustering that was fitted: hashes, head, places of all states, users' names of clusters."""
    parts = Parts()
    with parts.part(CLUSTERINGS_FOLDER, "Remove what is wrong; the agent's own clusters can be used.") as notes:
        check_own_folder(recording.path / CLUSTERINGS_FOLDER)
        names = fitted_names(recording.path)
        shown = default_name(recording.path, recording.num_codes > 0)
        notes.append(f"{len(names)} fitted, shown: {shown}" if names else "none was fitted")
    if parts[-1].wrong:
        return parts
    for name in names:
        with parts.part(f"{CLUSTERINGS_FOLDER}/{name}", "The other clusterings can be used."):
            found = open_recording(recording.path, with_frames=False, clustering=name)
            _check_clustering(found, on_progress)
    return parts


def _check_clustering(recording: Recording, on_progress: OnPhase) -> None:
    clustering = recording.fitted
    assert clustering is not None, "it was opened by its name"
    for file, sha256 in clustering.description.get("files", {}).items():
        path = clustering.folder / Path(file).name
        with path.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != sha256:
                raise UserError(f"{path} is not the file that was written (its SHA-256 differs).")
    for start, columns in recording.groups(["code_distance"]):
        on_progress(clustering.name, start + len(columns["code_distance"]), recording.num_states)
    Annotations(clustering.folder).read()


def _frames(recording: Recording, kind: str, on_progress: OnPhase) -> Part:
    """Decode every frame of a kind."""
    read = recording.frame if kind == "pictures" else recording.observation
    count, first = 0, ""
    for row in range(recording.num_states):
        if row % ROWS_BETWEEN_REPORTS == 0:
            on_progress(kind, row, recording.num_states)
        try:
            read(row)
        except UserError as error:
            count += 1
            first = first or " ".join(str(error).split())
    if not count:
        return Part(kind, note=f"{recording.num_states:,} decoded")
    left = recording.num_states - count
    return Part(
        kind,
        f"{count:,} of {recording.num_states:,} cannot be read; the first: {first}",
        f"The explorer shows the {left:,} that can be read; figures and report need all.",
    )


def _kept(recording: Recording) -> list[Part]:
    """Check the cached results, which can always be computed again."""
    parts = Parts()
    folder = recording.path / DERIVED_FOLDER
    with parts.part(DERIVED_FOLDER, "Remove the link."):
        check_own_folder(folder)
    if parts[-1].wrong or not folder.is_dir():
        return parts
    anew = "Commands do not use it and compute it anew."
    for path in sorted(folder.iterdir()):
        if path.name.startswith(("tsne-", "pca-")) and path.suffix == ".parquet":
            with parts.part(f"{DERIVED_FOLDER}/{path.name}", anew):
                _check_plane(path, recording.num_states)
        elif path.suffix == ".json":
            with parts.part(f"{DERIVED_FOLDER}/{path.name}", "Remove it, and make it anew with 'semantic-rl metrics'."):
                read_json_object(path, "remove it, and make it anew with 'semantic-rl metrics'.")
    return parts


def _check_plane(path: Path, num_states: int) -> None:
    file = TableFile(path, POINT)
    columns = file.read(["row", "x", "y"])
    row = columns["row"]
    if len(row) and (row.min() < 0 or row.max() >= num_states or (np.diff(row) <= 0).any()):
        raise UserError(f"{path}: its rows are not ascending rows of the recording.")
    if not all(np.isfinite(columns[name]).all() for name in ("x", "y")):
        raise UserError(f"{path}: a place in it is no finite number.")
