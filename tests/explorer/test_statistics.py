"""What is inside a lasso, counted again by hand; intervals that hold what they should."""

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from PIL import Image
from titles import title_of

from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.explorer.selection.statistics import NOT_FILTERED, NUM_EXAMPLES, OF_FILTERED
from semantic_rl.recording.store import Recording

from .conftest import SETTINGS, WRITE, TestClient, ask_inside, client_of, get, get_json

HALF = {"plane": "fdr", "polygon": [[-100, -100], [0, -100], [0, 100], [-100, 100]]}
"""Everything with x < 0."""


def ask(client: TestClient, content: Any) -> dict[str, Any]:
    response = ask_inside(client, content)
    assert response.status_code == 200, response.text
    return response.json()


def test_counts_and_means_are_those_of_the_table(client: TestClient, real_recording: Recording) -> None:
    found = ask(client, HALF)
    states, episodes = real_recording.states, real_recording.episodes
    inside = states.filter(pl.col("embedding_x") < 0)
    rest = states.filter(pl.col("embedding_x") >= 0)
    assert (found["count"], found["of"]) == (len(inside), len(states))
    assert found["num_episodes"] == inside["episode"].n_unique()
    assert found["num_levels"] == inside["level_seed"].n_unique()
    for name in ("value", "reward"):
        a, b = inside[name].cast(pl.Float64).to_numpy(), rest[name].cast(pl.Float64).to_numpy()
        assert found[name]["inside"] == pytest.approx(a.mean())
        assert found[name]["rest"] == pytest.approx(b.mean())
        assert found[name]["difference"] == pytest.approx(a.mean() - b.mean())
        pooled = np.sqrt(((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / (len(a) + len(b) - 2))
        assert found[name]["effect"] == pytest.approx((a.mean() - b.mean()) / pooled)
        assert found[name]["low"] < found[name]["difference"] < found[name]["high"]
        assert found[name]["num_episodes"] == inside["episode"].n_unique()
        assert found[name]["num_episodes_rest"] == rest["episode"].n_unique()
    for name, part in (("actions", inside), ("actions_rest", rest)):
        shares = np.bincount(part["action"].to_numpy(), minlength=15) / len(part)
        np.testing.assert_allclose(found[name], shares)
    np.testing.assert_array_equal(found["clusters"], np.bincount(inside["code_index"].to_numpy(), minlength=8))
    np.testing.assert_array_equal(found["clusters_rest"], np.bincount(rest["code_index"].to_numpy(), minlength=8))
    passes = episodes.filter(pl.col("episode").is_in(inside["episode"].unique().to_list()))
    assert found["success"]["inside"] == pytest.approx(passes["success"].mean())
    assert found["success"]["num_episodes"] == len(passes.filter(pl.col("terminated") | pl.col("truncated")))
    examples = states[found["examples"]]
    assert examples["episode"].n_unique() == len(examples)
    assert (examples["embedding_x"] < 0).all()


def test_stays_are_counted_inside_and_outside(client: TestClient, real_recording: Recording) -> None:
    stays: dict[bool, list[int]] = {True: [], False: []}
    last: tuple[int, bool] | None = None
    for episode, x in real_recording.states.select("episode", "embedding_x").iter_rows():
        here = (episode, x < 0)
        if here == last:
            stays[here[1]][-1] += 1
        else:
            stays[here[1]].append(1)
        last = here
    dwell = ask(client, HALF)["dwell"]
    assert dwell["inside"] == pytest.approx(np.mean(stays[True]))
    assert dwell["rest"] == pytest.approx(np.mean(stays[False]))


def test_whole_clusters_can_be_asked_about(client: TestClient, real_recording: Recording) -> None:
    found = ask(client, {"clusters": [5, 3, 5]})
    code_index = real_recording.states["code_index"].to_numpy()
    assert found["count"] == np.isin(code_index, [3, 5]).sum()
    assert [index for index, count in enumerate(found["clusters"]) if count] == [3, 5]


def test_mean_frames_are_those_of_the_states(client: TestClient, real_recording: Recording) -> None:
    found = ask(client, {"clusters": [2]})
    rows = np.flatnonzero(real_recording.states["code_index"].to_numpy() == 2)
    assert 0 < len(rows) <= 500
    expected = np.mean([real_recording.observation(int(row)) for row in rows], 0)
    picture = np.asarray(Image.open(io.BytesIO(get(client, "/" + found["mean"]).content)))
    np.testing.assert_allclose(picture, expected, atol=0.5001)
    rest = np.asarray(Image.open(io.BytesIO(get(client, "/" + found["mean_rest"]).content)))
    assert rest.shape == picture.shape
    assert np.abs(rest.astype(float) - picture).mean() > 1


def test_rows_can_be_taken_along(client: TestClient, real_recording: Recording) -> None:
    key = ask(client, HALF)["key"]
    expected = real_recording.states.with_row_index("row").filter(pl.col("embedding_x") < 0).drop("features")
    response = client.get(f"/api/a/rows?key={key}&format=parquet")
    assert response.headers["content-disposition"] == 'attachment; filename="states.parquet"'
    parquet = pl.read_parquet(response.content)
    assert parquet.equals(expected.cast({"row": pl.Int64}))
    table = pl.read_csv(client.get(f"/api/a/rows?key={key}&format=csv").content)
    assert table["row"].to_list() == expected["row"].to_list()
    np.testing.assert_allclose(table["value"].to_numpy(), expected["value"].to_numpy(), rtol=1e-6)
    np.testing.assert_allclose(
        table["code_distance_7"].to_numpy(), expected["code_distance"].to_numpy()[:, 7], rtol=1e-6
    )
    assert {"log_prob_0", "log_prob_14", "return_to_go"} <= set(table.columns)


def test_no_rows_are_a_table_without_rows(client: TestClient) -> None:
    nothing = ask(client, {"plane": "fdr", "polygon": [[90, 90], [91, 90], [91, 91]]})
    assert nothing["count"] == 0
    assert nothing["mean"] is None
    assert nothing["value"]["inside"] is None
    assert nothing["value"]["note"] == "one of the two sets is empty"
    key = nothing["key"]
    assert pl.read_parquet(client.get(f"/api/a/rows?key={key}").content).is_empty()
    lines = client.get(f"/api/a/rows?key={key}&format=csv").text.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith('"row"')
    assert client.get(f"/api/a/clip?key={key}").status_code == 404


def test_clips_show_runs_of_states_inside(client: TestClient) -> None:
    response = client.get(f"/api/a/clip?key={ask(client, {'clusters': [6]})['key']}")
    assert response.headers["content-type"] == "image/webp"
    with Image.open(io.BytesIO(response.content)) as image:
        assert image.size == (256, 256)
        assert getattr(image, "n_frames", 1) == 96
        assert title_of(image) == "coinrun, cluster 6"


def test_a_clips_title_has_the_names_that_people_gave(make_view: Callable[..., RecordingView]) -> None:
    view = make_view(picture_size=64)
    client = client_of(view)
    left, right, bottom, top = get_json(client, "/api/a/plane/fdr")["limits"]
    shape = {"plane": "fdr", "polygon": [[left, bottom], [right, bottom], [right, top], [left, top]]}

    def title(content: Any) -> str:
        with Image.open(io.BytesIO(client.get(f"/api/a/clip?key={ask(client, content)['key']}").content)) as image:
            return title_of(image)

    assert title(shape).endswith(", a selection of states")
    named = {**shape, "name": "all <of> & them"}
    saved = client.post("/api/a/annotations/selections", json=named, headers=WRITE).json()
    assert title({"selection": saved["id"]}).endswith(", all <of> & them")
    view.annotations.put_cluster(1, "in the air", "", "Ada", 0)
    assert title({"clusters": [0, 1]}).endswith(", cluster 0, cluster 1: in the air")
    view.annotations.path.write_text("damaged")
    assert title({"clusters": [1]}).endswith(", cluster 1")


def test_everything_inside_leaves_nothing_to_compare_with(client: TestClient, real_recording: Recording) -> None:
    found = ask(client, {"clusters": list(range(8))})
    assert found["count"] == found["of"] == real_recording.num_states
    assert found["mean_rest"] is None
    assert found["value"]["difference"] is None
    assert found["actions_effect"] is None


def within(passes: NDArray[np.bool_]) -> str:
    """Return which states pass a filter, as the page sends it."""
    return base64.b64encode(np.packbits(passes, bitorder="little").tobytes()).decode()


@pytest.mark.parametrize("of", [HALF, {"clusters": [3, 5]}])
def test_within_a_filter_only_what_passes_is_compared(
    client: TestClient, real_recording: Recording, of: dict[str, Any]
) -> None:
    states = real_recording.states
    passes = (states["step"] >= 10) & (states["episode"] % 3 != 0)
    is_inside = states["code_index"].is_in([3, 5]) if "clusters" in of else states["embedding_x"] < 0
    found = ask(client, {**of, "within": within(passes.to_numpy())})
    inside, rest = states.filter(passes & is_inside), states.filter(passes & ~is_inside)
    assert (found["count"], found["of"]) == (len(inside), passes.sum())
    assert found["value"]["inside"] == pytest.approx(inside["value"].mean())
    assert found["value"]["rest"] == pytest.approx(rest["value"].mean())
    episodes = real_recording.episodes.filter(pl.col("terminated") | pl.col("truncated"))
    passed, others = (set(part["episode"].unique()) for part in (inside, rest))
    of_rest = episodes.filter(pl.col("episode").is_in(list(others - passed)))
    assert found["success"]["num_episodes"] == len(episodes.filter(pl.col("episode").is_in(list(passed))))
    assert found["success"]["num_episodes_rest"] == len(of_rest)
    assert found["dwell"]["note"] == NOT_FILTERED
    assert found["note"] == OF_FILTERED.format(known=passes.sum(), total=len(states))
    rows = pl.read_parquet(client.get(f"/api/a/rows?key={found['key']}&format=parquet").content)
    assert rows["row"].to_list() == np.flatnonzero((passes & is_inside).to_numpy()).tolist()
    everything = ask(client, of)
    assert everything["key"] != found["key"]
    assert everything["of"] == len(states)


def test_on_a_plane_with_a_sample_only_the_sample_is_counted(make_view: Callable[..., RecordingView]) -> None:
    view = make_view(SETTINGS._replace(tsne_states=60))
    client = client_of(view)
    left, right, bottom, top = get_json(client, "/api/a/plane/tsne")["limits"]
    middle = (left + right) / 2
    polygon = [[left, bottom], [middle, bottom], [middle, top], [left, top]]
    found = ask(client, {"plane": "tsne", "polygon": polygon})
    assert found["of"] == 60
    assert found["count"] == (view.explored.plane("tsne").points[:, 0] < middle).sum()
    assert "sample" in found["dwell"]["note"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "a plane and a polygon"),
        ({"plane": "umap", "polygon": HALF["polygon"]}, 'plane: got "umap", expected one of fdr, tsne, pca'),
        ({"plane": ["fdr"], "polygon": HALF["polygon"]}, "plane: got"),
        ({"plane": "fdr", "polygon": [[0, 0], [1, 1]]}, "got 2 vertices"),
        ({"plane": "fdr", "polygon": "all"}, "got 0 vertices"),
        ({"plane": "fdr", "polygon": [[0, 0], [1, 1], [1]]}, "two finite numbers"),
        ({"plane": "fdr", "polygon": [[0, 0], [1, 1], [1, "2"]]}, "two finite numbers"),
        ({"plane": "fdr", "polygon": [[0, 0], [1, 1], [1, True]]}, "two finite numbers"),
        ({"plane": "fdr", "polygon": [[0, 0], [1, 1], [1, 10**400]]}, "two finite numbers"),
        ({"plane": "fdr", "polygon": [[0, 0]] * 10_001}, "10,001 vertices"),
        ({"clusters": [8]}, "numbers from 0 to 7"),
        ({"clusters": []}, "numbers from 0 to 7"),
        ({"clusters": [1.5]}, "numbers from 0 to 7"),
        ({"clusters": 3}, "numbers from 0 to 7"),
        ({"clusters": [3], "within": "AAAA"}, "a bit for each point on the map"),
        ({"clusters": [3], "within": "no base64"}, "a bit for each point on the map"),
        ({"clusters": [3], "within": 7}, "a bit for each point on the map"),
    ],
)
def test_what_is_no_selection_is_refused_with_a_sentence(client: TestClient, content: Any, words: str) -> None:
    response = client.post("/api/a/inside", json=content, headers=WRITE)
    assert response.status_code == 400
    assert words in response.json()["error"]


