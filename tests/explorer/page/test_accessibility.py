"""axe finds nothing wrong with page, exported page and report; what moves can be stopped; keys do everything."""

from pathlib import Path
from typing import Any

import pytest

from semantic_rl.cli import main
from semantic_rl.recording.store import Recording

from ..test_run import serving
from .accessibility import violations
from .conftest import OpenPage, playwright
from .reading import map_box, wait_until
from .test_lasso import draw

NARROW = {"width": 390, "height": 844}


def look_everywhere(open_page: OpenPage, theme: str, **where: Any) -> None:
    """Visit every panel, with something in it, and what lies over the page; see what axe says."""
    page = open_page(f"#e=1&s=3&theme={theme}", reduced_motion="reduce", **where)
    page.click('[data-cluster="3"] .row-main')
    page.wait_for_selector(".cluster-body canvas.clip")
    assert violations(page) == [], "a cluster's card and the player"
    page.click('[data-cluster="3"] [aria-label$="alone"]')
    page.wait_for_selector(".names .dim", state="attached")
    assert violations(page) == [], "one cluster alone"
    page.click("#tab-transitions")
    page.wait_for_selector(".matrix")
    assert violations(page) == [], "the matrix"
    page.click("#tab-show")
    page.click('.lists button:has-text("Lookalikes")')
    page.wait_for_selector(".items li, .empty-state")
    assert violations(page) == [], "lookalikes"
    page.keyboard.press("a")
    page.keyboard.press("l")
    draw(page)
    page.wait_for_selector(".differences")
    assert violations(page) == [], "a lasso"
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    assert violations(page) == [], "help"
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_wrong_with_the_page(open_page: OpenPage, theme: str) -> None:
    look_everywhere(open_page, theme)


def test_axe_finds_nothing_wrong_with_an_exported_page(
    open_page: OpenPage, recording: Recording, tmp_path: Path
) -> None:
    main(["explore", str(recording.path), "--export", str(tmp_path / "page.html"), "--frames", "200"])
    look_everywhere(open_page, "light", base=(tmp_path / "page.html").as_uri())


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


def test_axe_finds_nothing_wrong_with_a_report(open_page: OpenPage, recording: Recording, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    main(["report", str(recording.path), "--out", str(out), "--no-baselines", "--max-states", "300"])
    for viewport in ({"width": 1280, "height": 720}, NARROW):
        page = open_page(base=out.as_uri(), drawn=False, viewport=viewport)
        assert violations(page) == []


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
    page.wait_for_selector("#tab-show[aria-selected=true]:focus")
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
