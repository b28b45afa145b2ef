"""Names and notes: nobody's are lost, the file is fit for git, and texts are texts."""

import difflib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semantic_rl.errors import UserError
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.recording.store.annotations import Annotations
from semantic_rl.recording.store.names import cluster_names

from .conftest import WRITE, TestClient, ask_inside, client_of, get_json

SHAPE = {"plane": "fdr", "polygon": [[0, -9], [9, -9], [9, 9], [0, 9]]}
EMPTY: dict[str, Any] = {"version": 0, "clusters": {}, "selections": [], "tags": {}}


@pytest.fixture
def page(make_view: Callable[..., RecordingView]) -> TestClient:
    return client_of(make_view())


@pytest.fixture
def folder(page: TestClient, tmp_path: Path) -> Path:
    return tmp_path / "recording-1"


def put(page: TestClient, cluster: int, seen: int, **texts: str) -> Any:
    content = {"name": "", "note": "", "author": "", **texts, "seen": seen}
    return page.put(f"/api/a/annotations/clusters/{cluster}", json=content, headers=WRITE)


def test_a_name_is_kept_with_author_time_and_version(page: TestClient, folder: Path) -> None:
    assert get_json(page, "/api/a/annotations") == {**EMPTY, "author": "Ada"}
    entry = put(page, 2, 0, name="before a jump", note="looks left\nthen right", author="Grace").json()
    assert entry["version"] == 1
    assert entry["author"] == "Grace"
    assert entry["time"].endswith("Z")
    assert get_json(page, "/api/a/annotations")["clusters"] == {"2": entry}
    assert Annotations(folder).read()["clusters"] == {"2": entry}
    assert cluster_names(folder) == {2: "before a jump"}
    assert put(page, 2, 1, name="jump").json()["author"] == "Ada", "who is not named signs as whoever runs the server"


def test_of_two_pages_the_second_writer_is_shown_what_the_first_wrote(page: TestClient) -> None:
    first = put(page, 1, 0, name="mine").json()
    refused = put(page, 1, 0, name="yours")
    assert refused.status_code == 409
    assert refused.json()["current"] == first
    assert put(page, 1, first["version"], name="ours").json()["name"] == "ours"
    assert put(page, 0, 0, name="elsewhere").status_code == 200, "another entry is no conflict"


def test_a_name_that_is_emptied_is_gone_and_its_absence_is_a_version_too(page: TestClient) -> None:
    version = put(page, 3, 0, name="ledge").json()["version"]
    assert put(page, 3, version).json()["version"] == 0
    assert get_json(page, "/api/a/annotations")["clusters"] == {}
    refused = put(page, 3, version, name="late")
    assert (refused.status_code, refused.json()["current"]) == (409, None)


def test_selections_are_kept_counted_changed_and_deleted(page: TestClient, folder: Path) -> None:
    inside = ask_inside(page, SHAPE).json()["count"]
    made = page.post("/api/a/annotations/selections", json={"name": "right half", **SHAPE, "count": -1}, headers=WRITE)
    assert made.status_code == 201
    entry = made.json()
    assert entry["count"] == inside > 0
    assert entry["polygon"] == SHAPE["polygon"]
    by_id = ask_inside(page, {"selection": entry["id"]}).json()
    assert by_id["count"] == inside
    address = f"/api/a/annotations/selections/{entry['id']}"
    renamed = page.put(address, json={"name": "east", "seen": entry["version"]}, headers=WRITE).json()
    assert (renamed["name"], renamed["polygon"], renamed["id"]) == ("east", entry["polygon"], entry["id"])
    assert page.delete(f"{address}?seen={entry['version']}", headers=WRITE).status_code == 409
    assert page.delete(f"{address}?seen={renamed['version']}", headers=WRITE).status_code == 200
    assert page.put(address, json={"name": "gone", "seen": renamed["version"]}, headers=WRITE).status_code == 409
    assert page.post("/api/a/inside", json={"selection": entry["id"]}, headers=WRITE).status_code == 404
    assert Annotations(folder).read()["selections"] == []


def test_a_deleted_selection_comes_back_under_its_id_and_no_other_takes_it(page: TestClient, folder: Path) -> None:
    address = "/api/a/annotations/selections"

    def add(**content: Any) -> dict[str, Any]:
        return page.post(
            address, json={"name": "east", "note": "of the wall", **SHAPE, **content}, headers=WRITE
        ).json()

    first = add()
    page.delete(f"{address}/{first['id']}?seen={first['version']}", headers=WRITE)
    back = add(former=first["id"])
    assert (back["id"], back["note"], back["count"]) == (first["id"], "of the wall", first["count"])
    assert add(former=first["id"])["id"] != first["id"], "it is there"
    for never in ("s99", "../x", "", 7, None):
        assert add(former=never)["id"] not in (never, first["id"])
    ids = [entry["id"] for entry in Annotations(folder).read()["selections"]]
    assert len(set(ids)) == len(ids) == 7


