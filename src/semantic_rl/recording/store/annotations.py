"""Users' names and notes for clusters, and saved selections: `annotations.json` in the recording.

The file is laid out for git: one value per line, in a fixed order. Before every change it is read again, under a lock
that other processes respect, and then replaced atomically. A change states which version of the entry its author saw;
if the entry has changed since, nothing is overwritten and the current entry is returned with the error.


    {"format": "semantic-rl annotations", "format_version": 1, "version": 3,
     "clusters": {"2": {"name": "before a jump", "note": "", "author": "Ada", "time": "2026-01-31T12:00:00Z",
                        "version": 1}},
     "selections": [{"id": "s3", "name": "…", "note": "", "plane": "fdr", "polygon": [[0, 0], …], "count": 12, …}]}

`version` counts the changes of the file; an entry's `version` is the file's version when the entry was last written.
"""

import json
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from semantic_rl.artifacts import ANNOTATIONS_FILE
from semantic_rl.atomic_write import whole_file
from semantic_rl.errors import UserError
from semantic_rl.file_lock import HAS_LOCKS, lock

ANNOTATIONS_FORMAT = "semantic-rl annotations"
FORMAT_VERSION = 1
LONGEST = {"name": 80, "note": 4000, "author": 80}
"""Longest accepted texts, in characters."""
MOST_SELECTIONS = 1_000
MOST_BYTES = 50_000_000
"""Largest accepted size of the file."""

Entry = dict[str, Any]
_POINT = re.compile(r"\[\s+(-?[\d.eE+-]+),\s+(-?[\d.eE+-]+)\s+\]")


class Conflict(Exception):
    """Someone else changed the entry in the meantime."""

    def __init__(self, current: Entry | None) -> None:
        super().__init__()
        self.current = current
        """The current entry; None if it was deleted."""


class InvalidText(ValueError):
    """A name, note or author that cannot be stored; the message is one sentence."""


