"""Reads users' names and notes for clusters, for the report, figures and clips."""

import sys
from pathlib import Path
from typing import NamedTuple

from semantic_rl.errors import UserError
from semantic_rl.recording.store.annotations import Annotations, without_controls

LONGEST_IN_PICTURE = 24
"""Most characters of a name in a picture; longer names are cut with an ellipsis."""


class ClusterNote(NamedTuple):
    """A user's name and note for a cluster: plain text that may contain anything but control characters."""

    name: str
    """One line; empty if there is only a note."""
    note: str
    author: str
    date: str
    """As YYYY-MM-DD; empty if unknown."""


def cluster_notes(recording: Path) -> dict[int, ClusterNote]:
    """Return the names and notes of a recording's clusters; raises UserError if the file is damaged."""
    entries = Annotations(recording).read()["clusters"]
    return {int(cluster): _note(entry) for cluster, entry in entries.items() if entry.get("name") or entry.get("note")}


def notes_if_readable(recording: Path) -> dict[int, ClusterNote]:
    """Return `cluster_notes`, or nothing with a note on stderr if the file is damaged: the rest can still be shown."""
    try:
        return cluster_notes(recording)
    except UserError as error:
        print(f"going on without the names of clusters: {error}", file=sys.stderr)
        return {}


def cluster_names(recording: Path, longest: int | None = LONGEST_IN_PICTURE) -> dict[int, str]:
    """Return the clusters' names, shortened for a picture unless `longest` is None.

    Returns nothing if the file is damaged, as `notes_if_readable` does.
    """
    names = {cluster: note.name for cluster, note in notes_if_readable(recording).items() if note.name}
    return names if longest is None else {cluster: shortened(name, longest) for cluster, name in names.items()}


def cluster_title(cluster: int, name: str | None) -> str:
    """Return the number of a cluster, and its name if it has one, for running text."""
    return f"cluster {cluster}: {name}" if name else f"cluster {cluster}"


def cluster_label(cluster: int, name: str | None) -> str:
    """Return the same as `cluster_title` without the word cluster, for legends and other tight places."""
    return f"{cluster} {name}" if name else str(cluster)


def without_path(recording: Path, text: str) -> str:
    """Return a text, such as an error message, with the recording's name in place of its path.

    The path would reveal something about the machine when the text is shared.
    """
    return text.replace(str(recording), recording.resolve().name)


def shortened(text: str, longest: int) -> str:
    """Return a text of at most `longest` characters, cut with an ellipsis at its end if it is longer."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _note(entry: dict[str, str]) -> ClusterNote:
    name, note, author, time = (without_controls(entry.get(key, "")) for key in ("name", "note", "author", "time"))
    return ClusterNote(" ".join(name.split()), note, author, time[:10])
