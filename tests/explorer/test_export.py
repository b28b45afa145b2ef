"""One file that holds what the server would answer, loads nothing, and is no larger than it must be."""

import base64
import gzip
import hashlib
import io
import json
import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from semantic_rl.analysis.effect_sizes import draws_of
from semantic_rl.cli import main
from semantic_rl.errors import UserError
from semantic_rl.explorer.export.contents import Exported
from semantic_rl.explorer.export.episode_sample import choose_episodes
from semantic_rl.explorer.export.html_file import check_place, write_export
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.recording.store import Recording

from .conftest import SETTINGS, TestClient, get, get_json, meta_of

BLOCK = re.compile(r'<script type="application/octet-stream\+base64" id="data-([\w-]+)">([^<]*)</script>')


def blocks_of(page: str) -> dict[str, bytes]:
    found = {name: base64.b64decode(content) for name, content in BLOCK.findall(page)}
    return {name: content if name.endswith("-frames") else gzip.decompress(content) for name, content in found.items()}


def frames_of(content: bytes) -> dict[int, bytes]:
    (count,) = struct.unpack_from("<I", content)
    rows = struct.unpack_from(f"<{count}I", content, 4)
    sizes = struct.unpack_from(f"<{count}I", content, 4 + 4 * count)
    start = 4 + 8 * count
    found: dict[int, bytes] = {}
    for row, size in zip(rows, sizes, strict=True):
        found[row] = content[start : start + size]
        start += size
    assert start == len(content)
    return found


