"""The lasso counts what the table of states says is inside, keeps selections, and gives their rows."""

import io
import json
import math
import re
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from semantic_rl.recording.store import Recording

from .conftest import OpenPage
from .reading import canvas, map_box, places, wait_for_canvas, wait_for_change, wait_until

CENTER, RADIUS = (0.6, 0.62), 90.0


def draw(page: Any) -> None:
    """Draw a circle on the map."""
    box = map_box(page)
    x, y = box["x"] + CENTER[0] * box["width"], box["y"] + CENTER[1] * box["height"]
    page.mouse.move(x, y - RADIUS)
    page.mouse.down()
    for at in range(1, 48):
        turn = at / 48 * 2 * math.pi
        page.mouse.move(x + RADIUS * math.sin(turn), y - RADIUS * math.cos(turn))
    page.mouse.up()
    page.wait_for_selector(".inside [data-count]")


def inside(x: NDArray[np.float64], y: NDArray[np.float64], polygon: list[list[float]]) -> NDArray[np.bool_]:
    """Say which points lie in a polygon, by the even-odd rule, one edge at a time."""
    found = np.zeros(len(x), np.bool_)
    for (ax, ay), (bx, by) in zip(polygon, [polygon[-1], *polygon[:-1]], strict=True):
        if ay != by:
            found ^= ((ay > y) != (by > y)) & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return found


def test_the_count_equals_the_tables(open_page: OpenPage, recording: Recording, meta: dict[str, Any]) -> None:
    page = open_page()
    page.click("#tab-lasso")
    page.click(".lasso .button.main")
    with page.expect_request(lambda request: request.url.endswith("/api/a/inside")) as asked:
        draw(page)
    polygon = asked.value.post_data_json["polygon"]
    states = recording.states
    x, y = (states[name].to_numpy().astype(np.float64) for name in ("embedding_x", "embedding_y"))
    is_inside = inside(x, y, polygon)
    assert 20 < is_inside.sum() < len(states)
    assert int(page.get_attribute(".inside [data-count]", "data-count")) == is_inside.sum()
    box = map_box(page)
    points = places(states, meta, (box["width"], box["height"]))
    pixel = (CENTER[0] * box["width"], CENTER[1] * box["height"])
    assert abs((np.linalg.norm(points - pixel, axis=1) < RADIUS).sum() - is_inside.sum()) <= 6, (
        "it is where it was drawn"
    )
    episodes = states.filter(pl.Series(is_inside))["episode"].n_unique()
    assert f"{episodes} episodes" in page.inner_text(".inside .panel-head")
    share = np.bincount(states["action"].to_numpy()[is_inside], minlength=15).max() / is_inside.sum()
    assert f"{share:.0%}" in page.inner_text(".inside .actions")
    mean = "document.querySelector('.means canvas[aria-label=\"mean frame inside\"]')"
    wait_until(page, f"{mean}.dataset.state === 'shown'")
    assert canvas(page, '.means canvas[aria-label="mean frame inside"]')[..., 3].all()


def test_the_rest_becomes_a_shadow_until_it_is_let_go(open_page: OpenPage) -> None:
    page = open_page()
    before = canvas(page, "canvas.points")
    page.keyboard.press("l")
    draw(page)
    wait_for_change(page, "canvas.points", [before.tobytes()])
    page.keyboard.press("Escape")
    wait_for_canvas(page, "canvas.points", before)


def test_a_named_selection_is_kept_and_its_rows_are_given(open_page: OpenPage, recording: Recording) -> None:
    page = open_page()
    page.keyboard.press("l")
    draw(page)
    count = int(page.get_attribute(".inside [data-count]", "data-count"))
    page.fill('[aria-label="name of the selection"]', "before the gap")
    page.press('[aria-label="name of the selection"]', "Enter")
    page.wait_for_selector('.selections .name:has-text("before the gap")')
    for format, read in (("Parquet", pl.read_parquet), ("CSV", pl.read_csv)):
        with page.expect_download() as download:
            page.click(f'.downloads a:has-text("{format}")')
        table = read(io.BytesIO(download.value.path().read_bytes()))
        assert len(table) == count
    wait_until(page, "location.hash.includes('sel=')")
    again = open_page(page.url[page.url.index("#") :])
    again.wait_for_selector(f'.inside [data-count="{count}"]')
    again.click('[aria-label="Delete the selection before the gap"]')
    again.wait_for_selector(".selections", state="detached")
    assert recording.num_states > count


