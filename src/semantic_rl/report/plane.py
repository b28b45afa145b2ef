"""SVG drawings of the plane: the clusters' cells and codes, over a raster image of the states.

Labels are text, and colours follow the page's light or dark theme; only the points are a raster image.
"""

import io

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from semantic_rl.analysis.cells import code_cells, codes_near, square_around
from semantic_rl.figures.embeddings import CODES_IN_VIEW, Coloring, draw_states
from semantic_rl.report.charts import number, points
from semantic_rl.report.html import Child, Html, element
from semantic_rl.report.parts import color_style, data_uri, encoded

SIZE = 440
"""Width and height of a drawing in its own units, which are about one pixel on a screen."""
RADIUS = 10.5
"""Radius of a code's disc."""
INCHES, DOTS_PER_INCH = 3.2, 250
"""Size and resolution of the image of the points, which has the proportions of a figure's panel."""

Limits = tuple[float, float, float, float]
"""left, right, bottom, top of the drawn region."""


def plane_limits(embedding: NDArray[np.floating], codebook: NDArray[np.floating]) -> Limits:
    """Return the square around states [B, 2] and the codes [K, 2] near them, as in the figures."""
    return square_around(np.concatenate([embedding, codes_near(embedding, codebook, CODES_IN_VIEW)]))


def place(position: NDArray[np.floating], limits: Limits) -> NDArray[np.float64]:
    """Convert positions [..., 2] in the plane to the drawing's coordinates, whose y axis points down."""
    left, right, bottom, top = limits
    x, y = position[..., 0], position[..., 1]
    return SIZE * np.stack([(x - left) / (right - left), (top - y) / (top - bottom)], -1).astype(np.float64)


def drawing(label: str, *shapes: Child) -> Html:
    """Make a square drawing; `label` describes it for screen readers."""
    return element("svg", *shapes, viewBox=f"0 0 {SIZE} {SIZE}", role="group", aria_label=label, class_="plane")


def cells(codebook: NDArray[np.floating], limits: Limits) -> Html:
    """Draw the cell of each code [K, 2]."""
    polygons = [
        element("polygon", points=points(*place(cell, limits).T), style=color_style(index))
        for index, cell in enumerate(code_cells(codebook, limits))
        if len(cell)
    ]
    return element("g", *polygons, class_="cells")


def disc(index: int, position: NDArray[np.floating], radius: float = RADIUS, title: str | None = None) -> Html:
    """Draw a cluster as a numbered disc at a position in the drawing."""
    x, y = (number(value) for value in position)
    shapes = (
        element("title", title) if title else None,
        element("circle", cx=x, cy=y, r=number(radius)),
        element("text", index, x=x, y=y),
    )
    return element("a", *shapes, href=f"#cluster-{index}", class_="disc", style=color_style(index))


def codes(codebook: NDArray[np.floating], limits: Limits) -> Html:
    """Draw the codes [K, 2] that are in view."""
    placed = place(codebook, limits)
    seen = [index for index, position in enumerate(placed) if ((position >= 0) & (position <= SIZE)).all()]
    return element("g", *(disc(index, placed[index]) for index in seen), class_="codes")


def cloud(embedding: NDArray[np.floating], coloring: Coloring, limits: Limits, class_: str) -> Html:
    """Draw states [B, 2] as in the figures, as an image with transparent background below the rest of the drawing."""
    figure = Figure((INCHES, INCHES), facecolor="none")
    ax = figure.add_axes((0, 0, 1, 1))
    draw_states(ax, embedding, coloring)
    ax.set(xlim=limits[:2], ylim=limits[2:])
    ax.axis("off")
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=DOTS_PER_INCH, transparent=True)
    return element(
        "image", href=data_uri(encoded(Image.open(png)), "webp"), width=SIZE, height=SIZE, class_=f"cloud {class_}"
    )