def test_the_file_changes_by_the_lines_of_an_entry(page: TestClient, folder: Path) -> None:
    put(page, 0, 0, name="a")
    put(page, 2, 0, name="b")
    before = (folder / "annotations.json").read_text().splitlines()
    put(page, 1, 0, name="between")
    after = (folder / "annotations.json").read_text().splitlines()
    changed = [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
    assert len(changed) == 9, "two lines for the version, seven for the entry"
    page.post("/api/a/annotations/selections", json={"name": "s", **SHAPE}, headers=WRITE)
    lines = [line.strip() for line in (folder / "annotations.json").read_text().splitlines()]
    assert lines.count("[0.0, -9.0],") == 1, "a point is a line"
    assert not list(folder.glob("*.tmp"))


def test_texts_are_texts(page: TestClient) -> None:
    name = "<img src=x onerror=alert(1)> ‮evil\x00 👩‍🚀"
    entry = put(page, 0, 0, name=name).json()
    assert entry["name"] == "<img src=x onerror=alert(1)>  evil  👩‍🚀"
    response = page.get("/api/a/annotations")
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"name": "x" * 81, "seen": 0}, "name: 81 characters, at most 80"),
        ({"note": "x" * 4001, "seen": 0}, "note: 4,001 characters"),
        ({"name": 3, "seen": 0}, "name: expected a text"),
        ({"name": "x"}, "seen: expected the version"),
        ({"name": "x", "seen": True}, "seen: expected the version"),
        ({"name": "x", "seen": -1}, "seen: expected the version"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(page: TestClient, folder: Path, content: Any, words: str) -> None:
    response = page.put("/api/a/annotations/clusters/0", json=content, headers=WRITE)
    assert response.status_code == 400
    assert words in response.json()["error"]
    assert not (folder / "annotations.json").exists()


def test_a_cluster_that_does_not_exist_has_no_name(page: TestClient) -> None:
    assert put(page, 4, 0, name="x").status_code == 404


def test_a_selection_needs_a_name_and_a_shape(page: TestClient) -> None:
    for content in (SHAPE, {"name": "x"}, {"name": "x", **SHAPE, "polygon": [[0, 0]]}):
        assert page.post("/api/a/annotations/selections", json=content, headers=WRITE).status_code == 400


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"format": "other"}',
        '{"format": "semantic-rl annotations", "format_version": 3, "version": 1, "clusters": {}, "selections": []}',
        '{"format": "semantic-rl annotations", "format_version": 1, "version": 1, "clusters": {"a": {}}}',
        '{"format": "semantic-rl annotations", "format_version": 1, "version": 1, "clusters": {"0": {"name": 3, '
        '"version": 1}}, "selections": []}',
    ],
)
def test_a_damaged_file_is_said_and_never_overwritten(page: TestClient, folder: Path, content: str) -> None:
    file = folder / "annotations.json"
    file.write_text(content)
    assert page.get("/api/a/annotations").status_code == 422
    response = put(page, 0, 0, name="x")
    assert response.status_code == 422
    assert "annotations.json" in response.json()["error"]
    assert file.read_text() == content


def test_a_file_that_cannot_be_written_is_said(page: TestClient, folder: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))  # as on a full disk; keeps even root from writing
    try:
        response = put(page, 0, 0, name="x")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert response.status_code == 422
    assert "cannot be written" in response.json()["error"]
    assert not list(folder.glob("*annotations*"))
    assert not list(folder.glob(".*"))


def test_a_link_in_a_strangers_recording_is_not_written_through(page: TestClient, folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("precious")
    for name in ("annotations.json", "annotations.json.tmp"):
        (folder / name).symlink_to(mine)
    assert put(page, 0, 0, name="x").status_code == 422, "what is there is not ours"
    (folder / "annotations.json").unlink()
    assert put(page, 0, 0, name="x").status_code == 200
    assert mine.read_text() == "precious"
    assert not (folder / "annotations.json").is_symlink()


WRITE_MANY = """
import sys
from pathlib import Path
from semantic_rl.recording.store.annotations import Annotations, Conflict
annotations, cluster, written = Annotations(Path(sys.argv[1])), sys.argv[2], 0
while written < 15:
    seen = annotations.read()["clusters"].get(cluster, {"version": 0})["version"]
    try:
        annotations.put_cluster(int(cluster), str(written), "", "", seen)
        written += 1
    except Conflict:
        pass
"""


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITE_MANY, str(tmp_path), cluster], env=environment)
        for cluster in ("0", "0", "1", "2")
    ]
    assert [process.wait() for process in processes] == [0, 0, 0, 0]
    found = Annotations(tmp_path).read()
    assert found["version"] == 60, "each write was counted"
    assert set(found["clusters"]) == {"0", "1", "2"}


def test_a_full_disk_leaves_the_old_file(page: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(page, 0, 0, name="kept")
    before = (folder / "annotations.json").read_bytes()

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(UserError, match="No space left on device; the change is not kept"):
        Annotations(folder).put_cluster(0, "lost", "", "", 1)
    assert (folder / "annotations.json").read_bytes() == before
    assert not list(folder.glob("*.tmp"))


def test_the_file_is_json_with_its_format(page: TestClient, folder: Path) -> None:
    put(page, 0, 0, name="x")
    content = json.loads((folder / "annotations.json").read_text())
    assert (content["format"], content["format_version"], content["version"]) == ("semantic-rl annotations", 1, 1)
