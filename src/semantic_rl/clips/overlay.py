"""Draws a clip's frame: the picture at the clip's size and, optionally, cluster, action and progress on top."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from semantic_rl.envs.procgen.games import ACTION_NAMES
from semantic_rl.palette import cluster_color, ink_on

DARK = (20, 20, 20, 190)
LIGHT = (255, 255, 255, 255)
ARROWS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
DRAWN_LARGER = 3
"""Supersampling factor: the overlay is drawn larger by this factor and shrunk, so that its edges are smooth."""


class Caption(NamedTuple):
    """The content of the overlay for one frame."""

    code_index: int
    action: int
    frame: int
    """Position of the frame in its run, from 0."""
    num_frames: int
    """Number of frames of the run."""


def fit_picture(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Resize a picture [H, H, 3] to `size`; enlarging by an integer factor keeps pixels as sharp squares."""
    if len(picture) == size:
        return picture
    image = Image.fromarray(picture)
    if len(picture) % size == 0:
        return np.asarray(image.reduce(len(picture) // size))
    pixels = size % len(picture) == 0
    return np.asarray(image.resize((size, size), Image.Resampling.NEAREST if pixels else Image.Resampling.LANCZOS))


def draw_overlay(picture: NDArray[np.uint8], caption: Caption) -> NDArray[np.uint8]:
    """Return the picture [H, H, 3] with badges in the upper left corner and a progress bar along the lower edge."""
    size = len(picture)
    image = Image.fromarray(picture).convert("RGBA")
    for place, badge in enumerate((_cluster_badge(size, caption.code_index), _action_badge(size, caption.action))):
        image.alpha_composite(badge, (round(size * (0.025 + 0.136 * place)), round(size * 0.025)))
    height = max(3, size // 48)
    draw = ImageDraw.Draw(image, "RGBA")
    draw.rectangle((0, size - height, size, size), fill=DARK)
    reached = round(size * (caption.frame + 1) / caption.num_frames)
    draw.rectangle((0, size - height, reached - 1, size), fill=cluster_color(caption.code_index))
    return np.asarray(image.convert("RGB"))


@cache
def _cluster_badge(size: int, code_index: int) -> Image.Image:
    """Draw the cluster's number in its colour, for pictures of `size`."""
    image, draw, side = _empty_badge(size, cluster_color(code_index))
    _write(draw, str(code_index), side, 0.78, ink_on(cluster_color(code_index)))
    return _shrunk(image)


@cache
def _action_badge(size: int, action: int) -> Image.Image:
    """Draw the key of an action: an arrow, a dot for no key, or the key's letter."""
    image, draw, side = _empty_badge(size, DARK)
    name = ACTION_NAMES[action] if action < len(ACTION_NAMES) else str(action)
    directions = [ARROWS[word] for word in name.split() if word in ARROWS]
    if directions:
        _draw_arrow(draw, side, np.sum(directions, 0))
    elif name == "none":
        draw.ellipse((0.41 * side, 0.41 * side, 0.59 * side, 0.59 * side), fill=LIGHT)
    else:
        _write(draw, name, side, 0.7, LIGHT)
    return _shrunk(image)


def _empty_badge(size: int, fill: str | tuple[int, ...]) -> tuple[Image.Image, ImageDraw.ImageDraw, int]:
    """Return a filled square with rounded corners at the supersampled size, its drawing context and its side."""
    side = DRAWN_LARGER * round(size * 0.115)
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, side - 1, side - 1), side * 0.22, fill=fill)
    return image, draw, side


def _shrunk(badge: Image.Image) -> Image.Image:
    return badge.reduce(DRAWN_LARGER)


def _draw_arrow(draw: ImageDraw.ImageDraw, side: int, direction: NDArray[np.int64]) -> None:
    """Draw an arrow in `direction` [2] in the middle of a square."""
    along = direction / np.linalg.norm(direction)
    across = np.array([-along[1], along[0]])
    outline = [(1, 0), (0.05, 0.75), (0.05, 0.24), (-1, 0.24), (-1, -0.24), (0.05, -0.24), (0.05, -0.75)]
    points = [tuple(side * (0.5 + 0.36 * (x * along + y * across))) for x, y in outline]
    draw.polygon(points, fill=LIGHT)


def _write(draw: ImageDraw.ImageDraw, text: str, side: int, share: float, ink: str | tuple[int, int, int, int]) -> None:
    """Write a few letters in the middle of a square, at `share` of its height, smaller if they would not fit."""
    height = side * share * min(1.0, 1.7 / len(text))
    font = ImageFont.load_default(height)
    draw.text((side / 2, side / 2), text, fill=ink, font=font, anchor="mm", stroke_width=height * 0.02, stroke_fill=ink)
