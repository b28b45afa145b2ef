"""The cells of the clusters in the FDR space: where which code is the nearest, as polygons."""

import numpy as np
from numpy.typing import NDArray


def square_around(points: NDArray[np.floating], margin: float = 0.04) -> tuple[float, float, float, float]:
    """Return (left, right, bottom, top) of the square around points [B, 2], with some space on all sides."""
    low, high = points.min(0), points.max(0)
    center = (low + high) / 2
    half = max(float((high - low).max()) / 2, 1e-6) * (1 + 2 * margin)
    return float(center[0] - half), float(center[0] + half), float(center[1] - half), float(center[1] + half)


def code_cells(codebook: NDArray[np.floating], limits: tuple[float, float, float, float]) -> list[NDArray[np.float64]]:
    """Return the Voronoi cell of each code of a codebook [K, 2] within `limits` (left, right, bottom, top).

    A cell is a convex polygon [V, 2], with no points where the cell lies outside. Of two equal codes the first has the
    cell, as in the network.
    """
    left, right, bottom, top = limits
    square = np.array([(left, bottom), (right, bottom), (right, top), (left, top)], np.float64)
    return [_cell(index, codebook.astype(np.float64), square) for index in range(len(codebook))]


def _cell(index: int, codebook: NDArray[np.float64], square: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut away what is nearer to another code, one after the other."""
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
