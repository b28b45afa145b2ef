"""The nearest states are those that a loop over all states finds, whatever the pieces, filters and episodes are."""

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from semantic_rl.artifacts import FRAMES_FOLDER, observations_file
from semantic_rl.explorer import background_jobs
from semantic_rl.explorer.background_jobs import Jobs, Pending
from semantic_rl.explorer.dataset import row_arrays, small_frames
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.queries import nearest_states
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.progress_bar import OnProgress
from semantic_rl.recording.store import open_recording

from ..recording import other_recordings
from .conftest import SETTINGS, WRITE, TestClient, ask, client_of

ROW = 700


def near(client: TestClient, **query: Any) -> dict[str, Any]:
    """Ask until the answer is there."""
    content = {"row": ROW, "by": "features", "plane": "fdr", "episodes": "others", **query}
    response = ask(client, "/api/a/near", content)
    assert response.status_code == 200, response.text
    return response.json()


def numbers_of(view: RecordingView, by: str) -> NDArray[np.float64]:
    """Return what is compared of each state, [B, …]."""
    recording = view.explored.recording
    if by == "features":
        return recording.features().astype(np.float64)
    if by == "plane":
        return recording.states.select("embedding_x", "embedding_y").to_numpy().astype(np.float64)
    return np.stack([recording.observation(row) for row in range(recording.num_states)]).astype(np.float64)


def brute_force(view: RecordingView, by: str, episodes: str, passing: NDArray[np.bool_] | None = None) -> Any:
    """Return (row, distance) of the nearest states by a loop, the nearest first."""
    numbers, episode = numbers_of(view, by), view.explored.states.episode
    found: list[tuple[float, int]] = []
    for row in range(len(numbers)):
        if row == ROW or (episodes != "all" and episode[row] == episode[ROW]) or not (passing is None or passing[row]):
            continue
        apart = numbers[row] - numbers[ROW]
        found.append((float(np.abs(apart).mean() if by == "pixels" else np.sqrt((apart**2).sum())), row))
    found.sort()
    if episodes == "each":
        firsts = {int(episode[row]): (apart, row) for apart, row in reversed(found)}
        found = sorted(firsts.values())
    return found[: nearest_states.NUM_NEAREST]


@pytest.mark.parametrize("episodes", ["others", "each", "all"])
@pytest.mark.parametrize("by", ["features", "plane"])
def test_they_are_those_that_a_loop_finds(client: TestClient, real_view: RecordingView, by: str, episodes: str) -> None:
    found = near(client, by=by, episodes=episodes)
    expected = brute_force(real_view, by, episodes)
    assert found["rows"] == [row for _, row in expected]
    assert found["distances"] == pytest.approx([apart for apart, _ in expected], rel=1e-5)
    assert "note" not in found


def test_by_pixels_the_nearest_frames_are_found_and_measured_whole(
    client: TestClient, real_view: RecordingView
) -> None:
    found = near(client, by="pixels")
    expected = {row: apart for apart, row in brute_force(real_view, "pixels", "others")}
    assert found["distances"] == sorted(found["distances"])
    assert len(set(found["rows"][:24]) & set(list(expected)[:24])) >= 23, "shrunk frames order almost as whole ones"
    for row, apart in zip(found["rows"], found["distances"], strict=True):
        assert apart == pytest.approx(expected.get(row, apart), rel=1e-6)
    assert "whole frames" in found["note"]


def test_only_states_that_pass_the_filter_are_found(client: TestClient, real_view: RecordingView) -> None:
    passing = np.random.default_rng(0).random(real_view.explored.num_states) < 0.3
    bits = base64.b64encode(np.packbits(passing, bitorder="little").tobytes()).decode()
    found = near(client, within=bits)
    assert found["rows"] == [row for _, row in brute_force(real_view, "features", "others", passing)]


