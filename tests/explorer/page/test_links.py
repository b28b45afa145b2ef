"""An address holds what one looks at, and opening it shows that again."""

from typing import Any

import pytest

from semantic_rl.recording.store import Recording

from .conftest import OpenPage
from .reading import wait_until

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
    "list": "#v=1&plane=fdr&color=cluster&panel=show&list=highest_value",
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
    page.keyboard.press("0")
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
