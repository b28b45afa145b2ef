"""Who sees the page for the first time is shown three steps, once; the help explains words and keys."""

from semantic_rl.recording.store import Recording

from .accessibility import NARROW, violations
from .conftest import OpenPage, playwright
from .reading import wait_until


def test_the_first_steps_come_once_and_cover_nothing(open_page: OpenPage) -> None:
    page = open_page(first_visit=True)
    steps = page.locator(".first-steps")
    playwright.expect(steps).to_contain_text("The map.")
    assert violations(page) == []
    box, map_ = steps.bounding_box(), page.locator(".maps").bounding_box()
    assert box["x"] >= map_["x"] + map_["width"]
    tabs, player = page.locator(".panel").bounding_box(), page.locator(".player").bounding_box()
    assert tabs["y"] + tabs["height"] <= box["y"] + 1
    assert box["y"] + box["height"] <= player["y"] + 1
    page.click(".first-steps .main")
    playwright.expect(steps).to_contain_text("The panels.")
    page.keyboard.press("Escape")
    playwright.expect(steps).to_have_count(0)
    page.reload()
    page.wait_for_selector("[data-cluster]")
    assert steps.count() == 0
    page.evaluate("localStorage.clear()")  # as it is on another port, where a second recording is shown
    page.reload()
    page.wait_for_selector("[data-cluster]")
    assert steps.count() == 0
    page.keyboard.press("?")
    page.click("text=show the first steps")
    playwright.expect(steps).to_contain_text("1 of 3")
    for _ in range(3):
        page.click(".first-steps .main")
    playwright.expect(steps).to_have_count(0)


def test_the_first_steps_have_room_on_a_phone_and_are_not_printed(open_page: OpenPage) -> None:
    page = open_page(first_visit=True, viewport=NARROW)
    page.wait_for_selector(".first-steps")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    page.emulate_media(media="print")
    assert not page.is_visible(".first-steps")


def test_the_help_has_words_and_keys(open_page: OpenPage) -> None:
    page = open_page()
    page.keyboard.press("?")
    words = page.locator(".glossary dt").all_inner_texts()
    expected = {"FDR space", "cell", "code", "dwell", "λ", "d", "h", "V", "return to go", "uncertainty", "held-out"}
    assert expected | {"effect size"} <= set(words)
    assert all(text.strip().endswith(".") for text in page.locator(".glossary dd").all_inner_texts())


def test_digits_show_clusters_alone(open_page: OpenPage, recording: Recording) -> None:
    page = open_page()
    wait_until(page, "location.hash.includes('v=1')")
    page.keyboard.press("0")
    wait_until(page, "location.hash.includes('solo=0')")
    page.keyboard.press("Shift+Digit5")
    wait_until(page, "location.hash.includes('solo=0,5')")
    page.keyboard.press("a")
    wait_until(page, "!location.hash.includes('solo')")
    assert recording.num_codes <= 10
