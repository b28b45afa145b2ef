"""Two recordings side by side: matches and differences whose truth is known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import semantic_rl
from semantic_rl import RecordingWriter
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.queries.cluster_matching import Side, match_clusters
from semantic_rl.explorer.queries.recording_diff import compare
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.recording.store import open_recording

from ..recording.synthetic import make_recording
from .conftest import SETTINGS, client_of, get, get_json

FIT: dict[str, Any] = {"steps": 40, "minibatch_size": 16, "baselines": False, "num_threads": 1}


def side(view: RecordingView) -> Side:
    return Side(view.explored, view.frames)


def with_agent(view: RecordingView, sha256: str) -> RecordingView:
    """Say that another agent was recorded."""
    view.explored.recording.description["agent"]["sha256"] = sha256
    return view


def renumbered(view: RecordingView, order: list[int]) -> RecordingView:
    """Call cluster k order[k]."""
    code_index = view.explored.states.code_index
    assert code_index is not None
    view.explored.states = view.explored.states._replace(code_index=np.array(order, np.uint8)[code_index])
    return view


def test_the_same_agents_clusters_are_the_same(make_view: Callable[..., RecordingView]) -> None:
    first, second = make_view(seed=1), with_agent(make_view(seed=2), f"{1:064d}")
    match = match_clusters(side(first), side(second))
    assert match.kind == "same"
    assert [pair[:2] for pair in match.pairs] == [(0, 0), (1, 1), (2, 2), (3, 3)]


def test_agents_that_saw_the_same_states_are_matched_by_them(make_view: Callable[..., RecordingView]) -> None:
    first, second = make_view(seed=1), with_agent(make_view(seed=1), "another")
    order = [2, 0, 3, 1]
    renumbered(second, order)
    match = match_clusters(side(first), side(second))
    assert match.kind == "overlap"
    assert match.pairs == [(index, order[index], 1.0) for index in range(4)]
    code_index = second.explored.states.code_index
    assert code_index is not None
    moved = code_index.copy()
    moved[:30] = order[0]
    second.explored.states = second.explored.states._replace(code_index=moved)
    ours = first.explored.states.code_index
    assert ours is not None
    expected = ((ours == 0) & (moved == order[0])).sum() / ((ours == 0) | (moved == order[0])).sum()
    assert match_clusters(side(first), side(second)).pairs[0][2] == pytest.approx(expected)


def test_agents_that_saw_other_states_are_matched_by_what_clusters_are_like(
    make_view: Callable[..., RecordingView],
) -> None:
    first, second = make_view(seed=1, num_episodes=40), make_view(seed=2, num_episodes=40)
    order = [3, 1, 0, 2]
    renumbered(second, order)
    match = match_clusters(side(first), side(second))
    assert match.kind == "distance"
    assert [pair[:2] for pair in match.pairs] == list(enumerate(order))
    assert all(0 <= distance < 0.3 for _, _, distance in match.pairs)


def test_of_unequal_numbers_of_clusters_some_stay_alone(make_view: Callable[..., RecordingView]) -> None:
    match = match_clusters(side(make_view(seed=1, num_codes=4)), side(make_view(seed=2, num_codes=6)))
    assert len(match.pairs) == 4
    assert len({pair[1] for pair in match.pairs}) == 4


def test_without_clusters_nothing_is_matched_but_play_is_compared(make_view: Callable[..., RecordingView]) -> None:
    found = compare(side(make_view(seed=1)), side(make_view(seed=2, num_codes=0)))
    assert (found["match"], found["kind"]) == ([], "none")
    assert {item["group"] for item in found["differences"]} == {"play", "action"}
    assert any("algorithm: SPPO and PPO" in note for note in found["notes"])


def by_name(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["text"].rsplit(": ", 1)[0]: item for item in found["differences"]}


def test_differences_are_those_of_the_tables_and_certain_only_where_they_are(
    make_view: Callable[..., RecordingView],
) -> None:
    first, second = make_view(seed=1, num_episodes=60), make_view(seed=2, num_episodes=60)
    states = second.explored.states
    second.explored.states = states._replace(value=states.value + 3)
    found = by_name(compare(side(first), side(second)))
    value = found["expected value"]
    means = [float(view.explored.states.value.mean(dtype=np.float64)) for view in (first, second)]
    assert (value["a"], value["b"]) == pytest.approx(means)
    assert value["difference"] == pytest.approx(means[1] - means[0])
    assert value["low"] < value["difference"] < value["high"]
    assert value["certain"]
    assert (value["num_episodes_a"], value["num_episodes_b"]) == (60, 60)
    success = found["success"]
    assert success["a"] == success["b"] == 0.5
    assert not success["certain"]
    assert success["text"].startswith("success: 50% → 50% (difference +0 pts, 95% interval −")
    share = found["cluster 2: share of states"]
    assert (share["what"], share["clusters"]) == ("share of states", (2, 2))
    assert (share["is_share"], share["digits"]) == (True, 1)
    assert (value["is_share"], value["digits"]) == (False, 2)
    assert share["a"] == pytest.approx(float((first.explored.states.code_index == 2).mean()))


def test_one_episode_has_no_interval(make_view: Callable[..., RecordingView]) -> None:
    found = by_name(compare(side(make_view(seed=1, num_episodes=1)), side(make_view(seed=2))))
    assert found["mean return"]["low"] is None
    assert not found["mean return"]["certain"]
    assert "interval" not in found["mean return"]["text"]


def test_a_server_of_two_recordings_shows_and_compares_both(tmp_path: Path) -> None:
    views = [
        RecordingView(Explored(make_recording(tmp_path / id, seed=seed), SETTINGS, id))
        for seed, id in enumerate(("a", "b"))
    ]
    client = client_of(*views)
    metas = get_json(client, "/api/recordings")["recordings"]
    assert [(meta["id"], meta["name"]) for meta in metas] == [("a", "a"), ("b", "b")]
    assert metas[0]["etag"] != metas[1]["etag"]
    for id, view in zip("ab", views, strict=True):
        column = next(column for column in metas["ab".index(id)]["columns"] if column["name"] == "value")
        assert column["high"] == pytest.approx(float(view.explored.states.value.max()))
        assert get(client, f"/api/{id}/column/cluster").content == view.explored.states.code_index.tobytes()  # type: ignore[union-attr]
    found = get_json(client, "/api/compare")
    assert len(found["match"]) == 4
    written = {"name": "x", "seen": 0}
    client.put("/api/b/annotations/clusters/0", json=written, headers={"X-Semantic-RL": "1"})
    assert get_json(client, "/api/a/annotations")["clusters"] == {}
    assert (tmp_path / "b" / "annotations.json").exists()


def test_a_recording_can_be_compared_with_itself(tmp_path: Path) -> None:
    make_recording(tmp_path / "a")
    views = [RecordingView(Explored(open_recording(tmp_path / "a"), SETTINGS, id)) for id in "ab"]
    found = compare(*(side(view) for view in views))
    assert found["kind"] == "same"
    assert not any(item["certain"] for item in found["differences"])
    assert found["notes"] == []


def opened(path: Path, id: str, clustering: str | None = None) -> RecordingView:
    return RecordingView(Explored(open_recording(path, clustering=clustering), SETTINGS, id))


def swings(folder: Path, torques: list[float], sha256: str = "", seed: int = 0) -> Path:
    """Write a recording without observations, whose cluster k, by the label that was given, takes torque k."""
    rng = np.random.default_rng(seed)
    label = rng.permutation(np.arange(60) % len(torques))
    with RecordingWriter(folder, "Pendulum-v1", sha256=sha256) as writer:
        for rows in np.split(label, 3):
            features = np.eye(len(torques))[rows] + rng.normal(0, 0.1, (len(rows), len(torques)))
            actions = np.array(torques)[rows, None]
            writer.add_episode(features=features, actions=actions, terminated=False, truncated=True)
    np.savez(folder.parent / "labels.npz", label)
    semantic_rl.fit(folder, labels=folder.parent / "labels.npz", **FIT)
    return folder


def test_clusters_of_agents_whose_actions_are_numbers_are_matched_by_them(tmp_path: Path) -> None:
    paths = swings(tmp_path / "a", [-2, 0, 2]), swings(tmp_path / "b", [2, -2, 0], seed=1)
    views = [opened(path, id) for path, id in zip(paths, "ab", strict=True)]
    found = get_json(client_of(*views), "/api/compare")
    assert found["kind"] == "distance"
    assert [pair[:2] for pair in found["match"]] == [[0, 1], [1, 2], [2, 0]]
    assert "(actions, time in the episode)" in found["how"], "values and frames are not known"
    assert {item["group"] for item in found["differences"]} == {"play", "cluster"}


def test_actions_that_mean_something_else_are_not_compared(
    make_view: Callable[..., RecordingView], tmp_path: Path
) -> None:
    found = compare(side(make_view(seed=1)), side(opened(swings(tmp_path / "b", [-2, 2]), "b")))
    assert found["kind"] == "distance"
    assert "action" not in found["how"].partition("(")[2]
    assert "action" not in {item["group"] for item in found["differences"]}


def test_states_without_observations_are_not_taken_for_the_same(tmp_path: Path) -> None:
    views = [opened(swings(tmp_path / id, [-2, 2], seed=seed), id) for seed, id in enumerate("ab")]
    match = match_clusters(*map(side, views))
    assert match.kind == "distance"
    assert match.how.startswith("It is not known whether the recordings hold the same states")


def test_two_clusterings_of_one_agent_are_not_the_same(tmp_path: Path) -> None:
    path = swings(tmp_path / "a", [-2, 0, 2])
    semantic_rl.fit(path, num_codes=2, name="two", **FIT)
    views = opened(path, "a", "labels"), opened(path, "b", "two")
    found = compare(*map(side, views))
    assert found["kind"] == "overlap", "both are of the same states, although they have no observations"
    assert len(found["match"]) == 2
    assert found["notes"] == ["The recordings differ in clustering: labels and two."]
    assert match_clusters(side(views[1]), side(opened(path, "b", "two"))).kind == "same"


def test_a_clustering_that_was_applied_is_the_same_and_one_that_was_fitted_anew_is_not(tmp_path: Path) -> None:
    first, second = (swings(tmp_path / id, [-2, 2], "1" * 64, seed) for seed, id in enumerate("ab"))
    semantic_rl.fit(second, apply=first, name="applied")
    assert match_clusters(side(opened(first, "a")), side(opened(second, "b", "applied"))).kind == "same"
    assert match_clusters(side(opened(first, "a")), side(opened(second, "b", "labels"))).kind == "distance"


def test_fitted_clusters_are_not_those_that_the_agent_learned(tmp_path: Path) -> None:
    path = make_recording(tmp_path / "a").path
    semantic_rl.fit(path, num_codes=4, name="fitted", **FIT)
    match = match_clusters(side(opened(path, "a", "agent")), side(opened(path, "b", "fitted")))
    assert match.kind == "overlap"
