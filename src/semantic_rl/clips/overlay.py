"""What a clip's frame shows: the picture at the clip's size and, if wanted, cluster, action and progress over it."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from semantic_rl.figures.palette import cluster_color, ink_on
from semantic_rl.games import ACTION_NAMES

DARK = (20, 20, 20, 190)
LIGHT = (255, 255, 255, 255)
ARROWS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
DRAWN_LARGER = 3
"""The overlay is drawn so many times larger and shrunk, which makes its edges smooth."""


class Caption(NamedTuple):
    """What the overlay says of one frame."""

    code_index: int
    action: int
    frame: int
    """Place of the frame in its run, from 0."""
    num_frames: int
    """Of the run."""


def fit_picture(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Bring a picture [H, H, 3] to `size`; one that is enlarged by a whole factor keeps its pixels as squares."""
    if len(picture) == size:
        return picture
    image = Image.fromarray(picture)
    if len(picture) % size == 0:
        return np.asarray(image.reduce(len(picture) // size))
    pixels = size % len(picture) == 0
    return np.asarray(image.resize((size, size), Image.Resampling.NEAREST if pixels else Image.Resampling.LANCZOS))


def draw_overlay(picture: NDArray[np.uint8], caption: Caption) -> NDArray[np.uint8]:
    """Return the picture [H, H, 3] with the caption over its lower edge."""
    size = len(picture)
    image = Image.fromarray(picture).convert("RGBA")
    image.alpha_composite(_badge(size, caption.code_index, caption.action))
    height = max(3, size // 48)
    draw = ImageDraw.Draw(image, "RGBA")
    draw.rectangle((0, size - height, size, size), fill=DARK)
    reached = round(size * (caption.frame + 1) / caption.num_frames)
    draw.rectangle((0, size - height, reached - 1, size), fill=cluster_color(caption.code_index))
    return np.asarray(image.convert("RGB"))


@cache
def _badge(size: int, code_index: int, action: int) -> Image.Image:
    """Draw, on nothing, the cluster's number in its colour and beside it the action: an arrow, or the key's letter."""
    scale = DRAWN_LARGER * size
    image = Image.new("RGBA", (scale, scale), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    side = scale * 0.115
    left, top = scale * 0.025, scale * 0.845
    color = cluster_color(code_index)
    corner = side * 0.22
    draw.rounded_rectangle((left, top, left + side, top + side), corner, fill=color)
    _write(draw, str(code_index), left + side / 2, top + side / 2, side * 0.78, ink_on(color))
    left += side * 1.18
    name = ACTION_NAMES[action] if action < len(ACTION_NAMES) else str(action)
    draw.rounded_rectangle((left, top, left + side, top + side), corner, fill=DARK)
    parts = [ARROWS[word] for word in name.split() if word in ARROWS]
    middle = (left + side / 2, top + side / 2)
    if parts:
        _draw_arrow(draw, middle, side * 0.36, np.sum(parts, 0))
    elif name == "none":
        radius = side * 0.09
        draw.ellipse((middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius), fill=LIGHT)
    else:
        _write(draw, name, *middle, side * 0.7, LIGHT)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _draw_arrow(
    draw: ImageDraw.ImageDraw, middle: tuple[float, float], reach: float, direction: NDArray[np.int64]
) -> None:
    """Draw an arrow of length 2 · `reach` that points along `direction` [2]."""
    along = direction / np.linalg.norm(direction)
    across = np.array([-along[1], along[0]])
    outline = [(1, 0), (0.05, 0.75), (0.05, 0.24), (-1, 0.24), (-1, -0.24), (0.05, -0.24), (0.05, -0.75)]
    points = [tuple(middle + reach * (x * along + y * across)) for x, y in outline]
    draw.polygon(points, fill=LIGHT)


def _write(
    draw: ImageDraw.ImageDraw, text: str, x: float, y: float, height: float, ink: str | tuple[int, int, int, int]
) -> None:
    """Write a few letters around a point; they shrink to stay within their box."""
    font = ImageFont.load_default(height * min(1.0, 1.7 / len(text)))
    draw.text((x, y), text, fill=ink, font=font, anchor="mm", stroke_width=height * 0.02, stroke_fill=ink)
