"""Tags that are given on one page are kept in the file, and seen by filters, colours and other pages."""

import json
from typing import Any

from semantic_rl.recording.store import Recording

from .accessibility import violations
from .conftest import OpenPage, playwright
from .reading import canvas, wait_for, wait_until
from .test_states import TILE, rows_shown

TAG = "é edge 🎈"


def kept(recording: Recording) -> dict[str, list[list[int]]]:
    """Return the tags in the file."""
    path = recording.path / "annotations.json"
    if not path.exists():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return {tag: entry["states"] for tag, entry in content.get("tags", {}).items()}


def tag(page: Any, text: str) -> None:
    """Tag the chosen states with the keyboard."""
    page.keyboard.press("t")
    page.wait_for_selector("#tag-text:focus")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_selector(f".tag-bar [data-tag='{text}']")


def test_states_are_tagged_filtered_coloured_and_it_is_undone(open_page: OpenPage, recording: Recording) -> None:
    page = open_page("#panel=states&color=tag")
    other = open_page(f'#filter=tag%20%3D%3D%20"{TAG}"')
    other.wait_for_selector(".chip small:has-text('no tags yet')")
    before = canvas(page, "canvas.points").tobytes()
    page.click(f"{TILE} >> nth=2")
    page.click(f"{TILE} >> nth=4", modifiers=["Shift"])
    page.click(f"{TILE} >> nth=6", modifiers=["ControlOrMeta"])
    assert page.get_attribute(".tag-bar [data-chosen]", "data-chosen") == "4"
    tag(page, TAG)
    assert kept(recording) == {TAG: [[2, 4], [6, 6]]}
    assert violations(page) == []
    wait_for(page, lambda: canvas(page, "canvas.points").tobytes() != before, "the map is coloured by tags")
    wait_until(other, "document.querySelector('[data-left]')?.dataset.left === '4'")
    # taking it from one of them, and back
    page.click(f"{TILE} >> nth=3")
    page.click('.tag-bar [aria-label^="Remove the tag"]')
    wait_for(page, lambda: kept(recording) == {TAG: [[2, 2], [4, 4], [6, 6]]}, "never removed")
    wait_until(other, "document.querySelector('[data-left]')?.dataset.left === '3'")
    page.click('.toast button:has-text("undo")')
    wait_for(page, lambda: kept(recording) == {TAG: [[2, 4], [6, 6]]}, "never undone")
    page.select_option(".sheet-controls select >> nth=0", label=f"tag: {TAG}")
    wait_for(page, lambda: rows_shown(page) == [2, 3, 4, 6], "never only those with the tag")
    wait_until(page, "/of=tag:/.test(location.hash)")
    again = open_page(page.url[page.url.index("#") :])
    wait_for(again, lambda: rows_shown(again) == [2, 3, 4, 6], "the address does not restore it")


def test_two_pages_that_tag_at_once_both_keep_what_they_tagged(open_page: OpenPage, recording: Recording) -> None:
    one, two = open_page("#panel=states"), open_page("#panel=states")
    for page in (one, two):
        page.route("**/events", lambda route: route.abort())  # neither hears of the other
        page.reload()
        page.wait_for_selector(TILE)
    one.click(f"{TILE} >> nth=1")
    tag(one, "both")
    two.click(f"{TILE} >> nth=5")
    tag(two, "both")
    assert kept(recording) == {"both": [[1, 1], [5, 5]]}
    open_page.complaints.clear()  # type: ignore[attr-defined]  # a refusal is a line on the console


def test_the_state_in_the_player_is_tagged_with_two_keys(open_page: OpenPage, recording: Recording) -> None:
    page = open_page("#e=1&s=3")
    playwright.expect(page.locator("#timeline")).to_have_attribute("aria-valuenow", "3")
    tag(page, "look")
    row = int(recording.episodes["first_row"][1]) + 3
    assert kept(recording) == {"look": [[row, row]]}
    page.wait_for_selector(".player dd:has-text('look')")
