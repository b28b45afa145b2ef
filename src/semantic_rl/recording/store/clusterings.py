"""The clusterings of a recording: planes and clusters that were fitted to its states, side by side. Needs no PyTorch.

    clusterings/
      default.json                 names the clustering to show where none is chosen; absent: the agent's own
      NAME/clustering.json         how it was fitted, and how well it does on held-out episodes
      NAME/head.safetensors        the function from features to the plane, and the codes
      NAME/states.parquet          place, cluster and distances of every state, in the rows of the recording
      NAME/annotations.json        users' names of these clusters

What the agent itself learned is the clustering `agent`; it lies in the recording's own tables. A recording may come
from elsewhere, so everything is checked when it is read.
"""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_rl.artifacts import (
    AGENT_CLUSTERING,
    CLUSTERING_FILE,
    CLUSTERING_FORMAT,
    CLUSTERING_VERSION,
    CLUSTERINGS_FOLDER,
    DEFAULT_CLUSTERING_FILE,
    HEAD_FILE,
    STATES_FILE,
)
from semantic_rl.atomic_write import check_no_link, whole_file
from semantic_rl.errors import UserError, nearest
from semantic_rl.json_files import JsonObject, read_json_object
from semantic_rl.recording.store.checked_tables import check_finite
from semantic_rl.recording.store.plane_head import MOST_CODES, Placed, PlaneHead, read_head
from semantic_rl.recording.store.table_file import TableFile

FITTED_NOTE = (
    "This plane and its clusters were fitted afterwards to recorded features: they describe the agent and did not "
    "shape it, unlike those that an SPPO agent learns."
)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
METHODS = ("fdr", "kmeans", "labels")
SOURCES = ("features", "observation")
AS_RECORDED = ""
"""Name that asks for the recording as it was recorded: the agent's own clusters if it has some, no fitted ones."""


class Clustering:
    """A fitted plane and its clusters, by which further states can be placed."""

    def __init__(self, folder: Path, content: JsonObject, head: PlaneHead, sha256: str) -> None:
        self.folder = folder
        self.name = folder.name
        self.description: dict[str, Any] = dict(content.content)
        """The content of `clustering.json`: settings, what it was fitted to, scores on held-out episodes."""
        self.sha256 = sha256
        """Of `clustering.json`, which holds the hashes of the other files."""
        self.head = head
        self.num_codes = len(head.codebook)
        self.codebook = head.codebook
        """[K, 2]."""

    @property
    def scores(self) -> dict[str, Any]:
        """Return the scores on held-out episodes, by method and measure."""
        return self.description["scores"]

    def place(self, features: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Return the places [B, 2] and clusters [B] of states by their features [B, D]; raises UserError."""
        placed = self.place_exactly(features)
        return placed.embedding, placed.code_index

    def place_exactly(self, features: NDArray[Any]) -> Placed:
        """Return places and clusters of states, and their distances to every code; raises UserError as `place` does."""
        placed = self.head.place(features)
        if not (np.isfinite(placed.embedding).all() and np.isfinite(placed.code_distance).all()):
            raise UserError(
                f"{self.folder}: its head gives places that are not finite, so it is damaged or the features are of "
                "another agent; fit again."
            )
        return placed

    def __repr__(self) -> str:
        return f"Clustering '{self.name}' of {self.num_codes} codes in {self.folder}"


def state_dtype_of(num_codes: int) -> np.dtype[np.void]:
    """Return the record type of a state in a clustering's table."""
    return np.dtype(
        [
            ("embedding_x", np.float32),
            ("embedding_y", np.float32),
            ("code_index", np.uint8),
            ("code_distance", np.float32, (num_codes,)),
        ]
    )


def clustering_folder(recording: Path, name: str) -> Path:
    """Return the folder of a fitted clustering; raises UserError for a name that no clustering can have."""
    if name == AGENT_CLUSTERING or not NAME.fullmatch(name) or name.endswith((".json", ".tmp")):
        raise UserError(
            f"name: got '{name}', expected letters, digits and _ . - (at most 64, beginning with a letter or digit), "
            f"and not '{AGENT_CLUSTERING}', which is what the agent itself learned."
        )
    return recording / CLUSTERINGS_FOLDER / name


def fitted_names(recording: Path) -> list[str]:
    """Return the names of the finished clusterings that were fitted to a recording, in alphabetical order."""
    folder = recording / CLUSTERINGS_FOLDER
    try:
        names = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror or error}; restore it, or move it away.") from error
    return [
        name
        for name in names
        if NAME.fullmatch(name) and name != AGENT_CLUSTERING and os.path.lexists(folder / name / CLUSTERING_FILE)
    ]


