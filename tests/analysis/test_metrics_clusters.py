"""Figures of clusters: against scikit-learn, loops and known values, with all states and without an episode."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import procrustes
from sklearn.metrics import adjusted_mutual_info_score, silhouette_score

from semantic_rl.analysis.metrics import separation
from semantic_rl.analysis.metrics.agreement import procrustes_distance
from semantic_rl.analysis.metrics.bootstrap import Bootstrap
from semantic_rl.analysis.metrics.dwelling import count, shuffle_within_episodes, time_in_clusters
from semantic_rl.analysis.metrics.information import adjusted, contingency, shared_information
from semantic_rl.analysis.metrics.sample import number, quantile_bins
from semantic_rl.analysis.metrics.separation import davies_bouldin, silhouettes, use_of_clusters

EPISODE = np.repeat(np.arange(10), 12)
STEP = np.tile(np.arange(12), 10)


class KeepsLeftOut(Bootstrap):
    """Remembers what it is told of figures without each episode."""

    def estimate_left_out(self, value, left_out):  # type: ignore[no-untyped-def]
        self.left_out = left_out
        return super().estimate_left_out(value, left_out)


def bootstrap() -> KeepsLeftOut:
    return KeepsLeftOut(EPISODE, 200, 0)


def clusters(num_clusters: int = 4, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Points [120, 5] and clusters that say something of them."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, num_clusters, len(EPISODE))
    return rng.normal(size=(len(EPISODE), 5)) + labels[:, None], labels


def test_silhouettes_are_scikit_learns_with_all_states_and_without_an_episode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(separation, "CHUNK", 50)
    points, labels = clusters()
    labels[3] = 9  # alone in its cluster, which is gone without episode 0
    draws = bootstrap()
    found = silhouettes(points, {"a": labels, "b": labels % 2}, draws)
    assert found["a"].value == pytest.approx(silhouette_score(points, labels))
    assert found["b"].value == pytest.approx(silhouette_score(points, labels % 2))
    for unit in range(10):
        kept = unit != EPISODE
        assert draws.left_out[unit] == pytest.approx(silhouette_score(points[kept], (labels % 2)[kept]))


def test_silhouettes_of_states_that_coincide_are_zero() -> None:
    labels = np.arange(120) % 2
    assert silhouettes(np.ones((120, 2)), {"x": labels}, bootstrap())["x"].value == 0.0


def test_clusters_that_cannot_be_told_apart_have_no_separation() -> None:
    points, _ = clusters()
    for labels, note in ((np.zeros(120, int), "one cluster holds all states"), (np.arange(120), "of its own")):
        for found in (
            silhouettes(points, {"x": labels}, bootstrap())["x"],
            davies_bouldin(points, labels, bootstrap()),
        ):
            assert found.value is None
            assert found.note is not None
            assert note in found.note


def test_a_cluster_of_one_episode_leaves_the_interval_as_it_is_and_the_only_other_one_undefines_it() -> None:
    points, labels = clusters(3)
    labels[EPISODE == 0] = 7
    assert davies_bouldin(points, labels, bootstrap()).low is not None
    two = np.where(EPISODE == 0, 1, 0)
    for found in (davies_bouldin(points, two, bootstrap()), silhouettes(points, {"x": two}, bootstrap())["x"]):
        assert found.value is not None
        assert found.low is None
        assert "without some episode" in (found.note or "")


def test_davies_bouldin_of_two_known_clusters() -> None:
    points = np.array([[0.0, 0], [2, 0], [10, 0], [14, 0]])
    found = davies_bouldin(points, np.array([0, 0, 1, 1]), Bootstrap(np.zeros(4, np.int64), 100, 0))
    assert found.value == pytest.approx((1 + 2) / 11)


def test_perplexity_counts_clusters_by_their_size() -> None:
    labels = np.tile([0, 1, 2, 3, 4, 5, 5, 5, 5, 5, 5, 5], 10)
    found = use_of_clusters(labels, bootstrap())
    shares = np.array([1 / 12] * 5 + [7 / 12])
    assert found["clusters_in_use"][:3] == (6.0, 6.0, 6.0)
    assert found["perplexity"].value == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))
    assert use_of_clusters(np.tile(np.arange(12), 10), bootstrap())["perplexity"].value == pytest.approx(12)
    assert use_of_clusters(np.zeros(120, int), bootstrap())["perplexity"].value == 1.0


def test_shared_information_is_scikit_learns_with_all_states_and_without_an_episode() -> None:
    rng = np.random.default_rng(0)
    _, labels = clusters()
    others = (labels + rng.integers(0, 3, 120)) % 5
    draws = bootstrap()
    found = shared_information(labels, others, draws, "")
    assert found.value == pytest.approx(adjusted_mutual_info_score(labels, others))
    for unit in range(10):
        kept = unit != EPISODE
        assert draws.left_out[unit] == pytest.approx(adjusted_mutual_info_score(labels[kept], others[kept]))


def test_shared_information_of_known_cases() -> None:
    _, labels = clusters()
    assert shared_information(labels, (labels + 2) % 4, bootstrap(), "").value == pytest.approx(1)
    independent = np.random.default_rng(5).integers(0, 4, 120)
    assert shared_information(labels, independent, bootstrap(), "").value == pytest.approx(0, abs=0.05)
    assert adjusted(contingency(np.zeros(4, int), np.arange(4))) != adjusted(contingency(np.arange(4), np.arange(4)))


def test_nothing_is_shared_with_a_label_that_never_changes_and_the_reason_is_given() -> None:
    _, labels = clusters()
    same = np.zeros(120, np.int64)
    assert shared_information(labels, same, bootstrap(), "all alike") == (None, None, None, "all alike")
    assert shared_information(same, labels, bootstrap(), "").note == "one cluster holds all states"


def test_shuffled_time_keeps_what_each_episode_holds_and_forgets_the_order() -> None:
    _, labels = clusters()
    shuffled = shuffle_within_episodes(EPISODE, labels, np.random.default_rng(0))
    assert not np.array_equal(shuffled, labels)
    for episode in range(10):
        mine = episode == EPISODE
        assert sorted(shuffled[mine]) == sorted(labels[mine])
    whose = shuffle_within_episodes(EPISODE, EPISODE, np.random.default_rng(0))
    np.testing.assert_array_equal(whose, EPISODE)


def test_every_order_of_an_episode_is_as_probable() -> None:
    rng = np.random.default_rng(0)
    seen = [tuple(shuffle_within_episodes(np.zeros(3, int), np.arange(3), rng)) for _ in range(3000)]
    counts = [seen.count(order) for order in set(seen)]
    assert len(counts) == 6
    assert min(counts) > 400


def test_dwell_and_self_transition_are_those_of_a_loop() -> None:
    _, labels = clusters(2)
    found = time_in_clusters(EPISODE, STEP, labels, bootstrap(), 0)
    visits = stays = 0
    for row in range(120):
        begins = STEP[row] == 0 or labels[row] != labels[row - 1]
        visits += begins
        stays += not begins
    assert found["dwell"].value == pytest.approx(120 / visits)
    assert found["self_transition"].value == pytest.approx(stays / 110)
    gain = found["self_transition"].value - found["self_transition_shuffled"].value  # type: ignore[operator]
    assert found["self_transition_gain"].value == pytest.approx(gain)
    ratio = found["dwell"].value / found["dwell_shuffled"].value  # type: ignore[operator]
    assert found["dwell_ratio"].value == pytest.approx(ratio)


def test_in_shuffled_time_clusters_follow_each_other_as_if_drawn_from_the_episode() -> None:
    labels = np.tile([0] * 6 + [1] * 4 + [2] * 2, 10)  # long visits, in truth
    found = time_in_clusters(EPISODE, STEP, labels, bootstrap(), 0)
    expected = sum(n * (n - 1) for n in (6, 4, 2)) / (12 * 11)
    assert found["self_transition_shuffled"].value == pytest.approx(expected, abs=0.03)
    assert found["dwell_shuffled"].value == pytest.approx(12 / (1 + 11 * (1 - expected)), rel=0.05)
    assert found["self_transition"].value == pytest.approx(9 / 11)
    assert found["dwell_ratio"].value > 1.8  # type: ignore[operator]


def test_moves_over_states_that_were_not_recorded_do_not_count() -> None:
    counts = count(np.zeros(4, int), np.array([0, 1, 5, 6]), np.array([1, 1, 1, 2]))
    assert counts.moves.tolist() == [2.0]
    assert counts.self_transitions.tolist() == [1.0]
    assert counts.steps.tolist() == [7.0]
    assert counts.visits.tolist() == [2.0]


def test_episodes_of_a_single_state_have_no_moves() -> None:
    episode = np.arange(4)
    found = time_in_clusters(episode, np.zeros(4, int), np.array([0, 1, 0, 1]), Bootstrap(episode, 100, 0), 0)
    assert found["self_transition"].value is None
    assert found["dwell"].value == 1.0


def test_many_episodes_are_timed_one_by_one_though_drawn_in_groups() -> None:
    episode, step = np.repeat(np.arange(250), 4), np.tile(np.arange(4), 250)
    labels = np.tile([0, 0, 1, 1], 250)
    found = time_in_clusters(episode, step, labels, Bootstrap(episode, 100, 0), 0)
    assert found["dwell"].value == 2.0
    assert found["self_transition_shuffled"].value == pytest.approx(1 / 3, abs=0.02)


def test_planes_that_differ_by_place_turn_mirror_and_size_agree() -> None:
    plane = np.random.default_rng(0).normal(size=(120, 2))
    turned = 3 * plane @ np.array([[0.6, 0.8], [0.8, -0.6]]) + 7
    assert procrustes_distance(plane, turned, bootstrap()).value == pytest.approx(0, abs=1e-12)


def test_planes_that_have_nothing_to_do_with_each_other_are_far_apart() -> None:
    rng = np.random.default_rng(0)
    plane, other = rng.normal(size=(2, 120, 2))
    draws = bootstrap()
    found = procrustes_distance(plane, other, draws)
    assert found.value == pytest.approx(procrustes(plane, other)[2])
    assert found.value > 0.9  # type: ignore[operator]
    kept = EPISODE != 4
    assert draws.left_out[4] == pytest.approx(procrustes(plane[kept], other[kept])[2])


def test_a_plane_that_is_one_point_is_not_compared() -> None:
    flat = procrustes_distance(np.ones((120, 2)), np.random.default_rng(0).normal(size=(120, 2)), bootstrap())
    assert flat.value is None
    assert flat.note == "all states lie in one point of a plane"


def test_labels_are_numbered_and_values_fall_into_bins_of_one_size() -> None:
    assert number(np.array([7, 3, 7, 100])).tolist() == [1, 0, 1, 2]
    bins = quantile_bins(np.random.default_rng(0).normal(size=200), 10)
    assert np.bincount(bins).tolist() == [20] * 10
    assert quantile_bins(np.array([1.0] * 9 + [2.0]), 10).max() <= 1
    assert quantile_bins(np.ones(9), 10).tolist() == [0] * 9
