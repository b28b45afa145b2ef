"""Points in a polygon, against a loop over points and edges."""

import numpy as np
import pytest
from numpy.typing import NDArray

from semantic_rl.explorer.selection.polygon import inside_polygon


def by_loops(points: NDArray[np.float32], polygon: NDArray[np.float64]) -> list[bool]:
    found: list[bool] = []
    for x, y in points.astype(np.float64).tolist():
        odd = False
        for (x0, y0), (x1, y1) in zip(polygon.tolist(), np.roll(polygon, -1, 0).tolist(), strict=True):
            if (y0 <= y) != (y1 <= y) and x < x0 + (y - y0) * ((x1 - x0) / (y1 - y0)):
                odd = not odd
        found.append(odd)
    return found


@pytest.mark.parametrize("num_vertices", [3, 5, 40])
@pytest.mark.parametrize("seed", range(4))
def test_as_a_loop_says_even_where_the_polygon_crosses_itself(num_vertices: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(400, 2)).astype(np.float32)
    polygon = rng.normal(size=(num_vertices, 2))
    assert inside_polygon(points, polygon).tolist() == by_loops(points, polygon)


def test_points_on_vertices_and_edges_are_in_one_of_two_neighbours() -> None:
    grid = np.stack(np.meshgrid(np.arange(5), np.arange(5)), -1).reshape(-1, 2).astype(np.float32)
    squares = [
        np.array([(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)], np.float64) for x in range(4) for y in range(4)
    ]
    times = np.sum([inside_polygon(grid, square) for square in squares], 0)
    np.testing.assert_array_equal(times, (grid < 4).all(1))
    for square in squares:
        assert inside_polygon(grid, square).tolist() == by_loops(grid, square)


def test_either_direction_and_a_polygon_closed_twice_are_the_same() -> None:
    points = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    polygon = np.array([(-1, -1), (1, -0.5), (0.3, 1.2)], np.float64)
    expected = inside_polygon(points, polygon)
    assert expected.any()
    assert not expected.all()
    np.testing.assert_array_equal(inside_polygon(points, polygon[::-1]), expected)
    np.testing.assert_array_equal(inside_polygon(points, np.concatenate([polygon, polygon[:1]])), expected)


def test_nothing_is_inside_a_line_or_among_no_points() -> None:
    points = np.array([(0.5, 0.5)], np.float32)
    assert not inside_polygon(points, np.array([(0.0, 0.0), (1.0, 1.0)])).any()
    assert not inside_polygon(points, np.array([(0.0, 0.5), (1.0, 0.5), (2.0, 0.5)])).any()
    assert inside_polygon(points[:0], np.array([(0.0, 0.0), (1.0, 1.0), (1.0, 0.0)])).shape == (0,)
