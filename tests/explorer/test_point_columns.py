"""Columns say what the table of states says; planes are those that scikit-learn and the figures compute."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.decomposition import PCA

from semantic_rl import RecordingWriter
from semantic_rl.analysis.embedding import compute_planes
from semantic_rl.envs.spec import ActionSpec, EnvSpec, ObservationPart
from semantic_rl.explorer.dataset.dataset import Explored
from semantic_rl.explorer.dataset.point_columns import NOT_PLACED, Column, column_bytes, describe_columns
from semantic_rl.explorer.dataset.state_table import uncertainty_of
from semantic_rl.explorer.recording_view import RecordingView
from semantic_rl.recording.store import Recording, open_recording

from .conftest import SETTINGS, TestClient, client_of, get, get_json, meta_of


def column(client: TestClient, meta: dict[str, Any], name: str) -> NDArray[Any]:
    """Return a column as the page reads it, [P] or [P, 2]."""
    described = next(found for found in meta["columns"] if found["name"] == name)
    values = np.frombuffer(get(client, f"/api/a/column/{name}").content, np.dtype(described["dtype"]).newbyteorder("<"))
    values = values.reshape(meta["num_shown"], described["width"])
    return values if described["width"] > 1 else values[:, 0]


def decoded(values: NDArray[Any], low: float, high: float) -> NDArray[np.float64]:
    """Turn whole numbers back, by the rule that the page goes by."""
    return low + values / np.iinfo(values.dtype).max * (high - low)


def test_columns_equal_the_table(client: TestClient, real_recording: Recording) -> None:
    meta, states = meta_of(client), real_recording.states
    episodes = real_recording.episodes[states["episode"].to_numpy()]
    assert meta["num_shown"] == meta["num_states"] == len(states)
    np.testing.assert_array_equal(column(client, meta, "row"), np.arange(len(states)))
    for name, of_table in (("cluster", "code_index"), ("action", "action"), ("step", "step"), ("episode", "episode")):
        np.testing.assert_array_equal(column(client, meta, name), states[of_table].to_numpy())
    about = {found["name"]: found for found in meta["columns"]}
    low, high = about["value"]["low"], about["value"]["high"]
    value = decoded(column(client, meta, "value"), low, high)
    np.testing.assert_allclose(value, states["value"].to_numpy(), atol=(high - low) / 65535)
    reward = np.array(about["reward"]["levels"])[column(client, meta, "reward")]
    np.testing.assert_array_equal(reward, states["reward"].to_numpy())
    at, to_go = column(client, meta, "return_to_go"), states["return_to_go"].to_numpy()
    low, high, unknown = (about["return_to_go"][key] for key in ("low", "high", "unknown"))
    is_known = np.isfinite(to_go)
    np.testing.assert_array_equal(at == unknown, ~is_known)
    np.testing.assert_allclose(decoded(at[is_known], low, high), to_go[is_known], atol=(high - low) / 65535 + 1e-9)
    progress = states["step"].to_numpy() / np.maximum(episodes["length"].to_numpy() - 1, 1)
    np.testing.assert_allclose(decoded(column(client, meta, "progress"), 0, 1), progress, atol=0.5 / 255 + 1e-6)
    success = np.where(
        episodes["terminated"].to_numpy() | episodes["truncated"].to_numpy(), episodes["success"].to_numpy(), 255
    )
    np.testing.assert_array_equal(column(client, meta, "success"), success)


def test_the_fdr_plane_is_quantised_over_its_limits(client: TestClient, real_recording: Recording) -> None:
    meta = meta_of(client)
    left, right, bottom, top = meta["planes"][0]["limits"]
    assert right - left == pytest.approx(top - bottom)
    points = column(client, meta, "fdr")
    expected = real_recording.states.select("embedding_x", "embedding_y").to_numpy()
    found = np.stack([decoded(points[:, 0], left, right), decoded(points[:, 1], bottom, top)], 1)
    np.testing.assert_allclose(found, expected, atol=(right - left) / 65535)
    assert not (points == NOT_PLACED).all(1).any()


def test_pca_is_scikit_learns(client: TestClient, real_recording: Recording) -> None:
    left, right, bottom, top = get_json(client, "/api/a/plane/pca")["limits"]
    points = column(client, meta_of(client), "pca")
    found = np.stack([decoded(points[:, 0], left, right), decoded(points[:, 1], bottom, top)], 1)
    expected = PCA(2, svd_solver="full").fit_transform(real_recording.features().astype(np.float64))
    for axis in range(2):
        sign = np.sign(found[:, axis] @ expected[:, axis])
        np.testing.assert_allclose(found[:, axis], sign * expected[:, axis], atol=0.02)


def test_tsne_is_that_of_the_figures(client: TestClient, real_recording: Recording) -> None:
    points = column(client, meta_of(client), "tsne")
    left, right, bottom, top = get_json(client, "/api/a/plane/tsne")["limits"]
    found = np.stack([decoded(points[:, 0], left, right), decoded(points[:, 1], bottom, top)], 1)
    expected = compute_planes(real_recording, 30_000, 30.0, 0).tsne
    np.testing.assert_allclose(found, expected, atol=(right - left) / 65535)
    assert meta_of(client)["planes"][1]["ready"]


def test_uncertainty_is_the_entropy_of_soft_assignment(client: TestClient, real_recording: Recording) -> None:
    meta = meta_of(client)
    distances = real_recording.states["code_distance"].to_numpy().astype(np.float64)
    sigma = np.median(distances.min(1))
    assert meta["uncertainty_scale"] == pytest.approx(sigma, rel=1e-6)
    expected = entropy(softmax(-(distances**2) / (2 * sigma**2), axis=1), axis=1) / np.log(8)
    found = decoded(column(client, meta, "uncertainty"), 0, 1)
    np.testing.assert_allclose(found, expected, atol=0.5 / 255 + 1e-6)
    assert 0.1 < found.mean() < 0.9


def test_uncertainty_is_zero_at_a_far_code_and_one_between_all() -> None:
    distances = np.array([[0.0, 50.0, 50.0], [1.0, 1.0, 1.0], [1.0, 1.0, 60.0]], np.float32)
    np.testing.assert_allclose(uncertainty_of(distances, 1.0), [0, 1, np.log(2) / np.log(3)], atol=1e-6)
    np.testing.assert_array_equal(uncertainty_of(distances[:, :1], 1.0), [0, 0, 0])
    np.testing.assert_array_equal(uncertainty_of(distances[:1] * 0 + [0.0, 1.0, 1.0], 0.0), [0])


def test_of_many_states_a_stated_sample_is_shown(make_view: Callable[..., RecordingView]) -> None:
    view = make_view(SETTINGS._replace(max_points=200, tsne_states=60))
    client = client_of(view)
    meta = meta_of(client)
    rows = column(client, meta, "row")
    assert meta["num_shown"] == 200 < meta["num_states"]
    assert (np.diff(rows.astype(np.int64)) > 0).all()
    states = view.explored.recording.states[rows.tolist()]
    np.testing.assert_array_equal(column(client, meta, "cluster"), states["code_index"].to_numpy())
    np.testing.assert_array_equal(column(client, meta, "episode"), states["episode"].to_numpy())
    sentence = f"The map shows 200 of {meta['num_states']} states, drawn at random (seed 0)"
    assert any(note.startswith(sentence) for note in meta["notes"])
    tsne = column(client, meta, "tsne")
    placed = ~(tsne == NOT_PLACED).all(1)
    assert placed.sum() == get_json(client, "/api/a/plane/tsne")["num_placed"] == 60
    assert any("t-SNE places 60 of the 200 points" in note for note in meta["notes"])
    points = dict(zip(rows[placed].tolist(), view.explored.plane("tsne").points.tolist(), strict=True))
    for index, first in enumerate(get_json(client, "/api/a/episodes")["first_row"]):
        told = get_json(client, f"/api/a/episode/{index}")["planes"]["tsne"]
        assert told == [points.get(first + place) for place in range(len(told))]


def test_rewards_of_many_kinds_are_quantised(make_view: Callable[..., RecordingView]) -> None:
    explored = make_view().explored
    reward = np.linspace(-3, 5, len(explored.states.reward), dtype=np.float32)
    explored.states = explored.states._replace(reward=reward)
    found: Column = next(found for found in describe_columns(explored) if found.name == "reward")
    assert (found.dtype, found.low, found.high, found.levels) == ("uint16", -3.0, 5.0, None)
    values = np.frombuffer(column_bytes(explored, found), "<u2")
    np.testing.assert_allclose(decoded(values, -3, 5), reward, atol=8 / 65535)


def test_steps_beyond_65535_take_four_bytes(make_view: Callable[..., RecordingView]) -> None:
    explored: Explored = make_view().explored
    explored.states = explored.states._replace(step=explored.states.step + 70_000)
    found = next(found for found in describe_columns(explored) if found.name == "step")
    assert found.dtype == "uint32"
    np.testing.assert_array_equal(np.frombuffer(column_bytes(explored, found), "<u4"), explored.states.step)


def test_values_that_are_not_finite_are_counted(make_view: Callable[..., RecordingView]) -> None:
    view = make_view()
    value = view.explored.states.value.copy()
    value[[3, 7]] = np.nan, np.inf
    view.explored.states = view.explored.states._replace(value=value)
    column = view.columns["value"].to_json()
    assert column.get("num_unknown") == 2
    assert np.frombuffer(view.column("value"), "<u2")[[3, 7]].tolist() == [0, 0]
    assert "num_unknown" not in make_view().columns["value"].to_json()


def test_parts_that_are_choices_are_columns_of_choices(tmp_path: Path) -> None:
    spec = EnvSpec(
        "parts",
        "data",
        (ObservationPart("", (2,), "float32"),),
        ActionSpec("multi_discrete", (2, 3), ("gear", "signal")),
    )
    actions = np.array([[0, 2], [1, 0], [1, 1]])
    with RecordingWriter(tmp_path / "r", spec) as writer:
        writer.add_episode(observations=np.eye(3, 2), features=np.eye(3), actions=actions, terminated=True)
    explored = Explored(open_recording(tmp_path / "r"), SETTINGS)
    parts = [found for found in describe_columns(explored) if found.title is not None]
    assert [(part.title, part.dtype, part.levels) for part in parts] == [
        ("gear", "uint8", [0.0, 1.0]),
        ("signal", "uint8", [0.0, 1.0, 2.0]),
    ]
    for index, part in enumerate(parts):
        assert np.frombuffer(column_bytes(explored, part), np.uint8).tolist() == actions[:, index].tolist()