def test_a_lasso_around_nothing_says_so(open_page: OpenPage) -> None:
    page = open_page()
    page.keyboard.press("l")
    box = map_box(page)
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    for x, y in ((60, 10), (60, 40), (10, 40)):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
    page.mouse.up()
    page.wait_for_selector("text=No state lies inside")


def test_every_comparison_says_on_how_many_episodes_it_rests(open_page: OpenPage, recording: Recording) -> None:
    page = open_page()
    page.keyboard.press("l")
    draw(page)
    ended = recording.episodes.filter(pl.col("terminated") | pl.col("truncated"))
    rows = page.locator(".differences tbody tr:not(.few)")
    numbers = [re.findall(r"[\d,]+", text) for text in rows.locator(".episodes").all_inner_texts()]
    assert len(numbers) == 6
    heights: list[int] = rows.evaluate_all("rows => rows.map((row) => row.offsetHeight)")
    assert max(heights) < 50, "a line each, or two"
    assert page.evaluate(
        "() => { const panel = document.querySelector('#panel'); return panel.scrollWidth <= panel.clientWidth }"
    )
    success = next(at for at, text in enumerate(rows.all_inner_texts()) if text.startswith("success"))
    inside_success, rest_success = map(int, numbers[success])
    assert inside_success + rest_success == len(ended), "each episode either passes through or does not"
    for at, row in enumerate(rows.all()):
        few = min(map(int, numbers[at])) < 10
        assert ("has-few" in row.get_attribute("class")) == few
    below = page.locator(".differences .few").all_inner_texts()
    assert len(below) == sum(min(map(int, two)) < 10 for two in numbers)
    assert all(re.search(r"only \d+ episodes? (inside|in the rest)", text) for text in below)


def test_a_deleted_selection_comes_back_as_it_was(open_page: OpenPage, recording: Recording) -> None:
    page = open_page()
    page.keyboard.press("l")
    draw(page)
    page.fill('[aria-label="name of the selection"]', "to be kept")
    page.press('[aria-label="name of the selection"]', "Enter")
    page.wait_for_selector('.selections .name:has-text("to be kept")')
    wait_until(page, "location.hash.includes('sel=')")
    place = page.evaluate("location.hash")
    stored = json.loads((recording.path / "annotations.json").read_text(encoding="utf-8"))["selections"]
    page.click('[aria-label="Delete the selection to be kept"]')
    page.wait_for_selector('.selections .name:has-text("to be kept")', state="detached")
    page.wait_for_selector('.toast:has-text("Deleted “to be kept”")')
    page.click('.toast button:has-text("undo")')
    page.wait_for_selector('.selections .name:has-text("to be kept")')
    page.wait_for_selector(".toast", state="detached")
    now = json.loads((recording.path / "annotations.json").read_text(encoding="utf-8"))["selections"]
    of_one = [next(one for one in entries if one["name"] == "to be kept") for entries in (stored, now)]
    kept = ("id", "plane", "polygon", "count", "author")
    assert [of_one[1][key] for key in kept] == [of_one[0][key] for key in kept]
    open_page(place).wait_for_selector('.selections li.open:has-text("to be kept")')  # links to it work again
    # also after the message has gone: by key, or where one goes back to it
    delete, name = '[aria-label="Delete the selection to be kept"]', '.selections .name:has-text("to be kept")'
    page.click(delete)
    page.click('.toast [aria-label="Dismiss"]')
    page.wait_for_selector(name, state="detached")
    page.keyboard.press("Control+z")
    page.wait_for_selector(name)
    wait_until(page, "location.hash.includes('sel=')")
    page.click(delete)
    page.click('.toast [aria-label="Dismiss"]')
    wait_until(page, "!location.hash.includes('sel=')")
    page.go_back()
    page.click('.toast:has-text("Deleted “to be kept”") button:has-text("undo")')
    page.wait_for_selector(name)


def test_a_mean_frame_of_some_states_says_so(open_page: OpenPage, recording: Recording) -> None:
    page = open_page()
    counts = recording.states["code_index"].value_counts()
    largest = counts.sort("count")[-1]
    assert largest["count"].item() < 500 < recording.num_states
    page.click(f'[data-cluster="{largest["code_index"].item()}"] .row-main')
    page.wait_for_selector("text=mean frame")
    assert "random" not in page.inner_text(".moving"), "it is of all states of the cluster"
    page.click("text=compare with the rest")
    page.wait_for_selector(".means")
    assert "500 random states" in page.inner_text(".means figure:nth-of-type(2)")
