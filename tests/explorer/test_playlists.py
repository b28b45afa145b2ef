"""Lists of moments against loops over the table."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.recording.store import Recording

from .conftest import TestClient, client_of, get, get_json, meta_of

NAMES = (
    "failures",
    "highest_value",
    "lowest_value",
    "value_drops",
    "boundary",
    "longest_dwells",
    "rarest_transitions",
    "lookalikes",
)


def states_of(recording: Recording) -> list[dict[str, Any]]:
    return recording.states.drop("features", "log_prob").with_row_index("row").to_dicts()


@pytest.mark.parametrize("name", NAMES)
def test_every_item_plays_rows_of_its_episode_around_its_state(
    client: TestClient, real_recording: Recording, name: str
) -> None:
    found = get_json(client, f"/api/a/playlist/{name}?limit=500")
    assert found["name"] == name
    assert len(found["items"]) == min(found["total"], 500) > 0
    episodes = real_recording.episodes.to_dicts()
    for item in found["items"]:
        first = episodes[item["episode"]]["first_row"]
        assert first <= item["first"] <= item["row"] <= item["last"] < first + episodes[item["episode"]]["num_rows"]
        assert item["text"]


def test_failures_are_the_ends_of_episodes_without_success(client: TestClient, real_recording: Recording) -> None:
    episodes = real_recording.episodes.to_dicts()
    failed = [episode for episode in episodes if not episode["success"] and episode["terminated"]]
    failed.sort(key=lambda episode: (episode["return"], episode["length"]))
    found = get_json(client, "/api/a/playlist/failures")
    assert [item["episode"] for item in found["items"]] == [episode["episode"] for episode in failed]
    assert [item["row"] for item in found["items"]] == [e["first_row"] + e["num_rows"] - 1 for e in failed]


@pytest.mark.parametrize(("name", "sign"), [("highest_value", 1), ("lowest_value", -1)])
def test_values_are_the_extremes_of_each_episode(
    client: TestClient, real_recording: Recording, name: str, sign: int
) -> None:
    best: dict[int, dict[str, Any]] = {}
    for state in states_of(real_recording):
        known = best.get(state["episode"])
        if known is None or sign * state["value"] > sign * known["value"]:
            best[state["episode"]] = state
    expected = sorted(best.values(), key=lambda state: -sign * state["value"])
    found = get_json(client, f"/api/a/playlist/{name}")
    assert [item["row"] for item in found["items"]] == [state["row"] for state in expected][:50]
    assert found["total"] == len(expected)


def test_value_drops_are_from_a_state_to_the_one_after_it(client: TestClient, real_recording: Recording) -> None:
    states = states_of(real_recording)
    drops: dict[int, tuple[float, int]] = {}
    for here, after in itertools.pairwise(states):
        if here["episode"] == after["episode"] and here["value"] > after["value"]:
            drop = (float(np.float32(here["value"]) - np.float32(after["value"])), -here["row"])
            drops[here["episode"]] = max(drops.get(here["episode"], drop), drop)
    expected = [-row for _, row in sorted(drops.values(), reverse=True)]
    found = get_json(client, "/api/a/playlist/value_drops")
    assert [item["row"] for item in found["items"]] == expected[:50]


def test_longest_dwells_are_whole_visits(client: TestClient, real_recording: Recording) -> None:
    visits: list[list[dict[str, Any]]] = []
    for state in states_of(real_recording):
        last = visits[-1][-1] if visits else {"episode": None}
        if last["episode"] == state["episode"] and last["code_index"] == state["code_index"]:
            visits[-1].append(state)
        else:
            visits.append([state])
    visits.sort(key=len, reverse=True)
    found = get_json(client, "/api/a/playlist/longest_dwells?limit=20")
    assert [(item["first"], item["last"]) for item in found["items"]] == [
        (visit[0]["row"], visit[-1]["row"]) for visit in visits[:20]
    ]
    assert found["total"] == len(visits)
    assert found["items"][0]["text"].startswith(
        f"{len(visits[0])} steps in a row in cluster {visits[0][0]['code_index']}"
    )


def test_moves_are_those_of_the_matrix(client: TestClient, real_recording: Recording) -> None:
    transitions = get_json(client, "/api/a/transitions")
    states = states_of(real_recording)
    pairs: dict[tuple[int, int], list[int]] = {}
    for here, after in itertools.pairwise(states):
        if here["episode"] == after["episode"]:
            pairs.setdefault((here["code_index"], after["code_index"]), []).append(here["row"])
    for before in range(8):
        for after in range(8):
            found = get_json(client, f"/api/a/transition/{before}/{after}?limit=500")
            expected = pairs.get((before, after), [])
            assert found["total"] == len(expected) == transitions["counts"][before][after]
            assert sorted(item["row"] for item in found["items"]) == expected[:500]
            episodes = [item["episode"] for item in found["items"]]
            assert len(set(episodes[: len(set(episodes))])) == len(set(episodes)), "no episode twice before all once"


def test_rarest_transitions_begin_with_the_rarest_and_show_few_of_each(client: TestClient) -> None:
    counts = np.array(get_json(client, "/api/a/transitions")["counts"])
    found = get_json(client, "/api/a/playlist/rarest_transitions?limit=500")
    pairs = [tuple(map(int, item["text"].split(",")[0].split(" → "))) for item in found["items"]]
    numbers = [int(counts[pair]) for pair in pairs]
    assert numbers == sorted(numbers)
    assert all(before != after for before, after in pairs)
    assert all(pairs.count(pair) == min(5, counts[pair]) for pair in set(pairs))
    assert len(set(pairs)) == (counts - np.diag(np.diag(counts)) > 0).sum()


def test_lookalikes_are_of_other_clusters_and_episodes_and_look_alike(
    client: TestClient, real_recording: Recording
) -> None:
    states = states_of(real_recording)
    found = get_json(client, "/api/a/playlist/lookalikes")
    differences: list[float] = []
    for item in found["items"]:
        row, other = item["row"], item["other"]
        assert states[row]["code_index"] != states[other]["code_index"]
        assert states[row]["episode"] != states[other]["episode"]
        frames = [real_recording.observation(number).astype(float) for number in (row, other)]
        differences.append(float(np.abs(frames[0] - frames[1]).mean()))
        assert f"differ by {differences[-1]:.1f} of 255" in item["text"]
    assert differences == sorted(differences)
    rng = np.random.default_rng(0)
    others = rng.integers(0, len(states), (200, 2))
    usual = [
        np.abs(real_recording.observation(a).astype(float) - real_recording.observation(b)).mean() for a, b in others
    ]
    assert differences[0] < np.quantile(usual, 0.02)


def test_lookalikes_are_found_where_frames_are_equal(make_view: Callable[..., RecordingView]) -> None:
    view = make_view(num_codes=4)
    cluster = view.explored.states.code_index
    assert cluster is not None
    swapped = cluster.copy()
    swapped[:5] = (swapped[:5] + 1) % 4  # frames of a cluster are all the same grey: now five are in another cluster
    view.explored.states = view.explored.states._replace(code_index=swapped)
    items = get_json(client_of(view), "/api/a/playlist/lookalikes")["items"]
    assert items
    assert items[0]["text"].endswith("pixels differ by 0.0 of 255 on average")
    assert min(items[0]["row"], items[0]["other"]) < 5


def test_the_page_is_told_the_titles_that_the_lists_have(client: TestClient) -> None:
    lists = meta_of(client)["lists"]
    assert len(lists) == 8
    for known in lists:
        assert get_json(client, f"/api/a/playlist/{known['name']}")["title"] == known["title"]


def test_without_clusters_only_the_lists_that_need_none_are_there(make_view: Callable[..., RecordingView]) -> None:
    client = client_of(make_view(num_codes=0))
    for name in NAMES:
        response = get(client, f"/api/a/playlist/{name}")
        needs = name in ("boundary", "longest_dwells", "rarest_transitions", "lookalikes")
        assert response.status_code == (404 if needs else 200), name


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("playlist/best", 404, "there is no list 'best'"),
        ("playlist/failures?limit=0", 400, "limit: got 0"),
        ("playlist/failures?limit=501", 400, "1 to 500"),
        ("playlist/failures?limit=many", 400, "limit: got 'many'"),
        ("transition/0/8", 404, "there are 8 clusters"),
    ],
)
def test_a_list_that_cannot_be_is_a_sentence(client: TestClient, path: str, status: int, words: str) -> None:
    response = client.get(f"/api/a/{path}")
    assert response.status_code == status
    assert words in response.json()["error"]
