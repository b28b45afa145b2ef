"""The timeline shows every episode as it was recorded, plays it from any step, and draws paths on the map."""

from typing import Any

import numpy as np
import polars as pl

from semantic_rl.recording.store import Recording

from .conftest import OpenPage, playwright
from .reading import canvas, wait_for_change, wait_until

ROW = 24
LABELS = 148


def options(page: Any) -> list[str]:
    """Return what the episodes are called, from the top."""
    return page.locator(".episode .sr").all_text_contents()


def place_of(page: Any, recording: Recording, row: int, episode: int, step: int) -> tuple[float, float]:
    """Return where in the list a step is, if its episode is in a row: a step is as wide in all."""
    lengths = recording.episodes["num_rows"].to_numpy()
    width = page.locator(".all-strips canvas").bounding_box()["width"] * lengths[episode] / lengths.max()
    return LABELS + (step + 0.5) * width / lengths[episode], (row + 0.5) * ROW


def test_strips_show_the_clusters_and_play_from_where_one_clicks(
    open_page: OpenPage, recording: Recording, meta: dict[str, Any]
) -> None:
    page = open_page("#panel=episodes")
    wait_until(page, "performance.getEntriesByName('strips-drawn').length > 0")
    wait_until(page, "document.querySelectorAll('.episode').length > 8")
    shown = canvas(page, ".all-strips canvas")
    for episode, step in ((0, 3), (5, 11), (8, 0)):
        x, y = place_of(page, recording, episode, episode, step)
        row = int(recording.episodes["first_row"][episode]) + step
        color = meta["colors"][recording.states["code_index"][row]]
        assert shown[int(y), int(x - LABELS), :3].tolist() == list(bytes.fromhex(color[1:]))
    x, y = place_of(page, recording, 5, 5, 11)
    box = page.locator(".strips").bounding_box()
    page.mouse.move(box["x"] + x, box["y"] + y)
    row = int(recording.episodes["first_row"][5]) + 11
    page.wait_for_selector(f'.ring[data-row="{row}"]')
    page.wait_for_selector('.card dd:has-text("11")')
    page.mouse.click(box["x"] + x, box["y"] + y)
    page.wait_for_selector('.episode[aria-current]:has-text("episode 5,")')
    page.keyboard.press("Space")
    wait_until(page, "Number(document.getElementById('timeline').ariaValueNow) >= 11")
    page.wait_for_selector(".strips .now", state="attached")


def test_episodes_are_sorted_and_filtered(open_page: OpenPage, recording: Recording) -> None:
    page = open_page("#panel=episodes&order=return")
    returns = recording.episodes["return"].to_numpy()
    page.wait_for_selector(f'.episode:first-of-type .sr:has-text("episode {int(np.argmax(returns))}, return ")')
    page.select_option(".episode-panel select", "length")
    lengths = recording.episodes["num_rows"].to_numpy()
    longest = int(np.argmax(lengths))
    page.wait_for_selector(f'.episode:first-of-type .sr:has-text("episode {longest}, ")')
    assert f"{lengths[longest]} steps" in options(page)[0]
    wait_until(page, "location.hash.includes('order=length')")
    page.go_back()
    page.wait_for_selector(f'.episode:first-of-type .sr:has-text("episode {int(np.argmax(returns))}, ")')
    page.evaluate("location.hash += '&filter=cluster == 2'")
    left = recording.states.filter(pl.col("code_index") == 2)["episode"].n_unique()
    assert left < recording.num_episodes
    page.wait_for_selector(f'.panel-head:has-text("{left} of {recording.num_episodes} episodes")')
    page.wait_for_selector(f'.episode[aria-setsize="{left}"]')


def test_paths_are_drawn_kept_in_the_address_and_taken_back(open_page: OpenPage) -> None:
    page = open_page("#panel=episodes")
    page.wait_for_selector(".episode")
    wait_until(page, "location.hash.includes('v=1')")
    before = canvas(page, "canvas.top").tobytes()
    page.locator(".episode").nth(2).click(position={"x": 40, "y": 12})
    one = wait_for_change(page, "canvas.top", {before})
    wait_until(page, "location.hash.includes('paths=2')")
    page.locator(".episode").nth(4).click(position={"x": LABELS + 5, "y": 12}, modifiers=["ControlOrMeta"])
    wait_for_change(page, "canvas.top", {before, one.tobytes()})
    wait_until(page, "location.hash.includes('paths=2,4')")
    assert page.locator(".path-legend button").all_inner_texts() == ["2", "4", "clear"]
    page.reload()
    page.wait_for_selector('.episode[aria-selected="true"]:has-text("episode 4,")')
    page.go_back()
    wait_until(page, "document.querySelectorAll('.path-legend button').length === 1")
    page.click('[aria-label="Remove the path of episode 2"]')
    page.wait_for_selector(".path-legend", state="detached")


def test_the_list_answers_to_keys(open_page: OpenPage) -> None:
    page = open_page("#panel=episodes&e=0&s=0")
    page.wait_for_selector(".episode")
    page.focus(".strips")
    for key in ("ArrowDown", "ArrowDown", "x", "Shift+ArrowDown"):
        page.keyboard.press(key)
    wait_until(page, "location.hash.includes('paths=2,3')")
    playwright.expect(page.locator(".strips")).to_have_attribute("aria-activedescendant", "episode-3")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector(".ring")
    page.keyboard.press("Enter")
    page.wait_for_selector('.episode[aria-current]:has-text("episode 3,")')
    page.keyboard.press("Space")
    wait_until(page, "Number(document.getElementById('timeline').ariaValueNow) >= 4")
    page.keyboard.press("End")
    page.keyboard.press("Escape")
    page.wait_for_selector(".path-legend", state="detached")