@pytest.fixture(scope="module")
def page(real_view: RecordingView, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The real recording in a file, with 300 frames."""
    path = tmp_path_factory.mktemp("export") / "page.html"
    for name in ("tsne", "pca"):
        real_view.explored.plane(name)
    write_export(Exported(real_view, 300), path)
    return path.read_text()


def test_blocks_are_what_the_server_answers(page: str, client: TestClient) -> None:
    blocks = blocks_of(page)
    meta = meta_of(client)
    told = json.loads(blocks["recordings"])["recordings"][0]
    assert {**told, "frames": "all", "columns": []} == {**meta, "frames": "all", "columns": []}
    left_out = {column["name"] for column in meta["columns"]} - {column["name"] for column in told["columns"]}
    assert left_out == {"row", "episode"}, "all states are points: both follow from the episodes"
    for column in told["columns"]:
        assert blocks[f"a-column-{column['name']}"] == get(client, f"/api/a/column/{column['name']}").content
    for name in ("episodes", "transitions"):
        assert json.loads(blocks[f"a-{name}"]) == get_json(client, f"/api/a/{name}")
    means = json.loads(blocks["a-means"])
    assert base64.b64decode(means["3"]) == get(client, "/api/a/mean/3").content
    for number, episode in json.loads(blocks["a-details"]).items():
        assert episode == get_json(client, f"/api/a/episode/{number}")


def test_the_draws_of_episodes_are_those_of_the_server(page: str, real_view: RecordingView) -> None:
    content = blocks_of(page)["a-draws"]
    units, draws = struct.unpack_from("<II", content)
    episodes = len(real_view.explored.episodes.length)
    expected = draws_of(episodes, real_view.explored.settings.seed)
    np.testing.assert_array_equal(np.frombuffer(content, np.uint8, episodes, 8), expected.unit)
    counts = np.frombuffer(content, np.uint8, offset=8 + episodes).reshape(draws, units)
    np.testing.assert_array_equal(counts, expected.counts)


def test_frames_are_of_whole_episodes_and_of_the_cards(page: str, real_recording: Recording) -> None:
    blocks = blocks_of(page)
    frames = frames_of(blocks["a-frames"])
    assert list(frames) == sorted(frames)
    episodes = real_recording.episodes
    chosen = [int(number) for number in json.loads(blocks["a-details"])]
    whole = {row for number in chosen for row in _rows(episodes.row(number, named=True))}
    assert 200 < len(whole) <= 300
    cards = json.loads(blocks["a-clusters"])["clusters"]
    on_cards = {row for card in cards for row in (card["medoid"], *card["typical"])}
    assert set(frames) == whole | on_cards
    for row in list(frames)[::50]:
        picture = np.asarray(Image.open(io.BytesIO(frames[row])).convert("RGB")).astype(float)
        assert np.abs(picture - real_recording.frame(row)).mean() < 6
    text = json.loads(blocks["recordings"])["exported"]["frames_text"]
    assert f"the frames of {len(frames)} of 1,5" in text
    assert f"{len(chosen)} whole episodes" in text


def _rows(episode: dict[str, Any]) -> range:
    return range(episode["first_row"], episode["first_row"] + episode["num_rows"])


def test_clips_and_lists_play_frames_that_are_in_the_file(page: str) -> None:
    blocks = blocks_of(page)
    frames = frames_of(blocks["a-frames"])
    for card in json.loads(blocks["a-clusters"])["clusters"]:
        assert all(row in frames for first, count in card["clip"] for row in range(first, first + count))
    lists = [*json.loads(blocks["a-playlists"]).values(), *json.loads(blocks["a-moves"]).values()]
    items = [item for found in lists for item in found["items"]]
    assert len(items) > 20
    for item in items:
        assert all(row in frames for row in range(item["first"], item["last"] + 1))
        assert item.get("other", item["row"]) in frames
    assert all(len(found["items"]) <= 20 for found in lists)


def test_the_file_loads_nothing_from_elsewhere(page: str) -> None:
    outside = BLOCK.sub("", page)
    policy = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">', outside)
    assert len(policy) == 1
    assert policy[0].startswith("default-src 'none'")
    assert outside.index("Content-Security-Policy") < outside.index("<style")
    assert not re.findall(r"<(?:script|img|link|iframe)[^>]+(?:src|href)=", outside)
    assert "unsafe" not in policy[0]
    script = re.findall(r"<script>(.*?)</script>", outside, re.DOTALL)
    style = re.findall(r"<style>(.*?)</style>", outside, re.DOTALL)
    assert len(script) == len(style) == 1
    for text in (script[0], style[0]):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[0]
    places = [page.index(f'id="data-{name}"') for name in ("recordings", "a-column-fdr", "a-column-cluster")]
    assert max(places) < page.index("<script>") < page.index('id="data-a-episodes"'), "what the map needs comes first"


def test_without_frames_the_file_is_small_and_lists_are_of_everything(
    real_view: RecordingView, tmp_path: Path, client: TestClient
) -> None:
    path = tmp_path / "page.html"
    write_export(Exported(real_view, 0), path)
    blocks = blocks_of(path.read_text())
    assert "a-frames" not in blocks
    assert json.loads(blocks["a-details"]) == {}
    assert json.loads(blocks["recordings"])["exported"]["frames_text"].startswith("This file holds no frames")
    failures = get_json(client, "/api/a/playlist/failures?limit=20")
    assert json.loads(blocks["a-playlists"])["failures"] == failures
    assert path.stat().st_size < 700_000


def test_a_plane_that_was_not_computed_is_left_out_and_said(
    make_view: Callable[..., RecordingView], tmp_path: Path
) -> None:
    view = make_view()
    write_export(Exported(view, 0), tmp_path / "page.html")
    blocks = blocks_of((tmp_path / "page.html").read_text())
    assert "a-column-tsne" not in blocks
    meta = json.loads(blocks["recordings"])["recordings"][0]
    assert "tsne" not in [column["name"] for column in meta["columns"]]
    assert "not been computed" in meta["planes"][1]["why_not"]


def test_a_sample_of_states_carries_its_rows(make_view: Callable[..., RecordingView], tmp_path: Path) -> None:
    view = make_view(SETTINGS._replace(max_points=100))
    write_export(Exported(view, 0), tmp_path / "page.html")
    blocks = blocks_of((tmp_path / "page.html").read_text())
    np.testing.assert_array_equal(np.frombuffer(blocks["a-column-row"], "<u4"), view.explored.shown)


def test_ppo_can_be_exported(make_view: Callable[..., RecordingView], tmp_path: Path) -> None:
    view = make_view(num_codes=0)
    write_export(Exported(view, 100), tmp_path / "page.html")
    blocks = blocks_of((tmp_path / "page.html").read_text())
    assert json.loads(blocks["a-clusters"])["clusters"] == []
    assert set(json.loads(blocks["a-playlists"])) == {"failures", "highest_value", "lowest_value", "value_drops"}
    assert len(frames_of(blocks["a-frames"])) > 0


def test_notes_are_in_the_file_and_cannot_end_its_blocks(
    make_view: Callable[..., RecordingView], tmp_path: Path
) -> None:
    view = make_view()
    view.annotations.put_cluster(0, "</script><script>alert(1)</script>", "", "Ada", 0)
    write_export(Exported(view, 0), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "alert(1)" not in page
    name = json.loads(blocks_of(page)["a-annotations"])["clusters"]["0"]["name"]
    assert name == "</script><script>alert(1)</script>"


def test_a_file_of_another_kind_is_never_overwritten(make_view: Callable[..., RecordingView], tmp_path: Path) -> None:
    path = tmp_path / "thesis.html"
    path.write_text("<html>mine</html>")
    exported = Exported(make_view(), 0)
    with pytest.raises(UserError, match="exists and is not a page that the explorer exported"):
        write_export(exported, path)
    assert path.read_text() == "<html>mine</html>"
    with pytest.raises(UserError, match="is a folder; expected the name of a file"):
        check_place(tmp_path)
    write_export(exported, tmp_path / "page.html")
    write_export(exported, tmp_path / "page.html")
    assert not list(tmp_path.glob("*.tmp"))


def test_an_export_that_fails_leaves_nothing(
    make_view: Callable[..., RecordingView], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = Exported(make_view(), 0)
    monkeypatch.setattr(Exported, "means", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_export(exported, tmp_path / "out" / "page.html")
    assert not list((tmp_path / "out").iterdir())


def test_the_server_gives_the_file_as_a_download(client: TestClient) -> None:
    response = client.get("/api/export?frames=50")
    assert response.headers["content-disposition"] == 'attachment; filename="explorer.html"'
    assert "data-recordings" in response.text
    assert client.get("/api/export?frames=all").status_code == 400
    assert client.get("/api/export?id=b").status_code == 404


def test_the_command_computes_all_planes_and_writes_the_file(
    make_view: Callable[..., RecordingView], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_view().explored.recording.path
    main(["explore", str(folder), "--export", str(tmp_path / "page.html"), "--frames", "80"])
    said = capsys.readouterr().out
    assert said.startswith(f"{tmp_path / 'page.html'}: ")
    assert "This file holds the frames of" in said
    blocks = blocks_of((tmp_path / "page.html").read_text())
    assert {"a-column-tsne", "a-column-pca", "a-column-fdr"} <= set(blocks)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--export", "page.pdf"], "export: got 'page.pdf', expected a file name that ends in .html"),
        (["other", "--export", "page.html"], "one recording with --export"),
        (["--port", "70000"], "port: got 70000"),
        (["--frames", "-1"], "frames: got -1"),
        (["--max-points", "1000001"], "max_points: got 1000001"),
        (["--perplexity", "0"], "perplexity: got 0.0"),
        (["--host", " "], "host: got ' '"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["explore", str(tmp_path), *arguments])
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert words in said


def test_episodes_are_chosen_over_returns_and_clusters(make_view: Callable[..., RecordingView]) -> None:
    explored = make_view(num_episodes=200).explored
    chosen = choose_episodes(explored, 1_000)
    assert 900 < explored.episodes.num_rows[chosen].sum() <= 1_000
    returns = explored.episodes.episode_return[chosen]
    assert 0.3 < (returns > 0).mean() < 0.7
    assert explored.states.code_index is not None
    rows = np.isin(explored.states.episode, chosen)
    shares = np.bincount(explored.states.code_index[rows], minlength=4) / rows.sum()
    assert (np.abs(shares - 0.25) < 0.08).all()
    np.testing.assert_array_equal(choose_episodes(explored, 1_000), chosen)
    assert len(choose_episodes(explored, 10)) == 0
    assert len(choose_episodes(explored, 10**6)) == 200


def test_of_unequal_clusters_the_scarce_one_is_shown(make_view: Callable[..., RecordingView]) -> None:
    explored = make_view(num_episodes=100).explored
    scarce = np.zeros(explored.num_states, np.uint8)
    scarce[explored.rows_of_episode(57)] = 1
    explored.states = explored.states._replace(code_index=scarce)
    assert 57 in choose_episodes(explored, 300)


@pytest.mark.parametrize("place", ["/dev/null/page.html", "/proc/page.html"])
def test_a_place_that_cannot_be_written_is_said(make_view: Callable[..., RecordingView], place: str) -> None:
    with pytest.raises(UserError, match="choose another place"):
        write_export(Exported(make_view(), 0), Path(place))


def test_a_full_disk_is_said_and_leaves_nothing(make_view: Callable[..., RecordingView], tmp_path: Path) -> None:
    view = make_view()
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000));"
        f"from semantic_rl.cli import main; main(['explore', {str(view.explored.recording.path)!r}, '--export', "
        f"{str(tmp_path / 'page.html')!r}, '--frames', '0'])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "cannot be written (File too large)" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("page.html*"))
