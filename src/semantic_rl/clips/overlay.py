"""Draws a clip's frame: the picture at the clip's size and, optionally, cluster, action and progress on top."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from semantic_rl.palette import cluster_color, ink_on

DARK = (20, 20, 20, 190)
LIGHT = (255, 255, 255, 255)
ARROWS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
DRAWN_LARGER = 3
"""Supersampling factor: the overlay is drawn larger by this factor and shrunk, so that its edges are smooth."""


class Caption(NamedTuple):
    """The content of the overlay for one frame."""

    code_index: int
    action: str | None
    """Name of the action; None if there is none to show."""
    frame: int
    """Position of the frame in its shot, from 0."""
    num_frames: int
    """Number of frames of the shot."""


def fit_picture(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Make a picture's [H, W, 3] longer side `size`; enlarging by an integer factor keeps pixels as sharp squares."""
    height, width = fitted_shape(picture.shape[:2], size)
    longer = max(picture.shape[:2])
    if (height, width) == picture.shape[:2]:
        return picture
    image = Image.fromarray(picture)
    if longer % size == 0 and (height, width) == (image.height * size // longer, image.width * size // longer):
        return np.asarray(image.reduce(longer // size))
    pixels = size % longer == 0
    return np.asarray(image.resize((width, height), Image.Resampling.NEAREST if pixels else Image.Resampling.LANCZOS))


def fitted_shape(shape: tuple[int, ...], size: int) -> tuple[int, int]:
    """Return height and width of a picture once its longer side is `size`; the shorter one is even, for video."""
    height, width = shape
    if height == width:
        return size, size
    shorter = max(2, 2 * round(min(shape) * size / max(shape) / 2))
    return (size, shorter) if height > width else (shorter, size)


def draw_overlay(picture: NDArray[np.uint8], caption: Caption) -> NDArray[np.uint8]:
    """Return the picture [H, W, 3] with badges in the upper left corner and a progress bar along the lower edge."""
    size = min(picture.shape[:2])
    image = Image.fromarray(picture).convert("RGBA")
    badges = [_cluster_badge(size, caption.code_index)]
    if caption.action is not None:
        badges.append(_action_badge(size, caption.action))
    for place, badge in enumerate(badges):
        image.alpha_composite(badge, (round(size * (0.025 + 0.136 * place)), round(size * 0.025)))
    height = max(3, size // 48)
    draw = ImageDraw.Draw(image, "RGBA")
    draw.rectangle((0, image.height - height, image.width, image.height), fill=DARK)
    reached = round(image.width * (caption.frame + 1) / caption.num_frames)
    draw.rectangle((0, image.height - height, reached - 1, image.height), fill=cluster_color(caption.code_index))
    return np.asarray(image.convert("RGB"))


@cache
def _cluster_badge(size: int, code_index: int) -> Image.Image:
    """Draw the cluster's number in its colour, for pictures of `size`."""
    image, draw, side = _empty_badge(size, cluster_color(code_index))
    _write(draw, str(code_index), side, 0.78, ink_on(cluster_color(code_index)))
    return _shrunk(image)


@cache
def _action_badge(size: int, name: str) -> Image.Image:
    """Draw an action: an arrow for directions, a dot for none, else its name."""
    image, draw, side = _empty_badge(size, DARK)
    directions = [ARROWS[word] for word in name.split() if word in ARROWS]
    if directions:
        _draw_arrow(draw, side, np.sum(directions, 0))
    elif name in ("none", "noop"):
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
