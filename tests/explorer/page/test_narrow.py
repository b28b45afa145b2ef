"""On phones, and where a page is enlarged, everything has room, and what plays is in sight."""

from itertools import pairwise
from typing import Any

import pytest

from .conftest import OpenPage
from .reading import map_box, wait_for, wait_until

PHONE = {"width": 390, "height": 844}
SMALL_PHONE = {"width": 320, "height": 568}
ENLARGED = {"width": 720, "height": 450}
"""1440 by 900 pixels at 200%."""
TABLET = {"width": 820, "height": 1180}
SIZES = pytest.mark.parametrize(
    "size", [PHONE, SMALL_PHONE, ENLARGED, TABLET], ids=["phone", "small", "200%", "tablet"]
)


def box(page: Any, selector: str) -> dict[str, float]:
    found = page.locator(selector).first.bounding_box()
    assert found, selector
    return found


def bottom(one: dict[str, float]) -> float:
    return one["y"] + one["height"]


def in_sight(page: Any, selector: str, size: dict[str, int]) -> bool:
    found = box(page, selector)
    return found["y"] >= -1 and bottom(found) <= size["height"] + 1


@SIZES
def test_parts_stand_below_each_other_and_none_covers_another(open_page: OpenPage, size: dict[str, int]) -> None:
    page = open_page("#e=1&s=3", viewport=size)
    page.wait_for_selector("#timeline")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], "nothing is cut off at the side"
    parts = [box(page, selector) for selector in (".topbar", ".bar", ".map", ".map-foot", ".player", ".tabs", ".panel")]
    for above, below in pairwise(parts):
        assert bottom(above) <= below["y"] + 1
    assert map_box(page)["height"] >= 200
    assert parts[-1]["height"] >= 300, "the panel is as long as what is in it"
    for tab in ("lasso", "transitions", "show", "clusters"):
        page.click(f"#tab-{tab}")
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], tab


@SIZES
def test_what_a_click_plays_is_in_sight(open_page: OpenPage, size: dict[str, int]) -> None:
    page = open_page("#panel=show&list=value_drops", viewport=size)
    page.click(".items li:nth-child(9) button")
    page.wait_for_selector('.transport [aria-label="Pause"]')
    shown = ("#timeline", ".screen .picture")
    wait_for(page, lambda: all(in_sight(page, part, size) for part in shown), "the player is out of sight")
    if size in (PHONE, TABLET):
        wait_for(page, lambda: in_sight(page, ".items .current", size), "its place in the list is out of sight")
        assert box(page, ".items .current")["y"] >= bottom(box(page, ".player")) - 1, "and not behind the player"
    page.keyboard.press("Escape")
    page.evaluate("scrollTo(0, 0)")
    page.focus("canvas.top")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector("#timeline")
    wait_for(page, lambda: in_sight(page, "#timeline", size), "the player is out of sight")


def test_tab_goes_through_the_parts_as_they_stand(open_page: OpenPage) -> None:
    page = open_page("#e=1&s=3", viewport=PHONE)
    page.wait_for_selector("#timeline")
    order = page.evaluate("[...document.querySelectorAll('canvas.top, #timeline, #tab-clusters')].map((one) => one.id)")
    assert order == ["", "timeline", "tab-clusters"]
    page.set_viewport_size({"width": 1280, "height": 800})
    wait_until(page, "document.querySelector('.panels').nextElementSibling?.classList.contains('player')")


def test_the_legend_and_the_buttons_cover_nothing_of_the_map(open_page: OpenPage) -> None:
    for viewport in (PHONE, {"width": 1440, "height": 900}):
        page = open_page("#color=action", viewport=viewport)
        shown = map_box(page)
        for part in (".legend", ".map-buttons"):
            assert box(page, part)["y"] >= bottom(shown) - 1


@pytest.mark.parametrize("size", [PHONE, ENLARGED], ids=["phone", "200%"])
def test_tables_have_all_their_columns_in_sight(open_page: OpenPage, size: dict[str, int]) -> None:
    page = open_page("#panel=lasso", viewport=size)
    page.click("#tab-clusters")
    page.click('[data-cluster="3"] .row-main')
    page.click("text=compare with the rest")
    page.wait_for_selector(".differences tbody tr")
    for table in (".differences", ".means"):
        shown = box(page, table)
        assert shown["x"] + shown["width"] <= size["width"], table
    cells = page.locator(".differences td.episodes").all()
    assert all(cell.bounding_box()["x"] + cell.bounding_box()["width"] <= size["width"] for cell in cells)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
