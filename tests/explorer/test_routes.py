"""What the server answers about a real agent's recording, and about recordings that are hardly any."""

import io
import json
import shutil
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from semantic_rl.analysis.clusters import compute_clusters
from semantic_rl.analysis.transitions import compute_transitions
from semantic_rl.config.explore import ExploreConfig
from semantic_rl.envs.procgen.games import ACTION_NAMES
from semantic_rl.errors import UserError
from semantic_rl.explorer.open_recordings import open_view, open_views
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.palette import cluster_color
from semantic_rl.recording.store import Recording

from .conftest import SETTINGS, TestClient, ask_inside, client_of, get, get_json, meta_of


def pixels(content: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def test_the_description_says_what_was_recorded(client: TestClient, real_recording: Recording) -> None:
    meta = meta_of(client)
    assert meta["title"] == "coinrun · SPPO"
    assert meta["agent"]["timesteps"] == 1_638_400
    assert meta["agent"]["seed"] == 2021
    assert meta["agent"]["sha256"] == real_recording.description["agent"]["sha256"]
    assert (meta["num_states"], meta["num_episodes"]) == (real_recording.num_states, real_recording.num_episodes)
    assert meta["colors"] == [cluster_color(index) for index in range(8)]
    assert meta["action_names"] == list(ACTION_NAMES)
    assert len(meta["action_signs"]) == 15
    np.testing.assert_allclose(meta["codebook"], real_recording.codebook)
    assert meta["success_known"] is True
    assert meta["frame_shape"] == [128, 128]
    assert [plane["name"] for plane in meta["planes"]] == ["fdr", "tsne", "pca"]
    assert meta["notes"] == []
    text = json.dumps(meta)
    assert str(real_recording.path.parent) not in text, "paths say more of a machine than of the recording"


def test_frames_are_those_of_the_recording(client: TestClient, real_recording: Recording) -> None:
    for row in (0, 700, real_recording.num_states - 1):
        response = client.get(f"/api/a/frame/{row}")
        assert response.headers["content-type"] == "image/jpeg"
        assert response.content == real_recording.picture(row)
        observation = client.get(f"/api/a/observation/{row}")
        assert observation.headers["content-type"] == "image/png"
        np.testing.assert_array_equal(pixels(observation.content), real_recording.observation(row))


def test_several_frames_come_in_one_piece(client: TestClient, real_recording: Recording) -> None:
    last = real_recording.num_states - 3
    for first, count in ((10, 40), (last, 256)):
        content = client.get(f"/api/a/frames/{first}/{count}").content
        (number,) = struct.unpack_from("<I", content)
        sizes = struct.unpack_from(f"<{number}I", content, 4)
        assert number == min(count, real_recording.num_states - first)
        start = 4 * (number + 1)
        for row, size in enumerate(sizes, first):
            assert content[start : start + size] == real_recording.picture(row)
            start += size
        assert start == len(content)


def test_many_threads_read_frames_without_mixing_them_up(client: TestClient, real_recording: Recording) -> None:
    rows = np.random.default_rng(0).integers(0, real_recording.num_states, 300).tolist()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda row: client.get(f"/api/a/observation/{row}").content, rows))
    for row, content in zip(rows, found, strict=True):
        np.testing.assert_array_equal(pixels(content), real_recording.observation(row))


def test_without_pictures_frames_are_what_the_agent_saw(make_view: Callable[..., RecordingView]) -> None:
    view = make_view()
    client = client_of(view)
    meta = meta_of(client)
    assert not meta["has_pictures"]
    assert meta["frame_shape"] == [64, 64]
    assert any("64×64" in note for note in meta["notes"])
    response = client.get("/api/a/frame/3")
    assert response.headers["content-type"] == "image/png"
    np.testing.assert_array_equal(pixels(response.content), view.explored.recording.observation(3))


def test_what_never_changes_is_kept_only_under_the_recordings_own_name(client: TestClient) -> None:
    etag = meta_of(client)["etag"]
    for path in ("frame/1", "observation/1", "frames/0/2", "column/value", "episodes"):
        assert "immutable" in client.get(f"/api/a/{path}?v={etag}").headers["cache-control"]
        assert client.get(f"/api/a/{path}").headers["cache-control"] == "no-store"
        assert client.get(f"/api/a/{path}?v=other").headers["cache-control"] == "no-store"


