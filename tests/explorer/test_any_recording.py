"""Recordings of agents that are not Procgen's: what they do not know is left out, what only they have is there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import semantic_rl
from semantic_rl import RecordingWriter
from semantic_rl.analysis.clusters import compute_clusters
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.export.contents import Exported
from semantic_rl.explorer.export.html_file import write_export
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.recording.store import open_recording
from semantic_rl.report.clusters import _facts

from ..recording import other_recordings
from .conftest import SETTINGS, ask_inside, client_of, get, get_json, meta_of
from .test_export import blocks_of


@pytest.fixture(scope="module")
def pole(tmp_path_factory: pytest.TempPathFactory) -> RecordingView:
    return RecordingView(Explored(other_recordings.cartpole(tmp_path_factory.mktemp("any") / "pole"), SETTINGS))


@pytest.fixture(scope="module")
def swing(tmp_path_factory: pytest.TempPathFactory) -> RecordingView:
    return RecordingView(
        Explored(other_recordings.pendulum(tmp_path_factory.mktemp("any") / "swing", frame_size=0), SETTINGS)
    )


def column(view: RecordingView, name: str) -> np.ndarray[Any, Any]:
    """Return a column of the points, decoded."""
    described = view.columns[name]
    assert described.low is not None
    assert described.high is not None
    raw = np.frombuffer(view.column(name), "<u2")
    return described.low + (described.high - described.low) * raw / 65535


def lists_of(meta: dict[str, Any]) -> list[str]:
    return [known["name"] for known in meta["lists"]]


def test_the_description_says_what_is_known(pole: RecordingView, swing: RecordingView) -> None:
    meta = meta_of(client_of(pole))
    assert meta["title"] == "CartPole-v1 · Sequential"
    assert (meta["agent"]["layer"], meta["agent"]["num_features"]) == ("0.1", 8)
    assert meta["frame_shape"] == [43, 64]
    assert meta["steps_per_second"] == 50
    assert (meta["value_known"], meta["success_known"], meta["level_word"]) == (True, False, "seed")
    assert meta["action_names"] == ["push left", "push right"]
    assert meta["observation_names"] == ["cart position", "cart velocity", "pole angle", "pole angular velocity"]
    assert lists_of(meta) == ["lowest_return", "highest_return", "highest_value", "lowest_value", "value_drops"]
    other = meta_of(client_of(swing))
    assert (other["value_known"], other["has_frames"], other["num_actions"]) == (False, False, 0)
    assert other["action_parts"] == [{"name": "torque", "low": -2, "high": 2}]
    names = {described["name"] for described in other["columns"]}
    assert "part-0" in names
    assert names.isdisjoint({"value", "action", "success", "cluster"})
    assert lists_of(other) == ["lowest_return", "highest_return", "highest_reward", "lowest_reward"]


@pytest.mark.parametrize("name", ["pole", "swing"])
def test_every_question_is_answered(name: str, request: pytest.FixtureRequest) -> None:
    view: RecordingView = request.getfixturevalue(name)
    client = client_of(view)
    meta = meta_of(client)
    view.plane("pca", None)
    for path in (
        "episodes",
        "episode/0",
        "numbers/0",
        "clusters",
        "transitions",
        *(f"playlist/{one}" for one in lists_of(meta)),
    ):
        text = get(client, f"/api/a/{path}").text
        assert get(client, f"/api/a/{path}").status_code == 200, text
        assert "level 0" not in text
    whole = {"plane": "pca", "polygon": [[-9e3, -9e3], [0, -9e3], [0, 9e3], [-9e3, 9e3]]}
    found = ask_inside(client, whole).json()
    assert "success" not in found
    assert ("value" in found) == meta["value_known"]
    assert len(found["parts"]) == len(meta["action_parts"])
    assert (found["mean"] is not None) == meta["has_frames"]
    for form in ("parquet", "csv"):
        assert get(client, f"/api/a/rows?key={found['key']}&format={form}").status_code == 200
    assert get(client, "/api/a/frame/0").status_code == (200 if meta["has_frames"] else 404)


def test_numbers_are_those_of_the_observations(pole: RecordingView) -> None:
    client = client_of(pole)
    recording, episodes = pole.explored.recording, get_json(client, "/api/a/episodes")
    first, count = episodes["first_row"][1], episodes["num_rows"][1]
    expected = np.stack([recording.observation(row) for row in range(first, first + count)])
    np.testing.assert_allclose(np.array(get_json(client, "/api/a/numbers/1")["numbers"]).T, expected, rtol=1e-5)
    assert get(client, "/api/a/numbers/99999").status_code == 404


def test_the_parts_of_an_action_are_a_course_a_colour_and_a_comparison(swing: RecordingView) -> None:
    client = client_of(swing)
    recording, data = swing.explored.recording, get_json(client, "/api/a/episode/1")
    first, count = data["first_row"], len(data["step"])
    (torque,) = next(recording.groups(["action_vector"]))[1]["action_vector"].T
    assert data["action"] is None
    assert data["value"] is None
    np.testing.assert_allclose(data["action_parts"][0], torque[first : first + count], rtol=1e-6)
    np.testing.assert_allclose(column(swing, "part-0"), torque, atol=1e-4)
    swing.plane("pca", None)
    plane = swing.explored.plane("pca").points
    inside = plane[:, 0] < 0
    polygon = [[-9e3, -9e3], [0, -9e3], [0, 9e3], [-9e3, 9e3]]
    found = ask_inside(client, {"plane": "pca", "polygon": polygon}).json()
    assert found["parts"][0]["inside"] == pytest.approx(torque[inside].mean(), rel=1e-5)
    assert found["parts"][0]["rest"] == pytest.approx(torque[~inside].mean(), rel=1e-5)


def test_time_limits_are_told_from_ends(pole: RecordingView, swing: RecordingView) -> None:
    ends = {
        name: set(get_json(client_of(view), "/api/a/episodes")["end"]) for name, view in (("p", pole), ("s", swing))
    }
    assert ends["p"] <= {"terminated", None}
    assert ends["s"] == {"truncated"}


def test_an_export_holds_numbers_and_courses(pole: RecordingView, swing: RecordingView, tmp_path: Path) -> None:
    for view, frames in ((pole, True), (swing, False)):
        view.plane("pca", None)
        path = tmp_path / "page.html"
        write_export(Exported(view, 100), path)
        blocks = blocks_of(path.read_text(encoding="utf-8"))
        assert ("a-frames" in blocks) == frames
        assert b':{"numbers":[[' in blocks["a-numbers"]
        assert b'"has_frames":' + (b"true" if frames else b"false") in blocks["recordings"]
    assert "a-column-part-0" in blocks


def test_actions_of_large_spaces_keep_their_numbers(make_view: Callable[..., RecordingView]) -> None:
    explored = make_view(num_episodes=3).explored
    explored.recording.num_actions = 700
    explored.states = explored.states._replace(action=(explored.states.action.astype(np.uint16) + 600))
    view = RecordingView(explored)
    assert view.columns["action"].dtype == "uint16"
    np.testing.assert_array_equal(np.frombuffer(view.column("action"), "<u2"), explored.states.action)
    course = np.array(view.episode(0)["action"])
    np.testing.assert_array_equal(course, explored.states.action[: len(course)])


def test_actions_that_are_not_known_are_shown_nowhere(tmp_path: Path) -> None:
    path, rng = tmp_path / "r", np.random.default_rng(0)
    with RecordingWriter(path, "CartPole-v1") as writer:
        for _ in range(2):
            writer.add_episode(features=rng.normal(size=(30, 5)), terminated=True)
    semantic_rl.fit(path, 2, steps=20, minibatch_size=8, baselines=False, num_threads=1)
    recording = open_recording(path)
    view = RecordingView(Explored(recording, SETTINGS))
    meta = view.meta()
    assert (meta["num_actions"], meta["action_names"], meta["num_action_parts"]) == (0, [], 0)
    assert "action" not in view.columns
    assert view.episode(0)["action"] is None
    assert len(view.cards(None).content["clusters"][0]["actions"]) == 0
    found = view.inside({"clusters": [0]}, None)
    assert len(found["actions"]) == 0
    assert "most often" not in "".join(
        map(str, (_facts(recording, one) for one in compute_clusters(recording).clusters))
    )