def default_name(recording: Path, has_own: bool) -> str | None:
    """Return the name of the clustering to show where none is chosen; None if there is none at all."""
    fitted = fitted_names(recording)
    path = recording / CLUSTERINGS_FOLDER / DEFAULT_CLUSTERING_FILE
    if os.path.lexists(path):
        name = read_json_object(path, "delete it, and the agent's own clustering is shown.").text("name")
        if name in fitted or (has_own and name == AGENT_CLUSTERING):
            return name
    if has_own:
        return AGENT_CLUSTERING
    return fitted[0] if fitted else None


def set_default(recording: Path, name: str) -> None:
    """Make a clustering the one that is shown where none is chosen; raises OSError."""
    with whole_file(recording / CLUSTERINGS_FOLDER / DEFAULT_CLUSTERING_FILE) as temporary:
        temporary.write_text(json.dumps({"name": name}, indent=2) + "\n", encoding="utf-8")


def unknown_clustering(recording: Path, name: str, has_own: bool) -> UserError:
    """Return the error that a recording has no clustering of a name, with the nearest name."""
    names = [*([AGENT_CLUSTERING] if has_own else []), *fitted_names(recording)]
    if name == AGENT_CLUSTERING:
        instead = f"choose one of {', '.join(names)}" if names else f"make one: semantic-rl fit {recording}"
        return UserError(
            f"clustering: the agent of {recording} has no semantic clustering module, so it learned no plane of its "
            f"own; {instead}."
        )
    if not names:
        return UserError(f"clustering: {recording} has none; make one: semantic-rl fit {recording}.")
    return UserError(f"clustering: {recording} has no '{name}', only {', '.join(names)}.{nearest(name, names)}")


def read_clustering(recording: Path, name: str) -> Clustering:
    """Read a fitted clustering without its table of states; raises UserError if it is damaged, foreign or newer."""
    folder = clustering_folder(recording, name)
    for place in (folder.parent, folder):
        check_no_link(place)
    way_out = way_out_of(folder)
    file = folder / CLUSTERING_FILE
    content = read_json_object(file, way_out)
    if content.get("format") != CLUSTERING_FORMAT:
        content.wrong("format", f"'{CLUSTERING_FORMAT}'")
    if content.integer("version", 1) > CLUSTERING_VERSION:
        raise UserError(
            f"{file} was written by a newer semantic-rl (version {content['version']}); update semantic-rl."
        )
    num_codes = content.integer("num_codes", 1, MOST_CODES)
    for field, allowed in (("method", METHODS), ("features", SOURCES)):
        if content.text(field) not in allowed:
            content.wrong(field, " or ".join(allowed))
    is_linear = content.text("head") == "linear"
    content.object("fitted_to").text("agent_sha256")
    files = content.object("files")
    for name_of_file in files:
        files.text(name_of_file)
    _check_scores(content.object("scores"))
    settings = content.object("settings")
    for key, value in settings.items():
        if isinstance(value, dict | list):
            settings.wrong(key, "a text or a number")
    head = read_head(folder / HEAD_FILE, is_linear, way_out)
    if len(head.codebook) != num_codes:
        raise UserError(f"{folder / HEAD_FILE}: {len(head.codebook)} codes, but {file} says {num_codes}; {way_out}")
    return Clustering(folder, content, head, hashlib.sha256(file.read_bytes()).hexdigest())


def open_states(clustering: Clustering, num_states: int) -> TableFile:
    """Open the table of a clustering and check its scalar columns; raises UserError if it does not fit."""
    way_out = way_out_of(clustering.folder).rstrip(".")
    file = TableFile(clustering.folder / STATES_FILE, state_dtype_of(clustering.num_codes), way_out=way_out)
    if file.num_rows != num_states:
        raise UserError(f"{file.path}: {file.num_rows:,} rows, but the recording has {num_states:,} states; {way_out}.")
    columns = file.read(["embedding_x", "embedding_y", "code_index"])
    for name in ("embedding_x", "embedding_y"):
        check_finite(file, name, columns[name], 0)
    outside = columns["code_index"] >= clustering.num_codes
    if outside.any():
        row = int(np.argmax(outside))
        file.wrong(row, "code_index", columns["code_index"][row], f"less than {clustering.num_codes}")
    return file


def way_out_of(folder: Path) -> str:
    """Return the advice for a damaged clustering."""
    return f"delete {folder} and fit again, or choose another with --clustering."


def _check_scores(scores: JsonObject) -> None:
    """Raise UserError unless scores are numbers or null, by method and measure."""
    for method in scores:
        found = scores.object(method)
        for measure, value in found.items():
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                found.wrong(measure, "a number or null")
