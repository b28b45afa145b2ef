"""Users' names and notes for clusters, saved selections, and tags of states: `annotations.json` in the recording.

The file is laid out for git: one value per line, in a fixed order. Before every change it is read again, under a lock
that other processes respect, and then replaced atomically. A change states which version of the entry its author saw;
if the entry has changed since, nothing is overwritten and the current entry is returned with the error.


    {"format": "semantic-rl annotations", "format_version": 1, "version": 3,
     "clusters": {"2": {"name": "before a jump", "note": "", "author": "Ada", "time": "2026-01-31T12:00:00Z",
                        "version": 1}},
     "selections": [{"id": "s3", "name": "…", "note": "", "plane": "fdr", "polygon": [[0, 0], …], "count": 12, …}],
     "tags": {"edge": {"states": [[12, 15], [40, 40]], "author": "Ada", "time": "…", "version": 3}}}

`version` counts the changes of the file; an entry's `version` is the file's version when the entry was last written.
Rows of tagged states are ranges, with first and last row. A file with tags has `format_version` 2, so that a version of
semantic-rl that knows no tags refuses the file instead of dropping them; one without has 1, as ever.
"""

import json
import os
import re
import unicodedata
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from semantic_rl.artifacts import ANNOTATIONS_FILE
from semantic_rl.atomic_write import whole_file
from semantic_rl.errors import UserError
from semantic_rl.file_lock import HAS_LOCKS, lock
from semantic_rl.input_places import kind_of
from semantic_rl.json_files import JsonObject, read_json_object
from semantic_rl.recording.store.tag_ranges import MOST_RANGES, Range, joined, num_rows, read_ranges, without

ANNOTATIONS_FORMAT = "semantic-rl annotations"
FORMAT_VERSION, WITHOUT_TAGS = 2, 1
LONGEST = {"name": 80, "note": 4000, "author": 80, "tag": 40}
"""Longest accepted texts, in characters."""
MOST_SELECTIONS = 1_000
MOST_TAGS = 200
WAY_OUT = "mend it, or move it away to start anew."

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
        if kind_of(self.path, "annotations") is None:
            return {"version": 0, "clusters": {}, "selections": [], "tags": {}}
        content = read_json_object(self.path, WAY_OUT)
        if content.text("format") != ANNOTATIONS_FORMAT:
            content.wrong("format", f"'{ANNOTATIONS_FORMAT}'")
        if content.integer("format_version") > FORMAT_VERSION:
            raise UserError(f"{self.path} was written by a newer semantic-rl; update semantic-rl.")
        clusters = content.object("clusters")
        for number in clusters:
            if not _is_number(number):
                clusters.wrong(number, "a number of a cluster as its name")
            _check_entry(clusters.object(number))
        for selection in content.objects("selections"):
            _check_entry(selection)
        tags = _read_tags(content.object("tags")) if "tags" in content else {}
        version = content.integer("version")
        return {"version": version, "clusters": content["clusters"], "selections": content["selections"], "tags": tags}

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

    def add_selection(
        self, selection: Mapping[str, Any], name: str, note: str, author: str, former: str | None = None
    ) -> Entry:
        """Save a selection (its plane, polygon and count) under a new id, or under that of a deleted one.

        `former` is such an id; it is given again only if this file gave it before and no selection has it now.
        """

        def change(content: dict[str, Any], version: int) -> Entry:
            if len(content["selections"]) >= MOST_SELECTIONS:
                raise InvalidText(f"there are {MOST_SELECTIONS:,} selections already; delete some.")
            taken = {entry.get("id") for entry in content["selections"]}
            earlier = (f"s{number}" for number in range(1, version))
            id = former if former is not None and former not in taken and former in earlier else f"s{version}"
            entry = {"id": id, **_entry({"name": name, "note": note}, author, version, selection)}
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

    def put_tag(self, tag: str, add: list[Range], remove: list[Range], author: str, seen: int) -> Entry | None:
        """Give a tag to states and take it from others; if none is left with it, the tag is gone and None is returned.

        Raises Conflict as `put_cluster` does.
        """

        def change(content: dict[str, Any], version: int) -> Entry | None:
            name = clean_tag(tag)
            if not name:
                raise InvalidText("tag: it needs a name.")
            tags = content["tags"]
            former = tags.get(name)
            _same(former, seen)
            before = [(first, last) for first, last in former["states"]] if former else []
            states = without(joined([*before, *add]), joined(remove))
            if len(states) > MOST_RANGES:
                raise InvalidText(
                    f"tag: {num_rows(states):,} states in {len(states):,} separate runs, at most {MOST_RANGES:,} runs "
                    "are kept; a filter or a saved selection can hold more."
                )
            if not states:
                tags.pop(name, None)
                return None
            if former is None and len(tags) >= MOST_TAGS:
                raise InvalidText(f"tag: there are {MOST_TAGS} tags already; remove some.")
            tags[name] = _entry({}, author, version, {"states": [list(pair) for pair in states]})
            return tags[name]

        return self._change(change)

    def _change[Result](self, change: Callable[[dict[str, Any], int], Result]) -> Result:
        with self._locked():
            content = self.read()
            version = content["version"] + 1
            result = change(content, version)
            clusters = dict(sorted(content["clusters"].items(), key=lambda item: int(item[0])))
            tags = dict(sorted(content["tags"].items()))
            format_version = FORMAT_VERSION if tags else WITHOUT_TAGS
            head = {"format": ANNOTATIONS_FORMAT, "format_version": format_version, "version": version}
            last = {"tags": tags} if tags else {}
            self._write({**head, "clusters": clusters, "selections": content["selections"], **last})
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


def _check_entry(entry: JsonObject) -> None:
    """Raise UserError unless the texts of an entry are texts; what else a selection holds is for the page."""
    for name in ("name", "note", "author", "time"):
        entry.text(name, "")
    entry.integer("version")


def _read_tags(tags: JsonObject) -> dict[str, Entry]:
    """Return the tags with their states in order; raises UserError if they are damaged."""
    found: dict[str, Entry] = {}
    for name in tags:
        entry = tags.object(name)
        _check_entry(entry)
        states = read_ranges(entry.get("states"))
        if states is None or len(states) > MOST_RANGES:
            entry.wrong("states", f"at most {MOST_RANGES:,} pairs of a first and a last row")
        found[name] = {**entry, "states": [list(pair) for pair in states]}
    return found


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


def clean_tag(text: object) -> str:
    """Return a tag as it is stored: as `clean`, in Unicode's composed form, with single spaces."""
    return clean("tag", unicodedata.normalize("NFC", " ".join(clean("tag", text).split())))


def without_controls(text: str) -> str:
    """Replace control characters by spaces, except line breaks, and strip outer whitespace."""
    allowed = "\n\u200d"  # U+200D joins the parts of many emoji
    return "".join(sign if sign in allowed or unicodedata.category(sign)[0] != "C" else " " for sign in text).strip()
