"""Names and notes that people give to clusters, and selections that they keep: `annotations.json` in the recording.

The file is for git: one value a line, in a fixed order. It is read anew before every change, under a lock that other
processes respect, and replaced whole. Whoever changes an entry says which version of it they saw; if another one is
there by now, nothing is overwritten and they are shown that one.

    {"format": "semantic-rl annotations", "format_version": 1, "version": 3,
     "clusters": {"2": {"name": "before a jump", "note": "", "author": "Ada", "time": "2026-01-31T12:00:00Z",
                        "version": 1}},
     "selections": [{"id": "s3", "name": "…", "note": "", "plane": "fdr", "polygon": [[0, 0], …], "count": 12, …}]}

`version` counts the changes of the file; that of an entry is the file's when it was last written.
"""

import fcntl
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

ANNOTATIONS_FORMAT = "semantic-rl annotations"
FORMAT_VERSION = 1
LONGEST = {"name": 80, "note": 4000, "author": 80}
"""Characters."""
MOST_SELECTIONS = 1_000
MOST_BYTES = 50_000_000
"""Of the file."""

Entry = dict[str, Any]
_POINT = re.compile(r"\[\s+(-?[\d.eE+-]+),\s+(-?[\d.eE+-]+)\s+\]")


class Conflict(Exception):
    """Someone else changed the entry in the meantime."""

    def __init__(self, current: Entry | None) -> None:
        super().__init__()
        self.current = current
        """What is there now; None if it was deleted."""


class InvalidText(ValueError):
    """A name, a note or an author that cannot be written; says why in a sentence."""


class Annotations:
    """The annotations of one recording."""

    def __init__(self, recording: Path) -> None:
        self._folder = recording
        self.path = recording / ANNOTATIONS_FILE

    def read(self) -> dict[str, Any]:
        """Return what the file says, empty if there is none; raises UserError if it is damaged, foreign or newer."""
        try:
            # A recording may come from a stranger: a pipe would keep the reader for ever, a huge file fill the memory.
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
        """Return numbers that change when the file does."""
        try:
            found = self.path.stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_size, found.st_ino

    def put_cluster(self, cluster: int, name: str, note: str, author: str, seen: int) -> Entry | None:
        """Name a cluster; without name and note it is as if it had never been named, and None is returned.

        Raises Conflict unless `seen` is the version of the entry that is there, 0 if there is none.
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
        """Keep a selection: its plane, polygon and count; it gets an id."""

        def change(content: dict[str, Any], version: int) -> Entry:
            if len(content["selections"]) >= MOST_SELECTIONS:
                raise InvalidText(f"there are {MOST_SELECTIONS:,} selections already; delete some.")
            entry = {"id": f"s{version}", **_entry({"name": name, "note": note}, author, version, selection)}
            content["selections"].append(entry)
            return entry

        return self._change(change)

    def put_selection(self, id: str, changes: Mapping[str, Any], name: str, note: str, author: str, seen: int) -> Entry:
        """Change a selection; raises Conflict as `put_cluster` does, also if it was deleted."""

        def change(content: dict[str, Any], version: int) -> Entry:
            place = _find(content["selections"], id, seen)
            former = content["selections"][place]
            kept = {key: former[key] for key in ("plane", "polygon", "count") if key in former} | dict(changes)
            entry = {"id": id, **_entry({"name": name, "note": note}, author, version, kept)}
            content["selections"][place] = entry
            return entry

        return self._change(change)

    def delete_selection(self, id: str, seen: int) -> None:
        """Delete a selection; raises Conflict likewise."""

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
        """Keep other threads and processes from writing; the lock is on the folder, so that no file is left behind."""
        try:
            descriptor = os.open(self._folder, os.O_RDONLY)
        except OSError as error:  # the recording was moved or forbidden meanwhile
            raise self._unwritable(error) from error
        try:
            with suppress(OSError):  # storage without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
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
    """Return a text as it is kept: without control characters and outer space; raises InvalidText if it is none."""
    if not isinstance(text, str):
        raise InvalidText(f"{name}: expected a text.")
    kept = without_controls(text) if name == "note" else without_controls(text).replace("\n", " ")
    if len(kept) > LONGEST[name]:
        raise InvalidText(f"{name}: {len(kept):,} characters, at most {LONGEST[name]:,} are kept.")
    return kept


def without_controls(text: str) -> str:
    """Return a text with spaces in place of control characters, lines kept, and without outer space."""
    allowed = "\n\u200d"  # the latter joins the parts of many emoji
    return "".join(sign if sign in allowed or unicodedata.category(sign)[0] != "C" else " " for sign in text).strip()
