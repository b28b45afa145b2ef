"""Trustworthiness, continuity and overlap: against loops, scikit-learn, known planes, and with episodes really gone."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.manifold import trustworthiness

from semantic_rl.analysis.metrics import jackknife, neighbourhoods
from semantic_rl.analysis.metrics.bootstrap import Bootstrap
from semantic_rl.analysis.metrics.jackknife import scores_left_out
from semantic_rl.analysis.metrics.neighbourhoods import largest_k, neighbourhood_scores

Points = NDArray[np.float64]


def states(count: int = 90, noise: float = 0.7, seed: int = 0) -> tuple[Points, Points]:
    """Features [count, 12] and a plane that keeps some of their neighbourhoods."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 12))
    return features, features[:, :2] + noise * rng.normal(size=(count, 2))


def means(features: Points, plane: Points, neighbours: tuple[int, ...]) -> dict[str, float]:
    scores = neighbourhood_scores(features, {"plane": plane}, neighbours)["plane"]
    return {name: float(values.mean()) for name, values in scores.items()}


def in_loops(features: Points, plane: Points, k: int) -> dict[str, list[float]]:
    """The definitions, state by state and neighbour by neighbour."""
    count = len(features)
    found: dict[str, list[float]] = {"trustworthiness": [], "continuity": [], "neighbour_overlap": []}
    for i in range(count):
        others = [j for j in range(count) if j != i]
        by_features = sorted(others, key=lambda j: float(np.linalg.norm(features[i] - features[j])))
        by_plane = sorted(others, key=lambda j: float(np.linalg.norm(plane[i] - plane[j])))
        intruders = missing = 0
        for j in by_plane[:k]:
            if j not in by_features[:k]:
                intruders += by_features.index(j) + 1 - k
        for j in by_features[:k]:
            if j not in by_plane[:k]:
                missing += by_plane.index(j) + 1 - k
        scale = 2 / (k * (2 * count - 3 * k - 1))
        found["trustworthiness"].append(1 - scale * intruders)
        found["continuity"].append(1 - scale * missing)
        found["neighbour_overlap"].append(len(set(by_plane[:k]) & set(by_features[:k])) / k)
    return found


@pytest.mark.parametrize("k", [1, 5, 20])
def test_every_state_scores_as_in_a_loop_over_its_neighbours(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbourhoods, "CHUNK", 32)
    features, plane = states()
    scores = neighbourhood_scores(features, {"plane": plane}, [k])["plane"]
    for name, expected in in_loops(features, plane, k).items():
        np.testing.assert_allclose(scores[f"{name}_{k}"], expected, atol=1e-12)


@pytest.mark.parametrize("k", [3, 10, 44])
def test_trustworthiness_is_scikit_learns_and_continuity_the_same_with_both_sides_swapped(k: int) -> None:
    features, plane = states()
    found = means(features, plane, (k,))
    assert found[f"trustworthiness_{k}"] == pytest.approx(trustworthiness(features, plane, n_neighbors=k))
    assert found[f"continuity_{k}"] == pytest.approx(trustworthiness(plane, features, n_neighbors=k))


def test_a_plane_that_keeps_all_distances_is_perfect() -> None:
    _, plane = states()
    turned = np.pad(3 * plane[:, ::-1], ((0, 0), (0, 10)))
    assert set(means(turned, plane, (5, 30)).values()) == {1.0}


def test_a_random_plane_shares_what_chance_shares() -> None:
    rng = np.random.default_rng(1)
    found = means(rng.normal(size=(600, 30)), rng.normal(size=(600, 2)), (10, 100))
    for k in (10, 100):
        assert found[f"neighbour_overlap_{k}"] == pytest.approx(k / 599, abs=0.02)
        assert found[f"trustworthiness_{k}"] == pytest.approx(0.5, abs=0.05)
        assert found[f"continuity_{k}"] == pytest.approx(0.5, abs=0.05)


def test_the_worst_plane_has_trustworthiness_zero() -> None:
    # The nearest in the plane is the farthest in the features: for the first two the last one, and the other way.
    features = np.array([[0.0], [1.0], [10.0], [11.0]])
    plane = np.array([[0.0, 0], [2.5, 0], [-1.5, 0], [1, 0]])
    assert means(features, plane, (1,))["trustworthiness_1"] == 0.0


def test_states_that_coincide_are_each_others_first_neighbours() -> None:
    features, plane = states(40)
    twins = means(np.repeat(features, 3, 0), np.repeat(plane, 3, 0), (2,))
    assert twins["neighbour_overlap_2"] == 1.0
    assert twins["trustworthiness_2"] == 1.0


def test_k_must_be_less_than_half_of_the_states() -> None:
    assert [largest_k(count) for count in (1, 2, 3, 20, 21)] == [0, 0, 1, 9, 10]


def bootstrap_of(episode: NDArray[np.int64]) -> Bootstrap:
    return Bootstrap(episode, 100, 0)


@pytest.mark.parametrize("num_long", [0, 30])
def test_figures_without_an_episode_are_those_of_the_other_states_alone(num_long: int) -> None:
    features, plane = states()
    episode = np.arange(90) // 10
    episode[:num_long] = 0  # an episode so long that neighbours must be sought far away
    episode = np.unique(episode, return_inverse=True)[1].astype(np.int64)
    planes = {"one": plane, "two": features[:, 3:5]}
    neighbours = (3, 12)
    scores = neighbourhood_scores(features, planes, neighbours)
    found = scores_left_out(features, planes, neighbours, scores, bootstrap_of(episode), seed=0)
    for key, points in planes.items():
        for unit in range(int(episode.max()) + 1):
            kept = episode != unit
            for name, expected in means(features[kept], points[kept], neighbours).items():
                assert found[key][name][unit] == pytest.approx(expected, abs=1e-9)


def test_with_a_part_of_the_states_asked_it_is_about_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    features, plane = states(400)
    episode = np.arange(400) // 20
    features += np.random.default_rng(1).normal(size=(20, 12))[episode]
    scores = neighbourhood_scores(features, {"plane": plane}, [10])
    exact = scores_left_out(features, {"plane": plane}, [10], scores, bootstrap_of(episode), seed=0)["plane"]
    monkeypatch.setattr(jackknife, "MOST_QUERIES", 200)
    sampled = scores_left_out(features, {"plane": plane}, [10], scores, bootstrap_of(episode), seed=0)["plane"]
    for name, expected in exact.items():
        assert sampled[name].std() == pytest.approx(expected.std(), rel=0.25)
        assert np.corrcoef(sampled[name], expected)[0, 1] > 0.7