@pytest.mark.parametrize("body", [b"{", b"[1]", b'{"plane": NaN}', b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused_with_a_sentence(client: TestClient, body: bytes) -> None:
    response = client.post("/api/a/inside", content=body, headers=WRITE)
    assert response.status_code == 400
    assert "JSON" in response.json()["error"]


def test_a_body_that_is_too_large_is_refused(client: TestClient) -> None:
    response = client.post("/api/a/inside", content=b" " * 1_000_001, headers=WRITE)
    assert response.status_code == 413


def test_a_key_that_is_not_known_is_refused(client: TestClient) -> None:
    for path in ("rows?key=x", "clip?key=../../etc/passwd", "inside-mean/0123456789abcdef"):
        assert client.get(f"/api/a/{path}").status_code == 404
    key = ask(client, HALF)["key"]
    assert client.get(f"/api/a/rows?key={key}&format=xlsx").status_code == 400


def test_examples_are_one_of_each_episode_and_the_same_every_time(make_view: Callable[..., RecordingView]) -> None:
    client = client_of(make_view(num_episodes=20))
    found, again = (ask(client, {"clusters": [0, 1]})["examples"] for _ in range(2))
    assert found == again
    assert len(found) == NUM_EXAMPLES
    order = [row * 2_654_435_761 % 2**32 for row in found]
    assert order == sorted(order), "rows in the order of Knuth's multiplicative hash"


def test_a_comparison_of_a_sample_says_of_how_many_states_it_is(make_view: Callable[..., RecordingView]) -> None:
    view = make_view(SETTINGS._replace(tsne_states=60))
    client = client_of(view)
    left, right, bottom, top = get_json(client, "/api/a/plane/tsne")["limits"]
    corners = [[left, bottom], [right, bottom], [right, top], [left, top]]
    found = ask(client, {"plane": "tsne", "polygon": corners})
    assert found["note"].startswith(f"Of 60 of the {view.explored.num_states} states, drawn at random")
    assert "note" not in ask(client, {"clusters": [0]})
