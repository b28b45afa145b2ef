"""Names and notes are saved as they are written, kept, and never lost to another page or taken for markup."""

import json
from typing import Any

import pytest

from semantic_rl.recording.store import Recording

from .conftest import OpenPage, playwright

NAME = '[aria-label="name of cluster {}"]'
NOTE = '[aria-label="note on cluster {}"]'


def open_card(page: Any, cluster: int) -> None:
    page.click(f'[data-cluster="{cluster}"] .row-main')
    page.wait_for_selector(NAME.format(cluster))


def write(page: Any, cluster: int, name: str, note: str = "") -> None:
    page.fill(NAME.format(cluster), name)
    page.fill(NOTE.format(cluster), note)
    page.press(NAME.format(cluster), "Enter")


def saved(page: Any, cluster: int) -> None:
    page.wait_for_selector(f'[data-cluster="{cluster}"] .status:has-text("saved")')


def stored(recording: Recording, cluster: int) -> dict[str, Any]:
    content = json.loads((recording.path / "annotations.json").read_text(encoding="utf-8"))
    return content["clusters"][str(cluster)]


def test_a_name_is_saved_shown_on_the_map_and_there_after_a_reload(open_page: OpenPage, recording: Recording) -> None:
    page = open_page()
    page.fill(".author input", "Grace")
    open_card(page, 3)
    write(page, 3, "climbing out", "after a jump that fell short")
    saved(page, 3)
    assert stored(recording, 3)["name"] == "climbing out"
    assert stored(recording, 3)["note"] == "after a jump that fell short"
    assert stored(recording, 3)["author"] == "Grace"
    assert "climbing out" in page.inner_text(".names")
    page.reload()
    page.wait_for_selector('[data-cluster="3"] .name:has-text("climbing out")')
    page.wait_for_selector(NOTE.format(3))  # the card is open, as the address says
    assert page.input_value(NOTE.format(3)) == "after a jump that fell short"


def test_it_is_saved_without_pressing_anything(open_page: OpenPage, recording: Recording) -> None:
    page = open_page()
    open_card(page, 1)
    page.type(NAME.format(1), "running right")
    saved(page, 1)
    assert stored(recording, 1)["name"] == "running right"


def test_what_another_page_writes_appears_by_itself(open_page: OpenPage) -> None:
    one, other = open_page(), open_page()
    open_card(one, 5)
    write(one, 5, "falling")
    other.wait_for_selector('[data-cluster="5"] .name:has-text("falling")')
    other.wait_for_selector('.names:has-text("falling")', state="attached")


@pytest.mark.parametrize("keep", ["yours", "theirs"])
def test_of_two_pages_that_write_the_same_neither_is_lost(open_page: OpenPage, recording: Recording, keep: str) -> None:
    one, other = open_page(), open_page()
    for page in (one, other):
        open_card(page, 6)
    one.fill(NAME.format(6), f"from one {keep}")
    other.fill(NAME.format(6), f"from other {keep}")
    one.press(NAME.format(6), "Enter")
    saved(one, 6)
    other.press(NAME.format(6), "Enter")
    conflict = other.wait_for_selector(".conflict")
    assert f"from one {keep}" in conflict.inner_text()
    assert f"from other {keep}" in conflict.inner_text()
    assert stored(recording, 6)["name"] == f"from one {keep}", "nothing is overwritten unseen"
    other.click(f".conflict .button:has-text('{keep}')")
    other.wait_for_selector(".conflict", state="detached")
    expected = f"from {'other' if keep == 'yours' else 'one'} {keep}"
    one.wait_for_selector(f'.names:has-text("{expected}")', state="attached")
    assert stored(recording, 6)["name"] == expected
    playwright.expect(other.locator(NAME.format(6))).to_have_value(expected)
    if keep == "theirs":  # what was given up can be had back
        other.click('.toast button:has-text("undo")')
        one.wait_for_selector(f'.names:has-text("from other {keep}")', state="attached")
        assert stored(recording, 6)["name"] == f"from other {keep}"
    open_page.complaints[:] = [said for said in open_page.complaints if "409" not in said]  # type: ignore[attr-defined]


def test_an_answer_that_is_older_than_what_was_written_here_is_not_shown(open_page: OpenPage) -> None:
    one, other = open_page(), open_page()
    for page in (one, other):
        open_card(page, 4)
    held: list[tuple[Any, Any]] = []
    other.route("**/annotations", lambda route: held.append((route, route.fetch())) if not held else route.continue_())
    write(one, 4, "from one")
    saved(one, 4)
    while not held:
        other.wait_for_timeout(20)
    # the server has told of one's name, and its answer is on the way to the other page, which has not heard of it yet
    one.close()
    route, answer = held[0]
    assert answer.json()["clusters"]["4"]["name"] == "from one"
    write(other, 4, "from other")
    other.wait_for_selector(".conflict")
    other.click(".conflict .button:has-text('yours')")
    saved(other, 4)
    # whatever the name becomes from here on is noted
    name = other.locator(NAME.format(4))
    name.evaluate("input => { window.seen = new Set(); setInterval(() => window.seen.add(input.value), 1); }")
    route.fulfill(response=answer)
    other.wait_for_timeout(500)
    assert other.evaluate("[...window.seen]") == ["from other"]
    open_page.complaints[:] = [said for said in open_page.complaints if "409" not in said]  # type: ignore[attr-defined]


def test_names_are_text_and_never_markup(open_page: OpenPage) -> None:
    page = open_page()
    evil = '<img src=x onerror="document.title=1"><b>bold</b>'
    open_card(page, 7)
    write(page, 7, evil, evil)
    saved(page, 7)
    assert evil in page.inner_text(".names")
    page.click("#tab-transitions")
    page.click("#tab-clusters")
    assert page.locator(".names img, .panel img, .names b b").count() == 0
    assert page.title() != "1"
