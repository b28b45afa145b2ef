"""Pictures of states on the map: each is that of its state, stands on it, and covers no other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semantic_rl.recording.store import Recording

from .conftest import OpenPage
from .reading import canvas, map_box, places, shown_row, wait_until


def pictured(page: Any) -> list[int]:
    """Wait until pictures are there, and return their states."""
    page.wait_for_selector(".map[data-pictured]")
    wait_until(page, "(w => (w.seen === (w.seen = document.querySelector('.map').dataset.pictured)))(window)")
    page.wait_for_timeout(400)
    return [int(row) for row in (page.get_attribute(".map", "data-pictured") or "").split()]


def around(pixels: NDArray[np.uint8], place: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    left, top = np.rint(place - side / 2).astype(int)
    return pixels[top : top + side, left : left + side, :3].astype(float)


def test_pictures_stand_on_their_states_and_on_no_other_picture(
    open_page: OpenPage, recording: Recording, meta: dict[str, Any]
) -> None:
    page = open_page("#frames=1&names=0")
    rows = pictured(page)
    assert len(rows) > 15
    box = map_box(page)
    points = places(recording.states, meta, (box["width"], box["height"]))
    shown = points[rows]
    apart = np.abs(shown[:, None] - shown[None]).max(2)
    np.fill_diagonal(apart, np.inf)
    side = round(min(box["width"], box["height"]) / 11)
    assert apart.min() >= side
    pixels = canvas(page, ".layer.top")
    size = np.array([box["width"], box["height"]])
    inside = [row for row in rows if (points[row] > side).all() and (points[row] < size - side).all()]
    for row in inside:
        small = np.asarray(Image.fromarray(recording.frame(row)).resize((side, side), Image.Resampling.BOX), float)
        assert np.abs(around(pixels, points[row], side) - small).mean() < 14, f"row {row}"
    others = np.abs(around(pixels, points[inside[0]], side) - around(pixels, points[inside[1]], side)).mean()
    assert others > 0, "not all pictures are the same"


def test_a_picture_answers_for_its_state(open_page: OpenPage, recording: Recording, meta: dict[str, Any]) -> None:
    page = open_page("#frames=1&names=0")
    row = pictured(page)[5]
    box = map_box(page)
    place = places(recording.states, meta, (box["width"], box["height"]))[row]
    page.mouse.move(box["x"] + float(place[0]) + 20, box["y"] + float(place[1]) - 20)
    page.wait_for_selector(f'.card canvas[data-row="{row}"]')
    page.mouse.down()
    page.mouse.up()
    page.wait_for_selector(".player .screen canvas[data-row]")
    assert shown_row(page, ".player .screen canvas") >= row
    page.keyboard.press("p")
    wait_until(page, "!document.querySelector('.check input').checked")


def test_clusters_that_are_hidden_have_no_pictures(open_page: OpenPage, recording: Recording) -> None:
    rows = pictured(open_page("#frames=1&solo=5"))
    assert rows
    assert set(recording.states["code_index"].gather(rows)) == {5}
