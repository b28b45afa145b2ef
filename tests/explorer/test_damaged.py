"""Recordings that are damaged inside: an error in a sentence, at once or where the damage is met."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from semantic_rl.errors import UserError
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.open_recordings import open_view
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.recording.store import Recording, open_recording

from .conftest import SETTINGS, client_of, get

ZSTD_MAGIC = bytes.fromhex("28b52ffd")


def spoil(recording: Recording, column: str, headers: bool = False) -> Path:
    """Overwrite where the pages of a column of the states begin: their values, or with `headers` all of them."""
    path = recording.path / "states.parquet"
    group = pq.ParquetFile(path).metadata.row_group(0)
    columns = [group.column(index) for index in range(group.num_columns)]
    found = next(chunk for chunk in columns if chunk.path_in_schema.startswith(column))
    content = bytearray(path.read_bytes())
    begin = found.dictionary_page_offset or found.data_page_offset
    chunk = content[begin : begin + found.total_compressed_size]
    spoiled = bytes(byte ^ 0x5A for byte in chunk) if headers else chunk.replace(ZSTD_MAGIC, bytes(4))
    assert spoiled != chunk
    content[begin : begin + len(chunk)] = spoiled
    path.write_bytes(content)
    return recording.path


@pytest.mark.parametrize("column", ["episode", "value", "code_distance", "embedding_x"])
def test_a_column_that_is_shown_at_once_is_refused_at_once(
    make_view: Callable[..., RecordingView], column: str
) -> None:
    path = spoil(make_view().explored.recording, column)
    with pytest.raises(UserError, match="a table is damaged"):
        Explored(open_recording(path, with_frames=False), SETTINGS)


@pytest.mark.parametrize("column", ["value", "features"])
def test_pages_that_do_not_say_how_large_they_are_are_refused_when_the_recording_is_opened(
    make_view: Callable[..., RecordingView], column: str
) -> None:
    path = spoil(make_view().explored.recording, column, headers=True)
    with pytest.raises(UserError, match=r"states\.parquet is damaged: .* restore the recording or record again"):
        open_recording(path, with_frames=False)


def test_a_column_that_is_needed_later_is_refused_then(make_view: Callable[..., RecordingView]) -> None:
    path = spoil(make_view().explored.recording, "features")
    client = client_of(RecordingView(Explored(open_recording(path, with_frames=False), SETTINGS)))
    assert get(client, "/api/recordings").status_code == 200
    assert get(client, "/api/a/column/fdr").status_code == 200
    response = get(client, "/api/a/column/pca")
    assert response.status_code == 422
    assert "cannot be read" in response.json()["error"]


def test_a_strangers_recording_has_nothing_written_elsewhere(
    make_view: Callable[..., RecordingView], tmp_path: Path
) -> None:
    path = make_view().explored.recording.path
    (tmp_path / "mine").mkdir()
    (path / "derived").symlink_to(tmp_path / "mine")
    with pytest.raises(UserError, match="derived is a link"):
        open_view(path, "a", SETTINGS)
    assert not list((tmp_path / "mine").iterdir())