def test_episodes_equal_the_table(client: TestClient, real_recording: Recording) -> None:
    found = get_json(client, "/api/a/episodes")
    for name in ("first_row", "num_rows", "length", "level_seed", "success"):
        assert found[name] == real_recording.episodes[name].to_list()
    assert found["episode_return"] == real_recording.episodes["return"].to_list()
    number = 5
    episode = get_json(client, f"/api/a/episode/{number}")
    rows = real_recording.states.filter(pl.col("episode") == number)
    for name, column in (("step", "step"), ("action", "action"), ("reward", "reward"), ("cluster", "code_index")):
        assert episode[name] == rows[column].to_list()
    np.testing.assert_allclose(episode["value"], rows["value"].to_numpy(), rtol=1e-6)
    np.testing.assert_allclose(
        episode["planes"]["fdr"], rows.select("embedding_x", "embedding_y").to_numpy(), rtol=1e-6
    )
    assert episode["first_row"] == real_recording.episodes["first_row"][number]
    assert len(episode["uncertainty"]) == len(rows)


def test_an_unfinished_episode_has_no_success(make_view: Callable[..., RecordingView]) -> None:
    view = make_view()
    ended = view.explored.episodes.ended.copy()
    ended[3] = False
    view.explored.episodes = view.explored.episodes._replace(ended=ended)
    client = client_of(view)
    assert get_json(client, "/api/a/episodes")["success"][2:5] == [False, None, False]
    assert any(note.startswith("1 of 12 episodes did not end") for note in meta_of(client)["notes"])


def test_the_success_of_a_cluster_whose_episodes_have_not_ended_is_not_known(
    make_view: Callable[..., RecordingView],
) -> None:
    view = make_view(num_episodes=4, num_unfinished=4)
    cards = get_json(client_of(view), "/api/a/clusters")
    assert [card["success"] for card in cards["clusters"]] == [None] * 4
    assert cards["all"]["success"] is None
    assert get_json(client_of(view), "/api/a/episodes")["success"] == [None] * 4
    assert get_json(client_of(view), "/api/a/playlist/failures")["items"] == []


def test_clusters_that_were_never_trained_come_with_a_warning(make_view: Callable[..., RecordingView]) -> None:
    assert meta_of(client_of(make_view()))["warning"] is None
    told = meta_of(client_of(make_view(semantic_weight_was_above_zero=False, update=20)))["warning"]
    assert told.startswith("The clusters and the plane were never trained, since the control factor λ was 0 in all 20")


def test_cards_are_those_of_the_figures(client: TestClient, real_recording: Recording) -> None:
    found, expected = get_json(client, "/api/a/clusters"), compute_clusters(real_recording)
    assert len(found["clusters"]) == 8
    for card, cluster in zip(found["clusters"], expected.clusters, strict=True):
        assert (card["num_states"], card["medoid"]) == (cluster.num_states, cluster.medoid)
        assert card["typical"] == cluster.typical
        np.testing.assert_allclose(card["actions"], cluster.actions)
        np.testing.assert_allclose(card["mean_dwell"], cluster.mean_dwell)
        assert cluster.mean_frame is not None
        mean = pixels(get(client, f"/api/a/mean/{card['cluster']}").content)
        np.testing.assert_allclose(mean, cluster.mean_frame, atol=0.5001)
    np.testing.assert_allclose(found["value_edges"], expected.value_edges)
    np.testing.assert_allclose(found["all"]["values"], expected.values)


def test_a_cards_clip_shows_runs_of_its_cluster(client: TestClient, real_recording: Recording) -> None:
    states = real_recording.states
    for card in get_json(client, "/api/a/clusters")["clusters"]:
        assert 0 < sum(count for _, count in card["clip"]) <= 96
        for first, count in card["clip"]:
            run = states[first : first + count]
            assert run["code_index"].unique().to_list() == [card["cluster"]]
            assert run["episode"].n_unique() == 1
            assert count <= 20


def test_transitions_are_those_of_the_figures(client: TestClient, real_recording: Recording) -> None:
    found, expected = get_json(client, "/api/a/transitions"), compute_transitions(real_recording)
    np.testing.assert_array_equal(found["counts"], expected.counts)
    np.testing.assert_allclose(found["centers"], expected.centers)
    assert found["leaving"][0][0] is None, "NaN is null in JSON"


