"""Reads what the page shows: pixels of canvases, and where on the map a state lies."""

import base64
import io
import time
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

MARGIN = 0.94
"""Of the map's shorter side, what the square of a plane takes."""
REACH = 14
"""Pixels within which a state counts as pointed at."""


PATIENCE = 30.0
"""Seconds."""


def wait_for(page: Any, is_so: Callable[[], bool], complaint: str) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, complaint
        page.wait_for_timeout(20)


def wait_until(page: Any, expression: str) -> None:
    """Wait until an expression is true in the page. (Playwright's own way is forbidden by the page's policy.)"""
    wait_for(page, lambda: page.evaluate(expression), f"never true: {expression}")


def canvas(page: Any, selector: str) -> NDArray[np.uint8]:
    """Return the pixels [H, W, 4] of a canvas."""
    address: str = page.eval_on_selector(selector, "canvas => canvas.toDataURL('image/png')")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGBA"))


def wait_for_canvas(page: Any, selector: str, expected: NDArray[np.uint8]) -> None:
    """Wait until a canvas has certain pixels."""
    wait_for(
        page,
        lambda: np.array_equal(canvas(page, selector), expected),
        f"{selector} never looked as expected",
    )


def wait_for_change(page: Any, selector: str, before: Collection[bytes]) -> NDArray[np.uint8]:
    """Wait until a canvas has other pixels than those, and return them."""
    wait_for(page, lambda: canvas(page, selector).tobytes() not in before, f"{selector} stayed as it was")
    return canvas(page, selector)


def shown_row(page: Any, selector: str) -> int:
    """Return the row whose picture a canvas shows."""
    return int(page.get_attribute(selector, "data-row"))


def places(states: pl.DataFrame, meta: dict[str, Any], size: tuple[float, float]) -> NDArray[np.float64]:
    """Return where in a map of `size` each state lies [B, 2], in the whole view of the FDR plane."""
    left, right, bottom, top = next(plane["limits"] for plane in meta["planes"] if plane["name"] == "fdr")
    x = (states["embedding_x"].to_numpy() - left) / (right - left)
    y = (states["embedding_y"].to_numpy() - bottom) / (top - bottom)
    side = min(size) * MARGIN
    return np.stack([(x - 0.5) * side + size[0] / 2, (0.5 - y) * side + size[1] / 2], 1)


def map_box(page: Any, id: str = "a") -> dict[str, float]:
    """Return where the map is on the page."""
    box = page.locator(f'.map[data-rec="{id}"]').bounding_box()
    assert box
    return box


def isolated(points: NDArray[np.float64], box: dict[str, float], apart: float = 3.0) -> NDArray[np.int64]:
    """Return the states that no other one is near, and no control covers, so that pointing at them means them."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    inside = (points > 20).all(1) & (points[:, 0] < box["width"] - 20) & (points[:, 1] < box["height"] - 60)
    return np.flatnonzero(inside & (distances.min(1) > apart))


def same_picture(shown: NDArray[np.uint8], recorded: NDArray[np.uint8]) -> bool:
    """Say whether a canvas shows a picture; decoders of JPEG may differ by a little."""
    difference = np.abs(shown[..., :3].astype(int) - recorded.astype(int))
    return shown.shape[:2] == recorded.shape[:2] and float(difference.mean()) < 1.0 and int(difference.max()) <= 8
