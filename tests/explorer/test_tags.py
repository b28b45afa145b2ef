"""Tags of states: kept in annotations.json as the names of clusters are, in whatever words, and never lost."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import semantic_rl
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.export.contents import Exported
from semantic_rl.explorer.export.html_file import write_export
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.recording.store import open_recording
from semantic_rl.recording.store.annotations import Annotations, Conflict
from semantic_rl.recording.store.tag_ranges import joined, num_rows, read_ranges, without

from ..clustering.conftest import SMALL
from ..recording import other_recordings
from .conftest import SETTINGS, WRITE, TestClient, client_of, get_json
from .test_export import blocks_of

ADDRESS = "/api/a/annotations/tags"


@pytest.fixture
def page(make_view: Callable[..., RecordingView]) -> TestClient:
    return client_of(make_view())


@pytest.fixture
def file(page: TestClient, tmp_path: Path) -> Path:
    return tmp_path / "recording-1" / "annotations.json"


def tag(page: TestClient, name: Any, seen: int = 0, **change: Any) -> Any:
    return page.put(ADDRESS, json={"tag": name, "seen": seen, **change}, headers=WRITE)


rows = st.sets(st.integers(0, 60))


def as_ranges(some: set[int]) -> list[tuple[int, int]]:
    return joined([(row, row) for row in some])


def as_rows(ranges: Any) -> set[int]:
    return {row for first, last in ranges for row in range(first, last + 1)}


@settings(max_examples=150, deadline=None)
@given(rows, rows)
def test_ranges_are_sets_of_rows(one: set[int], other: set[int]) -> None:
    assert as_rows(joined([*as_ranges(one), *as_ranges(other)])) == one | other
    left = without(as_ranges(one), as_ranges(other))
    assert as_rows(left) == one - other
    assert left == joined(left)
    assert num_rows(left) == len(one - other)


def test_only_pairs_of_rows_are_ranges() -> None:
    assert read_ranges([[5, 6], [0, 1], [2, 2]]) == [(0, 2), (5, 6)]
    for wrong in (None, {}, [[1]], [[2, 1]], [[-1, 0]], [[0.0, 1]], [[True, 2]], ["01"], [[0, 1, 2]]):
        assert read_ranges(wrong) is None


def test_tags_are_given_and_taken_and_one_without_states_is_gone(page: TestClient, file: Path) -> None:
    first = tag(page, "edge", add=[[3, 5], [9, 9]]).json()["entry"]
    assert (first["states"], first["author"], first["version"]) == ([[3, 5], [9, 9]], "Ada", 1)
    second = tag(page, "edge", 1, add=[[6, 8]], remove=[[3, 3]], author="Grace").json()["entry"]
    assert (second["states"], second["author"]) == ([[4, 9]], "Grace")
    assert get_json(page, "/api/a/annotations")["tags"] == {"edge": second}
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content["format_version"] == 2, "software that knows no tags must not write the file without them"
    assert tag(page, "edge", 2, remove=[[0, 100]]).json() == {"tag": "edge", "entry": None}
    content = json.loads(file.read_text(encoding="utf-8"))
    assert (content["format_version"], "tags" in content, content["version"]) == (1, False, 3)


def test_a_range_is_a_line_of_the_file(page: TestClient, file: Path) -> None:
    tag(page, "edge", add=[[3, 5], [9, 9]])
    assert [line.strip() for line in file.read_text(encoding="utf-8").splitlines()].count("[3, 5],") == 1


def test_names_selections_and_tags_leave_each_other_alone(page: TestClient) -> None:
    tag(page, "edge", add=[[0, 2]])
    page.put("/api/a/annotations/clusters/1", json={"name": "ledge", "seen": 0}, headers=WRITE)
    tag(page, "door", add=[[0, 0]])
    found = get_json(page, "/api/a/annotations")
    assert (sorted(found["tags"]), found["clusters"]["1"]["name"], found["version"]) == (["door", "edge"], "ledge", 3)


def test_of_two_pages_the_second_writer_is_shown_what_the_first_wrote(page: TestClient) -> None:
    first = tag(page, "edge", add=[[1, 1]]).json()["entry"]
    refused = tag(page, "edge", 0, add=[[2, 2]])
    assert (refused.status_code, refused.json()["current"]) == (409, first)
    assert tag(page, "edge", first["version"], add=[[2, 2]]).json()["entry"]["states"] == [[1, 2]]
    assert tag(page, "door", 0, add=[[2, 2]]).status_code == 200, "another tag is no conflict"
    gone = tag(page, "edge", 2, remove=[[1, 2]])
    assert gone.status_code == 200
    late = tag(page, "edge", 2, add=[[7, 7]])
    assert (late.status_code, late.json()["current"]) == (409, None)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  on   the\nedge ", "on the edge"),
        ("Kante", "Kante"),
        ("e\u0301", "é"),
        ("壁际", "壁际"),
        ("حافة", "حافة"),
        ("👩‍🚀", "👩‍🚀"),
        ("__proto__", "__proto__"),
        ('a "b" \\ c', 'a "b" \\ c'),
        ("a\u202eb\x00c", "a b c"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
    ],
)
def test_tags_may_be_any_text(page: TestClient, file: Path, given: str, kept: str) -> None:
    tag(page, given, add=[[1, 1]])
    assert list(get_json(page, "/api/a/annotations")["tags"]) == [kept]
    assert list(Annotations(file.parent).read()["tags"]) == [kept]


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("", {}, "tag: it needs a name"),
        (" \n", {}, "tag: it needs a name"),
        (None, {}, "tag: expected a text"),
        ("x" * 41, {}, "tag: 41 characters, at most 40"),
        ("x", {"add": [[0, 10**9]]}, "add: expected pairs of a first and a last row below"),
        ("x", {"remove": "all"}, "remove: expected pairs"),
        ("x", {"add": [[2, 1]]}, "add: expected pairs"),
        ("x", {"seen": None}, "seen: expected the version"),
        ("x", {"author": 7}, "author: expected a text"),
    ],
)
def test_a_tag_that_cannot_be_is_refused(page: TestClient, file: Path, name: Any, change: Any, words: str) -> None:
    content = {"tag": name, "seen": 0, "add": [[1, 1]], **change}
    response = page.put(ADDRESS, json=content, headers=WRITE)
    assert response.status_code == 400
    assert words in response.json()["error"]
    assert not file.exists()


def test_more_tags_or_runs_than_a_file_should_hold_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    annotations = Annotations(tmp_path)
    monkeypatch.setattr("semantic_rl.recording.store.annotations.MOST_TAGS", 2)
    monkeypatch.setattr("semantic_rl.recording.store.annotations.MOST_RANGES", 3)
    for name in ("a", "b"):
        annotations.put_tag(name, [(1, 1)], [], "", 0)
    with pytest.raises(ValueError, match="2 tags already"):
        annotations.put_tag("c", [(1, 1)], [], "", 0)
    with pytest.raises(ValueError, match="4 states in 4 separate runs, at most 3"):
        annotations.put_tag("a", [(row, row) for row in (3, 5, 7)], [], "", 1)
    assert annotations.read()["tags"]["a"]["states"] == [[1, 1]]


HEAD = '{"format": "semantic-rl annotations", "version": 1, "clusters": {}, "selections": []'


@pytest.mark.parametrize(
    "rest",
    [
        ', "format_version": 3}',
        ', "format_version": 2, "tags": []}',
        ', "format_version": 2, "tags": {"a": 3}}',
        ', "format_version": 2, "tags": {"a": {"version": 1}}}',
        ', "format_version": 2, "tags": {"a": {"version": 1, "states": [[1]]}}}',
        ', "format_version": 2, "tags": {"a": {"version": 1, "states": [[3, 1]]}}}',
        ', "format_version": 2, "tags": {"a": {"states": [[1, 3]]}}}',
    ],
)
def test_a_file_of_a_later_format_or_a_damaged_one_is_said_and_never_overwritten(
    page: TestClient, file: Path, rest: str
) -> None:
    file.write_text(HEAD + rest, encoding="utf-8")
    response = tag(page, "edge", add=[[1, 1]])
    assert (response.status_code, "annotations.json" in response.json()["error"]) == (422, True)
    assert page.get("/api/a/annotations").status_code == 422
    assert file.read_text(encoding="utf-8") == HEAD + rest


def test_a_file_of_before_there_were_tags_opens_and_takes_one(page: TestClient, file: Path) -> None:
    file.write_text(HEAD + ', "format_version": 1}', encoding="utf-8")
    assert get_json(page, "/api/a/annotations")["tags"] == {}
    assert tag(page, "edge", add=[[1, 1]]).status_code == 200


def test_tags_are_of_states_whatever_clustering_is_shown(tmp_path: Path) -> None:
    recording = other_recordings.pendulum(tmp_path / "swing", frame_size=0)
    plain = RecordingView(Explored(recording, SETTINGS), "Ada")
    tag(client_of(plain), "high", add=[[0, 1]])
    semantic_rl.fit(recording, num_codes=2, name="mine", baselines=False, **SMALL)
    again = RecordingView(Explored(open_recording(recording.path), SETTINGS), "Ada")
    client = client_of(again)
    assert again.annotations.path != again.tags.path
    client.put("/api/a/annotations/clusters/1", json={"name": "up", "seen": 0}, headers=WRITE)
    tag(client, "high", 1, add=[[2, 2]])
    found = get_json(client, "/api/a/annotations")
    assert (found["tags"]["high"]["states"], found["clusters"]["1"]["name"]) == ([[0, 2]], "up")
    assert found["version"] == 3, "it grows whichever of the files changes"
    assert Annotations(recording.path).read()["clusters"] == {}


def test_an_export_has_the_tags(page: TestClient, make_view: Callable[..., RecordingView], tmp_path: Path) -> None:
    tag(page, "edge", add=[[1, 4]])
    view = RecordingView(Explored(open_recording(tmp_path / "recording-1"), SETTINGS), "Ada")
    write_export(Exported(view, 0), tmp_path / "page.html")
    found = json.loads(blocks_of((tmp_path / "page.html").read_text(encoding="utf-8"))["a-annotations"])
    assert found["tags"]["edge"]["states"] == [[1, 4]]


TAG_MANY = """
import sys
from pathlib import Path
from semantic_rl.recording.store.annotations import Annotations, Conflict
annotations, first, written = Annotations(Path(sys.argv[1])), int(sys.argv[2]), 0
while written < 12:
    seen = annotations.read()["tags"].get("edge", {"version": 0})["version"]
    try:
        annotations.put_tag("edge", [(first + 2 * written, first + 2 * written)], [], "", seen)
        written += 1
    except Conflict:
        pass
"""


def test_processes_that_tag_at_once_lose_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    processes = [
        subprocess.Popen([sys.executable, "-c", TAG_MANY, str(tmp_path), first], env=environment)
        for first in ("0", "100", "200")
    ]
    assert [process.wait() for process in processes] == [0, 0, 0]
    found = Annotations(tmp_path).read()["tags"]["edge"]
    assert as_rows(found["states"]) == {first + 2 * row for first in (0, 100, 200) for row in range(12)}
    with pytest.raises(Conflict):
        Annotations(tmp_path).put_tag("edge", [(1, 1)], [], "", 0)