def test_a_page_is_there_or_a_sentence_in_its_place(client: TestClient) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "semantic-rl" in response.text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/c/episodes", "there is no recording 'c'; there are a"),
        ("/api/a/column/level", "there is no column 'level'"),
        ("/api/a/plane/umap", "there is no plane 'umap'"),
        ("/api/a/episode/100000", "there is no episode 100000"),
        ("/api/a/frame/100000", "there is no state 100000"),
        ("/api/a/frame/-1", "nothing at this address"),
        ("/api/a/frame/1e3", "nothing at this address"),
        ("/api/a/observation/100000", "there is no state"),
        ("/api/a/frames/100000/1", "there is no state"),
        ("/api/a/mean/8", "cluster 8 has no mean frame"),
        ("/api/compare", "one recording only"),
        ("/api/nothing", "nothing at this address"),
        ("/static/none.js", "there is no file 'none.js'"),
        ("/static/..%2f__init__.py", "nothing at this address"),
        ("/static/%2e%2e%2fapp.py", "nothing at this address"),
        ("/static/..%5capp.py", "there is no file"),
        ("/static//etc/passwd", "nothing at this address"),
        ("/..%2f..%2fetc/passwd", "nothing at this address"),
    ],
)
def test_what_is_not_there_is_a_sentence(client: TestClient, path: str, words: str) -> None:
    response = client.get(path)
    assert response.status_code == 404, response.text
    assert words in response.json()["error"]


def test_a_count_of_frames_out_of_range_is_refused(client: TestClient) -> None:
    for count in (0, 257):
        assert client.get(f"/api/a/frames/0/{count}").status_code == 400


def test_an_address_with_a_slash_too_many_is_none(client: TestClient) -> None:
    response = client.get("/api/a/annotations/", follow_redirects=False)
    assert response.status_code == 404
    assert response.json()["error"]


def test_a_method_that_is_not_for_the_address_is_refused(client: TestClient) -> None:
    response = client.post("/api/a/episodes", headers={"X-Semantic-RL": "1"})
    assert response.status_code == 405
    assert response.json()["error"]


def test_ppo_has_no_clusters_and_says_why(make_view: Callable[..., RecordingView]) -> None:
    client = client_of(make_view(num_codes=0))
    meta = meta_of(client)
    assert meta["num_codes"] == 0
    assert "no semantic clustering module" in meta["planes"][0]["why_not"]
    assert any("no semantic clustering module" in note for note in meta["notes"])
    names = [column["name"] for column in meta["columns"]]
    assert {"tsne", "pca", "value"} <= set(names)
    assert not {"fdr", "cluster", "uncertainty"} & set(names)
    for name in names:
        assert get(client, f"/api/a/column/{name}").status_code == 200
    assert get_json(client, "/api/a/clusters")["clusters"] == []
    assert get_json(client, "/api/a/transitions")["counts"] == []
    episode = get_json(client, "/api/a/episode/0")
    assert episode["cluster"] is None
    assert episode["uncertainty"] is None
    assert set(episode["planes"]) == {"tsne", "pca"}
    assert client.put("/api/a/annotations/clusters/0", json={}, headers={"X-Semantic-RL": "1"}).status_code == 404


def shortened(recording: Recording, out: Path, num_states: int) -> Path:
    """Copy a recording with its first states only: no command makes one of none, but hands may."""
    shutil.copytree(recording.path, out, ignore=shutil.ignore_patterns("derived"))
    recording.states[:num_states].write_parquet(out / "states.parquet")
    count = 1 if num_states else 0
    episodes = recording.episodes[:count].with_columns(num_rows=pl.lit(num_states, pl.Int32))
    episodes.write_parquet(out / "episodes.parquet")
    description = json.loads((out / "recording.json").read_text())
    description["counts"] = {"states": num_states, "episodes": count, "shards": 1}
    (out / "recording.json").write_text(json.dumps(description))
    return out


@pytest.mark.parametrize("num_codes", [0, 4])
@pytest.mark.parametrize("num_states", [0, 1, 2])
def test_recordings_of_hardly_any_states_are_shown(
    make_view: Callable[..., RecordingView], tmp_path: Path, num_codes: int, num_states: int
) -> None:
    recording = make_view(num_codes=num_codes, num_episodes=1).explored.recording
    for frames in (recording.path / "frames").glob("*.arrow"):
        if num_states == 0:
            frames.unlink()
    path = shortened(recording, tmp_path / "short", num_states)
    view = open_view(_with_frames(path, recording, num_states), "a", SETTINGS)
    client = client_of(view)
    meta = meta_of(client)
    assert meta["num_states"] == meta["num_shown"] == num_states
    for column in meta["columns"]:
        width = column["width"] * np.dtype(column["dtype"]).itemsize
        assert len(get(client, f"/api/a/column/{column['name']}").content) == num_states * width
    assert "needs at least 10 states" in meta["planes"][1]["why_not"] or num_states == 0
    for path in ("clusters", "transitions", "episodes", "playlist/failures", "playlist/value_drops"):
        get_json(client, f"/api/a/{path}")
    for name in ("boundary", "longest_dwells", "rarest_transitions", "lookalikes") if num_codes else ():
        get_json(client, f"/api/a/playlist/{name}")
    if num_states:
        assert get_json(client, "/api/a/plane/pca")["ready"]
        get_json(client, "/api/a/episode/0")
        everywhere = {"plane": "pca", "polygon": [[-9e3, -9e3], [9e3, -9e3], [0, 9e3]]}
        response = ask_inside(client, everywhere)
        assert response.json()["count"] == num_states
    else:
        assert any("no states" in note for note in meta["notes"])


