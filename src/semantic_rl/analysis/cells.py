"""The Voronoi cells of the codes in the FDR space, as polygons: the region in which each code is the nearest."""

import numpy as np
from numpy.typing import NDArray

SMALLEST_EXTENT = 1e-6
"""Points that are closer together than this count as coincident."""


def codes_near(points: NDArray[np.floating], codebook: NDArray[np.floating], reach: float) -> NDArray[np.floating]:
    """Return the codes of [K, 2] that are at most `reach` times the points' extent away from the points [B, 2].

    Returns all codes if all points coincide.
    """
    low, high = points.min(0), points.max(0)
    if float((high - low).max()) <= SMALLEST_EXTENT:
        return codebook
    space = reach * (high - low)
    return codebook[((codebook >= low - space) & (codebook <= high + space)).all(1)]


def square_around(points: NDArray[np.floating], margin: float = 0.04) -> tuple[float, float, float, float]:
    """Return (left, right, bottom, top) of the square around points [B, 2], with some space on all sides.

    If all points coincide, the sides have length 1.
    """
    low, high = points.min(0), points.max(0)
    center = (low + high) / 2
    extent = float((high - low).max())
    half = extent / 2 * (1 + 2 * margin) if extent > SMALLEST_EXTENT else 0.5
    return float(center[0] - half), float(center[0] + half), float(center[1] - half), float(center[1] + half)


def code_cells(codebook: NDArray[np.floating], limits: tuple[float, float, float, float]) -> list[NDArray[np.float64]]:
    """Return the Voronoi cell of each code of a codebook [K, 2] within `limits` (left, right, bottom, top).

    A cell is a convex polygon [V, 2]; it has no vertices if the cell lies outside the limits. If two codes are equal,
    the first one gets the cell, as in the network.
    """
    left, right, bottom, top = limits
    square = np.array([(left, bottom), (right, bottom), (right, top), (left, top)], np.float64)
    return [_cell(index, codebook.astype(np.float64), square) for index in range(len(codebook))]


def _cell(index: int, codebook: NDArray[np.float64], square: NDArray[np.float64]) -> NDArray[np.float64]:
    """Start from the square and cut off, code by code, the part that is nearer to that code."""
    polygon = square
    for other in range(len(codebook)):
        normal = codebook[other] - codebook[index]
        if not normal.any():
            if other < index:
                return np.empty((0, 2))
            continue
        middle = (codebook[other] + codebook[index]) / 2
        polygon = _clip(polygon, normal, float(normal @ middle))
    return polygon


def _clip(polygon: NDArray[np.float64], normal: NDArray[np.float64], offset: float) -> NDArray[np.float64]:
    """Return the part of a convex polygon where normal · x ≤ offset (Sutherland and Hodgman, 1974)."""
    heights = polygon @ normal - offset
    kept: list[NDArray[np.float64]] = []
    for point, height, last, last_height in zip(
        polygon, heights, np.roll(polygon, 1, 0), np.roll(heights, 1), strict=True
    ):
        if (height > 0) != (last_height > 0):
            kept.append(last + (point - last) * last_height / (last_height - height))
        if height <= 0:
            kept.append(point)
    return np.array(kept).reshape(-1, 2)
