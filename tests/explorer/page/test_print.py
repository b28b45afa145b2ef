"""On paper, colours that tell things apart stay, headings stand with what they head, and nothing is cut off."""

from typing import Any

import pytest

from .conftest import OpenPage
from .reading import map_box


def style(page: Any, selector: str, name: str) -> str:
    return page.eval_on_selector(selector, f"one => getComputedStyle(one).getPropertyValue('{name}')")


def test_the_page_on_paper(open_page: OpenPage) -> None:
    page = open_page("#e=1&s=3&theme=dark")
    page.click('[data-cluster="3"] .row-main')
    page.wait_for_selector(".cluster-body")
    shown = map_box(page)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    for colored in (".legend .badge", ".clusters .share i", "#timeline canvas", ".panel .badge"):
        assert style(page, colored, "print-color-adjust") == "exact"
        assert page.locator(colored).first.is_visible()
    assert style(page, "body", "background-color") in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"), "paper is white"
    for pressed in (".topbar .button", ".bar", ".tabs", ".transport", ".map-buttons"):
        assert not page.locator(pressed).first.is_visible()
    panel, row = page.locator(".panel").bounding_box(), page.locator(".rows > li").last.bounding_box()
    assert style(page, ".panel", "overflow-y") == "visible"
    assert row["y"] + row["height"] <= panel["y"] + panel["height"], "all clusters, not only those in sight"
    printed = map_box(page)
    assert printed["width"] / printed["height"] == pytest.approx(shown["width"] / shown["height"], rel=0.02)
    assert printed["width"] <= 700
    assert style(page, ".panel h2", "break-after") == "avoid"
    assert style(page, ".cluster-body figure", "break-inside") == "avoid"