def _with_frames(path: Path, recording: Recording, num_states: int) -> Path:
    """Make the frame files as long as the table says."""
    from semantic_rl.recording.store.frames import pack_observation, write_observations

    tiles = [pack_observation(np.zeros((64, 64, 3), np.uint8))] * num_states
    if tiles:
        write_observations(path / "frames" / "observations-00000.arrow", tiles, (64, 64, 3))
    return path


def test_a_recording_that_is_being_written_or_damaged_is_refused_in_a_line(
    make_view: Callable[..., RecordingView], tmp_path: Path
) -> None:
    recording = make_view().explored.recording
    description = json.loads((recording.path / "recording.json").read_text())
    (recording.path / "recording.json").write_text(json.dumps({**description, "complete": False}))
    with pytest.raises(UserError, match=r"is not complete.*--resume"):
        open_views(ExploreConfig(recording.path))
    (recording.path / "recording.json").write_text(json.dumps(description))
    table = recording.path / "states.parquet"
    table.write_bytes(table.read_bytes()[:-100])
    with pytest.raises(UserError, match="may be cut off"):
        open_views(ExploreConfig(recording.path))
    with pytest.raises(UserError, match="no such folder"):
        open_views(ExploreConfig(tmp_path / "nowhere"))


def test_where_frames_are_missing_the_rest_is_shown(make_view: Callable[..., RecordingView]) -> None:
    recording = make_view(num_episodes=100).explored.recording
    assert recording.num_states > 4096
    (recording.path / "frames" / "observations-00001.arrow").write_bytes(b"no arrow")
    view = open_view(recording.path, "a", SETTINGS)
    client = client_of(view)
    missing = recording.num_states - 4096
    assert any(note.startswith(f"The frames of {missing:,} of ") for note in meta_of(client)["notes"])
    assert client.get("/api/a/frame/4095").status_code == 200
    gone = client.get("/api/a/frame/4096")
    assert gone.status_code == 404
    assert "missing" in gone.json()["error"]
    content = client.get("/api/a/frames/4090/12").content
    sizes = struct.unpack_from("<12I", content, 4)
    assert all(sizes[:6])
    assert not any(sizes[6:])
    cards = get_json(client, "/api/a/clusters")["clusters"]
    assert sum(card["num_states"] for card in cards) == recording.num_states
    for card in cards:
        mean = pixels(get(client, f"/api/a/mean/{card['cluster']}").content)
        np.testing.assert_allclose(mean, 20 * card["cluster"], atol=1)
    assert get_json(client, "/api/a/playlist/lookalikes")["items"]


@pytest.mark.parametrize(
    ("kind", "note"),
    [("observations", "What the agent saw in {} is missing: "), ("pictures", "The pictures of {} are missing: ")],
)
def test_a_note_says_which_frames_are_missing(make_view: Callable[..., RecordingView], kind: str, note: str) -> None:
    recording = make_view(num_episodes=100, picture_size=32).explored.recording
    (recording.path / "frames" / f"{kind}-00001.arrow").unlink()
    client = client_of(open_view(recording.path, "a", SETTINGS))
    states = f"{recording.num_states - 4096:,} of {recording.num_states:,} states"
    found = [text for text in meta_of(client)["notes"] if "missing" in text]
    assert len(found) == 1
    assert found[0].startswith(note.format(states))
    assert f"{kind}-00001.arrow" in found[0]
    is_shown = client.get("/api/a/frame/4096").status_code == 200
    assert is_shown == (kind == "observations")


def test_a_refusal_is_one_line_whatever_it_names(client: TestClient) -> None:
    answer = client.get("/api/a/playlist/failures", params={"limit": "\n\n\x1b[2J"})
    assert answer.status_code == 400
    assert answer.json()["error"] == r"limit: got '\n\n\x1b[2J', expected a whole number."
