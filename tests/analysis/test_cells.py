"""Cells of the clusters: every point of the plane lies in the cell of its nearest code."""

import numpy as np
import pytest
from matplotlib.path import Path

from semantic_rl.analysis.cells import code_cells, codes_near, square_around

LIMITS = (-1.0, 1.0, -1.0, 1.0)


def area(polygon: np.ndarray) -> float:
    """Area of a polygon by the shoelace formula."""
    x, y = polygon.T
    return float(abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2)


@pytest.mark.parametrize("num_codes", [1, 2, 3, 8, 40])
def test_a_point_lies_in_the_cell_of_its_nearest_code(num_codes: int) -> None:
    rng = np.random.default_rng(num_codes)
    codebook = rng.uniform(-0.8, 0.8, (num_codes, 2))
    cells = code_cells(codebook, LIMITS)
    points = rng.uniform(-1, 1, (500, 2))
    nearest = ((points[:, None] - codebook) ** 2).sum(2).argmin(1)
    for index, cell in enumerate(cells):
        inside = Path(cell).contains_points(points)
        np.testing.assert_array_equal(inside, nearest == index)


def test_cells_fill_the_square_without_overlap() -> None:
    cells = code_cells(np.random.default_rng(0).normal(size=(12, 2)), LIMITS)
    assert sum(area(cell) for cell in cells if len(cell)) == pytest.approx(4.0)


def test_of_two_equal_codes_the_first_has_the_cell() -> None:
    cells = code_cells(np.array([[0.5, 0.0], [0.5, 0.0], [-0.5, 0.0]]), LIMITS)
    assert len(cells[1]) == 0
    assert area(cells[0]) == pytest.approx(2.0)


def test_a_code_far_away_may_have_no_cell_in_view() -> None:
    cells = code_cells(np.array([[0.0, 0.0], [50.0, 0.0]]), LIMITS)
    assert len(cells[1]) == 0


def test_the_square_holds_all_points() -> None:
    points = np.random.default_rng(1).normal(size=(100, 2)) * (5, 1)
    left, right, bottom, top = square_around(points)
    assert right - left == pytest.approx(top - bottom)
    assert (points > (left, bottom)).all()
    assert (points < (right, top)).all()


def test_the_square_around_one_point_is_a_square() -> None:
    left, right, bottom, top = square_around(np.zeros((3, 2)))
    assert left < right
    assert bottom < top


def test_points_in_one_place_are_shown_among_all_codes() -> None:
    points, codebook = np.full((5, 2), 0.25), np.array([[3.0, 0.0], [-3.0, 1.0]])
    assert square_around(points) == (-0.25, 0.75, -0.25, 0.75)
    np.testing.assert_array_equal(codes_near(points, codebook, 0.5), codebook)


def test_codes_far_from_the_points_are_left_out() -> None:
    points, codebook = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[1.4, 0.0], [1.6, 0.0]])
    np.testing.assert_array_equal(codes_near(points, codebook, 0.5), codebook[:1])