class Annotations:
    """The annotations of one recording."""

    def __init__(self, recording: Path) -> None:
        self._folder = recording
        self.path = recording / ANNOTATIONS_FILE

    def read(self) -> dict[str, Any]:
        """Return the file's content, empty if there is no file; raises UserError if it is damaged, foreign or newer."""
        try:
            # A recording is untrusted input: reading a pipe would never end, and a huge file would fill the memory.
            found = self.path.stat()
            if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
                raise UserError(f"{self.path} is no file of at most {MOST_BYTES:,} bytes; move it away to start anew.")
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"version": 0, "clusters": {}, "selections": []}
        except (OSError, ValueError, RecursionError) as error:
            raise UserError(f"{self.path} cannot be read: {error}; mend it, or move it away to start anew.") from error
        return self._checked(content)

    def _checked(self, content: Any) -> dict[str, Any]:
        if not isinstance(content, dict) or content.get("format") != ANNOTATIONS_FORMAT:
            raise UserError(
                f"{self.path} holds no annotations of semantic-rl (its format is not '{ANNOTATIONS_FORMAT}')."
            )
        found = cast(dict[str, Any], content)
        if not isinstance(found.get("format_version"), int) or found["format_version"] > FORMAT_VERSION:
            raise UserError(f"{self.path} was written by a newer semantic-rl; update semantic-rl.")
        clusters, selections, version = found.get("clusters"), found.get("selections"), found.get("version")
        entries = [*clusters.values()] if isinstance(clusters, dict) and all(map(_is_number, clusters)) else [None]
        entries += selections if isinstance(selections, list) else [None]
        if type(version) is not int or not all(_is_entry(entry) for entry in entries):
            raise UserError(f"{self.path} does not say what it should: an entry is cut off; mend it, or move it away.")
        return {"version": version, "clusters": clusters, "selections": selections}

    def signature(self) -> tuple[int, ...]:
        """Return numbers that change when the file changes."""
        try:
            found = self.path.stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_size, found.st_ino

    def put_cluster(self, cluster: int, name: str, note: str, author: str, seen: int) -> Entry | None:
        """Set a cluster's name and note; if both are empty, the entry is removed and None is returned.

        Raises Conflict unless `seen` is the current version of the entry, 0 if there is none.
        """

        def change(content: dict[str, Any], version: int) -> Entry | None:
            key = str(cluster)
            _same(content["clusters"].get(key), seen)
            entry = _entry({"name": name, "note": note}, author, version)
            if not entry["name"] and not entry["note"]:
                content["clusters"].pop(key, None)
                return None
            content["clusters"][key] = entry
            return entry

        return self._change(change)

    def add_selection(self, selection: Mapping[str, Any], name: str, note: str, author: str) -> Entry:
        """Save a selection (its plane, polygon and count) under a new id."""

        def change(content: dict[str, Any], version: int) -> Entry:
            if len(content["selections"]) >= MOST_SELECTIONS:
                raise InvalidText(f"there are {MOST_SELECTIONS:,} selections already; delete some.")
            entry = {"id": f"s{version}", **_entry({"name": name, "note": note}, author, version, selection)}
            content["selections"].append(entry)
            return entry

        return self._change(change)

    def put_selection(self, id: str, changes: Mapping[str, Any], name: str, note: str, author: str, seen: int) -> Entry:
        """Change a selection; raises Conflict as `put_cluster` does, and if the selection was deleted."""

        def change(content: dict[str, Any], version: int) -> Entry:
            place = _find(content["selections"], id, seen)
            former = content["selections"][place]
            kept = {key: former[key] for key in ("plane", "polygon", "count") if key in former} | dict(changes)
            entry = {"id": id, **_entry({"name": name, "note": note}, author, version, kept)}
            content["selections"][place] = entry
            return entry

        return self._change(change)

    def delete_selection(self, id: str, seen: int) -> None:
        """Delete a selection; raises Conflict as `put_selection` does."""

        def change(content: dict[str, Any], version: int) -> None:
            del content["selections"][_find(content["selections"], id, seen)]

        self._change(change)

    def _change[Result](self, change: Callable[[dict[str, Any], int], Result]) -> Result:
        with self._locked():
            content = self.read()
            version = content["version"] + 1
            result = change(content, version)
            clusters = dict(sorted(content["clusters"].items(), key=lambda item: int(item[0])))
            head = {"format": ANNOTATIONS_FORMAT, "format_version": FORMAT_VERSION, "version": version}
            self._write({**head, "clusters": clusters, "selections": content["selections"]})
            return result

    def _write(self, content: dict[str, Any]) -> None:
        text = _POINT.sub(r"[\1, \2]", json.dumps(content, indent=2, ensure_ascii=False))
        try:
            with whole_file(self.path) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> UserError:
        return UserError(f"{self.path} cannot be written: {error.strerror or error}; the change is not kept.")

    @contextmanager
    def _locked(self) -> Generator[None]:
        """Keep other threads and processes from writing; the folder itself is locked, so no lock file remains."""
        if not HAS_LOCKS:
            yield
            return
        try:
            descriptor = os.open(self._folder, os.O_RDONLY)
        except OSError as error:  # the recording has been moved or made inaccessible in the meantime
            raise self._unwritable(error) from error
        try:
            with suppress(OSError):  # storage that does not support locks
                lock(descriptor, waits=True)
            yield
        finally:
            os.close(descriptor)


def _is_number(key: str) -> bool:
    return key.isascii() and key.isdecimal() and len(key) < 6


def _is_entry(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    found = cast(dict[str, Any], entry)
    texts = all(isinstance(found.get(name, ""), str) for name in ("name", "note", "author", "time"))
    return texts and type(found.get("version")) is int


def _same(entry: Entry | None, seen: int) -> None:
    if (entry["version"] if entry else 0) != seen:
        raise Conflict(entry)


def _find(selections: list[Entry], id: str, seen: int) -> int:
    place = next((place for place, entry in enumerate(selections) if entry.get("id") == id), None)
    if place is None:
        raise Conflict(None)
    _same(selections[place], seen)
    return place


def _entry(texts: Mapping[str, str], author: str, version: int, more: Mapping[str, Any] | None = None) -> Entry:
    cleaned = {name: clean(name, text) for name, text in texts.items()}
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**cleaned, **(more or {}), "author": clean("author", author), "time": time, "version": version}


def clean(name: str, text: object) -> str:
    """Return a text as it is stored, without control characters and outer whitespace; raises InvalidText if invalid."""
    if not isinstance(text, str):
        raise InvalidText(f"{name}: expected a text.")
    kept = without_controls(text) if name == "note" else without_controls(text).replace("\n", " ")
    if len(kept) > LONGEST[name]:
        raise InvalidText(f"{name}: {len(kept):,} characters, at most {LONGEST[name]:,} are kept.")
    return kept


def without_controls(text: str) -> str:
    """Replace control characters by spaces, except line breaks, and strip outer whitespace."""
    allowed = "\n\u200d"  # U+200D joins the parts of many emoji
    return "".join(sign if sign in allowed or unicodedata.category(sign)[0] != "C" else " " for sign in text).strip()