def test_pieces_and_copies_change_nothing(real_view: RecordingView, monkeypatch: pytest.MonkeyPatch) -> None:
    explored = real_view.explored

    def said(done: int, total: int) -> None:
        assert 0 < done <= total

    whole = nearest_states.feature_distances(explored, ROW, None, said)
    monkeypatch.setattr(nearest_states, "COPIED_FROM", 10)
    monkeypatch.setattr(nearest_states, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(row_arrays, "PIECE_ROWS", 100)
    copied = nearest_states.copy_features(explored, said)
    assert copied is not None
    assert copied.path.stat().st_size == explored.num_states * 256 * 2
    assert np.array_equal(nearest_states.feature_distances(explored, ROW, copied, said), whole)
    copied.path.write_bytes(b"cut off")
    again = nearest_states.copy_features(explored, said)
    assert again is not None
    assert np.array_equal(nearest_states.feature_distances(explored, ROW, again, said), whole)


@pytest.mark.parametrize("shape", [(64, 64, 3), (171, 256, 3), (9, 30, 3)])
def test_a_shrunk_frame_is_the_means_of_its_blocks(shape: tuple[int, ...]) -> None:
    frame = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    found = small_frames.shrunk(frame).reshape(16, 16, 3)
    large = np.kron(frame, np.ones((-(-16 // shape[0]), -(-16 // shape[1]), 1)))
    high, wide = large.shape[0] // 16, large.shape[1] // 16
    for row, column in ((0, 0), (7, 3), (15, 15)):
        block = large[row * high : (row + 1) * high, column * wide : (column + 1) * wide]
        assert found[row, column] == pytest.approx(block.mean((0, 1)), rel=1e-5)


def test_shrunk_frames_are_kept_and_those_that_cannot_be_read_are_left_out(
    make_view: Callable[..., RecordingView], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small_frames, "KEPT_FROM", 10)
    view = make_view(num_episodes=4)
    states = view.explored.num_states
    client = client_of(view)
    last = states - 1
    first = near(client, by="pixels", row=last, episodes="all")
    assert first["distances"][0] == 0, "frames of a cluster are equal"
    kept = list((view.explored.recording.path / "derived").glob("frames-*.bin"))
    assert [file.stat().st_size for file in kept] == [states * (small_frames.NUM_PIXELS + 1)]
    file = view.explored.recording.path / FRAMES_FOLDER / observations_file(0)
    file.write_bytes(file.read_bytes()[:200])
    kept[0].unlink()
    damaged = open_recording(view.explored.recording.path, with_frames=False)
    client = client_of(RecordingView(Explored(damaged, SETTINGS), "Ada"))
    refused = ask(client, "/api/a/near", {"row": 3, "by": "pixels", "plane": "fdr", "episodes": "all"})
    assert refused.status_code == 422
    assert "state 3 cannot be read" in refused.json()["error"]


def test_without_frames_features_are_compared_and_pixels_refused(tmp_path: Path) -> None:
    view = RecordingView(Explored(other_recordings.pendulum(tmp_path / "one", frame_size=0), SETTINGS))
    client = client_of(view)
    found = near(client, row=0, episodes="each")
    assert len(found["rows"]) == view.explored.recording.num_episodes - 1
    refused = client.post(
        "/api/a/near", json={"row": 0, "by": "pixels", "plane": "fdr", "episodes": "all"}, headers=WRITE
    )
    assert (refused.status_code, "no frames" in refused.json()["error"]) == (404, True)


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"row": 10**6}, 404, "there is no state 1000000"),
        ({"row": True}, 400, "row: expected the number"),
        ({"by": "smell"}, 400, "expected features, plane or pixels"),
        ({"episodes": 3}, 400, "expected each, others or all"),
        ({"by": "plane", "plane": "x"}, 400, "plane: got"),
        ({"within": "AA=="}, 400, "within: expected base64"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    client: TestClient, change: dict[str, Any], status: int, words: str
) -> None:
    content = {"row": 3, "by": "features", "plane": "fdr", "episodes": "all", **change}
    response = client.post("/api/a/near", json=content, headers=WRITE)
    assert (response.status_code, words in response.json()["error"]) == (status, True)


def test_pictures_of_any_states_are_sent_together(client: TestClient, real_view: RecordingView) -> None:
    content = client.get("/api/a/pictures?rows=900,3,17").content
    assert content == real_view.frames.packed([900, 3, 17])
    for rows in ("", "1,x", "-1", "5," * 300 + "5", "1 ,2", "999999999"):
        assert client.get(f"/api/a/pictures?rows={rows}").status_code in (400, 404)


def test_what_nobody_waits_for_any_more_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_jobs, "GIVEN_UP_AFTER", 0.1)
    ended: list[int] = []

    def count(report: OnProgress) -> int:
        try:
            for done in range(1000):
                time.sleep(0.005)
                report(done, 1000)
        finally:
            ended.append(1)
        return 7

    jobs = Jobs()
    with pytest.raises(Pending):
        jobs.get("near", count, patience=0.0, is_asked_once=True)
    end = time.monotonic() + 20
    while not ended:
        assert time.monotonic() < end
        time.sleep(0.01)
    with pytest.raises(Pending):  # begun anew
        jobs.get("near", count, patience=0.0, is_asked_once=True)
    assert jobs.get("quick", lambda report: 3, is_asked_once=True) == 3
