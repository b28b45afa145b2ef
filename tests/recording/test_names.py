"""What people wrote about clusters, as report, figures and clips read it."""

import json
from pathlib import Path

import pytest

from semantic_rl.errors import UserError
from semantic_rl.recording.store.annotations import Annotations
from semantic_rl.recording.store.names import ClusterNote, cluster_names, cluster_notes, notes_if_readable, shortened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written = Annotations(tmp_path)
    written.put_cluster(2, "before a jump", "Waits.\nThen jumps.", "Ada", 0)
    written.put_cluster(0, "", "only a note", "", 0)
    return tmp_path


def test_notes_have_names_authors_and_dates(folder: Path) -> None:
    notes = cluster_notes(folder)
    assert set(notes) == {0, 2}
    assert notes[2][:3] == ("before a jump", "Waits.\nThen jumps.", "Ada")
    assert len(notes[2].date) == len("2026-01-31")
    assert cluster_names(folder) == {2: "before a jump"}


def test_without_a_file_there_are_none(tmp_path: Path) -> None:
    assert cluster_notes(tmp_path) == {}


def test_what_was_edited_by_hand_has_no_control_characters(folder: Path) -> None:
    content = json.loads((folder / "annotations.json").read_text())
    content["clusters"] = {"1": {"name": "a\x00b\n\x1b[31mc", "note": "\ttext\n", "version": 1}}
    (folder / "annotations.json").write_text(json.dumps(content))
    assert cluster_notes(folder) == {1: ClusterNote("a b [31mc", "text", "", "")}


@pytest.mark.parametrize("key", ["-1", "x", "²", "9" * 5000])
def test_a_damaged_file_is_named_and_the_rest_goes_on(
    folder: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    content = json.loads((folder / "annotations.json").read_text())
    content["clusters"] = {key: {"name": "a", "version": 1}}
    (folder / "annotations.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="expected a number of a cluster as its name; mend it, or move it") as refusal:
        cluster_notes(folder)
    assert len(str(refusal.value)) < 400
    assert notes_if_readable(folder) == {}
    said = capsys.readouterr().err
    assert "without the names" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b'{"format": "\\ud800"}', b"\xff\xfe", b'{"format": NaN}', b"[]", b'{"format": "other"}',
     b'{"format": "semantic-rl annotations", "format_version": 1, "clusters": {}, "selections": [3], "version": 1}',
     b'{"format": "semantic-rl annotations", "format_version": 1, "clusters": {"1": {"version": 1, "name": 7}}}'],
)  # fmt: skip
def test_a_file_that_no_reader_of_json_takes_is_refused_in_one_line(folder: Path, content: bytes) -> None:
    (folder / "annotations.json").write_bytes(content)
    with pytest.raises(UserError, match="mend it, or move it away to start anew") as refusal:
        cluster_notes(folder)
    assert "\n" not in str(refusal.value)


def test_long_texts_end_in_an_ellipsis() -> None:
    assert shortened("short", 5) == "short"
    assert shortened("rather long", 8) == "rather…"
