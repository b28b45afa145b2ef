"""An address holds what one looks at, and opening it shows that again."""

from typing import Any

import pytest

from semantic_rl.recording.store import Recording

from .conftest import OpenPage
from .reading import wait_until
from .test_lasso import draw

PLACES = {
    "plane": "#v=1&plane=pca&color=cluster",
    "colour": "#v=1&plane=fdr&color=uncertainty",
    "solo": "#v=1&plane=fdr&color=cluster&solo=3,5",
    "hidden": "#v=1&plane=fdr&color=cluster&hide=2",
    "overlays": "#v=1&plane=fdr&color=cluster&cells=0&names=0",
    "frames": "#v=1&plane=fdr&color=cluster&frames=1",
    "episode": "#v=1&plane=fdr&color=cluster&e=3&s=7",
    "zoom": "#v=1&plane=fdr&color=cluster&zoom=0.3000,0.6000,4.000",
    "panel": "#v=1&plane=fdr&color=cluster&panel=transitions",
    "matrix": "#v=1&plane=fdr&color=cluster&panel=transitions&matrix=steps",
    "card": "#v=1&plane=fdr&color=cluster&card=6",
    "list": "#v=1&plane=fdr&color=cluster&panel=show&list=highest_value",
    "episodes": "#v=1&plane=fdr&color=cluster&panel=episodes&paths=3,,5&order=-length&stretched=1",
    "theme": "#v=1&plane=fdr&color=cluster&theme=dark",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_every_place_is_restored(open_page: OpenPage, place: str) -> None:
    page = open_page(place)
    check(page, place)
    page.evaluate("history.replaceState(null, '', '#')")
    for _ in range(2):  # there and back again
        page.keyboard.press("n")
    wait_until(page, f"location.hash === {place!r}")  # the page itself writes the same address


def check(page: Any, place: str) -> None:
    """See on the page that it is where the address says."""
    said = dict(part.split("=") for part in place[1:].split("&"))
    checked = "[role=radio][aria-checked=true]"
    wait_until(page, f"document.querySelector('.map').dataset.plane === '{said['plane']}'")
    assert page.inner_text(f".bar .colors {checked}") == said["color"]
    for cluster in said.get("solo", "").split(",") if "solo" in said else []:
        page.wait_for_selector(f'[data-cluster="{cluster}"] [aria-label$="alone"][aria-pressed="true"]')
    if "hide" in said:
        page.wait_for_selector(f'[data-cluster="{said["hide"]}"] [aria-label^="Show"][aria-pressed="false"]')
    if "cells" in said:
        assert page.locator(".check input:checked").count() == 0
    if "frames" in said:
        page.wait_for_selector(".map[data-pictured]")
    if "e" in said:
        page.wait_for_selector(f'.player dd:has-text("{said["e"]}")')
        page.wait_for_selector(f'#timeline[aria-valuenow="{said["s"]}"]')
    if "panel" in said:
        page.wait_for_selector(f"#tab-{said['panel']}[aria-selected=true]")
    if "list" in said:
        page.wait_for_selector(".items li")
    if "matrix" in said:
        page.wait_for_selector('[aria-checked=true]:text-is("each step")')
    if "card" in said:
        page.wait_for_selector(f'[data-cluster="{said["card"]}"] .cluster-body')
    if "paths" in said:
        page.wait_for_selector('.path-legend:has-text("3"):has-text("5")')
        assert page.is_checked(".episode-panel .check input")
    if "theme" in said:
        assert page.get_attribute("html", "data-theme") == said["theme"]


def test_an_item_of_a_list_is_restored(open_page: OpenPage, address: str) -> None:
    page = open_page("#panel=show&list=highest_value:2")
    page.wait_for_selector(".items li:nth-child(3).current")
    page.wait_for_selector('.list-bar:has-text("3 of")')
    page.wait_for_selector("#timeline")


def test_what_one_does_is_written_into_the_address(open_page: OpenPage, recording: Recording) -> None:
    page = open_page()
    page.click("#tab-show")
    wait_until(page, "location.hash.includes('panel=show')")
    page.keyboard.press("c")
    wait_until(page, "location.hash.includes('color=value')")
    page.keyboard.press("+")
    wait_until(page, "location.hash.includes('zoom=')")
    page.keyboard.press("w")
    wait_until(page, "!location.hash.includes('zoom=')")
    page.evaluate("location.hash = '#v=1&e=4&s=2&color=action'")
    page.wait_for_selector('#timeline[aria-valuenow="2"]')
    assert recording.num_episodes > 4


@pytest.mark.parametrize(
    "nonsense",
    [
        "#v=9&plane=moon&color=%00&solo=x,-1&e=-3&panel=<b>",
        "#e=999999",
        "#list=no_such_list:3",
        "#sel=gone",
        "#zoom=a,b,c",
    ],
)
def test_a_wrong_address_is_no_disaster(open_page: OpenPage, nonsense: str) -> None:
    page = open_page(nonsense)
    page.wait_for_selector('[data-cluster="0"], .items, .problem')
    page.keyboard.press("ArrowRight")
    open_page.complaints[:] = [said for said in open_page.complaints if "404" not in said]  # type: ignore[attr-defined]


def test_what_the_recording_does_not_have_leaves_the_address(open_page: OpenPage) -> None:
    page = open_page("#v=1&plane=fdr&color=cluster&solo=3,77&hide=99&card=50&panel=episodes&paths=3,9999,5,b2")
    page.wait_for_selector("#tab-episodes[aria-selected=true]")
    wait_until(page, "location.hash === '#v=1&plane=fdr&color=cluster&solo=3&panel=episodes&paths=3,,5'")


STEP = "Number(/&s=(\\d+)/.exec(location.hash)?.[1] ?? -1)"


def test_the_address_follows_what_plays(open_page: OpenPage, recording: Recording) -> None:
    longest = int(recording.episodes["num_rows"].arg_max() or 0)
    page = open_page(f"#e={longest}&s=0")
    page.wait_for_selector("#timeline")
    page.keyboard.press("Space")
    wait_until(page, f"{STEP} > 5")
    wait_until(page, f"{STEP} > 25")
    assert page.locator('.transport [aria-label="Pause"]').count() == 1
    length = page.evaluate("history.length")
    page.keyboard.press("Space")
    assert page.evaluate("history.length") == length, "what plays is no step to go back to"


def test_an_item_of_a_list_is_restored_with_the_part_that_it_plays(open_page: OpenPage) -> None:
    page = open_page("#panel=show&list=value_drops:2")
    page.wait_for_selector('.transport [aria-label="Pause"]')
    page.keyboard.press("Space")
    wait_until(page, "/list=value_drops:2/.test(location.hash) && /&s=/.test(location.hash)")
    page.wait_for_timeout(400)
    place = page.evaluate("location.hash")
    again = open_page(place)
    again.wait_for_selector(".list-bar:not(.faint)")
    assert again.locator('.transport [aria-label="Play"]').count() == 1, "it waits to be played"
    # the part ends before the episode does: played to its end, it goes on with the next item
    again.keyboard.press("Space")
    again.keyboard.press(">")
    again.keyboard.press(">")
    wait_until(again, "/list=value_drops:3/.test(location.hash)")


def test_a_lasso_without_a_name_is_in_the_address(open_page: OpenPage) -> None:
    page = open_page()
    page.keyboard.press("l")
    draw(page)
    count = page.get_attribute(".inside [data-count]", "data-count")
    wait_until(page, "/lasso=fdr:/.test(location.hash)")
    again = open_page(page.evaluate("location.hash"))
    again.wait_for_selector(f'.inside [data-count="{count}"]')
    page.click("#tab-clusters")
    page.click('[data-cluster="2"] .row-main')
    page.click("text=compare with the rest")
    wait_until(page, "/lasso=clusters:2/.test(location.hash)")
    other = open_page(page.evaluate("location.hash"))
    other.wait_for_selector('.inside .big:has-text("of cluster 2")')


def test_back_takes_back_what_one_did_last(open_page: OpenPage) -> None:
    page = open_page()
    wait_until(page, "location.hash.includes('v=1')")
    page.click("#tab-show")
    wait_until(page, "location.hash.includes('panel=show')")
    page.keyboard.press("c")
    wait_until(page, "location.hash.includes('color=value')")
    page.keyboard.press("+")
    wait_until(page, "location.hash.includes('zoom=')")
    page.keyboard.press("l")
    draw(page)
    wait_until(page, "location.hash.includes('lasso=')")
    page.go_back()
    page.wait_for_selector(".inside", state="detached")
    wait_until(page, "location.hash.includes('color=value') && location.hash.includes('panel=show')")
    page.go_back()
    wait_until(page, "location.hash.includes('color=cluster')")
    page.wait_for_selector('.colors [aria-checked=true]:text-is("cluster")')
    page.go_back()
    page.wait_for_selector("#tab-clusters[aria-selected=true]")
    page.go_forward()
    page.wait_for_selector("#tab-show[aria-selected=true]")
    page.go_forward()
    page.go_forward()
    page.wait_for_selector(".inside [data-count]")


def test_back_closes_an_episode_that_was_opened(open_page: OpenPage) -> None:
    page = open_page()
    wait_until(page, "location.hash.includes('v=1')")
    page.focus("canvas.top")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector("#timeline")
    page.keyboard.press("Space")
    wait_until(page, "/&e=/.test(location.hash)")
    page.go_back()
    page.wait_for_selector(".player.empty")
