"""The panel of states: contact sheets in the order that the table of states gives, and what is near to a state."""

from typing import Any

import numpy as np
import polars as pl

from semantic_rl.recording.store import Recording

from .accessibility import NARROW, violations
from .conftest import OpenPage, playwright
from .reading import canvas, same_picture, wait_for, wait_until

TILE = ".sheet [role=option]"


def rows_shown(page: Any) -> list[int]:
    """Return the rows of the states on the sheet, in their order."""
    tiles = page.eval_on_selector_all(TILE, "all => all.map(one => [+one.ariaPosInSet, +one.dataset.row])")
    return [row for _, row in sorted(tiles)]


def wait_for_rows(page: Any, expected: list[int]) -> None:
    """Wait until the sheet begins with these states."""
    wait_for(page, lambda: rows_shown(page)[: len(expected)] == expected, f"never {expected}")


def nearest(recording: Recording, row: int) -> list[int]:
    """Return the states of other episodes with the nearest features."""
    features, episode = recording.features().astype(np.float64), recording.states["episode"].to_numpy()
    apart = np.sqrt(np.square(features - features[row]).sum(1))
    apart[episode == episode[row]] = np.inf
    return np.argsort(apart, kind="stable").tolist()


def test_states_near_to_the_one_in_the_player_are_found_and_compared(open_page: OpenPage, recording: Recording) -> None:
    page = open_page("#e=2&s=6")
    row = int(recording.episodes["first_row"][2]) + 6
    playwright.expect(page.locator("#timeline")).to_have_attribute("aria-valuenow", "6")
    page.keyboard.press("s")
    expected = nearest(recording, row)
    wait_for_rows(page, expected[:5])
    assert f"of=near:{row}" in page.evaluate("location.hash") or page.wait_for_timeout(400) is None
    page.click(f"{TILE} >> nth=3")
    wait_until(page, f"document.querySelector('.player canvas').dataset.row >= {expected[3]}")
    page.wait_for_selector(".difference[data-state=shown]")
    one, other = (recording.frame(state).astype(int) for state in (row, expected[3]))
    shown = canvas(page, ".pair figure:nth-child(2) canvas")
    assert same_picture(shown, recording.frame(expected[3]))
    largest = int(page.get_attribute(".difference", "data-largest"))
    assert abs(largest - np.abs(one - other).max()) <= 8
    page.keyboard.press(" ")
    assert violations(page) == []
    page.evaluate("localStorage.clear()")
    again = open_page(page.url[page.url.index("#") :])
    wait_for_rows(again, expected[:5])


def test_a_contact_sheet_is_sorted_gathered_filtered_and_scrolled(open_page: OpenPage, recording: Recording) -> None:
    states = recording.states.with_row_index("row").filter(pl.col("code_index") == 3)
    page = open_page("#panel=states&of=cluster:3&sort=-value&size=60")
    by_value = states.sort("value", descending=True)["row"].to_list()
    wait_for(page, lambda: rows_shown(page)[0] == by_value[0], "never sorted")
    values = recording.states["value"].to_numpy()
    shown = values[rows_shown(page)]
    assert np.diff(shown).max() < np.ptp(values) / 60_000, "as far as the page knows the values"
    assert int(page.get_attribute("[data-states]", "data-states")) == len(states)
    page.focus(".sheet")
    page.keyboard.press("End")
    page.keyboard.press("End")
    page.wait_for_selector(f"{TILE}[aria-posinset='{len(states)}'][aria-selected=true]")
    page.select_option(".sheet-controls label:has-text('gathered') select", "episode")
    page.keyboard.press("Home")
    first = by_value[0]
    episode = int(recording.states["episode"][first])
    of_it = states.filter(pl.col("episode") == episode).sort("value", descending=True)["row"].to_list()
    wait_for(page, lambda: sorted(rows_shown(page)[: len(of_it)]) == sorted(of_it), "never gathered")
    assert page.inner_text(".sheet-head >> nth=0").startswith(f"episode {episode}")
    page.keyboard.press("f")
    page.fill("#filter-text", "step < 5")
    page.keyboard.press("Enter")
    page.click("#tab-states")
    left = states.filter(pl.col("step") < 5)
    wait_until(page, f"document.querySelector('[data-states]')?.dataset.states === '{len(left)}'")
    assert violations(page) == []


def test_lookalikes_are_shown_side_by_side_with_what_differs(open_page: OpenPage) -> None:
    page = open_page("#panel=show&list=lookalikes")
    page.click(".items li:first-child button")
    page.wait_for_selector(".items .current .difference[data-state=shown]")
    page.click("text=contact sheet")
    page.wait_for_selector(TILE)
    assert page.get_attribute(TILE, "aria-setsize") == page.get_attribute("[data-states]", "data-states")
    assert "Lookalikes: the states of the first 50" in page.inner_text(".sheet-count")


def test_on_a_phone_the_sheet_has_its_place(open_page: OpenPage) -> None:
    page = open_page("#panel=states&theme=dark", viewport=NARROW)
    page.wait_for_selector(f"{TILE} canvas[data-state=shown]")
    assert page.locator(".sheet").bounding_box()["height"] > 300
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert violations(page) == []
