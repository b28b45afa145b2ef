"""Summaries of clusters, against what is known of a made-up recording."""

from pathlib import Path

import numpy as np
import pytest

from semantic_rl.analysis.clusters import compute_clusters, distances_to_middle, find_visits, pick_typical
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording

from ..recording.synthetic import make_recording


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return make_recording(tmp_path_factory.mktemp("recordings") / "r", num_episodes=14)


def test_visits_are_runs_within_an_episode() -> None:
    episode = np.array([0, 0, 0, 0, 1, 1, 1])
    step = np.array([0, 1, 2, 3, 0, 1, 2])
    code = np.array([2, 2, 0, 2, 2, 2, 1])
    visits = find_visits(episode, step, code)
    assert visits.code_index.tolist() == [2, 0, 2, 2, 1]
    assert visits.num_steps.tolist() == [2, 1, 1, 2, 1]
    assert visits.first_row.tolist() == [0, 2, 3, 4, 6]
    assert visits.episode.tolist() == [0, 0, 0, 1, 1]


def test_visits_count_steps_that_were_not_recorded() -> None:
    visits = find_visits(np.zeros(3, int), np.array([4, 7, 9]), np.array([1, 1, 0]))
    assert visits.num_steps.tolist() == [4, 1]


def test_shares_and_distributions_are_those_of_the_states(recording: Recording) -> None:
    clusters = compute_clusters(recording)
    states = recording.states
    assert sum(cluster.share for cluster in clusters.clusters) == pytest.approx(1)
    for cluster in clusters.clusters:
        mine = states.filter(states["code_index"] == cluster.code_index)
        assert cluster.num_states == len(mine)
        np.testing.assert_allclose(cluster.actions, np.bincount(mine["action"], minlength=15) / len(mine))
        assert cluster.values.sum() == pytest.approx(1)
        assert cluster.progress.sum() == pytest.approx(1)
        peak = clusters.value_edges[cluster.values.argmax()]
        assert abs(peak - mine["value"].median()) < 0.5
    np.testing.assert_allclose(sum(c.share * c.actions for c in clusters.clusters), clusters.actions)


def test_success_is_over_the_episodes_that_pass_through(recording: Recording) -> None:
    clusters = compute_clusters(recording)
    assert clusters.success == pytest.approx(0.5)
    for cluster in clusters.clusters:
        through = recording.states.filter(recording.states["code_index"] == cluster.code_index)["episode"].unique()
        assert cluster.num_episodes == len(through)
        assert cluster.success == pytest.approx((through.to_numpy() % 2 == 1).mean())


def test_dwell_times_visits_make_up_all_steps(recording: Recording) -> None:
    clusters = compute_clusters(recording)
    total = sum(cluster.mean_dwell * cluster.num_visits for cluster in clusters.clusters)
    assert total == pytest.approx(recording.num_states)


def test_the_medoid_is_the_state_nearest_to_all_others(recording: Recording) -> None:
    features = recording.features().astype(np.float64)
    code_index = recording.states["code_index"].to_numpy()
    for cluster in compute_clusters(recording).clusters:
        rows = np.flatnonzero(code_index == cluster.code_index)
        pairwise = np.square(features[rows][:, None] - features[rows]).sum((1, 2))
        assert cluster.medoid == rows[pairwise.argmin()]


def test_distances_are_to_the_mean_features_of_the_cluster(recording: Recording) -> None:
    code_index = recording.states["code_index"].to_numpy().astype(np.int64)
    features = recording.features().astype(np.float64)
    means = np.stack([features[code_index == index].mean(0) for index in range(4)])
    expected = np.square(features - means[code_index]).sum(1)
    np.testing.assert_allclose(distances_to_middle(recording, code_index), expected)


def test_medoids_may_be_looked_for_among_some_states_only(recording: Recording) -> None:
    code_index = recording.states["code_index"].to_numpy()
    among = np.arange(0, recording.num_states, 3)
    features = recording.features().astype(np.float64)
    some, everything = compute_clusters(recording, among=among), compute_clusters(recording)
    for index, (cluster, whole) in enumerate(zip(some.clusters, everything.clusters, strict=True)):
        rows = among[code_index[among] == index]
        distances = np.square(features[rows] - features[rows].mean(0)).sum(1)
        assert cluster.medoid == rows[distances.argmin()]
        assert set(cluster.typical) <= set(rows.tolist())
        assert cluster.num_states == whole.num_states
        np.testing.assert_array_equal(cluster.actions, whole.actions)


def test_frames_are_of_the_cluster_and_of_different_episodes_and_levels(recording: Recording) -> None:
    states = recording.states
    for cluster in compute_clusters(recording).clusters:
        assert cluster.medoid is not None
        assert cluster.mean_frame is not None
        rows = [cluster.medoid, *cluster.typical]
        assert len(rows) == 6
        assert set(states[rows]["code_index"]) == {cluster.code_index}
        assert states[rows]["episode"].n_unique() == len(rows)
        assert states[rows]["level_seed"].n_unique() == len(rows)
        np.testing.assert_allclose(cluster.mean_frame, 20 * cluster.code_index)


def test_typical_states_may_be_fewer_than_asked_for() -> None:
    near = np.array([3, 0, 1, 2])
    rng = np.random.default_rng(0)
    assert pick_typical(near, np.array([0, 0, 1, 1]), np.array([5, 5, 6, 7]), 3, rng) == [0]
    assert pick_typical(np.array([], int), np.zeros(0, int), np.zeros(0, int), 3, rng) == []


def test_an_empty_cluster_is_said_to_be_empty(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "r", num_codes=3, num_unused=2)
    empty = compute_clusters(recording).clusters[-1]
    assert empty.num_states == 0
    assert empty.medoid is None
    assert empty.mean_frame is None
    assert np.isnan(empty.mean_dwell)


def test_an_agent_without_clusters_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no semantic clustering module"):
        compute_clusters(make_recording(tmp_path / "r", num_codes=0, num_episodes=2))
