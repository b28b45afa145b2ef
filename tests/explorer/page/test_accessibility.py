"""axe finds nothing wrong with the page; what moves can be stopped; keys do everything."""

from typing import Any

import pytest

from semantic_rl.recording.store import Recording

from ..test_run import serving
from .accessibility import NARROW, look_everywhere, violations
from .conftest import OpenPage, playwright
from .reading import map_box, wait_until


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_wrong_with_the_page(open_page: OpenPage, theme: str) -> None:
    look_everywhere(open_page, theme)


def test_axe_finds_nothing_wrong_on_a_phone(open_page: OpenPage) -> None:
    page = open_page("#e=1&s=3&panel=show&list=value_drops&color=action", viewport=NARROW)
    page.wait_for_selector(".items li")
    assert violations(page) == []


def test_axe_finds_nothing_wrong_with_a_comparison(open_page: OpenPage, recording: Recording) -> None:
    with serving(str(recording.path), str(recording.path), "--port", "0") as (_, address):
        page = open_page("#panel=compare", base=address)
        page.wait_for_selector(".matches li")
        assert violations(page) == []
        page.close()


def clip_stands(page: Any) -> bool:
    """Whether the clip shows the same frame for longer than it ever would while it plays."""
    before = page.get_attribute("canvas.clip", "data-row")
    page.wait_for_timeout(900)
    return page.get_attribute("canvas.clip", "data-row") == before


def test_clips_can_be_paused(open_page: OpenPage) -> None:
    page = open_page()
    page.click('[data-cluster="3"] .row-main')
    page.wait_for_selector("canvas.clip[data-row]")
    page.click('[aria-label="Pause the clip"]')
    assert clip_stands(page)
    now = page.get_attribute("canvas.clip", "data-row")
    page.click('[aria-label="Play the clip"]')
    wait_until(page, f"document.querySelector('canvas.clip').dataset.row !== '{now}'")


def test_clips_stand_still_where_less_motion_is_wanted(open_page: OpenPage) -> None:
    page = open_page(reduced_motion="reduce")
    page.click('[data-cluster="3"] .row-main')
    page.wait_for_selector("canvas.clip[data-row]")
    assert clip_stands(page)
    page.wait_for_selector('[aria-label="Play the clip"]')


def test_a_lasso_is_drawn_with_keys_alone(open_page: OpenPage) -> None:
    page = open_page()
    page.keyboard.press("l")
    page.wait_for_selector("canvas.top:focus")
    for keys in (["ArrowLeft", "ArrowUp"] * 9, ["ArrowRight"] * 18, ["ArrowDown"] * 18, ["ArrowLeft"] * 18):
        for key in keys:
            page.keyboard.press(key)
        page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_selector(".inside [data-count]")
    assert int(page.get_attribute(".inside [data-count]", "data-count")) > 20
    wait_until(page, "/lasso=fdr:/.test(location.hash)")
    _, polygon = page.evaluate("location.hash").split("lasso=fdr:")
    assert polygon.count(",") == 7, "four corners"


def test_the_map_is_moved_with_keys_alone(open_page: OpenPage) -> None:
    page = open_page()
    page.focus("canvas.top")
    page.keyboard.press("Shift+ArrowRight")
    wait_until(page, "/zoom=/.test(location.hash)")
    x, y, scale = map(float, page.evaluate("location.hash").split("zoom=")[1].split("&")[0].split(","))
    box = map_box(page)
    assert x == pytest.approx(0.5 + 60 / (0.94 * min(box["width"], box["height"])), abs=1e-3)
    assert (y, scale) == (0.5, 1)
    assert page.locator(".ring").count() == 0


def test_arrows_choose_among_tabs_and_options_and_leave_the_player_alone(open_page: OpenPage) -> None:
    page = open_page("#e=2&s=6")
    cursor = page.locator("#timeline")
    playwright.expect(cursor).to_have_attribute("aria-valuenow", "6")
    page.click("#tab-clusters")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#tab-lasso[aria-selected=true]:focus")
    page.keyboard.press("End")
    page.wait_for_selector("#tab-episodes[aria-selected=true]:focus")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#tab-clusters[aria-selected=true]:focus")
    page.click('.colors button:text-is("cluster")')
    page.keyboard.press("ArrowRight")
    page.wait_for_selector('.colors button:text-is("value")[aria-checked=true]:focus')
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    page.wait_for_selector('.colors button:text-is("success")[aria-checked=true]:focus')
    assert page.locator(".colors [tabindex='0']").count() == 1, "Tab leads to the one that is chosen"
    playwright.expect(cursor).to_have_attribute("aria-valuenow", "6")
    page.focus("canvas.top")
    page.keyboard.press("Tab")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    playwright.expect(cursor).to_have_attribute("aria-valuenow", "7")
