"""The forces of t-SNE on a grid: those of a loop over all pairs, and planes that are as good as openTSNE's."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from openTSNE import TSNEEmbedding, affinity, initialization
from openTSNE.tsne import kl_divergence_fft

from semantic_rl.analysis.tsne_forces import Repulsion, grid_objective, kernel_spectra, repel, spline_weights


def over_all_pairs(places: NDArray[np.float64]) -> Repulsion:
    difference = places[:, None] - places
    similarity = 1 / (1 + (difference**2).sum(2))
    return Repulsion((similarity[:, :, None] ** 2 * difference).sum(1), similarity.sum() - len(places))


def affinities(num_states: int) -> Any:
    """Relate the states of ten clouds in 20 dimensions."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(10, 20))[rng.integers(10, size=num_states)] * 3 + rng.normal(size=(num_states, 20))
    return affinity.PerplexityBasedNN(features, 30, n_jobs=1, random_state=0), initialization.pca(features, 2)


def divergence(P: Any, places: NDArray[np.float64]) -> float:
    """Compute the Kullback-Leibler divergence from all pairs."""
    edges = P.tocoo()
    squares = ((places[edges.row] - places[edges.col]) ** 2).sum(1)
    return float((edges.data * np.log(edges.data * (1 + squares) * over_all_pairs(places).sum_q)).sum())


@pytest.mark.parametrize(
    ("scale", "tolerance"),
    [(1e-4, 1e-3), (1.0, 1e-3), (8.0, 1e-2), (30.0, 2e-2)],
    ids=["tiny", "small", "wide", "vast"],
)
@pytest.mark.parametrize("shape", [(1, 1), (1, 0.1), (0, 1)], ids=["round", "long", "line"])
def test_forces_are_those_of_all_pairs(scale: float, tolerance: float, shape: tuple[float, float]) -> None:
    places = np.random.default_rng(0).normal(size=(1500, 2)) * scale * shape
    expected = over_all_pairs(places)
    found = repel(places, 1, kernel_spectra)
    off = np.linalg.norm(found.forces - expected.forces)
    assert off < tolerance * np.linalg.norm(expected.forces)
    assert found.sum_q == pytest.approx(expected.sum_q, rel=2e-3)


def test_a_plane_wider_than_the_largest_grid_has_coarse_forces() -> None:
    places = np.random.default_rng(0).normal(size=(50, 2)) * 1000
    found = repel(places, 2, kernel_spectra)
    assert np.isfinite(found.forces).all()


def test_states_in_one_place_do_not_push() -> None:
    found = repel(np.full((20, 2), 0.5), 1, kernel_spectra)
    np.testing.assert_allclose(found.forces, 0, atol=1e-3)
    assert found.sum_q == pytest.approx(20 * 19, rel=1e-3)


def test_spline_weights_add_up_to_one_and_keep_the_place() -> None:
    offset = np.random.default_rng(0).random((100, 2))
    weights = spline_weights(offset)
    np.testing.assert_allclose(weights.sum(1), 1)
    np.testing.assert_allclose((weights * np.array([-1, 0, 1, 2])[:, None]).sum(1), offset, atol=1e-12)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("scale", "tolerance"), [(1.0, 1e-3), (10.0, 1e-2)])
def test_divergence_and_gradient_are_those_of_openTSNE_on_a_fine_grid(
    threads: int, scale: float, tolerance: float
) -> None:
    related, _ = affinities(1200)
    places = np.random.default_rng(1).normal(size=(1200, 2)) * scale
    gradients: list[NDArray[np.float64]] = []
    divergences: list[float] = []
    for side in (0.2, 1.0):  # of a cell; 1 is openTSNE's default
        grid = {"n_interpolation_points": 3, "min_num_intervals": 50, "ints_in_interval": side}
        expected, gradient = kl_divergence_fft(places, related.P, 1, grid, should_eval_error=True)
        divergences.append(expected)
        gradients.append(gradient)
    found, gradient = grid_objective(threads)(places, related.P, dof=1, n_jobs=threads, should_eval_error=True)
    assert found == pytest.approx(divergences[0], rel=1e-3)
    off, off_by_default = (np.linalg.norm(values - gradients[0]) for values in (gradient, gradients[1]))
    assert off < tolerance * np.linalg.norm(gradients[0])
    if scale > 1:  # else both are nearly exact
        assert off < off_by_default


def test_planes_are_as_good_as_those_of_openTSNE() -> None:
    related, start = affinities(1500)
    found: list[float] = []
    methods: list[Any] = ["fft", grid_objective(1)]
    for method in methods:
        plane = TSNEEmbedding(start.copy(), related, negative_gradient_method=method, n_jobs=1, random_state=0)
        plane.optimize(100, exaggeration=12, inplace=True)
        plane.optimize(200, inplace=True)
        found.append(divergence(related.P, np.asarray(plane)))
    assert found[1] < 1.005 * found[0]
